// SPDX-License-Identifier: MIT
// Bounds the distances of one query to 32 rows of codes from below, by the products of its codes and the rows' factors.
#pragma once

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int32_t

#include "vicinal/simd/avx2/pca_lower_bounds.hpp"
#include "vicinal/simd/generic/pca_lower_bounds.hpp"
#include "vicinal/simd/neon/bounds.hpp"
#include "vicinal/simd/sse2/bounds.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

/// Bounds each row's distance from the query by d of pca_bound_terms, or where `Products` its inner product by the
/// other bound. The first argument is an instruction set or its vector.
/// factors  `count` <= 32 factors, `stride` bytes apart;  products  32 integers, of which `count` are used
/// out      32 floats, of which `count` are set, to at least `lowest`; none is NaN, whatever the factors are
template <class Isa, bool Products>
VICINAL_INLINE void pca_lower_bounds(const std::byte* factors, std::size_t stride, std::size_t count,
                                     const std::int32_t* products, const pca_bound_terms& terms, float lowest,
                                     float* out) noexcept {
    per_isa::pca_lower_bounds<Products>(tag_of<Isa>{}, factors, stride, count, products, terms, lowest, out);
}

}  // namespace simd

VICINAL_NAMESPACE_END
