// SPDX-License-Identifier: MIT
// How an hnsw_index finds the rows closest to a query without a filter, and hands them over.
#pragma once

#include <algorithm>  // for max, min
#include <cstddef>    // for size_t
#include <span>       // for span

#include "vicinal/core/time_limit.hpp"
#include "vicinal/index/common/search.hpp"
#include "vicinal/index/hnsw/graph/duplicates.hpp"
#include "vicinal/index/hnsw/graph/filtered_walk.hpp"
#include "vicinal/index/hnsw/graph/near_duplicates.hpp"
#include "vicinal/index/hnsw/graph/walk.hpp"
#include "vicinal/index/hnsw/state.hpp"
#include "vicinal/scoring/collectors.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::hnsw {

inline constexpr std::size_t default_ef = 64;

/// How many rows the beam of a search for k rows holds, if there are so many. Where rows are found by distances that
/// are only near, the k closest reach a little farther in their order.
template <class State>
[[nodiscard]] std::size_t beam_width(const typename State::params_type& params, std::size_t k) noexcept {
    constexpr bool near_only = State::two_levels || State::approximate_walk;
    return (std::max)(params.ef != 0 ? params.ef : default_ef, near_only ? k + k / 4 : k);
}

// ---- walks ---------------------------------------------------------------------------------------------------------

template <class State>
void begin_walk(const State& index, walk_scratch& walk) {
    walk.begin(index.directory.high_water(), index.graph.capacity(0));
}
/// Where a walk on the lowest level begins.
template <class State, class Scorer>
[[nodiscard]] slot_t start_of(const State& index, const Scorer& scorer, walk_scratch& walk, search_stats& stats) {
    return descend(index.graph, scorer, index.graph.entry(), index.graph.top_level(), 0, walk, stats);
}
/// Where a walk that must find every live row begins: retired rows may have no links left but to retired rows, while
/// upper links still lead to them. From any live row the tree leads to all others.
template <class State>
[[nodiscard]] slot_t live_start(const State& index, slot_t start) noexcept {
    return index.directory.retired() == 0 || index.directory.is_live(start) ? start : index.graph.entry();
}
/// Goes on where a beam is full of near-duplicates of one row, which has not looked elsewhere.
template <class State, class Scorer>
void look_around(const State& index, const Scorer& scorer, walk_scratch& walk, search_stats& stats,
                 const call_limits& limits) {
    const float spread = crowd_in(walk.pool);
    if (spread < 0) return;
    auto other = index.walks.take();
    begin_walk(index, *other);
    leave_crowd(index.graph, scorer, spread, walk, *other, stats, limits);
}
template <class State, class Scorer>
void search_lowest(const State& index, const Scorer& scorer, slot_t start, std::size_t width, walk_scratch& walk,
                   search_stats& stats, const call_limits& limits) {
    beam_search(index.graph, scorer, start, 0, width, walk, stats, limits);
    look_around(index, scorer, walk, stats, limits);
}

/// The same selector for rows of the graph, which stand for duplicates.
template <class State, class Id>
[[nodiscard]] duplicates_selector<Id> of_duplicates(const State& index, const row_selector<Id>& selector) noexcept {
    return {selector, index.duplicates, index.directory.high_water()};
}
/// Whether at least min(k, all there are) of the rows in a beam can be returned.
template <class State, class Id>
[[nodiscard]] bool found_enough(const State& index, const beam& pool, std::size_t k, const row_selector<Id>& selector) {
    if (index.directory.retired() == 0) return true;
    const std::size_t wanted = (std::min)(k, index.directory.live());
    const auto of_any = of_duplicates(index, selector);
    std::size_t count = 0;
    for (std::size_t i = 0; i < pool.size() && count < wanted; ++i)
        count += of_any.count(key_slot(pool[i]), wanted - count);
    return count >= wanted;
}
/// Fills walk.pool with the closest rows by the scorer, of which at least min(k, all there are) can be returned.
template <class State, class Scorer, class Id>
void find_closest(const State& index, const Scorer& scorer, walk_scratch& walk, std::size_t width, std::size_t k,
                  const typename State::params_type& params, const row_selector<Id>& selector, search_stats& stats) {
    begin_walk(index, walk);
    const slot_t start = start_of(index, scorer, walk, stats);
    // Retired rows take places in the beam. They are few; when not few enough, the walk below leaves them out.
    search_lowest(index, scorer, start, width, walk, stats, limits_of(params));
    if (found_enough(index, walk.pool, k, selector)) return;
    begin_walk(index, walk);
    filtered_beam_search(index.graph, scorer, live_start(index, start), 0, width, of_duplicates(index, selector), walk,
                         stats, limits_of(params));
}

