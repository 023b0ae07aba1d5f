// SPDX-License-Identifier: MIT
// What hnsw_index::reorder promises: neighbours lie near each other, and nothing else is to be noticed of it.
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/outcomes.hpp"
#include "support/temporary.hpp"
#include "vicinal/hnsw.hpp"

namespace {

using namespace vicinal_test;
using vicinal::errc, vicinal::f32, vicinal::l2, vicinal::sq8;

using plain = vicinal::hnsw_index<vicinal::l2, vicinal::f32>;
using twofold = vicinal::hnsw_index<l2, vicinal::two_level<sq8, f32>>;

constexpr std::size_t dim = 12;
constexpr vicinal::hnsw_params slim{.degree = 6, .ef_construction = 40};

const dataset& some_rows() {
    static const dataset rows = clustered(2000, dim, 30);
    return rows;
}
/// Ids whose order is none of the rows'.
std::vector<std::uint64_t> shuffled(std::size_t count) {
    std::vector<std::uint64_t> ids(count);
    for (std::size_t i = 0; i < count; ++i) ids[i] = (i * 7919 + 11) % 100'003;
    return ids;
}
template <class Index>
Index filled(const vicinal::add_params& how = {}) {
    Index index(dim, slim);
    index.add(shuffled(some_rows().rows()), some_rows().view(), how);
    return index;
}
/// Rows of a batch and single ones, copies of some, and gaps and passed-through rows where others were.
template <class Index>
Index with_a_past() {
    const auto ids = shuffled(some_rows().rows());
    Index index = filled<Index>();
    for (std::size_t i = 0; i < 700; ++i) REQUIRE(index.remove(ids[i * 2]));
    for (std::uint64_t copy = 0; copy < 20; ++copy) index.add(200'000 + copy, some_rows()[1 + copy % 5 * 2]);
    for (std::size_t i = 0; i < 50; ++i) index.update(ids[1401 + i], some_rows()[i * 2]);
    return index;
}
/// What is inside of an index, by way of its file.
auto opened(const plain& index) {
    using state = vicinal::detail::hnsw::state<l2, f32, std::uint64_t, vicinal::simd::native_kernels>;
    const auto bytes = saved(index);
    return vicinal::detail::load_state<state>(vicinal::detail::read_span(bytes, {}), {});
}
/// How many rows are not in the graph, as another row has their vector.
std::size_t copies(const plain& index) {
    const auto loaded = opened(index);
    return loaded->duplicates.find_nodes(loaded->directory.high_water()).count;
}
/// The share of links that lead to one of the 32 rows on either side.
double near_links(const plain& index) {
    const auto loaded = opened(index);
    std::size_t near = 0, all = 0;
    for (std::size_t row = 0; row < loaded->directory.high_water(); ++row)
        for (const auto link : loaded->graph.links(static_cast<vicinal::detail::slot_t>(row), 0)) {
            near += (row > link ? row - link : link - row) <= 32 ? 1 : 0;
            ++all;
        }
    return static_cast<double>(near) / static_cast<double>(all);
}

/// What an index says to questions of all kinds.
template <class Index>
struct answers {
    explicit answers(const Index& index) {
        const dataset queries = clustered(30, dim, 30, 3, 12);
        const auto even = [](std::uint64_t id) { return id % 2 == 0; };
        const auto table = index.search(queries.view(), 10, {.ef = 50});
        for (std::size_t q = 0; q < queries.rows(); ++q) {
            keep(index.search(queries[q], 10, {.ef = 50}));
            keep(table[q]);
            keep(index.search(queries[q], 5, {.ef = 50, .filter = even}));
            keep(index.search_within(queries[q], 30, {.ef = 50}));
        }
        std::size_t streamed = 0;
        for (const auto& hit : index.nearest(queries[0])) {
            all.push_back(hit);
            ++streamed;
        }
        REQUIRE(streamed == index.size());
    }
    template <class Hits>
    void keep(const Hits& hits) {
        all.insert(all.end(), hits.begin(), hits.end());
    }
    std::vector<vicinal::neighbor<std::uint64_t>> all;
};

template <class F>
std::optional<errc> refused(F&& f) {
    try {
        f();
    } catch (const vicinal::error& e) {
        return e.code();
    }
    return std::nullopt;
}

}  // namespace

TEST_CASE("reorder: neighbours lie near each other afterwards") {
    plain index = filled<plain>();
    const double before = near_links(index);
    index.reorder();
    INFO(before << " of the links lead to rows nearby, then " << near_links(index));
    CHECK(before < 0.06);
    CHECK(near_links(index) > 0.3);
}

TEMPLATE_TEST_CASE("reorder: all answers stay as they were", "", plain, twofold) {
    for (const bool old : {false, true}) {
        TestType index = old ? with_a_past<TestType>() : filled<TestType>();
        const answers before(index);
        const std::size_t size = index.size();
        const auto bytes = saved(index);
        const auto memory = index.memory();
        index.reorder();
        REQUIRE(saved(index) != bytes);
        REQUIRE(index.check().ok());
        REQUIRE(index.size() == size);
        REQUIRE(answers(index).all == before.all);
        CHECK(index.memory().total - index.memory().scratch <= memory.total - memory.scratch);
        const auto ids = shuffled(some_rows().rows());
        for (std::size_t i = 1; i < 1001; i += 2) {
            REQUIRE(index.contains(ids[i]));
            REQUIRE(std::ranges::equal(index.get(ids[i]), some_rows()[i]));
        }
        CHECK_FALSE(index.contains(100'004));
    }
}

TEMPLATE_TEST_CASE("reorder: the order is that of the graph, for any number of threads and times", "", plain, twofold) {
    TestType index = filled<TestType>();
    TestType by_two = filled<TestType>({.threads = 2});
    index.reorder();
    by_two.reorder();
    const auto bytes = saved(index);
    REQUIRE(saved(by_two) == bytes);
    index.reorder();
    REQUIRE(saved(index) == bytes);
}

TEMPLATE_TEST_CASE("reorder: the index lives on as one that was never reordered", "", plain, twofold) {
    TestType index = with_a_past<TestType>();
    index.reorder();
    const dataset more = clustered(600, dim, 30, 3, 13);
    index.add(numbered<std::uint64_t>(400, 300'000), more.view(0, 400));
    for (std::size_t i = 400; i < 600; ++i) index.add(300'000 + i, more[i]);
    REQUIRE(index.check().ok());
    index.add(400'000, some_rows()[1]);  // one copy more of those there are
    REQUIRE(index.search(some_rows()[1], 20, {.ef = 60})[4].distance == 0);
    const auto ids = shuffled(some_rows().rows());
    for (std::size_t i = 1; i < 1301; i += 2) REQUIRE(index.remove(ids[i]));  // those copied among them
    for (std::uint64_t copy = 0; copy < 20; ++copy) REQUIRE(index.remove(200'000 + copy));
    for (std::size_t i = 0; i < 100; ++i) index.update(300'000 + i, more[599 - i]);
    REQUIRE(index.check().ok());
    index.reorder();
    REQUIRE(index.check().ok());
    std::set<std::uint64_t> found;
    for (const auto& hit : index.search(more[0], index.size())) found.insert(hit.id);
    REQUIRE(found.size() == index.size());
    std::size_t hits = 0;
    for (std::size_t i = 100; i < 500; ++i) hits += index.search(more[i], 1, {.ef = 60})[0].id == 300'000 + i ? 1 : 0;
    CHECK(hits >= 398);
    while (index.size() > 0) REQUIRE(index.remove(index.search(more[0], 1)[0].id));
    index.reorder();
    index.add(1, more[0]);
    REQUIRE(index.check().ok());
}

TEST_CASE("reorder: a copy of a row is known to be one") {
    plain index = with_a_past<plain>();
    REQUIRE(copies(index) == 20);
    index.reorder();
    REQUIRE(copies(index) == 20);
    for (std::uint64_t i = 0; i < 100; ++i) index.add(400'000 + i, some_rows()[i * 2 + 1]);
    REQUIRE(copies(index) == 120);
    REQUIRE(index.check().ok());
}

TEST_CASE("reorder: places of removed rows are used again, however often it is called") {
    plain index(dim, slim);
    index.add(numbered<std::uint64_t>(640), some_rows().view(0, 640));
    std::uint64_t next = 0;
    for (std::size_t times = 0; times < 20; ++times) {
        for (std::size_t i = 0; i < 15; ++i) REQUIRE(index.remove(next++));
        index.reorder();
    }
    REQUIRE(index.check().retired == 300);
    for (std::size_t i = 0; i < 80; ++i) REQUIRE(index.remove(next++));
    CHECK(index.check().retired < 80);
    REQUIRE(index.check().ok());
}

TEMPLATE_TEST_CASE("reorder: files of it load, and loaded rows are put in order", "", plain, twofold) {
    TestType index = with_a_past<TestType>();
    const auto before = saved(index);
    index.reorder();
    const auto bytes = saved(index);
    TestType again = TestType::load(std::span<const std::byte>(bytes));
    REQUIRE(again.check().ok());
    REQUIRE(answers(again).all == answers(index).all);
    TestType loaded = TestType::load(std::span<const std::byte>(before));
    loaded.reorder();
    REQUIRE(saved(loaded) == bytes);
    REQUIRE(loaded.remove(shuffled(1400)[1399]));
    const temporary_directory folder;
    index.save(folder / "a.vic");
    TestType view = TestType::view(folder / "a.vic");
    REQUIRE(answers(view).all == answers(index).all);
    CHECK(refused([&] { view.reorder(); }) == errc::read_only);
}

TEST_CASE("reorder: nothing happens to an index without rows, and little to one of a single row") {
    plain index(dim);
    index.reorder();
    REQUIRE(index.empty());
    index.add(7, some_rows()[0]);
    index.reorder();
    REQUIRE(index.check().ok());
    REQUIRE(index.search(some_rows()[0], 1)[0].id == 7);
}

TEST_CASE("reorder: it says how far it is, and stops where it is told to") {
    plain index = with_a_past<plain>();
    const auto bytes = saved(index);
    std::size_t reports = 0, last = 0, in_all = 0;
    const auto listen = [&](std::size_t done, std::size_t total) {
        ++reports;
        last = done;
        in_all = total;
        REQUIRE(index.search(some_rows()[1], 1)[0].distance == 0);
        REQUIRE(refused([&] { index.remove(1); }) == errc::reentrant_call);
    };
    const auto fail = [](std::size_t, std::size_t) { throw std::runtime_error("enough"); };
    REQUIRE_THROWS_AS(index.reorder({.progress = fail}), std::runtime_error);
    REQUIRE(saved(index) == bytes);
    vicinal::stop_source source;
    source.request_stop();
    REQUIRE(refused([&] { index.reorder({.stop = source.get_token(), .progress = listen}); }) == errc::cancelled);
    REQUIRE(reports == 0);
    REQUIRE(saved(index) == bytes);
    REQUIRE(index.check().ok());
    index.reorder({.progress = listen});
    CHECK(reports > 0);
    CHECK(last == in_all);
    REQUIRE(saved(index) != bytes);
}

TEST_CASE("reorder: a stream that goes on gives each row once, in the same order") {
    for (const std::size_t before : {0, 1, 37, 900}) {
        plain index = with_a_past<plain>();
        const dataset query = clustered(1, dim, 30, 3, 14);
        std::vector<std::uint64_t> expected, given;
        for (const auto& hit : index.nearest(query[0], {.ef = 2000})) expected.push_back(hit.id);
        auto stream = index.nearest(query[0], {.ef = 2000});
        auto at = stream.begin();  // which takes a row
        for (std::size_t i = 0; i < before; ++i, ++at) given.push_back((*at).id);
        index.reorder();
        for (; at != stream.end(); ++at) given.push_back((*at).id);
        REQUIRE(given == expected);
    }
}

TEST_CASE("reorder: a stream begun with a filter on an empty index gives nothing that came later") {
    plain index(dim, slim);
    const auto any = [](std::uint64_t) { return true; };
    auto stream = index.nearest(some_rows()[0], {.filter = any});
    index.add(numbered<std::uint64_t>(100), some_rows().view(0, 100));
    index.reorder();
    CHECK(stream.begin() == stream.end());
}

TEST_CASE("reorder: room that was reserved stays") {
    plain index = with_a_past<plain>();
    index.reserve(20'000);
    const std::size_t room = index.memory().reserved - index.memory().scratch;
    const std::size_t in_use = index.memory().total - index.memory().scratch;
    index.reorder();
    INFO(room << " bytes of room became " << index.memory().reserved - index.memory().scratch);
    CHECK(index.memory().reserved - index.memory().scratch >= room - room / 16);
    CHECK(index.memory().total - index.memory().scratch <= in_use);
}

TEST_CASE("reorder: searches beside it find what they found before") {
    const dataset queries = clustered(20, dim, 30, 3, 12);
    for (std::size_t turn = 0; turn < 4; ++turn) {
        plain index = with_a_past<plain>();
        std::vector<std::vector<vicinal::neighbor<std::uint64_t>>> expected;
        for (std::size_t q = 0; q < queries.rows(); ++q) expected.push_back(index.search(queries[q], 10));
        std::atomic<bool> over{false};
        std::atomic<std::size_t> wrong{0}, asked{0};
        std::thread reader([&] {
            for (std::size_t q = 0; !over || asked < 20; q = (q + 1) % queries.rows(), ++asked)
                wrong += index.search(queries[q], 10) == expected[q] ? 0 : 1;
        });
        for (std::size_t times = 0; times < 5; ++times) index.reorder();
        over = true;
        reader.join();
        CHECK(wrong == 0);
    }
}
