// SPDX-License-Identifier: MIT
// One bit a component.
#pragma once

#include <cstddef>      // for size_t, byte
#include <span>         // for span
#include <string_view>  // for string_view

#include "vicinal/concepts.hpp"

VICINAL_NAMESPACE_BEGIN

/// One bit a component: whether it is above zero. Component i is bit i % 8 of byte i / 8, and is decoded to 1 or 0.
/// Made for `hamming` and `jaccard`, whose distances it keeps exactly. With other metrics it works, slowly, as if rows
/// were vectors of zeros and ones; to search floats by their signs, take rabitq<1>.
struct bits {
    static constexpr std::string_view name = "bits";
    static constexpr bool packs_bits = true;
    static constexpr bool any_code_decodes = true;
    std::size_t dim = 0;

    [[nodiscard]] std::size_t code_size() const noexcept { return (dim + 7) / 8; }
    [[nodiscard]] double largest_squares() const noexcept { return static_cast<double>(dim); }

    void encode(std::span<const float> vector, std::span<std::byte> code) const noexcept {
        const auto byte_of = [&](std::size_t at, std::size_t count) {
            unsigned byte = 0;
            for (std::size_t i = 0; i < count; ++i) byte |= static_cast<unsigned>(vector[8 * at + i] > 0.0F) << i;
            return static_cast<std::byte>(byte);
        };
        const std::size_t whole = dim / 8;
        for (std::size_t at = 0; at < whole; ++at) code[at] = byte_of(at, 8);
        if (dim % 8 != 0) code[whole] = byte_of(whole, dim % 8);
    }
    void decode(std::span<const std::byte> code, std::span<float> vector) const noexcept {
        for (std::size_t i = 0; i < dim; ++i)
            vector[i] = (static_cast<unsigned>(code[i / 8]) >> i % 8 & 1U) != 0 ? 1.0F : 0.0F;
    }
    /// Says whether the bits past the last component are zeros.
    [[nodiscard]] bool well_formed(std::span<const std::byte> code) const noexcept {
        return dim % 8 == 0 || static_cast<unsigned>(code[code_size() - 1]) >> dim % 8 == 0;
    }
};
static_assert(bit_codec<bits> && checked_codec<bits> && total_codec<bits> && norm_bounded_codec<bits>);

VICINAL_NAMESPACE_END
