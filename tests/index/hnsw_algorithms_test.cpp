// SPDX-License-Identifier: MIT
// The pieces of a graph search on hand-made graphs: no vectors, no index.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "vicinal/index/hnsw/graph/build.hpp"
#include "vicinal/index/hnsw/graph/consolidate.hpp"
#include "vicinal/index/hnsw/graph/retired_rows.hpp"
#include "vicinal/index/hnsw/graph/walk.hpp"

namespace {

using namespace vicinal::detail;
using vicinal_test::numbers;

/// Rows at positions on a line; the query is a position, too.
struct line_scorer {
    const std::vector<float>* positions;
    float query;
    std::map<slot_t, int>* scored = nullptr;

    [[nodiscard]] float score(slot_t slot) const {
        if (scored != nullptr) ++(*scored)[slot];
        return std::abs((*positions)[slot] - query);
    }
    void score(const slot_t* slots, std::size_t count, float* out) const {
        for (std::size_t i = 0; i < count; ++i) out[i] = score(slots[i]);
    }
    void prefetch(slot_t) const {}
};

struct line_distances {
    const std::vector<float>* positions;
    [[nodiscard]] line_scorer from(slot_t slot) const { return {positions, (*positions)[slot]}; }
};

/// Links by level and row, each list ended by no_slot as in hnsw_graph.
struct hand_made_graph {
    std::vector<std::vector<std::vector<slot_t>>> levels;
    std::size_t row_count;

    void link(std::size_t level, slot_t from, std::vector<slot_t> to) {
        to.resize(capacity(level), no_slot);
        levels[level][from] = to;
    }
    [[nodiscard]] std::size_t capacity(std::size_t) const { return 4; }
    [[nodiscard]] const slot_t* first_link(slot_t slot, std::size_t level) const {
        return slot < levels[level].size() && !levels[level][slot].empty() ? levels[level][slot].data() : nullptr;
    }
    [[nodiscard]] std::span<const slot_t> links(slot_t slot, std::size_t level) const {
        const slot_t* const first = first_link(slot, level);
        if (first == nullptr) return {};
        return {first, std::find(first, first + capacity(level), no_slot)};
    }
    [[nodiscard]] bool exists(slot_t slot) const { return slot < row_count; }
    [[nodiscard]] std::size_t rows() const { return row_count; }
    void prefetch_links(slot_t, std::size_t) const {}
};

/// 0 - 1 - 2 - ... - (n - 1)
hand_made_graph chain(std::size_t n) {
    hand_made_graph graph{{std::vector<std::vector<slot_t>>(n)}, n};
    for (slot_t i = 0; i < n; ++i) {
        std::vector<slot_t> both;
        if (i > 0) both.push_back(i - 1);
        if (i + 1 < n) both.push_back(i + 1);
        graph.link(0, i, both);
    }
    return graph;
}

std::vector<slot_t> rows_of(const beam& pool) {
    std::vector<slot_t> rows;
    for (std::size_t i = 0; i < pool.size(); ++i) rows.push_back(key_slot(pool[i]));
    return rows;
}

}  // namespace

TEST_CASE("row keys: they order as distances then rows do and give both back") {
    const float infinity = std::numeric_limits<float>::infinity();
    const float values[] = {-infinity, -3e38F, -1.5F, -1e-40F, 0.0F, 1e-45F, 1e-40F, 0.5F, 1.0F, 3e38F, infinity};
    const slot_t slots[] = {0, 1, 77, 0x7FFFFFFE};
    row_key last = 0;
    for (const float value : values)
        for (const slot_t slot : slots) {
            const row_key key = make_key(value, slot);
            REQUIRE(key_distance(key) == value);
            REQUIRE(key_slot(key) == slot);
            REQUIRE((key & 1) == 0);
            if (value != -infinity || slot != 0) REQUIRE(key > last);
            last = key;
        }
}

