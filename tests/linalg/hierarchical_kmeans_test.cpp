// SPDX-License-Identifier: MIT
// What linalg/hierarchical_kmeans.hpp promises.
#include "vicinal/linalg/hierarchical_kmeans.hpp"

#include <algorithm>
#include <numeric>

#include "linalg/support.hpp"
#include "support/catch.hpp"
#include "support/data.hpp"

namespace {

using namespace vicinal_test;
using vicinal::hierarchical_kmeans, vicinal::kmeans;
using vicinal::detail::cluster_members, vicinal::detail::divide_clusters;

cluster_members groups_of(std::initializer_list<std::size_t> sizes) {
    cluster_members groups;
    groups.start.push_back(0);
    for (const std::size_t size : sizes) groups.start.push_back(groups.start.back() + size);
    return groups;
}

}  // namespace

TEST_CASE("hierarchical k-means: groups share the clusters by their rows") {
    CHECK(divide_clusters(groups_of({100, 300, 200}), 6) == std::vector<std::size_t>{1, 3, 2});
    CHECK(divide_clusters(groups_of({1, 0, 999}), 10) == std::vector<std::size_t>{1, 0, 9});
    CHECK(divide_clusters(groups_of({2, 3, 5}), 10) == std::vector<std::size_t>{2, 3, 5});
    CHECK(divide_clusters(groups_of({50, 50}), 3) == std::vector<std::size_t>{2, 1});
}

TEST_CASE("hierarchical k-means: the objective is within a tenth of that of one level") {
    const dataset rows = GENERATE(0, 1) == 0 ? gaussian(12'000, 16) : clustered(12'000, 16, 60);
    const double one = objective(rows, kmeans(rows.view(), {.clusters = 300, .seed = 3}).centroids);
    const auto two = hierarchical_kmeans(rows.view(), {.clusters = 300, .seed = 3});
    REQUIRE(two.centroids.size() == 300 * 16);
    CHECK(objective(rows, two.centroids) < 1.1 * one);
    CHECK(objective(rows, two.centroids) <= two.objective * (1 + 1e-6));
    CHECK(two.sizes.size() == 300);
    CHECK(std::accumulate(two.sizes.begin(), two.sizes.end(), std::size_t{0}) == two.trained_rows);
    CHECK(*std::min_element(two.sizes.begin(), two.sizes.end()) > 0);
}

TEST_CASE("hierarchical k-means: the same bytes for every thread count") {
    const dataset rows = clustered(5000, 9, 20);
    const auto serial = hierarchical_kmeans(rows.view(), {.clusters = 120, .seed = 5, .sample_per_cluster = 30});
    CHECK(serial.trained_rows == 3600);
    for (const std::size_t threads : {1U, 2U, 3U, 8U}) {
        vicinal::thread_pool pool(threads);
        const auto parallel =
            hierarchical_kmeans(rows.view(), {.clusters = 120, .seed = 5, .sample_per_cluster = 30, .executor = pool});
        CHECK(serial.centroids == parallel.centroids);
        CHECK(serial.sizes == parallel.sizes);
        CHECK(serial.objective == parallel.objective);
    }
    CHECK(serial.centroids !=
          hierarchical_kmeans(rows.view(), {.clusters = 120, .seed = 6, .sample_per_cluster = 30}).centroids);
}

TEST_CASE("hierarchical k-means: few rows, equal rows and a single cluster end well") {
    const dataset few = gaussian(50, 3);
    CHECK(objective(few, hierarchical_kmeans(few.view(), {.clusters = 50}).centroids) < 1e-6);
    CHECK(hierarchical_kmeans(few.view(), {.clusters = 1}).centroids.size() == 3);
    const dataset equal = all_equal(400, 5);
    const auto same = hierarchical_kmeans(equal.view(), {.clusters = 30});
    REQUIRE(same.centroids.size() == 30 * 5);
    CHECK(objective(equal, same.centroids) == 0);
    CHECK_THROWS_AS(hierarchical_kmeans(few.view(), {.clusters = 51}), vicinal::error);
}

TEST_CASE("hierarchical k-means: progress rises to its total, a stop token cancels") {
    const dataset rows = gaussian(3000, 4);
    std::size_t last = 0;
    std::size_t reports = 0;
    vicinal::stop_source source;
    auto note = [&](std::size_t done, std::size_t total) {
        CHECK(total == 11);
        CHECK(done == last + 1);
        last = done;
        if (++reports == 14) source.request_stop();
    };
    (void)hierarchical_kmeans(rows.view(), {.clusters = 100, .stop = source.get_token(), .progress = note});
    CHECK(last == 11);
    last = 0;
    CHECK_THROWS_AS(hierarchical_kmeans(rows.view(), {.clusters = 100, .stop = source.get_token(), .progress = note}),
                    vicinal::error);
    CHECK(last == 3);
}
