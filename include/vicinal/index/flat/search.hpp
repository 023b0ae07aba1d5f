// SPDX-License-Identifier: MIT
// How a flat index answers one query: it scores every row.
#pragma once

#include <algorithm>  // for sort
#include <cstddef>    // for size_t
#include <span>       // for span
#include <vector>     // for vector

#include "vicinal/core/progress.hpp"
#include "vicinal/core/vector_view.hpp"
#include "vicinal/index/common/search.hpp"
#include "vicinal/index/flat/state.hpp"
#include "vicinal/scoring/scan.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::flat {

/// Pushes all rows to a collector, or those few that the filter names.
template <class State, class Scorer, class Collector>
void scan(const State& index, const Scorer& scorer, row_scratch& buffers, const typename State::params_type& params,
          Collector& collector, search_stats& stats) {
    const auto check_stop = [limits = limits_of(params)] { limits.check(); };
    if (list_few(index, params.filter, buffers.slots)) {
        stats.distances += buffers.slots.size();
        score_listed(scorer, std::span<const slot_t>(buffers.slots), collector, check_stop);
    } else {
        stats.distances += index.directory.high_water();
        scan_rows(scorer, scorer.rows(), index.directory.high_water(), collector, own_slot, buffers.bounds, check_stop);
    }
}

template <class State>
std::size_t search(const State& index, vector_view query, std::span<neighbor<typename State::id_type>> out,
                   const typename State::params_type& params) {
    return search_closest(index, query, out, params,
                          [&](const auto& scorer, auto& buffers, auto& collector, auto& stats) {
                              scan(index, scorer, buffers, params, collector, stats);
                          });
}

/// The rows within a radius, in no order. did  gets what this took, if given
template <class State>
[[nodiscard]] std::vector<neighbor<typename State::id_type>> collect_within(const State& index, vector_view query,
                                                                            float radius,
                                                                            const typename State::params_type& params,
                                                                            search_stats* did = nullptr) {
    using id_type = typename State::id_type;
    auto lease = index.scratch.take();
    validate_query(index, *lease, query);
    const auto shared = index.locks.shared();
    call_stats stats(params.stats, lease->done);
    std::vector<neighbor<id_type>> hits;
    const row_selector<id_type> admits(index.directory, params.filter);
    radius_collector<id_type> within(radius, hits, admits);
    stats.now.partial += ends_early([&] {
        if constexpr (State::two_levels || !is_exact(State::algorithm))
            scan(index, make_fine_scorer(index, *lease), *lease, params, within, stats.now);
        else
            scan(index, make_scan_scorer(index, *lease), *lease, params, within, stats.now);
    });
    if (did != nullptr) *did = stats.now;
    return hits;
}

template <class State>
[[nodiscard]] std::vector<neighbor<typename State::id_type>> search_within(const State& index, vector_view query,
                                                                           float radius,
                                                                           const typename State::params_type& params) {
    require_radius(radius);
    auto hits = collect_within(index, query, radius, params);
    std::sort(hits.begin(), hits.end(), closer<typename State::id_type>);
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
    if constexpr (State::two_levels || !is_exact(State::algorithm))
        score_listed(make_fine_scorer(index, buffers), slots, collector, [] {});
    else
        score_listed(make_scan_scorer(index, buffers), slots, collector, [] {});
}

}  // namespace detail::flat

VICINAL_NAMESPACE_END
