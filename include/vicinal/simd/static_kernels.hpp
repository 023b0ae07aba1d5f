// SPDX-License-Identifier: MIT
// The kernels of one instruction set, behind one type.
#pragma once

#include <cstddef>      // for size_t, byte
#include <cstdint>      // for int16_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t
#include <type_traits>  // for conditional_t

#include "vicinal/concepts.hpp"
#include "vicinal/core/row_table.hpp"
#include "vicinal/core/types.hpp"
#include "vicinal/simd/bit_counts.hpp"
#include "vicinal/simd/fast_scan.hpp"
#include "vicinal/simd/integer.hpp"
#include "vicinal/simd/integer_query.hpp"
#include "vicinal/simd/integer_scan.hpp"
#include "vicinal/simd/intrinsics.hpp"
#include "vicinal/simd/pca_lower_bounds.hpp"
#include "vicinal/simd/projection.hpp"
#include "vicinal/simd/rotation.hpp"
#include "vicinal/simd/row_loops.hpp"
#include "vicinal/simd/scan_ahead.hpp"
#include "vicinal/simd/tile.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

using vicinal::detail::row_table;

/// Whether rows of a codec that lie one after the other are scored side by side. Affine codes are, as they take longer
/// to decode than to read.
template <class Codec>
inline constexpr bool decodes_slowly = affine_codec<Codec>;

/// Holds the kernels of one instruction set, chosen at compile time. It is the last template parameter of every index,
/// so that hot code compiled under two sets of flags keeps two names. simd/kernel_policy.hpp lists what is asked of it,
/// and of anything that stands in its place; most is a kernel of another header of simd/, which says what it does.
template <class Isa = native_isa>
struct static_kernels {
    using isa = Isa;

    /// The kernels for a pair: these where it takes their vectors, else the same by single floats.
    template <class Metric, class Codec>
    using of_pair = std::conditional_t<vector_metric<Metric, lanes<Isa>> && vector_codec<Codec, lanes<Isa>>,
                                       static_kernels, static_kernels<scalar_isa>>;

    // ---- floats

    /// Writes the distances of `query` to the rows named by `slots`, which may lie anywhere. The query is readable to
    /// `over_read` bytes past its end.
    template <class Metric, class Codec>
    static void score_list(const Metric& metric, const Codec& codec, const float* query, std::size_t dim,
                           const row_table& rows, const vicinal::detail::slot_t* slots, std::size_t count,
                           float* out) noexcept {
        using wide = detail::list_lanes<Isa, Metric, Codec>;
        detail::in_fours<true>(
            count, codec.code_size(), rows.lines_ahead,
            [&](std::size_t i) VICINAL_LAMBDA_INLINE { return rows[slots[i]]; }, out,
            [&](const std::byte* const* four, float* distances) VICINAL_LAMBDA_INLINE {
                detail::score_4<lanes<Isa>, lane_count<Isa>, wide>(metric, codec, query, dim, four, distances);
            });
    }

    /// Writes the distances of `query` to `count` rows `stride` bytes apart. Slow codecs do not ask ahead.
    template <class Metric, class Codec>
    static void score_block(const Metric& metric, const Codec& codec, const float* query, std::size_t dim,
                            const std::byte* first, std::size_t stride, std::size_t count, float* out,
                            scan_ahead ahead = {}) noexcept {
        if constexpr (decodes_slowly<Codec>) {
            using V = lanes<Isa>;
            detail::in_fours<false>(
                count, 0, 0, [&](std::size_t i) VICINAL_LAMBDA_INLINE { return detail::row_at(first, stride, i); }, out,
                [&](const std::byte* const* rows, float* distances) VICINAL_LAMBDA_INLINE {
                    detail::score_4<V, lane_count<Isa>, V>(metric, codec, query, dim, rows, distances);
                });
        } else {
            ahead.go_along(count, [&](const auto& along) VICINAL_LAMBDA_INLINE {
                detail::score_in_turn<Isa>(metric, codec, query, dim, first, stride, count, along, out);
            });
        }
    }

