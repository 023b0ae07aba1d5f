// SPDX-License-Identifier: MIT
// The inner product as a distance.
#pragma once

#include <string_view>  // for string_view

#include "vicinal/concepts.hpp"
#include "vicinal/core/math.hpp"
#include "vicinal/metric/l2.hpp"

VICINAL_NAMESPACE_BEGIN

/// The negated inner product: the row with the largest product is the closest. Distances may be negative.
struct inner_product {
    static constexpr std::string_view name = "inner_product";
    static constexpr sum_form form = sum_form::product;
    using clustering = l2;  // under the inner product, one long centroid would attract most rows

    template <class V>
    [[nodiscard]] VICINAL_INLINE static V accumulate(const V& acc, const V& q, const V& x) noexcept {
        return mul_add(q, x, acc);
    }
    [[nodiscard]] VICINAL_INLINE static float finish(float sum) noexcept { return -sum; }
    [[nodiscard]] static double least_sum(float threshold) noexcept { return -double{threshold}; }
};
static_assert(pointwise_metric<inner_product>);

VICINAL_NAMESPACE_END
