// Keeps the k closest of a stream of neighbours in memory the caller owns.
#pragma once

#include <algorithm>  // for push_heap, pop_heap, sort_heap
#include <cstddef>    // for size_t
#include <limits>     // for numeric_limits
#include <span>       // for span

#include "vicinal/core/types.hpp"

VICINAL_NAMESPACE_BEGIN

/// The k closest neighbours seen so far, ties by lower id, kept as a binary max-heap inside `out`.
/// push is O(log k) for an admitted neighbour and one comparison for any other; nothing is allocated.
template <class Id>
class top_k {
  public:
    /// out  receives the neighbours; k is out.size()
    explicit top_k(std::span<neighbor<Id>> out) noexcept : out_(out) {}

    /// Distances above this cannot enter; equal ones enter if their id is lower than the worst kept. -inf when k is 0.
    [[nodiscard]] float threshold() const noexcept {
        if (size_ < out_.size()) return std::numeric_limits<float>::infinity();
        return size_ == 0 ? -std::numeric_limits<float>::infinity() : out_[0].distance;
    }

    void push(const neighbor<Id>& candidate) noexcept {
        if (size_ < out_.size()) {
            out_[size_++] = candidate;
            std::push_heap(begin(), end(), closer<Id>);
        } else if (size_ != 0 && closer(candidate, out_[0])) {
            std::pop_heap(begin(), end(), closer<Id>);
            out_[size_ - 1] = candidate;
            std::push_heap(begin(), end(), closer<Id>);
        }
    }

    /// Sorts what was kept, closest first, and returns how many there are. No push may follow.
    std::size_t finish() noexcept {
        std::sort_heap(begin(), end(), closer<Id>);
        return size_;
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

  private:
    [[nodiscard]] auto begin() const noexcept { return out_.begin(); }
    [[nodiscard]] auto end() const noexcept { return out_.begin() + static_cast<std::ptrdiff_t>(size_); }

    std::span<neighbor<Id>> out_;
    std::size_t size_ = 0;
};

VICINAL_NAMESPACE_END
