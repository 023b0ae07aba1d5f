// SPDX-License-Identifier: MIT
// simd/integer_scan.hpp on AVX2.
#pragma once

#include "vicinal/core/target.hpp"

#if defined(VICINAL_HAS_AVX2)

#include <immintrin.h>

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int8_t, int16_t, int32_t, uint64_t

#include "vicinal/simd/avx2/integer.hpp"
#include "vicinal/simd/avx2/intrinsics.hpp"
#include "vicinal/simd/generic/integer_scan.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd::per_isa {

[[nodiscard]] constexpr bool scans_integers(tag::avx2) noexcept { return true; }

template <unsigned Bits, integer_sum What>
struct integer_scan_row;

template <integer_sum What>
struct integer_scan_row<8, What> {
    /// Adds up one row lane by lane, of which 32 bytes past the end are readable.
    template <class Ask>
    static VICINAL_INLINE __m256i add_up(const std::int16_t* q, const std::byte* row, std::size_t dim, __m128i places,
                                         Ask ask) noexcept {
        __m256i sum = _mm256_setzero_si256();
        const auto add = [&](__m256i codes) VICINAL_LAMBDA_INLINE {
            ask.next();
            const __m256i even = share(part(codes, 0, q), q);
            const __m256i odd = share(part(codes, 1, q), q + 16);
            if constexpr (weighted)  // two pairs of squares are below 2^32
                sum = _mm256_add_epi32(sum, _mm256_srl_epi32(_mm256_add_epi32(even, odd), places));
            else
                sum = _mm256_add_epi32(sum, _mm256_add_epi32(even, odd));
            q += weighted ? 64 : 32;
        };
        std::size_t i = 0;
        for (; i + 32 <= dim; i += 32) add(load_256(row + i));
        if (i < dim) add(first_bytes(dim - i, load_256(row + i)));
        return sum;
    }

  private:
    static constexpr bool weighted = What == integer_sum::weighted_difference;

    /// Takes the even or the odd codes in 16 bits, times their weights if they have any.
    [[nodiscard]] static VICINAL_INLINE __m256i part(__m256i codes, int odd, const std::int16_t* q) noexcept {
        if constexpr (weighted) return _mm256_maddubs_epi16(codes, load_256(q + 32 + 16 * odd));
        return odd != 0 ? _mm256_srli_epi16(codes, 8) : _mm256_and_si256(codes, _mm256_set1_epi16(255));
    }
    [[nodiscard]] static VICINAL_INLINE __m256i share(__m256i x, const std::int16_t* q) noexcept {
        const __m256i query = load_256(q);
        if constexpr (What == integer_sum::product) return _mm256_madd_epi16(x, query);
        const __m256i y = _mm256_sub_epi16(x, query);
        return _mm256_madd_epi16(y, y);
    }
};

template <integer_sum What>
struct integer_scan_row<4, What> {
    template <class Ask>
    static VICINAL_INLINE __m256i add_up(const std::int8_t* q, const std::byte* row, std::size_t dim, __m128i,
                                         Ask ask) noexcept {
        const __m256i fifteen = _mm256_set1_epi8(15);
        __m256i sum = _mm256_setzero_si256();
        __m256i even_sum = sum;
        __m256i odd_sum = sum;
        const auto add = [&](std::size_t i, __m256i evens, __m256i odds) VICINAL_LAMBDA_INLINE {
            ask.next();
            const auto share = [&](__m256i of, __m256i x, std::size_t half) VICINAL_LAMBDA_INLINE {
                return add_products_of_bytes(of, x, nibble_factor<What>(x, load_256(q + i + half)));
            };
            even_sum = share(even_sum, _mm256_and_si256(evens, fifteen), 0);
            odd_sum = share(odd_sum, _mm256_and_si256(_mm256_srli_epi16(odds, 4), fifteen), 32);
        };
        // Sums of 16 bits hold eight pairs of products of at most 15 * 128.
        for (std::size_t i = 0; i < dim;) {
            const std::size_t end = dim - i < 512 ? dim : i + 512;
            for (; i + 64 <= end; i += 64) {
                const __m256i pairs = load_256(row + i / 2);
                add(i, pairs, pairs);
            }
            if (i < end) {
                const __m256i pairs = load_256(row + i / 2);
                add(i, first_bytes((end - i + 1) / 2, pairs), first_bytes((end - i) / 2, pairs));
                i = end;
            }
            sum = _mm256_add_epi32(sum, widen_short_sums(even_sum));
            sum = _mm256_add_epi32(sum, widen_short_sums(odd_sum));
            even_sum = odd_sum = _mm256_setzero_si256();
        }
        return sum;
    }
};

template <unsigned Bits, integer_sum What>
VICINAL_INLINE void integer_scan_sums(tag::avx2, const typename integer_scan_query<Bits>::type* query, std::size_t dim,
                                      unsigned shift, const std::byte* first, std::size_t stride, std::size_t count,
                                      scan_ahead ahead, std::int32_t* out) noexcept {
    const __m128i places = _mm_cvtsi32_si128(static_cast<int>(shift));
    const auto add_up = [&](const std::byte* row, auto ask) VICINAL_LAMBDA_INLINE {
        return integer_scan_row<Bits, What>::add_up(query, row, dim, places, ask);
    };
    const auto sum = [](const __m256i* four, std::int32_t* to) VICINAL_LAMBDA_INLINE { sum_integers_4(four, to); };
    integer_sums_in_turn<__m256i>(first, stride, count, ahead, out, add_up, sum);
}

VICINAL_INLINE void byte_products(tag::avx2, const std::int16_t* query, std::size_t dim, const std::byte* first,
                                  std::size_t stride, std::size_t count, scan_ahead ahead, std::int32_t* out) noexcept {
    integer_scan_sums<8, integer_sum::product>(tag::avx2{}, query, dim, 0, first, stride, count, ahead, out);
}

template <unsigned Bits, integer_sum What>
[[nodiscard]] VICINAL_INLINE std::uint64_t integer_scan(tag::avx2, const typename integer_scan_query<Bits>::type* query,
                                                        std::size_t dim, unsigned shift, const std::byte* first,
                                                        std::size_t stride, std::size_t count, std::int32_t limit,
                                                        scan_ahead ahead) noexcept {
    alignas(32) std::int32_t sums[integer_scan_rows] = {};
    integer_scan_sums<Bits, What>(tag::avx2{}, query, dim, shift, first, stride, count, ahead, sums);
    const __m256i bound = _mm256_set1_epi32(limit);
    std::uint64_t out = 0;
    for (std::size_t r = 0; r < count; r += 8) {
        const __m256i eight = _mm256_load_si256(reinterpret_cast<const __m256i*>(sums + r));
        out |=
            std::uint64_t{static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(
                What == integer_sum::product ? _mm256_cmpgt_epi32(bound, eight) : _mm256_cmpgt_epi32(eight, bound))))}
            << r;
    }
    return bits_of_rows(~out, count);
}

}  // namespace simd::per_isa

VICINAL_NAMESPACE_END

#endif
