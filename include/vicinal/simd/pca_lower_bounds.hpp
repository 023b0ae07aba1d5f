// SPDX-License-Identifier: MIT
// Bounds the distances of one query to 32 rows of codes from below, by the products of its codes and the rows' factors.
#pragma once

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int32_t

#include "vicinal/simd/avx2/pca_lower_bounds.hpp"
#include "vicinal/simd/generic/pca_lower_bounds.hpp"
#include "vicinal/simd/integer_scan.hpp"
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

/// Where rows keep their codes, and what bounds are made of: the query's weights as integer_scan has them, and terms.
struct pca_query {
    std::size_t factors_size = 0;  ///< the bytes before a row's codes
    const std::int16_t* weights = nullptr;
    std::size_t width = 0;  ///< codes of a row
    std::int32_t zero = 0;  ///< 128 times the sum of the weights, as codes are 128 more than they mean
    pca_bound_terms terms{};
};

/// Bounds any number of rows, `stride` bytes apart, into out, which has places for whole 32.
template <class Isa, bool Products>
VICINAL_INLINE void pca_bounds(const std::byte* first, std::size_t stride, std::size_t count, const pca_query& query,
                               float lowest, float* out, scan_ahead ahead = {}) noexcept {
    constexpr std::size_t together = 32;
    const pca_query by = query;  // out cannot overlap a local
    for (std::size_t r = 0; r < count; r += together) {
        const std::byte* const rows = first + r * stride;
        const std::size_t n = count - r < together ? count - r : together;
        alignas(32) std::int32_t sums[together];
        byte_products<Isa>(by.weights, by.width, by.zero, rows + by.factors_size, stride, n, sums, ahead);
        pca_lower_bounds<Isa, Products>(rows, stride, n, sums, by.terms, lowest, out + r);
    }
}

}  // namespace simd

VICINAL_NAMESPACE_END
