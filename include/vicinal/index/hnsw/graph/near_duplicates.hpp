// SPDX-License-Identifier: MIT
// Rows that lie much closer to each other than to all others are a crowd, and need links that lead out of it.
//
// A row among many near-duplicates of itself finds nothing else: its beam is full of them, so no candidate leads out,
// and only rounding tells their distances apart, which would decide whether a link that does lead out is kept. Such a
// row is known by its beam, whose rows are all far closer than everything met on the way to them; it gets candidates
// from there, and a share of its links is theirs.
#pragma once

#include <algorithm>  // for max, max_element, min, sort
#include <array>      // for array
#include <cmath>      // for abs, sqrt
#include <cstddef>    // for size_t
#include <span>       // for span
#include <vector>     // for vector

#include "vicinal/core/time_limit.hpp"
#include "vicinal/index/hnsw/graph/walk.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// A candidate is a row with its distance to the row that considers linking to it.
struct candidate {
    float distance;
    slot_t slot;
    friend bool operator<(const candidate& a, const candidate& b) noexcept {
        return make_key(a.distance, a.slot) < make_key(b.distance, b.slot);
    }
};

/// Says whether a candidate is needless as a link because a row already chosen, at `between` from it, is closer to it
/// than the row that would link, at `own`. It must be closer by more than rounding: a near-duplicate of the row would
/// else rule out all others.
[[nodiscard]] inline bool is_shadowed(float between, float own) noexcept {
    constexpr float margin = 1e-5F;
    return !(between > own - margin * std::abs(own));
}

/// Says where distances jump: where one is so much farther than all before it that a search would hardly have met both,
/// had it not met a crowd.
class distance_jumps {
  public:
    /// first, last  the least and the greatest distance there is
    distance_jumps(float first, float last) noexcept
        : low_((std::min)(0.0F, first)), floor_(rounding * (std::max)(std::abs(first), std::abs(last))) {}
    [[nodiscard]] float beyond(float distance) const noexcept {
        return distance + times * (std::max)(distance - low_, floor_);
    }
    /// Returns the end of the part of `sorted` that begins at `first`, which is where the distances jump next.
    [[nodiscard]] std::size_t end_of_part(std::span<const candidate> sorted, std::size_t first) const noexcept {
        std::size_t i = first + 1;
        while (i < sorted.size() && !(sorted[i].distance > beyond(sorted[i - 1].distance))) ++i;
        return i;
    }
    /// Returns the farthest of `distances`, which it sorts, before the first jump behind `within`, or the farthest of
    /// all if none jumps.
    [[nodiscard]] float before_jump(std::vector<float>& distances, float within) const {
        std::sort(distances.begin(), distances.end());
        for (const float distance : distances) {
            if (distance > beyond(within)) break;
            within = (std::max)(within, distance);
        }
        return within;
    }
    /// Returns how far apart the distances of two rows may be that lie no farther from each other than the rows of a
    /// crowd whose distances reach to `crowd`.
    [[nodiscard]] float blur(float distance, float crowd) const noexcept {
        return 2 * std::sqrt((std::max)(distance - low_, 0.0F) * (crowd - low_)) + floor_;
    }

  private:
    static constexpr float times = 16;
    static constexpr float rounding = 1e-6F;
    float low_;
    float floor_;
};

/// Returns the greatest of `distances`, of which there is at least one. It compares eight at a time, as in one chain
/// each comparison would wait for the one before.
[[nodiscard]] inline float farthest_of(std::span<const float> distances) noexcept {
    std::array<float, 8> most;
    most.fill(distances[0]);
    std::size_t i = 0;
    for (; i + most.size() <= distances.size(); i += most.size())
        for (std::size_t lane = 0; lane < most.size(); ++lane)
            most[lane] = distances[i + lane] > most[lane] ? distances[i + lane] : most[lane];
    for (; i < distances.size(); ++i) most[0] = distances[i] > most[0] ? distances[i] : most[0];
    return *std::max_element(most.begin(), most.end());
}

