// SPDX-License-Identifier: MIT
// Keeps the k closest of a stream of rows, for k of tens and more.
//
// A heap mispredicts a few branches for each row it takes in. A reservoir only appends the row, and when its memory is
// full a selection keeps the k closest. More rows are taken in that way, each at almost no cost (as in faiss's
// reservoirs).
#pragma once

#include <algorithm>  // for nth_element, sort, min
#include <cstddef>    // for ptrdiff_t, size_t
#include <cstdint>    // for uint32_t, uint64_t
#include <limits>     // for numeric_limits
#include <span>       // for span
#include <utility>    // for swap

#include "vicinal/core/math.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Puts the k lowest keys first, the highest of them at k - 1. 1 <= k <= keys.size(). Does what std::nth_element does,
/// without unpredictable branches: quickselect (Hoare 1961) with Lomuto's partition, which moves every key.
inline void select_lowest(std::span<std::uint64_t> keys, std::size_t k) noexcept {
    std::size_t first = 0;  // the k-th lowest is in [first, end)
    std::size_t end = keys.size();
    for (int rounds = 0; end - first > 1; ++rounds) {
        if (rounds == 64) {  // an order made to mislead
            const auto at = [&](std::size_t i) { return keys.begin() + static_cast<std::ptrdiff_t>(i); };
            std::nth_element(at(first), at(k - 1), at(end), plain_less{});
            return;
        }
        // The median of three goes to the end.
        std::uint64_t &low = keys[first], &middle = keys[first + (end - first) / 2], &pivot = keys[end - 1];
        if (middle < low) std::swap(low, middle);
        if (pivot < low) std::swap(low, pivot);
        if (middle < pivot) std::swap(middle, pivot);
        std::size_t below = first;
        for (std::size_t i = first; i + 1 < end; ++i) {
            const std::uint64_t key = keys[i];
            keys[i] = keys[below];
            keys[below] = key;
            below += key < pivot ? 1 : 0;
        }
        std::swap(keys[below], pivot);
        if (below == k - 1) return;
        if (below < k - 1)
            first = below + 1;
        else
            end = below;
    }
}

/// The k closest of rows with 32-bit numbers, ties by lower number, as keys: the distance's ordered bits above the
/// number. push is O(1) on average; nothing is allocated.
class reservoir {
  public:
    /// How many keys of memory are best to keep k of at most `most` pushed rows.
    [[nodiscard]] static constexpr std::size_t room(std::size_t k, std::size_t most) noexcept {
        return (std::min)(2 * k, most);
    }
    /// memory  room for more than k keys, or for all that will be pushed; with less, each push costs a selection
    reservoir(std::span<std::uint64_t> memory, std::size_t k) noexcept
        : memory_(memory), k_((std::min)(k, memory.size())) {
        if (k_ == 0) worst_ = 0;
    }

    /// Distances above this cannot be among the k. It is the k-th distance at the last selection, and infinite before.
    [[nodiscard]] float threshold() const noexcept { return k_ == 0 ? -infinite() : threshold_; }

    void push(std::uint32_t number, float distance) noexcept {
        const std::uint64_t key = key_of(number, distance);
        if (key >= worst_) return;
        if (size_ == memory_.size()) --size_;  // there is room for k only: the worst makes way
        memory_[size_++] = key;
        if (size_ == memory_.size()) select();
    }

    [[nodiscard]] std::size_t size() const noexcept { return (std::min)(size_, k_); }

    /// The keys that were kept, in no particular order. No push may follow.
    [[nodiscard]] std::span<const std::uint64_t> finish() noexcept {
        if (size_ > k_) select();
        return memory_.first(size_);
    }
    /// The same, closest first.
    [[nodiscard]] std::span<const std::uint64_t> finish_sorted() noexcept {
        const std::size_t kept = finish().size();
        std::sort(memory_.begin(), memory_.begin() + static_cast<std::ptrdiff_t>(kept));
        return memory_.first(kept);
    }

    /// The key that orders a row. Zeros of both signs are equal.
    [[nodiscard]] static std::uint64_t key_of(std::uint32_t number, float distance) noexcept {
        return std::uint64_t{ordered_bits(distance == 0.0F ? 0.0F : distance)} << 32 | number;
    }
    [[nodiscard]] static std::uint32_t number(std::uint64_t key) noexcept { return static_cast<std::uint32_t>(key); }
    [[nodiscard]] static float distance(std::uint64_t key) noexcept {
        return from_ordered_bits(static_cast<std::uint32_t>(key >> 32));
    }

  private:
    /// Keeps the k lowest keys, the worst of them last.
    void select() noexcept {
        select_lowest(memory_.first(size_), k_);
        size_ = k_;
        worst_ = memory_[k_ - 1];
        threshold_ = distance(worst_);
    }

    std::span<std::uint64_t> memory_;
    std::size_t k_;
    std::size_t size_ = 0;
    std::uint64_t worst_ = (std::numeric_limits<std::uint64_t>::max)();
    float threshold_ = infinite();
};

}  // namespace detail

VICINAL_NAMESPACE_END
