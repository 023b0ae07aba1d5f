// How to lay a few even steps over numbers so that rounding to them loses little.
#pragma once

#include <algorithm>  // for clamp, max
#include <cstddef>    // for size_t
#include <cstdint>    // for int64_t
#include <limits>     // for numeric_limits
#include <vector>     // for vector

#include "vicinal/core/config.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// `levels` numbers, `step` apart from `low` on, and the sum of squared differences of a sample to its nearest ones.
struct grid {
    float low = 0;
    double step = 0;
    double error = 0;
};

/// Finds the grid of least squared error among several thousand. For a bell curve and 16 levels that is a range of 2.7
/// standard deviations either way: what lies beyond is cut off, which costs less than wider steps would.
/// Errors are added up in integers over a histogram, so that every machine finds the same.
/// for_each(f)  calls f(x) for each number of the sample, twice or more
/// smallest, largest  of the sample
template <std::size_t Levels>
class grid_fit {
  public:
    template <class ForEach>
    [[nodiscard]] static grid fit(float smallest, float largest, const ForEach& for_each) {
        double low = smallest;
        double bin = bin_of(double{largest} - low);
        // A few wild numbers among many make the histogram too coarse; then it is taken again around what it showed.
        for (int round = 0;; ++round) {
            const choice best = grid_fit(low, bin, for_each).best();
            const auto first = static_cast<double>(best.low);
            const auto step = static_cast<double>(best.step);
            if (best.step >= coarsest || round == 8)
                return {static_cast<float>(low + (first + 0.5) * bin), step * bin,
                        static_cast<double>(best.error) * bin * bin};
            low += (first - 3.0 * step) * bin;
            bin = bin_of((top + 6) * step * bin);
        }
    }

  private:
    static constexpr std::int64_t bins = 1024;
    static constexpr std::int64_t top = Levels - 1;
    static constexpr std::int64_t coarsest = bins / top / 4;  // of a step
    static constexpr std::int64_t finest = coarsest / 4;
    static_assert(finest > 0);

    /// With 24 significant bits, so that its products with numbers of bins are exact, fused or not.
    [[nodiscard]] static double bin_of(double width) noexcept {
        return std::max(static_cast<float>(width / bins), std::numeric_limits<float>::min());
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
        for (std::int64_t b = 0; b < bins; ++b) {
            sums& next = below_[static_cast<std::size_t>(b + 1)];
            const sums& before = below_[static_cast<std::size_t>(b)];
            const std::int64_t here = next.count;
            next = {before.count + here, before.first + here * b, before.second + here * b * b};
        }
    }

    [[nodiscard]] choice best() const {
        choice found = measured(0, (bins - 1) / top);
        for (std::int64_t step = finest; step <= (bins - 1) / top; ++step)
            for (std::int64_t low = 0; low + top * step < bins; low += std::max<std::int64_t>(1, step / 4))
                if (const choice c = measured(low, step); c.error < found.error) found = c;
        return found;
    }
    [[nodiscard]] choice measured(std::int64_t low, std::int64_t step) const {
        std::int64_t error = 0;
        std::int64_t from = 0;
        for (std::int64_t level = 0; level <= top; ++level) {
            const std::int64_t at = low + level * step;
            const std::int64_t to = level == top ? bins : at + step / 2 + 1;
            const sums& a = below_[static_cast<std::size_t>(from)];
            const sums& b = below_[static_cast<std::size_t>(to)];
            error += b.second - a.second - 2 * at * (b.first - a.first) + at * at * (b.count - a.count);
            from = to;
        }
        return {low, step, error};
    }

    std::vector<sums> below_;  // of the bins below each
};

}  // namespace detail

VICINAL_NAMESPACE_END
