// SPDX-License-Identifier: MIT
// A filtered walk searches a graph in which only some rows may be returned, by a beam of those, and says what it costs.
//
// It walks in one of two ways, and may change from the first to the second on its way. The plain walk scores every row
// it meets, and passes through those that are rejected. The two-hop walk scores admitted rows only: where a link leads
// to a rejected row, it looks through that row's links for admitted ones, until it has as many as a row has links. So
// the plain walk scores 1 / rate as many rows as a search without a filter, the two-hop walk about as many, but asks
// the filter about 1 / rate as many. (Two hops: ACORN-1 of Patel, Kraft, Guestrin, Zaharia, "ACORN: Performant and
// Predicate-Agnostic Search Over Vector Embeddings and Structured Data", 2024. There links of links are lost once they
// were seen; here a rejected row keeps its turn until its links were looked through, and each row is asked about once.)
#pragma once

#include <algorithm>   // for pop_heap, push_heap
#include <cstddef>     // for size_t
#include <functional>  // for greater
#include <limits>      // for numeric_limits

#include "vicinal/core/time_limit.hpp"
#include "vicinal/index/hnsw/graph/beam.hpp"
#include "vicinal/index/hnsw/graph/visited_set.hpp"
#include "vicinal/index/hnsw/graph/walk.hpp"
#include "vicinal/params.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// What searches with a filter cost, in eighths of the time that a row takes which is measured from a list: about 2 to
/// 4 ns. `filter_bench --costs` measures them.
struct filter_costs {
    static constexpr double listed = 8;   ///< a row of a list, measured
    static constexpr double found = 6;    ///< an id of a set, found in the index
    static constexpr double asked = 0.5;  ///< a row that the filter is asked about, all in turn
    static constexpr double met = 12;     ///< a row that the filter is asked about on a two-hop walk
    static constexpr double hopped = 16;  ///< a row scored on a two-hop walk
    static constexpr double walked = 32;  ///< a row scored on a plain walk, asked about, and queued to be followed
};

template <class Graph, class Scorer, class Admits>
class filtered_walk {
  public:
    static constexpr double unlimited = (std::numeric_limits<double>::max)();

    /// `walk` is made ready for the graph. What it refers to must stay.
    filtered_walk(const Graph& graph, const Scorer& scorer, std::size_t level, std::size_t width, const Admits& admits,
                  walk_scratch& walk, search_stats& stats)
        : graph_(graph), scorer_(scorer), level_(level), admits_(admits), walk_(walk), stats_(stats) {
        walk_.pool.reset(width);
        walk_.frontier.clear();
        walk_.rejected.begin(graph.rows());
    }
    void begin(slot_t start) {
        if (!walk_.visited.insert(start)) return;
        ++stats_.distances;
        reach(scorer_.score(start), start);
    }

    /// Walks plainly. Returns true once as many admitted rows as the beam holds are closer than everything left to
    /// follow, or nothing is left; false when it has met `most` rows or spent `budget`.
    bool walk_plainly(std::size_t most, double budget, const call_limits& limits) {
        const beam& pool = walk_.pool;
        auto& frontier = walk_.frontier;
        for (std::size_t hop = 0; !frontier.empty(); ++hop) {
            if (met_ >= most || spent_ >= budget) return false;
            if (hop % 32 == 0) limits.check();
            const row_key nearest = take_nearest();
            if (pool.full() && nearest > pool.worst()) return true;
            const std::size_t count = score_fresh_links(graph_, scorer_, key_slot(nearest), level_, walk_, stats_);
            spent_ += filter_costs::walked * static_cast<double>(count);
            for (std::size_t i = 0; i < count; ++i) reach(walk_.distances[i], walk_.fresh[i]);
        }
        return true;
    }

