// The one loop under every distance: a query against rows, for any pointwise metric and elementwise codec.
#pragma once

#include <bit>      // for bit_width
#include <cstddef>  // for size_t, byte
#include <cstdint>  // for uintptr_t
#include <utility>  // for index_sequence

#include "vicinal/core/types.hpp"
#include "vicinal/simd/intrinsics.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

/// Where rows of codes lie: in segments, the first of 2^shift rows, each further one doubling the total. `origins[s]`
/// is where row 0 would lie if segment s reached back to it, so that every row's address is one table look-up and one
/// multiplication, and growth never touches what readers hold.
struct row_table {
    const std::uintptr_t* origins = nullptr;
    std::size_t stride = 0;
    unsigned shift = 0;

    [[nodiscard]] VICINAL_INLINE const std::byte* operator[](vicinal::detail::slot_t slot) const noexcept {
        return reinterpret_cast<const std::byte*>(origins[std::bit_width(slot >> shift)] + slot * stride);
    }
};

namespace detail {

/// Distances of `query` to sizeof...(Row) rows at once. Each row has two running sums, of its even and its odd vectors,
/// so four rows keep eight independent chains in flight, which covers the latency of two multiply-add units. The order
/// of a row's additions does not depend on how many rows are scored together: every path gives the same bits.
template <class V, std::size_t Width, class Metric, class Codec, std::size_t... Row>
VICINAL_INLINE void score_together(const Metric& metric, const Codec& codec, const float* query, std::size_t dim,
                                   const std::byte* const* rows, float* out, std::index_sequence<Row...>) noexcept {
    V even[sizeof...(Row)] = {((void)Row, V(0.0F))...};
    V odd[sizeof...(Row)] = {((void)Row, V(0.0F))...};
    std::size_t i = 0;
    for (; i + 2 * Width <= dim; i += 2 * Width) {
        const V q0 = load<V>(query + i);
        const V q1 = load<V>(query + i + Width);
        ((even[Row] = metric.template accumulate<V>(even[Row], q0, codec.template load<V>(rows[Row], i)),
          odd[Row] = metric.template accumulate<V>(odd[Row], q1, codec.template load<V>(rows[Row], i + Width))),
         ...);
    }
    if (i + Width <= dim) {
        const V q0 = load<V>(query + i);
        ((even[Row] = metric.template accumulate<V>(even[Row], q0, codec.template load<V>(rows[Row], i))), ...);
        i += Width;
    }
    if (i < dim) {  // never for one lane
        const V q0 = load<V>(query + i);
        ((odd[Row] = first_lanes(
              dim - i, metric.template accumulate<V>(odd[Row], q0, codec.template load<V>(rows[Row], i)), odd[Row])),
         ...);
    }
    float sums[4];
    if constexpr (sizeof...(Row) == 4)
        sum_lanes_4(V(even[0] + odd[0]), V(even[1] + odd[1]), V(even[2] + odd[2]), V(even[3] + odd[3]), sums);
    else
        sum_lanes_4(V(even[0] + odd[0]), V(0.0F), V(0.0F), V(0.0F), sums);
    ((out[Row] = metric.finish(sums[Row])), ...);
}

/// Distances of `query` to `count` rows, in fours; row_of(i) is where row i lies.
template <class Isa, class Metric, class Codec, class RowOf>
VICINAL_INLINE void score_rows(const Metric& metric, const Codec& codec, const float* query, std::size_t dim,
                               std::size_t count, const RowOf& row_of, float* out) noexcept {
    using V = lanes<Isa>;
    constexpr std::size_t width = lane_count<Isa>;
    std::size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        const std::byte* const rows[4] = {row_of(i), row_of(i + 1), row_of(i + 2), row_of(i + 3)};
        score_together<V, width>(metric, codec, query, dim, rows, out + i, std::make_index_sequence<4>{});
    }
    for (; i < count; ++i) {
        const std::byte* const rows[1] = {row_of(i)};
        score_together<V, width>(metric, codec, query, dim, rows, out + i, std::make_index_sequence<1>{});
    }
}

}  // namespace detail

/// The kernels of one instruction set, chosen at compile time. It is the last template parameter of every index, so
/// that hot code compiled under two sets of flags keeps two names.
template <class Isa = native_isa>
struct static_kernels {
    using isa = Isa;

    /// Distances of `query` to the rows named by `slots`. The query is readable to `over_read` bytes past its end.
    template <class Metric, class Codec>
    static void score_list(const Metric& metric, const Codec& codec, const float* query, std::size_t dim,
                           const row_table& rows, const vicinal::detail::slot_t* slots, std::size_t count,
                           float* out) noexcept {
        detail::score_rows<Isa>(
            metric, codec, query, dim, count, [&](std::size_t i) VICINAL_LAMBDA_INLINE { return rows[slots[i]]; }, out);
    }

    /// Distances of `query` to `count` rows that lie `stride` bytes apart from `first` on.
    template <class Metric, class Codec>
    static void score_block(const Metric& metric, const Codec& codec, const float* query, std::size_t dim,
                            const std::byte* first, std::size_t stride, std::size_t count, float* out) noexcept {
        detail::score_rows<Isa>(
            metric, codec, query, dim, count, [&](std::size_t i) VICINAL_LAMBDA_INLINE { return first + i * stride; },
            out);
    }
};

using native_kernels = static_kernels<native_isa>;

}  // namespace simd

VICINAL_NAMESPACE_END
