// SPDX-License-Identifier: MIT
// Bounds of four rows at once by the factors that stand before their codes, on any instruction set of 128 bits.
#pragma once

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int32_t

#include "vicinal/simd/generic/fast_scan.hpp"
#include "vicinal/simd/generic/pca_lower_bounds.hpp"

#if !defined(VICINAL_ONLY_SCALAR)

VICINAL_NAMESPACE_BEGIN

namespace simd::per_isa {

/// Calls bounds(r, f) for r = 0, 4, ... below count, where f holds the four factors of rows r to r + 3 one after the
/// other: f[i], a vector of those numbered i. The last row's stand for those that are missing.
template <class V, class Bounds>
VICINAL_INLINE void for_factors_of_4(const std::byte* factors, std::size_t stride, std::size_t count,
                                     const Bounds& bounds) noexcept {
    const auto row = [&](std::size_t r) VICINAL_LAMBDA_INLINE {
        return load<V>(reinterpret_cast<const float*>(factors + (r < count ? r : count - 1) * stride));
    };
    for (std::size_t r = 0; r < count; r += 4) {
        const V a = row(r), b = row(r + 1), c = row(r + 2), d = row(r + 3);
        const V low_ac = xsimd::zip_lo(a, c), low_bd = xsimd::zip_lo(b, d);
        const V high_ac = xsimd::zip_hi(a, c), high_bd = xsimd::zip_hi(b, d);
        const V f[4] = {xsimd::zip_lo(low_ac, low_bd), xsimd::zip_hi(low_ac, low_bd), xsimd::zip_lo(high_ac, high_bd),
                        xsimd::zip_hi(high_ac, high_bd)};
        bounds(r, f);
    }
}

/// The root of what is positive, else 0: of NaN, too.
template <class V>
[[nodiscard]] VICINAL_INLINE V root_of_positive(const V& x) noexcept {
    return xsimd::select(x > V(0.0F), xsimd::sqrt(x), V(0.0F));
}

template <class V, bool Squares>
VICINAL_INLINE void factor_bounds_by_4(const std::byte* factors, std::size_t stride, std::size_t count,
                                       const float* sums, const factor_terms& terms, float* out) noexcept {
    for_factors_of_4<V>(factors, stride, count, [&](std::size_t r, const V* f) VICINAL_LAMBDA_INLINE {
        const V off = root_of_positive(V(V(terms.width) * (f[1] * f[1]) - f[2]));
        const V least = V(terms.base) - V(terms.slack) * off;
        const V product = f[1] * load<V>(sums + r);
        store(Squares ? V(least + (f[2] - (product + product))) : V((least - f[3]) - product), out + r);
    });
}

template <class V, bool Products>
VICINAL_INLINE void pca_lower_bounds_by_4(const std::byte* factors, std::size_t stride, std::size_t count,
                                          const std::int32_t* products, const pca_bound_terms& terms, float lowest,
                                          float* out) noexcept {
    using integers = xsimd::batch<std::int32_t, typename V::arch_type>;
    for_factors_of_4<V>(factors, stride, count, [&](std::size_t r, const V* f) VICINAL_LAMBDA_INLINE {
        V square = V(terms.base) + f[0];
        square = square - V(terms.scale) * xsimd::to_float(integers::load_unaligned(products + r));
        square = square - V(terms.along) * f[1];
        V d = root_of_positive(square) - f[2];
        if constexpr (Products) {
            const V within = d - V(terms.off);
            const V size = xsimd::select(within > V(0.0F), within, V(0.0F));
            d = size * size - f[3];
        }
        store(V(xsimd::select(d > V(lowest), d, V(lowest))), out + r);
    });
}

}  // namespace simd::per_isa

VICINAL_NAMESPACE_END

#endif
