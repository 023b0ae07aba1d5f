// SPDX-License-Identifier: MIT
// A filtered walk searches a graph in which only some rows may be returned, by a beam of those, and says what it costs.
//
// It walks in one of two ways, and may change from the first to the second on its way. The plain walk scores every row
// it meets, and passes through those that are rejected. The two-hop walk scores admitted rows only: where a link leads
// to a rejected row, it looks through that row's links for admitted ones, until it has half as many as a row has links.
// So the plain walk scores 1 / rate as many rows as a search without a filter, the two-hop walk about as many, but asks
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

/// What searches with a filter cost, in eighths of the time that a row of 256 bytes takes which is measured from a
/// list.
struct filter_costs {
    /// A row of a list, measured. It takes as long as its bytes take to come from memory.
    [[nodiscard]] static constexpr double listed(std::size_t row_bytes) noexcept {
        return 2 + static_cast<double>(row_bytes) * (6.0 / 256);
    }
    static constexpr double found = 20;      ///< an id of a set, found in the index
    static constexpr double asked = 0.45;    ///< a row that a predicate is asked about, all in turn
    static constexpr double looked_up = 12;  ///< a row that is looked up in a set, beside what it costs else
    static constexpr double met = 6;         ///< a row that the filter is asked about on a two-hop walk
    static constexpr double hopped = 16;     ///< a row scored on a two-hop walk
    static constexpr double walked = 28;     ///< a row scored on a plain walk, asked about, and queued to be followed
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
        if (walk_.met.size() < graph.capacity(level)) walk_.met.resize(graph.capacity(level));
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
    /// What it has cost so far.
    [[nodiscard]] double spent() const noexcept { return spent_; }
    /// Whether the beam is full of admitted rows.
    [[nodiscard]] bool full() const noexcept { return walk_.pool.full(); }

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
    /// Finds admitted rows among the links of a row and, through rejected ones, among their links, until there are half
    /// as many as a row has links. Returns how many. (All, and it takes a seventh longer for the same recall; a
    /// quarter, and one query of twelve does not find the region of its neighbours.)
    [[nodiscard]] std::size_t gather(slot_t node) {
        const std::size_t most = graph_.capacity(level_) / 2;
        std::size_t count = 0;
        walk_.bridges.clear();
        walk_.rejected.erase(node);
        meet_links(node, [&](slot_t known) {
            if (walk_.rejected.erase(known)) walk_.bridges.push_back(known);
        });
        ask_met(count, [&](slot_t rejected) { walk_.bridges.push_back(rejected); });
        std::size_t looked_through = 0;
        for (; looked_through < walk_.bridges.size() && count < most; ++looked_through) {
            if (looked_through + 1 < walk_.bridges.size())
                graph_.prefetch_links(walk_.bridges[looked_through + 1], level_);
            meet_links(walk_.bridges[looked_through], [](slot_t) {});
            ask_met(count, [&](slot_t rejected) { (void)walk_.rejected.insert(rejected); });
        }
        for (; looked_through < walk_.bridges.size(); ++looked_through)  // their turn may come yet
            (void)walk_.rejected.insert(walk_.bridges[looked_through]);
        return count;
    }
    /// Puts those links of a row that were not seen before into walk.met, and calls known(link) for the others.
    template <class Known>
    void meet_links(slot_t node, const Known& known) {
        const slot_t* const links = graph_.first_link(node, level_);
        const std::size_t most = links == nullptr ? 0 : graph_.capacity(level_);
        met_links_ = 0;
        for (std::size_t i = 0; i < most && links[i] != no_slot; ++i) {
            walk_.met[met_links_] = links[i];
            const bool is_new = walk_.visited.insert(links[i]);
            met_links_ += is_new ? 1U : 0U;
            if (!is_new) known(links[i]);
        }
    }
    /// Asks the filter about the rows in walk.met: puts those it admits into walk.fresh, behind the first `count`, and
    /// calls rejected(row) for the others.
    template <class Rejected>
    void ask_met(std::size_t& count, const Rejected& rejected) {
        spent_ += filter_costs::met * static_cast<double>(met_links_);
        for (std::size_t i = 0; i < met_links_; ++i) {
            const slot_t slot = walk_.met[i];
            walk_.fresh[count] = slot;
            const bool admitted = admits_(slot);
            count += admitted ? 1U : 0U;
            if (!admitted) rejected(slot);
        }
    }

    const Graph& graph_;
    const Scorer& scorer_;
    std::size_t level_;
    const Admits& admits_;
    walk_scratch& walk_;
    search_stats& stats_;
    double spent_ = 0;
    std::size_t met_links_ = 0;  // in walk.met
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
