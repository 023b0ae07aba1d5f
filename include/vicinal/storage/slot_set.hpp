// SPDX-License-Identifier: MIT
// A slot_set is a set of row numbers whose lowest is found at once.
#pragma once

#include <algorithm>  // for max
#include <bit>        // for countr_zero
#include <cstddef>    // for size_t
#include <cstdint>    // for uint64_t
#include <new>        // for bad_alloc
#include <utility>    // for move
#include <vector>     // for vector

#include "vicinal/core/types.hpp"
#include "vicinal/storage/chunked_rows.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Row numbers, of which the lowest is found at once: a bit for each row, and one for each 64 rows that says whether
/// any of them is in. For one thread, but for `memory`.
class slot_set {
  public:
    /// Room for rows [0, rows). Strong guarantee.
    void reserve(std::size_t rows) {
        const std::size_t words = (rows + 63) / 64;
        if (words <= words_.size()) return;
        words_.reserve((std::max)(words, 2 * words_.size()));
        summary_.resize((words_.capacity() + 63) / 64, 0);
        words_.resize(words_.capacity(), 0);
        bytes_ = (words_.capacity() + summary_.capacity()) * sizeof(std::uint64_t);
    }
    /// Drops the rows from `rows` on, with most of the memory for them if that is possible.
    void fit(std::size_t rows) noexcept {
        const std::size_t words = (rows + 63) / 64;
        if (words_.size() <= 4 * words || words_.size() <= page_bytes / sizeof(std::uint64_t)) return;
        try {
            slot_set smaller;
            smaller.reserve(2 * rows);
            for (slot_t slot = lowest(); slot != no_slot && slot < rows; slot = from(slot + 1)) smaller.insert(slot);
            *this = std::move(smaller);
        } catch (const std::bad_alloc&) {  // it is as good as before
        }
    }
    void insert(slot_t slot) noexcept {
        words_[slot / 64] |= std::uint64_t{1} << slot % 64;
        summary_[slot / 4096] |= std::uint64_t{1} << slot / 64 % 64;
    }
    void erase(slot_t slot) noexcept {
        words_[slot / 64] &= ~(std::uint64_t{1} << slot % 64);
        if (words_[slot / 64] == 0) summary_[slot / 4096] &= ~(std::uint64_t{1} << slot / 64 % 64);
    }
    [[nodiscard]] slot_t lowest() const noexcept { return from(0); }
    /// The lowest row in the set from `first` on, or no_slot.
    [[nodiscard]] slot_t from(slot_t first) const noexcept {
        std::size_t word = first / 64;
        if (word >= words_.size()) return no_slot;
        if (const std::uint64_t bits = words_[word] >> first % 64 << first % 64; bits != 0)
            return lowest_of(word, bits);
        ++word;
        for (std::size_t s = word / 64; s < summary_.size(); ++s) {
            std::uint64_t bits = summary_[s];
            if (s == word / 64) bits = bits >> word % 64 << word % 64;
            if (bits == 0) continue;
            const std::size_t found = s * 64 + static_cast<std::size_t>(std::countr_zero(bits));
            return lowest_of(found, words_[found]);
        }
        return no_slot;
    }
    /// The lowest n such that all of [n, end) are in the set.
    [[nodiscard]] std::size_t begin_of_run(std::size_t end) const noexcept {
        while (end > 0) {
            const std::size_t word = (end - 1) / 64;
            if (end % 64 == 0 && words_[word] == ~std::uint64_t{0})
                end -= 64;
            else if ((words_[word] >> (end - 1) % 64 & 1U) != 0)
                --end;
            else
                break;
        }
        return end;
    }
    [[nodiscard]] std::size_t memory() const noexcept { return bytes_; }

  private:
    [[nodiscard]] static slot_t lowest_of(std::size_t word, std::uint64_t bits) noexcept {
        return static_cast<slot_t>(word * 64 + static_cast<std::size_t>(std::countr_zero(bits)));
    }
    std::vector<std::uint64_t> words_;
    std::vector<std::uint64_t> summary_;  // bit i: whether words_[i] has any
    shared_count bytes_;
};

}  // namespace detail

VICINAL_NAMESPACE_END
