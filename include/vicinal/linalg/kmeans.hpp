// SPDX-License-Identifier: MIT
// k-means computes the centroids that IVF lists and product quantisers are made of.
//
// It runs Lloyd's iterations over a sample, seeded by k-means++ on a smaller one; an empty cluster takes half of the
// largest. From 256 clusters on a row is compared, after the first iteration, with the centroids around its cluster
// only. Every sum is taken in a fixed order, every comparison that rounding leaves open is made in double precision,
// and every random number is a function of (seed, purpose, counter): equal calls give equal bytes for every executor.
#pragma once

#include <algorithm>    // for max, min, sort
#include <cmath>        // for sqrt
#include <cstddef>      // for size_t, ptrdiff_t
#include <cstdint>      // for uint32_t, uint64_t
#include <limits>       // for numeric_limits
#include <numeric>      // for partial_sum
#include <queue>        // for priority_queue
#include <span>         // for span
#include <string>       // for string, to_string
#include <string_view>  // for string_view
#include <utility>      // for pair, swap
#include <vector>       // for vector

#include "vicinal/core/bit_cast.hpp"
#include "vicinal/core/function_ref.hpp"
#include "vicinal/core/stop_token.hpp"
#include "vicinal/linalg/kmeans_seeding.hpp"
#include "vicinal/linalg/nearest_centroids.hpp"

VICINAL_NAMESPACE_BEGIN

struct kmeans_params {
    std::size_t clusters = 0;     ///< from 1 to the number of rows, below 2^32
    std::size_t iterations = 10;  ///< at most; from 1 to below 2^32
    std::uint64_t seed = 0;
    std::size_t sample_per_cluster = 256;  ///< rows beyond clusters times this are left out, by chance; 0 = use all
    double balance = 0;          ///< split clusters of more than this many times the mean size; 0 = leave them
    double tolerance = 1e-4;     ///< stop when an iteration lowers the objective by less than this share; >= 0
    executor_ref executor = {};  ///< empty: the calling thread
    stop_token stop = {};
    function_ref<void(std::size_t done, std::size_t total)> progress = {};  ///< after each iteration
};

struct kmeans_result {
    std::vector<float> centroids;    ///< clusters x dim, row-major
    std::vector<std::size_t> sizes;  ///< trained rows of each cluster in the last assignment
    std::vector<double> spreads;     ///< their mean squared distance in it; 0 for none
    double objective = 0;            ///< mean squared distance of the trained rows in the last assignment
    std::size_t iterations = 0;      ///< how many ran
    std::size_t trained_rows = 0;    ///< how many rows the sample had
    bool converged = false;          ///< stopped before `.iterations`, or would have
};

namespace detail {

/// A row is compared with this many centroids once it has a cluster, where there are enough clusters for that to pay.
inline constexpr std::size_t neighbourhood = 64;
inline constexpr std::size_t clusters_worth_neighbourhoods = 4 * neighbourhood;

/// Holds the rows of each cluster, ascending: cluster c has member[start[c]] to member[start[c + 1] - 1].
struct cluster_members {
    std::vector<std::size_t> start;
    std::vector<std::size_t> member;

    void group(std::span<const std::uint32_t> assignment, std::size_t clusters) {
        start.assign(clusters + 1, 0);
        for (const std::uint32_t c : assignment) ++start[c + 1];
        std::partial_sum(start.begin(), start.end(), start.begin());
        member.resize(assignment.size());
        std::vector<std::size_t> next(start.begin(), start.end() - 1);
        for (std::size_t i = 0; i < assignment.size(); ++i) member[next[assignment[i]]++] = i;
    }

