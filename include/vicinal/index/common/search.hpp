// SPDX-License-Identifier: MIT
// What searches of every index of rows do: choose the scorer, collect candidates, and score the best of them again.
#pragma once

#include <algorithm>  // for max, min
#include <cstddef>    // for size_t
#include <cstdint>    // for uint32_t
#include <span>       // for span
#include <vector>     // for vector

#include "vicinal/core/bit_cast.hpp"
#include "vicinal/core/time_limit.hpp"
#include "vicinal/core/top_k.hpp"
#include "vicinal/core/vector_view.hpp"
#include "vicinal/filter.hpp"
#include "vicinal/index/common/call_stats.hpp"
#include "vicinal/index/common/encoding.hpp"
#include "vicinal/index/common/observers.hpp"
#include "vicinal/index/common/scorers.hpp"
#include "vicinal/scoring/collectors.hpp"
#include "vicinal/scoring/scan.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// How many coarse results a two-level scan keeps for the rerank.
[[nodiscard]] inline std::size_t rerank_width(std::size_t asked, std::size_t k, std::size_t live) noexcept {
    const std::size_t width = asked != 0 ? asked : (k > max_slots / 8 ? k : 4 * k + 32);
    return (std::min)((std::max)(width, k), live);
}

inline void require_radius(float radius) {
    if ((detail::bit_cast<std::uint32_t>(radius) & 0x7FFFFFFFU) > 0x7F800000U)  // NaN, whatever -ffast-math believes
        fail(errc::invalid_argument, "search_within: radius is NaN, it must be a number");
}

/// Scores the rows in buffers.slots again by the fine codec.
template <class State, class Collector>
void rerank(const State& index, row_scratch& buffers, Collector& collector, search_stats& stats) {
    stats.distances += buffers.slots.size();
    stats.reranks += buffers.slots.size();
    score_listed(make_fine_scorer(index, buffers), std::span<const slot_t>(buffers.slots), collector, [] {});
}

/// Says whether distances rise in the order in which they stand, but for a few: the row that stands half of all behind
/// another is closer in at most one of sixteen pairs, or in one of fewer. In a random order it is in every other.
template <class Candidate>
[[nodiscard]] bool rises(std::span<const Candidate> order) noexcept {
    const std::size_t pairs = order.size() / 2;
    std::size_t inverted = 0;
    for (std::size_t i = 0; i < pairs; ++i)
        inverted += static_cast<std::size_t>(order[i].distance > order[i + order.size() - pairs].distance);
    return inverted <= (std::max<std::size_t>)(1, pairs / 16);
}

/// Scores the candidates in the order of their coarse distances, which are replaced by the fine ones. Stops when even
/// twice the largest correction seen so far could bring none of those left under the threshold, and none was under it
/// for so long that the order cannot be a random one. Returns how many were scored.
template <class State, class Collector>
std::size_t rerank_doubtful(const State& index, row_scratch& buffers, std::size_t k, Collector& collector,
                            search_stats& stats) {
    constexpr std::size_t group = 16;
    const auto scorer = make_fine_scorer(index, buffers);
    auto& candidates = buffers.candidates;
    slot_t slots[group];
    float distances[group];
    float closer_than_said = 0;
    std::size_t first = 0;
    for (std::size_t last_close = 0; first < candidates.size(); first += group) {
        const bool seems_over = candidates[first].distance - 2 * closer_than_said > collector.threshold();
        if (seems_over && first - last_close >= (std::min)(4 * first / k, first - first / 4)) break;
        const std::size_t n = (std::min)(group, candidates.size() - first);
        for (std::size_t i = 0; i < n; ++i) {
            slots[i] = candidates[first + i].id;
            index.directory.prefetch(slots[i]);
        }
        scorer.score(slots, n, distances);
        stats.distances += n;
        stats.reranks += n;
        for (std::size_t i = 0; i < n; ++i) {
            closer_than_said = (std::max)(closer_than_said, candidates[first + i].distance - distances[i]);
            candidates[first + i].distance = distances[i];
        }
        push_all(collector, distances, n, [&](std::size_t i) {
            if (distances[i] < collector.threshold()) last_close = first + i;
            return slots[i];
        });
    }
    return (std::min)(first, candidates.size());
}

/// Scans by a scorer that measures by the fine codec what coarse codes do not rule out.
template <class Scorer, class Buffers, class Collector, class Scan>
std::size_t scan_measuring(Scorer scorer, Buffers& buffers, Collector& closest, search_stats& stats, Scan& scan) {
    stats.partial += ends_early([&] { scan(scorer, buffers, closest, stats); });
    stats.distances += scorer.measured();
    stats.reranks += scorer.measured();
    return closest.finish();
}

/// One search: scan(scorer, buffers, collector, stats) pushes rows scored by the coarse codec, of two levels the best
/// of them are scored again. Where coarse codes bound distances, all that could be close is scored by the fine codec.
template <class State, class Params, class Scan>
std::size_t search_closest(const State& index, vector_view query, std::span<neighbor<typename State::id_type>> out,
                           const Params& params, Scan scan) {
    using id_type = typename State::id_type;
    auto lease = index.scratch.take();
    validate_query(index, *lease, query);
    const auto shared = index.locks.shared();
    call_stats stats(params.stats, lease->done);
    const row_selector<id_type> admits(index.directory, params.filter);
    closest_collector<id_type> closest(out, admits);
    if (out.empty()) return 0;
    if constexpr (State::algorithm == scan_algorithm::distance_bounds)
        return scan_measuring(make_bounding_scorer(index, *lease), *lease, closest, stats.now, scan);
    if constexpr (State::two_levels && State::algorithm == scan_algorithm::sign_bounds)
        if (params.rerank == 0)
            return scan_measuring(make_sketch_scorer(index, *lease), *lease, closest, stats.now, scan);
    if constexpr (State::two_levels) {
        const std::size_t width = rerank_width(params.rerank, out.size(), index.directory.live());
        lease->keys.resize(reservoir::room(width, index.directory.high_water()));
        candidate_collector<id_type> wide(lease->keys, width, admits);
        stats.now.partial += ends_early([&] { scan(make_candidate_scorer(index, *lease), *lease, wide, stats.now); });
        wide.finish(lease->slots);
        rerank(index, *lease, closest, stats.now);
    } else {
        stats.now.partial += ends_early([&] { scan(make_scan_scorer(index, *lease), *lease, closest, stats.now); });
    }
    return closest.finish();
}

}  // namespace detail

VICINAL_NAMESPACE_END
