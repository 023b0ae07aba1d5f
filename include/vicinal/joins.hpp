// SPDX-License-Identifier: MIT
// Joins compare many vectors with many: all pairs of rows that are close, the closest rows of each row, groups of rows
// that are linked, all rows within a radius of each of many queries.
#pragma once

#include <algorithm>  // for lower_bound, min, remove_if, sort
#include <chrono>     // for duration, steady_clock
#include <cstddef>    // for ptrdiff_t, size_t
#include <numeric>    // for iota
#include <span>       // for span
#include <string>     // for string, to_string
#include <utility>    // for move, pair, swap
#include <vector>     // for vector

#include "vicinal/core/error.hpp"
#include "vicinal/core/math.hpp"
#include "vicinal/core/progress.hpp"
#include "vicinal/core/rows_view.hpp"
#include "vicinal/index/common/call_executor.hpp"
#include "vicinal/index/common/own_filters.hpp"
#include "vicinal/params.hpp"
#include "vicinal/results.hpp"

VICINAL_NAMESPACE_BEGIN

/// How joins work. Every member is optional.
template <class Index>
struct join_params {
    typename Index::search_params
        search{};             ///< of each search that a join is made of: ef or nprobe, filter, stats. Its
                              ///< threads, executor and stop are those below
    std::size_t threads = 1;  ///< how many threads search; 0 = all of the machine's. The result does not
                              ///< depend on it
    executor_ref executor{};  ///< your thread pool
    stop_token stop{};        ///< when triggered, the call throws error{cancelled}
    progress_ref progress{};  ///< told on the calling thread how many rows or queries are done
};

/// A list of results for each of some queries, of any length. lists[i] is what query i found, closest first.
template <class Id = std::uint64_t>
class result_table {
  public:
    [[nodiscard]] std::size_t size() const noexcept { return ends_.size(); }
    [[nodiscard]] bool empty() const noexcept { return ends_.empty(); }
    [[nodiscard]] std::span<const neighbor<Id>> operator[](std::size_t query) const noexcept {
        const std::size_t first = query == 0 ? 0 : ends_[query - 1];
        return std::span<const neighbor<Id>>(hits_).subspan(first, ends_[query] - first);
    }
    /// How many results all lists have.
    [[nodiscard]] std::size_t total() const noexcept { return hits_.size(); }
    /// For the call that fills the table: the list of the next query.
    void append(std::span<const neighbor<Id>> hits) {
        hits_.insert(hits_.end(), hits.begin(), hits.end());
        ends_.push_back(hits_.size());
    }

  private:
    std::vector<std::size_t> ends_;
    std::vector<neighbor<Id>> hits_;
};

/// The closest rows of each row of an index. The i-th row is ids()[i]; graph[i] are its closest, closest first.
template <class Id = std::uint64_t>
class neighbor_graph {
  public:
    /// In ascending order.
    [[nodiscard]] std::span<const Id> ids() const noexcept { return ids_; }
    [[nodiscard]] std::size_t size() const noexcept { return ids_.size(); }
    [[nodiscard]] std::span<const neighbor<Id>> operator[](std::size_t row) const noexcept { return lists_[row]; }
    /// For the call that makes the graph: the next row. Ids come in ascending order.
    void append(Id id, std::span<const neighbor<Id>> closest) {
        lists_.append(closest);
        ids_.push_back(id);
    }

  private:
    std::vector<Id> ids_;
    result_table<Id> lists_;
};

namespace detail {

inline void require_join_radius(const char* call, float radius) {
    if (!(has_finite_bits(radius) || radius == infinite() || radius == -infinite()))
        fail(errc::invalid_argument, std::string(call) + ": radius is NaN, it must be a number");
}

/// Runs one(i, params of its searches), which returns a list, for i < count, on the threads asked for, some hundreds at
/// a time, and in between, on the calling thread, take(i, list) in the order of i.
template <class Index, class One, class Take>
void join_in_order(const join_params<Index>& params, std::size_t count, const One& one, const Take& take) {
    const call_executor executor(params.executor, params.threads, count);
    const std::size_t together = 64 * threads_of(params.executor, params.threads);
    std::vector<std::vector<neighbor<typename Index::id_type>>> lists((std::min)(together, count));
    std::vector<search_stats> counted(lists.size());
    const auto began = std::chrono::steady_clock::now();
    search_stats total;
    for (std::size_t first = 0; first < count; first += together) {
        const std::size_t some = (std::min)(together, count - first);
        parallel_for(executor, some, [&](std::size_t i) {
            typename Index::search_params mine = params.search;
            mine.stop = params.stop;
            mine.stats = params.search.stats != nullptr ? &(counted[i] = {}) : nullptr;
            lists[i] = one(first + i, mine);
        });
        for (std::size_t i = 0; i < some; ++i) take(first + i, lists[i]);
        for (std::size_t i = 0; i < some; ++i) total += counted[i];
        if (params.progress) params.progress(first + some, count);
    }
    if (params.search.stats == nullptr) return;
    total.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    *params.search.stats += total;
}

/// Numbers in groups, which are joined; a group is known by its lowest number.
class linked_groups {
  public:
    explicit linked_groups(std::size_t count) : above_(count) {
        std::iota(above_.begin(), above_.end(), std::size_t{0});
    }
    [[nodiscard]] std::size_t lowest(std::size_t of) noexcept {
        while (above_[of] != of) of = above_[of] = above_[above_[of]];
        return of;
    }
    void join(std::size_t a, std::size_t b) noexcept {
        a = lowest(a);
        b = lowest(b);
        above_[a < b ? b : a] = a < b ? a : b;
    }

