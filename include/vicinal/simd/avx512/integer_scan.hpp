// SPDX-License-Identifier: MIT
// simd/integer_scan.hpp on AVX-512 with VNNI. Weighted differences are AVX2's: each fourth of their terms must be added
// up before it is shifted, which takes as long in wide registers.
#pragma once

#include "vicinal/core/target.hpp"

#if defined(VICINAL_HAS_AVX512_V4) && defined(VICINAL_HAS_AVX512_VNNI)

#include <immintrin.h>

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int8_t, int16_t, int32_t, uint64_t

#include "vicinal/simd/avx512/integer.hpp"
#include "vicinal/simd/generic/integer_scan.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd::per_isa {

/// Adds up a group of a row's codes, 32 bytes, which both halves of a register hold: the even components are taken from
/// one, the odd ones from the other, as queries have them.
template <unsigned Bits, integer_sum What>
struct wide_scan_group;

template <integer_sum What>
struct wide_scan_group<8, What> {
    static constexpr std::size_t components = 32;

    [[nodiscard]] static VICINAL_INLINE __m512i add_to(__m512i sum, __m512i both, const std::int16_t* q) noexcept {
        // A negative number stands for a zero.
        const __m128i even = _mm_setr_epi8(0, -1, 2, -1, 4, -1, 6, -1, 8, -1, 10, -1, 12, -1, 14, -1);
        const __m128i odd = _mm_setr_epi8(1, -1, 3, -1, 5, -1, 7, -1, 9, -1, 11, -1, 13, -1, 15, -1);
        const __m512i places = _mm512_inserti64x4(_mm512_broadcast_i32x4(even), _mm256_broadcastsi128_si256(odd), 1);
        return add_words<What>(sum, _mm512_shuffle_epi8(both, places), load_512(q));
    }
    [[nodiscard]] static VICINAL_INLINE __mmask64 first(std::size_t count) noexcept {
        const std::uint64_t half = (std::uint64_t{1} << count) - 1;
        return half | half << 32;
    }
    static VICINAL_INLINE void sum_4(const __m512i* sums, std::int32_t* out) noexcept { sum_integers_4(sums, out); }
};

template <integer_sum What>
struct wide_scan_group<4, What> {
    static constexpr std::size_t components = 64;

    [[nodiscard]] static VICINAL_INLINE __m512i add_to(__m512i sum, __m512i both, const std::int8_t* q) noexcept {
        return add_nibbles<What>(sum, both, load_512(q));
    }
    [[nodiscard]] static VICINAL_INLINE __mmask64 first(std::size_t count) noexcept { return first_nibbles(count); }
    static VICINAL_INLINE void sum_4(const __m512i* sums, std::int32_t* out) noexcept {
        sum_nibbles_4<What>(sums, out);
    }
};

/// Adds up one row lane by lane, of which 32 bytes past the end are readable, in two sums, so that not every addition
/// waits for the one before it.
template <class Group, class Query, class Ask>
[[nodiscard]] VICINAL_INLINE __m512i add_up_wide_row(const Query* q, const std::byte* row, std::size_t dim,
                                                     Ask ask) noexcept {
    constexpr std::size_t components = Group::components;
    __m512i sum = _mm512_setzero_si512();
    __m512i other = sum;
    std::size_t i = 0;
    for (; i + 2 * components <= dim; i += 2 * components, row += 64, q += 2 * components) {
        ask.next();
        sum = Group::add_to(sum, load_twice(row), q);
        ask.next();
        other = Group::add_to(other, load_twice(row + 32), q + components);
    }
    if (i + components <= dim) {
        ask.next();
        sum = Group::add_to(sum, load_twice(row), q);
        i += components;
        row += 32;
        q += components;
    }
    if (i < dim) ask.next();
    if (i < dim) other = Group::add_to(other, _mm512_maskz_mov_epi8(Group::first(dim - i), load_twice(row)), q);
    return _mm512_add_epi32(sum, other);
}

template <unsigned Bits, integer_sum What>
VICINAL_INLINE void integer_scan_sums(tag::avx512vnni, const typename integer_scan_query<Bits>::type* query,
                                      std::size_t dim, const std::byte* first, std::size_t stride, std::size_t count,
                                      scan_ahead ahead, std::int32_t* out) noexcept {
    using group = wide_scan_group<Bits, What>;
    const auto add_up = [&](const std::byte* row, auto ask)
                            VICINAL_LAMBDA_INLINE { return add_up_wide_row<group>(query, row, dim, ask); };
    const auto sum = [](const __m512i* four, std::int32_t* to) VICINAL_LAMBDA_INLINE { group::sum_4(four, to); };
    integer_sums_in_turn<__m512i>(first, stride, count, ahead, out, add_up, sum);
}

VICINAL_INLINE void byte_products(tag::avx512vnni, const std::int16_t* query, std::size_t dim, const std::byte* first,
                                  std::size_t stride, std::size_t count, scan_ahead ahead, std::int32_t* out) noexcept {
    integer_scan_sums<8, integer_sum::product>(tag::avx512vnni{}, query, dim, first, stride, count, ahead, out);
}

template <unsigned Bits, integer_sum What>
requires(What != integer_sum::weighted_difference)  //
    [[nodiscard]] VICINAL_INLINE std::uint64_t
    integer_scan(tag::avx512vnni, const typename integer_scan_query<Bits>::type* query, std::size_t dim, unsigned,
                 const std::byte* first, std::size_t stride, std::size_t count, std::int32_t limit,
                 scan_ahead ahead) noexcept {
    alignas(64) std::int32_t sums[integer_scan_rows] = {};
    integer_scan_sums<Bits, What>(tag::avx512vnni{}, query, dim, first, stride, count, ahead, sums);
    const __m512i bound = _mm512_set1_epi32(limit);
    std::uint64_t out = 0;
    for (std::size_t r = 0; r < count; r += 16) {
        const __m512i some = _mm512_load_si512(sums + r);
        out |= std::uint64_t{What == integer_sum::product ? _mm512_cmpge_epi32_mask(some, bound)
                                                          : _mm512_cmple_epi32_mask(some, bound)}
               << r;
    }
    return bits_of_rows(out, count);
}

}  // namespace simd::per_isa

VICINAL_NAMESPACE_END

#endif
