// SPDX-License-Identifier: MIT
// How an hnsw_index answers a query with a filter: by a walk, or by measuring every row that is admitted.
//
// The rows near the query decide. A plain walk of some rows shows how many of them are admitted. If they are many, it
// goes on. Else a sample of all rows shows how many there are anywhere: where the rest of the walk would take as long
// as measuring all that are admitted, or where fewer are near the query than elsewhere, which no walk overcomes, these
// are measured; else the walk goes on by two hops, beside the best of the sample. No walk may spend more than 2/5 of
// what it takes to measure all that are admitted. One that has, or that found fewer rows than it was asked for, ends in
// that, so that a search finds min(k, admitted rows) at no more than about 1.5 times the cost.
#pragma once

#include <algorithm>  // for clamp, max, min
#include <cstddef>    // for size_t
#include <cstdint>    // for uint8_t
#include <span>       // for span

#include "vicinal/core/time_limit.hpp"
#include "vicinal/index/common/admitted.hpp"
#include "vicinal/index/common/search.hpp"
#include "vicinal/index/hnsw/graph/filtered_walk.hpp"
#include "vicinal/index/hnsw/state.hpp"
#include "vicinal/index/hnsw/walks.hpp"
#include "vicinal/params.hpp"
#include "vicinal/scoring/scan.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::hnsw {

/// How a walk with a filter ended.
enum class walk_end : std::uint8_t {
    unfinished,  ///< its budget was spent, or it could not pay
    found,       ///< what it found is the best it can find
    everything,  ///< it met every row that can be reached
};

/// Estimates of what a search costs, in filter_costs.
struct filter_plan {
    static constexpr double share_for_walks = 0.4;  ///< of the cost of measuring all admitted rows
    double scored;                                  ///< rows that a search without a filter scores
    double live;
    double finding;  ///< the cost of finding all admitted rows

    template <class Id>
    filter_plan(const admitted_rows<Id>& admitted, std::size_t live_rows, std::size_t width) noexcept
        : scored(14 * static_cast<double>(width)),
          live(static_cast<double>(live_rows)),
          finding(admitted.listed() ? filter_costs::found * static_cast<double>(admitted.filter().size())
                                    : filter_costs::asked * live) {}
    /// What it costs to measure all admitted rows, which are a share of `rate` of all.
    [[nodiscard]] double exact(double rate) const noexcept { return finding + filter_costs::listed * rate * live; }
    /// What a plain walk costs where `rate` of the rows it meets are admitted.
    [[nodiscard]] double plain(double rate) const noexcept { return filter_costs::walked * scored / (3 * rate); }
    [[nodiscard]] double two_hops(double rate) const noexcept {
        return scored * (filter_costs::hopped + filter_costs::met / rate);
    }
};

/// Whether no walk is worth a look: even a short one would take as long as measuring all rows that can be admitted.
template <class Id>
[[nodiscard]] bool measures_at_once(const filter_plan& plan, const admitted_rows<Id>& admitted) noexcept {
    const double most =
        admitted.listed() ? (std::min)(1.0, static_cast<double>(admitted.filter().size()) / plan.live) : 1.0;
    return filter_plan::share_for_walks * plan.exact(most) < filter_costs::hopped * plan.scored;
}

