// SPDX-License-Identifier: MIT
// How an hnsw_index answers one query: its closest rows, or those within a radius.
#pragma once

#include <algorithm>  // for min, sort
#include <cstddef>    // for size_t
#include <span>       // for span
#include <vector>     // for vector

#include "vicinal/core/time_limit.hpp"
#include "vicinal/core/vector_view.hpp"
#include "vicinal/index/common/search.hpp"
#include "vicinal/index/hnsw/graph/duplicates.hpp"
#include "vicinal/index/hnsw/graph/filtered.hpp"
#include "vicinal/index/hnsw/graph/walk.hpp"
#include "vicinal/index/hnsw/graph/walks.hpp"
#include "vicinal/index/hnsw/state.hpp"
#include "vicinal/scoring/collectors.hpp"
#include "vicinal/scoring/scan.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::hnsw {

/// Writes the closest rows to `out`, and returns how many.
template <class State>
std::size_t search(const State& index, vector_view query, std::span<neighbor<typename State::id_type>> out,
                   const typename State::params_type& params) {
    auto lease = index.scratch.take();
    auto walk = index.walks.take();
    validate_query(index, *lease, query);
    const auto shared = index.locks.shared();
    call_stats stats(params.stats, lease->done);
    if (out.empty() || index.directory.live() == 0) return 0;
    if (params.filter) {
        admitted_rows<typename State::id_type> admitted(index.directory, params.filter, lease->admitted);
        return search_filtered(index, *lease, *walk, out, params, admitted, stats.now);
    }
    const row_selector<typename State::id_type> selector(index.directory, params.filter);
    const std::size_t width = (std::min)(beam_width<State>(params, out.size()), stored_rows(index));
    const bool ended = ends_early([&] {
        find_closest(index, make_walk_scorer(index, *lease), *walk, width, out.size(), params, selector, stats.now);
    });
    stats.now.partial += ended;
    return deliver(index, *lease, *walk, width, out, params, selector, ended, stats.now);
}

template <class State>
[[nodiscard]] std::vector<neighbor<typename State::id_type>> search_within(const State& index, vector_view query,
                                                                           float radius,
                                                                           const typename State::params_type& params) {
    using id_type = typename State::id_type;
    require_radius(radius);
    auto lease = index.scratch.take();
    auto walk = index.walks.take();
    validate_query(index, *lease, query);
    const auto shared = index.locks.shared();
    call_stats stats(params.stats, lease->done);
    std::vector<neighbor<id_type>> hits;
    if (index.directory.live() == 0) return hits;
    const row_selector<id_type> selector(index.directory, params.filter);
    const auto scorer = make_fine_scorer(index, *lease);
    if (admitted_rows admitted(index.directory, params.filter, lease->admitted);
        admitted.listed() && params.filter.size() <= index.directory.live() / 4) {
        radius_collector<id_type> within(radius, hits, selector);
        measure_admitted(index, *lease, params, admitted, within, stats.now);
        std::sort(hits.begin(), hits.end(), closer<id_type>);
        return hits;
    }
    const std::size_t width = (std::min)(beam_width<State>(params, 0), stored_rows(index));
    begin_walk(index, *walk);
    const slot_t start = live_start(index, start_of(index, scorer, *walk, stats.now));
    radius_collector<id_type> within(radius, hits, selector);
    duplicates_collector all(within, index.duplicates, index.directory.high_water());
    const call_limits limits = limits_of(params);
    stats.now.partial += ends_early([&] {
        search_lowest(index, scorer, start, width, *walk, stats.now, limits);
        flood_within(index.graph, scorer, radius, index.directory.high_water(), *walk, stats.now, limits,
                     [&](slot_t node, float distance) { all.push(node, distance); });
    });
    std::sort(hits.begin(), hits.end(), closer<id_type>);
    return hits;
}

// ---- rows by their ids ---------------------------------------------------------------------------------------------

template <class State>
void read_row(const State& index, slot_t slot, std::span<float> out) {
    index.rows.fine().read(slot, out);
}
template <class State, class Collector>
void score_rows(const State& index, row_scratch& buffers, std::span<const slot_t> slots, Collector& collector,
                search_stats& stats) {
    stats.distances += slots.size();
    score_listed(make_fine_scorer(index, buffers), slots, collector, [] {});
}

}  // namespace detail::hnsw

VICINAL_NAMESPACE_END
