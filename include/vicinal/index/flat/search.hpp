// SPDX-License-Identifier: MIT
// How a flat index answers one query: it scores every row, or every row that a filter admits.
#pragma once

#include <algorithm>  // for sort
#include <cstddef>    // for size_t
#include <span>       // for span
#include <vector>     // for vector

#include "vicinal/core/progress.hpp"
#include "vicinal/core/vector_view.hpp"
#include "vicinal/index/common/admitted.hpp"
#include "vicinal/index/common/joint_scan.hpp"
#include "vicinal/index/common/search.hpp"
#include "vicinal/index/flat/state.hpp"
#include "vicinal/scoring/scan.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::flat {

/// How many rows a scan passes over in the time that one row takes which is measured by itself.
[[nodiscard]] constexpr double rows_scanned_for_one(scan_algorithm how) noexcept {
    using enum scan_algorithm;
    if (how == table_prefilter || how == table_estimates || how == sign_bounds) return 16;
    if (how == integer_prefilter || how == normalize || how == distance_bounds) return 6;
    return 2;
}
/// Whether rows measured by themselves come out as in a scan, which then may depend on how long a filter takes.
[[nodiscard]] constexpr bool scans_as_listed(scan_algorithm how) noexcept {
    return how != scan_algorithm::table_estimates && how != scan_algorithm::sign_bounds;
}

/// Whether a filter is sure to admit so many rows that none would be listed for it, as those that exclude a few.
/// one  rows_scanned_for_one
template <class State>
[[nodiscard]] bool admits_most(const State& index, const id_filter<typename State::id_type>& filter,
                               double one = rows_scanned_for_one(State::algorithm)) noexcept {
    const double live = static_cast<double>(index.directory.live());
    return !filter || (filter.excludes() && (live - static_cast<double>(filter.size())) * one > live);
}

/// Lists the rows that the filter admits in buffers.slots if `queries` queries that measure just these take less time
/// than scans that ask the filter about what they find close. A set's rows are found by their ids. A predicate is asked
/// about a sample of the rows, and about all where they would be few, and the answers cost less than they spare.
template <class State>
[[nodiscard]] bool list_admitted(const State& index, const id_filter<typename State::id_type>& filter,
                                 std::size_t queries, row_scratch& buffers, const call_limits& limits) {
    const double live = static_cast<double>(index.directory.live());
    if (!filter || live == 0) return false;
    // Many queries together scan rows by tiles or columns, but measure listed ones each by itself.
    const double one = scans_as_listed(State::algorithm) && queries >= fewest_tiled
                           ? 4 * rows_scanned_for_one(State::algorithm)
                           : rows_scanned_for_one(State::algorithm);
    admitted_rows<typename State::id_type> admitted(index.directory, filter, buffers.admitted);
    if (admitted.listed()) {
        if (static_cast<double>(filter.size()) * one > live) return false;
        admitted.list(buffers.slots, limits);
        return true;
    }
    if (admits_most(index, filter, one)) return false;
    const filter_sample sample = sample_filter(index.directory, filter);
    if (sample.rate * one > 1) return false;
    if constexpr (scans_as_listed(State::algorithm)) {
        constexpr double bytes_a_second = 1e10;  // of a scan; a wrong guess costs time, and changes no result
        const double scanned = 1e-9 + static_cast<double>(index.rows.coarse().rows().row_bytes()) / bytes_a_second;
        if (sample.seconds > (1 - sample.rate * one) * scanned * static_cast<double>(queries)) return false;
    }
    admitted.list(buffers.slots, limits);
    return true;
}

/// Pushes all rows to a collector, or just those that the filter admits.
template <class State, class Scorer, class Collector>
void scan(const State& index, const Scorer& scorer, row_scratch& buffers, const typename State::params_type& params,
          Collector& collector, search_stats& stats) {
    const auto check_stop = [limits = limits_of(params)] { limits.check(); };
    if (list_admitted(index, params.filter, 1, buffers, limits_of(params))) {
        ++stats.exact_scans;
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
