// SPDX-License-Identifier: MIT
// A flat index's batches are its queries one by one, bit for bit, on data made to mislead matrix products.
#include <array>
#include <string>
#include <type_traits>

#include "support/batches.hpp"
#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/reduced.hpp"
#include "support/user_types.hpp"
#include "vicinal/flat.hpp"

namespace {

using namespace vicinal_test;
using hits_t = std::vector<vicinal::neighbor<>>;

struct shape {
    std::string name;
    dataset rows;
    dataset queries;
};

dataset moved(dataset rows, float offset, float scale = 1) {
    for (float& x : rows.values) x = offset + scale * x;
    return rows;
}

/// Rows and queries (40: two panels and a half) that products tell apart badly.
std::vector<shape> shapes(std::size_t n, std::size_t dim) {
    std::vector<shape> all;
    all.push_back({"gaussian", gaussian(n, dim), gaussian(40, dim, 50)});
    all.push_back({"clustered", clustered(n, dim, 12), clustered(40, dim, 12, 3, 51)});
    all.push_back({"far off", moved(gaussian(n, dim), 1000), moved(gaussian(40, dim, 52), 1000)});
    all.push_back({"very far off", moved(gaussian(n, dim), 1e6F, 0.25F), moved(gaussian(40, dim, 53), 1e6F, 0.25F)});
    all.push_back({"large", moved(gaussian(n, dim), 0, 1e15F), moved(gaussian(40, dim, 54), 0, 1e15F)});
    all.push_back({"tiny", moved(gaussian(n, dim), 0, 2e-5F), moved(gaussian(40, dim, 55), 0, 2e-5F)});
    all.push_back({"duplicates", duplicates(n, dim, 3), duplicates(40, dim, 2)});
    all.push_back({"all equal", all_equal(n, dim), all_equal(40, dim)});
    all.push_back({"lattice", lattice(n, dim), lattice(40, dim, 3, 56)});
    all.push_back({"outlier", with_outlier(n, dim), with_outlier(40, dim, 57)});
    shape mixed{"small queries, large rows", moved(gaussian(n, dim), 0, 1e10F),
                moved(gaussian(40, dim, 58), 0, 1e-15F)};
    all.push_back(std::move(mixed));
    shape own{"queries that are rows", moved(gaussian(n, dim), 30), {}};
    own.queries =
        dataset{dim, {own.rows.values.begin(), own.rows.values.begin() + static_cast<std::ptrdiff_t>(40 * dim)}};
    all.push_back(std::move(own));
    return all;
}

template <class Metric, class Codec>
void check(const shape& data) {
    using index_type = vicinal::flat_index<Metric, Codec>;
    INFO(data.name << ", " << std::string(std::string_view(Metric::name)) << ", dim " << data.rows.dim);
    index_type index(data.rows.dim);
    const std::size_t n = data.rows.rows();
    // Ids fall as rows come, so that ties are not won by who was first.
    auto ids = numbered<std::uint64_t>(n);
    std::reverse(ids.begin(), ids.end());
    REQUIRE(index.add(ids, data.rows.view()) == n);
    for (const std::size_t k : {std::size_t{1}, std::size_t{10}}) require_same(index, data.queries, k);
    const auto third = [](std::uint64_t id) { return id % 3 == 0; };
    require_same(index, data.queries, 7, {.filter = third});
    for (std::uint64_t id = 0; id < n; id += 2) index.remove(id);
    require_same(index, data.queries, 10, {.threads = 3});
}

template <class Codec>
void check_metrics(const shape& data) {
    check<vicinal::l2, Codec>(data);
#if !defined(VICINAL_TEST_ALL_TYPES)  // a scan of codes differs by the form of the sum, of which there are two
    if constexpr (std::is_same_v<Codec, vicinal::f32>)
#endif
        check<vicinal::inner_product, Codec>(data);
#if !defined(VICINAL_TEST_ALL_TYPES)
    if constexpr (!std::is_same_v<Codec, vicinal::f16> && !std::is_same_v<Codec, eighths>)
#endif
        check<vicinal::cosine, Codec>(data);
}

}  // namespace

