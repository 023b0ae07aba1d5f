// SPDX-License-Identifier: MIT
// Projects a vector onto directions, 32 at a time: where pca8 spends its time with queries.
#pragma once

#include <cstddef>  // for size_t

#include "vicinal/core/math.hpp"
#include "vicinal/simd/compat.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

/// So many directions are looked at together, and so many components are added up in single precision.
inline constexpr std::size_t projection_tile = 32;
inline constexpr std::size_t projection_block = 32;

/// Writes the coordinates of `relative`, dim floats, along 32 directions. Sums of 32 products are taken in single
/// precision, the rest in double.
/// directions  32 of them, component by component
template <class Isa>
VICINAL_INLINE void project_tile(const float* relative, const float* directions, std::size_t dim,
                                 double* out) noexcept {
    using V = lanes<Isa>;
    constexpr std::size_t width = lane_count<Isa>;
    constexpr std::size_t vectors = projection_tile / width;
    for (std::size_t j = 0; j < projection_tile; ++j) out[j] = 0;
    for (std::size_t first = 0; first < dim; first += projection_block) {
        const std::size_t end = dim - first < projection_block ? dim : first + projection_block;
        V sums[vectors];
        for (V& sum : sums) sum = V(0.0F);
        for (std::size_t i = first; i < end; ++i)
            for (std::size_t v = 0; v < vectors; ++v)
                sums[v] = mul_add(V(relative[i]), load<V>(directions + i * projection_tile + v * width), sums[v]);
        for (std::size_t v = 0; v < vectors; ++v) {
            alignas(64) float values[width];
            store(sums[v], values);
            for (std::size_t j = 0; j < width; ++j) out[v * width + j] += double{values[j]};
        }
    }
}

}  // namespace simd

VICINAL_NAMESPACE_END
