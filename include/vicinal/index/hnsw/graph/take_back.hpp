// SPDX-License-Identifier: MIT
// A batch that fails is taken back: its rows leave the graph, and what their links replaced comes back.
#pragma once

#include <algorithm>  // for min
#include <array>      // for array
#include <cstddef>    // for size_t
#include <utility>    // for swap

#include "vicinal/index/hnsw/graph/planned_changes.hpp"
#include "vicinal/index/hnsw/graph/room.hpp"
#include "vicinal/index/hnsw/state.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::hnsw {

/// So many rows are planned or taken back together: enough to share the pruning of their targets, few enough that
/// measuring each against those before it in the batch costs little beside its search.
inline constexpr std::size_t batch_rows = 256;

/// Calls f(slot) for the first `count` rows that a batch added, the last first, with readers out for some at a time.
template <class State, class F>
void for_each_added(State& index, std::size_t count, const graph_journal& journal, const F& f) noexcept {
    while (count > 0) {
        const auto exclusive = index.locks.exclusive();
        for (std::size_t n = (std::min)(count, batch_rows); n > 0; --n) f(journal.added(--count));
    }
}
/// Retires the rows that a batch added, the last first: in the tree, rows come before those below them.
template <class State>
void retire_added(State& index, std::size_t count, const graph_journal& journal) noexcept {
    hnsw_graph& graph = index.graph;
    std::array<slot_t, hnsw_graph::max_level + 2> entries;  // one after the other, while the rows were added
    std::size_t last = 0;
    entries[0] = journal.entry();
    for (std::size_t i = 0; i < count; ++i)
        if (graph.level(journal.added(i)) > graph.level(entries[last])) entries[++last] = journal.added(i);
    for_each_added(index, count, journal, [&](slot_t slot) {
        graph.set_parent(slot, no_slot);
        if (slot == entries[last]) {
            --last;
            graph.set_entry(entries[last], graph.level(entries[last]));
        }
        if (index.duplicates.is_duplicate(slot))
            index.duplicates.detach_first(index.duplicates.node_of(slot));  // the last that came
        else
            index.known.erase(slot);
        if (index.directory.is_live(slot))
            index.directory.retire(slot);
        else
            index.directory.retire_arriving(slot);
    });
}
/// Undoes a batch: its first `count` rows, and what their links replaced; what was learned from it is then forgotten by
/// its learning_step. In steps that each leave a sound graph: rows are retired, then nothing links to them, then their
/// places are free.
template <class State>
void take_back(State& index, std::size_t count, graph_journal& journal,
               typename State::mean_type& mean_before) noexcept {
    hnsw_graph& graph = index.graph;
    if (count != 0 && journal.entry() == no_slot) {
        empty(index);
    } else if (count != 0) {
        retire_added(index, count, journal);
        for (bool more = true; more;) {
            const auto exclusive = index.locks.exclusive();
            more = journal.restore_some();
        }
        for_each_added(index, count, journal, [&](slot_t slot) {
            for (std::size_t level = 0; level <= graph.level(slot); ++level) graph.set_links(slot, level, {});
        });
        for_each_added(index, count, journal, [&](slot_t slot) {
            graph.destroy(slot);
            index.directory.release(slot);
        });
    }
    {
        const auto exclusive = index.locks.exclusive();
        graph.lower_upper(journal.upper_rows());
        std::swap(index.mean, mean_before);
    }
    graph.drop_upper();
    give_back(index, true);
}

}  // namespace detail::hnsw

VICINAL_NAMESPACE_END
