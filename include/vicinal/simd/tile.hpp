// SPDX-License-Identifier: MIT
// Tiles compare many queries with many rows: dot products that live in registers and end in a comparison.
//
// A vector holds one component of several queries, so queries are packed component by component into a panel; rows stay
// as they lie, and one component of a row is broadcast. A tile of 2 vectors of queries x 6 rows has 12 running sums,
// enough to keep two multiply-add units busy, and asks for 8 loads with 12 of them. (The register blocking is that of
// Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008.) Products are never written out: a
// tile's end compares them with what each pair must reach, and notes the few that do.
#pragma once

#include <cstddef>  // for size_t
#include <cstdint>  // for uint16_t
#include <utility>  // for index_sequence

#include "vicinal/core/math.hpp"
#include "vicinal/simd/intrinsics.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

namespace detail {

/// Takes the dot products of two vectors of queries with sizeof...(Row) rows, each summed in the order of the
/// components.
template <class V, std::size_t Width, std::size_t... Row>
VICINAL_INLINE void tile_products(const float* panel, std::size_t dim, const float* const* rows, V* first, V* second,
                                  std::index_sequence<Row...>) noexcept {
    V a[sizeof...(Row)] = {((void)Row, V(0.0F))...};
    V b[sizeof...(Row)] = {((void)Row, V(0.0F))...};
    const float* const at[sizeof...(Row)] = {rows[Row]...};
    const auto step = [&](std::size_t i, const float* q) VICINAL_LAMBDA_INLINE {
        V q0 = load<V>(q);
        V q1 = load<V>(q + Width);
        keep_in_register(q0);  // GCC 12 would read them from memory for every row
        keep_in_register(q1);
        (
            [&]() VICINAL_LAMBDA_INLINE {
                const V x(at[Row][i]);
                a[Row] = mul_add(q0, x, a[Row]);
                b[Row] = mul_add(q1, x, b[Row]);
            }(),
            ...);
    };
    std::size_t i = 0;
    for (; i + 2 <= dim; i += 2, panel += 4 * Width)
        for (std::size_t j = 0; j < 2; ++j) step(i + j, panel + 2 * j * Width);
    for (; i < dim; ++i, panel += 2 * Width) step(i, panel);
    ((first[Row] = a[Row], second[Row] = b[Row]), ...);
}

}  // namespace detail

/// How many rows a tile has, and one call of `collect` takes at most, on any machine.
inline constexpr std::size_t tile_rows = 6;
inline constexpr std::size_t tile_most_rows = 192;

/// For each query of a panel of up to `Queries`, the rows that reached what they must, in ascending order.
template <std::size_t Queries>
struct tile_hits {
    std::uint16_t count[Queries];
    std::uint16_t row[Queries][tile_most_rows];
};

/// Holds the shape of an instruction set's tiles, and what they do.
template <class Isa>
struct tile {
    using V = lanes<Isa>;
    static constexpr std::size_t width = lane_count<Isa>;
    static constexpr std::size_t queries = 2 * width;  ///< of a panel
    static constexpr std::size_t rows = tile_rows;
    static constexpr std::size_t most_rows = tile_most_rows;
    using reached = tile_hits<queries>;

    /// Packs `count` queries of dim floats, 1 <= count <= queries, into a panel of dim * queries floats; in the place
    /// of those missing stands the first.
    static void pack(const float* const* query, std::size_t count, std::size_t dim, float* panel) noexcept {
        const float* at[queries];
        for (std::size_t q = 0; q < queries; ++q) at[q] = query[q < count ? q : 0];
        std::size_t i = transpose_whole<V>(at, dim, panel);
        for (; i < dim; ++i)
            for (std::size_t q = 0; q < queries; ++q) panel[i * queries + q] = at[q][i];
    }

    /// Notes every pair whose dot product p is not below what it must reach:
    ///     !(p < least[query] + slope[query] * term[row])
    /// so that NaN on either side counts as reached. least and slope have `queries` elements.
    /// rows   `count` <= most_rows addresses of dim floats each
    /// error  of p: at most dim * 2^-24 / (1 - dim * 2^-24) times the sum of absolute products
    static void collect(const float* panel, std::size_t dim, const float* const* row_at, std::size_t count,
                        const float* least, const float* slope, const float* term, reached& out) noexcept {
        collect(panel, dim, row_at, count, least, slope, term, out.count, out.row);
    }
    /// The same, into `queries` counts and lists.
    static VICINAL_INLINE void collect(const float* panel, std::size_t dim, const float* const* row_at,
                                       std::size_t count, const float* least, const float* slope, const float* term,
                                       std::uint16_t* counts, std::uint16_t (*lists)[most_rows]) noexcept {
        for (std::size_t q = 0; q < queries; ++q) counts[q] = 0;
        for (std::size_t r = 0; r < count; r += rows) {
            const std::size_t n = count - r < rows ? count - r : rows;
            const float* at[rows];
            for (std::size_t j = 0; j < rows; ++j) at[j] = row_at[r + (j < n ? j : n - 1)];
            V first[rows];
            V second[rows];
            detail::tile_products<V, width>(panel, dim, at, first, second, std::make_index_sequence<rows>{});
            const V least0 = load<V>(least);
            const V least1 = load<V>(least + width);
            const V slope0 = load<V>(slope);
            const V slope1 = load<V>(slope + width);
            for (std::size_t j = 0; j < n; ++j) {
                const V x(term[r + j]);
                unsigned bits = not_less_lanes(first[j], mul_add(slope0, x, least0)) |
                                not_less_lanes(second[j], mul_add(slope1, x, least1)) << width;
                for (; bits != 0; bits &= bits - 1) {
                    const auto q = std::size_t{vicinal::detail::lowest_bit(bits)};
                    lists[q][counts[q]++] = static_cast<std::uint16_t>(r + j);
                }
            }
        }
    }
};

}  // namespace simd

VICINAL_NAMESPACE_END