TEST_CASE("beam: it keeps the closest rows sorted whatever order they come in") {
    numbers random(1);
    for (const std::size_t width : {1U, 2U, 3U, 16U, 100U}) {
        beam pool;
        pool.reset(width);
        std::vector<row_key> all;
        for (slot_t i = 0; i < 300; ++i) {
            const auto distance = static_cast<float>(random.below(40)) - 20.0F;  // many ties
            pool.insert(distance, i);
            all.push_back(make_key(distance, i));
            std::sort(all.begin(), all.end());
            REQUIRE(pool.size() == std::min(width, all.size()));
            REQUIRE(pool.full() == (all.size() >= width));
            for (std::size_t r = 0; r < pool.size(); ++r)
                if (pool[r] != all[r]) FAIL("place " << r << " of width " << width << " after " << i);
            REQUIRE(pool.worst() == all[pool.size() - 1]);
        }
    }
}

TEST_CASE("beam: rows are taken closest first and each once also when closer ones come between") {
    beam pool;
    pool.reset(4);
    REQUIRE_FALSE(pool.has_next());
    pool.insert(5, 50);
    pool.insert(7, 70);
    REQUIRE(pool.peek() == 50);
    REQUIRE(pool.take() == 50);
    pool.insert(6, 60);
    pool.insert(1, 10);
    REQUIRE(pool.take() == 10);
    REQUIRE(pool.take() == 60);
    pool.insert(2, 20);  // pushes 70 out
    REQUIRE(pool.take() == 20);
    REQUIRE_FALSE(pool.has_next());
    REQUIRE(rows_of(pool) == std::vector<slot_t>{10, 20, 50, 60});
    pool.reset(4);
    REQUIRE(pool.size() == 0);
    REQUIRE_FALSE(pool.has_next());
}

TEST_CASE("beam: of no width it stays empty") {
    beam pool;
    pool.reset(0);
    pool.insert(1, 1);
    REQUIRE(pool.size() == 0);
    REQUIRE_FALSE(pool.has_next());
}

TEST_CASE("visited set: each row is new once and a new search forgets all") {
    visited_set seen;
    numbers random(2);
    for (std::size_t round = 0; round < 50; ++round) {
        const std::size_t rows = 1 + random.below(500);
        seen.begin(rows);
        std::set<slot_t> reference;
        for (int i = 0; i < 300; ++i) {
            const auto slot = static_cast<slot_t>(random.below(rows));
            if (seen.insert(slot) != reference.insert(slot).second) FAIL("row " << slot << " in round " << round);
        }
    }
}

TEST_CASE("visited set: it gives memory back where rows have become few") {
    visited_set seen;
    seen.begin(10'000'000);
    const std::size_t most = seen.memory();
    seen.begin(9'000'000);
    REQUIRE(seen.memory() == most);
    seen.begin(1000);
    REQUIRE(seen.memory() < most / 100);
    REQUIRE(seen.insert(999));
    REQUIRE_FALSE(seen.insert(999));
}

TEST_CASE("visited set: rows out of range count as seen") {
    visited_set seen;
    seen.begin(33);
    REQUIRE(seen.insert(32));
    REQUIRE_FALSE(seen.insert(33));
    REQUIRE_FALSE(seen.insert(no_slot));
    seen.begin(10);  // fewer rows than before
    REQUIRE_FALSE(seen.insert(32));
    REQUIRE(seen.insert(9));
}

TEST_CASE("beam search: it walks a chain from end to end scoring every row once") {
    const std::size_t n = 60;
    const hand_made_graph graph = chain(n);
    std::vector<float> positions(n);
    for (std::size_t i = 0; i < n; ++i) positions[i] = static_cast<float>(i);
    std::map<slot_t, int> scored;
    walk_scratch walk;
    vicinal::search_stats stats;
    walk.begin(n, 4);
    beam_search(graph, line_scorer{&positions, 59.0F, &scored}, 0, 0, 3, walk, stats, {});
    REQUIRE(rows_of(walk.pool) == std::vector<slot_t>{59, 58, 57});
    REQUIRE(scored.size() == n);
    for (const auto& [slot, times] : scored) REQUIRE(times == 1);
    REQUIRE(stats.distances == n);
    REQUIRE(stats.hops == n);
}

