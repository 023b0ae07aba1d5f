// SPDX-License-Identifier: MIT
// Batches of queries: how tasks share them, and what tasks that search for several at once have in common: preparing
// the queries, a collector for each, the rerank.
#pragma once

#include <algorithm>  // for clamp, max, min
#include <chrono>     // for duration, steady_clock
#include <cstddef>    // for size_t
#include <cstdint>    // for uint64_t
#include <mutex>      // for lock_guard, mutex
#include <span>       // for span
#include <vector>     // for vector

#include "vicinal/core/rows_view.hpp"
#include "vicinal/core/time_limit.hpp"
#include "vicinal/index/common/call_executor.hpp"
#include "vicinal/index/common/call_stats.hpp"
#include "vicinal/index/common/index_rows.hpp"
#include "vicinal/index/common/own_filters.hpp"
#include "vicinal/index/common/scorers.hpp"
#include "vicinal/index/common/search.hpp"
#include "vicinal/params.hpp"
#include "vicinal/scoring/query_tiles.hpp"
#include "vicinal/scoring/scan.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Runs a batch of queries, `together` of them per task. many(queries, room, found, params) searches for some: the hits
/// of the i-th go to room(i), their number to found[i]; its params carry statistics of its own.
template <class Id, class Params, class Many>
[[nodiscard]] search_table<Id> run_batch(rows_view queries, std::size_t dim, std::size_t k, const Params& params,
                                         std::size_t together, Many many) {
    if (!queries.empty() && queries.dim() != dim) fail_dimension("search: each query", queries.dim(), dim);
    search_table<Id> table(queries.rows(), k);
    const std::size_t tasks = (queries.rows() + together - 1) / together;
    const call_executor executor(params.executor, params.threads, tasks);
    std::mutex stats_mutex;
    const auto start = std::chrono::steady_clock::now();
    search_stats total;
    parallel_for(executor, tasks, [&](std::size_t task) {
        const std::size_t first = task * together;
        const std::size_t n = (std::min)(together, queries.rows() - first);
        search_stats mine;
        Params some = params;
        some.stats = params.stats != nullptr ? &mine : nullptr;
        some.filter_of = params.filter_of.from(first);
        many(
            queries.rows(first, n), [&](std::size_t i) { return table.room(first + i); }, table.found(first, n), some);
        if (params.stats == nullptr) return;
        const std::lock_guard lock(stats_mutex);
        total += mine;
    });
    if (params.stats != nullptr) {
        total.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        *params.stats += total;
    }
    return table;
}

/// The same with one(query, room for its hits, params), which returns how many it found.
template <class Id, class Params, class One>
[[nodiscard]] search_table<Id> run_batch(rows_view queries, std::size_t dim, std::size_t k, const Params& params,
                                         One one) {
    return run_batch<Id>(queries, dim, k, params, 1,
                         [&](rows_view query, auto room, std::span<std::size_t> found, const Params& some) {
                             with_own_filter(some, [&](const Params& own) { found[0] = one(query[0], room(0), own); });
                         });
}

/// How many of a batch's queries a task takes: at most `most`, fewer if threads would go without, whole panels.
template <class Params>
[[nodiscard]] std::size_t queries_a_task(std::size_t queries, std::size_t most, std::size_t panel,
                                         const Params& params) {
    const std::size_t threads = threads_of(params.executor, params.threads);
    const std::size_t fair = (queries + threads - 1) / threads;
    return std::clamp<std::size_t>(round_up(fair, panel), panel, (std::max)(most / panel * panel, panel));
}

/// The most queries with filters of their own that a task takes, as it keeps what makes these.
inline constexpr std::size_t own_filters_together = 256;

/// Searches for the queries of a task, each by a filter of its own: together for those next to each other whose filters
/// admit nearly all rows, so that they scan as queries without one do, and alone for the others.
/// most(filter)  whether it admits that much      alone(query, room, params)  returns how many it found
/// together(queries, room, found, params, filters)
template <class Id, class Room, class Params, class Most, class Alone, class Together>
void search_by_own_filters(rows_view queries, Room room, std::span<std::size_t> found, const Params& params, Most most,
                           Alone alone, Together together) {
    with_own_filters(params.filter_of, params.filter, queries.rows(), [&](std::span<const id_filter<Id>> filters) {
        Params own = params;
        own.filter_of = {};
        for (std::size_t first = 0, n = 1; first < filters.size(); first += n, n = 1) {
            if (!most(filters[first])) {
                own.filter = filters[first];
                found[first] = alone(queries[first], room(first), own);
                continue;
            }
            while (first + n < filters.size() && most(filters[first + n])) ++n;
            own.filter = {};
            together(
                queries.rows(first, n), [&](std::size_t i) { return room(first + i); }, found.subspan(first, n), own,
                filters.subspan(first, n));
        }
    });
}

/// Runs a batch whose tasks search for several queries together, at most `at_once` of them; see search_by_own_filters,
/// but that most(filter, params) is asked while the index is locked.
template <class State, class Params, class Most, class Alone, class Together>
[[nodiscard]] search_table<typename State::id_type> run_joint_batch(const State& index, rows_view queries,
                                                                    std::size_t k, const Params& params,
                                                                    std::size_t at_once, Most most, Alone alone,
                                                                    Together together) {
    using id_type = typename State::id_type;
    if (params.filter_of) at_once = (std::min)(at_once, own_filters_together);
    return run_batch<id_type>(
        queries, index.dim, k, params, queries_a_task(queries.rows(), at_once, State::isa_type::panel_size(), params),
        [&](rows_view some, auto room, std::span<std::size_t> found, const Params& how) {
            if (!how.filter_of) return together(some, room, found, how, std::span<const id_filter<id_type>>());
            const auto most_while_locked = [&](const id_filter<id_type>& filter) {
                const auto shared = index.locks.shared();
                return most(filter, how);
            };
            search_by_own_filters<id_type>(some, room, found, how, most_while_locked, alone, together);
        });
}