    /// Writes the floats a row's code stands for, as `load` gives them to the other kernels. `out` has room for dim
    /// rounded up to whole vectors.
    template <class Codec>
    static void decode(const Codec& codec, const std::byte* row, std::size_t dim, float* out) noexcept {
        using V = lanes<Isa>;
        for (std::size_t i = 0; i < dim; i += lane_count<Isa>) store(codec.template load<V>(row, i), out + i);
    }

    // ---- walks of graphs in integers: simd/integer.hpp, simd/integer_query.hpp

    template <unsigned Bits>
    using query_type = typename integer_codes<Bits>::query_type;

    template <unsigned Bits, class Source>
    [[nodiscard]] static VICINAL_INLINE integer_scale weigh_query(const Source& source, const std::byte* row,
                                                                  const float* lows, const float* steps,
                                                                  std::size_t dim, query_type<Bits>* out) noexcept {
        return simd::weigh_query<Isa, Bits>(source, row, lows, steps, dim, out);
    }
    template <unsigned Bits>
    static VICINAL_INLINE void round_query(const float* query, std::size_t dim, float low, float scale,
                                           query_type<Bits>* out) noexcept {
        simd::round_query<Bits>(query, dim, low, scale, out);
    }
    template <unsigned Bits>
    static VICINAL_INLINE void query_from_code(const std::byte* code, std::size_t dim, query_type<Bits>* out) noexcept {
        integer_codes<Bits>::from_code(code, dim, out);
    }
    static VICINAL_INLINE void query_from_weighted_code(const std::byte* code, const std::int16_t* weights,
                                                        std::size_t dim, query_type<8>* out) noexcept {
        integer_codes<8>::from_weighted_code(code, weights, dim, out);
    }
    /// Adds up what integer_codes<Bits> says, for any dim and the rows named by `slots`: out[i] = finish(scale(sum)).
    template <unsigned Bits, integer_sum What, class Finish>
    static void integer_list(const integer_scale& scale, const Finish& finish,
                             const typename integer_codes<Bits>::query_type* query, std::size_t dim,
                             const row_table& rows, const vicinal::detail::slot_t* slots, std::size_t count,
                             float* out) noexcept {
        using codes = integer_codes<Bits>;
        constexpr bool weighted = What == integer_sum::weighted_difference;
        [[maybe_unused]] const unsigned shift = weighted ? weighted_shift(dim) : 0;
        const auto sum_up = [&](std::size_t from, std::size_t n, const std::byte* const* four, std::int32_t* sums)
                                VICINAL_LAMBDA_INLINE {
                                    if constexpr (weighted)
                                        codes::template weighted_sums_4<Isa>(query + 2 * from, four, n, shift, sums);
                                    else
                                        codes::template sums_4<Isa, What>(query + from, four, n, sums);
                                };
        const integer_scale by = scale;  // `out` cannot overlap a local
        detail::in_fours<true>(
            count, codes::bytes(dim), rows.lines_ahead,
            [&](std::size_t i) VICINAL_LAMBDA_INLINE { return rows[slots[i]]; }, out,
            [&](const std::byte* const* four, float* distances) VICINAL_LAMBDA_INLINE {
                std::int32_t sums[4];
                if (dim <= integer_block) {
                    sum_up(0, dim, four, sums);
                    scale_4<Isa>(by, sums, distances);
                } else {
                    std::int64_t totals[4] = {};
                    for (std::size_t from = 0; from < dim; from += integer_block) {
                        const std::size_t skip = codes::bytes(from);
                        const std::byte* const part[4] = {four[0] + skip, four[1] + skip, four[2] + skip,
                                                          four[3] + skip};
                        sum_up(from, dim - from < integer_block ? dim - from : integer_block, part, sums);
                        for (std::size_t row = 0; row < 4; ++row) totals[row] += sums[row];
                    }
                    for (std::size_t row = 0; row < 4; ++row) distances[row] = by(totals[row]);
                }
                for (std::size_t row = 0; row < 4; ++row) distances[row] = finish(distances[row]);
            });
    }