TEST_CASE("beam search: a wide beam leaves a valley that a narrow one is caught in") {
    // Row 2 is the closest, but every way to it from row 0 leads over row 1, which is farther than row 0.
    const hand_made_graph graph = chain(3);
    const std::vector<float> positions{3, 10, 0};
    walk_scratch walk;
    vicinal::search_stats stats;
    walk.begin(3, 4);
    beam_search(graph, line_scorer{&positions, 0}, 0, 0, 1, walk, stats, {});
    REQUIRE(rows_of(walk.pool) == std::vector<slot_t>{0});
    walk.begin(3, 4);
    beam_search(graph, line_scorer{&positions, 0}, 0, 0, 2, walk, stats, {});
    REQUIRE(rows_of(walk.pool) == std::vector<slot_t>{2, 0});
}

TEST_CASE("beam search: of rows at one distance the lowest numbers stay, though they are met last") {
    const hand_made_graph graph = chain(20);
    const std::vector<float> positions(20, 1.0F);
    walk_scratch walk;
    vicinal::search_stats stats;
    walk.begin(20, 4);
    beam_search(graph, line_scorer{&positions, 0}, 19, 0, 3, walk, stats, {});
    REQUIRE(rows_of(walk.pool) == std::vector<slot_t>{0, 1, 2});
}

TEST_CASE("beam search: rows without a way to them are not found and the others are") {
    hand_made_graph graph = chain(10);
    graph.link(0, 4, {3});  // 5 .. 9 are cut off
    std::vector<float> positions(10);
    for (std::size_t i = 0; i < 10; ++i) positions[i] = static_cast<float>(i);
    walk_scratch walk;
    vicinal::search_stats stats;
    walk.begin(10, 4);
    beam_search(graph, line_scorer{&positions, 9}, 0, 0, 10, walk, stats, {});
    REQUIRE(rows_of(walk.pool) == std::vector<slot_t>{4, 3, 2, 1, 0});
}

TEST_CASE("beam search: a triggered stop token ends it") {
    const hand_made_graph graph = chain(100);
    const std::vector<float> positions(100, 1.0F);
    vicinal::stop_source source;
    source.request_stop();
    walk_scratch walk;
    vicinal::search_stats stats;
    walk.begin(100, 4);
    REQUIRE_THROWS_AS(beam_search(graph, line_scorer{&positions, 0}, 0, 0, 100, walk, stats, source.get_token()),
                      vicinal::error);
}

TEST_CASE("filtered beam search: it walks over rows that may not be returned") {
    const std::size_t n = 100;
    const hand_made_graph graph = chain(n);
    std::vector<float> positions(n);
    for (std::size_t i = 0; i < n; ++i) positions[i] = static_cast<float>(i);
    walk_scratch walk;
    vicinal::search_stats stats;
    walk.begin(n, 4);
    const auto tens = [](slot_t slot) { return slot % 10 == 0; };
    filtered_beam_search(graph, line_scorer{&positions, 77}, 0, 0, 3, tens, walk, stats, {});
    REQUIRE(rows_of(walk.pool) == std::vector<slot_t>{80, 70, 90});
    walk.begin(n, 4);
    filtered_beam_search(graph, line_scorer{&positions, 77}, 0, 0, 50, tens, walk, stats, {});
    REQUIRE(walk.pool.size() == 10);
    walk.begin(n, 4);
    filtered_beam_search(graph, line_scorer{&positions, 77}, 0, 0, 3, [](slot_t) { return false; }, walk, stats, {});
    REQUIRE(walk.pool.size() == 0);
}

TEST_CASE("descend: it takes the closest row of each level down") {
    hand_made_graph graph{{{}, std::vector<std::vector<slot_t>>(5), std::vector<std::vector<slot_t>>(5)}, 5};
    graph.link(2, 0, {3});
    graph.link(1, 3, {4, 1});
    graph.link(1, 4, {3});
    const std::vector<float> positions{0, 90, 50, 60, 80};
    walk_scratch walk;
    vicinal::search_stats stats;
    walk.begin(5, 4);
    REQUIRE(descend(graph, line_scorer{&positions, 78}, 0, 2, 0, walk, stats) == 4);
    REQUIRE(descend(graph, line_scorer{&positions, 78}, 0, 2, 1, walk, stats) == 3);
    REQUIRE(descend(graph, line_scorer{&positions, 78}, 0, 0, 0, walk, stats) == 0);
    graph.link(2, 0, {3, 99});  // of a damaged file
    REQUIRE(descend(graph, line_scorer{&positions, 78}, 0, 2, 0, walk, stats) == 4);
}

