// SPDX-License-Identifier: MIT
// Bounds of rows by their factors, of simd/fast_scan.hpp and simd/pca_lower_bounds.hpp, on SSE2.
#pragma once

#include "vicinal/core/target.hpp"
#include "vicinal/simd/isa.hpp"

#if defined(VICINAL_HAS_SSE2) && !defined(VICINAL_ONLY_SCALAR)

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int32_t

#include "vicinal/simd/generic/bounds_by_4.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd::per_isa {

template <bool Squares>
VICINAL_INLINE void factor_bounds(tag::x86, const std::byte* factors, std::size_t stride, std::size_t count,
                                  const float* sums, const factor_terms& terms, float* out) noexcept {
    factor_bounds_by_4<xsimd::batch<float, xsimd::sse2>, Squares>(factors, stride, count, sums, terms, out);
}

template <bool Products>
VICINAL_INLINE void pca_lower_bounds(tag::x86, const std::byte* factors, std::size_t stride, std::size_t count,
                                     const std::int32_t* products, const pca_bound_terms& terms, float lowest,
                                     float* out) noexcept {
    pca_lower_bounds_by_4<xsimd::batch<float, xsimd::sse2>, Products>(factors, stride, count, products, terms, lowest,
                                                                      out);
}

}  // namespace simd::per_isa

VICINAL_NAMESPACE_END

#endif
