// SPDX-License-Identifier: MIT
// What hnsw_index alone promises: recall, on easy data and hard, before and after change.
#include "vicinal/hnsw.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/reference.hpp"
#include "vicinal/flat.hpp"

namespace {

using namespace vicinal_test;
using hnsw = vicinal::hnsw_index<vicinal::l2, vicinal::f32>;
using flat = vicinal::flat_index<>;

/// Mean recall@10 of `index` at `ef` against exact search.
double recall_at(const hnsw& index, const flat& exact, const dataset& queries, std::size_t ef) {
    double sum = 0;
    for (std::size_t q = 0; q < queries.rows(); ++q)
        sum += recall(exact.search(queries[q], 10), index.search(queries[q], 10, {.ef = ef}));
    return sum / static_cast<double>(queries.rows());
}

/// Every third row, a little moved.
dataset near_rows(const dataset& rows, std::size_t count, std::uint64_t seed = 60) {
    numbers random(seed);
    return make_rows(count, rows.dim, [&](std::size_t r, std::size_t d) {
        return static_cast<double>(rows[r * 3 % rows.rows()][d]) + 0.1 * random.normal();
    });
}

template <class Index>
void fill(Index& index, const dataset& rows) {
    const auto ids = numbered<std::uint64_t>(rows.rows());
    REQUIRE(index.add(ids, rows.view(), {.threads = 2}) == rows.rows());
}

/// A row that is not among the closest of its own vector, over all rows: searches cannot be trusted to find it.
std::size_t lost(const hnsw& index, const dataset& rows, std::size_t ef) {
    std::size_t count = 0;
    for (std::size_t r = 0; r < rows.rows(); ++r) {
        const auto hits = index.search(rows[r], 1, {.ef = ef});
        count += hits.empty() || hits[0].distance != 0 ? 1 : 0;
    }
    return count;
}

}  // namespace

TEST_CASE("hnsw index: recall of 10 is 0.95 at ef 100 on clustered rows") {
    const dataset rows = clustered(5000, 32, 50);
    const dataset queries = clustered(100, 32, 50, 3, 20);
    hnsw index(32);
    flat exact(32);
    fill(index, rows);
    fill(exact, rows);
    REQUIRE(index.check().ok());
    const double found = recall_at(index, exact, queries, 100);
    INFO("recall " << found);
    CHECK(found >= 0.95);
    REQUIRE(recall_at(index, exact, queries, 10) < 1.01);
    vicinal::search_stats stats;
    (void)index.search(queries[0], 10, {.ef = 100, .stats = &stats});
    REQUIRE(stats.distances < 2500);  // it is a search, not a scan
}

TEST_CASE("hnsw index: all rows of hard data are found") {
    struct hard {
        const char* name;
        dataset rows;
    };
    const hard sets[] = {{"one far outlier, first", with_outlier(3000, 16)},
                         {"collinear", collinear(3000, 16)},
                         {"clusters with wide gaps", clustered(3000, 16, 30, 100)},
                         {"sorted input", ordered(3000, 16)},
                         {"lattice", lattice(3000, 16)},
                         {"all equal", all_equal(1000, 16)}};
    for (const auto& [name, rows] : sets) {
        INFO(name);
        hnsw index(16, {.degree = 16, .ef_construction = 100});
        flat exact(16);
        fill(index, rows);
        fill(exact, rows);
        const auto report = index.check();
        REQUIRE(report.unreachable == 0);
        REQUIRE(report.ok());
        const dataset queries = near_rows(rows, 60);
        double best = 0;
        std::size_t at = 0;
        for (const std::size_t ef : {10U, 32U, 100U, 256U, 512U})
            if (best < 0.99) {
                best = recall_at(index, exact, queries, ef);
                at = ef;
            }
        INFO("recall " << best << " at ef " << at);
        CHECK(best >= 0.99);
        CHECK(lost(index, rows, 256) == 0);
    }
}

// 600 copies fill the beam of whatever is added near them, which then had one link, to one copy.
TEST_CASE("hnsw index: rows near 600 copies of one row are found") {
    const dataset rows = duplicates(3000, 16, 5);
    hnsw index(16, {.degree = 16, .ef_construction = 100});
    flat exact(16);
    fill(index, rows);
    fill(exact, rows);
    REQUIRE(index.check().ok());
    CHECK(recall_at(index, exact, near_rows(rows, 60), 512) >= 0.99);
    CHECK(lost(index, rows, 256) == 0);
    int missing = 0;  // of the copies themselves
    for (const auto& hit : index.search(rows[0], 600, {.ef = 1200})) missing += hit.distance != 0 ? 1 : 0;
    CHECK(missing == 0);
}

TEST_CASE("hnsw index: 600 copies of one row are all reachable and all found by the widest beam") {
    const dataset rows = duplicates(3000, 16, 5);
    hnsw index(16, {.degree = 16, .ef_construction = 100});
    fill(index, rows);
    REQUIRE(index.check().ok());
    for (const auto& hit : index.search(rows[0], 600, {.ef = 3000})) REQUIRE(hit.distance == 0);
}

