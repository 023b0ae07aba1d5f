// SPDX-License-Identifier: MIT
// How an hnsw_index answers many queries: a few take turns on each thread, one computing while the others wait for
// memory.
#pragma once

#include <array>     // for array
#include <cstddef>   // for size_t
#include <optional>  // for optional
#include <span>      // for span

#include "vicinal/core/rows_view.hpp"
#include "vicinal/core/time_limit.hpp"
#include "vicinal/index/common/batch.hpp"
#include "vicinal/index/hnsw/search.hpp"
#include "vicinal/index/hnsw/state.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::hnsw {

/// How many queries take turns on one thread.
inline constexpr std::size_t queries_together = 4;

/// One of the queries that take turns.
template <class State>
struct turn {
    using scorer_type = typename State::walk_scorer_type;
    std::optional<typename scratch_pool<typename State::scratch_type>::lease> lease;
    std::optional<scratch_pool<walk_scratch>::lease> walk;
    std::optional<scorer_type> scorer;
    std::optional<descent<hnsw_graph, scorer_type>> upper;
    std::optional<beam_walk<hnsw_graph, scorer_type>> lowest;
    bool ended = false;  ///< early, by a deadline

    void begin(const State& index, search_stats& stats) {
        begin_walk(index, **walk);
        scorer.emplace(make_walk_scorer(index, **lease));
        upper.emplace(index.graph, *scorer, **walk, stats);
        upper->begin(index.graph.entry(), index.graph.top_level(), 0);
    }
    void begin_lowest(const State& index, std::size_t width, search_stats& stats) {
        lowest.emplace(index.graph, *scorer, 0, **walk, stats);
        lowest->begin(upper->closest(), width);
    }
    /// Asks for what deliver will read first.
    void ask_for_results(const State& index, std::size_t k) {
        const beam& pool = (*walk)->pool;
        const auto fine = make_fine_scorer(index, **lease);
        for (std::size_t i = 0; i < (std::min)(k, pool.size()); ++i) {
            const slot_t slot = key_slot(pool[i]);
            index.directory.prefetch(slot);
            if constexpr (State::two_levels) fine.prefetch(&slot, 1);
        }
    }
};

/// Walks to the end; walk_of(turn) is a descent or a walk of the lowest level.
template <class State, class WalkOf>
void take_turns(std::span<turn<State>> turns, const call_limits& limits, const WalkOf& walk_of) {
    std::array<turn<State>*, queries_together> going{};
    std::size_t left = 0;
    for (turn<State>& t : turns) going[left++] = &t;
    for (std::size_t round = 0; left > 0; ++round) {
        if (round % 32 == 0) limits.check();
        std::size_t still = 0;
        for (std::size_t i = 0; i < left; ++i)
            if (walk_of(*going[i]).gather()) {
                if (left > 1) walk_of(*going[i]).prefetch();
                going[still++] = going[i];
            }
        left = still;
        for (std::size_t i = 0; i < left; ++i) walk_of(*going[i]).absorb();
    }
}

/// Walks the graph for all queries, from the top to the lowest level.
template <class State>
void walk_in_turns(const State& index, std::span<turn<State>> turns, std::size_t width, search_stats& stats,
                   const call_limits& limits) {
    for (turn<State>& t : turns) t.begin(index, stats);
    // One that ends early here ends early below, too, from where it is.
    (void)ends_early([&] {
        take_turns<State>(
            turns, limits, [](turn<State> & t) -> auto& { return *t.upper; });
    });
    for (turn<State>& t : turns) t.begin_lowest(index, width, stats);
    // A walk by integers asks for enough short rows at once to keep the memory busy: several would only share the
    // cache.
    const std::size_t at_once = State::approximate_walk ? 1 : turns.size();
    for (std::size_t i = 0; i < turns.size(); i += at_once)
        if (ends_early([&] {
                take_turns<State>(
                    turns.subspan(i, at_once), limits, [](turn<State> & t) -> auto& { return *t.lowest; });
                for (turn<State>& t : turns.subspan(i, at_once)) look_around(index, *t.scorer, **t.walk, stats, limits);
            })) {
            for (turn<State>& t : turns.subspan(i, at_once)) t.ended = true;
            stats.partial += at_once;
        }
}

