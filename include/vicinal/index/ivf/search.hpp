// SPDX-License-Identifier: MIT
// How an inverted file answers one query: it scans the lists whose centroids are closest.
#pragma once

#include <algorithm>  // for sort
#include <cstddef>    // for size_t
#include <cstdint>    // for uint32_t
#include <span>       // for span
#include <string>     // for string
#include <vector>     // for vector

#include "vicinal/core/progress.hpp"
#include "vicinal/core/vector_view.hpp"
#include "vicinal/index/common/admitted.hpp"
#include "vicinal/index/common/search.hpp"
#include "vicinal/index/ivf/lists/codes.hpp"
#include "vicinal/index/ivf/lists/lists.hpp"
#include "vicinal/index/ivf/lists/places.hpp"
#include "vicinal/index/ivf/lists/probes.hpp"
#include "vicinal/index/ivf/state.hpp"
#include "vicinal/scoring/scan.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::ivf {

/// The `count` closest lists to the query in `buffers`, into buffers.probes.
template <class State>
void find_probes(const State& index, list_scratch& buffers, std::size_t count) {
    buffers.probes.resize(count);
    const scorer<typename State::metric_type, f32, typename State::isa_type> score(
        index.metric, index.centroids.store(), buffers.query.data(), buffers.decoded);
    buffers.probe_keys.resize(reservoir::room(count, index.centroids.size()));
    buffers.probes.resize(closest_lists(score, index.centroids.size(), buffers.probe_keys, buffers.probes));
}

/// Pushes these rows by their codes in the lists.
template <class State, class Collector, class BeforeBlock>
void score_in_lists(const State& index, typename State::coarse_scorer_type scorer, std::span<const slot_t> slots,
                    Collector& collector, BeforeBlock before_block) {
    for (const slot_t slot : slots) {
        const ivf_place place = place_of(index, slot);
        if (place.list == no_list) continue;
        before_block();
        set_list(index, scorer, place.list);
        float distance;
        scorer.score_block(index.lists.code(place), index.lists.stride(), 1, &distance);
        push_all(collector, &distance, 1, [&](std::size_t) { return slot; });
    }
}

/// Pushes these rows by their fine codes.
template <class State, class Collector, class BeforeBlock>
void score_exactly(const State& index, list_scratch& buffers, std::span<const slot_t> slots, Collector& collector,
                   BeforeBlock before_block, search_stats& stats) {
    stats.distances += slots.size();
    if constexpr (State::two_levels)
        score_listed(make_fine_scorer(index, buffers), slots, collector, before_block);
    else
        score_in_lists(index, make_coarse_scorer(index, buffers), slots, collector, before_block);
}

/// Pushes the rows of a list by their fine codes.
template <class State, class Collector, class BeforeBlock>
void scan_exactly(const State& index, list_scratch& buffers, std::size_t number, Collector& collector,
                  BeforeBlock before_block, search_stats& stats) {
    const ivf_rows list = index.lists[number];
    if constexpr (State::two_levels) {
        buffers.slots.clear();
        for (std::size_t i = 0; i < list.size; ++i)
            if (list.slots[i] < index.directory.high_water()) buffers.slots.push_back(list.slots[i]);
        score_exactly(index, buffers, buffers.slots, collector, before_block, stats);
    } else {
        stats.distances += list.size;
        auto scorer = make_fine_scorer(index, buffers);
        set_list(index, scorer, number);
        scan_list(scorer, list, index.lists.stride(), index.directory.high_water(), collector, buffers.bounds,
                  before_block);
    }
}

/// Pushes those few rows that a filter names.
template <class State, class Scorer, class Collector, class BeforeBlock>
void push_few(const State& index, const Scorer& scorer, std::span<const slot_t> slots, Collector& collector,
              BeforeBlock before_block, search_stats& stats) {
    stats.distances += slots.size();
    if constexpr (block_scorer<Scorer>)
        score_in_lists(index, scorer, slots, collector, before_block);
    else
        score_listed(scorer, slots, collector, before_block);
}

/// Counts a list that is scanned.
template <class State>
void count_list(const State& index, std::size_t list, search_stats& stats) noexcept {
    ++stats.lists;
    stats.distances += index.lists[list].size;
}

/// How many rows a search without a filter scores, about.
template <class State>
[[nodiscard]] double rows_scored(const State& index, std::size_t nprobe) noexcept {
    const std::size_t lists = (std::max<std::size_t>)(1, index.lists.size());
    return static_cast<double>(index.directory.live()) / static_cast<double>(lists) *
           static_cast<double>(probe_count(nprobe, lists));
}

/// Whether a filter excludes so few rows that a search need not look into more lists than one without a filter, even
/// where all of them are near the query.
template <class State>
[[nodiscard]] bool admits_most(const State& index, const id_filter<typename State::id_type>& filter,
                               std::size_t nprobe) noexcept {
    return !filter || (filter.excludes() && static_cast<double>(filter.size()) <= rows_scored(index, nprobe) / 16);
}

