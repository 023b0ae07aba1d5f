// Scalar quantisation to one byte per component.
#pragma once

#include <algorithm>    // for clamp, min, max
#include <array>        // for array
#include <bit>          // for bit_cast
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint8_t, uint32_t
#include <limits>       // for numeric_limits
#include <span>         // for span
#include <string_view>  // for string_view
#include <vector>       // for vector

#include "vicinal/concepts.hpp"
#include "vicinal/core/math.hpp"
#include "vicinal/simd/intrinsics.hpp"

VICINAL_NAMESPACE_BEGIN

/// One byte per component: 256 even steps over one range shared by all components, learned from the first batch.
/// Components outside the range take its nearest end. One range for all (rather than one per component) keeps the code
/// an integer image of the vector, so that distances can be taken on the bytes themselves. A step has at most 16
/// significant bits, so that a code times the step is exact: fused or not, on every machine, a code decodes to the same
/// bits.
class sq8 {
  public:
    static constexpr std::string_view name = "sq8";

    explicit sq8(std::size_t dim = 0) noexcept : dim_(dim) {}

    [[nodiscard]] std::size_t code_size() const noexcept { return dim_; }
    [[nodiscard]] bool trained() const noexcept { return step_ > 0.0F; }
    /// The value of code 0, and of one step.
    [[nodiscard]] float low() const noexcept { return low_; }
    [[nodiscard]] float step() const noexcept { return step_; }

    /// Learns the range from at most 65536 evenly spaced rows: their smallest and largest component, snapped to whole
    /// numbers when all are whole and 256 steps hold them (then the code is exact).
    void train(matrix_view<const float> rows) {
        float smallest = 0.0F;
        float largest = 0.0F;
        bool whole = true;
        bool first = true;
        const std::size_t every = rows.rows() / 65536 + 1;
        for (std::size_t r = 0; r < rows.rows(); r += every)
            for (const float x : rows[r]) {
                smallest = first ? x : std::min(smallest, x);
                largest = first ? x : std::max(largest, x);
                whole = whole && x >= -0x1p23F && x <= 0x1p23F && x == static_cast<float>(static_cast<std::int32_t>(x));
                first = false;
            }
        low_ = smallest;
        // Halved before subtracting: the ends may be 2 * sqrt(FLT_MAX/8) apart, which is fine, but so may tests' 1e38.
        const float range = (largest * 0.5F - smallest * 0.5F) * 2.0F;
        if (range == 0.0F || (whole && range <= 255.0F))
            step_ = 1.0F;  // if all components are equal, any step holds them
        else
            step_ = short_step(range / 255.0F);
    }

    void encode(std::span<const float> vector, std::span<std::byte> code) const noexcept {
        const float scale = 1.0F / step_;
        for (std::size_t i = 0; i < dim_; ++i) {
            const float position = std::clamp((vector[i] - low_) * scale, 0.0F, 255.0F);
            code[i] = static_cast<std::byte>(static_cast<std::uint8_t>(position + 0.5F));
        }
    }
    void decode(std::span<const std::byte> code, std::span<float> vector) const noexcept {
        for (std::size_t i = 0; i < dim_; ++i) vector[i] = load<float>(code.data(), i);
    }
    template <class V>
    [[nodiscard]] VICINAL_INLINE V load(const std::byte* code, std::size_t i) const noexcept {
        return mul_add(simd::widen_u8<V>(code + i), V(step_), V(low_));
    }

    /// low and step as little-endian floats.
    [[nodiscard]] std::vector<std::byte> state() const {
        std::vector<std::byte> bytes;
        bytes.reserve(8);
        for (const float value : {low_, step_})
            for (unsigned shift = 0; shift < 32; shift += 8)
                bytes.push_back(static_cast<std::byte>(std::bit_cast<std::uint32_t>(value) >> shift));
        return bytes;
    }
    [[nodiscard]] bool restore(std::span<const std::byte> bytes) noexcept {
        if (bytes.size() != 8) return false;
        std::array<std::uint32_t, 2> word{};
        for (std::size_t i = 0; i < 8; ++i)
            word[i / 4] |= std::to_integer<std::uint32_t>(bytes[i]) << (8 * (i % 4));
        // A finite low no larger than an admitted component, and a step as train makes them that keeps the range as small.
        constexpr std::uint32_t limit = std::bit_cast<std::uint32_t>(0x1p63F);
        if ((word[0] & 0x7FFFFFFFU) > limit || word[1] < smallest_step || word[1] > limit || (word[1] & 0xFFU) != 0)
            return false;
        low_ = std::bit_cast<float>(word[0]);
        step_ = std::bit_cast<float>(word[1]);
        return true;
    }

  private:
    static constexpr std::uint32_t smallest_step = std::bit_cast<std::uint32_t>(std::numeric_limits<float>::min());

    /// `step` rounded up to 16 significant bits, and not so small that its reciprocal is infinite.
    [[nodiscard]] static float short_step(float step) noexcept {
        const std::uint32_t bits = std::max(std::bit_cast<std::uint32_t>(step), smallest_step);
        return std::bit_cast<float>((bits + 0xFFU) & ~0xFFU);
    }

    std::size_t dim_;
    float low_ = 0.0F;
    float step_ = 0.0F;
};
static_assert(elementwise_codec<sq8> && trainable_codec<sq8>);

VICINAL_NAMESPACE_END