TEST_CASE("flood: it finds what is within the radius and stops there") {
    const std::size_t n = 50;
    const hand_made_graph graph = chain(n);
    std::vector<float> positions(n);
    for (std::size_t i = 0; i < n; ++i) positions[i] = static_cast<float>(i);
    walk_scratch walk;
    vicinal::search_stats stats;
    walk.begin(n, 4);
    const line_scorer scorer{&positions, 20};
    beam_search(graph, scorer, 0, 0, 2, walk, stats, {});
    std::set<slot_t> found;
    const vicinal::search_stats before = stats;
    flood_within(graph, scorer, 5, n, walk, stats, {}, [&](slot_t slot, float distance) {
        REQUIRE(distance == scorer.score(slot));
        REQUIRE(found.insert(slot).second);
    });
    REQUIRE(found == std::set<slot_t>{15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25});
    REQUIRE(stats.distances - before.distances < 20);
}

// ---- choosing links -------------------------------------------------------------------------------------------------

namespace {

std::vector<slot_t> chosen_from(const std::vector<float>& positions, std::size_t limit, std::size_t kept = 0) {
    std::vector<candidate> sorted;
    for (slot_t i = 0; i < positions.size(); ++i) sorted.push_back({std::abs(positions[i]), i});
    if (kept == 0) std::sort(sorted.begin(), sorted.end());
    line_distances between{&positions};
    sorted.resize(select_neighbors(std::span(sorted), limit, kept, between));
    std::vector<slot_t> slots;
    for (const candidate& c : sorted) slots.push_back(c.slot);
    return slots;
}

}  // namespace

TEST_CASE("select_neighbors: one link goes in each direction and not two in the same") {
    REQUIRE(chosen_from({1, 2, 3, -4, -5}, 10) == std::vector<slot_t>{0, 3});
    REQUIRE(chosen_from({1}, 10) == std::vector<slot_t>{0});
    REQUIRE(chosen_from({}, 10).empty());
}

TEST_CASE("select_neighbors: no more than the limit are chosen") {
    REQUIRE(chosen_from({1, -4}, 1) == std::vector<slot_t>{0});
}

TEST_CASE("select_neighbors: of many duplicates one is chosen and what lies beyond the row still is") {
    REQUIRE(chosen_from({1, 1, 1, 1, -2, -2}, 3) == std::vector<slot_t>{0, 4});
    REQUIRE(chosen_from({0, 0, 0, 5}, 3) == std::vector<slot_t>{0, 3});  // copies of the row itself hide nothing
    REQUIRE(chosen_from({1e-6F, -1e-6F, 5, -5, 5.0001F}, 9) == std::vector<slot_t>{0, 1, 2, 3});  // nor near-copies
}

TEST_CASE("select_neighbors: the kept ones are chosen whatever their distance") {
    REQUIRE(chosen_from({9, 8, 1, -1}, 10, 2) == std::vector<slot_t>{0, 1, 2, 3});
    REQUIRE(chosen_from({3, 2, 2.5F, 9}, 10, 2) == std::vector<slot_t>{0, 1});  // 2.5 is closer to 3 than to 0
}

// ---- retired rows ---------------------------------------------------------------------------------------------------