/// How searches go about a filter. It is the same for all queries of a batch.
struct filter_way {
    bool exact = false;  ///< measure all admitted rows, in whatever lists they are, as they are few
    double rate = 1;     ///< how many of all rows are admitted, of 1
};

/// Chooses the way. A filter that the search would ask about many of the rows, list by list, is asked about all of them
/// in turn, which takes a tenth of the time for each.
template <class State>
[[nodiscard]] filter_way choose_way(const State& index, const typename State::params_type& params,
                                    admitted_rows<typename State::id_type>& admitted) {
    constexpr double in_turn = 8;
    const double live = static_cast<double>((std::max<std::size_t>)(1, index.directory.live()));
    const double scored = rows_scored(index, params.nprobe);
    const double listed = static_cast<double>(params.filter.size());
    if (admitted.listed() && listed <= scored) return {true, listed / live};
    const double rate = admitted.listed() ? listed / live : sample_filter(index.directory, params.filter).rate;
    if (scored * in_turn < rate * live) return {false, rate};
    const double count = static_cast<double>(admitted.ask(limits_of(params)));
    return {count <= scored, count / live};
}

/// Pushes rows of a list by their positions in it.
template <class State, class Scorer, class Collector, class BeforeBlock>
void score_positions(const State& index, const Scorer& scorer, const ivf_rows& list, std::span<const slot_t> positions,
                     Collector& collector, BeforeBlock before_block) {
    constexpr std::size_t ahead = 8;  // rows that memory is asked for before their turn
    const std::size_t stride = index.lists.stride();
    for (std::size_t i = 0; i < positions.size(); ++i) {
        if (i % scan_block == 0) before_block();
        if (i + ahead < positions.size()) simd::prefetch_lines(list.codes + positions[i + ahead] * stride, stride);
        float distance;
        scorer.score_block(list.codes + positions[i] * stride, stride, 1, &distance);
        push_all(collector, &distance, 1, [&](std::size_t) { return list.slots[positions[i]]; });
    }
}

/// Pushes those rows of a list that may be returned, and says how many they are. Where they are most of the list, all
/// of it is scanned, and the collector asks about those that are close.
template <class State, class Scorer, class Collector, class Selector, class BeforeBlock>
std::size_t scan_admitted(const State& index, Scorer& scorer, std::uint32_t number, list_scratch& buffers,
                          Collector& collector, const Selector& admits, BeforeBlock before_block, search_stats& stats) {
    const ivf_rows list = index.lists[number];
    auto& chosen = buffers.slots;  // positions, where rows are scored by these
    chosen.clear();
    for (std::size_t i = 0; i < list.size; ++i)
        if (list.slots[i] < index.directory.high_water() && admits(list.slots[i]))
            chosen.push_back(block_scorer<Scorer> ? static_cast<slot_t>(i) : list.slots[i]);
    ++stats.lists;
    const std::size_t count = chosen.size();
    if (count == 0) return 0;
    set_list(index, scorer, number);
    if (count * 2 > list.size) {
        stats.distances += list.size;
        scan_list(scorer, list, index.lists.stride(), index.directory.high_water(), collector, buffers.bounds,
                  before_block);
    } else {
        stats.distances += count;
        if constexpr (block_scorer<Scorer>)
            score_positions(index, scorer, list, std::span<const slot_t>(chosen), collector, before_block);
        else
            score_listed(scorer, std::span<const slot_t>(chosen), collector, before_block);
    }
    return count;
}

/// Pushes the rows of the closest lists that the filter admits, until they are as many as a search without a filter
/// would have scored and k were found, or no list is left. So a filter that admits few rows looks into more lists, and
/// returns min(k, all there are) in any case. Where clearly fewer rows are admitted near the query than
/// elsewhere, the order of the lists says little about who is closest, and all of them are looked into.
template <class State, class Scorer, class Collector, class Selector>
void scan_filtered(const State& index, Scorer& scorer, list_scratch& buffers, const typename State::params_type& params,
                   std::size_t k, Collector& collector, const Selector& admits, double rate, search_stats& stats) {
    const auto check_stop = [limits = limits_of(params)] { limits.check(); };
    const std::size_t lists = index.lists.size();
    const std::size_t first = probe_count(params.nprobe, lists);
    std::size_t wanted = first;
    find_probes(index, buffers, wanted);
    std::size_t budget = 0;
    for (const std::uint32_t list : buffers.probes) budget += index.lists[list].size;
    for (std::size_t scanned = 0, met = 0;; ++scanned) {
        if (scanned == first && static_cast<double>(met) < 0.7 * rate * static_cast<double>(budget))
            budget = index.directory.live();
        if (scanned == buffers.probes.size()) {
            if (wanted == lists) return;
            wanted = (std::min)(lists, 4 * wanted);
            find_probes(index, buffers, wanted);
        }
        if (scanned >= first && met >= budget && collector.size() >= k) return;
        check_stop();
        met += scan_admitted(index, scorer, buffers.probes[scanned], buffers, collector, admits, check_stop, stats);
    }
}

