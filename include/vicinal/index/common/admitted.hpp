// SPDX-License-Identifier: MIT
// Which rows a filter admits, found out before a search where that costs less than the search would.
#pragma once

#include <algorithm>  // for max, min, sort, unique
#include <bit>        // for countr_zero
#include <chrono>     // for duration, steady_clock
#include <cstddef>    // for size_t
#include <cstdint>    // for uint64_t
#include <limits>     // for numeric_limits
#include <vector>     // for vector

#include "vicinal/core/time_limit.hpp"
#include "vicinal/filter.hpp"
#include "vicinal/scoring/collectors.hpp"
#include "vicinal/storage/id_map.hpp"
#include "vicinal/storage/row_bitmap.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// What a filter said of some rows.
struct filter_sample {
    double rate = 1;     ///< how many of the rows it admits, of 1
    double seconds = 0;  ///< how long it takes to answer, a row
};

/// A filter is asked about so many rows at so many places at most: enough of a place that its time can be measured.
inline constexpr std::size_t sampled_places = 16, sampled_together = 16;

/// Asks a filter about live rows at even distances. The shortest time is taken, as any other was interrupted.
/// admitted_rows  null, or where those go that it admits
template <class Id>
[[nodiscard]] filter_sample sample_filter(const id_map<Id>& directory, const id_filter<Id>& filter,
                                          std::vector<slot_t>* admitted_rows = nullptr) {
    using clock = std::chrono::steady_clock;
    if (admitted_rows != nullptr) admitted_rows->clear();
    const std::size_t rows = directory.high_water();
    const std::size_t step = (std::max)(sampled_together, rows / sampled_places);
    std::size_t asked = 0, admitted = 0;
    double seconds = (std::numeric_limits<double>::max)();
    for (std::size_t place = (step - sampled_together) / 2; place < rows; place += step) {
        std::size_t n = 0;
        const auto start = clock::now();
        for (std::size_t i = place; i < (std::min)(rows, place + sampled_together); ++i) {
            const auto slot = static_cast<slot_t>(i);
            if (!directory.is_live(slot)) continue;
            ++n;
            if (!filter(directory.id(slot))) continue;
            ++admitted;
            if (admitted_rows != nullptr) admitted_rows->push_back(slot);
        }
        asked += n;
        if (n != 0)
            seconds = (std::min)(seconds,
                                 std::chrono::duration<double>(clock::now() - start).count() / static_cast<double>(n));
    }
    if (asked == 0) return {};
    return {static_cast<double>(admitted) / static_cast<double>(asked), seconds};
}

/// Finds the live rows of ids that come in ascending order, as often as not of rows one after the other.
template <class Id>
class row_finder {
  public:
    explicit row_finder(const id_map<Id>& directory) noexcept : directory_(directory) {}
    /// The row, or no_slot. Where ids were given in the order of the rows, the table is not asked.
    [[nodiscard]] slot_t operator()(Id id) noexcept {
        const id_key<Id> guess = last_row_ + (key_of(id) - last_id_);
        slot_t slot = no_slot;
        if (guess < directory_.high_water() && directory_.id(static_cast<slot_t>(guess)) == id &&
            directory_.is_live(static_cast<slot_t>(guess)))
            slot = static_cast<slot_t>(guess);
        else
            slot = directory_.find(id);
        if (slot == no_slot) return slot;
        last_id_ = key_of(id);
        last_row_ = slot;
        return slot;
    }

  private:
    const id_map<Id>& directory_;
    id_key<Id> last_id_ = 0;
    id_key<Id> last_row_ = 0;
};

/// Finds the rows of the ids that a filter lists.
template <class Id>
void find_listed(const id_map<Id>& directory, const id_filter<Id>& filter, row_bitmap& admitted) {
    admitted.clear(directory.high_water());
    if (filter.excludes())
        for (std::size_t first = 0; first < directory.high_water(); first += 64)
            admitted.words()[first / 64] = directory.live_bits(
                static_cast<slot_t>(first), (std::min<std::size_t>)(64, directory.high_water() - first));
    row_finder<Id> find(directory);
    filter.for_each([&](Id id) {
        const slot_t slot = find(id);
        if (slot == no_slot) return;
        filter.excludes() ? admitted.erase(slot) : admitted.insert(slot);
    });
}

