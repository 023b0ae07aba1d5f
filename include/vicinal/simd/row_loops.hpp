// SPDX-License-Identifier: MIT
// The one loop under every distance in floats: it scores a query against rows, four at a time, for any pointwise metric
// and elementwise codec.
#pragma once

#include <concepts>     // for same_as
#include <cstddef>      // for size_t, byte
#include <type_traits>  // for type_identity
#include <utility>      // for index_sequence

#include "vicinal/concepts.hpp"
#include "vicinal/simd/intrinsics.hpp"
#include "vicinal/simd/scan_ahead.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

/// A pointwise metric that adds up whole vectors V of an instruction set.
template <class M, class V>
concept vector_metric = requires(const M& m, const V& v) {
    { m.accumulate(v, v, v) } -> std::same_as<V>;
}
|| requires(const M& m, const V& v) {
    requires weighted_metric<M>;
    { m.accumulate(v, v, v, v) } -> std::same_as<V>;
};
/// An elementwise codec that loads whole vectors V.
template <class C, class V>
concept vector_codec = requires(const C& c, const std::byte* code, std::size_t i) {
    { c.template load<V>(code, i) } -> std::same_as<V>;
};

namespace detail {

/// The weights of the components from i on, of a metric that has any, as `add` takes them.
template <class V, class Metric>
[[nodiscard]] VICINAL_INLINE auto weights_from(const Metric& metric, std::size_t i) noexcept {
    struct none {};
    if constexpr (weighted_metric<Metric>)
        return load<V>(metric.weights() + i);
    else
        return none{};
}
template <class Metric, class V, class Weights>
[[nodiscard]] VICINAL_INLINE V add(const Metric& metric, const V& sum, const V& q, const V& x,
                                   [[maybe_unused]] const Weights& weights) noexcept {
    if constexpr (weighted_metric<Metric>)
        return metric.accumulate(sum, q, x, weights);
    else
        return metric.accumulate(sum, q, x);
}

/// Adds up, lane by lane, what the components of `query` and of each of sizeof...(Row) rows add to the distance. Each
/// row has two running sums, of its even and its odd vectors, so four rows keep eight independent chains in flight,
/// which covers the latency of two multiply-add units. The order of a row's additions does not depend on how many rows
/// are taken together, so every path gives the same bits; nor on W, which is V or a vector twice as long, whose lower
/// half is an even vector and whose upper half the odd one after it.
/// ask  goes along, and asks for what lies ahead of the rows
template <class V, std::size_t Width, class W, class Metric, class Codec, class Ask, std::size_t... Row>
VICINAL_INLINE void add_up(const Metric& metric, const Codec& codec, const float* query, std::size_t dim,
                           const std::byte* const* rows, V* totals, Ask ask, std::index_sequence<Row...>) noexcept {
    V even[sizeof...(Row)] = {((void)Row, V(0.0F))...};
    V odd[sizeof...(Row)] = {((void)Row, V(0.0F))...};
    std::size_t i = 0;
    if constexpr (!std::same_as<V, W>) {
        W both[sizeof...(Row)] = {((void)Row, W(0.0F))...};
        for (; i + 2 * Width <= dim; i += 2 * Width) {
            ask.next();
            const W q = load<W>(query + i);
            const auto w = weights_from<W>(metric, i);
            ((both[Row] = add(metric, both[Row], q, codec.template load<W>(rows[Row], i), w)), ...);
        }
        ((even[Row] = lower_half<V>(both[Row]), odd[Row] = upper_half<V>(both[Row])), ...);
    }
    for (; i + 2 * Width <= dim; i += 2 * Width) {
        ask.next();
        const V q0 = load<V>(query + i);
        const V q1 = load<V>(query + i + Width);
        const auto w0 = weights_from<V>(metric, i);
        const auto w1 = weights_from<V>(metric, i + Width);
        ((even[Row] = add(metric, even[Row], q0, codec.template load<V>(rows[Row], i), w0),
          odd[Row] = add(metric, odd[Row], q1, codec.template load<V>(rows[Row], i + Width), w1)),
         ...);
    }
    if (i < dim) ask.next();
    if (i + Width <= dim) {
        const V q0 = load<V>(query + i);
        const auto w0 = weights_from<V>(metric, i);
        ((even[Row] = add(metric, even[Row], q0, codec.template load<V>(rows[Row], i), w0)), ...);
        i += Width;
    }
    if (i < dim) {  // never for one lane
        const V q0 = load<V>(query + i);
        const auto w0 = weights_from<V>(metric, i);
        ((odd[Row] =
              first_lanes(dim - i, add(metric, odd[Row], q0, codec.template load<V>(rows[Row], i), w0), odd[Row])),
         ...);
    }
    ((totals[Row] = V(even[Row] + odd[Row])), ...);
}

template <class V, class Metric>
VICINAL_INLINE void finish_4(const Metric& metric, const V* totals, float* out) noexcept {
    float sums[4];
    sum_lanes_4(totals[0], totals[1], totals[2], totals[3], sums);
    for (std::size_t row = 0; row < 4; ++row) out[row] = metric.finish(sums[row]);
}

/// Scores four rows of whole numbers. So many components at a time add up to whole floats, in any order, and these to
/// doubles: between numbers of the codec's range no sum is rounded before the last step.
template <class V, std::size_t Width, class Metric, class Codec>
VICINAL_INLINE void score_4_exactly(const Metric& metric, const Codec& codec, const float* query, std::size_t dim,
                                    const std::byte* const* rows, float* out) noexcept {
    constexpr std::size_t together = 256;
    static_assert(together * 255 * 255 < 0x1000000);
    double sums[4] = {};
    for (std::size_t from = 0; from < dim; from += together) {
        const std::byte* const parts[4] = {rows[0] + from, rows[1] + from, rows[2] + from, rows[3] + from};
        V totals[4] = {V(0.0F), V(0.0F), V(0.0F), V(0.0F)};
        add_up<V, Width, V>(metric, codec, query + from, dim - from < together ? dim - from : together, parts, totals,
                            asks_nothing{}, std::make_index_sequence<4>{});
        for (std::size_t row = 0; row < 4; ++row) {
            alignas(64) float lanes[Width];
            store(totals[row], lanes);
            for (const float lane : lanes) sums[row] += double{lane};
        }
    }
    for (std::size_t row = 0; row < 4; ++row) out[row] = metric.finish(static_cast<float>(sums[row]));
}

/// Scores four rows side by side, which is the least work, for rows that are in a cache or were asked for.
template <class V, std::size_t Width, class W, class Metric, class Codec>
VICINAL_INLINE void score_4(const Metric& metric, const Codec& codec, const float* query, std::size_t dim,
                            const std::byte* const* rows, float* out) noexcept {
    if constexpr (whole_codec<Codec>) return score_4_exactly<V, Width>(metric, codec, query, dim, rows, out);
    V totals[4] = {V(0.0F), V(0.0F), V(0.0F), V(0.0F)};
    add_up<V, Width, W>(metric, codec, query, dim, rows, totals, asks_nothing{}, std::make_index_sequence<4>{});
    finish_4(metric, totals, out);
}

/// Scores four rows one after the other, so that memory is read in one ascending stream, which the hardware follows
/// several times as fast as four streams of short rows. One loop takes all four: with a loop for each, the address of
/// no load ascends evenly, and prefetchers that go by the instruction lose the stream (22 GB/s of 38 at 1 KiB a row).
/// along, step  as in scan_ahead, the step being that of two vectors
template <class V, std::size_t Width, class Metric, class Codec, class Along>
VICINAL_INLINE void score_4_in_turn(const Metric& metric, const Codec& codec, const float* query, std::size_t dim,
                                    const std::byte* const* rows, const Along& along, std::size_t step,
                                    float* out) noexcept {
    V totals[4] = {V(0.0F), V(0.0F), V(0.0F), V(0.0F)};
    VICINAL_NO_UNROLL
    for (std::size_t row = 0; row < 4; ++row)
        add_up<V, Width, V>(metric, codec, query, dim, rows + row, totals + row, along(rows[row], step),
                            std::index_sequence<0>{});
    finish_4(metric, totals, out);
}

/// Calls four(rows, out) for the rows in fours, the last four padded by repeating a row; row_of(i) is where row i lies.
/// With Prefetch, rows are asked for ahead of their turn, at most about as many bytes as the second-level cache has to
/// spare, and of each row at most `lines` cache lines.
template <bool Prefetch, class RowOf, class Four>
VICINAL_INLINE void in_fours(std::size_t count, std::size_t row_bytes, [[maybe_unused]] std::size_t lines,
                             const RowOf& row_of, float* out, const Four& four) noexcept {
    constexpr std::size_t ring = 128;
    constexpr std::size_t bytes_ahead = 32 * 1024;
    [[maybe_unused]] std::size_t asked = 0;
    [[maybe_unused]] const std::size_t ahead =
        row_bytes * (ring - 32) <= bytes_ahead ? ring - 32 : bytes_ahead / row_bytes;
    [[maybe_unused]] const std::byte* next[ring];  // rows that were asked for, by the last bits of their number
    for (std::size_t i = 0; i < count; i += 4) {
        if constexpr (Prefetch)
            for (; asked < count && asked < i + 4 + ahead; ++asked) {
                next[asked % ring] = row_of(asked);
                prefetch_lines(next[asked % ring], row_bytes, lines);
            }
        const auto row = [&](std::size_t j) VICINAL_LAMBDA_INLINE {
            if constexpr (Prefetch)
                return next[j % ring];
            else
                return row_of(j);
        };
        if (i + 4 <= count) {
            const std::byte* const rows[4] = {row(i), row(i + 1), row(i + 2), row(i + 3)};
            four(rows, out + i);
        } else {
            const std::size_t last = count - 1;
            const std::byte* const rows[4] = {row(i), row(i + 1 < last ? i + 1 : last),
                                              row(i + 2 < last ? i + 2 : last), row(last)};
            float four_out[4];
            four(rows, four_out);
            for (std::size_t j = i; j < count; ++j) out[j] = four_out[j - i];
        }
    }
}

/// The vectors that lists of rows are loaded as.
template <class Isa, class Metric, class Codec>
[[nodiscard]] constexpr auto find_list_lanes() noexcept {
    using wide = lanes<wide_isa<Isa>>;
    if constexpr (loads_wide<Codec> && vector_metric<Metric, wide>)
        return std::type_identity<wide>{};
    else
        return std::type_identity<lanes<Isa>>{};
}
template <class Isa, class Metric, class Codec>
using list_lanes = typename decltype(find_list_lanes<Isa, Metric, Codec>())::type;

/// Returns where row i of a block lies.
[[nodiscard]] VICINAL_INLINE const std::byte* row_at(const std::byte* first, std::size_t stride,
                                                     std::size_t i) noexcept {
    const std::byte* row = first + i * stride;
    VICINAL_KEEP_SCALAR(row);
    return row;
}

/// Does what score_block does, row by row. It is a function of its own for each way of asking, as the loop of one that
/// asks for nothing takes a tenth longer in a function that has both (GCC 12, AVX-512).
template <class Isa, class Metric, class Codec, class Along>
VICINAL_NOINLINE void score_in_turn(const Metric& metric, const Codec& codec, const float* query, std::size_t dim,
                                    const std::byte* first, std::size_t stride, std::size_t count, const Along& along,
                                    float* out) noexcept {
    constexpr std::size_t width = lane_count<Isa>;
    const std::size_t step = 2 * width < dim ? codec.code_size() * 2 * width / dim : codec.code_size();
    in_fours<false>(
        count, 0, 0, [&](std::size_t i) VICINAL_LAMBDA_INLINE { return row_at(first, stride, i); }, out,
        [&](const std::byte* const* rows, float* distances) VICINAL_LAMBDA_INLINE {
            score_4_in_turn<lanes<Isa>, width>(metric, codec, query, dim, rows, along, step, distances);
        });
}

}  // namespace detail

}  // namespace simd

VICINAL_NAMESPACE_END
