// SPDX-License-Identifier: MIT
// How a flat index answers many queries at once: each block of rows is read once and met by all of them.
#pragma once

#include <algorithm>  // for max, min
#include <cstddef>    // for size_t
#include <cstdint>    // for uint32_t
#include <numeric>    // for iota
#include <span>       // for span
#include <vector>     // for vector

#include "vicinal/core/progress.hpp"
#include "vicinal/core/rows_view.hpp"
#include "vicinal/index/common/batch.hpp"
#include "vicinal/index/common/joint_scan.hpp"
#include "vicinal/index/flat/search.hpp"
#include "vicinal/index/flat/state.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::flat {

/// Queries whose panels stay in the second-level cache while a block of rows meets them; enough that reading the rows
/// costs little beside the arithmetic.
[[nodiscard]] inline std::size_t batch_size(std::size_t dim) noexcept {
    constexpr std::size_t cached = std::size_t{512} << 10;
    return std::min<std::size_t>(512, std::max<std::size_t>(16, cached / (dim * sizeof(float))));
}

/// Pushes all rows, or just those that the filter admits, to the collectors of all queries. make(query, made_of_query)
/// makes a query's scorer.
template <class State, class Collectors, class Make>
void scan_together(const State& index, const query_table& queries, const typename State::params_type& params,
                   Collectors& collectors, const Make& make, row_scratch& buffers, search_stats& stats) {
    const auto check_stop = [limits = limits_of(params)] { limits.check(); };
    if (list_admitted(index, params.filter, queries.size(), buffers, limits_of(params))) {
        stats.exact_scans += queries.size();
        stats.distances += queries.size() * buffers.slots.size();
        for (std::size_t q = 0; q < queries.size(); ++q)
            score_listed(make(queries[q].data(), buffers.integers), std::span<const slot_t>(buffers.slots),
                         collectors[q], check_stop);
        return;
    }
    const std::size_t count = index.directory.high_water();
    stats.distances += queries.size() * count;
    if constexpr (reads_columns(State::algorithm)) {
        query_scorers scorers(queries, make);
        code_columns<typename State::isa_type> columns(scorers[0].looked_up());
        std::vector<std::uint32_t> all(queries.size());
        std::iota(all.begin(), all.end(), 0U);
        scan_by_columns(columns, scorers[0].rows(), count, all, scorers, collectors, own_slot, buffers.bounds,
                        check_stop);
        scorers.count_measured(stats);
    } else {
        scan_rows_together<typename State::isa_type>(index.metric, index.rows.coarse(), queries, count, collectors,
                                                     buffers.decoded, check_stop);
    }
}

template <class State>
[[nodiscard]] search_table<typename State::id_type> search_batch(const State& index, rows_view queries, std::size_t k,
                                                                 const typename State::params_type& params) {
    using id_type = typename State::id_type;
    using params_type = typename State::params_type;
    const auto alone = [&](vector_view query, auto out, const params_type& how) {
        return flat::search(index, query, out, how);
    };
    if constexpr (!State::scans_jointly) return run_batch<id_type>(queries, index.dim, k, params, alone);
    std::size_t most = batch_size(index.dim);
    if constexpr (reads_columns(State::algorithm)) most = (std::min)(most, queries_with_tables(index.dim));
    return run_joint_batch(
        index, queries, k, params, most,
        [&](const id_filter<id_type>& filter, const params_type&) { return admits_most(index, filter); }, alone,
        [&](rows_view some, auto room, std::span<std::size_t> found, const params_type& how,
            std::span<const id_filter<id_type>> own) {
            search_closest_together(
                index, some, room, found, how, own,
                [&](const query_table& prepared, auto& collectors, const auto& make, row_scratch& buffers,
                    search_stats& stats) { scan_together(index, prepared, how, collectors, make, buffers, stats); });
        });
}

}  // namespace detail::flat

VICINAL_NAMESPACE_END
