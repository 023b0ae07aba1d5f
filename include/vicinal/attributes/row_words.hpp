// SPDX-License-Identifier: MIT
// Sets of rows are bitmaps: 64 rows a word.
#pragma once

#include <bit>      // for popcount
#include <cstddef>  // for size_t
#include <cstdint>  // for uint64_t
#include <vector>   // for vector

#include "vicinal/core/config.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

using row_words = std::vector<std::uint64_t>;

[[nodiscard]] inline bool has_row(const row_words& words, std::size_t row) noexcept {
    return (words[row / 64] >> row % 64 & 1U) != 0;
}
inline void set_row(row_words& words, std::size_t row, bool on) noexcept {
    const std::uint64_t bit = std::uint64_t{1} << row % 64;
    words[row / 64] = on ? words[row / 64] | bit : words[row / 64] & ~bit;
}
[[nodiscard]] inline std::size_t count_rows(const row_words& words) noexcept {
    std::size_t count = 0;
    for (const std::uint64_t word : words) count += static_cast<std::size_t>(std::popcount(word));
    return count;
}

/// The word of 64 rows of which test(i) holds. It is written so that compilers compare many rows at once: bytes first,
/// then eight bytes of 0 or 1 become eight bits by one multiplication.
template <class Test>
[[nodiscard]] inline std::uint64_t word_of(const Test& test) noexcept {
    unsigned char hits[64];
    for (std::size_t i = 0; i < 64; ++i) hits[i] = test(i) ? 1 : 0;
    std::uint64_t word = 0;
    for (std::size_t b = 0; b < 8; ++b) {
        std::uint64_t bits = 0;
        for (std::size_t i = 0; i < 8; ++i) bits |= std::uint64_t{hits[b * 8 + i]} << 8 * i;
        word |= (bits * 0x0102040810204080U >> 56) << 8 * b;
    }
    return word;
}

}  // namespace detail

VICINAL_NAMESPACE_END