/// Walks until it is over, or it would be better to measure all admitted rows.
template <class State, class Scorer, class Id>
[[nodiscard]] walk_end walk_filtered(const State& index, const Scorer& scorer, walk_scratch& walk, row_scratch& buffers,
                                     std::size_t width, const typename State::params_type& params,
                                     admitted_rows<Id>& admitted, search_stats& stats) {
    using enum filter_strategy;
    const call_limits limits = limits_of(params);
    const row_selector<Id> selector = admitted.selector();
    const auto of_any = of_duplicates(index, selector);
    begin_walk(index, walk);
    const slot_t start = live_start(index, start_of(index, scorer, walk, stats));
    filtered_walk walker(index.graph, scorer, 0, width, of_any, walk, stats);
    walker.begin(start);
    const bool automatic_choice = params.filter_strategy == automatic;
    const filter_plan plan(admitted, index.directory.live(), width);
    constexpr std::size_t all = max_slots;
    const auto looked_at = automatic_choice ? std::clamp<std::size_t>(index.directory.live() / 400, 64, 256)
                                            : (params.filter_strategy == plain ? all : 0);
    if (walker.walk_plainly(looked_at, walker.unlimited, limits)) {
        ++stats.plain_walks;
        return walk.pool.full() ? walk_end::found : walk_end::everything;
    }
    const double near = static_cast<double>(walker.passed()) / static_cast<double>((std::max<std::size_t>)(1, walker.met()));
    double budget = walker.unlimited;
    if (automatic_choice && (near >= 0.35 || walker.passed() >= width)) {
        budget = filter_plan::share_for_walks * plan.exact(near);
        if ((plan.plain(near) <= budget || walker.passed() >= width) && walker.walk_plainly(all, budget, limits)) {
            ++stats.plain_walks;
            return walk.pool.full() ? walk_end::found : walk_end::everything;
        }
        return walk_end::unfinished;
    }
    const double rate = sample_filter(index.directory, admitted.filter(), &buffers.slots).rate;
    if (automatic_choice) {
        budget = filter_plan::share_for_walks * plan.exact(rate);
        const bool fewer_near = near < rate / 8;
        const double least = 0.02;  // below that, two hops reach too few rows to find their way
        if (fewer_near || (std::max)(near, rate) < least || plan.two_hops((std::max)(near, rate)) > budget)
            return walk_end::unfinished;
    }
    if (!index.duplicates.any())  // a duplicate is no row of the graph
        for (const slot_t slot : buffers.slots) walker.seed(slot);
    if (!walker.walk_by_two_hops(budget, limits)) return walk_end::unfinished;
    ++stats.two_hop_walks;
    return walk_end::found;
}

/// Measures every admitted row.
template <class State, class Id, class Collector>
void measure_admitted(const State& index, row_scratch& buffers, const typename State::params_type& params,
                      admitted_rows<Id>& admitted, Collector& collector, search_stats& stats) {
    const call_limits limits = limits_of(params);
    ++stats.exact_scans;
    stats.partial += ends_early([&] {
        admitted.list(buffers.slots, limits);
        stats.distances += buffers.slots.size();
        score_listed(make_fine_scorer(index, buffers), std::span<const slot_t>(buffers.slots), collector,
                     [&] { limits.check(); });
    });
}
template <class State, class Id>
[[nodiscard]] std::size_t find_among_admitted(const State& index, row_scratch& buffers, std::span<neighbor<Id>> out,
                                              const typename State::params_type& params, admitted_rows<Id>& admitted,
                                              search_stats& stats) {
    const row_selector<Id> selector(index.directory, params.filter);
    closest_collector<Id> closest(out, selector);
    measure_admitted(index, buffers, params, admitted, closest, stats);
    return closest.finish();
}

/// Writes the closest rows that the filter admits to `out`, and returns how many.
template <class State, class Id>
[[nodiscard]] std::size_t search_filtered(const State& index, row_scratch& buffers, walk_scratch& walk,
                                          std::span<neighbor<Id>> out, const typename State::params_type& params,
                                          admitted_rows<Id>& admitted, search_stats& stats) {
    const std::size_t width = (std::min)(beam_width<State>(params, out.size()), stored_rows(index));
    const auto chosen = params.filter_strategy;
    if (chosen == filter_strategy::exact ||
        (chosen == filter_strategy::automatic &&
         measures_at_once(filter_plan(admitted, index.directory.live(), width), admitted)))
        return find_among_admitted(index, buffers, out, params, admitted, stats);
    auto end = walk_end::unfinished;
    const bool ended = ends_early([&] {
        end = walk_filtered(index, make_walk_scorer(index, buffers), walk, buffers, width, params, admitted, stats);
    });
    stats.partial += ended;
    if (ended || end != walk_end::unfinished) {
        const row_selector<Id> selector = admitted.selector();
        bool good = true;
        std::size_t found = 0;
        if constexpr (walks_by_coarse<State>)
            found = deliver_by_fine(index, buffers, walk, out, params, selector, good, stats);
        else
            found = deliver_pool(index, walk, out, selector);
        if (ended || (good && (found == out.size() || end == walk_end::everything))) return found;
    }
    ++stats.turned_exact;
    return find_among_admitted(index, buffers, out, params, admitted, stats);
}

}  // namespace detail::hnsw

VICINAL_NAMESPACE_END
