// Scalar quantisation to one byte per component.
#pragma once

#include <algorithm>    // for clamp, fill, max, min
#include <bit>          // for bit_cast
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for int32_t, uint8_t, uint32_t
#include <limits>       // for numeric_limits
#include <span>         // for span
#include <string_view>  // for string_view
#include <vector>       // for vector

#include "vicinal/concepts.hpp"
#include "vicinal/core/math.hpp"
#include "vicinal/simd/intrinsics.hpp"

VICINAL_NAMESPACE_BEGIN

/// One byte per component: 256 even steps over a range learned from the first batch. Components outside their range
/// take its nearest end. One range serves all components where theirs are much alike, else each has its own; with one
/// range the codes are an integer image of the vector, and squared distances can be taken on the bytes themselves.
class sq8 {
  public:
    static constexpr std::string_view name = "sq8";

    explicit sq8(std::size_t dim = 0) : dim_(dim), low_(padded(dim), 0.0F), step_(padded(dim), 0.0F) {}

    [[nodiscard]] std::size_t code_size() const noexcept { return dim_; }
    [[nodiscard]] bool trained() const noexcept { return step_[0] > 0.0F; }
    /// Component i of code c is low(i) + step(i) * c.
    [[nodiscard]] float low(std::size_t i) const noexcept { return low_[i]; }
    [[nodiscard]] float step(std::size_t i) const noexcept { return step_[i]; }
    /// Whether all components have the same range.
    [[nodiscard]] bool uniform() const noexcept { return uniform_; }

    /// Learns the ranges from at most 65536 evenly spaced rows: smallest and largest of each component, or of all where
    /// that costs at most twice the error. If all are whole numbers and one range of 256 holds them, the code is exact.
    void train(matrix_view<const float> rows) {
        std::vector<float> smallest(dim_);
        std::vector<float> largest(dim_);
        bool whole = true;
        const std::size_t every = rows.rows() / 65536 + 1;
        for (std::size_t r = 0; r < rows.rows(); r += every)
            for (std::size_t i = 0; i < dim_; ++i) {
                const float x = rows[r][i];
                smallest[i] = r == 0 ? x : std::min(smallest[i], x);
                largest[i] = r == 0 ? x : std::max(largest[i], x);
                whole = whole && x >= -0x1p23F && x <= 0x1p23F && x == static_cast<float>(static_cast<std::int32_t>(x));
            }
        // The ranges of single components are only known once there are rows enough to show them.
        set_ranges(smallest, largest, whole, rows.rows() < 256);
    }

    void encode(std::span<const float> vector, std::span<std::byte> code) const noexcept {
        for (std::size_t i = 0; i < dim_; ++i) {
            const float position = std::clamp((vector[i] - low_[i]) / step_[i], 0.0F, 255.0F);
            code[i] = static_cast<std::byte>(static_cast<std::uint8_t>(position + 0.5F));
        }
    }
    void decode(std::span<const std::byte> code, std::span<float> vector) const noexcept {
        for (std::size_t i = 0; i < dim_; ++i) vector[i] = load<float>(code.data(), i);
    }
    template <class V>
    [[nodiscard]] VICINAL_INLINE V load(const std::byte* code, std::size_t i) const noexcept {
        return mul_add(simd::widen_u8<V>(code + i), simd::load<V>(step_.data() + i), simd::load<V>(low_.data() + i));
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
        // A low no larger than an admitted component may be, and a step as train makes them that keeps the range so.
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

    void set_ranges(std::span<const float> smallest, std::span<const float> largest, bool whole, bool few) {
        const float low = *std::min_element(smallest.begin(), smallest.end());
        const float high = *std::max_element(largest.begin(), largest.end());
        double own = 0;
        for (std::size_t i = 0; i < dim_; ++i) {
            const double range = double{largest[i]} - double{smallest[i]};
            own += range * range;
        }
        const double all = double{high} - double{low};
        whole = whole && all <= 255.0;
        uniform_ = whole || few || all * all <= 4.0 * own / static_cast<double>(dim_);
        for (std::size_t i = 0; i < dim_; ++i) {
            low_[i] = uniform_ ? low : smallest[i];
            const double range = uniform_ ? all : double{largest[i]} - double{smallest[i]};
            // If all are alike, any step holds them.
            step_[i] = whole || range == 0.0 ? 1.0F : short_step(static_cast<float>(range / 255.0));
        }
    }

    std::size_t dim_;
    std::vector<float> low_;
    std::vector<float> step_;
    bool uniform_ = true;
};
static_assert(elementwise_codec<sq8> && trainable_codec<sq8> && affine_codec<sq8>);

VICINAL_NAMESPACE_END