/// Pushes the rows that the filter admits: all of them, or those of the closest lists.
template <class State, class Scorer, class Collector>
void scan_by_filter(const State& index, Scorer& scorer, list_scratch& buffers,
                    const typename State::params_type& params, std::size_t k, Collector& collector,
                    admitted_rows<typename State::id_type>& admitted, const filter_way& way, search_stats& stats) {
    const call_limits limits = limits_of(params);
    if (!way.exact)
        return scan_filtered(index, scorer, buffers, params, k, collector, admitted.selector(), way.rate, stats);
    ++stats.exact_scans;
    admitted.list(buffers.slots, limits);
    push_few(
        index, scorer, std::span<const slot_t>(buffers.slots), collector, [&] { limits.check(); }, stats);
}

/// Pushes the rows of the closest lists, or those that the filter admits. Without a number of lists asked for,
/// or with a filter, looks on while fewer than k were found.
template <class State, class Scorer, class Collector>
void scan_closest(const State& index, Scorer& scorer, list_scratch& buffers, const typename State::params_type& params,
                  std::size_t k, Collector& collector, search_stats& stats) {
    if (!admits_most(index, params.filter, params.nprobe)) {
        admitted_rows<typename State::id_type> admitted(index.directory, params.filter, buffers.admitted);
        const filter_way way = choose_way(index, params, admitted);
        return scan_by_filter(index, scorer, buffers, params, k, collector, admitted, way, stats);
    }
    const auto check_stop = [limits = limits_of(params)] { limits.check(); };
    std::size_t scanned = 0;
    std::size_t wanted = probe_count(params.nprobe, index.lists.size());
    while (true) {
        find_probes(index, buffers, wanted);
        for (; scanned < buffers.probes.size(); ++scanned) {
            count_list(index, buffers.probes[scanned], stats);
            set_list(index, scorer, buffers.probes[scanned]);
            const ivf_rows list = index.lists[buffers.probes[scanned]];
            const std::size_t stride = index.lists.stride();
            if constexpr (ahead_asking_scorer<Scorer>)
                scorer.ask_ahead(ahead_in_list(list.size * stride, index.directory.high_water() * stride));
            scan_list(scorer, list, stride, index.directory.high_water(), collector, buffers.bounds, check_stop);
        }
        const bool enough = (params.nprobe != 0 && !params.filter) || collector.size() >= k;
        if (enough || wanted == index.lists.size()) return;
        wanted = index.lists.size();
    }
}

template <class State>
std::size_t search(const State& index, vector_view query, std::span<neighbor<typename State::id_type>> out,
                   const typename State::params_type& params) {
    return search_closest(index, query, out, params, [&](auto&& scorer, auto& buffers, auto& collector, auto& stats) {
        scan_closest(index, scorer, buffers, params, out.size(), collector, stats);
    });
}

template <class State>
[[nodiscard]] std::vector<neighbor<typename State::id_type>> search_within(const State& index, vector_view query,
                                                                           float radius,
                                                                           const typename State::params_type& params) {
    using id_type = typename State::id_type;
    require_radius(radius);
    auto lease = index.scratch.take();
    validate_query(index, *lease, query);
    const auto shared = index.locks.shared();
    call_stats stats(params.stats, lease->done);
    std::vector<neighbor<id_type>> hits;
    const row_selector<id_type> admits(index.directory, params.filter);
    radius_collector<id_type> within(radius, hits, admits);
    const auto check_stop = [limits = limits_of(params)] { limits.check(); };
    stats.now.partial += ends_early([&] {
        admitted_rows<id_type> admitted(index.directory, params.filter, lease->admitted);
        if (admitted.listed() && params.filter.size() <= index.directory.live()) {
            admitted.list(lease->slots, limits_of(params));
            score_exactly(index, *lease, lease->slots, within, check_stop, stats.now);
        } else {
            stats.now.lists += index.lists.size();
            for (std::size_t l = 0; l < index.lists.size(); ++l)
                scan_exactly(index, *lease, l, within, check_stop, stats.now);
        }
    });
    std::sort(hits.begin(), hits.end(), closer<id_type>);
    return hits;
}

// ---- rows by their ids ---------------------------------------------------------------------------------------------

template <class State>
void read_row(const State& index, slot_t slot, std::span<float> out) {
    if constexpr (State::two_levels) return index.rows.fine().read(slot, out);
    const ivf_place place = place_of(index, slot);
    if (place.list == no_list)
        fail(errc::corrupt_file, "no list of the mapped file holds id " + text_of(index.directory.id(slot)));
    decode_coarse(index, place.list, index.lists.code(place), out);
}
template <class State, class Collector>
void score_rows(const State& index, list_scratch& buffers, std::span<const slot_t> slots, Collector& collector,
                search_stats& stats) {
    score_exactly(
        index, buffers, slots, collector, [] {}, stats);
}

}  // namespace detail::ivf

VICINAL_NAMESPACE_END