TEST_CASE("flat batch: equals its queries one by one on data that misleads products") {
    for (const std::size_t dim : {1U, 7U, 48U, 130U})
        for (const shape& data : shapes(700, dim)) check_metrics<vicinal::f32>(data);
}

TEST_CASE("flat batch: equals its queries one by one under every codec") {
    for (const shape& data : shapes(500, 33)) {
        if (data.name == "large" || data.name == "small queries, large rows" || data.name == "very far off") {
            check_metrics<vicinal::bf16>(data);  // f16 refuses such components
            continue;
        }
        check_metrics<vicinal::f16>(data);
        check_metrics<vicinal::sq8>(data);
        check_metrics<vicinal::sq4>(data);
        check_metrics<vicinal::two_level<vicinal::sq8, vicinal::f32>>(data);
        check_metrics<eighths>(data);
        check<manhattan, vicinal::f32>(data);
        check<chebyshev, vicinal::f32>(data);
    }
}

TEST_CASE("flat batch: equals its queries one by one for any number of queries and rows, also with k beyond the rows") {
    const dataset rows = gaussian(1500, 20);
    for (const std::size_t n : {0U, 1U, 47U, 48U, 49U, 191U, 193U, 1500U}) {
        vicinal::flat_index<> index(20);
        if (n != 0) REQUIRE(index.add(numbered<std::uint64_t>(n), rows.view(0, n)) == n);
        for (const std::size_t q : {1U, 2U, 7U, 8U, 15U, 16U, 17U, 33U, 300U}) {
            INFO(n << " rows, " << q << " queries");
            for (const std::size_t k : {std::size_t{0}, std::size_t{3}, n + 5})
                require_same(index, gaussian(q, 20, 60), k, {.threads = q == 300 ? 2U : 1U});
        }
    }
}

TEST_CASE("flat batch: equals its queries one by one under a filter of few ids and of many") {
    const dataset rows = gaussian(2000, 24);
    const dataset queries = gaussian(40, 24, 61);
    vicinal::flat_index<> index(24);
    REQUIRE(index.add(numbered<std::uint64_t>(2000), rows.view()) == 2000);
    const vicinal::id_set<std::uint64_t> few(numbered<std::uint64_t>(50, 3, 7));
    const vicinal::id_set<std::uint64_t> many(numbered<std::uint64_t>(1500, 100));
    require_same(index, queries, 10, {.filter = few});
    require_same(index, queries, 10, {.filter = many});
    require_same(index, queries, 10, {.filter = [](std::uint64_t) { return false; }});
}

TEST_CASE("flat batch: a bad query, a triggered stop and a throwing filter end it, the index goes on") {
    const dataset rows = gaussian(2000, 24);
    dataset queries = gaussian(40, 24, 62);
    vicinal::flat_index<> index(24);
    REQUIRE(index.add(numbered<std::uint64_t>(2000), rows.view()) == 2000);
    vicinal::stop_source source;
    std::size_t asked = 0;
    const auto stop_at = [&](std::uint64_t) {
        if (++asked == 100) source.request_stop();
        return true;
    };
    REQUIRE_THROWS_AS((void)index.search(queries.view(), 5, {.filter = stop_at, .stop = source.get_token()}),
                      vicinal::error);
    REQUIRE(asked < 2000 * 40);
    const auto throws = [&](std::uint64_t id) -> bool { return id == 1000 ? throw 7 : true; };
    REQUIRE_THROWS_AS((void)index.search(queries.view(), 2000, {.filter = throws}), int);
    queries[23][5] = std::numeric_limits<float>::quiet_NaN();
    try {
        (void)index.search(queries.view(), 5);
        FAIL("a query that is not finite was accepted");
    } catch (const vicinal::error& e) {
        REQUIRE(e.code() == vicinal::errc::non_finite);
    }
    require_same(index, gaussian(40, 24, 63), 5);
}
