// The ranges of scalar quantisers: what turns the integers of a code into numbers, and travels in files.
#pragma once

#include <algorithm>  // for max, max_element, min, min_element
#include <bit>        // for bit_cast
#include <cstddef>    // for size_t, byte
#include <cstdint>    // for int32_t, uint32_t
#include <limits>     // for numeric_limits
#include <span>       // for span
#include <vector>     // for vector

#include "vicinal/concepts.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// A low and a step for every component, or one of each for all: component i of code c is low(i) + step(i) * c. A step
/// has at most 16 significant bits, so that its product with a code of up to 8 bits is exact, fused or not.
class affine_ranges {
  public:
    explicit affine_ranges(std::size_t dim) : dim_(dim), low_(padded(dim), 0.0F), step_(padded(dim), 0.0F) {}

    [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
    [[nodiscard]] bool trained() const noexcept { return step_[0] > 0.0F; }
    [[nodiscard]] float low(std::size_t i) const noexcept { return low_[i]; }
    [[nodiscard]] float step(std::size_t i) const noexcept { return step_[i]; }
    /// The same for kernels, readable to 16 floats past the last.
    [[nodiscard]] const float* lows() const noexcept { return low_.data(); }
    [[nodiscard]] const float* steps() const noexcept { return step_.data(); }
    /// Whether all components have the same range.
    [[nodiscard]] bool uniform() const noexcept { return uniform_; }

    /// One range for all components; set then gives some of them their own. The step is rounded up to 16 bits; 0,
    /// of components that are all alike, becomes 1.
    void set_all(float low, double step) noexcept {
        for (std::size_t i = 0; i < dim_; ++i) set(i, low, step);
        uniform_ = true;
    }
    void set(std::size_t i, float low, double step) noexcept {
        low_[i] = low;
        step_[i] = step == 0.0 ? 1.0F : short_step(static_cast<float>(step));
        uniform_ = false;
    }

    /// low and step of the one range, or of every component, as little-endian floats.
    [[nodiscard]] std::vector<std::byte> state() const {
        std::vector<std::byte> bytes;
        const std::size_t ranges = uniform_ ? 1 : dim_;
        bytes.reserve(ranges * 8);
        for (const auto* const values : {&low_, &step_})
            for (std::size_t i = 0; i < ranges; ++i)
                for (unsigned shift = 0; shift < 32; shift += 8)
                    bytes.push_back(static_cast<std::byte>(std::bit_cast<std::uint32_t>((*values)[i]) >> shift));
        return bytes;
    }
    [[nodiscard]] bool restore(std::span<const std::byte> bytes) {
        const std::size_t ranges = bytes.size() / 8;
        if (bytes.size() % 8 != 0 || (ranges != 1 && ranges != dim_)) return false;
        const auto number = [&](std::size_t i) {
            std::uint32_t bits = 0;
            for (std::size_t b = 0; b < 4; ++b) bits |= std::to_integer<std::uint32_t>(bytes[4 * i + b]) << (8 * b);
            return bits;
        };
        // A low no larger than an admitted component may be, and a step as set makes them that keeps the range so.
        constexpr std::uint32_t limit = std::bit_cast<std::uint32_t>(0x1p63F);
        for (std::size_t i = 0; i < ranges; ++i) {
            const std::uint32_t step = number(ranges + i);
            if ((number(i) & 0x7FFFFFFFU) > limit || step < smallest_step || step > limit || (step & 0xFFU) != 0)
                return false;
        }
        for (std::size_t i = 0; i < dim_; ++i) {
            low_[i] = std::bit_cast<float>(number(ranges == 1 ? 0 : i));
            step_[i] = std::bit_cast<float>(number(ranges == 1 ? 1 : ranges + i));
        }
        uniform_ = ranges == 1;
        return true;
    }

  private:
    static constexpr std::uint32_t smallest_step = std::bit_cast<std::uint32_t>(std::numeric_limits<float>::min());

    /// `step` rounded up to 16 significant bits, and not so small that its reciprocal is infinite.
    [[nodiscard]] static float short_step(float step) noexcept {
        const std::uint32_t bits = std::max(std::bit_cast<std::uint32_t>(step), smallest_step);
        return std::bit_cast<float>((bits + 0xFFU) & ~0xFFU);
    }
    // Kernels load whole SIMD vectors of these.
    [[nodiscard]] static std::size_t padded(std::size_t dim) noexcept { return dim + 16; }

    std::size_t dim_;
    std::vector<float> low_;
    std::vector<float> step_;
    bool uniform_ = true;
};

/// The smallest and largest number of each component in a sample of rows.
struct extremes {
    std::vector<float> smallest;
    std::vector<float> largest;
    bool whole = true;  ///< all were whole numbers

    /// Looks at at most 65536 evenly spaced rows.
    explicit extremes(matrix_view<const float> rows) : smallest(rows.dim()), largest(rows.dim()) {
        const std::size_t every = rows.rows() / 65536 + 1;
        for (std::size_t r = 0; r < rows.rows(); r += every)
            for (std::size_t i = 0; i < rows.dim(); ++i) {
                const float x = rows[r][i];
                smallest[i] = r == 0 ? x : std::min(smallest[i], x);
                largest[i] = r == 0 ? x : std::max(largest[i], x);
                whole = whole && x >= -0x1p23F && x <= 0x1p23F && x == static_cast<float>(static_cast<std::int32_t>(x));
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
