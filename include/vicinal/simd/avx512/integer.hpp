// SPDX-License-Identifier: MIT
// simd/integer.hpp on AVX-512 with VNNI: one instruction multiplies integers and adds the products to sums of 32 bits,
// which nothing saturates on the way.
#pragma once

#include "vicinal/core/target.hpp"

#if defined(VICINAL_HAS_AVX512_V4) && defined(VICINAL_HAS_AVX512_VNNI)

#include <immintrin.h>

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int8_t, int16_t, int32_t, uint64_t

#include "vicinal/simd/avx2/intrinsics.hpp"
#include "vicinal/simd/generic/integer.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd::per_isa {

[[nodiscard]] VICINAL_INLINE __m512i load_512(const void* p) noexcept { return _mm512_loadu_si512(p); }

/// Writes the sums of the lanes of each of four vectors of integers.
VICINAL_INLINE void sum_integers_4(const __m512i* sums, std::int32_t* out) noexcept {
    const auto pairs = [](__m512i a, __m512i b) VICINAL_LAMBDA_INLINE {
        return _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    };
    const __m512i ab = pairs(sums[0], sums[1]);
    const __m512i cd = pairs(sums[2], sums[3]);
    const __m512i abcd = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    const __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(abcd), _mm512_extracti64x4_epi64(abcd, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out),
                     _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1)));
}

/// Adds up what codes x, in 16 bits, and a query's integers give.
template <integer_sum What>
[[nodiscard]] VICINAL_INLINE __m512i add_words(__m512i sum, __m512i x, __m512i query) noexcept {
    if constexpr (What == integer_sum::product) return _mm512_dpwssd_epi32(sum, x, query);
    const __m512i y = _mm512_sub_epi16(x, query);
    return _mm512_dpwssd_epi32(sum, y, y);
}

template <integer_sum What>
VICINAL_INLINE void sums_of_bytes_4(tag::avx512vnni, const std::int16_t* q, const std::byte* const* rows,
                                    std::size_t dim, std::int32_t* out) noexcept {
    __m512i sums[4] = {};
    const auto add = [&](std::size_t i, const auto& load) VICINAL_LAMBDA_INLINE {
        const __m512i query = load_512(q + i);
        for (std::size_t row = 0; row < 4; ++row)
            sums[row] = add_words<What>(sums[row], _mm512_cvtepu8_epi16(load(rows[row] + i)), query);
    };
    std::size_t i = 0;
    for (; i + 32 <= dim; i += 32) add(i, [](const std::byte* p) VICINAL_LAMBDA_INLINE { return load_256(p); });
    if (i < dim) {
        const __mmask32 wanted = (1U << (dim - i)) - 1;
        add(i, [&](const std::byte* p) VICINAL_LAMBDA_INLINE { return _mm256_maskz_loadu_epi8(wanted, p); });
    }
    sum_integers_4(sums, out);
}

VICINAL_INLINE void weighted_sums_of_bytes_4(tag::avx512vnni, const std::int16_t* q, const std::byte* const* rows,
                                             std::size_t dim, unsigned shift, std::int32_t* out) noexcept {
    __m512i sums[4] = {};
    const __m128i places = _mm_cvtsi32_si128(static_cast<int>(shift));
    const auto add = [&](std::size_t i, __m512i query, __m512i weight) VICINAL_LAMBDA_INLINE {
        for (std::size_t row = 0; row < 4; ++row) {
            const __m512i x = _mm512_mullo_epi16(_mm512_cvtepu8_epi16(load_256(rows[row] + i)), weight);
            const __m512i y = _mm512_sub_epi16(x, query);
            sums[row] = _mm512_add_epi32(sums[row], _mm512_srl_epi32(_mm512_madd_epi16(y, y), places));
        }
    };
    // The query's integers and its weights take turns by 16.
    const auto two = [&](const std::int16_t* p) VICINAL_LAMBDA_INLINE {
        return _mm512_inserti64x4(_mm512_castsi256_si512(load_256(p)), load_256(p + 32), 1);
    };
    std::size_t i = 0;
    for (; i + 16 < dim; i += 32) add(i, two(q + 2 * i), two(q + 2 * i + 16));
    if (i < dim) add(i, _mm512_zextsi256_si512(load_256(q + 2 * i)), _mm512_zextsi256_si512(load_256(q + 2 * i + 16)));
    sum_integers_4(sums, out);
}