TEST_CASE("hnsw index: rows added one by one in sorted order are found as those of a batch are") {
    const dataset rows = ordered(1500, 12);
    hnsw index(12, {.degree = 12, .ef_construction = 80});
    flat exact(12);
    fill(exact, rows);
    for (std::size_t r = 0; r < rows.rows(); ++r) index.add(r, rows[r]);
    REQUIRE(index.check().ok());
    const dataset queries = near_rows(rows, 60);
    CHECK(recall_at(index, exact, queries, 100) >= 0.98);
}

TEST_CASE("hnsw index: a beam as wide as the index finds what flat_index finds, bit for bit") {
    for (const dataset& rows : {gaussian(800, 20), clustered(800, 20, 10, 50), lattice(800, 20)}) {
        hnsw index(20, {.degree = 6, .ef_construction = 30});
        flat exact(20);
        fill(index, rows);
        fill(exact, rows);
        const dataset queries = near_rows(rows, 30);
        for (std::size_t q = 0; q < queries.rows(); ++q)
            for (const std::size_t k : {1U, 10U, 800U})
                REQUIRE(index.search(queries[q], k, {.ef = 800}) == exact.search(queries[q], k));
    }
}

TEST_CASE("hnsw index: replacing a fifth ten times leaves every row reachable and recall near a fresh build") {
    const std::size_t n = 4000;
    const std::size_t dim = 24;
    const dataset pool = clustered(3 * n, dim, 50);
    const dataset queries = clustered(100, dim, 50, 3, 21);
    const vicinal::hnsw_params params{.degree = 8, .ef_construction = 100};
    hnsw index(dim, params);
    std::vector<std::size_t> row_of(n);  // id i holds row row_of[i] of the pool
    std::iota(row_of.begin(), row_of.end(), std::size_t{0});
    const auto all = numbered<std::uint64_t>(n);
    REQUIRE(index.add(all, pool.view(0, n), {.threads = 2}) == n);
    numbers random(8);
    std::size_t next = n;
    for (int cycle = 0; cycle < 10; ++cycle) {
        INFO("cycle " << cycle);
        std::vector<std::uint64_t> ids = all;
        for (std::size_t i = 0; i < n / 5; ++i) std::swap(ids[i], ids[i + random.below(n - i)]);
        ids.resize(n / 5);
        dataset fresh{dim, {}};
        for (const std::uint64_t id : ids) {
            REQUIRE(index.remove(id));
            row_of[id] = next;
            fresh.values.insert(fresh.values.end(), pool[next].begin(), pool[next].end());
            next = (next + 1) % pool.rows();
        }
        REQUIRE(index.add(ids, fresh.view(), {.threads = 2}) == ids.size());
        const auto report = index.check();
        REQUIRE(report.unreachable == 0);
        REQUIRE(report.ok());
        REQUIRE(index.size() == n);
        if (cycle % 3 != 0) continue;
        dataset now{dim, {}};
        for (std::size_t i = 0; i < n; ++i)
            now.values.insert(now.values.end(), pool[row_of[i]].begin(), pool[row_of[i]].end());
        hnsw rebuilt(dim, params);
        flat exact(dim);
        fill(rebuilt, now);
        fill(exact, now);
        const double churned = recall_at(index, exact, queries, 50);
        const double anew = recall_at(rebuilt, exact, queries, 50);
        if (churned < anew - 0.002)
            WARN("cycle " << cycle << ": recall " << churned << " after churn, " << anew << " fresh, lost "
                          << lost(index, now, 50) << " and " << lost(rebuilt, now, 50) << ", retired "
                          << report.retired);
        CHECK(churned >= anew - 0.01);
    }
}

TEST_CASE("hnsw index: removing the highest rows first always leaves a way in") {
    const dataset rows = gaussian(600, 8);
    hnsw index(8, {.degree = 4, .ef_construction = 40, .seed = 9});
    fill(index, rows);
    std::vector<std::uint64_t> order = numbered<std::uint64_t>(600);
    const vicinal::detail::hnsw_graph levels(4);
    const auto level = [&](std::uint64_t id) {  // an id is its row's number here
        return levels.draw_level(9, static_cast<vicinal::detail::slot_t>(id));
    };
    std::stable_sort(order.begin(), order.end(), [&](std::uint64_t a, std::uint64_t b) {
        return level(a) > level(b);  // the entry is always among the highest
    });
    for (std::size_t i = 0; i < order.size(); ++i) {
        REQUIRE(index.remove(order[i]));
        const std::size_t left = order.size() - 1 - i;
        if (i % 10 == 0 || left < 20) {
            REQUIRE(index.check().ok());
            REQUIRE(index.search(rows[0], 5).size() == std::min<std::size_t>(5, left));
            REQUIRE(index.search(rows[0], 600, {.ef = 1200}).size() == left);
        }
    }
    index.add(7, rows[7]);
    REQUIRE(index.search(rows[7], 1)[0].id == 7);
}

