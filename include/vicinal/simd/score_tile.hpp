// SPDX-License-Identifier: MIT
// A score tile writes what simd/tile.hpp only compares: for a panel of rows and a few centroids, |c|^2 / 2 - x.c of
// each pair, which orders the centroids of a row, and the least of each row.
//
// The rows to be assigned are the panel, one to a lane, so all that is asked of a row next is asked of a whole vector
// of them.
#pragma once

#include <cstddef>  // for size_t
#include <cstdint>  // for uint16_t
#include <limits>   // for numeric_limits
#include <utility>  // for make_index_sequence

#include "vicinal/core/math.hpp"
#include "vicinal/simd/tile.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

/// Holds the steps from rows to scores. Panels are those of tile<Isa>: `pitch` is their room, scores of a centroid
/// stand beside each other, `pitch` of them.
template <class Isa>
struct score_tile {
    using V = lanes<Isa>;
    static constexpr std::size_t width = lane_count<Isa>;
    static constexpr std::size_t queries = tile<Isa>::queries;
    static constexpr std::size_t most_centroids = 64;

    /// Lists, for each row of a panel, those of up to most_centroids centroids that came no higher than a limit.
    struct hits {
        std::uint16_t count[queries];
        std::uint16_t centroid[queries][most_centroids];
    };

    /// Subtracts `mean` from every row of a panel and writes their squared norms, `pitch` of them. The relative error
    /// of a norm squared is at most dim * 2^-24 / (1 - dim * 2^-24).
    static void move(float* panel, std::size_t pitch, std::size_t dim, const float* mean, float* squares) noexcept {
        for (std::size_t v = 0; v < pitch; v += width) {
            V sum(0.0F);
            for (std::size_t i = 0; i < dim; ++i) {
                const V moved = load<V>(panel + i * pitch + v) - V(mean[i]);
                store(moved, panel + i * pitch + v);
                sum = mul_add(moved, moved, sum);
            }
            store(sum, squares + v);
        }
    }

    /// Writes half_norm[c] - p, p being the dot product of a row with centroid c, to scores[c * pitch + row], and the
    /// least of each row to `least`.
    /// centroids  `count` >= 1 of dim floats, side by side
    /// error      of p: as tile::collect has it; then the subtraction rounds once
    static void write(const float* panel, std::size_t pitch, std::size_t dim, const float* centroids, std::size_t count,
                      const float* half_norm, float* scores, float* least) noexcept {
        if (pitch == queries)
            write_by<2>(panel, dim, centroids, count, half_norm, scores, least);
        else
            write_by<1>(panel, dim, centroids, count, half_norm, scores, least);
    }

    /// Lists the centroids whose score is not above the row's limit, ascending; NaN counts as not above.
    /// count  of centroids, at most most_centroids
    static void list(const float* scores, std::size_t pitch, std::size_t count, const float* limit,
                     hits& out) noexcept {
        for (std::size_t q = 0; q < pitch; ++q) out.count[q] = 0;
        for (std::size_t v = 0; v < pitch; v += width) {
            const V most = load<V>(limit + v);
            for (std::size_t c = 0; c < count; ++c) {
                unsigned bits = not_less_lanes(most, load<V>(scores + c * pitch + v));
                for (; bits != 0; bits &= bits - 1) {
                    const auto q = v + std::size_t{vicinal::detail::lowest_bit(bits)};
                    out.centroid[q][out.count[q]++] = static_cast<std::uint16_t>(c);
                }
            }
        }
    }

  private:
    template <std::size_t Vectors>
    static VICINAL_INLINE void write_by(const float* panel, std::size_t dim, const float* centroids, std::size_t count,
                                        const float* half_norm, float* scores, float* least) noexcept {
        constexpr std::size_t whole = has_32_registers<Isa> ? 12 : 12 / Vectors;
        constexpr std::size_t part = 4;  // of centroids that are no whole tile
        V lowest[Vectors];
        for (std::size_t v = 0; v < Vectors; ++v) lowest[v] = V((std::numeric_limits<float>::max)());
        for (std::size_t c = 0; c < count;) {
            const std::size_t left = count - c;
            const float* const first = centroids + c * dim;
            if (left <= part || left + part <= whole) {
                write_tile<Vectors, part>(panel, dim, first, left, half_norm + c, scores + c * Vectors * width, lowest);
                c += part;
            } else {
                write_tile<Vectors, whole>(panel, dim, first, left, half_norm + c, scores + c * Vectors * width,
                                           lowest);
                c += whole;
            }
        }
        for (std::size_t v = 0; v < Vectors; ++v) store(lowest[v], least + v * width);
    }

    /// Takes the first `left` of Rows centroids; in the place of those missing stands the last.
    template <std::size_t Vectors, std::size_t Rows>
    static VICINAL_INLINE void write_tile(const float* panel, std::size_t dim, const float* centroids, std::size_t left,
                                          const float* half_norm, float* scores, V* lowest) noexcept {
        const std::size_t n = left < Rows ? left : Rows;
        const float* at[Rows];
        for (std::size_t j = 0; j < Rows; ++j) at[j] = centroids + (j < n ? j : n - 1) * dim;
        V products[Rows * Vectors];
        detail::tile_products<V, width, Vectors>(panel, dim, at, products, std::make_index_sequence<Rows>{});
        for (std::size_t j = 0; j < n; ++j)
            for (std::size_t v = 0; v < Vectors; ++v) {
                const V score = V(half_norm[j]) - products[j * Vectors + v];
                lowest[v] = smaller_lanes(lowest[v], score);
                store(score, scores + (j * Vectors + v) * width);
            }
    }
};

}  // namespace simd

VICINAL_NAMESPACE_END
