// SPDX-License-Identifier: MIT
// Kernels that are chosen when the program runs, by what its processor has: each call goes through a table of function
// pointers, whose functions were compiled once for each level of instruction sets (src/dispatch, docs/dispatch.md).
#pragma once

#include <concepts>     // for same_as
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for int16_t, int32_t, uint8_t, uint32_t, uint64_t
#include <type_traits>  // for bool_constant, conditional_t

#include "vicinal/simd/dispatch_table.hpp"
#include "vicinal/simd/static_kernels.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

namespace table = vicinal_dispatch;

/// Says which place of the table a metric has: a specialisation has it as `number`. Others have none.
template <class Metric>
struct metric_in_table {};
/// The same of a codec, with `view(codec)`, what its kernels read.
template <class Codec>
struct codec_in_table {};
/// A rotated code of `bits` bits, whose kernels are apart.
template <class Codec>
struct rotated_in_table {};

template <class Metric, class Codec>
concept pair_in_table = requires {
    metric_in_table<Metric>::number;
    codec_in_table<Codec>::number;
}
|| requires {
    rotated_in_table<Codec>::bits;
    requires metric_in_table<Metric>::number == table::l2 || metric_in_table<Metric>::number == table::plain_sum;
};

/// Models kernel_policy. What a table has no kernel for, metrics and codecs of users', has those that this code is
/// compiled for. A call costs a few nanoseconds, so each kernel takes tens of rows.
struct dispatched_kernels {
    using compiled = static_kernels<native_isa>;

    template <class Metric, class Codec>
    struct choose_of_pair {
        using type = typename compiled::template of_pair<Metric, Codec>;
    };
    template <class Metric, class Codec>
    requires pair_in_table<Metric, Codec>
    struct choose_of_pair<Metric, Codec> {
        using type = dispatched_kernels;
    };
    template <class Metric, class Codec>
    using of_pair = typename choose_of_pair<Metric, Codec>::type;

    // ---- floats

    template <class Metric, class Codec>
    static VICINAL_INLINE void score_list(const Metric&, const Codec& codec, const float* query, std::size_t dim,
                                          const row_table& rows, const vicinal::detail::slot_t* slots,
                                          std::size_t count, float* out) noexcept {
        constexpr auto metric = metric_in_table<Metric>::number;
        if constexpr (requires { rotated_in_table<Codec>::bits; })
            kernels().score_rotated[metric == table::l2 ? 0 : 1][rotated_in_table<Codec>::bits - 1](
                {codec.code_size(), nullptr, nullptr, nullptr}, query, dim, places(rows), slots, count, out);
        else
            kernels().score_list[metric][codec_in_table<Codec>::number](codec_in_table<Codec>::view(codec), query, dim,
                                                                        places(rows), slots, count, out);
    }
    template <class Metric, class Codec>
    static VICINAL_INLINE void score_block(const Metric&, const Codec& codec, const float* query, std::size_t dim,
                                           const std::byte* first, std::size_t stride, std::size_t count, float* out,
                                           scan_ahead ahead = {}) noexcept {
        kernels().score_block[metric_in_table<Metric>::number][codec_in_table<Codec>::number](
            codec_in_table<Codec>::view(codec), query, dim, first, stride, count, out, ahead.bytes());
    }
    template <class Codec>
    static void decode(const Codec& codec, const std::byte* row, std::size_t dim, float* out) noexcept {
        kernels().decode[codec_in_table<Codec>::number](codec_in_table<Codec>::view(codec), row, dim, out);
    }

    // ---- walks of graphs in integers

    template <unsigned Bits>
    using query_type = typename integer_codes<Bits>::query_type;

