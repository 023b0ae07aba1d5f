// SPDX-License-Identifier: MIT
// The two codecs of whole numbers that a byte holds, i8 and u8. They differ only in the least of these numbers.
#pragma once

#include <algorithm>    // for clamp, max
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint8_t
#include <span>         // for span
#include <string_view>  // for string_view
#include <vector>       // for vector

#include "vicinal/concepts.hpp"
#include "vicinal/simd/intrinsics.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// A codec of whole numbers from Least on, one byte each: its code is the number less Least.
template <int Least>
class byte_codec {
  public:
    static constexpr std::string_view name = Least == 0 ? "u8" : "i8";
    static constexpr unsigned bits = 8;
    static constexpr int least = Least;
    static constexpr int most = Least + 255;
    static constexpr bool any_code_decodes = true;

    explicit byte_codec(std::size_t dim = 0)
        : dim_(dim), lows_(dim + padding, static_cast<float>(Least)), steps_(dim + padding, 1.0F) {}

    [[nodiscard]] std::size_t code_size() const noexcept { return dim_; }
    [[nodiscard]] double largest_squares() const noexcept {
        constexpr double longest = (std::max)(-least, most);
        return static_cast<double>(dim_) * longest * longest;
    }
    [[nodiscard]] float low(std::size_t i) const noexcept { return lows_[i]; }
    [[nodiscard]] float step(std::size_t i) const noexcept { return steps_[i]; }
    /// The same for kernels, readable to 16 floats past the last.
    [[nodiscard]] const float* lows() const noexcept { return lows_.data(); }
    [[nodiscard]] const float* steps() const noexcept { return steps_.data(); }
    [[nodiscard]] static bool uniform() noexcept { return true; }

    void encode(std::span<const float> vector, std::span<std::byte> code) const noexcept {
        const std::size_t dim = dim_;  // which a byte could be a part of, for all the compiler knows
        for (std::size_t i = 0; i < dim; ++i) {
            const float position = std::clamp(vector[i] - static_cast<float>(Least), 0.0F, 255.0F);
            code[i] = static_cast<std::byte>(static_cast<std::uint8_t>(position + 0.5F));
        }
    }
    void decode(std::span<const std::byte> code, std::span<float> vector) const noexcept {
        for (std::size_t i = 0; i < dim_; ++i) vector[i] = load<float>(code.data(), i);
    }
    template <class V>
    [[nodiscard]] VICINAL_INLINE V load(const std::byte* code, std::size_t i) const noexcept {
        return simd::widen_u8<V>(code + i) + V(static_cast<float>(Least));
    }

  private:
    static constexpr std::size_t padding = 16;
    std::size_t dim_;
    std::vector<float> lows_;
    std::vector<float> steps_;
};

}  // namespace detail

/// Whole numbers from -128 to 127 as they come, 1 byte per component: int8 embeddings. Rows of other numbers are
/// refused, as what is to become of them is for you to say: sq8 rounds floats by a range that it learns. Queries may be
/// any numbers. Between whole numbers, squared distances and inner products are exact, rounded once to a float.
using i8 = detail::byte_codec<-128>;
/// Whole numbers from 0 to 255 likewise: SIFT, uint8 embeddings.
using u8 = detail::byte_codec<0>;
static_assert(whole_codec<i8> && whole_codec<u8> && norm_bounded_codec<u8> && total_codec<u8>);

VICINAL_NAMESPACE_END
