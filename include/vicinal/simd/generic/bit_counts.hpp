// SPDX-License-Identifier: MIT
// simd/bit_counts.hpp in plain C++, and the words that all its files share.
#pragma once

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for uint32_t, uint64_t

#include "vicinal/core/little_endian.hpp"
#include "vicinal/simd/compat.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

/// Says which bits of two codes are counted: those set in one of the two only, or those set in both.
enum class bit_count : unsigned char { differing, common };

namespace per_isa {

[[nodiscard]] VICINAL_INLINE std::uint32_t set_bits(std::uint64_t word) noexcept {
#if defined(VICINAL_POPCOUNT_64)
    return static_cast<std::uint32_t>(VICINAL_POPCOUNT_64(word));
#else
    // Adds up bits by twos, fours and eights, then the bytes by a product (Warren, Hacker's Delight, 2002).
    word -= word >> 1 & 0x5555555555555555U;
    word = (word & 0x3333333333333333U) + (word >> 2 & 0x3333333333333333U);
    word = (word + (word >> 4)) & 0x0F0F0F0F0F0F0F0FU;
    return static_cast<std::uint32_t>(word * 0x0101010101010101U >> 56);
#endif
}

/// Combines bits of two words, so that those to be counted are set.
template <bit_count What>
[[nodiscard]] VICINAL_INLINE std::uint64_t counted_bits(std::uint64_t a, std::uint64_t b) noexcept {
    return What == bit_count::differing ? a ^ b : a & b;
}

/// Reads word `at` / 8 of a code whatever the machine's order, so that the first bits are the lowest.
[[nodiscard]] VICINAL_INLINE std::uint64_t word_at(const std::byte* code, std::size_t at) noexcept {
    return vicinal::detail::load_le<std::uint64_t>(code + at);
}

/// Counts the bits of one row of whole words, as many as are known when it is compiled, or of any number of bytes.
template <bit_count What, std::size_t Words>
[[nodiscard]] VICINAL_INLINE std::uint32_t count_words(const std::byte* query, const std::byte* row,
                                                       std::size_t bytes) noexcept {
    const auto word = [&](std::size_t at)
                          VICINAL_LAMBDA_INLINE { return counted_bits<What>(word_at(query, at), word_at(row, at)); };
    std::uint32_t sum = 0;
    if constexpr (Words != 0) {
        repeat<Words>([&](std::size_t i) VICINAL_LAMBDA_INLINE { sum += set_bits(word(8 * i)); });
    } else {
        std::size_t at = 0;
        for (; at + 8 <= bytes; at += 8) sum += set_bits(word(at));
        if (at < bytes) sum += set_bits(word(at) & ((std::uint64_t{1} << 8 * (bytes - at)) - 1));
    }
    return sum;
}

template <bit_count What, std::size_t Words>
VICINAL_INLINE void count_bits_4(tag::generic, const std::byte* query, const std::byte* const* rows, std::size_t bytes,
                                 float* out) noexcept {
    repeat<4>([&](std::size_t row) VICINAL_LAMBDA_INLINE {
        out[row] = static_cast<float>(count_words<What, Words>(query, rows[row], bytes));
    });
}

}  // namespace per_isa

}  // namespace simd

VICINAL_NAMESPACE_END