    template <unsigned Bits, class Source>
    [[nodiscard]] static integer_scale weigh_query(const Source& source, const std::byte* row, const float* lows,
                                                   const float* steps, std::size_t dim,
                                                   query_type<Bits>* out) noexcept {
        constexpr std::size_t which = codec_in_table<Source>::number == table::f32 ? 0 : 1;
        const table::scale made =
            integers<Bits>().weigh_query[which](codec_in_table<Source>::view(source), row, lows, steps, dim, out);
        return {made.multiple, made.plus, made.factor, made.offset};
    }
    template <unsigned Bits>
    static void round_query(const float* query, std::size_t dim, float low, float scale,
                            query_type<Bits>* out) noexcept {
        integers<Bits>().round_query(query, dim, low, scale, out);
    }
    template <unsigned Bits>
    static void query_from_code(const std::byte* code, std::size_t dim, query_type<Bits>* out) noexcept {
        integers<Bits>().query_from_code(code, dim, out);
    }
    static void query_from_weighted_code(const std::byte* code, const std::int16_t* weights, std::size_t dim,
                                         query_type<8>* out) noexcept {
        kernels().query_from_weighted_code(code, weights, dim, out);
    }
    template <unsigned Bits, integer_sum What, class Finish>
    static VICINAL_INLINE void integer_list(const integer_scale& scale, const Finish& finish,
                                            const query_type<Bits>* query, std::size_t dim, const row_table& rows,
                                            const vicinal::detail::slot_t* slots, std::size_t count,
                                            float* out) noexcept {
        integers<Bits>().list[place_of(What)]({scale.multiple, scale.plus, scale.factor, scale.offset}, query, dim,
                                              places(rows), slots, count, out);
        for (std::size_t i = 0; i < count; ++i) out[i] = finish(out[i]);
    }

    // ---- scans of 8- and 4-bit codes

    static constexpr bool may_scan_integers = true;
    [[nodiscard]] static bool scans_integers() noexcept { return kernels().scans_integers; }
    template <unsigned Bits, integer_sum What>
    [[nodiscard]] static std::uint64_t integer_scan(const query_type<Bits>* query, std::size_t dim, unsigned shift,
                                                    const std::byte* first, std::size_t stride, std::size_t count,
                                                    std::int32_t limit, scan_ahead ahead = {}) noexcept {
        return integers<Bits>().scan[place_of(What)](query, dim, shift, first, stride, count, limit, ahead.bytes());
    }

    // ---- codes of one bit

    template <bit_count What>
    static void bit_list(const std::byte* query, std::size_t bytes, const row_table& rows,
                         const vicinal::detail::slot_t* slots, std::size_t count, float* out) noexcept {
        kernels().bit_list[What == bit_count::common](query, bytes, places(rows), slots, count, out);
    }
    template <bit_count What>
    static void bit_block(const std::byte* query, std::size_t bytes, const std::byte* first, std::size_t stride,
                          std::size_t count, float* out, scan_ahead ahead = {}) noexcept {
        kernels().bit_block[What == bit_count::common](query, bytes, first, stride, count, out, ahead.bytes());
    }

    // ---- look-up tables and bounds

    template <bool Differences>
    [[nodiscard]] static float plane_lookup(const float* codebook, float x, float y, float* entries,
                                            float& most) noexcept {
        return kernels().plane_lookup[Differences ? 1 : 0](codebook, x, y, entries, &most);
    }
    static void round_to_bytes(const float* entries, std::size_t count, float scale, float half, unsigned highest,
                               std::uint8_t* out) noexcept {
        kernels().round_to_bytes(entries, count, scale, half, highest, out);
    }
    template <std::size_t Together>
    [[nodiscard]] static std::uint64_t table_sums(const std::byte* first, std::size_t stride, std::size_t count,
                                                  const std::uint8_t* tables, std::size_t dim, scan_ahead ahead,
                                                  float limit, float* out) noexcept {
        static_assert(Together == 2 || Together == 4);
        return kernels().table_sums[Together / 2 - 1](first, stride, count, tables, dim, ahead.bytes(), limit, out);
    }
    static void make_columns(const std::byte* first, std::size_t stride, std::size_t count, std::size_t bytes,
                             std::uint8_t* columns) noexcept {
        kernels().make_columns(first, stride, count, bytes, columns);
    }
    template <std::size_t Together>
    [[nodiscard]] static std::uint64_t column_sums(const std::uint8_t* columns, std::size_t count,
                                                   const std::uint8_t* tables, std::size_t dim, float limit,
                                                   float* out) noexcept {
        static_assert(Together == 4);
        return kernels().column_sums(columns, count, tables, dim, limit, out);
    }
    [[nodiscard]] static scan_scale make_lookup_tables(const float* query, std::size_t dim,
                                                       std::uint8_t* tables) noexcept {
        const table::lookup_scale made = kernels().make_lookup_tables(query, dim, tables);
        return {made.step, made.low};
    }
    template <bool Squares>
    static void sign_bounds(const std::byte* first, std::size_t stride, std::size_t count, const sign_query& query,
                            scan_ahead ahead, float largest, float* out) noexcept {
        kernels().sign_bounds[Squares ? 1 : 0](first, stride, count, view_of(query), ahead.bytes(), largest, out);
    }
    template <bool Squares>
    static void column_bounds(const std::uint8_t* columns, const std::byte* first, std::size_t stride,
                              std::size_t count, const sign_query& query, float largest, float* out) noexcept {
        kernels().column_bounds[Squares ? 1 : 0](columns, first, stride, count, view_of(query), largest, out);
    }
    template <bool Products>
    static void pca_bounds(const std::byte* first, std::size_t stride, std::size_t count, const pca_query& query,
                           float lowest, float* out, scan_ahead ahead = {}) noexcept {
        kernels().pca_bounds[Products ? 1 : 0](
            first, stride, count,
            {query.factors_size, query.weights, query.width, query.zero, query.terms.base, query.terms.scale,
             query.terms.along, query.terms.off},
            lowest, out, ahead.bytes());
    }
    [[nodiscard]] static std::uint32_t not_above_32(const float* values, float limit) noexcept {
        return kernels().not_above_32(values, limit);
    }

