// Scalar quantisation to one byte per component.
#pragma once

#include <algorithm>    // for clamp
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint8_t
#include <span>         // for span
#include <string_view>  // for string_view

#include "vicinal/codec/affine_ranges.hpp"
#include "vicinal/core/math.hpp"
#include "vicinal/simd/intrinsics.hpp"

VICINAL_NAMESPACE_BEGIN

/// One byte per component: 256 even steps over a range learned from the first batch. Components outside their range
/// take its nearest end. One range serves all components where theirs are much alike, else each has its own; with one
/// range the codes are an integer image of the vector, and squared distances can be taken on the bytes themselves.
class sq8 : public detail::affine_ranges {
  public:
    static constexpr std::string_view name = "sq8";
    static constexpr unsigned bits = 8;

    explicit sq8(std::size_t dim = 0) : affine_ranges(dim, 255) {}

    [[nodiscard]] std::size_t code_size() const noexcept { return dim(); }

    /// Learns the ranges from at most 65536 evenly spaced rows: smallest and largest of each component, or of all where
    /// that costs at most twice the error. If all are whole numbers and one range of 256 holds them, the code is exact.
    void train(matrix_view<const float> rows) {
        const detail::extremes seen(rows);
        const double all = seen.range();
        const bool exact = seen.whole && all <= 255.0;
        double own = 0;
        for (std::size_t i = 0; i < dim(); ++i) own += seen.range(i) * seen.range(i);
        // The ranges of single components are only known once there are rows enough to show them.
        const bool few = rows.rows() < 256;
        if (exact || few || all * all <= 4.0 * own / static_cast<double>(dim()))
            set_all(seen.low(), exact ? 1.0 : all / 255.0);
        else
            set_each([&](std::size_t i) { return seen.smallest[i]; },
                     [&](std::size_t i) { return seen.range(i) / 255.0; });
    }

    void encode(std::span<const float> vector, std::span<std::byte> code) const noexcept {
        for (std::size_t i = 0; i < dim(); ++i) {
            const float position = std::clamp((vector[i] - low(i)) / step(i), 0.0F, 255.0F);
            code[i] = static_cast<std::byte>(static_cast<std::uint8_t>(position + 0.5F));
        }
    }
    void decode(std::span<const std::byte> code, std::span<float> vector) const noexcept {
        for (std::size_t i = 0; i < dim(); ++i) vector[i] = load<float>(code.data(), i);
    }
    template <class V>
    [[nodiscard]] VICINAL_INLINE V load(const std::byte* code, std::size_t i) const noexcept {
        return mul_add(simd::widen_u8<V>(code + i), simd::load<V>(steps() + i), simd::load<V>(lows() + i));
    }
};
static_assert(elementwise_codec<sq8> && trainable_codec<sq8> && affine_codec<sq8>);

VICINAL_NAMESPACE_END
