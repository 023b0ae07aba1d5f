// SPDX-License-Identifier: MIT
// Keeps the k closest of a stream of neighbours, in memory that the caller owns.
#pragma once

#include <cstddef>  // for size_t
#include <span>     // for span

#include "vicinal/core/math.hpp"
#include "vicinal/core/types.hpp"

VICINAL_NAMESPACE_BEGIN

/// The k closest neighbours seen so far, ties by lower id, kept as a binary max-heap inside `out`.
/// push is O(log k) for an admitted neighbour and one comparison for any other; nothing is allocated.
template <class Id>
class top_k {
  public:
    /// out  receives the neighbours; k is out.size()
    explicit top_k(std::span<neighbor<Id>> out) noexcept : out_(out) {}

    /// Distances above this cannot enter; an equal one enters if its id is lower than that of the worst neighbour kept.
    /// It is -infinity if k is 0.
    [[nodiscard]] float threshold() const noexcept {
        if (size_ < out_.size()) return detail::infinite();
        return size_ == 0 ? -detail::infinite() : out_[0].distance;
    }

    void push(const neighbor<Id>& candidate) noexcept {
        if (size_ < out_.size())
            sift_up(candidate, size_++);
        else if (size_ != 0 && closer(candidate, out_[0]))
            sift_down(candidate, size_);
    }

    /// Sorts what was kept, closest first, and returns how many there are. No push may follow.
    std::size_t finish() noexcept {
        for (std::size_t end = size_; end > 1;) {
            const neighbor<Id> last = out_[--end];
            out_[end] = out_[0];
            sift_down(last, end);
        }
        return size_;
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

  private:
    // We have a heap of our own because it replaces the top in one pass, which std::pop_heap and push_heap take two
    // for.

    /// Moves `moving` from leaf `at` up to where it belongs.
    void sift_up(const neighbor<Id>& moving, std::size_t at) noexcept {
        while (at > 0 && closer(out_[(at - 1) / 2], moving)) {
            out_[at] = out_[(at - 1) / 2];
            at = (at - 1) / 2;
        }
        out_[at] = moving;
    }
    /// Replaces the top of a heap of `size` by `moving` and moves it down to where it belongs.
    void sift_down(const neighbor<Id>& moving, std::size_t size) noexcept {
        std::size_t at = 0;
        for (std::size_t child; (child = 2 * at + 1) < size; at = child) {
            if (child + 1 < size && closer(out_[child], out_[child + 1])) ++child;
            if (!closer(moving, out_[child])) break;
            out_[at] = out_[child];
        }
        out_[at] = moving;
    }

    std::span<neighbor<Id>> out_;
    std::size_t size_ = 0;
};

VICINAL_NAMESPACE_END
