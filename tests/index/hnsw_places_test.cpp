// SPDX-License-Identifier: MIT
// hnsw_index where places of rows that are gone are used again: by copies, so that they have lower numbers than the
// rows of the graph, and by ids that a stream has handed out already.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "vicinal/hnsw.hpp"

namespace {

using namespace vicinal_test;
using hnsw = vicinal::hnsw_index<vicinal::l2, vicinal::f32>;

constexpr std::size_t dim = 2;

/// Different points of a line.
dataset line(std::size_t rows) {
    return make_rows(rows, dim, [](std::size_t r, std::size_t d) { return d == 0 ? r : 1; });
}

using vectors = std::map<std::uint64_t, std::vector<float>>;

void put(hnsw& index, vectors& held, std::uint64_t id, std::span<const float> vector) {
    if (held.contains(id))
        index.update(id, vector);
    else
        index.add(id, vector);
    held[id].assign(vector.begin(), vector.end());
}
void drop(hnsw& index, vectors& held, std::uint64_t id) {
    REQUIRE(index.remove(id));
    held.erase(id);
}
/// The index is sound, and from each of its vectors every row of it is found.
void require_all_found(const hnsw& index, const vectors& held) {
    REQUIRE(index.check().ok());
    REQUIRE(index.size() == held.size());
    for (const auto& [id, vector] : held) {
        std::set<std::uint64_t> alike;
        for (const auto& [other, others] : held)
            if (others == vector) alike.insert(other);
        std::set<std::uint64_t> closest;
        for (const auto& hit : index.search(vector, alike.size())) closest.insert(hit.id);
        REQUIRE(closest == alike);
        REQUIRE(index.search(vector, held.size()).size() == held.size());
        REQUIRE(index.search_within(vector, 1e6F).size() == held.size());
        std::size_t streamed = 0;
        for (const auto& hit : index.nearest(vector)) streamed += held.contains(hit.id) ? 1 : 0;
        REQUIRE(streamed == held.size());
    }
}

}  // namespace

TEST_CASE("hnsw places: searches begin in the graph, though duplicates have lower numbers than all its rows") {
    const dataset points = line(12);
    const auto copies = GENERATE(as<std::uint64_t>{}, 1, 2, 3);
    CAPTURE(copies);
    hnsw index(dim, {.degree = 1024});  // of so high a degree that all rows are on level 0
    vectors held;
    put(index, held, 0, points[0]);  // searches begin here
    for (std::uint64_t id = 1; id <= copies; ++id) put(index, held, id, points[0]);
    for (std::uint64_t id = 10; id < 20; ++id) put(index, held, id, points[id - 10 + 1]);
    for (std::uint64_t id = 1; id <= copies; ++id) drop(index, held, id);  // a copy's place is free at once,
    for (std::uint64_t id = 1; id <= copies; ++id) put(index, held, id, points[9 + id % 2]);  // the next takes it
    require_all_found(index, held);
    SECTION("when the row is removed") { drop(index, held, 0); }
    SECTION("when its id gets the vector of another") { put(index, held, 0, points[5]); }
    SECTION("when its id gets a new vector") { put(index, held, 0, points[11]); }
    require_all_found(index, held);
    std::vector<std::byte> bytes;
    index.save(bytes);
    require_all_found(hnsw::load(std::span<const std::byte>(bytes)), held);
    put(index, held, 30, std::vector<float>{0.5F, 3});
    put(index, held, 31, points[9]);
    require_all_found(index, held);
    while (!held.empty()) {
        drop(index, held, held.begin()->first);
        require_all_found(index, held);
    }
}

TEST_CASE("hnsw places: a stream hands out no id twice, wherever it meets the id again") {
    const std::size_t rows = 400;
    const dataset points = line(rows);
    hnsw index(dim, {.degree = 4});
    index.add(numbered<std::uint64_t>(rows), points.view());
    const auto beyond_all = [&](std::uint64_t id) { return std::vector<float>{static_cast<float>(rows + id), 1}; };
    const auto remove_last = [&] {
        for (std::uint64_t id = 300; id < rows; ++id) REQUIRE(index.remove(id));
    };
    auto stream = index.nearest(points[0], {.ef = 1});
    auto at = stream.begin();
    std::vector<std::uint64_t> given;
    for (; given.size() < 20; ++at) given.push_back(at->id);
    SECTION("as a copy of a row to come") {
        for (const std::uint64_t id : given) index.update(id, points[250 + id % 7]);
    }
    SECTION("removed, and back as a copy of a row to come") {
        for (const std::uint64_t id : given) {
            REQUIRE(index.remove(id));
            index.add(id, points[250 + id % 7]);
        }
    }
    SECTION("as a row that others copied") {
        for (const std::uint64_t id : given) index.update(id, points[250]);
        REQUIRE(index.remove(250));  // its row of the graph goes by the id of a copy from now on
    }
    SECTION("at places that rows to come have left") {
        remove_last();
        for (const std::uint64_t id : given) index.update(id, beyond_all(id));
    }
    SECTION("removed, and back at places that rows to come have left") {
        remove_last();
        for (const std::uint64_t id : given) {
            REQUIRE(index.remove(id));
            index.add(id, beyond_all(id));
        }
    }
    for (; at != stream.end(); ++at) given.push_back(at->id);
    std::vector<std::uint64_t> once = given;
    std::sort(once.begin(), once.end());
    REQUIRE(std::adjacent_find(once.begin(), once.end()) == once.end());
    for (std::uint64_t id = 0; id < 250; ++id) REQUIRE(std::binary_search(once.begin(), once.end(), id));
}
