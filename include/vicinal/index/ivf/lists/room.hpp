// SPDX-License-Identifier: MIT
// These functions make room for rows of an ivf_index that are to come, and give back that of rows that are gone.
#pragma once

#include <algorithm>  // for copy_n, min, sort
#include <cstddef>    // for size_t, byte
#include <cstdint>    // for uint32_t, uint64_t
#include <new>        // for bad_alloc
#include <span>       // for span
#include <vector>     // for vector

#include "vicinal/core/number_as.hpp"
#include "vicinal/index/common/writing.hpp"
#include "vicinal/index/ivf/lists/codes.hpp"
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
/// Puts the smaller copy of a list that make() returns in its place. Without the memory for one, the list is as good as
/// before.
template <class State, class Make>
void make_smaller(State& index, std::size_t list, const Make& make) noexcept {
    try {
        ivf_lists::piece smaller = make();
        const auto exclusive = index.locks.exclusive();
        index.lists.exchange(list, smaller);
    } catch (const std::bad_alloc&) {
    }
}
template <class State>
void give_back_list(State& index, std::size_t list, bool at_once) noexcept {
    const bool keeps_room = index.directory.room_kept() > index.directory.live();
    if (!keeps_room && index.lists.has_slack(list, at_once))
        make_smaller(index, list, [&] { return index.lists.without_slack(list); });
}
/// Gives back what a list has beyond its rows.
template <class State>
void shrink_list(State& index, std::size_t list) noexcept {
    if (index.lists.capacity(list) != index.lists[list].size)
        make_smaller(index, list, [&] { return index.lists.resized(list, 0); });
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
            const auto wanted = number_as<std::size_t>((share * (live + extra) + shares - 1) / shares);
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

// ---- rows put in place, with readers out ---------------------------------------------------------------------------

template <class State>
void put_lists(State& index, std::span<made_list> made) noexcept {
    for (made_list& each : made) index.lists.exchange(each.list, each.rows);
}
/// The same for any number of lists, with readers out for some at a time.
template <class State>
void put_lists_in_turn(State& index, std::span<made_list> made) noexcept {
    constexpr std::size_t together = 1024;
    for (std::size_t first = 0; first < made.size(); first += together) {
        const auto exclusive = index.locks.exclusive();
        put_lists(index, made.subspan(first, (std::min)(together, made.size() - first)));
    }
}
template <class State>
void put_fine(State& index, slot_t slot, const std::byte* code) noexcept {
    if constexpr (State::two_levels) std::copy_n(code, fine_stride(index), index.rows.fine().rows()[slot]);
}
template <class State>
void join_list(State& index, slot_t slot, std::uint32_t list, const std::byte* code) noexcept {
    index.places[slot] = {list, index.lists.append(list, slot, code)};
}
template <class State>
void leave_list(State& index, slot_t slot) noexcept {
    const ivf_place place = index.places[slot];
    if (const slot_t moved = index.lists.erase(place); moved != no_slot) index.places[moved] = place;
}
/// code  by the codec of the lists
/// fine  of two levels, by the other
template <class State>
void enter(State& index, typename State::id_type id, std::uint32_t list, const std::byte* code,
           const std::byte* fine) noexcept {
    const slot_t slot = index.directory.insert(id);
    put_fine(index, slot, fine);
    join_list(index, slot, list, code);
}
/// Gives a row other codes, in a list that has the room. code, fine  as for enter
template <class State>
void replace(State& index, slot_t slot, std::uint32_t list, const std::byte* code, const std::byte* fine) noexcept {
    if (index.places[slot].list == list) {
        index.lists.rewrite(index.places[slot], code);
    } else {
        leave_list(index, slot);
        join_list(index, slot, list, code);
    }
    put_fine(index, slot, fine);
}
/// The last row takes the number.
template <class State>
void erase(State& index, slot_t slot) noexcept {
    leave_list(index, slot);
    const slot_t moved = index.directory.remove_dense(slot);
    if (moved == no_slot) return;
    index.places[slot] = index.places[moved];
    index.lists.renumber(index.places[slot], slot);
    if constexpr (State::two_levels) put_fine(index, slot, index.rows.fine().rows()[moved]);
}

}  // namespace detail::ivf

VICINAL_NAMESPACE_END