    [[nodiscard]] std::size_t size(std::size_t c) const noexcept { return start[c + 1] - start[c]; }
    [[nodiscard]] std::span<const std::size_t> of(std::size_t c) const noexcept {
        return {member.data() + start[c], size(c)};
    }
};

/// Adds the rows to `sum` in their order. It takes four at a time, to wait once for the memory they come from.
inline void add_rows(const row_set& rows, std::span<const std::size_t> which, std::span<double> sum) noexcept {
    std::size_t i = 0;
    for (; i + 4 <= which.size(); i += 4) {
        const float *const a = rows[which[i]], *const b = rows[which[i + 1]];
        const float *const c = rows[which[i + 2]], *const d = rows[which[i + 3]];
        for (std::size_t j = 0; j < sum.size(); ++j)
            sum[j] = (((sum[j] + static_cast<double>(a[j])) + static_cast<double>(b[j])) + static_cast<double>(c[j])) +
                     static_cast<double>(d[j]);
    }
    for (; i < which.size(); ++i) {
        const float* const a = rows[which[i]];
        for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += static_cast<double>(a[j]);
    }
}

/// Moves each centroid to the mean of its members; one without members stays. A cluster is summed by one task in
/// ascending order of rows, so the bytes do not depend on the number of threads.
inline void move_to_means(const row_set& rows, const cluster_members& members, std::span<float> centroids,
                          executor_ref on) {
    constexpr std::size_t block = 8;
    const std::size_t dim = rows.dim();
    const std::size_t clusters = members.start.size() - 1;
    parallel_for(on, (clusters + block - 1) / block, [&](std::size_t task) {
        std::vector<double> sum(dim);
        for (std::size_t c = task * block; c < (std::min)(clusters, (task + 1) * block); ++c) {
            if (members.size(c) == 0) continue;
            std::fill(sum.begin(), sum.end(), 0.0);
            add_rows(rows, members.of(c), sum);
            for (std::size_t i = 0; i < dim; ++i)
                centroids[c * dim + i] = static_cast<float>(sum[i] / static_cast<double>(members.size(c)));
        }
    });
}

/// Makes a centroid that stepped aside no longer than a row may be, lest distances from it overflow.
inline void draw_near(std::span<float> centroid) noexcept {
    const double squares = squared_norm(centroid);
    constexpr double longest = static_cast<double>((std::numeric_limits<float>::max)()) / 8;
    if (squares <= longest) return;
    const double factor = std::sqrt(longest / squares);
    for (float& x : centroid) x = static_cast<float>(static_cast<double>(x) * factor);
}

/// Gives every empty cluster half of the largest one: the two centroids stand a little to either side of the old, on
/// the line to a random member, and so part the members at the middle. A cluster of equal rows is not split. To balance
/// sizes, the smallest clusters are given up for such halves, too; their rows go to their neighbours.
class cluster_splitting {
  public:
    cluster_splitting(const row_set& rows, const cluster_members& members, std::span<float> centroids,
                      const kmeans_random& random, std::uint64_t counter)
        : rows_(rows), members_(members), centroids_(centroids), random_(random), counter_(counter) {}

    /// Splits large clusters to fill the empty ones and, if `balance` is above 0, the smallest.
    /// balance  as in kmeans_params
    /// returns  how many were split
    std::size_t run(double balance = 0) {
        const std::size_t clusters = members_.start.size() - 1;
        const double mean = static_cast<double>(members_.member.size()) / static_cast<double>(clusters);
        std::vector<std::size_t> takers;  // the empty ones first
        for (std::size_t c = 0; c < clusters; ++c)
            if (members_.size(c) == 0) takers.push_back(c);
        const std::size_t empty = takers.size();
        if (balance > 0) add_small(mean / 2, takers);
        if (takers.empty()) return 0;
        for (std::size_t c = 0; c < clusters; ++c)
            if (members_.size(c) > 1) donors_.push({members_.size(c), {clusters - c, c}});
        std::size_t filled = 0;
        while (filled < takers.size() && !donors_.empty()) {
            const auto [size, key] = donors_.top();
            if (filled >= empty && static_cast<double>(size) <= balance * mean) break;
            donors_.pop();
            const std::size_t donor = key.second;
            if (!split(donor, takers[filled])) continue;
            ++filled;
            if (size / 2 > 1) donors_.push({size / 2, key});
        }
        return filled;
    }

  private:
    /// Adds the clusters of fewer rows than `below`, the smallest first.
    void add_small(double below, std::vector<std::size_t>& takers) const {
        const auto first = static_cast<std::ptrdiff_t>(takers.size());
        for (std::size_t c = 0; c + 1 < members_.start.size(); ++c)
            if (members_.size(c) > 0 && static_cast<double>(members_.size(c)) < below) takers.push_back(c);
        // std::stable_sort would ask for memory.
        std::sort(takers.begin() + first, takers.end(), [&](std::size_t a, std::size_t b) {
            return std::pair(members_.size(a), a) < std::pair(members_.size(b), b);
        });
    }

    bool split(std::size_t donor, std::size_t into) {
        constexpr float step = 1.0F / 16;
        const std::size_t dim = rows_.dim();
        float* const stays = centroids_.data() + donor * dim;
        float* const moves = centroids_.data() + into * dim;
        const float* const towards = member_off(donor, stays);
        if (towards == nullptr) return false;
        for (std::size_t i = 0; i < dim; ++i) {
            const float offset = step * (towards[i] - stays[i]);
            moves[i] = stays[i] + offset;
            stays[i] -= offset;
        }
        draw_near({moves, dim});
        draw_near({stays, dim});
        return true;
    }

