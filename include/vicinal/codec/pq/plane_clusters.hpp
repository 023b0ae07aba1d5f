// SPDX-License-Identifier: MIT
// k-means of points of the plane, by which a product quantiser learns the centroids of two components.
#pragma once

#include <algorithm>  // for max_element, min
#include <array>      // for array
#include <cmath>      // for fma
#include <cstddef>    // for size_t
#include <cstdint>    // for uint64_t
#include <limits>     // for numeric_limits
#include <vector>     // for vector

#include "vicinal/core/math.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// 16 points of the plane: all first coordinates, then all second ones.
inline constexpr std::size_t plane_centroids = 16;
struct plane_codebook {
    std::array<double, plane_centroids> x{};
    std::array<double, plane_centroids> y{};
};

/// The squared distance of a point. It is a fused multiply-add on every machine, even where that takes a call, so that
/// all machines round alike.
[[nodiscard]] VICINAL_INLINE double plane_distance(double dx, double dy) noexcept { return std::fma(dx, dx, dy * dy); }

/// The number of the closest centroid, the lowest number if several are equally close.
[[nodiscard]] VICINAL_INLINE std::size_t closest_in_plane(const plane_codebook& codebook, double x, double y) noexcept {
    double distances[plane_centroids];
    for (std::size_t c = 0; c < plane_centroids; ++c)
        distances[c] = plane_distance(x - codebook.x[c], y - codebook.y[c]);
    std::size_t closest = 0;
    for (std::size_t c = 1; c < plane_centroids; ++c)
        if (distances[c] < distances[closest]) closest = c;
    return closest;
}

/// k-means of 16 clusters (Lloyd 1982; seeded as k-means++, Arthur, Vassilvitskii 2007) in double precision. An
/// object may be used again for other points. kmeans of linalg/ uses matrix products, which do not pay for two
/// columns.
class plane_clusters {
  public:
    explicit plane_clusters(std::size_t points)
        : x_(points), y_(points), nearest_(points), cluster_(points), previous_(points) {}

    void set(std::size_t point, float x, float y) noexcept {
        x_[point] = double{x};
        y_[point] = double{y};
    }

    /// The centroids of the points, of which there is at least one. With fewer distinct points than centroids each
    /// is a centroid, and the rest are copies.
    /// seed  of the choice of the first centroids
    [[nodiscard]] plane_codebook run(std::uint64_t seed) noexcept {
        constexpr std::size_t iterations = 20;
        plane_codebook codebook;
        draw_seeds(seed, codebook);
        for (std::size_t i = 0; i < iterations; ++i) {
            assign(codebook);
            if (i != 0 && cluster_ == previous_) break;
            previous_.swap(cluster_);
            move_to_means(codebook);
        }
        return codebook;
    }

  private:
    [[nodiscard]] std::size_t size() const noexcept { return x_.size(); }

    void put(plane_codebook& codebook, std::size_t c, std::size_t point) const noexcept {
        codebook.x[c] = x_[point];
        codebook.y[c] = y_[point];
    }
    void draw_seeds(std::uint64_t seed, plane_codebook& codebook) noexcept {
        const auto uniform = [key = mix(seed)](std::size_t counter) {
            return static_cast<double>(mix(key + counter) >> 11) * 0x1p-53;
        };
        constexpr double farthest = (std::numeric_limits<double>::max)();
        for (double& d : nearest_) d = farthest;
        std::size_t point = static_cast<std::size_t>(uniform(0) * static_cast<double>(size()));
        for (std::size_t c = 0; c < plane_centroids; ++c) {
            put(codebook, c, point);
            double total = 0;
            for (std::size_t p = 0; p < size(); ++p) {
                const double d = plane_distance(x_[p] - codebook.x[c], y_[p] - codebook.y[c]);
                nearest_[p] = d < nearest_[p] ? d : nearest_[p];
                total += nearest_[p];
            }
            if (total > 0) point = draw(uniform(c + 1) * total);
        }
    }
    /// The point at which the sum of squared distances exceeds `target`; never one that is a centroid.
    [[nodiscard]] std::size_t draw(double target) const noexcept {
        std::size_t last = 0;
        for (std::size_t p = 0; p < size(); ++p) {
            if (!(nearest_[p] > 0)) continue;
            last = p;
            target -= nearest_[p];
            if (target < 0) break;
        }
        return last;
    }

    void assign(const plane_codebook& codebook) noexcept {
        constexpr std::size_t together = 256;  // points whose best so far stay in the first-level cache
        for (std::size_t first = 0; first < size(); first += together) {
            const std::size_t end = (std::min)(size(), first + together);
            for (std::size_t p = first; p < end; ++p) {
                nearest_[p] = (std::numeric_limits<double>::max)();
                cluster_[p] = 0;
            }
            for (std::size_t c = 0; c < plane_centroids; ++c) {
                const double number = static_cast<double>(c);
                for (std::size_t p = first; p < end; ++p) {
                    const double d = plane_distance(x_[p] - codebook.x[c], y_[p] - codebook.y[c]);
                    cluster_[p] = d < nearest_[p] ? number : cluster_[p];
                    nearest_[p] = d < nearest_[p] ? d : nearest_[p];
                }
            }
        }
    }
    /// Moves centroids to the means of their points, of which `previous_` knows the clusters. One without points goes
    /// to the point that lies farthest from its centroid, if any lies off it.
    void move_to_means(plane_codebook& codebook) noexcept {
        std::array<double, plane_centroids> x{};
        std::array<double, plane_centroids> y{};
        std::array<std::size_t, plane_centroids> count{};
        for (std::size_t p = 0; p < size(); ++p) {
            const auto c = static_cast<std::size_t>(previous_[p]);
            x[c] += x_[p];
            y[c] += y_[p];
            ++count[c];
        }
        for (std::size_t c = 0; c < plane_centroids; ++c) {
            if (count[c] != 0) {
                codebook.x[c] = x[c] / static_cast<double>(count[c]);
                codebook.y[c] = y[c] / static_cast<double>(count[c]);
                continue;
            }
            const auto farthest =
                static_cast<std::size_t>(std::max_element(nearest_.begin(), nearest_.end()) - nearest_.begin());
            if (!(nearest_[farthest] > 0)) continue;
            put(codebook, c, farthest);
            nearest_[farthest] = 0;
        }
    }

    std::vector<double> x_;
    std::vector<double> y_;
    std::vector<double> nearest_;   // squared distance to the closest centroid
    std::vector<double> cluster_;   // its number: of the same width, so that the loop is vectorised
    std::vector<double> previous_;  // of the last iteration
};

}  // namespace detail

VICINAL_NAMESPACE_END
