// SPDX-License-Identifier: MIT
// What an inverted file says about itself: its vectors, memory and structure.
#pragma once

#include <cstddef>  // for size_t
#include <cstdint>  // for uint32_t, uint64_t
#include <string>   // for string
#include <vector>   // for vector

#include "vicinal/index/common/observers.hpp"
#include "vicinal/index/ivf/lists/codes.hpp"
#include "vicinal/index/ivf/lists/lists.hpp"
#include "vicinal/index/ivf/lists/places.hpp"
#include "vicinal/index/ivf/state.hpp"
#include "vicinal/params.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::ivf {

template <class State>
[[nodiscard]] std::size_t list_count(const State& index) {
    const auto shared = index.locks.shared();
    return index.lists.size();
}

template <class State>
[[nodiscard]] memory_report memory(const State& index) {
    memory_report report = memory_of_rows(index);
    const auto shared = index.locks.shared();
    report.vectors += index.lists.code_memory();
    report.links = index.lists.slot_memory() + index.centroids.memory();
    std::size_t reserved = 0;
    if (index.backing.owned() || index.found_places.is_made()) {
        report.links += index.places.rows().memory();
        reserved = index.places.rows().reserved();
    }
    report.total += index.lists.code_memory() + report.links;
    report.reserved +=
        index.lists.code_memory(true) + index.lists.slot_memory(true) + reserved + index.centroids.memory();
    if (index.backing.memory() != 0)
        report.links += stored_rows(index) * sizeof(slot_t) +
                        index.lists.size() * (sizeof(std::uint64_t) + sizeof(float) * index.dim);
    return report;
}

/// Foretells what memory(index) says of an index like this empty one, trained on all of `rows` rows, once they are in
/// lists of equal length.
template <class State>
[[nodiscard]] memory_report estimate_memory(const State& index, std::size_t rows) {
    memory_report report = estimate_memory_of_rows(index, rows, 0);
    if (rows == 0) return report;
    const std::size_t lists = index.asked.lists != 0 ? index.asked.lists : choose_lists(rows);
    const std::size_t codes = lists * index.lists.code_memory_of((rows + lists - 1) / lists);
    const std::size_t slots = lists * index.lists.slot_memory_of((rows + lists - 1) / lists);
    const std::size_t centroids = lists * sizeof(float) * index.dim;
    report.vectors += codes;
    report.links = slots + centroids + index.places.rows().memory_of(rows);
    report.total += codes + report.links;
    report.reserved += codes + slots + centroids + index.places.rows().reserved_of(rows);
    return report;
}

/// What is wrong with one entry of a list, which says that `slot` lies at `place`.
template <class State>
void check_entry(const State& index, slot_t slot, ivf_place place, std::vector<bool>& listed, check_report& report) {
    if (slot >= listed.size() || !index.directory.is_live(slot)) {
        ++report.dangling;
        return;
    }
    if (listed[slot]) ++report.duplicate;
    listed[slot] = true;
    if (place_of(index, slot) != place) ++report.misplaced;
}

template <class State>
[[nodiscard]] check_report check(const State& index) {
    const auto shared = index.locks.shared();
    check_report report;
    check_directory(index, report);
    std::vector<bool> listed(index.directory.high_water());
    for (std::uint32_t l = 0; l < index.lists.size(); ++l) {
        const ivf_rows list = index.lists[l];
        report.links += list.size;
        for (std::uint32_t i = 0; i < list.size; ++i) check_entry(index, list.slots[i], {l, i}, listed, report);
    }
    index.directory.for_each_live([&](slot_t slot) {
        if (!listed[slot]) ++report.unreachable;
    });
    return report;
}

}  // namespace detail::ivf

VICINAL_NAMESPACE_END
