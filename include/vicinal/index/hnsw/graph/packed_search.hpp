// Walking a graph by the codes of its links' targets: distances are estimated from a row's own memory, and taken
// exactly only of rows that are followed.
#pragma once

#include <algorithm>   // for push_heap, pop_heap
#include <bit>         // for countr_zero
#include <cstddef>     // for size_t
#include <cstdint>     // for uint32_t
#include <functional>  // for greater
#include <limits>      // for numeric_limits
#include <stop_token>  // for stop_token
#include <utility>     // for swap

#include "vicinal/index/hnsw/graph/neighbor_codes.hpp"
#include "vicinal/index/hnsw/graph/walk.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// How many rows are followed at once: their memory is waited for together.
inline constexpr std::size_t packed_rows_at_once = 4;

/// Calls found(link, estimate) for the links of `node`, itself at `distance`, whose estimates are not above `limit`.
template <class Graph, class Codes, class Found>
VICINAL_INLINE void for_each_link(const Graph& graph, const Codes& codes, const scan_query& query, slot_t node,
                                  float distance, float limit, const Found& found) {
    const slot_t* const links = graph.first_link(node, 0);
    const std::size_t capacity = graph.capacity(0);
    alignas(64) float estimates[simd::scan_lanes];
    for (std::size_t first = 0, block = 0; first < capacity; first += simd::scan_lanes, ++block) {
        codes.scan(query, node, block, distance, estimates);
        std::uint32_t close = Codes::not_above(estimates, limit);
        if (capacity - first < simd::scan_lanes) close &= (std::uint32_t{1} << (capacity - first)) - 1;
        for (; close != 0; close &= close - 1) {
            const auto lane = static_cast<std::size_t>(std::countr_zero(close));
            if (links[first + lane] == no_slot) break;
            found(links[first + lane], estimates[lane]);
        }
    }
}

/// A beam_walk whose beam holds estimates; each row that is followed is measured by the scorer and kept in walk.exact.
/// In the end finish() makes those walk.pool, sorted by distance. A row not followed yet enters the beam once for each
/// estimate that is low enough, and is followed by its lowest: estimates from several sides miss close rows much more
/// rarely than one does. So fewer rows than the beam is wide may be found.
template <class Graph, class Scorer, class Codes>
class packed_walk {
  public:
    packed_walk(const Graph& graph, const Scorer& scorer, const Codes& codes, walk_scratch& walk, search_stats& stats)
        : graph_(graph), scorer_(scorer), codes_(codes), walk_(walk), stats_(stats) {}

    /// rows  how many there are: if the beam could hold them all, each enters once, so that all do
    void begin(slot_t start, std::size_t width, std::size_t rows) {
        once_ = width >= rows;
        walk_.pool.reset(width);
        walk_.exact.reset(width);
        if (once_ && !walk_.visited.insert(start)) return;
        walk_.pool.insert(0.0F, start);
    }
    [[nodiscard]] VICINAL_INLINE bool gather() noexcept {
        beam& pool = walk_.pool;
        count_ = 0;
        while (count_ < packed_rows_at_once && pool.has_next()) {
            const slot_t node = pool.take();
            if (once_ || walk_.visited.insert(node)) nodes_[count_++] = node;
        }
        return count_ != 0;
    }
    VICINAL_INLINE void prefetch() const noexcept {
        for (std::size_t i = 0; i < count_; ++i) ask_for(nodes_[i]);
    }
    VICINAL_INLINE void absorb() {
        float distances[packed_rows_at_once];
        scorer_.score(nodes_, count_, distances);
        stats_.distances += count_;
        stats_.hops += count_;
        for (std::size_t i = 0; i < count_; ++i) {
            walk_.exact.insert(distances[i], nodes_[i]);
            scan(nodes_[i], distances[i]);
        }
    }
    void finish() noexcept { std::swap(walk_.pool, walk_.exact); }

  private:
    VICINAL_INLINE void ask_for(slot_t node) const noexcept {
        scorer_.prefetch(&node, 1);
        graph_.prefetch_links(node, 0);
        codes_.prefetch(node);
    }
    VICINAL_INLINE void scan(slot_t node, float distance) {
        beam& pool = walk_.pool;
        for_each_link(graph_, codes_, walk_.query, node, distance,
                      pool.full() ? key_distance(pool.worst()) : std::numeric_limits<float>::infinity(),
                      [&](slot_t link, float estimate) VICINAL_LAMBDA_INLINE {
                          if (pool.full() && make_key(estimate, link) > pool.worst()) return;
                          if (once_ ? !walk_.visited.insert(link) : walk_.visited.contains(link)) return;
                          if (pool.insert(estimate, link, packed_rows_at_once)) ask_for(link);
                      });
    }

    const Graph& graph_;
    const Scorer& scorer_;
    const Codes& codes_;
    walk_scratch& walk_;
    search_stats& stats_;
    slot_t nodes_[packed_rows_at_once] = {};
    std::size_t count_ = 0;
    bool once_ = false;
};

/// Fills walk.pool with the closest of up to `width` rows met from `start` on level 0. walk.query is prepared.
template <class Graph, class Scorer, class Codes>
void packed_beam_search(const Graph& graph, const Scorer& scorer, const Codes& codes, slot_t start, std::size_t width,
                        std::size_t rows, walk_scratch& walk, search_stats& stats, const std::stop_token& stop) {
    packed_walk<Graph, Scorer, Codes> search(graph, scorer, codes, walk, stats);
    search.begin(start, width, rows);
    while (search.gather()) {
        throw_if_stopped(stop);
        search.prefetch();
        search.absorb();
    }
    search.finish();
}

/// The same when only some rows may be returned: walk.pool keeps the closest rows, by distance, that admits(row), while
/// the walk passes through all. It ends when `width` admitted rows are closer than every estimate left, or nothing is
/// left.
template <class Graph, class Scorer, class Codes, class Admits>
void packed_filtered_search(const Graph& graph, const Scorer& scorer, const Codes& codes, slot_t start,
                            std::size_t width, const Admits& admits, walk_scratch& walk, search_stats& stats,
                            const std::stop_token& stop) {
    beam& pool = walk.pool;
    auto& frontier = walk.frontier;
    pool.reset(width);
    frontier.clear();
    if (!walk.visited.insert(start)) return;
    frontier.push_back(make_key(scorer.score(start), start));
    while (!frontier.empty()) {
        if ((stats.hops & 31) == 0) throw_if_stopped(stop);
        std::pop_heap(frontier.begin(), frontier.end(), std::greater<>());
        const row_key nearest = frontier.back();
        frontier.pop_back();
        if (pool.full() && nearest > pool.worst()) break;
        const slot_t node = key_slot(nearest);
        const float distance = scorer.score(node);
        ++stats.distances;
        ++stats.hops;
        if (admits(node)) pool.insert(distance, node);
        for_each_link(graph, codes, walk.query, node, distance,
                      pool.full() ? key_distance(pool.worst()) : std::numeric_limits<float>::infinity(),
                      [&](slot_t link, float estimate) {
                          if (!walk.visited.insert(link)) return;
                          frontier.push_back(make_key(estimate, link));
                          std::push_heap(frontier.begin(), frontier.end(), std::greater<>());
                      });
    }
}

}  // namespace detail

VICINAL_NAMESPACE_END
