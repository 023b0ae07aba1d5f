// SPDX-License-Identifier: MIT
// simd/integer_scan.hpp on SSE2.
#pragma once

#include "vicinal/core/target.hpp"

#if defined(VICINAL_HAS_SSE2)

#include <emmintrin.h>

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int8_t, int16_t, int32_t, uint64_t

#include "vicinal/simd/generic/integer_scan.hpp"
#include "vicinal/simd/sse2/integer.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd::per_isa {

[[nodiscard]] constexpr bool scans_integers(tag::x86) noexcept { return true; }

template <unsigned Bits, integer_sum What>
struct integer_scan_half;

/// Adds up half a group of a row's codes, 16 bytes.
template <integer_sum What>
struct integer_scan_half<8, What> {
    static constexpr std::size_t components = 16;
    static constexpr std::size_t step = What == integer_sum::weighted_difference ? 64 : 32;  ///< of a query's group
    static constexpr std::size_t half = 8;

    /// Takes 16 bytes of codes of which the first `wanted` count.
    [[nodiscard]] static VICINAL_INLINE __m128i add_to(__m128i sum, __m128i codes, std::size_t wanted,
                                                       const std::int16_t* q, __m128i places) noexcept {
        if (wanted != components) codes = first_bytes(wanted, codes);
        if constexpr (What == integer_sum::weighted_difference) {
            const __m128i high = _mm_andnot_si128(_mm_set1_epi16(255), codes);
            const __m128i even = _mm_mullo_epi16(_mm_xor_si128(codes, high), load_128(q + 32));
            // Code and weight are both times 256 here, so the upper half of their product is the product of both.
            const __m128i odd = _mm_mulhi_epu16(high, load_128(q + 48));
            const __m128i squares =
                _mm_add_epi32(share_of_words<What>(even, load_128(q)), share_of_words<What>(odd, load_128(q + 16)));
            return _mm_add_epi32(sum, _mm_srl_epi32(squares, places));  // two pairs of squares are below 2^32
        } else {
            sum = _mm_add_epi32(sum, share_of_words<What>(_mm_and_si128(codes, _mm_set1_epi16(255)), load_128(q)));
            return _mm_add_epi32(sum, share_of_words<What>(_mm_srli_epi16(codes, 8), load_128(q + 16)));
        }
    }
    [[nodiscard]] static VICINAL_INLINE __m128i finish(__m128i sum) noexcept { return sum; }
};

template <integer_sum What>
struct integer_scan_half<4, What> {
    static constexpr std::size_t components = 32;
    static constexpr std::size_t step = 64;
    static constexpr std::size_t half = 16;

    [[nodiscard]] static VICINAL_INLINE __m128i add_to(__m128i sum, __m128i pairs, std::size_t wanted,
                                                       const std::int8_t* q, __m128i) noexcept {
        const __m128i evens = wanted != components ? first_bytes((wanted + 1) / 2, pairs) : pairs;
        const __m128i odds = wanted != components ? first_bytes(wanted / 2, pairs) : pairs;
        return nibble_words(evens, odds, q, q + 32).add_to<What>(sum);
    }
    [[nodiscard]] static VICINAL_INLINE __m128i finish(__m128i sum) noexcept { return _mm_srai_epi32(sum, 8); }
};

/// Adds up one row lane by lane, of which 32 bytes past the end are readable.
template <class Half, class Query, class Ask>
[[nodiscard]] VICINAL_INLINE __m128i add_up_row(const Query* q, const std::byte* row, std::size_t dim, __m128i places,
                                                Ask ask) noexcept {
    constexpr std::size_t whole = Half::components;
    __m128i sum = _mm_setzero_si128();
    std::size_t i = 0;
    for (; i + 2 * whole <= dim; i += 2 * whole, row += 32, q += Half::step) {
        ask.next();
        sum = Half::add_to(sum, load_128(row), whole, q, places);
        sum = Half::add_to(sum, load_128(row + 16), whole, q + Half::half, places);
    }
    if (i < dim) ask.next();
    for (; i < dim; i += whole, row += 16, q += Half::half)
        sum = Half::add_to(sum, load_128(row), dim - i < whole ? dim - i : whole, q, places);
    return Half::finish(sum);
}

template <unsigned Bits, integer_sum What>
VICINAL_INLINE void integer_scan_sums(tag::x86, const typename integer_scan_query<Bits>::type* query, std::size_t dim,
                                      unsigned shift, const std::byte* first, std::size_t stride, std::size_t count,
                                      scan_ahead ahead, std::int32_t* out) noexcept {
    const __m128i places = _mm_cvtsi32_si128(static_cast<int>(shift));
    const auto add_up = [&](const std::byte* row, auto ask) VICINAL_LAMBDA_INLINE {
        return add_up_row<integer_scan_half<Bits, What>>(query, row, dim, places, ask);
    };
    const auto sum = [](const __m128i* four, std::int32_t* to) VICINAL_LAMBDA_INLINE { sum_integers_4(four, to); };
    integer_sums_in_turn<__m128i>(first, stride, count, ahead, out, add_up, sum);
}

VICINAL_INLINE void byte_products(tag::x86, const std::int16_t* query, std::size_t dim, const std::byte* first,
                                  std::size_t stride, std::size_t count, scan_ahead ahead, std::int32_t* out) noexcept {
    integer_scan_sums<8, integer_sum::product>(tag::x86{}, query, dim, 0, first, stride, count, ahead, out);
}

template <unsigned Bits, integer_sum What>
[[nodiscard]] VICINAL_INLINE std::uint64_t integer_scan(tag::x86, const typename integer_scan_query<Bits>::type* query,
                                                        std::size_t dim, unsigned shift, const std::byte* first,
                                                        std::size_t stride, std::size_t count, std::int32_t limit,
                                                        scan_ahead ahead) noexcept {
    alignas(16) std::int32_t sums[integer_scan_rows] = {};
    integer_scan_sums<Bits, What>(tag::x86{}, query, dim, shift, first, stride, count, ahead, sums);
    const __m128i bound = _mm_set1_epi32(limit);
    std::uint64_t out = 0;
    for (std::size_t r = 0; r < count; r += 4) {
        const __m128i four = load_128(sums + r);
        const __m128i ruled_out =
            What == integer_sum::product ? _mm_cmpgt_epi32(bound, four) : _mm_cmpgt_epi32(four, bound);
        out |= std::uint64_t{static_cast<unsigned>(_mm_movemask_ps(_mm_castsi128_ps(ruled_out)))} << r;
    }
    return bits_of_rows(~out, count);
}

}  // namespace simd::per_isa

VICINAL_NAMESPACE_END

#endif
