// SPDX-License-Identifier: MIT
// Tiles compare many queries with many rows: dot products that live in registers and end in a comparison.
//
// A vector holds one component of several queries, so queries are packed component by component into a panel; rows stay
// as they lie, and one component of a row is broadcast. A tile of 2 vectors of queries x 6 rows has 12 running sums,
// enough to keep two multiply-add units busy, and asks for 8 loads with 12 of them; where there are 32 registers, tiles
// have 12 rows. (The register blocking is that of Goto and van de Geijn, "Anatomy of High-Performance Matrix
// Multiplication", 2008.) A panel of no more queries than a vector has lanes is one vector wide. Products are never
// written out: a tile's end compares them with what each pair must reach, and notes the few that do.
#pragma once

#include <cstddef>  // for size_t
#include <cstdint>  // for uint16_t
#include <utility>  // for index_sequence

#include "vicinal/core/math.hpp"
#include "vicinal/simd/intrinsics.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

namespace detail {

/// Takes the dot products of Vectors vectors of queries with sizeof...(Row) rows, each summed in the order of the
/// components: those of row r with vector v go to products[r * Vectors + v].
template <class V, std::size_t Width, std::size_t Vectors, std::size_t... Row>
VICINAL_INLINE void tile_products(const float* panel, std::size_t dim, const float* const* rows, V* products,
                                  std::index_sequence<Row...>) noexcept {
    V a[sizeof...(Row)] = {((void)Row, V(0.0F))...};
    V b[sizeof...(Row)] = {((void)Row, V(0.0F))...};
    const float* const at[sizeof...(Row)] = {rows[Row]...};
    const auto step = [&](std::size_t i, const float* q) VICINAL_LAMBDA_INLINE {
        V q0 = load<V>(q);
        V q1 = load<V>(q + (Vectors - 1) * Width);
        keep_in_register(q0);  // GCC 12 would read them from memory for every row
        keep_in_register(q1);
        (
            [&]() VICINAL_LAMBDA_INLINE {
                const V x(at[Row][i]);
                a[Row] = mul_add(q0, x, a[Row]);
                if constexpr (Vectors == 2) b[Row] = mul_add(q1, x, b[Row]);
            }(),
            ...);
    };
    constexpr std::size_t pitch = Vectors * Width;
    std::size_t i = 0;
    for (; i + 2 <= dim; i += 2, panel += 2 * pitch)
        for (std::size_t j = 0; j < 2; ++j) step(i + j, panel + j * pitch);
    for (; i < dim; ++i, panel += pitch) step(i, panel);
    ((products[Row * Vectors] = a[Row]), ...);
    if constexpr (Vectors == 2) ((products[Row * Vectors + 1] = b[Row]), ...);
}

}  // namespace detail

/// So many rows are whole tiles, and one call of `collect` takes so many at most, on any machine.
inline constexpr std::size_t tile_rows = 12;
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
    static constexpr std::size_t queries = 2 * width;  ///< of a panel, at most
    static constexpr std::size_t most_rows = tile_most_rows;
    using reached = tile_hits<queries>;

    /// How many queries a panel of `count` has room for, 1 <= count <= queries.
    [[nodiscard]] static constexpr std::size_t room(std::size_t count) noexcept {
        return count <= width ? width : queries;
    }
    /// Packs `count` queries of dim floats, 1 <= count <= queries, into a panel of dim * room(count) floats; in the
    /// place of those missing stands the first.
    static void pack(const float* const* query, std::size_t count, std::size_t dim, float* panel) noexcept {
        const float* at[queries];
        for (std::size_t q = 0; q < queries; ++q) at[q] = query[q < count ? q : 0];
        const std::size_t pitch = room(count);
        std::size_t i = pitch == queries ? transpose_whole<V>(at, dim, panel) : 0;
        for (; i < dim; ++i)
            for (std::size_t q = 0; q < pitch; ++q) panel[i * pitch + q] = at[q][i];
    }

    /// Notes every pair whose dot product p is not below what it must reach:
    ///     !(p < least[query] + slope[query] * term[row])
    /// so that NaN on either side counts as reached. least and slope have `queries` elements.
    /// size   how many queries were packed
    /// rows   `count` <= most_rows addresses of dim floats each
    /// error  of p: at most dim * 2^-24 / (1 - dim * 2^-24) times the sum of absolute products
    static void collect(const float* panel, std::size_t size, std::size_t dim, const float* const* row_at,
                        std::size_t count, const float* least, const float* slope, const float* term,
                        reached& out) noexcept {
        collect(panel, size, dim, row_at, count, least, slope, term, out.count, out.row);
    }
    /// The same, into `queries` counts and lists.
    static VICINAL_INLINE void collect(const float* panel, std::size_t size, std::size_t dim,
                                       const float* const* row_at, std::size_t count, const float* least,
                                       const float* slope, const float* term, std::uint16_t* counts,
                                       std::uint16_t (*lists)[most_rows]) noexcept {
        for (std::size_t q = 0; q < queries; ++q) counts[q] = 0;
        if (room(size) == queries)
            collect_by<2>(panel, dim, row_at, count, least, slope, term, counts, lists);
        else
            collect_by<1>(panel, dim, row_at, count, least, slope, term, counts, lists);
    }

  private:
    template <std::size_t Vectors>
    static VICINAL_INLINE void collect_by(const float* panel, std::size_t dim, const float* const* row_at,
                                          std::size_t count, const float* least, const float* slope, const float* term,
                                          std::uint16_t* counts, std::uint16_t (*lists)[most_rows]) noexcept {
        constexpr std::size_t rows = has_32_registers<Isa> ? 12 : 12 / Vectors;
        static_assert(tile_rows % rows == 0);
        for (std::size_t r = 0; r < count; r += rows) {
            const std::size_t n = count - r < rows ? count - r : rows;
            const float* at[rows];
            for (std::size_t j = 0; j < rows; ++j) at[j] = row_at[r + (j < n ? j : n - 1)];
            V products[rows * Vectors];
            detail::tile_products<V, width, Vectors>(panel, dim, at, products, std::make_index_sequence<rows>{});
            for (std::size_t v = 0; v < Vectors; ++v) {
                const V least_of = load<V>(least + v * width);
                const V slope_of = load<V>(slope + v * width);
                for (std::size_t j = 0; j < n; ++j) {
                    unsigned bits =
                        not_less_lanes(products[j * Vectors + v], mul_add(slope_of, V(term[r + j]), least_of));
                    for (; bits != 0; bits &= bits - 1) {
                        const auto q = v * width + std::size_t{vicinal::detail::lowest_bit(bits)};
                        lists[q][counts[q]++] = static_cast<std::uint16_t>(r + j);
                    }
                }
            }
        }
    }
};

}  // namespace simd

VICINAL_NAMESPACE_END
