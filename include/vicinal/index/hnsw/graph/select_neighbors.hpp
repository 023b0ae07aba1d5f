// SPDX-License-Identifier: MIT
// These functions choose which of many candidates a row of an HNSW graph links to.
#pragma once

#include <algorithm>  // for min, stable_partition
#include <cstddef>    // for size_t
#include <span>       // for span
#include <utility>    // for move
#include <vector>     // for vector

#include "vicinal/core/types.hpp"
#include "vicinal/index/hnsw/graph/link_distances.hpp"
#include "vicinal/index/hnsw/graph/near_duplicates.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Chooses up to `limit` of the candidates, which are sorted: each one that is closer to the row itself than to any
/// already chosen (algorithm 4 of the HNSW paper), so that links point in different directions and duplicates do
/// not fill a list. Where distances jump, what comes before may take three quarters of the places left. The first
/// `kept` candidates are chosen whatever their distances.
/// returns  how many were chosen; they are moved to the front, in order
template <class Distances>
std::size_t select_neighbors(std::span<candidate> sorted, std::size_t limit, std::size_t kept, Distances& between) {
    if (sorted.size() <= kept) return (std::min)(limit, sorted.size());
    slot_t chosen[2048];
    std::size_t count = 0;
    const auto is_good = [&](const candidate& c) {
        if (count == 0) return true;
        float distances[4];
        const auto from_c = between.from(c.slot);
        for (std::size_t j = 0; j < count; j += 4) {
            const std::size_t n = std::min<std::size_t>(4, count - j);
            from_c.score(chosen + j, n, distances);
            for (std::size_t t = 0; t < n; ++t)
                if (is_shadowed(distances[t], c.distance)) return false;
        }
        return true;
    };
    const distance_jumps jumps(sorted[kept].distance, sorted.back().distance);
    std::size_t part_end = kept;
    std::size_t share = limit;
    for (std::size_t i = 0; i < sorted.size() && count < limit; ++i) {
        if (i >= kept) {
            if (i == part_end) {
                part_end = jumps.end_of_part(sorted, i);
                share = part_end == sorted.size() ? limit : limit - (limit - count) / 4;
            }
            if (count >= share || !is_good(sorted[i])) continue;
        }
        const candidate c = sorted[i];
        chosen[count] = c.slot;
        sorted[count++] = c;
    }
    return count;
}

/// Cuts `sorted` down to the neighbours that `row` selects, by whatever distances its links are chosen.
template <class Distances>
void keep_links(slot_t row, std::vector<candidate>& sorted, std::size_t limit, std::size_t kept, Distances& between) {
    if constexpr (Distances::may_center) {
        std::vector<slot_t> all;
        all.reserve(sorted.size());
        for (const candidate& c : sorted) all.push_back(c.slot);
        sorted.resize(between.centers() ? choose_links_by_both(row, std::span(sorted), limit, kept, between)
                                        : select_neighbors(std::span(sorted), limit, kept, between));
        if (leaves_room(sorted.size(), limit)) fill_by_squares(row, sorted, kept, std::move(all), limit, between);
    } else {
        sorted.resize(select_neighbors(std::span(sorted), limit, kept, between));
    }
}

/// Cuts `all`, sorted candidates for the links of `slot`, down to what it keeps: links of the tree come first, then
/// those of which holds(link) says that the row has them and is to keep them.
///
/// Graph  hnsw_graph, or graph_changes
template <class Graph, class Distances, class Holds>
void prune_links(const Graph& graph, slot_t slot, std::size_t level, std::vector<candidate>& all, Distances& between,
                 const Holds& holds) {
    auto others = all.begin();
    if (level == 0)
        others = std::stable_partition(others, all.end(),
                                       [&](const candidate& c) { return graph.is_tree_link(slot, c.slot); });
    others = std::stable_partition(others, all.end(), [&](const candidate& c) { return holds(c.slot); });
    const auto kept = static_cast<std::size_t>(others - all.begin());
    keep_links(slot, all, graph.capacity(level), kept, between);
}

}  // namespace detail

VICINAL_NAMESPACE_END
