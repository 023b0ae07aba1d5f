// SPDX-License-Identifier: MIT
// Retired rows were removed from a graph and may still have links to them.
#pragma once

#include <algorithm>  // for max, min
#include <cstddef>    // for size_t
#include <vector>     // for vector

#include "vicinal/core/types.hpp"
#include "vicinal/storage/chunked_rows.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Keeps which retired rows wait until nothing links to them, and where the sweep cursor stands (consolidate.hpp). For
/// one writer; readers may ask for `memory`.
class retired_rows {
  public:
    static constexpr std::size_t rows_per_removal = 32;
    static constexpr std::size_t releases_per_removal = 32;  ///< more than one, so that they are not put off for long

    /// Makes room for retiring `more` rows. Strong guarantee.
    void reserve(std::size_t more) {
        if (waiting_.capacity() - waiting_.size() < more)
            waiting_.reserve((std::max)(2 * waiting_.capacity(), waiting_.size() + more));
        note_memory();
    }
    void add(slot_t slot) noexcept { waiting_.push_back(slot); }

    /// A stretch is the rows [first, last) that the cursor passes at the next `advance`. There are `rows` now.
    struct stretch {
        std::size_t first;
        std::size_t last;
    };
    [[nodiscard]] stretch next_stretch(std::size_t rows) const noexcept {
        const std::size_t end = closing_.empty() ? rows : (std::min)(end_, rows);
        const std::size_t first = closing_.empty() ? 0 : (std::min)(cursor_, end);
        return {first, (std::min)(first + rows_per_removal, end)};
    }
    /// Moves the cursor past that stretch, and calls release(row) for a few rows that nothing links to any more.
    template <class Release>
    void advance(std::size_t rows, Release release) noexcept {
        for (std::size_t n = (std::min)(passed_.size(), releases_per_removal); n > 0; --n) {
            release(passed_.back());
            passed_.pop_back();
        }
        cursor_ = next_stretch(rows).last;
        if (closing_.empty()) {
            closing_.swap(waiting_);
            end_ = rows;
        }
        if (cursor_ >= (std::min)(end_, rows) && passed_.empty()) passed_.swap(closing_);
    }
    /// Forgets all rows, for a graph that has none any more.
    void clear() noexcept {
        for (auto* const list : {&waiting_, &closing_, &passed_}) list->clear();
    }
    /// Gives back the memory of empty lists where it is more than a page.
    void give_back() noexcept {
        for (auto* const list : {&waiting_, &closing_, &passed_})
            if (list->empty() && list->capacity() * sizeof(slot_t) > page_bytes) std::vector<slot_t>().swap(*list);
        note_memory();
    }
    [[nodiscard]] std::size_t memory() const noexcept { return bytes_; }

  private:
    void note_memory() noexcept {
        bytes_ = (waiting_.capacity() + closing_.capacity() + passed_.capacity()) * sizeof(slot_t);
    }

    std::vector<slot_t> waiting_;
    std::vector<slot_t> closing_;
    std::vector<slot_t> passed_;  // nothing links to these
    std::size_t cursor_ = 0;
    std::size_t end_ = 0;
    shared_count bytes_;
};

}  // namespace detail

VICINAL_NAMESPACE_END
