// SPDX-License-Identifier: MIT
// simd/pca_lower_bounds.hpp in plain C++, and what its bounds are made of.
#pragma once

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int32_t

#include "vicinal/core/little_endian.hpp"
#include "vicinal/core/math.hpp"
#include "vicinal/simd/isa.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

/// A row's factors are four floats: squares, rest, error, length. With p its product,
///     d = sqrt(max(0, base + squares - scale p - along rest)) - error
/// is a lower bound of its distance from the query. For inner products,
///     max(0, d - off)^2 - length
/// is a lower bound of -2 <q, x>, up to constants.
struct pca_bound_terms {
    float base = 0;
    float scale = 0;
    float along = 0;
    float off = 0;
};

namespace per_isa {

template <bool Products>
VICINAL_INLINE void pca_lower_bounds(tag::generic, const std::byte* factors, std::size_t stride, std::size_t count,
                                     const std::int32_t* products, const pca_bound_terms& terms, float lowest,
                                     float* out) noexcept {
    for (std::size_t r = 0; r < count; ++r) {
        float row[4];
        for (std::size_t i = 0; i < 4; ++i) row[i] = vicinal::detail::load_le<float>(factors + r * stride + 4 * i);
        float square = terms.base + row[0];
        square = square - terms.scale * static_cast<float>(products[r]);
        square = square - terms.along * row[1];
        float d = (square > 0 ? vicinal::detail::square_root(square) : 0.0F) - row[2];
        if constexpr (Products) {
            const float within = d - terms.off > 0 ? d - terms.off : 0.0F;
            d = within * within - row[3];
        }
        out[r] = d > lowest ? d : lowest;
    }
}

}  // namespace per_isa

}  // namespace simd

VICINAL_NAMESPACE_END
