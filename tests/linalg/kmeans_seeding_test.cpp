// SPDX-License-Identifier: MIT
// What linalg/kmeans_seeding.hpp promises: the odds of k-means++, whatever is drawn at once.
#include "vicinal/linalg/kmeans_seeding.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "support/catch.hpp"
#include "support/data.hpp"

namespace {

using namespace vicinal_test;
using vicinal::detail::kmeans_seeding, vicinal::detail::row_set;

std::vector<float> seeds_of(const dataset& rows, std::size_t clusters, std::uint64_t seed,
                            vicinal::executor_ref on = {}) {
    std::vector<float> centroids(clusters * rows.dim);
    const row_set set(rows.view());
    kmeans_seeding(set, seed, on, {}).run(centroids);
    return centroids;
}

/// The odds of every set of points that one-by-one k-means++ may draw: `left` more beside those in `drawn` (bits).
void add_odds(const std::vector<double>& points, unsigned drawn, std::size_t left, double odds,
              std::map<unsigned, double>& sets) {
    if (left == 0) {
        sets[drawn] += odds;
        return;
    }
    std::vector<double> weight(points.size(), drawn == 0 ? 1.0 : 1e300);
    double total = 0;
    for (std::size_t i = 0; i < points.size(); ++i) {
        for (std::size_t j = 0; j < points.size(); ++j)
            if ((drawn >> j & 1U) != 0) weight[i] = std::min(weight[i], std::pow(points[i] - points[j], 2));
        total += weight[i];
    }
    for (std::size_t i = 0; i < points.size(); ++i)
        if (weight[i] > 0) add_odds(points, drawn | 1U << i, left - 1, odds * weight[i] / total, sets);
}

}  // namespace

TEST_CASE("k-means seeding: draws each distinct row before any twice") {
    const dataset rows = make_rows(4000, 1, [](std::size_t r, auto) { return r < 16 ? r : 0; });
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const auto seeds = seeds_of(rows, 16, seed);
        REQUIRE(std::set<float>(seeds.begin(), seeds.end()).size() == 16);
    }
}

TEST_CASE("k-means seeding: more clusters than distinct rows take them all, and some again") {
    const dataset rows = make_rows(3000, 2, [](std::size_t r, auto) { return r % 5; });
    const auto seeds = seeds_of(rows, 200, 1);
    CHECK(std::set<float>(seeds.begin(), seeds.end()) == std::set<float>{0, 1, 2, 3, 4});
    const auto same = seeds_of(all_equal(500, 3), 40, 2);
    CHECK(std::all_of(same.begin(), same.end(), [](float x) { return x == 0.5F; }));
}

TEST_CASE("k-means seeding: every set of rows comes as often as when they are drawn one by one") {
    // The third and fourth are drawn by the distances from the first two.
    const std::vector<double> points = {0, 1, 3, 4, 9, 11};
    const dataset rows = make_rows(points.size(), 1, [&](std::size_t r, auto) { return points[r]; });
    std::map<unsigned, double> expected;
    add_odds(points, 0, 4, 1, expected);
    std::map<unsigned, std::size_t> found;
    constexpr std::size_t runs = 20'000;
    for (std::uint64_t seed = 0; seed < runs; ++seed) {
        unsigned drawn = 0;
        for (const float x : seeds_of(rows, 4, seed))
            drawn |= 1U << (std::find(points.begin(), points.end(), static_cast<double>(x)) - points.begin());
        ++found[drawn];
    }
    double chi_squared = 0;
    for (const auto& [drawn, odds] : expected) {
        const double mean = odds * runs;
        chi_squared += std::pow(static_cast<double>(found[drawn]) - mean, 2) / mean;
    }
    REQUIRE(expected.size() == 15);  // 14 degrees of freedom: above 36.1 one time in a thousand
    CHECK(chi_squared < 36.1);
}

TEST_CASE("k-means seeding: of groups far apart none gets a second before each has one") {
    const dataset rows = clustered(4000, 6, 100, 1e4);
    const auto seeds = seeds_of(rows, 100, 7);
    const dataset centres = clustered(100, 6, 100, 1e4);  // row r is near centre r
    std::set<std::size_t> taken;
    for (std::size_t s = 0; s < 100; ++s) {
        std::array<double, 2> best{1e300, 0};
        for (std::size_t c = 0; c < 100; ++c) {
            const double d = vicinal::detail::exact_squared_distance(&seeds[s * 6], centres[c].data(), 6);
            if (d < best[0]) best = {d, static_cast<double>(c)};
        }
        taken.insert(static_cast<std::size_t>(best[1]));
    }
    CHECK(taken.size() == 100);
}

TEST_CASE("k-means seeding: the same rows for every thread count") {
    const dataset rows = gaussian(5000, 24);
    const auto serial = seeds_of(rows, 300, 3);
    for (const std::size_t threads : {2U, 5U}) {
        vicinal::thread_pool pool(threads);
        CHECK(serial == seeds_of(rows, 300, 3, pool));
    }
    CHECK(serial != seeds_of(rows, 300, 4));
}