TEST_CASE("hnsw index: the only row can be replaced for ever") {
    const dataset rows = gaussian(200, 6);
    hnsw index(6, {.degree = 2});
    for (std::size_t i = 0; i < 200; ++i) {
        index.add(i, rows[i]);
        if (i > 0) REQUIRE(index.remove(i - 1));
        REQUIRE(index.search(rows[i], 3).size() == 1);
        REQUIRE(index.check().ok());
    }
    REQUIRE(index.check().retired < 64);
}

TEST_CASE("hnsw index: every degree from 2 builds a sound graph") {
    const dataset rows = clustered(500, 10, 12);
    for (const std::size_t degree : {2U, 3U, 4U, 5U, 33U, 100U}) {
        INFO("degree " << degree);
        hnsw index(10, {.degree = degree, .ef_construction = 20});
        fill(index, rows);
        REQUIRE(index.check().ok());
        for (std::uint64_t id = 0; id < 500; id += 2) index.remove(id);
        REQUIRE(index.check().ok());
        REQUIRE(index.search(rows[1], 250, {.ef = 1000}).size() == 250);
    }
}

TEST_CASE("hnsw index: a row may have more children than a byte counts") {
    // All rows are closest to the first, which lies in their middle.
    const std::size_t n = 700;
    const dataset rows = make_rows(n, n, [](std::size_t r, std::size_t d) { return r > 0 && d == r ? 10.0 : 0.0; });
    hnsw index(n, {.degree = 600, .ef_construction = 20});
    fill(index, rows);
    REQUIRE(index.check().ok());
    std::vector<std::byte> bytes;
    index.save(bytes);
    REQUIRE(hnsw::load(std::span<const std::byte>(bytes)).check().ok());
    REQUIRE(index.remove(0));
    REQUIRE(index.check().ok());
    REQUIRE(index.search(rows[3], n, {.ef = 2 * n}).size() == n - 1);
}

TEST_CASE("hnsw index: a file keeps the parameters") {
    hnsw index(4, {.degree = 7, .ef_construction = 33, .seed = 12345});
    fill(index, gaussian(50, 4));
    std::vector<std::byte> bytes;
    index.save(bytes);
    const hnsw copy = hnsw::load(std::span<const std::byte>(bytes));
    REQUIRE(copy.params().degree == 7);
    REQUIRE(copy.params().ef_construction == 33);
    REQUIRE(copy.params().seed == 12345);
}

TEST_CASE("hnsw index: another seed draws another graph of the same quality") {
    const dataset rows = clustered(1000, 8, 10);
    std::vector<std::byte> one;
    std::vector<std::byte> two;
    hnsw first(8, {.seed = 1});
    hnsw second(8, {.seed = 2});
    fill(first, rows);
    fill(second, rows);
    first.save(one);
    second.save(two);
    REQUIRE(one != two);
    REQUIRE(second.check().ok());
}

TEST_CASE("hnsw index: a search finds all that the rarest filter admits") {
    const dataset rows = clustered(3000, 8, 30, 50);
    hnsw index(8, {.degree = 8, .ef_construction = 50});
    fill(index, rows);
    for (const std::uint64_t wanted : {0U, 1499U, 2999U}) {
        const auto only = [&](std::uint64_t id) { return id == wanted; };
        const auto hits = index.search(rows[5], 10, {.ef = 16, .filter = only});
        REQUIRE(hits.size() == 1);
        REQUIRE(hits[0].id == wanted);
    }
}

TEST_CASE("hnsw index: a query beside rows that were all removed finds the others") {
    // Upper links lead to removed rows until these are released, and they may link to nothing but one another.
    for (const std::size_t degree : {2U, 4U}) {
        CAPTURE(degree);
        vicinal::hnsw_index<vicinal::l2, vicinal::f32> index(4, {.degree = degree, .ef_construction = 16});
        const dataset near = gaussian(1500, 4, 71);
        const dataset far = gaussian(100, 4, 72);
        index.add(numbered<std::uint64_t>(near.rows()), near.view());
        std::uint64_t next = near.rows();
        std::vector<float> away(4);
        const auto moved = [&](std::size_t r) {
            for (std::size_t i = 0; i < 4; ++i) away[i] = far[r][i] + 100;
            return std::span<const float>(away);
        };
        for (std::size_t round = 0; round < 4; ++round) {
            const std::uint64_t first = next;
            for (std::size_t r = 0; r < far.rows(); ++r) index.add(next++, moved(r));
            for (std::uint64_t id = first; id < next; ++id) {
                CHECK(index.remove(id));
                CAPTURE(round, id - first);
                for (const std::size_t r : {0U, 50U, 99U}) {
                    REQUIRE(index.search(moved(r), 10, {.ef = index.size()}).size() == 10);
                    REQUIRE(index.search_within(moved(r), 1e30F).size() == index.size());
                    auto stream = index.nearest(moved(r));
                    REQUIRE(stream.begin() != stream.end());
                }
            }
            index.add(next, moved(0));  // what is added there is linked to the others
            REQUIRE(index.check().ok());
            CHECK(index.remove(next++));
        }
    }
}