// ---- results -------------------------------------------------------------------------------------------------------

/// Scores the beam again by the fine codec and hands it to the collector. Returns false if the fine codec orders its
/// rows otherwise: the coarse one then cannot tell them from others, which it did not let into the beam.
template <class State, class Id, class Collector>
[[nodiscard]] bool deliver_reranked(const State& index, row_scratch& buffers, const beam& pool, std::size_t k,
                                    const typename State::params_type& params, const row_selector<Id>& selector,
                                    Collector& closest, search_stats& stats) {
    const bool number_given = State::two_levels && params.rerank != 0;
    const std::size_t most = number_given ? (std::max)(params.rerank, k) : pool.size();
    const bool choose = params.filter || index.directory.retired() != 0;
    const auto of_any = of_duplicates(index, selector);
    auto& candidates = buffers.candidates;
    candidates.clear();
    for (std::size_t i = 0; i < pool.size() && candidates.size() < most; ++i)
        if (!choose || of_any(key_slot(pool[i]))) candidates.push_back({key_slot(pool[i]), key_distance(pool[i])});
    if (!number_given) {
        candidates.resize(rerank_doubtful(index, buffers, k, closest, stats));
        return pool.size() >= stored_rows(index) || rises(std::span<const neighbor<slot_t>>(candidates));
    }
    buffers.slots.clear();
    for (const auto& candidate : candidates) buffers.slots.push_back(candidate.id);
    rerank(index, buffers, closest, stats);
    return true;
}
/// Whether a beam holds coarse distances, which the fine codec replaces.
template <class State>
inline constexpr bool walks_by_coarse = State::two_levels || State::approximate_walk;

/// Writes the closest rows of walk.pool, which a walk by coarse codes left there, to `out`, by the fine codec's
/// distances, and returns how many.
/// good  is set to whether the coarse codec can tell the rows near the query apart; else they may be others
template <class State, class Id>
[[nodiscard]] std::size_t deliver_by_fine(const State& index, row_scratch& buffers, const walk_scratch& walk,
                                          std::span<neighbor<Id>> out, const typename State::params_type& params,
                                          const row_selector<Id>& selector, bool& good, search_stats& stats) {
    closest_collector<Id> kept(out, selector);
    duplicates_collector closest(kept, index.duplicates, index.directory.high_water());
    good = deliver_reranked(index, buffers, walk.pool, out.size(), params, selector, closest, stats);
    return kept.finish();
}
/// Writes the closest rows of walk.pool, which holds their distances, to `out`, and returns how many.
template <class State, class Id>
[[nodiscard]] std::size_t deliver_pool(const State& index, const walk_scratch& walk, std::span<neighbor<Id>> out,
                                       const row_selector<Id>& selector) {
    closest_collector<Id> kept(out, selector);
    duplicates_collector closest(kept, index.duplicates, index.directory.high_water());
    for (std::size_t i = 0; i < walk.pool.size(); ++i) {
        const float distance = key_distance(walk.pool[i]);
        if (!(distance <= closest.threshold())) break;
        closest.push(key_slot(walk.pool[i]), distance);
    }
    return kept.finish();
}
/// Writes what a walk without a filter left in walk.pool to `out`, and returns how many rows. Where the coarse codec
/// cannot tell the rows near the query apart, they are searched for again by the fine one, unless the time for that is
/// over.
/// ended  whether the walk ended early
template <class State, class Id>
[[nodiscard]] std::size_t deliver(const State& index, row_scratch& buffers, walk_scratch& walk, std::size_t width,
                                  std::span<neighbor<Id>> out, const typename State::params_type& params,
                                  const row_selector<Id>& selector, bool ended, search_stats& stats) {
    if constexpr (walks_by_coarse<State>) {
        bool good = false;
        const std::size_t found = deliver_by_fine(index, buffers, walk, out, params, selector, good, stats);
        if (good || ended) return found;
        if (ends_early([&] {
                find_closest(index, make_fine_scorer(index, buffers), walk, width, out.size(), params, selector, stats);
            })) {
            ++stats.partial;
            return found;
        }
    }
    return deliver_pool(index, walk, out, selector);
}

}  // namespace detail::hnsw

VICINAL_NAMESPACE_END
