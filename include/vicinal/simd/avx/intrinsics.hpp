// SPDX-License-Identifier: MIT
// simd/intrinsics.hpp for vectors of 256 bits, by instructions that AVX has; without AVX2 there are none on integers.
#pragma once

#include "vicinal/core/target.hpp"

#if defined(VICINAL_HAS_AVX)

#include <immintrin.h>

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for uint16_t, uint32_t
#include <cstring>  // for memcpy

#include "vicinal/simd/generic/intrinsics.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd::per_isa {

template <class V>
VICINAL_INLINE void sum_lanes_4(tag::avx, const V& a, const V& b, const V& c, const V& d, float* out) noexcept {
    const __m256 ab = _mm256_hadd_ps(a, b);
    const __m256 cd = _mm256_hadd_ps(c, d);
    const __m256 abcd = _mm256_hadd_ps(ab, cd);
    _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(abcd), _mm256_extractf128_ps(abcd, 1)));
}

template <class V>
[[nodiscard]] VICINAL_INLINE unsigned not_less_lanes(tag::avx, const V& a, const V& b) noexcept {
    return static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_NLT_UQ)));
}

[[nodiscard]] VICINAL_INLINE std::uint32_t not_above_32(tag::avx, const float* values, float limit) noexcept {
    std::uint32_t mask = 0;
    const __m256 most = _mm256_set1_ps(limit);
    for (unsigned i = 0; i < 4; ++i)
        mask |= static_cast<std::uint32_t>(
                    _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(values + 8 * i), most, _CMP_NGT_UQ)))
                << (8 * i);
    return mask;
}

/// Writes components [i, i + 8) of eight vectors component by component: the eight of component i + j go to
/// out + j * stride.
VICINAL_INLINE void transpose_8x8(const float* const* vectors, std::size_t i, float* out, std::size_t stride) noexcept {
    __m256 pairs[8];
    for (std::size_t v = 0; v < 8; v += 2) {
        const __m256 even = _mm256_loadu_ps(vectors[v] + i);
        const __m256 odd = _mm256_loadu_ps(vectors[v + 1] + i);
        pairs[v] = _mm256_unpacklo_ps(even, odd);      // components 0 and 1, 4 and 5
        pairs[v + 1] = _mm256_unpackhi_ps(even, odd);  // components 2 and 3, 6 and 7
    }
    __m256 fours[8];  // component j of vectors 0 to 3, 4 to 7 in fours[j + 4]; the upper half is component j + 4
    for (std::size_t half = 0; half < 8; half += 4) {
        fours[half] = _mm256_shuffle_ps(pairs[half], pairs[half + 2], 0x44);
        fours[half + 1] = _mm256_shuffle_ps(pairs[half], pairs[half + 2], 0xEE);
        fours[half + 2] = _mm256_shuffle_ps(pairs[half + 1], pairs[half + 3], 0x44);
        fours[half + 3] = _mm256_shuffle_ps(pairs[half + 1], pairs[half + 3], 0xEE);
    }
    for (std::size_t j = 0; j < 4; ++j) {
        _mm256_storeu_ps(out + j * stride, _mm256_permute2f128_ps(fours[j], fours[j + 4], 0x20));
        _mm256_storeu_ps(out + (j + 4) * stride, _mm256_permute2f128_ps(fours[j], fours[j + 4], 0x31));
    }
}

VICINAL_INLINE std::size_t transpose_whole(tag::avx, const float* const* vectors, std::size_t dim,
                                           float* out) noexcept {
    return transpose_squares<8, 16>(vectors, dim, out,
                                    [](auto... square) VICINAL_LAMBDA_INLINE { transpose_8x8(square...); });
}

/// Four loads are no slower than a gather.
template <class V>
[[nodiscard]] VICINAL_INLINE V look_up_pairs(tag::avx, const float* codebook, const std::byte* codes,
                                             std::size_t i) noexcept {
    std::uint16_t four;
    std::memcpy(&four, codes + i / 4, sizeof four);
    const auto at = [from = codebook + i * 16](unsigned which) VICINAL_LAMBDA_INLINE { return from + 2 * which; };
    const auto two = [](const float* first, const float* second) VICINAL_LAMBDA_INLINE {
        const __m128i low = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(first));
        return _mm_loadh_pi(_mm_castsi128_ps(low), reinterpret_cast<const __m64*>(second));
    };
    const __m128 lower = two(at(four & 15U), at(16 + (four >> 4 & 15U)));
    const __m128 upper = two(at(32 + (four >> 8 & 15U)), at(48 + (four >> 12U)));
    return V(_mm256_insertf128_ps(_mm256_castps128_ps256(lower), upper, 1));
}

#if defined(VICINAL_HAS_F16C)
template <class V>
[[nodiscard]] VICINAL_INLINE V widen_f16(tag::avx, const std::byte* p) noexcept {
    return V(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
#endif

#if defined(VICINAL_GNU)
template <class V>
VICINAL_INLINE void keep_in_register(tag::avx, V& v) noexcept {
    asm("" : "+x"(v.data));
}
#endif

/// xsimd's zip of 256 bits interleaves each half alone in some releases.
template <class V>
VICINAL_INLINE void store_interleaved(tag::avx, const V& a, const V& b, float* out) noexcept {
    const __m256 low = _mm256_unpacklo_ps(a, b);
    const __m256 high = _mm256_unpackhi_ps(a, b);
    _mm256_storeu_ps(out, _mm256_permute2f128_ps(low, high, 0x20));
    _mm256_storeu_ps(out + 8, _mm256_permute2f128_ps(low, high, 0x31));
}

}  // namespace simd::per_isa

VICINAL_NAMESPACE_END

#endif
