// SPDX-License-Identifier: MIT
// Squared Euclidean distance.
#pragma once

#include <string_view>  // for string_view

#include "vicinal/concepts.hpp"
#include "vicinal/core/math.hpp"

VICINAL_NAMESPACE_BEGIN

/// Squared Euclidean distance: the sum of (q - x)^2. It is at least 0, and exactly 0 between equal vectors. Radii are
/// squared, too.
struct l2 {
    static constexpr std::string_view name = "l2";
    static constexpr sum_form form = sum_form::squared_difference;

    template <class V>
    [[nodiscard]] VICINAL_INLINE static V accumulate(const V& acc, const V& q, const V& x) noexcept {
        const V difference = q - x;
        return mul_add(difference, difference, acc);
    }
    [[nodiscard]] VICINAL_INLINE static float finish(float sum) noexcept { return sum; }
};
static_assert(pointwise_metric<l2>);

VICINAL_NAMESPACE_END
