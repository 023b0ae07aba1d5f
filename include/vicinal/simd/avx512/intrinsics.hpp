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

namespace simd::per_isa {

template <class V>
[[nodiscard]] VICINAL_INLINE unsigned not_less_lanes(tag::avx512, const V& a, const V& b) noexcept {
    return _mm512_cmp_ps_mask(a, b, _CMP_NLT_UQ);
}

/// Squares of 16 x 16 would take every register there is.
VICINAL_INLINE std::size_t transpose_whole(tag::avx512, const float* const* vectors, std::size_t dim,
                                           float* out) noexcept {
    return transpose_squares<8, 32>(vectors, dim, out,
                                    [](auto... square) VICINAL_LAMBDA_INLINE { transpose_8x8(square...); });
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
