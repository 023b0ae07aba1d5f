// SPDX-License-Identifier: MIT
// Finds a few even steps such that rounding numbers to them loses little.
#pragma once

#include <algorithm>  // for clamp, max, min
#include <cstddef>    // for size_t
#include <cstdint>    // for int64_t
#include <limits>     // for numeric_limits
#include <utility>    // for exchange, pair
#include <vector>     // for vector

#include "vicinal/core/config.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Even steps from `low` on, and the error of a sample that is rounded to them.
struct grid {
    float low = 0;
    double step = 0;
    double error = 0;
};

/// Finds the grid of least squared error among several thousand. Errors of numbers beyond its ends count eightfold,
/// because rounding errs to both sides and averages out over components, while cutting off errs to one side, in the
/// large components that decide which vectors are close. For a normal distribution and 16 levels the grid spans about 3
/// standard deviations either way; between the extremes its steps would be wider. Errors are added up in integers over
/// a histogram, so every machine finds the same grid. for_each(f)  calls f(x) for each number of the sample, twice or
/// more smallest, largest  of the sample
template <std::size_t Levels>
class grid_fit {
  public:
    template <class ForEach>
    [[nodiscard]] static grid fit(float smallest, float largest, const ForEach& for_each) {
        double low = smallest;
        double bin = bin_of(double{largest} - low);
        // A few far numbers leave the histogram too coarse for the others: then it is made again over a narrower range.
        for (int round = 0;; ++round) {
            const grid_fit sample(low, bin, for_each);
            if (const auto [from, count] = sample.span(); round < 8 && count < bins / 8) {
                low += static_cast<double>(from) * bin;
                bin = bin_of(static_cast<double>(count) * bin);
                continue;
            }
            const choice best = sample.best();
            const auto first = static_cast<double>(best.low);
            const auto step = static_cast<double>(best.step);
            if (best.step > finest || round >= 8)
                return {static_cast<float>(low + (first + 0.5) * bin), step * bin,
                        static_cast<double>(best.error) * bin * bin};
            low += (first - 3.0 * step) * bin;
            bin = bin_of((top + 6) * step * bin);
        }
    }

  private:
    static constexpr std::int64_t bins = 1024;
    static constexpr std::int64_t top = Levels - 1;
    static constexpr std::int64_t finest = bins / top / 4;  // the smallest step that is tried on one histogram
    static constexpr std::int64_t cut_off_weight = 8;
    static constexpr std::int64_t disregarded = 16384;  // one number of so many at each end may be anything

    /// With 24 significant bits, so that its products with numbers of bins are exact, fused or not.
    [[nodiscard]] static double bin_of(double width) noexcept {
        return (std::max)(static_cast<float>(width / bins), (std::numeric_limits<float>::min)());
    }

    /// In bins.
    struct choice {
        std::int64_t low;
        std::int64_t step;
        std::int64_t error;
    };
    struct sums {
        std::int64_t count = 0, first = 0, second = 0;
    };

    template <class ForEach>
    grid_fit(double low, double bin, const ForEach& for_each) : below_(bins + 1) {
        for_each([&](float x) {
            const double position = (double{x} - low) / bin;
            ++below_[static_cast<std::size_t>(std::clamp(position, 0.0, bins - 1.0)) + 1].count;
        });
        std::int64_t total = 0;
        for (const sums& b : below_) total += b.count;
        const std::int64_t most = total / disregarded;
        for (; at(first_ + 1).count <= most; ++first_) at(first_ + 2).count += std::exchange(at(first_ + 1).count, 0);
        for (; at(last_ + 1).count <= most; --last_) at(last_).count += std::exchange(at(last_ + 1).count, 0);
        for (std::int64_t b = 0; b < bins; ++b) {
            const sums& below = at(b);
            const std::int64_t here = at(b + 1).count;
            at(b + 1) = {below.count + here, below.first + here * b, below.second + here * b * b};
        }
    }
    [[nodiscard]] sums& at(std::int64_t bin) { return below_[static_cast<std::size_t>(bin)]; }

    /// The bins that hold all but the disregarded numbers: the first, and how many.
    [[nodiscard]] std::pair<std::int64_t, std::int64_t> span() const { return {first_, last_ - first_ + 1}; }

    [[nodiscard]] choice best() const {
        choice found = measured(0, (bins - 1) / top);
        for (std::int64_t step = finest; step <= (bins - 1) / top; ++step)
            for (std::int64_t low = 0; low + top * step < bins; low += std::max<std::int64_t>(1, step / 4))
                if (const choice c = measured(low, step); c.error < found.error) found = c;
        return found;
    }
    [[nodiscard]] choice measured(std::int64_t low, std::int64_t step) const {
        const std::int64_t high = low + top * step;
        std::int64_t error = cut_off_weight * (squares(0, low, low) + squares(high, bins, high));
        std::int64_t from = low;
        for (std::int64_t at = low; at <= high; at += step) {
            const std::int64_t to = (std::min)(at + step / 2 + 1, high);
            error += squares(from, to, at);
            from = to;
        }
        return {low, step, error};
    }
    /// The squared differences from bin `at` to the numbers in the bins [from, to).
    [[nodiscard]] std::int64_t squares(std::int64_t from, std::int64_t to, std::int64_t at) const {
        const sums& a = below_[static_cast<std::size_t>(from)];
        const sums& b = below_[static_cast<std::size_t>(to)];
        return b.second - a.second - 2 * at * (b.first - a.first) + at * at * (b.count - a.count);
    }

    std::vector<sums> below_;  // of the bins below each
    std::int64_t first_ = 0;   // what lies before or behind these two is taken for being in them
    std::int64_t last_ = bins - 1;
};

}  // namespace detail

VICINAL_NAMESPACE_END
