// SPDX-License-Identifier: MIT
// Hierarchical k-means is for many clusters: it makes groups first, then clusters within each.
//
// One level costs rows x clusters x dim an iteration, and there must be rows for every cluster: the square of the
// clusters. Two levels of about sqrt(clusters) each cost its square root, and lose a few percent of the objective.
#pragma once

#include <algorithm>  // for max
#include <cmath>      // for ceil, sqrt
#include <cstddef>    // for size_t
#include <cstdint>    // for uint32_t, uint64_t
#include <queue>      // for priority_queue
#include <utility>    // for pair
#include <vector>     // for vector

#include "vicinal/linalg/kmeans.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Says how many of `clusters` each group gets, by its number of rows: at least one if it has any, never more than
/// rows. Seats are given by highest averages (Jefferson, d'Hondt), ties to the lower group.
[[nodiscard]] inline std::vector<std::size_t> divide_clusters(const cluster_members& groups, std::size_t clusters) {
    const std::size_t count = groups.start.size() - 1;
    std::vector<std::size_t> share(count, 0);
    using seat_claim = std::pair<double, std::size_t>;
    std::priority_queue<seat_claim, std::vector<seat_claim>, plain_less> claims;
    const auto claim = [&](std::size_t g) {
        claims.push({static_cast<double>(groups.size(g)) / static_cast<double>(share[g] + 1), count - g});
    };
    std::size_t given = 0;
    for (std::size_t g = 0; g < count; ++g) {
        if (groups.size(g) == 0) continue;
        share[g] = 1;
        ++given;
        claim(g);
    }
    for (; given < clusters; ++given) {
        const std::size_t g = count - claims.top().second;
        claims.pop();
        ++share[g];
        claim(g);
    }
    return share;
}

}  // namespace detail

/// Does what kmeans does, in two levels. The result's objective is that of each row within its group; a row whose
/// closest centroid belongs to another group is a little closer still. `iterations` is the most any level took.
/// params   `.progress` counts groups, with the division into them as one more
/// throws   as kmeans
/// cost     O(iterations * trained rows * sqrt(clusters) * dim)
/// threads  as kmeans
[[nodiscard]] inline kmeans_result hierarchical_kmeans(matrix_view<const float> rows, const kmeans_params& params) {
    using namespace detail;
    using purpose = kmeans_random::purpose;
    check_kmeans(rows, params);
    const std::vector<std::size_t> sample =
        choose_rows(rows.rows(), sample_size(rows.rows(), params.clusters, params.sample_per_cluster),
                    kmeans_random(params.seed, purpose::sample));
    require_measurable("kmeans", row_set(rows, sample));

    kmeans_params above = params;
    above.clusters = static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(params.clusters))));
    above.progress = {};
    std::vector<std::size_t> few =
        choose_rows(sample.size(), sample_size(sample.size(), above.clusters, params.sample_per_cluster),
                    kmeans_random(params.seed + 1, purpose::sample));
    for (std::size_t& row : few) row = sample[row];
    const kmeans_result upper = cluster_sample(rows, few, above);
    std::vector<std::uint32_t> group_of(sample.size());
    assign_rows(row_set(rows, sample), {upper.centroids.data(), above.clusters, rows.dim()}, group_of, {},
                params.executor, params.stop, "hierarchical_kmeans");
    cluster_members groups;
    groups.group(group_of, above.clusters);
    const std::vector<std::size_t> share = divide_clusters(groups, params.clusters);
    if (params.progress) params.progress(1, above.clusters + 1);

    kmeans_result result;
    result.centroids.reserve(params.clusters * rows.dim());
    result.sizes.reserve(params.clusters);
    result.trained_rows = sample.size();
    result.iterations = upper.iterations;
    result.converged = upper.converged;
    double total = 0;
    for (std::size_t g = 0; g < share.size(); ++g) {
        if (share[g] != 0) {
            std::vector<std::size_t> members(groups.of(g).begin(), groups.of(g).end());
            for (std::size_t& row : members) row = sample[row];
            kmeans_params within = above;
            within.clusters = share[g];
            within.seed = params.seed + std::uint64_t{2} + g;
            const kmeans_result lower = cluster_sample(rows, members, within);
            result.centroids.insert(result.centroids.end(), lower.centroids.begin(), lower.centroids.end());
            result.sizes.insert(result.sizes.end(), lower.sizes.begin(), lower.sizes.end());
            result.spreads.insert(result.spreads.end(), lower.spreads.begin(), lower.spreads.end());
            result.iterations = (std::max)(result.iterations, lower.iterations);
            result.converged = result.converged && lower.converged;
            total += lower.objective * static_cast<double>(members.size());
        }
        if (params.progress) params.progress(g + 2, above.clusters + 1);
    }
    result.objective = total / static_cast<double>(sample.size());
    return result;
}

VICINAL_NAMESPACE_END
