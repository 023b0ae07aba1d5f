// SPDX-License-Identifier: MIT
// Batches over pq and rabitq, whose queries share the columns of codes, are their queries one by one, bit for bit.
#include <limits>
#include <numeric>

#include "support/batches.hpp"
#include "support/catch.hpp"
#include "support/data.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/ivf.hpp"

namespace {

using namespace vicinal_test;
using vicinal::cosine;
using vicinal::f32;
using vicinal::flat_index;
using vicinal::inner_product;
using vicinal::ivf_index;
using vicinal::l2;
using vicinal::pq;
using vicinal::rabitq;
using vicinal::two_level;

/// How many lists are scanned, where there are any.
template <class Index>
typename Index::search_params probing(std::size_t nprobe) {
    typename Index::search_params how;
    if constexpr (requires { how.nprobe; }) how.nprobe = nprobe;
    return how;
}

template <class Index>
void check_ways(const Index& index, const dataset& queries) {
    for (const std::size_t nprobe : {1U, 2U, 7U, 16U, 0U}) {
        auto how = probing<Index>(nprobe);
        require_same(index, queries, 10, how);
        how.threads = 3;
        how.rerank = 60;
        require_same(index, queries, 10, how);
    }
    auto how = probing<Index>(7);
    require_same(index, queries, 150, how);           // more than the first lists have
    require_same(index, queries, index.size(), how);  // nothing is ruled out
    how.filter = [](std::uint64_t id) { return id % 3 == 0; };
    require_same(index, queries, 10, how);
    how.filter = [](std::uint64_t id) { return id % 211 == 0; };
    require_same(index, queries, 10, how);
    auto all = probing<Index>(0);  // too few in the closest lists: looks into the others, too
    all.filter = how.filter;
    require_same(index, queries, 10, all);
    const vicinal::id_set<std::uint64_t> few(numbered<std::uint64_t>(50, 3, 7));
    how.filter = few;
    require_same(index, queries, 10, how);
    how.filter = [](std::uint64_t) { return false; };
    require_same(index, queries, 3, how);
}

/// Rows with fresh ones among them and holes where rows were, by queries of which `count` make a batch.
template <class Index>
void check(Index index, const dataset& rows, const dataset& queries) {
    const std::size_t n = rows.rows();
    auto ids = numbered<std::uint64_t>(n);
    std::reverse(ids.begin(), ids.end());
    REQUIRE(index.add(ids, rows.view()) == n);
    check_ways(index, queries);
    for (std::uint64_t id = 0; id < n; id += 2) index.remove(id);
    require_same(index, queries, 10, probing<Index>(5));
    for (const std::size_t some : {1U, 2U, 3U, 8U, 17U})
        require_same(
            index,
            dataset{queries.dim,
                    {queries.values.begin(), queries.values.begin() + static_cast<std::ptrdiff_t>(some * queries.dim)}},
            4, probing<Index>(6));
}

/// 70: a rabitq code is wider than the vector, a pq code ends within 16 bytes.
template <class Metric, class Codec>
void check_indexes() {
    const dataset rows = clustered(1100, 70, 25), queries = clustered(67, 70, 25, 3, 70);
    check(ivf_index<Metric, Codec>(70, {.lists = 16}), rows, queries);
    check(flat_index<Metric, Codec>(70), rows, queries);
    check(ivf_index<Metric, Codec>(70, {.lists = 16}), duplicates(1100, 70, 3), duplicates(40, 70, 2));
}

}  // namespace

TEST_CASE("codes batch: pq, by tables that rule out") { check_indexes<l2, pq>(); }
TEST_CASE("codes batch: pq, by estimates") { check_indexes<l2, two_level<pq, f32>>(); }
TEST_CASE("codes batch: rabitq, which measures its codes") { check_indexes<inner_product, rabitq<4>>(); }
TEST_CASE("codes batch: rabitq, which measures vectors") { check_indexes<l2, two_level<rabitq<1>, f32>>(); }
#if defined(VICINAL_TEST_ALL_TYPES)
TEST_CASE("codes batch: the same under the other metrics") {
    check_indexes<cosine, pq>();
    check_indexes<inner_product, two_level<pq, f32>>();
    check_indexes<l2, rabitq<4>>();
    check_indexes<cosine, two_level<rabitq<1>, f32>>();
}
#endif

TEST_CASE("codes batch: more rows than a chunk has, and lists that are longer than one") {
    const dataset rows = clustered(20000, 64, 40), queries = clustered(23, 64, 40, 3, 71);
    const auto ids = numbered<std::uint64_t>(rows.rows());
    flat_index<l2, two_level<rabitq<1>, f32>> flat(64);
    flat.add(ids, rows.view());
    require_same(flat, queries, 10);
    require_same(flat, queries, 10, {.threads = 2});
    ivf_index<l2, two_level<rabitq<1>, f32>> ivf(64, {.lists = 2});
    ivf.add(ids, rows.view());
    require_same(ivf, queries, 10, {.nprobe = 2});
    flat_index<l2, two_level<pq, f32>> tables(64);
    tables.add(ids, rows.view());
    require_same(tables, queries, 10);
}

TEST_CASE("codes batch: more rows are possible than are kept at once") {
    const dataset rows = gaussian(8000, 64), queries = gaussian(300, 64, 72);  // of which bounds rule out few
    ivf_index<l2, two_level<rabitq<1>, f32>> index(64, {.lists = 8});
    index.add(numbered<std::uint64_t>(rows.rows()), rows.view());
    require_same(index, queries, 500, {.nprobe = 8});
}

TEST_CASE("codes batch: a triggered stop and a throwing filter end it, the index goes on") {
    const dataset rows = clustered(3000, 64, 8), queries = gaussian(64, 64, 83);
    ivf_index<l2, two_level<rabitq<1>, f32>> index(64, {.lists = 8});
    index.add(numbered<std::uint64_t>(rows.rows()), rows.view());
    require_endings(index, queries, rows.rows());
    require_same(index, queries, 10, {.nprobe = 4});
}