/// Which rows each of several queries may return: what the filter of all admits, or one of its own.
template <class Id>
class query_selectors {
  public:
    query_selectors(const id_map<Id>& directory, const id_filter<Id>& all, std::span<const id_filter<Id>> own)
        : all_(directory, all) {
        own_.reserve(own.size());
        for (const id_filter<Id>& filter : own) own_.emplace_back(directory, filter);
    }
    [[nodiscard]] const row_selector<Id>& operator[](std::size_t query) const noexcept {
        return own_.empty() ? all_ : own_[query];
    }

  private:
    row_selector<Id> all_;
    std::vector<row_selector<Id>> own_;
};

/// Scans for several queries by scorers that measure by the fine codec what signs do not rule out, if that is how one
/// query is searched.
template <class State, class Params, class Collectors, class Scan>
[[nodiscard]] bool scan_by_sketches(const State& index, const Params& params, const query_table& queries,
                                    Collectors& closest, typename State::scratch_type& buffers, search_stats& stats,
                                    const Scan& scan) {
    if constexpr (State::algorithm == scan_algorithm::sign_bounds) {
        if (params.rerank != 0) return false;
        const auto make = [&](const float* query, padded_vector& made_of_query) {
            return make_sketch_scorer(index, query, buffers.decoded, made_of_query);
        };
        scan(queries, closest, make, buffers, stats);
        return true;
    }
    return false;
}

/// Has scan(collectors) push rows scored by the coarse codec to a collector of `width` candidates for each query, and
/// scores those again by the fine codec, into `closest`.
template <class State, class Closest, class Scan>
void rerank_candidates(const State& index, const query_table& queries, std::size_t width,
                       const query_selectors<typename State::id_type>& admits, Closest& closest,
                       typename State::scratch_type& buffers, search_stats& stats, Scan scan) {
    const std::size_t memory = reservoir::room(width, index.directory.high_water());
    std::vector<std::uint64_t> candidates(queries.size() * memory);
    std::vector<candidate_collector<typename State::id_type>> wide;
    wide.reserve(queries.size());
    for (std::size_t i = 0; i < queries.size(); ++i)
        wide.emplace_back(std::span(candidates).subspan(i * memory, memory), width, admits[i]);
    scan(wide);
    for (std::size_t i = 0; i < queries.size(); ++i) {
        auto& slots = buffers.slots;
        wide[i].finish(slots);
        stats.distances += slots.size();
        stats.reranks += slots.size();
        const typename State::fine_scorer_type fine(index.metric, index.rows.fine(), queries[i].data(),
                                                    buffers.decoded);
        score_listed(fine, std::span<const slot_t>(slots), closest[i], [] {});
    }
}

/// Searches for several queries, as search_closest does for one. The hits of query i go to room(i).
/// own  none, or a filter for each query in place of params.filter
/// scan(prepared queries, their collectors, make, buffers, stats)  pushes the rows that scorers find, of which
///                                                                 make(query, made_of_query) makes one
template <class State, class Room, class Params, class Scan>
void search_closest_together(const State& index, rows_view queries, Room room, std::span<std::size_t> found,
                             const Params& params, std::span<const id_filter<typename State::id_type>> own,
                             const Scan& scan_all) {
    const auto scan = [&](const query_table& some, auto& collectors, const auto& make,
                          typename State::scratch_type& buffers, search_stats& stats) {
        if (ends_early([&] { scan_all(some, collectors, make, buffers, stats); })) stats.partial += some.size();
    };
    using id = typename State::id_type;
    query_table prepared(queries.rows(), index.dim);
    for (std::size_t i = 0; i < queries.rows(); ++i) validate_query(index, queries[i], prepared[i]);
    auto lease = index.scratch.take();
    const auto shared = index.locks.shared();
    call_stats stats(params.stats, lease->done, queries.rows());
    const query_selectors<id> admits(index.directory, params.filter, own);
    std::vector<closest_collector<id>> closest;
    closest.reserve(queries.rows());
    for (std::size_t i = 0; i < queries.rows(); ++i) closest.emplace_back(room(i), admits[i]);
    if (room(0).size() != 0) {
        const auto make = [&](const float* query, padded_vector& made_of_query) {
            return make_candidate_scorer(index, query, lease->decoded, made_of_query);
        };
        if constexpr (!State::two_levels)
            scan(prepared, closest, make, *lease, stats.now);
        else if (!scan_by_sketches(index, params, prepared, closest, *lease, stats.now, scan))
            rerank_candidates(index, prepared, rerank_width(params.rerank, room(0).size(), index.directory.live()),
                              admits, closest, *lease, stats.now,
                              [&](auto& wide) { scan(prepared, wide, make, *lease, stats.now); });
    }
    for (std::size_t i = 0; i < queries.rows(); ++i) found[i] = closest[i].finish();
}

}  // namespace detail

VICINAL_NAMESPACE_END
