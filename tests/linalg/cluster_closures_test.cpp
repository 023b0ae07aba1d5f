// SPDX-License-Identifier: MIT
// What k-means does from 256 clusters on: rows are compared with the centroids around their cluster only.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <tuple>

#include "linalg/support.hpp"
#include "support/catch.hpp"
#include "support/data.hpp"
#include "vicinal/linalg/kmeans.hpp"

namespace {

using namespace vicinal_test;
using vicinal::kmeans;
using vicinal::detail::centroid_table, vicinal::detail::cluster_members, vicinal::detail::row_set;

/// The numbers of the `want` rows of `from` closest to `point`, ascending; ties to the lower number. A row equal to one
/// of a lower number comes after all that are not.
std::vector<std::uint32_t> naive_closest(const dataset& from, std::span<const float> point, std::size_t want) {
    std::set<std::vector<float>> seen;
    std::vector<std::tuple<bool, double, std::uint32_t>> order;
    for (std::size_t c = 0; c < from.rows(); ++c) {
        const bool repeated = !seen.emplace(from[c].begin(), from[c].end()).second;
        order.emplace_back(repeated, naive_distance(from[c], point), static_cast<std::uint32_t>(c));
    }
    std::sort(order.begin(), order.end());
    std::vector<std::uint32_t> numbers;
    for (std::size_t i = 0; i < want; ++i) numbers.push_back(std::get<std::uint32_t>(order[i]));
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

}  // namespace

TEST_CASE("centroid table: the closest few of each row are those of a scan in double precision") {
    const auto [centroids, rows] = GENERATE_COPY(
        std::pair(gaussian(300, 24, 1), gaussian(20, 24, 2)),             // nothing special
        std::pair(clustered(500, 9, 30, 9), clustered(16, 9, 30, 9, 5)),  // close together, in groups
        std::pair(lattice(700, 3, 5), lattice(16, 3, 5, 8)),              // many at equal distances, many repeated
        std::pair(collinear(270, 5), collinear(16, 5, 6)), std::pair(with_outlier(300, 40), gaussian(16, 40)));
    const auto want = GENERATE(as<std::size_t>{}, 1, 2, 64, 130);
    CAPTURE(centroids.rows(), centroids.dim, want);
    const centroid_table table(centroids.view());
    centroid_table::scratch work;
    std::vector<std::uint32_t> found(rows.rows() * want);
    table.closest(row_set(rows.view()), want, work, found);
    for (std::size_t r = 0; r < rows.rows(); ++r) {
        const std::vector<std::uint32_t> numbers(found.begin() + static_cast<std::ptrdiff_t>(r * want),
                                                 found.begin() + static_cast<std::ptrdiff_t>((r + 1) * want));
        CHECK(numbers == naive_closest(centroids, rows[r], want));
    }
}

TEST_CASE("centroid table: one made of another's compares with those only and keeps their numbers") {
    dataset centroids = gaussian(400, 17, 3);
    const dataset rows = gaussian(150, 17, 4);
    // In the second round each has another beside it that is closer or farther by less than the product rounds.
    if (GENERATE(false, true))
        for (std::size_t c = 0; c < 400; c += 2) {
            std::copy_n(centroids[c].data(), 17, centroids[c + 1].data());
            float& moved = centroids[c + 1][c % 17];
            moved = std::nextafter(moved, c % 4 == 0 ? 9.0F : -9.0F);
        }
    std::vector<std::uint32_t> chosen;
    for (std::uint32_t c = 6; c < 400; c += c % 2 == 0 ? 1 : 1 + 2 * (c % 5)) chosen.push_back(c);
    const centroid_table all(centroids.view());
    const centroid_table some(all, chosen);
    // Only every other row is assigned, in no order.
    std::vector<std::size_t> which;
    for (std::size_t r = 0; r < 150; r += 2) which.push_back((r * 38) % 150);
    std::vector<std::uint32_t> assignment(150, 9999);
    std::vector<float> distance(150, -1.0F);
    centroid_table::scratch work;
    some.assign(row_set(rows.view()), which, work, assignment, distance);
    std::sort(which.begin(), which.end());
    for (std::size_t r = 0; r < 150; ++r) {
        if (!std::binary_search(which.begin(), which.end(), r)) {
            CHECK(assignment[r] == 9999);
            CHECK(distance[r] == -1.0F);
            continue;
        }
        std::pair<double, std::uint32_t> best{1e300, 0};
        for (const std::uint32_t c : chosen) best = std::min(best, {naive_distance(rows[r], centroids[c]), c});
        CHECK(assignment[r] == best.second);
        CHECK(distance[r] == Approx(best.first).epsilon(1e-6));
    }
}

TEST_CASE("cluster closures: rows go to the closest of the centroids around the place their cluster was") {
    constexpr std::size_t clusters = 300, dim = 6, near = vicinal::detail::neighbourhood;
    const dataset rows = clustered(4000, dim, 50);
    dataset homes = gaussian(clusters, dim, 8);
    for (float& x : homes.values) x *= 3;
    dataset centroids = homes;
    // Some were given up for halves of others, far away: their rows' new place is around the old.
    for (std::size_t c = 0; c < clusters; c += 9)
        std::copy_n(homes[(c + 150) % clusters].data(), dim, centroids[c].data());
    for (float& x : centroids[7]) x += 100;

    std::vector<std::uint32_t> before(rows.rows());
    vicinal::nearest_centroids(rows.view(), homes.view(), before);
    std::replace(before.begin(), before.end(), 20U, 21U);  // a cluster without rows
    cluster_members members;
    members.group(before, clusters);
    std::vector<std::uint32_t> assignment(rows.rows(), 9999);
    std::vector<float> distance(rows.rows(), -1.0F);
    vicinal::thread_pool pool(3);
    const row_set set(rows.view());
    vicinal::detail::assign_around(set, members, homes.view(), centroids.view(), assignment, distance, pool, {});

    std::vector<std::vector<std::uint32_t>> around;
    for (std::size_t c = 0; c < clusters; ++c) around.push_back(naive_closest(centroids, homes[c], near));
    std::size_t wrong = 0;
    for (std::size_t r = 0; r < rows.rows(); ++r) {
        std::pair<double, std::uint32_t> best{1e300, 0};
        for (const std::uint32_t c : around[before[r]])
            best = std::min(best, {naive_distance(rows[r], centroids[c]), c});
        wrong += assignment[r] != best.second;
        wrong += std::abs(static_cast<double>(distance[r]) - best.first) > 1e-6 * best.first;
    }
    CHECK(wrong == 0);
}

TEST_CASE("cluster closures: the objective is that of full assignments, within two percent") {
    const dataset rows = GENERATE(0, 1) == 0 ? gaussian(20'000, 24) : clustered(20'000, 24, 150);
    const auto balance = GENERATE(0.0, 3.0);
    CAPTURE(balance);
    const vicinal::kmeans_params params{.clusters = 400, .iterations = 12, .seed = 9, .balance = balance};
    // Full assignments: from the first iteration's centroids, which both share, by hand.
    auto once = params;
    once.iterations = 1;
    std::vector<float> full = kmeans(rows.view(), once).centroids;
    const row_set set(rows.view());
    std::vector<std::uint32_t> assignment(rows.rows());
    cluster_members members;
    for (int i = 0; i < 11; ++i) {
        vicinal::nearest_centroids(rows.view(), {std::span<const float>(full), rows.dim}, assignment);
        members.group(assignment, 400);
        vicinal::detail::move_to_means(set, members, full, {});
    }
    CHECK(objective(rows, kmeans(rows.view(), params).centroids) < 1.02 * objective(rows, full));
}

TEST_CASE("cluster closures: rows of clusters given up are taken in by their neighbours") {
    // A cloud that seeding gives few centroids, and 200 pairs of small groups far off: halves of the cloud take the
    // centroids of one or both of a pair.
    const dataset cloud = gaussian(8000, 6);
    const dataset places = gaussian(200, 6, 9);
    dataset rows = gaussian(10'000, 6, 3);
    std::copy(cloud.values.begin(), cloud.values.end(), rows.values.begin());
    for (std::size_t r = 8000; r < 10'000; ++r)
        for (std::size_t d = 0; d < 6; ++d) rows[r][d] += 1000 * places[r % 200][d] + (r / 200 % 2 == 0 ? 20.0F : 0.0F);
    const auto result = kmeans(rows.view(), {.clusters = 420, .iterations = 6, .balance = 2});
    CHECK(*std::max_element(result.sizes.begin(), result.sizes.end()) < 200);
    // No row stays with a far centroid while another is close.
    CHECK(result.objective < 1.01 * objective(rows, result.centroids));
}

TEST_CASE("cluster closures: the same bytes for every thread count") {
    const dataset rows = clustered(9000, 10, 40, 20);
    const vicinal::kmeans_params params{.clusters = 320, .seed = 2, .balance = 2};
    const auto serial = kmeans(rows.view(), params);
    CHECK(serial.iterations > 2);
    for (const std::size_t threads : {2U, 7U}) {
        vicinal::thread_pool pool(threads);
        auto parallel = params;
        parallel.executor = pool;
        const auto result = kmeans(rows.view(), parallel);
        CHECK(serial.centroids == result.centroids);
        CHECK(serial.sizes == result.sizes);
        CHECK(serial.objective == result.objective);
    }
}

TEST_CASE("cluster closures: copies and fewer distinct rows than clusters end well") {
    const dataset rows = lattice(5000, 3, 6);  // 216 different
    const auto result = kmeans(rows.view(), {.clusters = 400, .balance = 3});
    CHECK(result.objective == 0);
    CHECK(std::accumulate(result.sizes.begin(), result.sizes.end(), std::size_t{0}) == 5000);
    const auto copies = kmeans(duplicates(8000, 8, 2).view(), {.clusters = 500, .balance = 3});
    CHECK(std::count(copies.sizes.begin(), copies.sizes.end(), 0U) == 0);
}
