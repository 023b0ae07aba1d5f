// SPDX-License-Identifier: MIT
// k-means at the ends of what its numbers can be: parameters out of range, rows as long as rows may be.
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "vicinal/linalg/hierarchical_kmeans.hpp"

namespace {

using namespace vicinal_test;
using vicinal::errc, vicinal::hierarchical_kmeans, vicinal::kmeans, vicinal::kmeans_params;

constexpr double longest = static_cast<double>(std::numeric_limits<float>::max()) / 8;

template <class F>
std::optional<errc> refused(F&& f) {
    try {
        f();
    } catch (const vicinal::error& e) {
        return e.code();
    }
    return std::nullopt;
}
double squares(std::span<const float> row) {
    double sum = 0;
    for (const float x : row) sum += double{x} * double{x};
    return sum;
}
/// Rows of about the greatest length, on two opposite caps of a sphere, and a few short ones.
dataset long_rows(std::size_t count) {
    numbers random(3);
    dataset made = make_rows(count, 4, [&](std::size_t, auto) { return random.normal(); });
    for (std::size_t r = 0; r < count; ++r) {
        auto row = made[r];
        row[0] += r % 2 == 0 ? 4.0F : -4.0F;
        const double length = r % 50 == 0 ? 1 : std::sqrt(longest * 0.999999);
        const double factor = length / std::sqrt(squares(row));
        for (float& x : row) x = static_cast<float>(double{x} * factor);
    }
    return made;
}
void require_measurable(std::span<const float> centroids, std::size_t dim) {
    for (std::size_t c = 0; c < centroids.size() / dim; ++c)
        REQUIRE(squares(centroids.subspan(c * dim, dim)) <= longest * 1.00001);
}

TEST_CASE("kmeans: numbers out of their range are refused, whatever they are") {
    const dataset rows = gaussian(200, 3);
    constexpr std::size_t most = ~std::size_t{0};
    const double nan = std::numeric_limits<double>::quiet_NaN();
    for (const bool in_two_levels : {false, true}) {
        const auto run = [&](const kmeans_params& params) {
            return refused([&] { (void)(in_two_levels ? hierarchical_kmeans : kmeans)(rows.view(), params); });
        };
        for (const std::size_t number : {most, most / 2, std::size_t{201}, std::size_t{0}})
            CHECK(run({.clusters = number}) == errc::invalid_argument);
        for (const std::size_t number : {most, most / 2, std::size_t{0}})
            CHECK(run({.clusters = 5, .iterations = number}) == errc::invalid_argument);
        for (const double number : {nan, -nan, -1.0, -1e-300, -std::numeric_limits<double>::infinity()}) {
            CHECK(run({.clusters = 5, .balance = number}) == errc::invalid_argument);
            CHECK(run({.clusters = 5, .tolerance = number}) == errc::invalid_argument);
        }
        for (const double number : {0.0, -0.0, 1e-300, 1e300, std::numeric_limits<double>::infinity()}) {
            CHECK_FALSE(run({.clusters = 5, .balance = number}));
            CHECK_FALSE(run({.clusters = 5, .tolerance = number}));
        }
        for (const std::size_t number : {most, most / 2, std::size_t{1}, std::size_t{0}})
            CHECK_FALSE(run({.clusters = 5, .sample_per_cluster = number}));
    }
}

TEST_CASE("kmeans: rows that are not finite or too long are refused") {
    for (const float wild : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 2e19F}) {
        dataset rows = gaussian(300, 3);
        rows[17][1] = wild;
        const auto expected = std::isfinite(wild) ? errc::magnitude : errc::non_finite;
        CHECK(refused([&] { (void)kmeans(rows.view(), {.clusters = 7}); }) == expected);
        CHECK(refused([&] { (void)hierarchical_kmeans(rows.view(), {.clusters = 7}); }) == expected);
        std::vector<std::uint32_t> assignment(300);
        CHECK(refused([&] { vicinal::nearest_centroids(gaussian(300, 3).view(), rows.view(), assignment); }) ==
              expected);
    }
}

TEST_CASE("kmeans: of rows as long as rows may be no centroid is longer") {
    const dataset rows = long_rows(3000);
    for (const std::size_t clusters : {2U, 60U, 300U}) {
        const kmeans_params params{.clusters = clusters, .iterations = 8, .balance = 1.5};
        const auto one = kmeans(rows.view(), params);
        require_measurable(one.centroids, 4);
        CHECK(std::isfinite(one.objective));
        const auto two = hierarchical_kmeans(rows.view(), params);
        require_measurable(two.centroids, 4);
        CHECK(std::isfinite(two.objective));
    }
}

TEST_CASE("kmeans: a centroid that is split over and over steps no farther than a row may be") {
    const auto end = static_cast<float>(std::sqrt(longest * 0.9999));
    const dataset rows = make_rows(4096, 1, [&](std::size_t r, auto) { return r % 2 == 0 ? end : -end; });
    constexpr std::size_t clusters = 40;
    vicinal::detail::cluster_members members;
    members.group(std::vector<std::uint32_t>(4096, 0), clusters);
    std::vector<float> centroids(clusters, 0.0F);
    centroids[0] = 0.99F * end;
    const vicinal::detail::kmeans_random random(1, vicinal::detail::kmeans_random::purpose::splitting);
    const vicinal::detail::row_set all(rows.view());
    CHECK(vicinal::detail::cluster_splitting(all, members, centroids, random, 0).run() > 5);
    require_measurable(centroids, 1);
}

}  // namespace
