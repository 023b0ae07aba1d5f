// SPDX-License-Identifier: MIT
// The sums that scans ask of kernels beside distances, as metrics whose distance is the sum itself.
#pragma once

#include <string_view>  // for string_view

#include "vicinal/core/math.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Adds up a row's squares; the query does not matter.
struct squares_of_row {
    static constexpr std::string_view name = "squares_of_row";
    template <class V>
    [[nodiscard]] VICINAL_INLINE static V accumulate(const V& acc, const V&, const V& x) noexcept {
        return mul_add(x, x, acc);
    }
    [[nodiscard]] VICINAL_INLINE static float finish(float sum) noexcept { return sum; }
};

/// Adds up products.
struct plain_sum {
    template <class V>
    [[nodiscard]] VICINAL_INLINE static V accumulate(const V& acc, const V& q, const V& x) noexcept {
        return mul_add(q, x, acc);
    }
    [[nodiscard]] VICINAL_INLINE static float finish(float sum) noexcept { return sum; }
};

}  // namespace detail

VICINAL_NAMESPACE_END