/// Scores as another scorer does, and notes the distances of all it scores.
template <class Scorer>
class noting_scorer {
  public:
    noting_scorer(const Scorer& scorer, std::vector<float>& noted) noexcept : scorer_(scorer), noted_(noted) {}
    [[nodiscard]] float score(slot_t slot) const { return noted_.emplace_back(scorer_.score(slot)); }
    void score(const slot_t* slots, std::size_t count, float* out) const {
        scorer_.score(slots, count, out);
        noted_.insert(noted_.end(), out, out + count);
    }
    void prefetch(const slot_t* slots, std::size_t count) const noexcept { scorer_.prefetch(slots, count); }

  private:
    const Scorer& scorer_;
    std::vector<float>& noted_;
};

/// Fills walk.pool with rows that are closest of those that differ: of rows about equally far it takes two. So the
/// beam holds many crowds, and leaves each by the links of those two.
/// blur(distance)  how far apart distances are that count as about equal
template <class Graph, class Scorer, class Blur>
void spread_search(const Graph& graph, const Scorer& scorer, slot_t start, std::size_t level, std::size_t width,
                   const Blur& blur, walk_scratch& walk, search_stats& stats, const call_limits& limits) {
    constexpr std::size_t most = 2;
    beam& pool = walk.pool;
    const auto is_taken = [&](float distance) {
        const float off = blur(distance);
        std::size_t first = 0;
        for (std::size_t count = pool.size(); count > 0;) {
            const std::size_t half = count / 2;
            const bool is_before = key_distance(pool[first + half]) < distance - off;
            first += is_before ? half + 1 : 0;
            count = is_before ? count - half - 1 : half;
        }
        return first + most <= pool.size() && key_distance(pool[first + most - 1]) <= distance + off;
    };
    pool.reset(width);
    if (!walk.visited.insert(start)) return;
    pool.insert(scorer.score(start), start);
    ++stats.distances;
    while (pool.has_next()) {
        limits.check();
        const std::size_t count = score_fresh_links(graph, scorer, pool.take(), level, walk, stats);
        for (std::size_t i = 0; i < count; ++i)
            if (!is_taken(walk.distances[i])) pool.insert(walk.distances[i], walk.fresh[i]);
    }
}

/// Looks whether a beam may be full of near-duplicates: whether it holds rows that are as good as equally far by the
/// dozen. Returns how far apart the distances of such rows may be, or a negative number if there are none.
[[nodiscard]] inline float crowd_in(const beam& pool) noexcept {
    constexpr std::size_t run = 16;
    if (!pool.full() || pool.size() < run) return -1;
    std::size_t wide = 0;
    float spread = 0;
    for (std::size_t i = run; i <= pool.size(); i += run) {
        const float first = key_distance(pool[i - run]);
        const float last = key_distance(pool[i - 1]);
        if ((last - first) * 64 * static_cast<float>(pool.size()) > (std::max)(std::abs(first), std::abs(last)))
            ++wide;
        else
            spread = (std::max)(spread, last - first);
    }
    return 4 * wide > pool.size() / run ? -1 : 4 * spread;
}

/// Goes on with a beam search that ended in a crowd, from the rows of other crowds, if there are any.
/// spread  as crowd_in says
template <class Graph, class Scorer>
void leave_crowd(const Graph& graph, const Scorer& scorer, float spread, walk_scratch& walk, walk_scratch& other,
                 search_stats& stats, const call_limits& limits) {
    constexpr std::size_t width = 32;
    spread_search(
        graph, scorer, key_slot(walk.pool[0]), 0, width, [&](float) { return spread; }, other, stats, limits);
    for (std::size_t i = 0; i < other.pool.size(); ++i)
        if (walk.visited.insert(key_slot(other.pool[i])))
            walk.pool.insert(key_distance(other.pool[i]), key_slot(other.pool[i]));
    beam_walk<Graph, Scorer> search(graph, scorer, 0, walk, stats);
    while (search.gather()) {
        limits.check();
        search.absorb();
    }
}

}  // namespace detail

VICINAL_NAMESPACE_END
