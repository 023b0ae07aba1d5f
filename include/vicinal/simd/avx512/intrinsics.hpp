// SPDX-License-Identifier: MIT
// simd/intrinsics.hpp for vectors of 512 bits.
#pragma once

#include "vicinal/core/target.hpp"

#if defined(VICINAL_HAS_AVX512_V4)

#include <immintrin.h>

#include <cstddef>  // for size_t, byte

#include "vicinal/simd/avx/intrinsics.hpp"
#include "vicinal/simd/generic/intrinsics.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

/// Rounds once. xsimd 8.1 has no fma of 512 bits, and multiplies and adds in two steps; unqualified calls find this one
/// beside it, as mul_add makes.
[[nodiscard]] VICINAL_INLINE lanes<avx512_isa> fma(const lanes<avx512_isa>& a, const lanes<avx512_isa>& b,
                                                   const lanes<avx512_isa>& c) noexcept {
    return _mm512_fmadd_ps(a, b, c);
}

}  // namespace simd

namespace simd::per_isa {

template <class V>
[[nodiscard]] VICINAL_INLINE unsigned not_less_lanes(tag::avx512, const V& a, const V& b) noexcept {
    return _mm512_cmp_ps_mask(a, b, _CMP_NLT_UQ);
}

/// GCC 12 warns of what _mm512_min_ps leaves undefined; with a mask of ones it is the same instruction.
template <class V>
[[nodiscard]] VICINAL_INLINE V smaller_lanes(tag::avx512, const V& a, const V& b) noexcept {
    return V(_mm512_maskz_min_ps(0xFFFF, a, b));
}

/// Squares of 16 x 16 would take every register there is.
VICINAL_INLINE std::size_t transpose_whole(tag::avx512, const float* const* vectors, std::size_t dim,
                                           float* out) noexcept {
    return transpose_squares<8, 32>(vectors, dim, out,
                                    [](auto... square) VICINAL_LAMBDA_INLINE { transpose_8x8(square...); });
}

template <class V>
[[nodiscard]] VICINAL_INLINE V widen_bf16(tag::avx512, const std::byte* p) noexcept {
    const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    return V(_mm512_castsi512_ps(_mm512_slli_epi32(wide, 16)));
}

template <class Half, class V>
[[nodiscard]] VICINAL_INLINE Half lower_half(tag::avx512, const V& v) noexcept {
    return Half(_mm512_castps512_ps256(v));
}

template <class Half, class V>
[[nodiscard]] VICINAL_INLINE Half upper_half(tag::avx512, const V& v) noexcept {
    return Half(_mm512_extractf32x8_ps(v, 1));
}

#if defined(VICINAL_GNU)
template <class V>
VICINAL_INLINE void keep_in_register(tag::avx512, V& v) noexcept {
    asm("" : "+v"(v.data));
}
#endif

}  // namespace simd::per_isa

VICINAL_NAMESPACE_END

#endif
