// SPDX-License-Identifier: MIT
// Which rows a filter admits, found out before a search where that costs less than the search would.
#pragma once

#include <algorithm>  // for max, min, sort, unique
#include <bit>        // for countr_zero
#include <chrono>     // for duration, steady_clock
#include <cstddef>    // for size_t
#include <cstdint>    // for uint64_t
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
    double seconds = 0;  ///< how long it took to answer, a row
};

/// Asks a filter about so many rows, evenly chosen, at most.
inline constexpr std::size_t sampled_rows = 256;

/// Asks a filter about live rows that lie at even distances.
/// admitted_rows  null, or where those go that it admits
template <class Id>
[[nodiscard]] filter_sample sample_filter(const id_map<Id>& directory, const id_filter<Id>& filter,
                                          std::vector<slot_t>* admitted_rows = nullptr) {
    if (admitted_rows != nullptr) admitted_rows->clear();
    const std::size_t rows = directory.high_water();
    const std::size_t step = (std::max<std::size_t>)(1, rows / sampled_rows) | 1U;  // odd, as filters like even numbers
    std::size_t asked = 0, admitted = 0;
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t i = step / 2; i < rows; i += step) {
        const auto slot = static_cast<slot_t>(i);
        if (!directory.is_live(slot)) continue;
        ++asked;
        if (!filter(directory.id(slot))) continue;
        ++admitted;
        if (admitted_rows != nullptr) admitted_rows->push_back(slot);
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    const double n = static_cast<double>((std::max<std::size_t>)(1, asked));
    return {static_cast<double>(admitted) / n, took.count() / n};
}

/// Finds the rows of the ids that a filter lists.
template <class Id>
void find_listed(const id_map<Id>& directory, const id_filter<Id>& filter, row_bitmap& admitted) {
    admitted.clear(directory.high_water());
    if (filter.excludes())
        for (std::size_t first = 0; first < directory.high_water(); first += 64)
            admitted.words()[first / 64] = directory.live_bits(
                static_cast<slot_t>(first), (std::min<std::size_t>)(64, directory.high_water() - first));
    filter.for_each([&](Id id) {
        const slot_t slot = directory.find(id);
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

/// Lists the rows of the ids of a set, which may be far fewer than there are rows, in ascending order.
template <class Id>
void list_rows(const id_map<Id>& directory, const id_filter<Id>& filter, row_bitmap& admitted,
               std::vector<slot_t>& slots) {
    if (filter.size() * 64 >= directory.high_water()) {  // in ascending order, which memory is read faster in
        find_listed(directory, filter, admitted);
        admitted.list(slots);
        return;
    }
    slots.clear();
    filter.for_each([&](Id id) {
        if (const slot_t slot = directory.find(id); slot != no_slot) slots.push_back(slot);
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
    [[nodiscard]] row_selector<Id> selector() const noexcept {
        return {directory_, filter_, known_ ? &memory_ : nullptr};
    }
    /// Lists all admitted rows in ascending order.
    void list(std::vector<slot_t>& slots, const call_limits& limits) {
        if (!known_ && listed() && filter_.size() * 64 < directory_.high_water())
            return list_rows(directory_, filter_, memory_, slots);
        if (!known_) find_admitted(directory_, filter_, memory_, limits);
        known_ = true;
        memory_.list(slots);
    }

  private:
    const id_map<Id>& directory_;
    const id_filter<Id>& filter_;
    row_bitmap& memory_;
    bool known_ = false;
};

}  // namespace detail

VICINAL_NAMESPACE_END
