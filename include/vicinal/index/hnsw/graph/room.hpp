// SPDX-License-Identifier: MIT
// These functions make room for rows of an hnsw_index that are to come, and give back that of rows that are gone.
#pragma once

#include <algorithm>  // for max
#include <cstddef>    // for size_t
#include <cstdint>    // for uint64_t
#include <new>        // for bad_alloc
#include <utility>    // for swap
#include <vector>     // for vector

#include "vicinal/index/common/reserving.hpp"
#include "vicinal/index/common/writing.hpp"
#include "vicinal/index/hnsw/state.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::hnsw {

/// Makes the table of known codes smaller, if that is worth it and there is the memory for a smaller one.
/// at_once  as of give_back_rows
template <class State>
void forget_room_of_known(State& index, bool at_once) noexcept {
    try {
        auto smaller = index.known.reduced((std::max)(index.directory.room_kept(), index.directory.live()), at_once);
        if (smaller.empty()) return;
        const auto exclusive = index.locks.exclusive();
        index.known.take(smaller);
    } catch (const std::bad_alloc&) {  // it stays as it is
    }
}
/// Gives back memory that rows no longer need: of free rows behind all that are in use.
/// at_once  as of give_back_rows
template <class State>
void give_back(State& index, bool at_once = false) noexcept {
    if (const std::size_t end = index.directory.used_end(); end < index.directory.high_water()) {
        const auto exclusive = index.locks.exclusive();
        index.directory.lower_high_water(end);
        index.graph.lower(end);
        index.duplicates.lower(end);
    }
    index.graph.give_back(index.directory.rows_to_hold(), at_once);
    index.duplicates.give_back(at_once);
    index.retired.give_back();
    forget_room_of_known(index, at_once);
    give_back_rows(index, at_once);
}
/// Makes room for `extra` rows beyond those in use, but not for their links. Strong guarantee.
template <class State>
void make_room(State& index, std::size_t extra) {
    try {
        reserve_extra(index, extra);
        index.directory.reserve_free(index.directory.rows_to_hold(extra));
        const std::size_t known = (std::max)(index.directory.room_kept(), index.directory.live() + extra);
        if (auto bigger = index.known.enlarged(known); !bigger.empty()) {
            const auto exclusive = index.locks.exclusive();
            index.known.take(bigger);
        }
    } catch (...) {
        give_back(index, true);
        throw;
    }
}
/// Makes room for the links of rows [first, rows), which are to come.
inline void reserve_links(hnsw_graph& graph, std::uint64_t seed, std::size_t first, std::size_t rows) {
    std::vector<std::size_t> levels(hnsw_graph::max_level + 1, 0);
    std::size_t upper = 0;
    graph.reserve(rows, 0);  // first, as what follows takes time
    for (std::size_t row = first; row < rows; ++row) {
        const std::size_t level = graph.draw_level(seed, static_cast<slot_t>(row));
        ++levels[level];
        upper += level;
    }
    graph.reserve(rows, upper);
    for (std::size_t level = 1; level < levels.size(); ++level) graph.reserve_destroy(level, levels[level]);
}
/// Makes room for `extra` rows and their links. Strong guarantee.
template <class State>
void make_room_with_links(State& index, std::size_t extra) {
    make_room(index, extra);
    try {
        reserve_links(index.graph, index.params.seed, index.directory.high_water(),
                      index.directory.rows_to_hold(extra));
    } catch (...) {
        give_back(index, true);
        throw;
    }
}
template <class State>
void reserve(State& index, std::size_t rows) {
    reserve_rows(index, rows, [&](std::size_t extra) { make_room_with_links(index, extra); });
}
/// Makes a row's place free, which nothing links to any more. Readers are out.
template <class State>
void release(State& index, slot_t row) noexcept {
    index.graph.destroy(row);
    index.directory.release(row);
}
/// Forgets all rows and their links at once, where a change leaves none.
template <class State>
void empty(State& index) noexcept {
    std::vector<slot_t> table, known_table;  // freed, as the rest, when readers are in again
    row_duplicates no_duplicates;
    typename State::mean_type no_mean;
    {
        const auto exclusive = index.locks.exclusive();
        index.directory.clear(table);
        index.graph.clear();
        std::swap(index.duplicates, no_duplicates);
        index.known.exchange(known_table);
        std::swap(index.mean, no_mean);
    }
    index.retired.clear();
    index.directory.forget_free();
    index.graph.drop_upper();
}

}  // namespace detail::hnsw

VICINAL_NAMESPACE_END
