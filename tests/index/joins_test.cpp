// SPDX-License-Identifier: MIT
// Joins beside loops over all pairs in double precision, for every kind of index, and what callbacks may do in them.
#include "vicinal/joins.hpp"

#include <map>        // for map
#include <random>     // for mt19937
#include <set>        // for set
#include <stdexcept>  // for runtime_error

#include "support/catch.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/ivf.hpp"

namespace {

using namespace vicinal;
constexpr std::size_t count = 300, dim = 6;

/// Rows in 60 clumps of five, so that a radius has some pairs within it; ids are thrice the row numbers.
const std::vector<float>& values() {
    static const std::vector<float> made = [] {
        std::mt19937 random(5);
        const auto number = [&] { return static_cast<float>(random() >> 8) * 0x1p-24F; };
        std::vector<float> rows(count * dim);
        for (std::size_t row = 0; row < count; ++row)
            for (std::size_t c = 0; c < dim; ++c)
                rows[row * dim + c] = row % 5 == 0 ? 4 * number() : rows[row / 5 * 5 * dim + c] + 0.1F * number();
        return rows;
    }();
    return made;
}
std::span<const float> row_of(std::uint64_t id) { return std::span(values()).subspan(id / 3 * dim, dim); }
double apart(std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    for (std::size_t c = 0; c < dim; ++c) sum += (double{a[c]} - double{b[c]}) * (double{a[c]} - double{b[c]});
    return sum;
}
template <class Index>
Index filled() {
    Index index(dim);
    std::vector<std::uint64_t> ids(count);
    for (std::size_t row = 0; row < count; ++row) ids[row] = 3 * row;
    index.add(ids, matrix_view<const float>(values().data(), count, dim));
    return index;
}
using pair = std::pair<std::uint64_t, std::uint64_t>;
std::set<pair> pairs_within(double radius) {
    std::set<pair> pairs;
    for (std::uint64_t a = 0; a < 3 * count; a += 3)
        for (std::uint64_t b = a + 3; b < 3 * count; b += 3)
            if (apart(row_of(a), row_of(b)) <= radius) pairs.insert({a, b});
    return pairs;
}
constexpr float radius = 0.0123F;  // no pair is so close to it that rounding decides

struct heard {
    std::vector<pair> pairs;
    std::vector<float> distances;
};
template <class Index>
heard join(const Index& index, const join_params<Index>& params = {}) {
    heard all;
    self_join(
        index, radius,
        [&](auto a, auto b, float distance) {
            all.pairs.push_back({a, b});
            all.distances.push_back(distance);
        },
        params);
    return all;
}
template <class Index>
void check_joined(const heard& all) {
    const std::set<pair> expected = pairs_within(double{radius});
    REQUIRE(expected.size() > 100);
    CHECK(std::set<pair>(all.pairs.begin(), all.pairs.end()) == expected);
    CHECK(all.pairs.size() == expected.size());
    for (std::size_t i = 1; i < all.pairs.size(); ++i) {
        if (all.pairs[i].first == all.pairs[i - 1].first)
            CHECK(all.distances[i] >= all.distances[i - 1]);
        else
            CHECK(all.pairs[i].first > all.pairs[i - 1].first);
    }
    for (std::size_t i = 0; i < all.pairs.size(); ++i)
        CHECK(std::abs(double{all.distances[i]} - apart(row_of(all.pairs[i].first), row_of(all.pairs[i].second))) <
              1e-5);
}

}  // namespace

TEST_CASE("self_join: every pair within the radius once, in order", "[joins]") {
    check_joined<flat_index<l2>>(join(filled<flat_index<l2>>()));
    check_joined<ivf_index<l2>>(join(filled<ivf_index<l2>>()));
    check_joined<hnsw_index<l2, f32>>(join(filled<hnsw_index<l2, f32>>()));
}

TEST_CASE("self_join: the same for every number of threads", "[joins]") {
    const auto index = filled<flat_index<l2>>();
    search_stats one, four;
    const heard serial = join(index, {.search = {.stats = &one}});
    const heard shared = join(index, {.search = {.stats = &four}, .threads = 4});
    CHECK(serial.pairs == shared.pairs);
    CHECK(serial.distances == shared.distances);
    CHECK(one.distances == count * count);
    CHECK(four.distances == count * count);
}

