// SPDX-License-Identifier: MIT
// A beam is the best-so-far list of a graph search; row keys are what it orders rows by.
#pragma once

#include <cstddef>  // for size_t
#include <cstdint>  // for uint32_t, uint64_t
#include <cstring>  // for memmove
#include <vector>   // for vector

#include "vicinal/core/math.hpp"
#include "vicinal/core/types.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// A row_key holds a distance and a row in one integer: keys compare as (distance, row) do. Bit 0 is free for a mark.
using row_key = std::uint64_t;

[[nodiscard]] VICINAL_INLINE row_key make_key(float distance, slot_t slot) noexcept {
    return std::uint64_t{ordered_bits(distance)} << 32 | std::uint64_t{slot} << 1;
}
[[nodiscard]] VICINAL_INLINE slot_t key_slot(row_key key) noexcept { return static_cast<slot_t>(key) >> 1; }
[[nodiscard]] VICINAL_INLINE float key_distance(row_key key) noexcept {
    return from_ordered_bits(static_cast<std::uint32_t>(key >> 32));
}

/// Keeps the `width` closest rows seen, sorted, each marked once its links were followed ("ef" and its candidate list
/// in the HNSW paper, in one array: it stays in the L1 cache, and most rows are turned away by one comparison).
class beam {
  public:
    void reset(std::size_t width) {
        width_ = width;
        if (keys_.size() < width + 1) keys_.resize(width + 1);
        size_ = 0;
        next_ = 0;
    }

    /// Puts a row in its place if it is among the closest, and returns whether it is now among the next `soon` or so to
    /// be followed.
    VICINAL_INLINE bool insert(float distance, slot_t slot, std::size_t soon = 1) noexcept {
        const row_key key = make_key(distance, slot);
        if (size_ == width_) {
            if (width_ == 0 || key > keys_[size_ - 1]) return false;
        } else {
            ++size_;
        }
        const std::size_t at = position(key, size_ - 1);
        std::memmove(&keys_[at + 1], &keys_[at], (size_ - 1 - at) * sizeof(row_key));
        keys_[at] = key;
        const bool is_soon = at < next_ + soon;
        if (at < next_) next_ = at;
        return is_soon;
    }

    [[nodiscard]] bool has_next() const noexcept { return next_ < size_; }
    /// Returns the closest row not yet followed. Needs has_next().
    [[nodiscard]] slot_t peek() const noexcept { return key_slot(keys_[next_]); }
    /// Returns the closest row not yet followed, and marks it as followed. Needs has_next().
    [[nodiscard]] slot_t take() noexcept {
        const slot_t slot = key_slot(keys_[next_]);
        keys_[next_] |= 1;
        do ++next_;
        while (next_ < size_ && (keys_[next_] & 1) != 0);
        return slot;
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool full() const noexcept { return size_ == width_; }
    [[nodiscard]] row_key operator[](std::size_t i) const noexcept { return keys_[i]; }
    [[nodiscard]] row_key worst() const noexcept { return keys_[size_ - 1]; }
    [[nodiscard]] std::size_t memory() const noexcept { return keys_.capacity() * sizeof(row_key); }

  private:
    /// Counts how many of the first `count` keys are smaller, by a binary search without branches. (GCC makes a branch
    /// of a conditional expression, and cannot of the mask.)
    [[nodiscard]] VICINAL_INLINE std::size_t position(row_key key, std::size_t count) const noexcept {
        const row_key* low = keys_.data();
        while (count > 1) {
            const std::size_t half = count / 2;
            low += half & (std::size_t{0} - static_cast<std::size_t>(low[half - 1] < key));
            count -= half;
        }
        if (count == 1 && *low < key) ++low;
        return static_cast<std::size_t>(low - keys_.data());
    }

    std::vector<row_key> keys_;
    std::size_t width_ = 0;
    std::size_t size_ = 0;
    std::size_t next_ = 0;
};

}  // namespace detail

VICINAL_NAMESPACE_END
