// SPDX-License-Identifier: MIT
// Cosine distance: vectors are normalised once, then it is computed from an inner product.
#pragma once

#include <array>        // for array
#include <cmath>        // for sqrt, abs
#include <span>         // for span
#include <string_view>  // for string_view

#include "vicinal/concepts.hpp"
#include "vicinal/core/math.hpp"
#include "vicinal/metric/l2.hpp"

VICINAL_NAMESPACE_BEGIN

/// 1 - cos(q, x), in [0, 2]. Rows and queries are divided by their norm when they come in, so `get` returns a unit
/// vector; rows of i8 and u8 are stored as they come, and their distances divided. A zero vector has no direction and
/// is refused (errc::zero_norm); any other is accepted, down to the smallest denormal numbers.
struct cosine {
    static constexpr std::string_view name = "cosine";
    static constexpr sum_form form = sum_form::product;
    using clustering = l2;  // orders unit vectors as cosine does

    template <class V>
    [[nodiscard]] VICINAL_INLINE static V accumulate(const V& acc, const V& q, const V& x) noexcept {
        return mul_add(q, x, acc);
    }
    [[nodiscard]] VICINAL_INLINE static float finish(float sum) noexcept {
        const float distance = 1.0F - sum;
        return distance < 0.0F ? 0.0F : distance > 2.0F ? 2.0F : distance;
    }
    /// Allows for the rounding of 1 - s, at most 2^-23, and for distances above 2, which become 2.
    [[nodiscard]] static double least_sum(float threshold) noexcept {
        return threshold < 2.0F ? 1.0 - double{threshold} - 0x1p-21 : -double{detail::infinite()};
    }
    /// The distance of vectors with such a product and squares; that from a zero vector, which only a damaged file
    /// holds, is 1.
    [[nodiscard]] static float of_products(float product, float of_query, float of_row) noexcept {
        const double squares = double{of_query} * double{of_row};
        return finish(squares > 0.0 ? static_cast<float>(double{product} / std::sqrt(squares)) : 0.0F);
    }
    /// Divides `row` by its norm. The norm is computed in double, where no admitted vector overflows or underflows.
    [[nodiscard]] static bool prepare(std::span<float> row) noexcept {
        std::array<double, 4> part{};
        std::size_t i = 0;
        for (; i + 4 <= row.size(); i += 4)
            for (std::size_t lane = 0; lane < 4; ++lane) part[lane] += double{row[i + lane]} * double{row[i + lane]};
        for (; i < row.size(); ++i) part[0] += double{row[i]} * double{row[i]};
        const double squares = (part[0] + part[1]) + (part[2] + part[3]);
        if (!(squares > 0.0)) return false;
        const double scale = 1.0 / std::sqrt(squares);
        for (float& x : row) x = static_cast<float>(double{x} * scale);
        return true;
    }
};
static_assert(pointwise_metric<cosine> && normalizing_metric<cosine>);

VICINAL_NAMESPACE_END