/// Adds up what 32 bytes of 4-bit codes, which both halves of `both` hold, and 64 of a query's integers give, of
/// squared differences four times that: 4 x takes no more instructions than x, and 4 * 15 * 127 * 8192 < 2^31.
template <integer_sum What>
[[nodiscard]] VICINAL_INLINE __m512i add_nibbles(__m512i sum, __m512i both, __m512i query) noexcept {
    if constexpr (What == integer_sum::product) {
        const __m512i moved = _mm512_srlv_epi64(both, _mm512_setr_epi64(0, 0, 0, 0, 4, 4, 4, 4));
        return _mm512_dpbusd_epi32(sum, _mm512_and_si512(moved, _mm512_set1_epi8(15)), query);
    }
    const __m512i moved = _mm512_rolv_epi64(both, _mm512_setr_epi64(2, 2, 2, 2, 62, 62, 62, 62));
    const __m512i x = _mm512_and_si512(moved, _mm512_set1_epi8(60));
    return _mm512_dpbusd_epi32(sum, x, _mm512_sub_epi8(x, query));
}

/// Writes the sums of the lanes of four vectors that add_nibbles made.
template <integer_sum What>
VICINAL_INLINE void sum_nibbles_4(const __m512i* sums, std::int32_t* out) noexcept {
    sum_integers_4(sums, out);
    if constexpr (What == integer_sum::product) return;
    auto* const at = reinterpret_cast<__m128i*>(out);
    _mm_storeu_si128(at, _mm_srai_epi32(_mm_loadu_si128(at), 2));
}

/// Loads 32 bytes into both halves of a register.
[[nodiscard]] VICINAL_INLINE __m512i load_twice(const std::byte* p) noexcept {
    return _mm512_broadcast_i64x4(load_256(p));
}

/// Chooses the bytes whose halves hold components if there are `count` < 64 of those: the lower half of a byte counts
/// in the first 32, the upper one in the others.
[[nodiscard]] VICINAL_INLINE __mmask64 first_nibbles(std::size_t count) noexcept {
    const std::uint64_t even = (std::uint64_t{1} << (count + 1) / 2) - 1;
    const std::uint64_t odd = (std::uint64_t{1} << count / 2) - 1;
    return even | odd << 32;
}

template <integer_sum What>
VICINAL_INLINE void sums_of_nibbles_4(tag::avx512vnni, const std::int8_t* q, const std::byte* const* rows,
                                      std::size_t dim, std::int32_t* out) noexcept {
    __m512i sums[4] = {};
    const auto add = [&](std::size_t i, const auto& load) VICINAL_LAMBDA_INLINE {
        const __m512i query = load_512(q + i);
        for (std::size_t row = 0; row < 4; ++row)
            sums[row] = add_nibbles<What>(sums[row], load(rows[row] + i / 2), query);
    };
    std::size_t i = 0;
    for (; i + 64 <= dim; i += 64) add(i, [](const std::byte* p) VICINAL_LAMBDA_INLINE { return load_twice(p); });
    if (i < dim) {
        const __mmask64 wanted = first_nibbles(dim - i);
        add(i, [&](const std::byte* p) VICINAL_LAMBDA_INLINE { return _mm512_maskz_mov_epi8(wanted, load_twice(p)); });
    }
    sum_nibbles_4<What>(sums, out);
}

}  // namespace simd::per_isa

VICINAL_NAMESPACE_END

#endif
