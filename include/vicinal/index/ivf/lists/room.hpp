// SPDX-License-Identifier: MIT
// These functions make room for rows of an ivf_index that are to come, and give back that of rows that are gone.
#pragma once

#include <algorithm>  // for sort
#include <cstddef>    // for size_t
#include <cstdint>    // for uint32_t, uint64_t
#include <new>        // for bad_alloc
#include <span>       // for span
#include <vector>     // for vector

#include "vicinal/index/common/writing.hpp"
#include "vicinal/index/ivf/lists/lists.hpp"
#include "vicinal/index/ivf/lists/training.hpp"
#include "vicinal/index/ivf/state.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::ivf {

/// As touch_rows of every index of rows; lists are touched when they are made or known to grow.
template <class State>
void touch_room(State& index, std::size_t count) noexcept {
    const std::size_t rows = index.directory.high_water_after(count);
    index.directory.touch(count);
    index.places.touch(rows);
    if constexpr (State::two_levels) index.rows.fine().rows().touch(rows);
}
/// As give_back_rows of every index of rows.
template <class State>
void give_back(State& index, bool at_once = false) noexcept {
    const std::size_t rows = index.directory.rows_to_hold();
    at_once ? index.places.rows().fit(rows) : index.places.rows().give_back(rows);
    give_back_rows(index, at_once);
}
/// Room for so many more rows everywhere but in the lists, made beside readers. Strong guarantee.
template <class State>
void make_room(State& index, std::size_t extra) {
    try {
        recoding<State>::reserve(index, extra);
        index.places.reserve(index.directory.rows_to_hold(extra));
        auto table = index.directory.prepare_extra(extra);
        exchange_table(index, table);
    } catch (...) {
        give_back(index, true);
        throw;
    }
}
template <class State>
void give_back_list(State& index, std::size_t list, bool at_once) noexcept {
    const bool keeps_room = index.directory.room_kept() > index.directory.live();
    if (keeps_room || !index.lists.has_slack(list, at_once)) return;
    try {
        ivf_lists::piece smaller = index.lists.without_slack(list);
        const auto exclusive = index.locks.exclusive();
        index.lists.exchange(list, smaller);
    } catch (const std::bad_alloc&) {  // it is as good as before
    }
}

/// Gives back what a list has beyond its rows, if there is the memory for another.
template <class State>
void shrink_list(State& index, std::size_t list) noexcept {
    if (index.lists.capacity(list) == index.lists[list].size) return;
    try {
        ivf_lists::piece smaller = index.lists.resized(list, 0);
        const auto exclusive = index.locks.exclusive();
        index.lists.exchange(list, smaller);
    } catch (const std::bad_alloc&) {  // it is as good as before
    }
}
/// Room for so many more rows in the lists too, each of which gets as large a share of it as it has of the rows there
/// are, or all the same if there are none. Strong guarantee.
template <class State>
void make_room_with_lists(State& index, std::size_t extra) {
    make_room(index, extra);
    const std::uint64_t live = index.directory.live();
    const std::uint64_t shares = live == 0 ? index.lists.size() : live;
    try {
        for (std::size_t l = 0; l < index.lists.size(); ++l) {
            const std::uint64_t share = live == 0 ? 1 : index.lists[l].size;
            const auto wanted = static_cast<std::size_t>((share * (live + extra) + shares - 1) / shares);
            if (!index.lists.lacks_room(l, wanted)) continue;
            ivf_lists::piece larger = index.lists.resized(l, wanted);
            const auto exclusive = index.locks.exclusive();
            index.lists.exchange(l, larger);
        }
    } catch (...) {
        for (std::size_t l = 0; l < index.lists.size(); ++l) give_back_list(index, l, true);
        give_back(index, true);
        throw;
    }
}

/// A list in memory of another size.
struct made_list {
    std::uint32_t list;
    ivf_lists::piece rows;
};
/// Those lists made anew that have no room for the rows to come, each for one of `list_of`; all are touched.
template <class State>
[[nodiscard]] std::vector<made_list> lists_with_room(State& index, std::span<const std::uint32_t> list_of) {
    std::vector<std::uint32_t> sorted(list_of.begin(), list_of.end());
    std::sort(sorted.begin(), sorted.end());
    std::vector<made_list> made;
    for (std::size_t first = 0, last = 0; first < sorted.size(); first = last) {
        const std::uint32_t list = sorted[first];
        while (last < sorted.size() && sorted[last] == list) ++last;
        const std::size_t wanted = index.lists[list].size + (last - first);
        if (index.lists.lacks_room(list, wanted)) {
            made.push_back({list, index.lists.grown(list, wanted)});
            index.lists.touch(made.back().rows, wanted);
        } else {
            index.lists.touch(list, wanted);
        }
    }
    return made;
}

}  // namespace detail::ivf

VICINAL_NAMESPACE_END