  private:
    std::vector<std::size_t> above_;
};

}  // namespace detail

/// A search_within for each row of `queries`: table[i] has all rows within `radius` of query i, closest first, ties by
/// lower id.
/// params  .search.filter applies to every query, .search.filter_of to each its own
/// Costs as much as so many single calls, shared by the threads, and memory for all results twice. Searches run beside
/// changes, each sees the index of one moment.
/// throws  as search_within of a single query; what a progress callable throws
template <class Index>
[[nodiscard]] result_table<typename Index::id_type> search_within(const Index& index, rows_view queries, float radius,
                                                                  const join_params<Index>& params = {}) {
    detail::require_join_radius("search_within", radius);
    if (!queries.empty() && queries.dim() != index.dim())
        detail::fail_dimension("search_within: each query", queries.dim(), index.dim());
    result_table<typename Index::id_type> table;
    detail::join_in_order(
        params, queries.rows(),
        [&](std::size_t i, auto how) {
            std::vector<neighbor<typename Index::id_type>> hits;
            how.filter_of = how.filter_of.from(i);
            detail::with_own_filter(how, [&](const auto& own) { hits = index.search_within(queries[i], radius, own); });
            return hits;
        },
        [&](std::size_t, const auto& hits) { table.append(hits); });
    return table;
}

/// Calls on_pair(a, b, distance) for all pairs of rows within `radius` of each other, each once, with a < b: ordered by
/// a, then by distance, ties by lower b. Every call is made on the calling thread, between searches: it may change the
/// index, and what it throws ends the join.
/// index   a flat_index or ivf_index, which miss no pair, or an hnsw_index, which searches with `.search.ef` and may. A
///         pair counts by the distance of b to the vector of a as it is stored
/// params  .search.filter says which b are taken
/// Costs a search_within for each row. Rows that are added, changed or removed meanwhile may be in pairs or not.
/// throws  error{invalid_argument} if radius is NaN; as search_within; what on_pair or a progress callable throws
template <class Index, class OnPair>
void self_join(const Index& index, float radius, OnPair on_pair, const join_params<Index>& params = {}) {
    detail::require_join_radius("self_join", radius);
    const auto ids = index.ids();
    const auto close_to = [&](std::size_t i, const auto& how) {
        std::vector<neighbor<typename Index::id_type>> hits;
        std::vector<float> vector(index.dim());
        if (!detail::get_if_held(index, ids[i], vector)) return hits;
        hits = index.search_within(vector, radius, how);
        hits.erase(std::remove_if(hits.begin(), hits.end(), [&](const auto& hit) { return !(ids[i] < hit.id); }),
                   hits.end());
        return hits;
    };
    detail::join_in_order(params, ids.size(), close_to, [&](std::size_t i, const auto& hits) {
        for (const auto& hit : hits) on_pair(ids[i], hit.id, hit.distance);
    });
}

/// The k closest rows of every row, itself not counted: graph[i] is what search_id(graph.ids()[i], k) finds, closest
/// first, ties by lower id. Costs a search for k + 1 for each row. Rows that are removed meanwhile are left out.
/// params  .search says by what effort, `.ef` or `.nprobe`, and which rows may be neighbors, `.filter`
/// throws  as search; what a progress callable throws
template <class Index>
[[nodiscard]] neighbor_graph<typename Index::id_type> knn_graph(const Index& index, std::size_t k,
                                                                const join_params<Index>& params = {}) {
    using hits_type = std::vector<neighbor<typename Index::id_type>>;
    const auto ids = index.ids();
    std::vector<char> gone(ids.size(), 0);
    const auto closest = [&](std::size_t i, const auto& how) {
        try {
            return index.search_id(ids[i], k, how);
        } catch (const error& e) {
            if (e.code() != errc::not_found) throw;
            gone[i] = 1;
            return hits_type();
        }
    };
    neighbor_graph<typename Index::id_type> graph;
    detail::join_in_order(params, ids.size(), closest, [&](std::size_t i, const auto& hits) {
        if (gone[i] == 0) graph.append(ids[i], hits);
    });
    return graph;
}

/// Groups of rows that are linked by pairs within `radius`, be it over others: of a graph of near-duplicates, what is
/// one and the same. A pair counts if either of the two has the other among its neighbors. Each group has its ids in
/// ascending order, groups are ordered by their first, and a row that is linked to none is a group of its own.
/// O(n log n) for n neighbors of all rows.
/// throws  error{invalid_argument} if radius is NaN
template <class Id>
[[nodiscard]] std::vector<std::vector<Id>> connected_components(const neighbor_graph<Id>& graph, float radius) {
    detail::require_join_radius("connected_components", radius);
    const std::span<const Id> ids = graph.ids();
    detail::linked_groups groups(ids.size());
    for (std::size_t row = 0; row < ids.size(); ++row)
        for (const auto& hit : graph[row]) {
            if (!(hit.distance <= radius)) break;
            const auto at = std::lower_bound(ids.begin(), ids.end(), hit.id);
            if (at != ids.end() && *at == hit.id) groups.join(row, static_cast<std::size_t>(at - ids.begin()));
        }
    std::vector<std::size_t> place(ids.size());
    std::vector<std::vector<Id>> components;
    for (std::size_t row = 0; row < ids.size(); ++row) {
        const std::size_t lowest = groups.lowest(row);
        if (lowest == row) {
            place[row] = components.size();
            components.emplace_back();
        }
        components[place[lowest]].push_back(ids[row]);
    }
    return components;
}

VICINAL_NAMESPACE_END
