// SPDX-License-Identifier: MIT
// What an hnsw_index is unless it is told: walked by 8-bit codes, decided by vectors, as sure as one of vectors alone.
#include <algorithm>
#include <cmath>
#include <type_traits>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/reference.hpp"
#include "vicinal/hnsw.hpp"

namespace {

using namespace vicinal_test;
using usual = vicinal::hnsw_index<>;
using floats = vicinal::hnsw_index<vicinal::l2, vicinal::f32>;

/// A metric that sums nothing codes could be summed for.
struct largest_difference {
    static constexpr std::string_view name = "largest_difference";
    float operator()(std::span<const float> q, std::span<const float> x) const {
        float most = 0;
        for (std::size_t i = 0; i < q.size(); ++i) most = std::max(most, std::abs(q[i] - x[i]));
        return most;
    }
};

template <class Index>
Index filled(const dataset& rows) {
    Index index(rows.dim, {.ef_construction = 60});
    index.add(numbered<std::uint64_t>(rows.rows()), rows.view(), {.threads = 2});
    return index;
}

/// The share of the true 10 that searches of default width find, and rows scored for a query.
struct found {
    double recall = 0;
    double distances = 0;
};

template <class Index>
found search_all(const Index& index, const dataset& queries, const dataset& rows) {
    found sum;
    vicinal::search_stats stats;
    for (std::size_t q = 0; q < queries.rows(); ++q) {
        std::vector<double> true_ones;
        for (std::size_t r = 0; r < rows.rows(); ++r)
            true_ones.push_back(reference_distance("l2", queries[q], rows[r]).distance);
        std::nth_element(true_ones.begin(), true_ones.begin() + 9, true_ones.end());
        for (const auto& hit : index.search(queries[q], 10, {.stats = &stats})) {
            const auto is = reference_distance("l2", queries[q], rows[hit.id]);
            sum.recall += is.distance <= true_ones[9] * (1 + 1e-5) ? 0.1 : 0;
        }
    }
    const auto n = static_cast<double>(queries.rows());
    return {sum.recall / n, static_cast<double>(stats.distances) / n};
}

/// Clusters that lie `gap` times their width apart; steps of 8 bits over all of them are as wide as gap / 40.
struct narrow {
    explicit narrow(double gap)
        : rows(clustered(1500, 16, 6, gap)), queries(clustered(60, 16, 6, gap, 71)), index(filled<usual>(rows)) {}
    dataset rows, queries;
    usual index;
};

}  // namespace

TEST_CASE("hnsw default: 8-bit codes to walk by, vectors to decide, where codes find what vectors find") {
    using codes = vicinal::two_level<vicinal::sq8, vicinal::f32>;
    STATIC_REQUIRE(std::is_same_v<usual, vicinal::hnsw_index<vicinal::l2, codes>>);
    STATIC_REQUIRE(std::is_same_v<vicinal::default_codec<vicinal::cosine>, codes>);
    REQUIRE((std::is_same_v<vicinal::default_codec<vicinal::inner_product>, vicinal::f32>));
    STATIC_REQUIRE(std::is_same_v<vicinal::default_codec<largest_difference>, vicinal::f32>);
    STATIC_REQUIRE(std::is_same_v<vicinal::default_codec<vicinal::hamming>, vicinal::bits>);
    vicinal::hnsw_index<largest_difference> own(2);
    own.add(1, std::vector{0.0F, 3.0F});
    own.add(2, std::vector{2.0F, 2.0F});
    REQUIRE(own.search(std::vector{0.0F, 0.0F}, 2)[0].id == 2);
}

TEST_CASE("hnsw default: a row much longer than all others is found by inner products") {
    dataset rows = gaussian(2000, 16);
    for (float& x : rows[700]) x *= 100;
    const auto index = filled<vicinal::hnsw_index<vicinal::inner_product>>(rows);
    const dataset queries = gaussian(60, 16, 71);
    for (std::size_t q = 0; q < queries.rows(); ++q)
        if (reference_distance("inner_product", queries[q], rows[700]).distance < -100)
            REQUIRE(index.search(queries[q], 1)[0].id == 700);
}

TEST_CASE("hnsw default: get and distances are exact") {
    const dataset rows = gaussian(300, 7);
    const usual index = filled<usual>(rows);
    const auto kept = index.get(5);
    REQUIRE(std::equal(kept.begin(), kept.end(), rows[5].begin()));
    for (const auto& hit : index.search(gaussian(1, 7, 9)[0], 10)) {
        const auto is = reference_distance("l2", gaussian(1, 7, 9)[0], rows[hit.id]);
        REQUIRE(std::abs(double{hit.distance} - is.distance) <= is.bound);
    }
}

TEST_CASE("hnsw default: a file of vectors alone is refused by a sentence that names both types") {
    std::vector<std::byte> bytes;
    floats(3).save(bytes);
    const auto load = [&] { (void)usual::load(std::span<const std::byte>(bytes)); };
    REQUIRE_THROWS_WITH(load(), contains("codec f32"));
    REQUIRE_THROWS_WITH(load(), contains("codec sq8+f32"));
}

TEST_CASE("hnsw default: rows closer together than codes can tell are found as by vectors alone") {
    for (const double gap : {100.0, 1000.0, 1e5}) {
        const narrow scene(gap);
        const double recall = search_all(filled<floats>(scene.rows), scene.queries, scene.rows).recall;
        CHECK(search_all(scene.index, scene.queries, scene.rows).recall >= recall - 0.005);
    }
}

TEST_CASE("hnsw default: queries far outside the rows find what they find by vectors alone") {
    const dataset rows = gaussian(1500, 16);
    dataset queries = gaussian(60, 16, 71);
    for (float& x : queries.values) x *= 100;
    const double recall = search_all(filled<floats>(rows), queries, rows).recall;
    CHECK(search_all(filled<usual>(rows), queries, rows).recall >= recall - 0.01);
}

TEST_CASE("hnsw default: a batch looks again where single searches do") {
    const narrow scene(1000);
    const auto table = scene.index.search(scene.queries.view(), 10);
    for (std::size_t q = 0; q < scene.queries.rows(); ++q) {
        const auto alone = scene.index.search(scene.queries[q], 10);
        REQUIRE(std::equal(alone.begin(), alone.end(), table[q].begin(), table[q].end()));
    }
}

TEST_CASE("hnsw default: ordinary rows are not searched for twice") {
    const dataset rows = gaussian(1500, 16);
    const dataset queries = gaussian(60, 16, 71);
    const double once = search_all(filled<floats>(rows), queries, rows).distances;
    CHECK(search_all(filled<usual>(rows), queries, rows).distances <= once + 25);
}

TEST_CASE("hnsw default: k beyond the usual beam leaves room for what codes put behind k") {
    const dataset rows = gaussian(1500, 16);
    const usual index = filled<usual>(rows);
    vicinal::search_stats stats;
    REQUIRE(index.search(rows[0], 200, {.stats = &stats}).size() == 200);
    REQUIRE(stats.reranks > 200);
}