TEST_CASE("self_join: callbacks may change the index, throw and stop", "[joins]") {
    auto index = filled<flat_index<l2>>();
    std::size_t told = 0;
    const auto fail_at_tenth = [&](auto, auto, float) {
        if (++told == 10) throw std::runtime_error("enough");
    };
    CHECK_THROWS_AS(self_join(index, radius, fail_at_tenth), std::runtime_error);
    CHECK(told == 10);

    std::vector<std::size_t> done;
    self_join(
        index, radius, [](auto, auto, float) {},
        join_params<flat_index<l2>>{.progress = [&](std::size_t n, std::size_t all) {
            done.push_back(n);
            CHECK(all == count);
        }});
    CHECK(done == std::vector<std::size_t>{64, 128, 192, 256, 300});

    stop_source stop;
    std::size_t after = 0;
    const auto stop_at_once = [&](auto, auto, float) {
        stop.request_stop();
        ++after;
    };
    CHECK_THROWS_AS(self_join(index, radius, stop_at_once, {.stop = stop.get_token()}), error);
    CHECK(after < pairs_within(double{radius}).size());

    // Whoever keeps one of each removes b when it hears of it; rows that are gone are in no later block's pairs.
    self_join(index, radius, [&](auto, auto b, float) { index.remove(b); });
    CHECK(index.size() < count);
    CHECK(join(index).pairs.empty());
}

TEST_CASE("search_within of a batch: for each query what a single call returns", "[joins]") {
    const auto index = filled<flat_index<l2, sq8>>();
    const matrix_view<const float> queries(values().data(), count, dim);
    const auto even = [](std::uint64_t id) { return id % 2 == 0; };
    const auto table = search_within(index, queries, 0.5F, {.search = {.filter = even}, .threads = 3});
    REQUIRE(table.size() == count);
    std::size_t total = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const auto single = index.search_within(queries[i], 0.5F, {.filter = even});
        CHECK(std::vector(table[i].begin(), table[i].end()) == single);
        total += single.size();
    }
    CHECK(table.total() == total);
    CHECK(total > count);
    CHECK(search_within(index, rows_view(), 0.5F).empty());
    CHECK_THROWS_AS(search_within(index, matrix_view<const float>(values().data(), 2, dim - 1), 0.5F), error);
}

TEST_CASE("joins refuse a radius that is no number", "[joins]") {
    const auto index = filled<flat_index<l2>>();
    const float nan = std::numeric_limits<float>::quiet_NaN();
    CHECK_THROWS_AS(search_within(index, rows_view(), nan), error);
    CHECK_THROWS_AS(self_join(index, nan, [](auto, auto, float) {}), error);
    CHECK_THROWS_AS(connected_components(knn_graph(index, 2), nan), error);
}

TEST_CASE("knn_graph: the closest of each row without itself", "[joins]") {
    const auto index = filled<flat_index<l2>>();
    const auto graph = knn_graph(index, 4, {.threads = 2});
    REQUIRE(graph.size() == count);
    for (std::size_t row = 0; row < count; ++row) {
        CHECK(graph.ids()[row] == 3 * row);
        std::vector<std::pair<double, std::uint64_t>> all;
        for (std::uint64_t id = 0; id < 3 * count; id += 3)
            if (id != 3 * row) all.push_back({apart(row_of(3 * row), row_of(id)), id});
        std::sort(all.begin(), all.end());
        REQUIRE(graph[row].size() == 4);
        for (std::size_t i = 0; i < 4; ++i) CHECK(graph[row][i].id == all[i].second);
    }
    CHECK(knn_graph(flat_index<l2>(dim), 4).size() == 0);
}

TEST_CASE("connected_components: what is linked over others is one group", "[joins]") {
    flat_index<l2> line(1);
    for (const std::uint64_t id : {50U, 10U, 20U, 30U, 7U, 90U}) line.add(id, {static_cast<float>(id)});
    const auto graph = knn_graph(line, 2);
    const auto groups = connected_components(graph, 100.0F);  // a step of ten, squared
    CHECK(groups == std::vector<std::vector<std::uint64_t>>{{7, 10, 20, 30}, {50}, {90}});
    CHECK(connected_components(graph, 99.0F) ==
          std::vector<std::vector<std::uint64_t>>{{7, 10}, {20}, {30}, {50}, {90}});
    CHECK(connected_components(graph, 1600.0F).size() == 1);
}

TEST_CASE("connected_components: of a clumped set the components of all its close pairs", "[joins]") {
    const auto groups = connected_components(knn_graph(filled<hnsw_index<l2, f32>>(), 4), radius);
    std::map<std::uint64_t, std::uint64_t> lowest;  // by following pairs until nothing changes
    for (std::uint64_t id = 0; id < 3 * count; id += 3) lowest[id] = id;
    const auto pairs = pairs_within(double{radius});
    for (bool changed = true; changed;) {
        changed = false;
        for (const auto& [a, b] : pairs) {
            const auto least = std::min(lowest[a], lowest[b]);
            changed = changed || lowest[a] != least || lowest[b] != least;
            lowest[a] = lowest[b] = least;
        }
    }
    std::map<std::uint64_t, std::vector<std::uint64_t>> expected;
    for (const auto& [id, least] : lowest) expected[least].push_back(id);
    REQUIRE(groups.size() == expected.size());
    std::size_t i = 0;
    for (const auto& [least, ids] : expected) CHECK(groups[i++] == ids);
}