    // ---- scans of 8- and 4-bit codes: simd/integer_scan.hpp

    /// Whether integer_scan may be called, as far as a compiler knows, and whether it may indeed.
    static constexpr bool may_scan_integers = has_integer_scan<lanes<Isa>>;
    [[nodiscard]] static constexpr bool scans_integers() noexcept { return may_scan_integers; }
    template <unsigned Bits, integer_sum What>
    [[nodiscard]] static VICINAL_INLINE std::uint64_t integer_scan(const query_type<Bits>* query, std::size_t dim,
                                                                   unsigned shift, const std::byte* first,
                                                                   std::size_t stride, std::size_t count,
                                                                   std::int32_t limit, scan_ahead ahead = {}) noexcept {
        return simd::integer_scan<Isa, Bits, What>(query, dim, shift, first, stride, count, limit, ahead);
    }

    // ---- codes of one bit: simd/bit_counts.hpp

    /// Counts bits of `query` and of the rows named by `slots`, `bytes` of each.
    template <bit_count What>
    static void bit_list(const std::byte* query, std::size_t bytes, const row_table& rows,
                         const vicinal::detail::slot_t* slots, std::size_t count, float* out) noexcept {
        count_rows<What, true>(query, bytes, rows.lines_ahead, count, out,
                               [&](std::size_t i) VICINAL_LAMBDA_INLINE { return rows[slots[i]]; });
    }
    /// The same of `count` rows `stride` bytes apart.
    template <bit_count What>
    static void bit_block(const std::byte* query, std::size_t bytes, const std::byte* first, std::size_t stride,
                          std::size_t count, float* out, scan_ahead ahead = {}) noexcept {
        ahead.ask(first, count * stride);
        count_rows<What, false>(query, bytes, 0, count, out,
                                [&](std::size_t i) VICINAL_LAMBDA_INLINE { return detail::row_at(first, stride, i); });
    }

    // ---- look-up tables and bounds: simd/fast_scan.hpp, simd/pca_lower_bounds.hpp

    template <bool Differences>
    [[nodiscard]] static VICINAL_INLINE float plane_lookup(const float* codebook, float x, float y, float* entries,
                                                           float& most) noexcept {
        return simd::plane_lookup<Isa, Differences>(codebook, x, y, entries, most);
    }
    static VICINAL_INLINE void round_to_bytes(const float* entries, std::size_t count, float scale, float half,
                                              unsigned highest, std::uint8_t* out) noexcept {
        simd::round_to_bytes<Isa>(entries, count, scale, half, highest, out);
    }
    template <std::size_t Together>
    [[nodiscard]] static VICINAL_INLINE std::uint64_t table_sums(const std::byte* first, std::size_t stride,
                                                                 std::size_t count, const std::uint8_t* tables,
                                                                 std::size_t dim, scan_ahead ahead, float limit,
                                                                 float* out) noexcept {
        return simd::table_sums<Isa, Together>(first, stride, count, tables, dim, ahead, limit, out);
    }
    static VICINAL_INLINE void make_columns(const std::byte* first, std::size_t stride, std::size_t count,
                                            std::size_t bytes, std::uint8_t* columns) noexcept {
        simd::make_columns<Isa>(first, stride, count, bytes, columns);
    }
    template <std::size_t Together>
    [[nodiscard]] static VICINAL_INLINE std::uint64_t column_sums(const std::uint8_t* columns, std::size_t count,
                                                                  const std::uint8_t* tables, std::size_t dim,
                                                                  float limit, float* out) noexcept {
        return simd::column_sums<Isa, Together>(columns, count, tables, dim, limit, out);
    }
    static VICINAL_INLINE scan_scale make_lookup_tables(const float* query, std::size_t dim,
                                                        std::uint8_t* tables) noexcept {
        return simd::make_lookup_tables<Isa>(query, dim, tables);
    }
    template <bool Squares>
    static VICINAL_INLINE void sign_bounds(const std::byte* first, std::size_t stride, std::size_t count,
                                           const sign_query& query, scan_ahead ahead, float largest,
                                           float* out) noexcept {
        simd::sign_bounds<Isa, Squares>(first, stride, count, query, ahead, largest, out);
    }
    template <bool Squares>
    static VICINAL_INLINE void column_bounds(const std::uint8_t* columns, const std::byte* first, std::size_t stride,
                                             std::size_t count, const sign_query& query, float largest,
                                             float* out) noexcept {
        simd::column_bounds<Isa, Squares>(columns, first, stride, count, query, largest, out);
    }
    template <bool Products>
    static VICINAL_INLINE void pca_bounds(const std::byte* first, std::size_t stride, std::size_t count,
                                          const pca_query& query, float lowest, float* out,
                                          scan_ahead ahead = {}) noexcept {
        simd::pca_bounds<Isa, Products>(first, stride, count, query, lowest, out, ahead);
    }
    [[nodiscard]] static VICINAL_INLINE std::uint32_t not_above_32(const float* values, float limit) noexcept {
        return simd::not_above_32<Isa>(values, limit);
    }

