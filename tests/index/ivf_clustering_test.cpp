// SPDX-License-Identifier: MIT
// How queries rank the lists of an ivf_index whose metric is a product.
#include <algorithm>
#include <cmath>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "vicinal/index/ivf/lists/clustering.hpp"
#include "vicinal/ivf.hpp"

namespace {

using namespace vicinal_test;
using vicinal::cosine, vicinal::f32, vicinal::inner_product, vicinal::ivf_index, vicinal::l2;

double norm(std::span<const float> row) {
    double sum = 0;
    for (const float x : row) sum += static_cast<double>(x) * static_cast<double>(x);
    return std::sqrt(sum);
}

/// Unit rows around directions, some close together and some wide apart: row r belongs to direction r % 60.
dataset unit_rows(std::size_t rows, std::uint64_t seed) {
    const dataset directions = gaussian(60, 24, 77);
    dataset made = gaussian(rows, 24, seed);
    for (std::size_t r = 0; r < rows; ++r) {
        const float width = r % 60 % 3 == 0 ? 0.2F : 0.9F;
        for (std::size_t d = 0; d < 24; ++d) made[r][d] = directions[r % 60][d] + width * made[r][d];
        const auto length = static_cast<float>(norm(made[r]));
        for (float& x : made[r]) x /= length;
    }
    return made;
}

/// Share of the true 10 closest found by the product of unit vectors.
template <class Metric>
double recall(const dataset& rows, const dataset& queries, std::size_t nprobe) {
    ivf_index<Metric, f32> index(rows.dim, {.lists = 120});
    index.add(numbered(rows.rows()), rows.view());
    std::size_t found = 0;
    for (std::size_t q = 0; q < queries.rows(); ++q) {
        const auto all = index.search(queries[q], 10, {.nprobe = 120});
        for (const auto& hit : index.search(queries[q], 10, {.nprobe = nprobe}))
            found += std::any_of(all.begin(), all.end(), [&](const auto& n) { return n.id == hit.id; }) ? 1U : 0U;
    }
    return static_cast<double>(found) / static_cast<double>(10 * queries.rows());
}

}  // namespace

TEST_CASE("ivf clustering: only inner product ranks lists by product") {
    using namespace vicinal::detail;
    CHECK(ranks_by_product<inner_product>);
    CHECK_FALSE(ranks_by_product<l2>);
    CHECK_FALSE(ranks_by_product<cosine>);
}

TEST_CASE("ivf clustering: under inner product a centroid is as long as its rows") {
    const dataset rows = unit_rows(6000, 5);
    const vicinal::add_params params;
    const auto centroids = vicinal::detail::learn_centroids(inner_product{}, rows.view(), 120, 1, params, {});
    const auto means = vicinal::detail::learn_centroids(l2{}, rows.view(), 120, 1, params, {});
    double shortest = 1;
    for (std::size_t c = 0; c < 120; ++c) {
        const auto mean = means.matrix()[c], longer = centroids.matrix()[c];
        shortest = std::min(shortest, norm(mean));
        CHECK(norm(longer) == Approx(1).epsilon(0.02));
        double product = 0;
        for (std::size_t d = 0; d < rows.dim; ++d)
            product += static_cast<double>(mean[d]) * static_cast<double>(longer[d]);
        CHECK(product == Approx(norm(mean) * norm(longer)));  // the same direction
    }
    CHECK(shortest < 0.8);

    std::vector<float> zero(24, 0.0F);
    vicinal::detail::lengthen(zero, 5.0);
    CHECK(zero == std::vector<float>(24, 0.0F));
    std::vector<float> some = {3, 4};
    vicinal::detail::lengthen(some, 75.0);
    CHECK(some == std::vector<float>{6, 8});
}

TEST_CASE("ivf clustering: of unit vectors inner product finds in a few lists what cosine does") {
    const dataset rows = unit_rows(6000, 5);
    const dataset queries = unit_rows(200, 6);
    for (const std::size_t nprobe : {2U, 3U}) {
        const double by_product = recall<inner_product>(rows, queries, nprobe);
        const double by_cosine = recall<cosine>(rows, queries, nprobe);
        CAPTURE(nprobe, by_product, by_cosine);
        CHECK(by_product > by_cosine - 0.005);
    }
}
