// SPDX-License-Identifier: MIT
// Coordinates of a vector in a projection, and bounds of their error.
#pragma once

#include <cmath>  // for nextafter

#include "vicinal/core/config.hpp"
#include "vicinal/core/math.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// The float nearest to x that is not below it, and the one that is not above it.
[[nodiscard]] inline float rounded_up(double x) noexcept {
    const auto rounded = static_cast<float>(x);
    return double{rounded} < x ? std::nextafter(rounded, detail::infinite()) : rounded;
}
[[nodiscard]] inline float rounded_down(double x) noexcept { return -rounded_up(-x); }

/// A vector in a projection: its coordinates, which are kept elsewhere, the length of the rest, and the error of both.
struct projected_point {
    double squares = 0;   ///< the sum of the coordinates' squares
    float rest = 0;       ///< the length of the part of the vector that is orthogonal to all directions
    double off = 0;       ///< the greatest distance of the coordinates, as a vector, from the exact ones
    double rest_off = 0;  ///< the greatest error of `rest`
};

/// The four numbers at the factors of a code.
struct pca_factors {
    float squares = 0;  ///< the sum of squares of the code's coordinates and `rest`, rounded down
    float rest = 0;
    float error = 0;   ///< the greatest distance of coordinates and rest from the vector's exact ones
    float length = 0;  ///< the vector's sum of squares, rounded up
};

}  // namespace detail

VICINAL_NAMESPACE_END