/// Searches for several queries on this thread, at most queries_together. The results are those of search.
template <class State, class RoomOf>
void search_together(const State& index, rows_view queries, const RoomOf& room, std::span<std::size_t> found,
                     const typename State::params_type& params) {
    using id_type = typename State::id_type;
    std::array<turn<State>, queries_together> turns;
    const std::span<turn<State>> all = std::span(turns).first(queries.rows());
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i].lease.emplace(index.scratch.take());
        all[i].walk.emplace(index.walks.take());
        validate_query(index, **all[i].lease, queries[i]);
    }
    auto shared = index.locks.shared();
    if (index.directory.retired() != 0) {  // these may need the other walk
        shared.unlock();
        for (std::size_t i = 0; i < all.size(); ++i) found[i] = search(index, queries[i], room(i), params);
        return;
    }
    call_stats stats(params.stats, (*all[0].lease)->done, all.size());
    const std::size_t k = room(0).size();
    if (k == 0 || index.directory.live() == 0) return;
    const std::size_t width = (std::min)(beam_width<State>(params, k), stored_rows(index));
    walk_in_turns(index, all, width, stats.now, limits_of(params));
    for (turn<State>& t : all) t.ask_for_results(index, k);
    const row_selector<id_type> selector(index.directory, params.filter);
    for (std::size_t i = 0; i < all.size(); ++i)
        found[i] =
            deliver(index, **all[i].lease, **all[i].walk, width, room(i), params, selector, all[i].ended, stats.now);
}

/// How many queries with a filter a task takes: what the filter said of all rows serves them all.
inline constexpr std::size_t filtered_together = 64;

/// Searches for several queries with a filter, one after the other. The results are those of search.
template <class State, class RoomOf>
void search_filtered_together(const State& index, rows_view queries, const RoomOf& room, std::span<std::size_t> found,
                              const typename State::params_type& params) {
    auto lease = index.scratch.take();
    auto walk = index.walks.take();
    for (std::size_t i = 0; i < queries.rows(); ++i) validate_query(index, *lease, queries[i]);
    const auto shared = index.locks.shared();
    call_stats stats(params.stats, lease->done, queries.rows());
    if (index.directory.live() == 0) return;
    admitted_rows<typename State::id_type> admitted(index.directory, params.filter, lease->admitted);
    for (std::size_t i = 0; i < queries.rows() && !room(i).empty(); ++i) {
        validate_query(index, *lease, queries[i]);
        found[i] = search_filtered(index, *lease, *walk, room(i), params, admitted, stats.now);
    }
}

template <class State>
[[nodiscard]] search_table<typename State::id_type> search(const State& index, rows_view queries, std::size_t k,
                                                           const typename State::params_type& params) {
    if (params.filter_of)
        return run_batch<typename State::id_type>(
            queries, index.dim, k, params, [&](vector_view query, auto room, const typename State::params_type& own) {
                return search(index, query, room, own);
            });
    if (params.filter)
        return run_batch<typename State::id_type>(
            queries, index.dim, k, params, queries_a_task(queries.rows(), filtered_together, 1, params),
            [&](rows_view some, auto room, std::span<std::size_t> found, const typename State::params_type& own) {
                search_filtered_together(index, some, room, found, own);
            });
    return run_batch<typename State::id_type>(
        queries, index.dim, k, params, queries_together,
        [&](rows_view some, auto room, std::span<std::size_t> found, const typename State::params_type& own) {
            search_together(index, some, room, found, own);
        });
}

}  // namespace detail::hnsw

VICINAL_NAMESPACE_END
