// SPDX-License-Identifier: MIT
// The ranges of scalar quantisers: they turn the integers of a code into numbers, and are stored in files.
#pragma once

#include <algorithm>  // for max, max_element, min, min_element
#include <array>      // for array
#include <cmath>      // for abs
#include <cstddef>    // for size_t, byte
#include <cstdint>    // for int16_t, int32_t, uint32_t
#include <limits>     // for numeric_limits
#include <span>       // for span
#include <utility>    // for move
#include <vector>     // for vector

#include "vicinal/concepts.hpp"
#include "vicinal/core/bit_cast.hpp"
#include "vicinal/core/little_endian.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// A low and a step for every component, or one of each for all: component i of code c is low(i) + step(i) * c. A step
/// has at most 16 significant bits, so that its product with a code of up to 8 bits is exact, fused or not. Steps of
/// their own are whole multiples, weight(i), of one unit: squared differences can then be taken in integers.
class affine_ranges {
  public:
    /// top  the largest code of a component: 255 or 15
    affine_ranges(std::size_t dim, unsigned top)
        : dim_(dim),
          top_(top),
          low_(padded(dim), 0.0F),
          step_(padded(dim), 0.0F),
          weight_(padded(dim), 0),
          least_(dim),
          most_(dim) {}

    [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
    [[nodiscard]] bool trained() const noexcept { return step_[0] > 0.0F; }
    [[nodiscard]] float low(std::size_t i) const noexcept { return low_[i]; }
    [[nodiscard]] float step(std::size_t i) const noexcept { return step_[i]; }
    /// The same for kernels, readable to 16 floats past the last.
    [[nodiscard]] const float* lows() const noexcept { return low_.data(); }
    [[nodiscard]] const float* steps() const noexcept { return step_.data(); }
    /// What the squares of a decoded vector add up to at most.
    [[nodiscard]] double largest_squares() const noexcept {
        double sum = 0;
        for (std::size_t i = 0; i < (uniform_ ? 1 : dim_); ++i) {
            const double most = largest(low_[i], step_[i]);
            sum += most * most;
        }
        return uniform_ ? sum * static_cast<double>(dim_) : sum;
    }
    /// Whether all components have the same range.
    [[nodiscard]] bool uniform() const noexcept { return uniform_; }

    /// How many components of `vector` lie so far outside their range that its nearest end is more than half a step
    /// off.
    [[nodiscard]] std::size_t clipped(std::span<const float> vector) const noexcept {
        constexpr std::size_t together = 16;  // apart, which compilers vectorise
        std::array<std::int32_t, together> outside{};
        const auto look = [&](std::size_t i, std::size_t j) {
            outside[j] +=
                static_cast<std::int32_t>(vector[i] < least_[i]) + static_cast<std::int32_t>(vector[i] > most_[i]);
        };
        std::size_t i = 0;
        for (; i + together <= dim_; i += together)
            for (std::size_t j = 0; j < together; ++j) look(i + j, j);
        for (; i < dim_; ++i) look(i, 0);
        std::size_t sum = 0;
        for (const std::int32_t count : outside) sum += static_cast<std::size_t>(count);
        return sum;
    }
    /// How many times the squared error that rounding costs rows within the ranges, is cut off of these.
    template <class Rows>
    [[nodiscard]] double strain(const Rows& rows) const noexcept {
        double rounding = 0;
        for (std::size_t i = 0; i < dim_; ++i) rounding += double{step_[i]} * double{step_[i]};
        double cut_off = 0;
        for (std::size_t r = 0; r < rows.rows(); ++r)
            if (clipped(rows[r]) != 0) cut_off += cut_off_of(rows[r]);
        return 12 * cut_off / (rounding * static_cast<double>(rows.rows()));
    }

    /// What steps are multiples of, and how many times each: 1 to most_weight.
    [[nodiscard]] float unit() const noexcept { return unit_; }
    [[nodiscard]] int weight(std::size_t i) const noexcept { return weight_[i]; }
    /// The same for kernels, readable to 16 integers past the last, which are zero.
    [[nodiscard]] const std::int16_t* weights() const noexcept { return weight_.data(); }
    static constexpr int most_weight = 64;

    /// One range for all components. The step is rounded up to 16 bits; 0, of components that are all alike, becomes 1.
    void set_all(float low, double step) noexcept {
        unit_ = step == 0.0 ? 1.0F : short_step(static_cast<float>(step));
        for (std::size_t i = 0; i < dim_; ++i) {
            low_[i] = low;
            step_[i] = unit_;
            weight_[i] = 1;
            set_ends(i);
        }
        uniform_ = true;
    }
    /// A range for each component, with steps of at least step_of(i): rounded up to a multiple of a 64th of the
    /// largest, which costs the wide ranges 1/64 and the narrow ones nothing that counts beside them.
    template <class LowOf, class StepOf>
    void set_each(LowOf low_of, StepOf step_of) noexcept {
        double largest = 0;
        for (std::size_t i = 0; i < dim_; ++i) largest = (std::max)(largest, double{step_of(i)});
        if (largest == 0.0) return set_all(low_of(0), 0.0);
        unit_ = unit_of(static_cast<float>(largest));
        for (std::size_t i = 0; i < dim_; ++i) {
            const double units = double{step_of(i)} / double{unit_};
            int weight = 1;
            while (weight < most_weight && weight < units) ++weight;
            low_[i] = low_of(i);
            weight_[i] = static_cast<std::int16_t>(weight);
            step_[i] = static_cast<float>(weight) * unit_;
            set_ends(i);
        }
        uniform_ = false;
    }

    /// low and step of the one range, or of every component, as little-endian floats.
    [[nodiscard]] std::vector<std::byte> state() const {
        const std::size_t ranges = uniform_ ? 1 : dim_;
        std::vector<std::byte> bytes(ranges * 8);
        for (std::size_t i = 0; i < ranges; ++i) {
            vicinal::detail::store_le(&bytes[4 * i], low_[i]);
            vicinal::detail::store_le(&bytes[4 * (ranges + i)], step_[i]);
        }
        return bytes;
    }
    [[nodiscard]] bool restore(std::span<const std::byte> bytes) {
        const std::size_t ranges = bytes.size() / 8;
        if (bytes.size() % 8 != 0 || (ranges != 1 && ranges != dim_)) return false;
        const auto number = [&](std::size_t i) { return vicinal::detail::load_le<std::uint32_t>(&bytes[4 * i]); };
        // A low that is finite, a step as set makes them, and ends no larger than an admitted component may be, with
        // room for the rounding of steps.
        constexpr std::uint32_t infinite = 0x7F800000U;
        for (std::size_t i = 0; i < ranges; ++i) {
            const std::uint32_t step = number(ranges + i);
            if ((number(i) & 0x7FFFFFFFU) >= infinite || step < smallest_step || step >= infinite ||
                (step & 0xFFU) != 0 ||
                largest(detail::bit_cast<float>(number(i)), detail::bit_cast<float>(step)) > 0x1p63)
                return false;
        }
        if (ranges == 1) {
            set_all(detail::bit_cast<float>(number(0)), detail::bit_cast<float>(number(1)));
            return true;
        }
        affine_ranges read(dim_, top_);
        const auto step = [&](std::size_t i) { return detail::bit_cast<float>(number(ranges + i)); };
        read.set_each([&](std::size_t i) { return detail::bit_cast<float>(number(i)); }, step);
        for (std::size_t i = 0; i < ranges; ++i)
            if (read.uniform_ || read.step_[i] != step(i)) return false;  // not as set_each makes them
        *this = std::move(read);
        return true;
    }

  protected:
    /// The upper end of component i's range; the lower one is low(i).
    [[nodiscard]] float range_high(std::size_t i) const noexcept {
        return static_cast<float>(double{low_[i]} + double{step_[i]} * top_);
    }

  private:
    void set_ends(std::size_t i) noexcept {
        least_[i] = static_cast<float>(double{low_[i]} - double{step_[i]} * 0.5);
        most_[i] = static_cast<float>(double{low_[i]} + double{step_[i]} * (top_ + 0.5));
    }
    /// The squares that the ends of the ranges are off. Squares of floats are exact, so the sum is the same fused or
    /// not.
    [[nodiscard]] double cut_off_of(std::span<const float> vector) const noexcept {
        double sum = 0;
        for (std::size_t i = 0; i < dim_; ++i) {
            const float off = (std::max)({least_[i] - vector[i], vector[i] - most_[i], 0.0F});
            sum += double{off} * double{off};
        }
        return sum;
    }

    static constexpr std::uint32_t smallest_step = detail::bit_cast<std::uint32_t>((std::numeric_limits<float>::min)());

    /// The larger end of a range.
    [[nodiscard]] double largest(float low, float step) const noexcept {
        const double high = double{low} + double{step} * top_;
        return (std::max)(std::abs(double{low}), std::abs(high));
    }
    /// `step` rounded up to 16 significant bits, and not so small that its reciprocal is infinite.
    [[nodiscard]] static float short_step(float step) noexcept {
        const std::uint32_t bits = (std::max)(detail::bit_cast<std::uint32_t>(step), smallest_step);
        return detail::bit_cast<float>((bits + 0xFFU) & ~0xFFU);
    }
    /// A 64th of `step` rounded up to 9 bits: its multiples up to 64 have 16.
    [[nodiscard]] static float unit_of(float step) noexcept {
        const float large = (std::max)(step, 64 * (std::numeric_limits<float>::min)());
        const std::uint32_t bits = detail::bit_cast<std::uint32_t>(large);
        return detail::bit_cast<float>((bits + 0x7FFFU) & ~0x7FFFU) / static_cast<float>(most_weight);
    }
    // Kernels load whole SIMD vectors of these.
    [[nodiscard]] static std::size_t padded(std::size_t dim) noexcept { return dim + 16; }

    std::size_t dim_;
    unsigned top_;
    std::vector<float> low_;
    std::vector<float> step_;
    std::vector<std::int16_t> weight_;
    std::vector<float> least_;  // what lies between these two is rounded, what does not is clipped
    std::vector<float> most_;
    float unit_ = 1.0F;
    bool uniform_ = true;
};

/// The smallest and largest number of each component in rows.
struct extremes {
    std::vector<float> smallest;
    std::vector<float> largest;
    bool whole = true;  ///< all were whole numbers

    template <class Rows>
    explicit extremes(const Rows& rows) : smallest(rows.dim()), largest(rows.dim()) {
        for (std::size_t r = 0; r < rows.rows(); ++r) {
            const std::span<const float> row = rows[r];
            for (std::size_t i = 0; i < row.size(); ++i) {
                const float x = row[i];
                smallest[i] = r == 0 ? x : (std::min)(smallest[i], x);
                largest[i] = r == 0 ? x : (std::max)(largest[i], x);
                whole = whole && x >= -0x1p23F && x <= 0x1p23F && x == static_cast<float>(static_cast<std::int32_t>(x));
            }
        }
    }
    [[nodiscard]] float low() const { return *std::min_element(smallest.begin(), smallest.end()); }
    [[nodiscard]] float high() const { return *std::max_element(largest.begin(), largest.end()); }
    /// The width of component i's range, and of all.
    [[nodiscard]] double range(std::size_t i) const { return double{largest[i]} - double{smallest[i]}; }
    [[nodiscard]] double range() const { return double{high()} - double{low()}; }
};

}  // namespace detail

VICINAL_NAMESPACE_END
