// SPDX-License-Identifier: MIT
// A row_bitmap says of every row whether it is in a set of rows, by one bit each.
#pragma once

#include <bit>      // for countr_zero, popcount
#include <cstddef>  // for size_t
#include <cstdint>  // for uint64_t
#include <span>     // for span
#include <vector>   // for vector

#include "vicinal/core/types.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// A set of rows, such as those that a filter admits. Its memory is kept from one use to the next.
class row_bitmap {
  public:
    /// Begins anew, for rows [0, rows), with none of them in.
    void clear(std::size_t rows) { words_.assign((rows + 63) / 64, 0); }
    void insert(slot_t slot) noexcept { words_[slot / 64] |= std::uint64_t{1} << slot % 64; }
    void erase(slot_t slot) noexcept { words_[slot / 64] &= ~(std::uint64_t{1} << slot % 64); }
    /// Whether a row is in; of any number.
    [[nodiscard]] bool contains(slot_t slot) const noexcept {
        return slot / 64 < words_.size() && (words_[slot / 64] >> slot % 64 & 1U) != 0;
    }
    /// The words, of 64 rows each.
    [[nodiscard]] std::span<std::uint64_t> words() noexcept { return words_; }
    [[nodiscard]] std::size_t count() const noexcept {
        std::size_t n = 0;
        for (const std::uint64_t word : words_) n += static_cast<std::size_t>(std::popcount(word));
        return n;
    }
    /// Writes the rows in ascending order, in place of what `slots` held.
    void list(std::vector<slot_t>& slots) const {
        slots.resize(count());
        slot_t* to = slots.data();
        for (std::size_t w = 0; w < words_.size(); ++w)
            for (std::uint64_t bits = words_[w]; bits != 0; bits &= bits - 1)
                *to++ = static_cast<slot_t>(w * 64 + static_cast<std::size_t>(std::countr_zero(bits)));
    }
    [[nodiscard]] std::size_t memory() const noexcept { return words_.capacity() * sizeof(std::uint64_t); }

  private:
    std::vector<std::uint64_t> words_;
};

}  // namespace detail

VICINAL_NAMESPACE_END
