// SPDX-License-Identifier: MIT
// These functions walk a graph by its links, a scorer and a beam; they know neither ids nor codecs.
#pragma once

#include <algorithm>   // for min, push_heap, pop_heap
#include <cstddef>     // for size_t
#include <functional>  // for greater
#include <vector>      // for vector

#include "vicinal/core/time_limit.hpp"
#include "vicinal/index/hnsw/graph/beam.hpp"
#include "vicinal/index/hnsw/graph/visited_set.hpp"
#include "vicinal/params.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// A beam search follows this many rows at once, the closest there are: the more, the more misses overlap and the
/// longer the lists that are scored together; the fewer, the fewer distances are taken that one more look at the beam
/// would have spared.
inline constexpr std::size_t rows_at_once = 6;

/// Holds the buffers of one walk.
struct walk_scratch {
    visited_set visited;
    visited_set rejected;  // by a filter, and links not yet looked through
    beam pool;
    std::vector<row_key> frontier;
    std::vector<slot_t> bridges;  // rejected links of a row that is followed
    std::vector<slot_t> met;      // links to ask a filter about
    std::vector<slot_t> fresh;
    std::vector<float> distances;
    std::vector<float> noted;  // of a row that is added, the distances of all it met

    /// Makes ready for a graph of `rows` rows with at most `links` links each.
    void begin(std::size_t rows, std::size_t links) {
        visited.begin(rows);
        make_room(rows_at_once * links);
    }
    /// Makes room for so many rows in `fresh` and their distances. Each is asked by itself: the other may have failed
    /// to grow.
    void make_room(std::size_t most) {
        if (fresh.size() < most) fresh.resize(most);
        if (distances.size() < most) distances.resize(most);
    }
    [[nodiscard]] std::size_t memory() const noexcept {
        return visited.memory() + rejected.memory() + pool.memory() + frontier.capacity() * sizeof(row_key) +
               (fresh.capacity() + bridges.capacity() + met.capacity()) * sizeof(slot_t) +
               (distances.capacity() + noted.capacity()) * sizeof(float);
    }
};

/// Puts those links of `node` that were not seen before into walk.fresh, behind the first `count`; returns how many
/// there are then.
template <class Graph>
VICINAL_INLINE std::size_t fresh_links(const Graph& graph, slot_t node, std::size_t level, walk_scratch& walk,
                                       std::size_t count = 0) noexcept {
    const slot_t* const links = graph.first_link(node, level);
    const std::size_t most = links == nullptr ? 0 : graph.capacity(level);
    slot_t* const fresh = walk.fresh.data();
    for (std::size_t i = 0; i < most && links[i] != no_slot; ++i) {
        fresh[count] = links[i];
        count += walk.visited.insert(links[i]) ? 1U : 0U;
    }
    return count;
}

/// Puts those links of `node` that were not seen before into walk.fresh and their distances into walk.distances;
/// returns how many there are.
template <class Graph, class Scorer>
VICINAL_INLINE std::size_t score_fresh_links(const Graph& graph, const Scorer& scorer, slot_t node, std::size_t level,
                                             walk_scratch& walk, search_stats& stats) {
    const std::size_t count = fresh_links(graph, node, level, walk);
    scorer.score(walk.fresh.data(), count, walk.distances.data());
    stats.distances += count;
    ++stats.hops;
    return count;
}

/// Moves from a row to ever closer links on the levels above one. Like beam_walk it can pause where it would wait for
/// memory: one step is gather, then absorb.
template <class Graph, class Scorer>
class descent {
  public:
    descent(const Graph& graph, const Scorer& scorer, walk_scratch& walk, search_stats& stats)
        : graph_(graph), scorer_(scorer), walk_(walk), stats_(stats) {}

    /// Levels (down_to, from] will be walked.
    void begin(slot_t start, std::size_t from, std::size_t down_to) {
        best_ = make_key(scorer_.score(start), start);
        ++stats_.distances;
        level_ = from;
        down_to_ = down_to;
    }
    /// Finds the rows to score; returns false at the end.
    [[nodiscard]] bool gather() noexcept {
        if (level_ == down_to_) return false;
        const slot_t* const links = graph_.first_link(key_slot(best_), level_);
        const std::size_t most = links == nullptr ? 0 : graph_.capacity(level_);
        count_ = 0;
        for (std::size_t i = 0; i < most && links[i] != no_slot; ++i)
            if (graph_.exists(links[i])) walk_.fresh[count_++] = links[i];
        return true;
    }
    void prefetch() const noexcept { scorer_.prefetch(walk_.fresh.data(), count_); }
    void absorb() {
        scorer_.score(walk_.fresh.data(), count_, walk_.distances.data());
        stats_.distances += count_;
        row_key closest = best_;
        for (std::size_t i = 0; i < count_; ++i)
            closest = (std::min)(closest, make_key(walk_.distances[i], walk_.fresh[i]));
        if (closest == best_) --level_;
        best_ = closest;
        graph_.prefetch_links(key_slot(best_), level_);
    }
    /// Returns the closest row met.
    [[nodiscard]] slot_t closest() const noexcept { return key_slot(best_); }