    // ---- rotated and projected vectors

    template <class Rotation>
    static void rotate(const Rotation& by, const float* vector, float* out, float* spare) noexcept {
        if constexpr (std::same_as<Rotation, rotation>)
            kernels().rotate(view_of(by), vector, out, spare);
        else
            compiled::rotate(by, vector, out, spare);
    }
    template <class Rotation>
    static void rotate_back(const Rotation& by, float* rotated, float* out, float* spare) noexcept {
        if constexpr (std::same_as<Rotation, rotation>)
            kernels().rotate_back(view_of(by), rotated, out, spare);
        else
            compiled::rotate_back(by, rotated, out, spare);
    }
    [[nodiscard]] static float dot(const float* a, const float* b, std::size_t size) noexcept {
        return kernels().dot(a, b, size);
    }
    static float subtract(const float* a, const float* b, std::size_t size, float* out) noexcept {
        return kernels().subtract(a, b, size, out);
    }
    static void project_tile(const float* relative, const float* directions, std::size_t dim, double* out) noexcept {
        kernels().project_tile(relative, directions, dim, out);
    }

    // ---- many queries at once

    static constexpr std::size_t most_of_panel = table::most_of_panel;
    [[nodiscard]] static std::size_t panel_size() noexcept { return kernels().panel_size; }
    static void pack(const float* const* query, std::size_t count, std::size_t dim, float* panel) noexcept {
        kernels().pack(query, count, dim, panel);
    }
    static void collect(const float* panel, std::size_t size, std::size_t dim, const float* const* row_at,
                        std::size_t count, const float* least, const float* slope, const float* term,
                        tile_hits<most_of_panel>& out) noexcept {
        static_assert(table::most_rows == tile_most_rows);
        kernels().collect(panel, size, dim, row_at, count, least, slope, term, out.count, out.row);
    }

  private:
    /// The chosen table. It is a constant, so there is nothing to see but its address.
    [[nodiscard]] static VICINAL_INLINE const table::kernel_table& kernels() noexcept {
        const table::kernel_table* const chosen = VICINAL_DISPATCH_NAME(chosen).load(std::memory_order_acquire);
        return chosen != nullptr ? *chosen : *VICINAL_DISPATCH_NAME(choose)()->table;
    }
    template <unsigned Bits>
    [[nodiscard]] static VICINAL_INLINE const table::integer_kernels& integers() noexcept {
        static_assert(Bits == 8 || Bits == 4);
        if constexpr (Bits == 8)
            return kernels().of_8_bits;
        else
            return kernels().of_4_bits;
    }
    [[nodiscard]] static constexpr table::sum place_of(integer_sum what) noexcept {
        return what == integer_sum::product              ? table::product
               : what == integer_sum::squared_difference ? table::squared_difference
                                                         : table::weighted_difference;
    }
    [[nodiscard]] static VICINAL_INLINE table::row_places places(const row_table& rows) noexcept {
        return {rows.origins, rows.stride, rows.shift, rows.lines_ahead};
    }
    [[nodiscard]] static VICINAL_INLINE table::sign_query view_of(const sign_query& by) noexcept {
        return {by.factors_size, by.tables,      by.width,      {by.scale.step, by.scale.low},
                by.terms.base,   by.terms.slack, by.terms.width};
    }
    [[nodiscard]] static table::rotation view_of(const rotation& by) noexcept {
        const rotation_view view = by.view();
        return {view.dim, view.size, view.window, view.signs};
    }
};

}  // namespace simd

VICINAL_NAMESPACE_END
