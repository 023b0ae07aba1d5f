// SPDX-License-Identifier: MIT
// How many of the true neighbours a result holds, and how fast a recall is reached.
#pragma once

#include <algorithm>  // for find, max, nth_element, sort
#include <cmath>      // for exp, log, sqrt
#include <optional>   // for optional
#include <vector>     // for vector

#include "system.hpp"

namespace bench {

/// The distance in double precision; smaller is closer.
[[nodiscard]] inline double exact_distance(metric m, std::span<const float> a, std::span<const float> b) {
    double squared_difference = 0, dot = 0, squares_a = 0, squares_b = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double x = a[i], y = b[i];
        squared_difference += (x - y) * (x - y);
        dot += x * y;
        squares_a += x * x;
        squares_b += y * y;
    }
    switch (m) {
        case metric::l2: return squared_difference;
        case metric::inner_product: return -dot;
        case metric::cosine: return 1.0 - dot / std::sqrt(squares_a * squares_b);
    }
    return 0;
}

/// Judges results of one metric and k. A row counts if it is one of the true k, or exactly as close as the k-th of
/// them: which of several equal rows a search returns is not its fault. A row returned twice counts once.
class recall_judge {
  public:
    /// The arguments must outlive the judge.
    recall_judge(metric m, const matrix<float>& base, const matrix<float>& queries, const matrix<std::uint32_t>& truth,
                 std::size_t k)
        : metric_(m), base_(base), queries_(queries), truth_(truth), k_(k) {}

    /// How many of the k true neighbours of `query` are in `found`.
    [[nodiscard]] std::size_t hits(std::size_t query, std::span<const std::uint32_t> found) const {
        const auto truth = truth_[query].first(k_);
        std::size_t count = 0;
        for (std::size_t i = 0; i < found.size(); ++i) {
            const auto earlier = found.first(i);
            if (std::find(earlier.begin(), earlier.end(), found[i]) != earlier.end()) continue;
            if (std::find(truth.begin(), truth.end(), found[i]) != truth.end() || ties_with_last(query, found[i]))
                ++count;
        }
        return count;
    }

  private:
    [[nodiscard]] bool ties_with_last(std::size_t query, std::uint32_t row) const {
        if (row >= base_.rows) return false;
        const std::uint32_t last = truth_[query][k_ - 1];
        return exact_distance(metric_, queries_[query], base_[row]) <=
               exact_distance(metric_, queries_[query], base_[last]);
    }

    metric metric_;
    const matrix<float>& base_;
    const matrix<float>& queries_;
    const matrix<std::uint32_t>& truth_;
    std::size_t k_;
};

/// One setting of a system: what it finds and how many queries a second it answers.
struct trade_off {
    double recall = 0;
    double rate = 0;
};

/// The settings that no other beats in both; by rising recall, so by falling rate.
[[nodiscard]] inline std::vector<trade_off> pareto_front(std::vector<trade_off> points) {
    std::sort(points.begin(), points.end(), [](const trade_off& a, const trade_off& b) {
        return a.recall != b.recall ? a.recall > b.recall : a.rate > b.rate;
    });
    std::vector<trade_off> front;
    for (const trade_off& point : points)
        if (front.empty() || point.rate > front.back().rate) front.push_back(point);
    std::reverse(front.begin(), front.end());
    return front;
}

/// The rate at which `recall` is reached, interpolated between the two settings around it with log(rate) linear in
/// recall. If every setting finds more, the fastest one's rate, a lower bound; nothing if none finds as much.
[[nodiscard]] inline std::optional<double> rate_at(const std::vector<trade_off>& front, double recall) {
    for (std::size_t i = 0; i < front.size(); ++i) {
        if (front[i].recall < recall) continue;
        if (i == 0 || front[i].recall == recall) return front[i].rate;
        const double share = (recall - front[i - 1].recall) / (front[i].recall - front[i - 1].recall);
        return std::exp(std::log(front[i - 1].rate) * (1 - share) + std::log(front[i].rate) * share);
    }
    return std::nullopt;
}

/// Whether rate_at only gives a lower bound: every setting finds more than `recall`.
[[nodiscard]] inline bool is_lower_bound(const std::vector<trade_off>& front, double recall) {
    return !front.empty() && front.front().recall > recall;
}

/// The middle value, or the mean of the two in the middle; `values` must not be empty.
[[nodiscard]] inline double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t half = values.size() / 2;
    return values.size() % 2 != 0 ? values[half] : (values[half - 1] + values[half]) / 2;
}

}  // namespace bench