TEST_CASE("retired rows: a row is released once the sweep has passed all others since, and few of them at a time") {
    struct wait {
        std::vector<bool> passed;
        std::size_t rows;  // the fewest there were since
    };
    retired_rows retired;
    std::map<slot_t, wait> waiting;
    std::size_t rows = 5000;
    std::size_t most = 0;
    std::size_t too_soon = 0;
    for (slot_t leaving = 0; leaving < 3000; ++leaving) {
        if (leaving == 1000) rows = 300;  // memory behind was given back: the sweep must not go there
        if (leaving == 2000) rows = 2000;
        const auto [first, last] = retired.next_stretch(rows);
        REQUIRE(first <= last);
        REQUIRE(last <= rows);
        REQUIRE(last - first <= retired_rows::rows_per_removal);
        waiting[leaving] = {std::vector<bool>(5000), rows};  // the stretch is planned for when it has left
        for (auto& [row, since] : waiting) {
            since.rows = std::min(since.rows, rows);
            for (std::size_t r = first; r < last; ++r) since.passed[r] = true;
        }
        retired.reserve(1);
        retired.add(leaving);
        std::size_t released = 0;
        retired.advance(rows, [&](slot_t row) {
            ++released;
            const auto& [passed, there] = waiting.at(row);
            too_soon +=
                std::find(passed.begin(), passed.end(), false) - passed.begin() < static_cast<int>(there) ? 1 : 0;
            waiting.erase(row);
        });
        most = std::max(most, released);
        REQUIRE(waiting.size() <= 2 * (5000 / retired_rows::rows_per_removal + 1) + 32);
    }
    CHECK(too_soon == 0);
    CHECK(most > 1);
    CHECK(most <= 32);
}

// ---- adjacency ------------------------------------------------------------------------------------------------------

TEST_CASE("hnsw graph: levels fall off by degree and depend on seed and row number alone") {
    const hnsw_graph graph(16);
    const hnsw_graph same(16);
    std::vector<std::size_t> at_least(8);
    for (slot_t slot = 0; slot < 100000; ++slot) {
        const std::size_t level = graph.draw_level(5, slot);
        if (level != same.draw_level(5, slot)) FAIL("row " << slot);
        for (std::size_t l = 0; l <= std::min<std::size_t>(level, 7); ++l) ++at_least[l];
    }
    REQUIRE(at_least[0] == 100000);
    REQUIRE(std::abs(static_cast<double>(at_least[1]) - 6250) < 400);  // five deviations
    REQUIRE(std::abs(static_cast<double>(at_least[2]) - 390) < 100);
}

TEST_CASE("hnsw graph: links are kept by level and upper links of a destroyed row are used again") {
    hnsw_graph graph(4);
    graph.reserve(10, 6);
    graph.reserve_destroy(2, 4);
    graph.create(0, 2);
    graph.create(1, 0);
    const std::vector<slot_t> base{1, 2, 3, 4, 5, 6, 7, 8};
    const std::vector<slot_t> upper{7, 8};
    graph.set_links(0, 0, base);
    graph.set_links(0, 2, upper);
    REQUIRE(std::ranges::equal(graph.links(0, 0), base));
    REQUIRE(graph.links(0, 1).empty());
    REQUIRE(std::ranges::equal(graph.links(0, 2), upper));
    REQUIRE(graph.links(1, 1).empty());  // a row that does not reach the level
    graph.set_links(0, 0, std::span(base).first(3));
    REQUIRE(graph.links(0, 0).size() == 3);
    const std::size_t memory = graph.memory();
    for (int i = 0; i < 100; ++i) {
        graph.destroy(0);
        graph.create(0, 2);
        REQUIRE(graph.links(0, 2).empty());
    }
    REQUIRE(graph.memory() == memory);
}

TEST_CASE("hnsw graph: children are counted as parents change") {
    hnsw_graph graph(8);
    graph.reserve(10, 0);
    for (slot_t i = 0; i < 5; ++i) graph.create(i, 0);
    graph.set_parent(1, 0);
    graph.set_parent(2, 0);
    graph.set_parent(3, 1);
    REQUIRE(graph.children(0) == 2);
    graph.set_parent(2, 1);
    REQUIRE(graph.children(0) == 1);
    REQUIRE(graph.children(1) == 2);
    REQUIRE(graph.is_tree_link(1, 3));
    REQUIRE(graph.is_tree_link(3, 1));
    REQUIRE_FALSE(graph.is_tree_link(2, 3));
    graph.set_parent(3, no_slot);
    REQUIRE(graph.children(1) == 1);
}