  private:
    const Graph& graph_;
    const Scorer& scorer_;
    walk_scratch& walk_;
    search_stats& stats_;
    row_key best_ = 0;
    std::size_t level_ = 0;
    std::size_t down_to_ = 0;
    std::size_t count_ = 0;
};

/// Moves from `start` to ever closer links on the levels (down_to, from], and returns the closest row met.
template <class Graph, class Scorer>
[[nodiscard]] slot_t descend(const Graph& graph, const Scorer& scorer, slot_t start, std::size_t from,
                             std::size_t down_to, walk_scratch& walk, search_stats& stats) {
    descent<Graph, Scorer> walker(graph, scorer, walk, stats);
    walker.begin(start, from, down_to);
    while (walker.gather()) walker.absorb();
    return walker.closest();
}

/// Searches by a beam, and can pause where it would wait for memory: between knowing which rows to score and scoring
/// them. One step is gather, then absorb.
template <class Graph, class Scorer>
class beam_walk {
  public:
    beam_walk(const Graph& graph, const Scorer& scorer, std::size_t level, walk_scratch& walk, search_stats& stats)
        : graph_(graph), scorer_(scorer), level_(level), walk_(walk), stats_(stats) {}

    void begin(slot_t start, std::size_t width) {
        walk_.pool.reset(width);
        if (!walk_.visited.insert(start)) return;
        walk_.pool.insert(scorer_.score(start), start);
        ++stats_.distances;
    }
    /// Follows the closest rows not yet followed; returns false if there are none.
    [[nodiscard]] VICINAL_INLINE bool gather() noexcept {
        beam& pool = walk_.pool;
        count_ = 0;
        std::size_t followed = 0;
        for (; followed < rows_at_once && pool.has_next(); ++followed) {
            const slot_t node = pool.take();
            if (pool.has_next()) graph_.prefetch_links(pool.peek(), level_);  // unless a closer one turns up
            count_ = fresh_links(graph_, node, level_, walk_, count_);
        }
        stats_.hops += followed;
        return followed != 0;
    }
    /// Asks for the rows that absorb will score.
    void prefetch() const noexcept { scorer_.prefetch(walk_.fresh.data(), count_); }
    VICINAL_INLINE void absorb() {
        scorer_.score(walk_.fresh.data(), count_, walk_.distances.data());
        stats_.distances += count_;
        if (walk_.pool.full()) drop_far();
        for (std::size_t i = 0; i < count_; ++i)
            if (walk_.pool.insert(walk_.distances[i], walk_.fresh[i], rows_at_once))
                graph_.prefetch_links(walk_.fresh[i], level_);
    }

  private:
    /// Takes those rows out that the full beam would turn away. Most are, in no order that a processor could predict,
    /// so this has no branch; what it leaves is almost always taken in.
    VICINAL_INLINE void drop_far() noexcept {
        const float limit = key_distance(walk_.pool.worst());
        slot_t* const fresh = walk_.fresh.data();
        float* const distances = walk_.distances.data();
        std::size_t left = 0;
        for (std::size_t i = 0; i < count_; ++i) {
            const float distance = distances[i];
            fresh[left] = fresh[i];
            distances[left] = distance;
            left += distance > limit ? 0 : 1;
        }
        count_ = left;
    }

    const Graph& graph_;
    const Scorer& scorer_;
    std::size_t level_;
    walk_scratch& walk_;
    search_stats& stats_;
    std::size_t count_ = 0;
};

/// Fills walk.pool with the closest rows to be found from `start` on `level` (algorithm 2 of the HNSW paper).
template <class Graph, class Scorer>
void beam_search(const Graph& graph, const Scorer& scorer, slot_t start, std::size_t level, std::size_t width,
                 walk_scratch& walk, search_stats& stats, const call_limits& limits) {
    beam_walk<Graph, Scorer> search(graph, scorer, level, walk, stats);
    search.begin(start, width);
    while (search.gather()) {
        limits.check();
        search.absorb();
    }
}

/// Calls found(row, distance) for every row within `radius` that can be reached from the rows in walk.pool over rows
/// within it.
template <class Graph, class Scorer, class Found>
void flood_within(const Graph& graph, const Scorer& scorer, float radius, std::size_t rows, walk_scratch& walk,
                  search_stats& stats, const call_limits& limits, Found found) {
    auto& frontier = walk.frontier;
    frontier.clear();
    walk.visited.begin(rows);  // what the beam saw and dropped may lie within the radius
    const auto reach = [&](float distance, slot_t slot) {
        if (!(distance <= radius)) return;
        frontier.push_back(make_key(distance, slot));
        found(slot, distance);
    };
    for (std::size_t i = 0; i < walk.pool.size(); ++i) {
        const slot_t slot = key_slot(walk.pool[i]);
        if (walk.visited.insert(slot)) reach(scorer.score(slot), slot);
    }
    while (!frontier.empty()) {
        if ((stats.hops & 31) == 0) limits.check();
        const slot_t slot = key_slot(frontier.back());
        frontier.pop_back();
        const std::size_t count = score_fresh_links(graph, scorer, slot, 0, walk, stats);
        for (std::size_t i = 0; i < count; ++i) reach(walk.distances[i], walk.fresh[i]);
    }
}

}  // namespace detail

VICINAL_NAMESPACE_END
