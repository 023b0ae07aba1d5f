// SPDX-License-Identifier: MIT
// Makes a query, or a row that becomes one, the integers that codes of a few bits are compared with in walks of graphs.
#pragma once

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int16_t, int32_t

#include "vicinal/core/math.hpp"
#include "vicinal/simd/integer.hpp"
#include "vicinal/simd/intrinsics.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

namespace detail {

/// Calls fill(first, count, integers) for `dim` components group by group, and puts the integers where kernels of
/// `Bits`-bit codes want them.
template <unsigned Bits, class Fill>
VICINAL_INLINE void for_each_group(std::size_t dim, typename integer_codes<Bits>::query_type* out,
                                   const Fill& fill) noexcept {
    for (std::size_t first = 0; first < dim; first += integer_group) {
        alignas(64) std::int16_t integers[integer_group] = {};
        fill(first, dim - first < integer_group ? dim - first : integer_group, integers);
        integer_codes<Bits>::arrange(integers, out + first);
    }
}

/// The largest scale at which component * step, as integers, leave the codes' sums within 32 bits. See weigh_query.
template <class Isa, unsigned Bits, class Source>
[[nodiscard]] VICINAL_INLINE float weight_scale(const Source& source, const std::byte* row, const float* steps,
                                                std::size_t dim) noexcept {
    using V = lanes<Isa>;
    using codes = integer_codes<Bits>;
    V sums(0.0F);
    V tops(0.0F);
    std::size_t i = 0;
    for (; i + lane_count<Isa> <= dim; i += lane_count<Isa>) {
        const V size = absolute(V(source.template load<V>(row, i) * load<V>(steps + i)));
        sums = sums + size;
        tops = larger(tops, size);
    }
    float sum = sum_lanes(sums);
    float top = largest_lane(tops);
    for (; i < dim; ++i) {
        const float size = absolute(source.template load<float>(row, i) * steps[i]);
        sum += size;
        top = larger(top, size);
    }
    float scale = sum > 0 ? codes::total_weight / sum : 0.0F;
    if (top * scale > codes::largest_weight) scale = codes::largest_weight / top;
    return scale <= 0x1p100F ? scale : 0x1p100F;
}

}  // namespace detail

/// Makes `row`, a code of `source`, the query of products: component * step * scale, for the largest scale that sums
/// over codes bear. The result makes inner products of such sums; its offset is the sum of component * low.
template <class Isa, unsigned Bits, class Source>
[[nodiscard]] VICINAL_INLINE integer_scale weigh_query(const Source& source, const std::byte* row, const float* lows,
                                                       const float* steps, std::size_t dim,
                                                       typename integer_codes<Bits>::query_type* out) noexcept {
    using V = lanes<Isa>;
    constexpr std::size_t width = lane_count<Isa>;
    const float scale = detail::weight_scale<Isa, Bits>(source, row, steps, dim);
    V offset(0.0F);
    float rest = 0;
    detail::for_each_group<Bits>(
        dim, out, [&](std::size_t first, std::size_t count, std::int16_t* integers) VICINAL_LAMBDA_INLINE {
            std::size_t i = 0;
            for (; i + width <= count; i += width) {
                const V x = source.template load<V>(row, first + i);
                offset = mul_add(x, load<V>(lows + first + i), offset);
                store_rounded(V(x * load<V>(steps + first + i) * V(scale)), integers + i);
            }
            for (; i < count; ++i) {
                const float x = source.template load<float>(row, first + i);
                rest += x * lows[first + i];
                store_rounded(x * steps[first + i] * scale, integers + i);
            }
        });
    return {1, 0, scale > 0 ? 1.0F / scale : 0.0F, sum_lanes(offset) + rest};
}

/// Makes a vector the query of squared differences from codes of one low and step: (component - low) * scale in units
/// of a step, scale being 1 / step, rounded.
template <unsigned Bits>
VICINAL_INLINE void round_query(const float* query, std::size_t dim, float low, float scale,
                                typename integer_codes<Bits>::query_type* out) noexcept {
    using codes = integer_codes<Bits>;
    detail::for_each_group<Bits>(
        dim, out, [&](std::size_t first, std::size_t count, std::int16_t* integers) VICINAL_LAMBDA_INLINE {
            for (std::size_t i = 0; i < count; ++i) {
                constexpr float units = codes::per_step, lowest = codes::lowest, highest = codes::highest;
                const float position = (query[first + i] - low) * scale * units;
                const float within = position < lowest ? lowest : position > highest ? highest : position;
                integers[i] = static_cast<std::int16_t>(static_cast<std::int32_t>(within + 256.5F) - 256);
            }
        });
}

}  // namespace simd

VICINAL_NAMESPACE_END
