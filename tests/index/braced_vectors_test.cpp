// SPDX-License-Identifier: MIT
// Vectors written in braces, and rows given by one array and a dimension, where every index takes vectors.
#include <array>
#include <vector>

#include "support/catch.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/ivf.hpp"

namespace {

using ids = std::vector<std::uint64_t>;
using hits = std::vector<vicinal::neighbor<>>;

/// Three rows of three components, the unit vectors under ids 10, 20 and 30; one list, so that ivf looks at all.
template <class Index>
Index of_unit_vectors() {
    const std::vector<float> values{1, 0, 0, 0, 1, 0, 0, 0, 1};
    Index index(3);
    CHECK(index.add(ids{10, 20, 30}, vicinal::matrix_view(values, 3)) == 3);
    return index;
}

struct flat : vicinal::flat_index<> {
    explicit flat(std::size_t dim) : flat_index(dim) {}
};
struct ivf : vicinal::ivf_index<> {
    explicit ivf(std::size_t dim) : ivf_index(dim, {.lists = 1}) {}
};
struct hnsw : vicinal::hnsw_index<vicinal::l2, vicinal::f32> {
    explicit hnsw(std::size_t dim) : hnsw_index(dim) {}
};

}  // namespace

TEMPLATE_TEST_CASE("braced vectors: add and update take a list of components", "", flat, ivf, hnsw) {
    auto index = of_unit_vectors<TestType>();
    index.add(40, {1.F, 2.F, 3.F});
    CHECK(index.get(40) == std::vector<float>{1, 2, 3});
    index.update(40, {0, 2, -0.5});  // integers and doubles that a float holds
    CHECK(index.get(40) == std::vector<float>{0, 2, -0.5F});
    CHECK_THROWS_AS(index.add(50, {1.F, 2.F}), vicinal::error);
    CHECK_THROWS_AS(index.add(50, {}), vicinal::error);
    CHECK(index.size() == 4);
}

TEMPLATE_TEST_CASE("braced vectors: a list is one query, also where its first number is 0", "", flat, ivf, hnsw) {
    const auto index = of_unit_vectors<TestType>();
    CHECK(index.search({0.F, 2.F, 0.F}, 3) == hits{{20, 1}, {10, 5}, {30, 5}});
    // A null pointer, a number of rows and a dimension would be a batch; of three and of four integers none is made.
    const hits found = index.search({0, 2, 0}, 3, {.rerank = 8});
    CHECK(found == hits{{20, 1}, {10, 5}, {30, 5}});
    CHECK_THROWS_AS(index.search({0, 1, 1, 1}, 3), vicinal::error);
    std::array<vicinal::neighbor<>, 1> room{};
    CHECK(index.search({0, 0, 3}, std::span(room)) == 1);
    CHECK(room[0] == vicinal::neighbor<>{30, 4});
    CHECK(index.search_within({1, 0, 0.5}, 0.25F) == hits{{10, 0.25F}});
}

TEMPLATE_TEST_CASE("braced vectors: nearest goes on after the list is gone", "", flat, ivf, hnsw) {
    const auto index = of_unit_vectors<TestType>();
    const std::vector<float> query{0, 0.5F, 2};
    auto stream = index.nearest({query[0], query[1], query[2]});
    std::vector<std::uint64_t> order;
    for (const auto& hit : stream) order.push_back(hit.id);
    CHECK(order == ids{30, 20, 10});
}

TEMPLATE_TEST_CASE("braced vectors: an array and a dimension in braces are a batch", "", flat, ivf, hnsw) {
    auto index = of_unit_vectors<TestType>();
    const std::vector<float> queries{0, 0, 1, 1, 0, 0};
    const auto table = index.search({queries, 3}, 1);
    REQUIRE(table.size() == 2);
    CHECK(table[0][0].id == 30);
    CHECK(table[1][0].id == 10);
    CHECK(index.add(ids{1, 2}, {std::vector<float>{4, 4, 4, 5, 5, 5}, 3}) == 2);
    CHECK(index.get(2) == std::vector<float>{5, 5, 5});
    CHECK_THROWS_AS(index.add(ids{3}, vicinal::matrix_view(queries, 4)), vicinal::error);
    CHECK(index.size() == 5);
}
