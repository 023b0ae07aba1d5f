// SPDX-License-Identifier: MIT
// What the tests of k-means compare with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "support/data.hpp"
#include "vicinal/linalg/nearest_centroids.hpp"

namespace vicinal_test {

/// The squared distance, by a loop in double precision.
inline double naive_distance(std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
        sum += d * d;
    }
    return sum;
}

/// Mean squared distance of the rows to their closest centroids.
inline double objective(const dataset& rows, const std::vector<float>& centroids) {
    const matrix_view<const float> all(std::span<const float>(centroids), rows.dim);
    std::vector<std::uint32_t> closest(rows.rows());
    std::vector<float> distance(rows.rows());
    vicinal::nearest_centroids(rows.view(), all, closest, distance);
    return std::accumulate(distance.begin(), distance.end(), 0.0) / static_cast<double>(rows.rows());
}

}  // namespace vicinal_test
