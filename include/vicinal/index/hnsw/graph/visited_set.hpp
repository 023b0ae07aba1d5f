// SPDX-License-Identifier: MIT
// A visited_set knows which rows a graph search has seen: it takes two bits a row and forgets in O(1).
#pragma once

#include <cstddef>  // for size_t
#include <cstdint>  // for uint64_t
#include <vector>   // for vector

#include "vicinal/core/types.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Holds a set of row numbers. Each word has the marks of 32 rows under the tag of the search that made them; marks
/// under an older tag count as absent, so beginning a search clears nothing.
class visited_set {
  public:
    /// Empties the set, which is then for rows [0, rows).
    void begin(std::size_t rows) {
        rows_ = rows;
        const std::size_t words = (rows + 31) / 32;
        if (words_.size() > 8 * words + 4096) std::vector<std::uint64_t>().swap(words_);  // the index had more rows
        if (words > words_.size()) words_.resize(words + words / 4, 0);
        ++tag_;  // 2^32 searches on one scratch would bring an old tag back
        if (tag_ == 0) {
            words_.assign(words_.size(), 0);
            tag_ = 1;
        }
    }

    /// Adds a row; returns whether it was not in yet. Rows out of range, which only a damaged file names, count as
    /// seen.
    [[nodiscard]] VICINAL_INLINE bool insert(slot_t slot) noexcept {
        if (slot >= rows_) return false;
        std::uint64_t& word = words_[slot >> 5];
        const std::uint64_t current = static_cast<std::uint32_t>(word >> 32) == tag_ ? word : std::uint64_t{tag_} << 32;
        const std::uint64_t mark = std::uint64_t{1} << (slot & 31);
        word = current | mark;
        return (current & mark) == 0;
    }

    /// Takes a row out; returns whether it was in.
    bool erase(slot_t slot) noexcept {
        if (slot >= rows_ || static_cast<std::uint32_t>(words_[slot >> 5] >> 32) != tag_) return false;
        const std::uint64_t mark = std::uint64_t{1} << (slot & 31);
        const bool was_in = (words_[slot >> 5] & mark) != 0;
        words_[slot >> 5] &= ~mark;
        return was_in;
    }

    [[nodiscard]] std::size_t memory() const noexcept { return words_.capacity() * sizeof(std::uint64_t); }

  private:
    std::vector<std::uint64_t> words_;
    std::size_t rows_ = 0;
    std::uint32_t tag_ = 0;
};

}  // namespace detail

VICINAL_NAMESPACE_END
