// What batches that search for several queries at once have in common: preparing them, a collector for each, the rerank.
#pragma once

#include <algorithm>  // for clamp, max, min
#include <cstddef>    // for size_t
#include <cstdint>    // for uint64_t
#include <span>       // for span
#include <vector>     // for vector

#include "vicinal/index/common/calls.hpp"
#include "vicinal/index/common/rows.hpp"
#include "vicinal/scoring/query_tiles.hpp"
#include "vicinal/scoring/scan.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// How many of a batch's queries a task takes: at most `most`, fewer if threads would go without, whole panels.
template <class Params>
[[nodiscard]] std::size_t queries_a_task(std::size_t queries, std::size_t most, std::size_t panel,
                                         const Params& params) {
    const std::size_t threads = threads_of(params.executor, params.threads);
    const std::size_t fair = (queries + threads - 1) / threads;
    return std::clamp<std::size_t>(round_up(fair, panel), panel, std::max(most / panel * panel, panel));
}

/// Searches for several queries: scan(prepared queries, their collectors, buffers, stats) pushes rows scored by the coarse
/// codec; of two levels the best of each query are scored again. The hits of query i go to room(i).
template <class Index, class Room, class Params, class Scan>
void search_closest_together(const Index& index, matrix_view<const float> queries, Room room,
                             std::span<std::size_t> found, const Params& params, Scan scan) {
    using id = typename Index::id_type;
    query_table prepared(queries.rows(), index.dim);
    for (std::size_t i = 0; i < queries.rows(); ++i) index.validate_query(queries[i], prepared[i]);
    auto lease = index.scratch.take();
    const auto reading = index.locks.shared();
    call_stats stats(params.stats, lease->done, queries.rows());
    const row_selector<id> admits(index.directory, params.filter);
    std::vector<closest_collector<id>> closest;
    closest.reserve(queries.rows());
    for (std::size_t i = 0; i < queries.rows(); ++i) closest.emplace_back(room(i), admits);
    const std::size_t k = room(0).size();
    if (k != 0) {
        if constexpr (Index::two_levels) {
            const std::size_t width = rerank_width(params.rerank, k, index.directory.live());
            const std::size_t memory = reservoir::room(width, index.directory.high_water());
            std::vector<std::uint64_t> candidates(queries.rows() * memory);
            std::vector<candidate_collector<id>> wide;
            wide.reserve(queries.rows());
            for (std::size_t i = 0; i < queries.rows(); ++i)
                wide.emplace_back(std::span(candidates).subspan(i * memory, memory), width, admits);
            scan(prepared, wide, *lease, stats.now);
            for (std::size_t i = 0; i < queries.rows(); ++i) {
                auto& slots = lease->slots;
                wide[i].finish(slots);
                stats.now.distances += slots.size();
                stats.now.reranks += slots.size();
                const typename Index::fine_scorer_type fine(index.metric, index.rows.fine(), prepared[i].data(),
                                                            lease->decoded);
                score_listed(fine, std::span<const slot_t>(slots), closest[i], [] {});
            }
        } else {
            scan(prepared, closest, *lease, stats.now);
        }
    }
    for (std::size_t i = 0; i < queries.rows(); ++i) found[i] = closest[i].finish();
}

}  // namespace detail

VICINAL_NAMESPACE_END
