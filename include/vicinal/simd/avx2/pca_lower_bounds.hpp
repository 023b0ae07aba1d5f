// SPDX-License-Identifier: MIT
// simd/pca_lower_bounds.hpp on AVX2.
#pragma once

#include "vicinal/core/target.hpp"

#if defined(VICINAL_HAS_AVX2)

#include <immintrin.h>

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int32_t

#include "vicinal/simd/avx2/row_factors.hpp"
#include "vicinal/simd/generic/pca_lower_bounds.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd::per_isa {

template <bool Products>
VICINAL_INLINE void pca_lower_bounds(tag::avx2, const std::byte* factors, std::size_t stride, std::size_t count,
                                     const std::int32_t* products, const pca_bound_terms& terms, float lowest,
                                     float* out) noexcept {
    const __m256 zero = _mm256_setzero_ps();
    const row_factors all(factors, stride, count);
    for (std::size_t r = 0; r < count; r += 8) {
        const auto [squares, rest, error, length] = all[r].number;
        const __m256 product = _mm256_cvtepi32_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(products + r)));
        __m256 square = _mm256_add_ps(_mm256_set1_ps(terms.base), squares);
        square = _mm256_sub_ps(square, _mm256_mul_ps(_mm256_set1_ps(terms.scale), product));
        square = _mm256_sub_ps(square, _mm256_mul_ps(_mm256_set1_ps(terms.along), rest));
        __m256 d = _mm256_sub_ps(_mm256_sqrt_ps(_mm256_max_ps(square, zero)), error);
        if constexpr (Products) {
            const __m256 within = _mm256_max_ps(_mm256_sub_ps(d, _mm256_set1_ps(terms.off)), zero);
            d = _mm256_sub_ps(_mm256_mul_ps(within, within), length);
        }
        _mm256_storeu_ps(out + r, _mm256_max_ps(d, _mm256_set1_ps(lowest)));  // NaN becomes lowest
    }
}

}  // namespace simd::per_isa

VICINAL_NAMESPACE_END

#endif