/// Asks a filter about every live row.
template <class Id>
void ask_all(const id_map<Id>& directory, const id_filter<Id>& filter, row_bitmap& admitted,
             const call_limits& limits) {
    const std::size_t rows = directory.high_water();
    admitted.clear(rows);
    for (std::size_t first = 0; first < rows; first += 64) {
        if (first % 4096 == 0) limits.check();
        const std::size_t count = (std::min<std::size_t>)(64, rows - first);
        const auto slot = static_cast<slot_t>(first);
        const Id* const ids = directory.ids_from(slot);
        std::uint64_t live = directory.live_bits(slot, count);
        std::uint64_t& word = admitted.words()[first / 64];
        if (live == (count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1)) {
            word = filter(ids, count);
            continue;
        }
        for (; live != 0; live &= live - 1) {  // an id that the index does not hold is nothing to ask about
            const auto i = static_cast<std::size_t>(std::countr_zero(live));
            if (filter(ids[i])) word |= std::uint64_t{1} << i;
        }
    }
}

/// Finds all rows that a filter admits, in whichever way is shorter.
template <class Id>
void find_admitted(const id_map<Id>& directory, const id_filter<Id>& filter, row_bitmap& admitted,
                   const call_limits& limits) {
    if (filter.lists() && filter.size() <= directory.live())
        find_listed(directory, filter, admitted);
    else
        ask_all(directory, filter, admitted, limits);
}

/// Lists the rows of the ids of a small set in ascending order. It costs nothing for the other rows.
template <class Id>
void list_rows(const id_map<Id>& directory, const id_filter<Id>& filter, std::vector<slot_t>& slots) {
    slots.clear();
    row_finder<Id> find(directory);
    filter.for_each([&](Id id) {
        if (const slot_t slot = find(id); slot != no_slot) slots.push_back(slot);
    });
    std::sort(slots.begin(), slots.end());
    slots.erase(std::unique(slots.begin(), slots.end()), slots.end());  // a multiset names rows twice
}

/// A filter's answers about the rows of an index, while its lock is held: asked row by row, or kept once it was asked
/// about all.
template <class Id>
class admitted_rows {
  public:
    /// memory  for the answers, while this is used
    admitted_rows(const id_map<Id>& directory, const id_filter<Id>& filter, row_bitmap& memory) noexcept
        : directory_(directory), filter_(filter), memory_(memory) {}
    /// Whether it is a set that lists the ids it admits.
    [[nodiscard]] bool listed() const noexcept { return filter_.lists() && !filter_.excludes(); }
    [[nodiscard]] const id_filter<Id>& filter() const noexcept { return filter_; }
    /// Whether it says itself how many rows it admits, if the index has all ids of its set. Neither this nor `count`
    /// nor `rate` depends on what was asked so far, so that each query of a batch is planned as if it were alone.
    [[nodiscard]] bool counted() const noexcept { return filter_.counted(); }
    /// How many rows these are; needs counted().
    [[nodiscard]] std::size_t count() const noexcept {
        const std::size_t listed_rows = (std::min)(filter_.size(), directory_.live());
        return filter_.excludes() ? directory_.live() - listed_rows : listed_rows;
    }
    /// How many of the rows are admitted, of 1: as it says itself, or by a sample.
    [[nodiscard]] double rate() {
        if (counted()) return static_cast<double>(count()) / static_cast<double>(directory_.live());
        if (rate_ < 0) rate_ = sample_filter(directory_, filter_).rate;
        return rate_;
    }
    [[nodiscard]] row_selector<Id> selector() const noexcept {
        return {directory_, filter_, known_ ? &memory_ : nullptr};
    }
    /// Lists all admitted rows in ascending order.
    void list(std::vector<slot_t>& slots, const call_limits& limits) {
        if (!known_ && listed() && filter_.size() * 64 < directory_.high_water())
            return list_rows(directory_, filter_, slots);
        (void)ask(limits);
        memory_.list(slots);
    }
    /// Asks about all rows, once, and returns how many are admitted.
    std::size_t ask(const call_limits& limits) {
        if (!known_) {
            find_admitted(directory_, filter_, memory_, limits);
            count_ = memory_.count();
        }
        known_ = true;
        return count_;
    }

  private:
    const id_map<Id>& directory_;
    const id_filter<Id>& filter_;
    row_bitmap& memory_;
    std::size_t count_ = 0;
    double rate_ = -1;  ///< of a sample; below 0 before there is one
    bool known_ = false;
};

}  // namespace detail

VICINAL_NAMESPACE_END
