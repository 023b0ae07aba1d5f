// SPDX-License-Identifier: MIT
// How an hnsw_index answers a query with a filter: by a walk, or by measuring every row that is admitted.
//
// The rows near the query decide. A plain walk of some rows shows how many of them are admitted. If they are many, it
// goes on. Else it is found out how many there are anywhere, of a set by its size, of a predicate by a sample: where
// the rest of the walk would take long, or where fewer are near the query than elsewhere, which no walk overcomes, all
// that are admitted are measured; else the walk goes on by two hops, beside the best of the sample. No walk may spend
// more than half of what it takes to measure all that are admitted. One that has, or that found fewer rows than it was
// asked for, ends in that, so that a search finds min(k, admitted rows) at no more than about 1.5 times the cost.
// Nothing depends on the time that anything takes: the same calls have the same results.
#pragma once

#include <algorithm>  // for clamp, max, min
#include <cstddef>    // for size_t
#include <cstdint>    // for uint8_t
#include <span>       // for span

#include "vicinal/core/time_limit.hpp"
#include "vicinal/index/common/admitted.hpp"
#include "vicinal/index/common/search.hpp"
#include "vicinal/index/hnsw/graph/filtered_walk.hpp"
#include "vicinal/index/hnsw/graph/walks.hpp"
#include "vicinal/index/hnsw/state.hpp"
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

/// How a walk ended, and which way it went.
struct walked {
    walk_end end = walk_end::unfinished;
    filter_strategy how = filter_strategy::plain;
};

/// Estimates of what a search costs, in filter_costs. They do not depend on what is known of the filter's answers by
/// earlier queries of a batch, so that its results do not depend on who is searched for beside whom.
struct filter_plan {
    static constexpr double share_for_walks = 0.5;  ///< of the cost of measuring all admitted rows
    double scored;                                  ///< rows that a search without a filter scores
    double live;
    double listed;     ///< the cost of measuring a row
    double finding;    ///< the cost of finding all admitted rows
    double asking;     ///< what it costs to ask about one row, beside what a predicate costs
    std::size_t look;  ///< how many rows a plain walk meets before it is decided how to go on

    template <class Id>
    filter_plan(const admitted_rows<Id>& admitted, std::size_t live_rows, std::size_t width,
                std::size_t row_bytes) noexcept
        : scored(14 * static_cast<double>(width)),
          live(static_cast<double>(live_rows)),
          listed(filter_costs::listed(row_bytes)),
          finding(admitted.filter().lists() && admitted.filter().size() <= live_rows
                      ? filter_costs::found * static_cast<double>(admitted.filter().size())
                      : filter_costs::asked * live),
          asking(admitted.filter().counted() ? filter_costs::looked_up : 0),
          look(std::clamp<std::size_t>(live_rows / 1000, 32, 64)) {}
    /// What it costs to measure all admitted rows, which are a share of `rate` of all.
    [[nodiscard]] double exact(double rate) const noexcept { return finding + listed * rate * live; }
    /// What a plain walk costs where `rate` of the rows it meets are admitted.
    [[nodiscard]] double plain(double rate) const noexcept {
        return (filter_costs::walked + asking) * scored * (0.7 + 0.2 / rate);
    }
    [[nodiscard]] double two_hops(double rate) const noexcept {
        return 0.65 * scored * (filter_costs::hopped + (filter_costs::met + asking) / rate);
    }
    /// What a look costs, with the way down from the top of the graph.
    [[nodiscard]] double looking() const noexcept { return filter_costs::walked * static_cast<double>(look + 40); }
};
template <class State, class Id>
[[nodiscard]] filter_plan make_plan(const State& index, const admitted_rows<Id>& admitted, std::size_t width) noexcept {
    return {admitted, index.directory.live(), width, index.rows.fine().rows().row_bytes()};
}

