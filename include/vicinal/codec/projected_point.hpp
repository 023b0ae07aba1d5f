// Where a vector lies in a projection, and how far off that may be.
#pragma once

#include <cmath>   // for nextafter
#include <limits>  // for numeric_limits

#include "vicinal/core/config.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// The float nearest to x on its upper or lower side.
[[nodiscard]] inline float rounded_up(double x) noexcept {
    const auto near = static_cast<float>(x);
    return double{near} < x ? std::nextafter(near, std::numeric_limits<float>::infinity()) : near;
}
[[nodiscard]] inline float rounded_down(double x) noexcept { return -rounded_up(-x); }

/// Where a vector lies in a projection: `rest` beside the coordinates, and how far off both may be.
struct projected_point {
    double squares = 0;   ///< of the coordinates
    float rest = 0;       ///< the length of what the directions do not reach
    double off = 0;       ///< how far the coordinates may be from the exact ones, as a vector
    double rest_off = 0;  ///< how far `rest` may be
};

/// The four numbers at the head of a code.
struct pca_head {
    float squares = 0;  ///< of the code's coordinates and `rest`, a little less
    float rest = 0;
    float error = 0;   ///< how far coordinates and rest are from the vector's exact ones, at most
    float length = 0;  ///< the vector's sum of squares, a little more
};

}  // namespace detail

VICINAL_NAMESPACE_END
