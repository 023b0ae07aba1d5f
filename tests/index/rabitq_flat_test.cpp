// SPDX-License-Identifier: MIT
// flat_index over rabitq.
#include "index/rabitq_support.hpp"
#include "vicinal/flat.hpp"

using namespace rabitq_test;

TEST_CASE("rabitq: flat finds the closest rows, by the distances of their decoded vectors") {
    vicinal::flat_index<vicinal::l2, rabitq<4>> index(dim);
    check(index);
    check_files(index);
    const auto hits = index.search(queries()[0], 10);
    for (const auto& hit : hits) {
        const auto row = index.get(hit.id);
        double sum = 0;
        for (std::size_t i = 0; i < dim; ++i)
            sum += (double{row[i]} - double{queries()[0][i]}) * (double{row[i]} - double{queries()[0][i]});
        CHECK(std::abs(double{hit.distance} - sum) < 1e-4 * sum);
    }
}
TEST_CASE("rabitq: flat by signs and vectors finds what vectors alone find") {
    vicinal::flat_index<vicinal::l2, two_level<rabitq<1>, f32>> index(dim);
    vicinal::flat_index<> plain(dim);
    check(index);
    check_files(index);
    fill(plain);
    std::size_t found = 0;
    vicinal::search_stats stats;
    for (std::size_t q = 0; q < queries().rows(); ++q) {
        const auto hits = index.search(queries()[q], 10, {.stats = &stats});
        const auto exact = plain.search(queries()[q], 10);
        for (const auto& hit : hits) found += std::find(exact.begin(), exact.end(), hit) != exact.end();
    }
    CHECK(found >= 247);
    CHECK(stats.reranks < 25 * 3000 / 3);
    CHECK(stats.reranks > 25 * 10);
    vicinal::search_stats asked;
    (void)index.search(queries()[0], 10, {.rerank = 50, .stats = &asked});
    CHECK(asked.reranks == 50);
}
TEST_CASE("rabitq: after most rows were removed and some updated, flat finds what is left") {
    vicinal::flat_index<vicinal::l2, two_level<rabitq<1>, f32>> index(dim);
    fill(index);
    for (std::uint64_t i = 0; i < 2900; ++i) REQUIRE(index.remove(7 * i + 1));
    for (std::uint64_t i = 2900; i < 2950; ++i) index.update(7 * i + 1, rows()[static_cast<std::size_t>(i) - 2900]);
    for (std::uint64_t i = 0; i < 50; ++i) {
        const auto hits = index.search(rows()[static_cast<std::size_t>(i)], 1);
        REQUIRE(hits.size() == 1);
        CHECK(hits[0].id == 7 * (i + 2900) + 1);
        CHECK(hits[0].distance == 0);
    }
    REQUIRE(index.search(rows()[0], 1000).size() == 100);
}