/// Whether no walk is worth a look: to measure all rows that can be admitted takes not much longer.
template <class Id>
[[nodiscard]] bool measures_at_once(const filter_plan& plan, const admitted_rows<Id>& admitted) noexcept {
    const double most = admitted.counted() ? static_cast<double>(admitted.count()) / plan.live : 1.0;
    return plan.exact(most) < 7 * plan.looking();
}

/// A walk with a filter whose way is chosen as it goes.
template <class State, class Walk, class Id>
class planned_walk {
  public:
    planned_walk(const State& index, Walk& walk, row_scratch& buffers, const filter_plan& plan,
                 admitted_rows<Id>& admitted, const call_limits& limits) noexcept
        : index_(index), walk_(walk), buffers_(buffers), plan_(plan), admitted_(admitted), limits_(limits) {}

    /// Walks until it is over, or it would be better to measure all admitted rows.
    [[nodiscard]] walked choose() {
        if (look(plan_.look / 2) || look(plan_.look)) return plain_end();
        if (near_ >= 0.35) return go_on_plainly();
        const double rate = admitted_.rate();
        const double budget = filter_plan::share_for_walks * plan_.exact(rate);
        if (near_ >= least && near_ > 4 * rate) {  // few anywhere, and these are here: are there enough?
            if (look(4 * plan_.look)) return plain_end();
            return near_ >= 0.35 ? go_on_plainly() : walked{};
        }
        if (fewer_near(rate)) {
            if (rate < least || (std::min)(plan_.plain(rate), plan_.two_hops(rate)) > budget) return {};
            if (look(4 * plan_.look)) return plain_end();  // a short look may deceive
            if (fewer_near(rate)) return {};
        }
        const double local = (std::max)(near_, rate);
        const double plain = plan_.plain(local), two_hops = plan_.two_hops(local);
        if (two_hops <= (std::min)(plain, budget) && local >= least) return go_on_by_two_hops(budget, false);
        if (plain > budget || !walk_.walk_plainly(max_slots, budget, limits_)) return {};
        return plain_end();
    }
    [[nodiscard]] walked only_plainly() {
        (void)walk_.walk_plainly(max_slots, walk_.unlimited, limits_);
        return plain_end();
    }
    [[nodiscard]] walked only_by_two_hops() { return go_on_by_two_hops(walk_.unlimited, true); }

  private:
    static constexpr double least = 0.04;  ///< where fewer are admitted, two hops reach too few to find their way

    /// Walks plainly until so many rows were met, and notes how many were admitted of those met since the last look:
    /// the later, the nearer. Returns whether the walk is over.
    [[nodiscard]] bool look(std::size_t rows) {
        const std::size_t met = walk_.met(), passed = walk_.passed();
        const bool over = walk_.walk_plainly(rows, walk_.unlimited, limits_);
        if (walk_.met() != met)
            near_ = static_cast<double>(walk_.passed() - passed) / static_cast<double>(walk_.met() - met);
        return over;
    }
    [[nodiscard]] bool fewer_near(double rate) const noexcept { return 2.5 * near_ < rate; }
    [[nodiscard]] walked plain_end() const noexcept {
        return {walk_.full() ? walk_end::found : walk_end::everything, filter_strategy::plain};
    }
    /// What a plain walk may spend where `rate` of all rows are admitted: one among admitted rows is almost sure to end
    /// soon, and gets a little more if that is enough.
    [[nodiscard]] double plain_budget(double rate) const noexcept {
        const double exact = plan_.exact(rate);
        return (std::max)(filter_plan::share_for_walks * exact, (std::min)(plan_.plain(near_), 0.65 * exact));
    }
    [[nodiscard]] walked go_on_plainly() {
        if (!admitted_.counted())  // a predicate is sampled only where the walk takes long
            if (walk_.walk_plainly(max_slots, filter_plan::share_for_walks * plan_.exact(0), limits_))
                return plain_end();
        const double budget = plain_budget(admitted_.rate());
        if (plan_.plain(near_) > budget) return {};
        return walk_.walk_plainly(max_slots, budget, limits_) ? plain_end() : walked{};
    }
    /// few  whether a beam that is not full is no sign of rows that were not found
    [[nodiscard]] walked go_on_by_two_hops(double budget, bool few) {
        if (!index_.duplicates.any()) {  // a duplicate is no row of the graph
            (void)sample_filter(index_.directory, admitted_.filter(), &buffers_.slots);
            for (const slot_t slot : buffers_.slots) walk_.seed(slot);
        }
        if (!walk_.walk_by_two_hops(budget, limits_) || (!few && !walk_.full())) return {};
        return {walk_end::found, filter_strategy::two_hop};
    }