    /// Returns a random member that differs from the centroid, or null.
    [[nodiscard]] const float* member_off(std::size_t cluster, const float* centroid) {
        const auto members = members_.of(cluster);
        const std::size_t begin = random_.below(members.size(), counter_++);
        for (std::size_t i = 0; i < members.size(); ++i) {
            const float* const row = rows_[members[(begin + i) % members.size()]];
            if (!std::equal(row, row + rows_.dim(), centroid)) return row;
        }
        return nullptr;
    }

    const row_set& rows_;
    const cluster_members& members_;
    std::span<float> centroids_;
    const kmeans_random& random_;
    std::uint64_t counter_;
    // Elements are (size, (order, cluster)); the largest comes first, and among equals the lowest cluster.
    using ranked_donor = std::pair<std::size_t, std::pair<std::size_t, std::size_t>>;
    std::priority_queue<ranked_donor, std::vector<ranked_donor>, plain_less> donors_;
};

/// Assigns each row to the closest of the `neighbourhood` centroids around its cluster: cluster closures (Wang, Wang,
/// Ke, Zeng, Li 2012, "Fast approximate k-means via cluster closures"). A cluster is one task's, and which centroids
/// are around it is decided in double precision, so the result depends neither on threads nor on the machine.
/// homes  where the members of each cluster are: their mean, which its centroid has left if it was given up or split
inline void assign_around(const row_set& rows, const cluster_members& members, matrix_view<const float> homes,
                          matrix_view<const float> centroids, std::span<std::uint32_t> assignment,
                          std::span<float> distance, executor_ref on, const stop_token& stop) {
    constexpr std::size_t block = 16;
    const centroid_table all(centroids);
    parallel_for(on, (homes.rows() + block - 1) / block, [&](std::size_t task) {
        const std::size_t first = task * block;
        const std::size_t count = (std::min)(block, homes.rows() - first);
        centroid_table::scratch work;
        std::vector<std::uint32_t> around(count * neighbourhood);
        all.closest(row_set(homes.rows(first, count)), neighbourhood, work, around);
        for (std::size_t c = 0; c < count; ++c) {
            const auto mine = members.of(first + c);
            if (mine.empty()) continue;
            const centroid_table table(all, std::span(around).subspan(c * neighbourhood, neighbourhood));
            for (std::size_t i = 0; i < mine.size(); i += centroid_table::tile_rows) {
                if (stop.stop_requested()) fail_cancelled("kmeans");
                table.assign(rows, mine.subspan(i, (std::min)(centroid_table::tile_rows, mine.size() - i)), work,
                             assignment, distance);
            }
        }
    });
}

/// Runs Lloyd's iterations from seeded centroids in `result` until nothing moves, little is gained or the count is
/// reached.
inline void run_lloyd(const row_set& rows, const kmeans_params& params, kmeans_result& result) {
    const kmeans_random random(params.seed, kmeans_random::purpose::splitting);
    std::vector<std::uint32_t> assignment(rows.size());
    std::vector<std::uint32_t> previous(rows.size());
    std::vector<float> distance(rows.size());
    cluster_members members;
    std::vector<float> homes;
    bool split = false;
    while (result.iterations < params.iterations && !result.converged) {
        const matrix_view<const float> centroids(result.centroids.data(), params.clusters, rows.dim());
        if (result.iterations == 0 || params.clusters < clusters_worth_neighbourhoods)
            assign_rows(rows, centroids, assignment, distance, params.executor, params.stop, "kmeans");
        else
            assign_around(rows, members, {homes.data(), params.clusters, rows.dim()}, centroids, assignment, distance,
                          params.executor, params.stop);
        double total = 0;
        for (const float d : distance) total += static_cast<double>(d);
        const double objective = total / static_cast<double>(rows.size());
        // Right after a split the objective says nothing yet: the new pair has still to find its places.
        const bool settled =
            result.iterations > 0 && !split &&
            (assignment == previous || result.objective - objective < params.tolerance * result.objective);
        result.objective = objective;
        members.group(assignment, params.clusters);
        move_to_means(rows, members, result.centroids, params.executor);
        homes = result.centroids;
        // What was split for balance needs a few iterations to settle.
        const double balance = result.iterations + 4 <= params.iterations ? params.balance : 0;
        split = objective > 0 && cluster_splitting(rows, members, result.centroids, random,
                                                   result.iterations * std::uint64_t{params.clusters} * 2)
                                         .run(balance) > 0;
        result.converged = objective <= 0 || (settled && !split);
        std::swap(assignment, previous);
        ++result.iterations;
        if (params.progress) params.progress(result.iterations, params.iterations);
    }
    result.sizes.resize(params.clusters);
    result.spreads.resize(params.clusters);
    for (std::size_t c = 0; c < params.clusters; ++c) {
        result.sizes[c] = members.size(c);
        double sum = 0;
        for (const std::size_t row : members.of(c)) sum += static_cast<double>(distance[row]);
        result.spreads[c] = members.size(c) == 0 ? 0 : sum / static_cast<double>(members.size(c));
    }
}

/// Refuses what is below zero or no number, by its bits: -ffast-math knows no NaN.
inline void require_not_negative(std::string_view what, double value) {
    const auto bits = detail::bit_cast<std::uint64_t>(value);
    constexpr std::uint64_t minus_zero = std::uint64_t{1} << 63;
    constexpr std::uint64_t infinite = std::uint64_t{0x7FF} << 52;
    if (bits > infinite && bits != minus_zero)
        fail(errc::invalid_argument, std::string(what) + " is " + std::to_string(value) + ", it must be at least 0");
}

inline void check_kmeans(matrix_view<const float> rows, const kmeans_params& params) {
    require_not_negative("kmeans: balance", params.balance);
    require_not_negative("kmeans: tolerance", params.tolerance);
    require_range("kmeans: dim", rows.dim(), 1, (std::numeric_limits<std::uint32_t>::max)());
    require_range("kmeans: iterations", params.iterations, 1, (std::numeric_limits<std::uint32_t>::max)());
    if (params.clusters == 0 || params.clusters > (std::numeric_limits<std::uint32_t>::max)())
        require_range("kmeans: clusters", params.clusters, 1, (std::numeric_limits<std::uint32_t>::max)());
    if (params.clusters > rows.rows())
        fail(errc::invalid_argument, "kmeans: " + std::to_string(params.clusters) + " clusters of " +
                                         std::to_string(rows.rows()) + " rows; there must be a row for each cluster");
}

/// Returns how many of `rows` rows to train `clusters` on, at `per_cluster` each; all of them for 0.
[[nodiscard]] constexpr std::size_t sample_size(std::size_t rows, std::size_t clusters,
                                                std::size_t per_cluster) noexcept {
    return per_cluster == 0 || per_cluster > rows / clusters ? rows : clusters * per_cluster;
}

/// Runs k-means on all rows whose numbers `sample` holds.
[[nodiscard]] inline kmeans_result cluster_sample(matrix_view<const float> rows, std::span<const std::size_t> sample,
                                                  const kmeans_params& params) {
    // k-means++ looks at every row once per cluster; past this many rows per cluster the centroids gain nothing.
    constexpr std::size_t seeding_rows_per_cluster = 8;
    kmeans_result result;
    result.trained_rows = sample.size();
    result.centroids.resize(params.clusters * rows.dim());
    std::vector<std::size_t> pool =
        choose_rows(sample.size(), sample_size(sample.size(), params.clusters, seeding_rows_per_cluster),
                    kmeans_random(params.seed, kmeans_random::purpose::seeding_pool));
    for (std::size_t& row : pool) row = sample[row];
    const row_set seeds(rows, pool);
    kmeans_seeding(seeds, params.seed, params.executor, params.stop).run(result.centroids);
    run_lloyd(row_set(rows, sample), params, result);
    return result;
}

}  // namespace detail