    // ---- rotated and projected vectors: simd/rotation.hpp, simd/projection.hpp

    template <class Rotation>
    static VICINAL_INLINE void rotate(const Rotation& by, const float* vector, float* out, float* spare) noexcept {
        by.template apply<Isa>(vector, out, spare);
    }
    template <class Rotation>
    static VICINAL_INLINE void rotate_back(const Rotation& by, float* rotated, float* out, float* spare) noexcept {
        by.template invert<Isa>(rotated, out, spare);
    }
    [[nodiscard]] static VICINAL_INLINE float dot(const float* a, const float* b, std::size_t size) noexcept {
        return simd::dot<Isa>(a, b, size);
    }
    static VICINAL_INLINE float subtract(const float* a, const float* b, std::size_t size, float* out) noexcept {
        return simd::subtract<Isa>(a, b, size, out);
    }
    static VICINAL_INLINE void project_tile(const float* relative, const float* directions, std::size_t dim,
                                            double* out) noexcept {
        simd::project_tile<Isa>(relative, directions, dim, out);
    }

    // ---- many queries at once: simd/tile.hpp

    /// How many queries a panel may have, as far as a compiler knows, and how many it has.
    static constexpr std::size_t most_of_panel = tile<wide_isa<Isa>>::queries;
    [[nodiscard]] static constexpr std::size_t panel_size() noexcept { return most_of_panel; }
    static void pack(const float* const* query, std::size_t count, std::size_t dim, float* panel) noexcept {
        tile<wide_isa<Isa>>::pack(query, count, dim, panel);
    }
    static void collect(const float* panel, std::size_t size, std::size_t dim, const float* const* row_at,
                        std::size_t count, const float* least, const float* slope, const float* term,
                        tile_hits<most_of_panel>& out) noexcept {
        tile<wide_isa<Isa>>::collect(panel, size, dim, row_at, count, least, slope, term, out);
    }

  private:
    template <bit_count What, bool Prefetch, class RowOf>
    static VICINAL_INLINE void count_rows(const std::byte* query, std::size_t bytes, std::size_t lines,
                                          std::size_t count, float* out, const RowOf& row_of) noexcept {
        with_word_count(bytes, [&](auto words) VICINAL_LAMBDA_INLINE {
            detail::in_fours<Prefetch>(count, bytes, lines, row_of, out,
                                       [&](const std::byte* const* four, float* counts) VICINAL_LAMBDA_INLINE {
                                           count_bits_4<Isa, What, decltype(words)::value>(query, four, bytes, counts);
                                       });
        });
    }
};

}  // namespace simd

VICINAL_NAMESPACE_END
