// SPDX-License-Identifier: MIT
// Rows leave an hnsw_index in two parts: what follows is planned beside readers, then put in place at once.
#pragma once

#include <cstddef>  // for size_t
#include <utility>  // for swap

#include "vicinal/index/hnsw/graph/consolidate.hpp"
#include "vicinal/index/hnsw/graph/planned_changes.hpp"
#include "vicinal/index/hnsw/graph/room.hpp"
#include "vicinal/index/hnsw/state.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::hnsw {

template <class State>
using consolidator_of = hnsw_consolidator<typename State::metric_type, typename State::fine_codec,
                                          typename State::isa_type, id_map<typename State::id_type>>;
/// The row that is left over when the id of `leaving` goes: the first duplicate of its vector, or no_slot if there is
/// none, so that the row itself has to leave the graph.
template <class State>
[[nodiscard]] slot_t row_to_spare(const State& index, slot_t leaving) noexcept {
    return index.duplicates.next(index.duplicates.node_of(leaving));
}
/// Takes the id of `leaving` away, and lets that of `spare` have its row. Readers are out.
template <class State>
void retire(State& index, slot_t leaving, slot_t spare) noexcept {
    if (spare != no_slot) index.duplicates.detach_first(index.duplicates.node_of(spare));
    if (spare == no_slot || spare == leaving)
        index.directory.retire(leaving);
    else
        index.directory.retire_for(leaving, spare);
}
/// What follows when row `leaving` of the graph, unless that is no_slot, is retired, in favour of `arriving` if that is
/// a row: the tree, the entry, and a stretch of repairs.
template <class State>
void plan_removal(State& index, graph_changes& changes, slot_t leaving, slot_t arriving,
                  const typename State::mean_type& mean_then) {
    if (leaving == no_slot && index.directory.retired() == 0) return;
    consolidator_of<State> consolidator(index.metric, index.rows.fine(), changes, index.directory, leaving, arriving,
                                        mean_then.point());
    if (leaving != no_slot) {
        consolidator.hand_over_children();
        consolidator.replace_entry([&](slot_t slot) { return !index.duplicates.is_duplicate(slot); });
    }
    const auto [first, last] =
        index.retired.next_stretch(index.directory.high_water_after(arriving == no_slot ? 0 : 1));
    for (std::size_t row = first; row < last; ++row) consolidator.repair(static_cast<slot_t>(row));
}
/// Goes on behind the stretch that was repaired. Readers are out.
template <class State>
void advance_sweep(State& index) noexcept {
    if (index.directory.retired() != 0)
        index.retired.advance(index.directory.high_water(), [&](slot_t row) { release(index, row); });
}
/// The rest of it, when the id of `leaving` is gone and all that was planned is in place. Nothing links to `spare`, so
/// its place is free at once. Readers are out.
template <class State>
void finish_removal(State& index, slot_t leaving, slot_t spare) noexcept {
    if (spare == no_slot) {
        index.known.erase(leaving);
        index.retired.add(leaving);
    } else {
        release(index, spare);
    }
    advance_sweep(index);
}
/// Repairs one stretch of links, as a removal does beside its own work.
template <class State>
void sweep_on(State& index) {
    graph_changes changes(index.graph);
    plan_removal(index, changes, no_slot, no_slot, index.mean);
    const auto exclusive = index.locks.exclusive();
    changes.publish();
    advance_sweep(index);
}
/// Repairs links until nothing leads to a retired row any more, in the steps that removals would take.
template <class State>
void finish_sweep(State& index) {
    while (index.directory.retired() != 0) sweep_on(index);
}

/// Puts a planned removal in place, with the row that comes instead, if one does: insert() makes it live.
template <class State, class Insert>
void publish_removal(State& index, slot_t leaving, slot_t spare, graph_changes& changes,
                     typename State::mean_type& mean_then, const Insert& insert) noexcept {
    const auto exclusive = index.locks.exclusive();
    retire(index, leaving, spare);
    changes.publish();
    insert();
    std::swap(index.mean, mean_then);  // what it replaces is freed when readers are in again
    finish_removal(index, leaving, spare);
}

}  // namespace detail::hnsw

VICINAL_NAMESPACE_END
