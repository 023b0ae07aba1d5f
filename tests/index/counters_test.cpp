// SPDX-License-Identifier: MIT
// What indexes count, what `.stats` says of the same calls, and the page Prometheus reads.
#include <sstream>
#include <string>
#include <thread>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/ivf.hpp"
#include "vicinal/prometheus.hpp"

namespace {

using namespace vicinal_test;
using vicinal::f32, vicinal::l2, vicinal::sq8;

using flat = vicinal::flat_index<l2, f32>;
using ivf = vicinal::ivf_index<l2, vicinal::two_level<sq8, f32>>;
using hnsw = vicinal::hnsw_index<l2, vicinal::two_level<sq8, f32>>;

constexpr std::size_t dim = 12;
const dataset& data() {
    static const dataset rows = clustered(600, dim, 8);
    return rows;
}

template <class Index>
Index filled() {
    Index index(dim);
    index.add(numbered<std::uint64_t>(data().rows()), data().view());
    return index;
}

/// What the counters must have grown by after calls that added up `stats`.
void require_grown(const vicinal::index_counters& before, const vicinal::index_counters& now, std::size_t queries,
                   const vicinal::search_stats& stats) {
    CHECK(now.searches - before.searches == queries);
    CHECK(now.distances - before.distances == stats.distances);
    CHECK(now.hops - before.hops == stats.hops);
    CHECK(now.lists - before.lists == stats.lists);
    CHECK(now.reranks - before.reranks == stats.reranks);
    CHECK(stats.distances > 0);
    CHECK(stats.seconds > 0);
}

}  // namespace

TEMPLATE_TEST_CASE("counters: searches count what their statistics say", "", flat, ivf, hnsw) {
    const TestType index = filled<TestType>();
    const auto queries = data().view().rows(0, 37);
    const auto before = index.counters();
    CHECK(before.searches == 0);
    CHECK(before.distances == 0);
    vicinal::search_stats stats;
    std::size_t asked = 0;
    SECTION("single") {
        for (std::size_t q = 0; q < 5; ++q, ++asked) (void)index.search(queries[q], 10, {.stats = &stats});
    }
    SECTION("batches, by threads") {
        for (const std::size_t threads : {1U, 2U, 4U}) {
            (void)index.search(queries, 10, {.stats = &stats, .threads = threads});
            asked += queries.rows();
        }
    }
    SECTION("filtered") {
        (void)index.search(queries[0], 10, {.filter = [](std::uint64_t id) { return id % 2 == 0; }, .stats = &stats});
        (void)index.search(queries, 10, {.filter = [](std::uint64_t id) { return id % 2 == 0; }, .stats = &stats});
        asked = 1 + queries.rows();
    }
    SECTION("within a radius") {
        (void)index.search_within(queries[0], 5.0F, {.stats = &stats});
        asked = 1;
    }
    SECTION("one by one") {
        {
            auto stream = index.nearest(queries[0], {.stats = &stats});
            std::size_t taken = 0;
            for (auto hit = stream.begin(); hit != stream.end() && taken < 300; ++hit) ++taken;
            CHECK(taken == 300);
            const double seconds = stats.seconds;
            stats = stream.stats();  // the call's included
            stats.seconds += seconds;
        }
        asked = 1;
    }
    require_grown(before, index.counters(), asked, stats);
}

TEMPLATE_TEST_CASE("counters: they count without statistics being asked for", "", flat, ivf, hnsw) {
    const TestType index = filled<TestType>();
    vicinal::search_stats stats;
    (void)index.search(data()[0], 10, {.stats = &stats});
    const auto before = index.counters();
    (void)index.search(data()[0], 10);
    require_grown(before, index.counters(), 1, stats);
}

TEMPLATE_TEST_CASE("counters: threads lose no search", "", flat, ivf, hnsw) {
    const TestType index = filled<TestType>();
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (std::size_t q = 0; q < 50; ++q) (void)index.search(data()[q], 3);
        });
    for (auto& thread : threads) thread.join();
    CHECK(index.counters().searches == 200);
}

TEMPLATE_TEST_CASE("counters: changes are counted once they are there", "", flat, ivf, hnsw) {
    TestType index = filled<TestType>();
    CHECK(index.counters().added == data().rows());
    index.add(10'000, data()[0]);
    index.update(10'000, data()[1]);
    CHECK(index.remove(10'000));
    CHECK_FALSE(index.remove(10'000));
    CHECK_THROWS_AS(index.add(0, data()[0]), vicinal::error);
    CHECK_THROWS_AS(index.update(10'000, data()[0]), vicinal::error);
    const auto more = numbered<std::uint64_t>(700);
    const std::vector<std::uint64_t> ids(more.begin() + 650, more.end());
    CHECK_THROWS(index.add(ids, data().view().rows(0, 50),
                           {.progress = [](std::size_t, std::size_t) { throw std::runtime_error("enough"); }}));
    const auto counters = index.counters();
    CHECK(counters.added == data().rows() + 1);
    CHECK(counters.updated == 1);
    CHECK(counters.removed == 1);
}

TEST_CASE("prometheus: each family stands once and names are escaped") {
    flat products(dim);
    products.add(1, data()[0]);
    (void)products.search(data()[1], 1);
    const flat users(dim);
    const std::string page = vicinal::prometheus_text().add("products", products).add("a\"b\\c\nd", users).text();
    CHECK_THAT(page, contains("# HELP vicinal_searches_total Queries.\n# TYPE vicinal_searches_total counter\n"
                              "vicinal_searches_total{index=\"products\"} 1\n"
                              "vicinal_searches_total{index=\"a\\\"b\\\\c\\nd\"} 0\n# HELP"));
    CHECK_THAT(page, contains("\nvicinal_added_total{index=\"products\"} 1\n"));
    CHECK_THAT(page, contains("# TYPE vicinal_vectors gauge\nvicinal_vectors{index=\"products\"} 1\n"));
    CHECK_THAT(page, contains("vicinal_memory_bytes{index=\"products\"} " + std::to_string(products.memory().total)));
    CHECK_THAT(page,
               contains("vicinal_reserved_bytes{index=\"products\"} " + std::to_string(products.memory().reserved)));
    std::size_t types = 0;
    std::istringstream lines(page);
    for (std::string line; std::getline(lines, line);) types += line.rfind("# TYPE", 0) == 0 ? 1 : 0;
    CHECK_THAT(page, contains("vicinal_mapped_bytes{index=\"products\"} 0\n"));
    CHECK(types == 12);
    CHECK(page.back() == '\n');
}