/// Finds centroids that make the squared Euclidean distance from each row to its closest one small on average.
/// rows     finite, each with a sum of squares <= FLT_MAX/8; read during the call, not copied
/// params   see kmeans_params
/// returns  see kmeans_result; fewer distinct rows than clusters leave some centroids equal to others. From 256
///          clusters on the assignment is to the closest of the 64 centroids around a row's former cluster, which costs
///          up to 2 % of the objective where the rows have no structure at all
/// throws   error{invalid_argument} if there are more clusters than rows, or none, or another number is out of its
///          range; error{non_finite}, error{magnitude} if a row it trains on is not as said; error{cancelled}
/// cost     the first iteration O(trained rows * clusters * dim), a matrix product; so each further one, too, below 256
///          clusters, and from there on O((trained rows * 64 + clusters^2) * dim); memory O(trained rows) and
///          O(clusters * dim)
/// threads  the same bytes for every executor; `.progress` is called on the calling thread
[[nodiscard]] inline kmeans_result kmeans(matrix_view<const float> rows, const kmeans_params& params) {
    detail::check_kmeans(rows, params);
    const std::vector<std::size_t> sample =
        detail::choose_rows(rows.rows(), detail::sample_size(rows.rows(), params.clusters, params.sample_per_cluster),
                            detail::kmeans_random(params.seed, detail::kmeans_random::purpose::sample));
    detail::require_measurable("kmeans", detail::row_set(rows, sample));
    return detail::cluster_sample(rows, sample, params);
}

VICINAL_NAMESPACE_END