    const State& index_;
    Walk& walk_;
    row_scratch& buffers_;
    const filter_plan& plan_;
    admitted_rows<Id>& admitted_;
    const call_limits& limits_;
    double near_ = 0;  ///< how many of the rows near the query are admitted, of 1
};

/// Fills walk.pool with the closest admitted rows by the scorer, in the way that is asked for or chosen.
template <class State, class Scorer, class Id>
[[nodiscard]] walked walk_filtered(const State& index, const Scorer& scorer, walk_scratch& walk, row_scratch& buffers,
                                   const filter_plan& plan, std::size_t width,
                                   const typename State::params_type& params, admitted_rows<Id>& admitted,
                                   search_stats& stats) {
    const call_limits limits = limits_of(params);
    const row_selector<Id> selector = admitted.selector();
    const auto of_any = of_duplicates(index, selector);
    begin_walk(index, walk);
    const slot_t start = live_start(index, start_of(index, scorer, walk, stats));
    filtered_walk walker(index.graph, scorer, 0, width, of_any, walk, stats);
    walker.begin(start);
    planned_walk planned(index, walker, buffers, plan, admitted, limits);
    if (params.filter_strategy == filter_strategy::plain) return planned.only_plainly();
    if (params.filter_strategy == filter_strategy::two_hop) return planned.only_by_two_hops();
    return planned.choose();
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
    const id_filter<Id> any;  // what is listed is admitted: nobody is asked twice
    const row_selector<Id> selector(index.directory, any);
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
    const filter_plan plan = make_plan(index, admitted, width);
    const auto chosen = params.filter_strategy;
    if (chosen == filter_strategy::exact || (chosen == filter_strategy::automatic && measures_at_once(plan, admitted)))
        return find_among_admitted(index, buffers, out, params, admitted, stats);
    walked done;
    std::size_t found = 0;
    const auto walk_by = [&](const auto& scorer) {
        const bool ended = ends_early(
            [&] { done = walk_filtered(index, scorer, walk, buffers, plan, width, params, admitted, stats); });
        stats.partial += ended;
        return ended;
    };
    bool ended = walk_by(make_walk_scorer(index, buffers));
    bool over = ended || done.end != walk_end::unfinished;
    const row_selector<Id> selector = admitted.selector();
    if constexpr (walks_by_coarse<State>) {
        bool good = true;
        if (over) found = deliver_by_fine(index, buffers, walk, out, params, selector, good, stats);
        if (!good && !ended) {  // the coarse codec cannot tell the rows near the query apart
            ended = walk_by(make_fine_scorer(index, buffers));
            over = ended || done.end != walk_end::unfinished;
            if (!ended && over) found = deliver_pool(index, walk, out, selector);
        }
    } else if (over) {
        found = deliver_pool(index, walk, out, selector);
    }
    if (ended || (over && (found == out.size() || done.end == walk_end::everything))) {
        ++(done.how == filter_strategy::two_hop ? stats.two_hop_walks : stats.plain_walks);
        return found;
    }
    ++stats.turned_exact;
    return find_among_admitted(index, buffers, out, params, admitted, stats);
}

}  // namespace detail::hnsw

VICINAL_NAMESPACE_END
