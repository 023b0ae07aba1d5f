// SPDX-License-Identifier: MIT
// Hamming distance between vectors of zeros and ones.
#pragma once

#include <span>         // for span
#include <string_view>  // for string_view

#include "vicinal/concepts.hpp"
#include "vicinal/core/math.hpp"
#include "vicinal/metric/l2.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Turns components above zero into ones, all others into zeros.
inline void binarize(std::span<float> row) noexcept {
    for (float& x : row) x = x > 0.0F ? 1.0F : 0.0F;
}

}  // namespace detail

/// How many components of two vectors of zeros and ones differ. Rows and queries are made such vectors when they come
/// in: a component above zero becomes 1, any other 0, so embeddings of -1 and 1 or of 0 and 1 are taken as they are,
/// and others by their signs. `get` returns zeros and ones. Distances are whole numbers from 0 to dim. With the codec
/// `bits`, which stores one bit a component, distances are counted 64 to 512 bits at a time.
struct hamming {
    static constexpr std::string_view name = "hamming";
    static constexpr sum_form form = sum_form::squared_difference;
    static constexpr bool counts_common = false;
    using clustering = l2;  // centroids of lists are no vectors of zeros and ones

    template <class V>
    [[nodiscard]] VICINAL_INLINE static V accumulate(const V& acc, const V& q, const V& x) noexcept {
        const V difference = q - x;
        return mul_add(difference, difference, acc);
    }
    [[nodiscard]] VICINAL_INLINE static float finish(float sum) noexcept { return sum; }
    [[nodiscard]] static bool prepare(std::span<float> row) noexcept {
        detail::binarize(row);
        return true;
    }
    [[nodiscard]] VICINAL_INLINE static float of_counts(float differing, float) noexcept { return differing; }
};
static_assert(pointwise_metric<hamming> && preparing_metric<hamming> && counting_metric<hamming>);

VICINAL_NAMESPACE_END
