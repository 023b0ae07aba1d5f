// SPDX-License-Identifier: MIT
// An inverted file's batches are its queries one by one, bit for bit.
#include <string>
#include <type_traits>

#include "support/batches.hpp"
#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/temporary.hpp"
#include "support/user_types.hpp"
#include "vicinal/ivf.hpp"

namespace {

using namespace vicinal_test;

template <class Metric, class Codec>
void check(const dataset& rows, const dataset& queries) {
    using index_type = vicinal::ivf_index<Metric, Codec>;
    INFO(std::string(std::string_view(Metric::name)) << ", dim " << rows.dim);
    index_type index(rows.dim, {.lists = 12});
    const std::size_t n = rows.rows();
    auto ids = numbered<std::uint64_t>(n);
    std::reverse(ids.begin(), ids.end());
    REQUIRE(index.add(ids, rows.view()) == n);
    const auto third = [](std::uint64_t id) { return id % 3 == 0; };
    const auto rare = [](std::uint64_t id) { return id % 211 == 0; };
    require_same(index, queries, 10, {.nprobe = 1});
    require_same(index, queries, 10, {.nprobe = 5});
    require_same(index, queries, 10, {.nprobe = 5, .threads = 3});
    require_same(index, queries, 10, {.nprobe = 12, .filter = third});
    require_same(index, queries, 10, {.filter = rare});  // too few in the closest lists: looks into all
    for (std::uint64_t id = 0; id < n; id += 2) index.remove(id);
    require_same(index, queries, 3, {.nprobe = 4});
    require_same(index, queries, n, {.nprobe = 3});
    require_same(index, queries, n);
}

template <class Codec>
void check_data() {
    dataset far = clustered(900, 40, 12);
    dataset far_queries = clustered(150, 40, 12, 3, 71);
    for (float& x : far.values) x += 3000;
    for (float& x : far_queries.values) x += 3000;
    const dataset rows = clustered(900, 40, 12), queries = clustered(150, 40, 12, 3, 70);
    check<vicinal::l2, Codec>(rows, queries);
    check<vicinal::l2, Codec>(far, far_queries);
    check<vicinal::l2, Codec>(lattice(900, 5), lattice(150, 5, 3, 72));
#if !defined(VICINAL_TEST_ALL_TYPES)  // cosine is inner_product of normalised vectors
    if constexpr (std::is_same_v<Codec, vicinal::f32>)
#endif
        check<vicinal::inner_product, Codec>(rows, queries);
    check<vicinal::cosine, Codec>(rows, queries);
    check<vicinal::cosine, Codec>(duplicates(900, 40, 3), duplicates(150, 40, 2));
}

}  // namespace

TEST_CASE("ivf batch: equals its queries one by one, f32") { check_data<vicinal::f32>(); }
TEST_CASE("ivf batch: equals its queries one by one, sq8 and f32") {
    check_data<vicinal::two_level<vicinal::sq8, vicinal::f32>>();
}
TEST_CASE("ivf batch: equals its queries one by one under a metric and a codec without tiles") {
    check<manhattan, vicinal::f32>(clustered(900, 30, 12), clustered(50, 30, 12, 3, 73));
    check<vicinal::l2, eighths>(clustered(900, 30, 12), clustered(50, 30, 12, 3, 74));
}

TEST_CASE("ivf batch: equals its queries one by one for any number of queries, few ids and an empty index") {
    const dataset rows = clustered(600, 20, 8);
    vicinal::ivf_index<> index(20, {.lists = 8});
    require_same(index, gaussian(20, 20, 80), 4);
    index.train(rows.view());
    require_same(index, gaussian(20, 20, 80), 4);
    REQUIRE(index.add(numbered<std::uint64_t>(600), rows.view()) == 600);
    for (const std::size_t q : {1U, 7U, 8U, 9U, 40U, 300U})
        for (const std::size_t k : {0U, 1U, 700U}) require_same(index, gaussian(q, 20, 81), k, {.nprobe = 3});
    const vicinal::id_set<std::uint64_t> few(numbered<std::uint64_t>(50, 3, 7));
    require_same(index, gaussian(40, 20, 82), 10, {.filter = few});
}

TEST_CASE("ivf batch: a triggered stop and a throwing filter end it, the index goes on") {
    const dataset rows = clustered(3000, 20, 8);
    vicinal::ivf_index<> index(20, {.lists = 8});
    REQUIRE(index.add(numbered<std::uint64_t>(3000), rows.view()) == 3000);
    const dataset queries = gaussian(64, 20, 83);
    require_endings(index, queries, rows.rows());
    require_same(index, queries, 10, {.nprobe = 4});
}

TEST_CASE("ivf batch: a view gives what the index gives") {
    const dataset rows = clustered(900, 20, 8);
    vicinal::ivf_index<> index(20, {.lists = 8});
    REQUIRE(index.add(numbered<std::uint64_t>(900), rows.view()) == 900);
    const temporary_directory directory;
    index.save(directory / "ivf.vic");
    const auto view = vicinal::ivf_index<>::view(directory / "ivf.vic");
    const dataset queries = clustered(100, 20, 8, 3, 84);
    require_same(view, queries, 10, {.nprobe = 4});
    const auto a = index.search(queries.view(), 10, {.nprobe = 4});
    const auto b = view.search(queries.view(), 10, {.nprobe = 4});
    for (std::size_t q = 0; q < queries.rows(); ++q) REQUIRE(same_bits(a[q], b[q]));
}