    /// Scores an admitted row to begin from beside others.
    void seed(slot_t slot) {
        if (!walk_.visited.insert(slot)) return;
        ++stats_.distances;
        walk_.pool.insert(scorer_.score(slot), slot);
    }
    /// Goes on by two hops. Returns true once the beam's rows were all followed, and no others are left; false when it
    /// has spent `budget`.
    bool walk_by_two_hops(double budget, const call_limits& limits) {
        for (std::size_t hop = 0;; ++hop) {
            if (spent_ >= budget) return false;
            if (hop % 32 == 0) limits.check();
            beam& pool = walk_.pool;
            slot_t node = no_slot;
            if (pool.has_next())
                node = pool.take();
            else if (!walk_.frontier.empty() && !pool.full())
                node = key_slot(take_nearest());
            else
                return true;
            const std::size_t count = gather(node);
            ++stats_.hops;
            stats_.distances += count;
            spent_ += filter_costs::hopped * static_cast<double>(count);
            scorer_.score(walk_.fresh.data(), count, walk_.distances.data());
            for (std::size_t i = 0; i < count; ++i) pool.insert(walk_.distances[i], walk_.fresh[i]);
        }
    }

    /// Rows that the filter was asked about on the plain walk, and those it admitted.
    [[nodiscard]] std::size_t met() const noexcept { return met_; }
    [[nodiscard]] std::size_t passed() const noexcept { return passed_; }

  private:
    void reach(float distance, slot_t slot) {
        const row_key key = make_key(distance, slot);
        if (walk_.pool.full() && key > walk_.pool.worst()) return;
        walk_.frontier.push_back(key);
        std::push_heap(walk_.frontier.begin(), walk_.frontier.end(), std::greater<>());
        ++met_;
        if (admits_(slot)) {
            ++passed_;
            walk_.pool.insert(distance, slot);
        } else {
            (void)walk_.rejected.insert(slot);
        }
    }
    [[nodiscard]] row_key take_nearest() {
        auto& frontier = walk_.frontier;
        std::pop_heap(frontier.begin(), frontier.end(), std::greater<>());
        const row_key nearest = frontier.back();
        frontier.pop_back();
        return nearest;
    }
    /// Puts a row that was not seen before among those to score if it is admitted, else among the rejected.
    void ask(slot_t slot, std::size_t& count) {
        spent_ += filter_costs::met;
        if (admits_(slot))
            walk_.fresh[count++] = slot;
        else
            (void)walk_.rejected.insert(slot);
    }
    /// Finds admitted rows among the links of a row and, through rejected ones, among their links, as many as a row has
    /// links. Returns how many.
    [[nodiscard]] std::size_t gather(slot_t node) {
        const std::size_t most = graph_.capacity(level_);
        std::size_t count = 0;
        walk_.bridges.clear();
        walk_.rejected.erase(node);
        for_each_link(node, [&](slot_t link) {
            if (walk_.visited.insert(link)) ask(link, count);
            if (walk_.rejected.erase(link)) {
                graph_.prefetch_links(link, level_);
                walk_.bridges.push_back(link);
            }
            return count < most;
        });
        for (const slot_t bridge : walk_.bridges) {
            if (count < most)
                for_each_link(bridge, [&](slot_t link) {
                    if (walk_.visited.insert(link)) ask(link, count);
                    return count < most;
                });
            if (count == most) (void)walk_.rejected.insert(bridge);  // it may be asked for the rest of its links
        }
        return count;
    }
    template <class F>
    void for_each_link(slot_t node, const F& f) const {
        const slot_t* const links = graph_.first_link(node, level_);
        const std::size_t most = links == nullptr ? 0 : graph_.capacity(level_);
        for (std::size_t i = 0; i < most && links[i] != no_slot; ++i)
            if (graph_.exists(links[i]) && !f(links[i])) return;
    }

    const Graph& graph_;
    const Scorer& scorer_;
    std::size_t level_;
    const Admits& admits_;
    walk_scratch& walk_;
    search_stats& stats_;
    double spent_ = 0;
    std::size_t met_ = 0;
    std::size_t passed_ = 0;
};

/// Fills walk.pool with the closest rows for which admits(row) holds, by a plain walk from `start` to its end.
template <class Graph, class Scorer, class Admits>
void filtered_beam_search(const Graph& graph, const Scorer& scorer, slot_t start, std::size_t level, std::size_t width,
                          const Admits& admits, walk_scratch& walk, search_stats& stats, const call_limits& limits) {
    using walk_type = filtered_walk<Graph, Scorer, Admits>;
    walk_type plain(graph, scorer, level, width, admits, walk, stats);
    plain.begin(start);
    (void)plain.walk_plainly((std::numeric_limits<std::size_t>::max)(), walk_type::unlimited, limits);
}

}  // namespace detail

VICINAL_NAMESPACE_END
