// SPDX-License-Identifier: MIT
// simd/integer.hpp on AVX2, by instructions that multiply integers and add the products in pairs; with
// AVX-VNNI one instruction adds them to the sums, too.
#pragma once

#include "vicinal/core/target.hpp"

#if defined(VICINAL_HAS_AVX2)

#include <immintrin.h>

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int8_t, int16_t, int32_t

#include "vicinal/simd/avx2/intrinsics.hpp"
#include "vicinal/simd/generic/integer.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd::per_isa {

// What AVX-VNNI does by one instruction each. Sums of products of bytes are short: of 16 bits, or of 32 where one
// instruction does it all.
#if defined(VICINAL_HAS_AVXVNNI)
/// Adds the products of pairs of 16-bit integers.
[[nodiscard]] VICINAL_INLINE __m256i add_products_of_words(__m256i sum, __m256i x, __m256i y) noexcept {
    return _mm256_dpwssd_avx_epi32(sum, x, y);
}
/// Adds products of bytes, the first of which have no sign, to short sums.
[[nodiscard]] VICINAL_INLINE __m256i add_products_of_bytes(__m256i sum, __m256i x, __m256i y) noexcept {
    return _mm256_dpbusd_avx_epi32(sum, x, y);
}
/// Makes sums of 32 bits of short ones.
[[nodiscard]] VICINAL_INLINE __m256i widen_short_sums(__m256i sums) noexcept { return sums; }
#else
[[nodiscard]] VICINAL_INLINE __m256i add_products_of_words(__m256i sum, __m256i x, __m256i y) noexcept {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(x, y));
}
[[nodiscard]] VICINAL_INLINE __m256i add_products_of_bytes(__m256i sum, __m256i x, __m256i y) noexcept {
    return _mm256_add_epi16(sum, _mm256_maddubs_epi16(x, y));
}
[[nodiscard]] VICINAL_INLINE __m256i widen_short_sums(__m256i sums) noexcept {
    return _mm256_madd_epi16(sums, _mm256_set1_epi16(1));
}
#endif

VICINAL_INLINE void scale_4(tag::avx2, const integer_scale& by, const std::int32_t* sums, float* out) noexcept {
    const __m128i raw = _mm_loadu_si128(reinterpret_cast<const __m128i*>(sums));
    const __m128i whole = _mm_add_epi32(_mm_mullo_epi32(raw, _mm_set1_epi32(by.multiple)),
                                        _mm_set1_epi32(static_cast<std::int32_t>(by.plus)));
    _mm_storeu_ps(out, _mm_add_ps(_mm_mul_ps(_mm_cvtepi32_ps(whole), _mm_set1_ps(by.factor)), _mm_set1_ps(by.offset)));
}

VICINAL_INLINE void weighted_sums_of_bytes_4(tag::avx2, const std::int16_t* q, const std::byte* const* rows,
                                             std::size_t dim, unsigned shift, std::int32_t* out) noexcept {
    __m256i sums[4] = {};
    const __m128i places = _mm_cvtsi32_si128(static_cast<int>(shift));
    for (std::size_t i = 0; i < dim; i += 16) {
        const __m256i query = load_256(q + 2 * i);
        const __m256i weight = load_256(q + 2 * i + 16);
        for (std::size_t row = 0; row < 4; ++row) {
            const __m128i codes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[row] + i));
            const __m256i x = _mm256_mullo_epi16(_mm256_cvtepu8_epi16(codes), weight);
            const __m256i y = _mm256_sub_epi16(x, query);
            sums[row] = _mm256_add_epi32(sums[row], _mm256_srl_epi32(_mm256_madd_epi16(y, y), places));
        }
    }
    sum_integers_4(sums, out);
}

template <integer_sum What>
VICINAL_INLINE void sums_of_bytes_4(tag::avx2, const std::int16_t* q, const std::byte* const* rows, std::size_t dim,
                                    std::int32_t* out) noexcept {
    __m256i sums[4] = {};
    const auto add = [&](std::size_t i, __m256i wanted) VICINAL_LAMBDA_INLINE {
        const __m256i query = load_256(q + i);
        for (std::size_t row = 0; row < 4; ++row) {
            const __m128i codes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[row] + i));
            __m256i x = _mm256_and_si256(_mm256_cvtepu8_epi16(codes), wanted);
            __m256i y = query;
            if constexpr (What == integer_sum::squared_difference) x = y = _mm256_sub_epi16(x, query);
            sums[row] = add_products_of_words(sums[row], x, y);
        }
    };
    std::size_t i = 0;
    for (; i + 16 <= dim; i += 16) add(i, _mm256_set1_epi16(-1));
    if (i < dim) {
        const __m256i number = _mm256_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        add(i, _mm256_cmpgt_epi16(_mm256_set1_epi16(static_cast<short>(dim - i)), number));
    }
    sum_integers_4(sums, out);
}

/// This is what x is multiplied by. Twice 15 * 128 is the most a pair of products comes to, and 2^15 holds eight of
/// those.
template <integer_sum What>
[[nodiscard]] VICINAL_INLINE __m256i nibble_factor(__m256i x, __m256i q) noexcept {
    if constexpr (What == integer_sum::product) return q;
    return _mm256_sub_epi8(_mm256_slli_epi16(x, 2), q);
}

template <integer_sum What>
VICINAL_INLINE void sums_of_nibbles_4(tag::avx2, const std::int8_t* q, const std::byte* const* rows, std::size_t dim,
                                      std::int32_t* out) noexcept {
    __m256i sums[4] = {};
    __m256i short_sums[4];
    const auto add = [&](std::size_t i, __m256i even_wanted, __m256i odd_wanted) VICINAL_LAMBDA_INLINE {
        const __m256i even = load_256(q + i);
        const __m256i odd = load_256(q + i + 32);
        for (std::size_t row = 0; row < 4; ++row) {
            const __m256i pairs = load_256(rows[row] + i / 2);
            const __m256i x = _mm256_and_si256(pairs, even_wanted);
            const __m256i y = _mm256_and_si256(_mm256_srli_epi16(pairs, 4), odd_wanted);
            short_sums[row] = add_products_of_bytes(short_sums[row], x, nibble_factor<What>(x, even));
            short_sums[row] = add_products_of_bytes(short_sums[row], y, nibble_factor<What>(y, odd));
        }
    };
    const __m256i fifteen = _mm256_set1_epi8(15);
    for (std::size_t i = 0; i < dim;) {
        for (__m256i& sum : short_sums) sum = _mm256_setzero_si256();
        const std::size_t end = dim - i < 256 ? dim : i + 256;
        for (; i + 64 <= end; i += 64) add(i, fifteen, fifteen);
        if (i < end) {
            add(i, first_bytes((end - i + 1) / 2, fifteen), first_bytes((end - i) / 2, fifteen));
            i = end;
        }
        for (std::size_t row = 0; row < 4; ++row)
            sums[row] = _mm256_add_epi32(sums[row], widen_short_sums(short_sums[row]));
    }
    sum_integers_4(sums, out);
}

}  // namespace simd::per_isa

VICINAL_NAMESPACE_END

#endif
