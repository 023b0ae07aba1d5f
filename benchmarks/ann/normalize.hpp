// SPDX-License-Identifier: MIT
// Unit length, for libraries whose cosine is an inner product of rows the caller has normalised.
#pragma once

#include <algorithm>  // for transform
#include <cmath>      // for sqrt
#include <span>       // for span

namespace bench {

/// Writes `vector` divided by its norm; a zero vector stays zero.
inline void normalize(std::span<const float> vector, std::span<float> out) {
    float squares = 0.0F;
    for (const float x : vector) squares += x * x;
    const float factor = squares > 0.0F ? 1.0F / std::sqrt(squares) : 0.0F;
    std::transform(vector.begin(), vector.end(), out.begin(), [factor](float x) { return x * factor; });
}

}  // namespace bench
