// SPDX-License-Identifier: MIT
// Room for rows: what reserve makes, what shrink_to_fit gives back, and what memory() says of both.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/outcomes.hpp"
#include "support/sanitized.hpp"
#include "support/temporary.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/ivf.hpp"

namespace {

using namespace vicinal_test;
using vicinal::errc, vicinal::sq8, vicinal::l2;

using flat = vicinal::flat_index<l2, sq8>;
using ivf = vicinal::ivf_index<l2, sq8>;
using hnsw = vicinal::hnsw_index<l2, sq8>;

template <class Index>
constexpr bool is_graph = std::is_same_v<Index, hnsw>;
constexpr std::size_t dim = 32;
constexpr std::size_t few_bytes = 128 << 10;

template <class Index>
Index made() {
    if constexpr (std::is_same_v<Index, ivf>)
        return Index(dim, {.lists = 7});
    else if constexpr (is_graph<Index>)
        return Index(dim, {.degree = 4, .ef_construction = 10});
    else
        return Index(dim);
}
/// Rows [first, first + count) of the set under the same numbers.
template <class Index>
void fill(Index& index, const dataset& rows, std::size_t first, std::size_t count) {
    REQUIRE(index.add(numbered<std::uint64_t>(count, first), rows.view(first, count)) == count);
}
template <class Index>
std::size_t reserved(const Index& index) {
    const auto memory = index.memory();
    return memory.reserved - memory.scratch;
}
template <class Index>
std::size_t in_use(const Index& index) {
    const auto memory = index.memory();
    return memory.total - memory.scratch;
}

}  // namespace

TEMPLATE_TEST_CASE("room: rows that room was reserved for take no more of it, and are the same rows", "", flat, ivf,
                   hnsw) {
    constexpr std::size_t many = is_graph<TestType> ? 10000 : 40000;
    constexpr std::size_t first = 5000;
    const dataset rows = gaussian(many, dim);
    TestType ordinary = made<TestType>();
    TestType index = made<TestType>();
    fill(ordinary, rows, 0, first);
    fill(index, rows, 0, first);
    const std::size_t before = reserved(ordinary);
    const std::size_t used = in_use(index);
    index.reserve(many);
    const std::size_t room = reserved(index);
    CHECK(in_use(index) <= used + 24 * many);  // tables
    fill(ordinary, rows, first, many - first);
    fill(index, rows, first, many - first);
    INFO(before << " bytes grew to " << reserved(ordinary) << ", " << room << " to " << reserved(index));
    CHECK(reserved(ordinary) > before + 2 * few_bytes);
    // How many rows come to a list is not known before.
    CHECK(reserved(index) <= room + few_bytes + (std::is_same_v<TestType, ivf> ? room / 8 : 0));
    REQUIRE(saved(index) == saved(ordinary));

    for (std::uint64_t id = many; id-- > 100;) REQUIRE(index.remove(id));
    CHECK(reserved(index) + few_bytes >= room);
    const auto bytes = saved(index);
    index.shrink_to_fit();
    CHECK(index.check().retired == 0);
    TestType fresh = made<TestType>();
    fill(fresh, rows, 0, 100);
    INFO(reserved(index) << " bytes are left, a fresh one has " << reserved(fresh));
    CHECK(reserved(index) <= reserved(fresh) + few_bytes);
    CHECK(in_use(index) <= in_use(fresh) + few_bytes);
    if (!is_graph<TestType>) REQUIRE(saved(index) == bytes);  // links to removed rows were repaired
    fill(index, rows, 100, 500);
    REQUIRE(index.check().ok());
}

TEMPLATE_TEST_CASE("room: an empty index is reserved for, and emptied it keeps the room", "", flat, ivf, hnsw) {
    const dataset rows = gaussian(6000, dim);
    TestType index = made<TestType>();
    TestType ordinary = made<TestType>();
    index.reserve(6000);
    index.reserve(10);  // there is more room than that
    const std::size_t room = reserved(index);
    CHECK(room > 6000 * 9);
    CHECK(index.size() == 0);
    CHECK(index.search(rows[0], 3).empty());
    fill(index, rows, 0, 6000);
    fill(ordinary, rows, 0, 6000);
    REQUIRE(saved(index) == saved(ordinary));
    for (std::uint64_t id = 0; id < 6000; ++id) REQUIRE(index.remove(id));
    CHECK(reserved(index) >= room - few_bytes);
    index.shrink_to_fit();
    CHECK(reserved(index) <= reserved(made<TestType>()) + 3 * few_bytes);
    fill(index, rows, 0, 300);
    REQUIRE(index.check().ok());
    CHECK(index.search(rows[7], 1)[0].id == 7);
}

TEMPLATE_TEST_CASE("room: memory is foretold", "", flat, ivf, hnsw) {
    for (const std::size_t rows : {300U, 5000U}) {  // codecs keep exact rows of fewer than 4096
        TestType index = made<TestType>();
        fill(index, gaussian(rows, dim), 0, rows);
        const auto found = index.memory();
        const auto foretold = [&] {
            if constexpr (std::is_same_v<TestType, ivf>)
                return TestType::estimate_memory(rows, dim, {.lists = 7});
            else if constexpr (is_graph<TestType>)
                return TestType::estimate_memory(rows, dim, index.params());
            else
                return TestType::estimate_memory(rows, dim);
        }();
        // Lists are not of equal length, and of few rows chance says how many have links on higher levels.
        const double by_chance = std::is_same_v<TestType, ivf> ? 0.15 : rows < 1000 ? 0.06 : 0.02;
        CAPTURE(rows, foretold.vectors, found.vectors, foretold.ids, found.ids, foretold.links, found.links);
        CHECK(static_cast<double>(foretold.total) == Approx(static_cast<double>(in_use(index))).epsilon(by_chance));
        CHECK(static_cast<double>(foretold.vectors) == Approx(static_cast<double>(found.vectors)).epsilon(by_chance));
        CHECK(static_cast<double>(foretold.ids) == Approx(static_cast<double>(found.ids)).epsilon(0.02));
        CHECK(foretold.total <= foretold.reserved);
        if (!std::is_same_v<TestType, ivf>)
            CHECK(static_cast<double>(foretold.reserved) ==
                  Approx(static_cast<double>(reserved(index))).epsilon(by_chance));
    }
    CHECK(refusal([] { static_cast<void>(TestType::estimate_memory(std::size_t{1} << 31, dim)); }) ==
          "invalid_argument: vicinal: rows is 2147483648, it must be from 0 to 2147483647");
    CHECK(refusal([] {
              static_cast<void>(TestType::estimate_memory(10, 0));
          }).starts_with("invalid_argument: vicinal: "));
}

TEMPLATE_TEST_CASE("room: more rows than can be are refused, and nothing has changed", "", flat, ivf, hnsw) {
    const dataset rows = gaussian(300, dim);
    TestType index = made<TestType>();
    fill(index, rows, 0, 300);
    const auto bytes = saved(index);
    const auto memory = index.memory();
    CHECK(refusal([&] { index.reserve(static_cast<std::size_t>(-1)); }) ==
          "capacity: vicinal: reserve: 18446744073709551615 rows were asked for, an index numbers at most 2147483647");
    CHECK(refusal([&] { index.reserve(std::size_t{1} << 31); }) ==
          "capacity: vicinal: reserve: 2147483648 rows were asked for, an index numbers at most 2147483647");
    CHECK(index.memory().reserved == memory.reserved);
    index.reserve(0);
    CHECK(index.memory().reserved == memory.reserved);
    CHECK(saved(index) == bytes);
#if !defined(VICINAL_TEST_SANITIZED)  // sanitizers end a program that asks for so much
    if constexpr (!std::is_same_v<TestType, ivf>) {
        TestType wide(std::size_t{1} << 19);
        const std::size_t before = reserved(wide);
        const std::string says = refusal([&] { wide.reserve(2147483647); });  // a million GiB
        CHECK_THAT(
            says,
            contains("capacity: vicinal: reserve: the system has no memory for 2147483647 rows with codes of 524288"));
        CHECK(reserved(wide) == before);
        wide.reserve(100);
    }
#endif
}

TEMPLATE_TEST_CASE("room: a view has its file mapped and refuses room, a loaded index gives nothing of it back", "",
                   flat, ivf, hnsw) {
    const dataset rows = gaussian(2000, dim);
    TestType index = made<TestType>();
    fill(index, rows, 0, 2000);
    const temporary_directory directory;
    const auto path = directory / "index";
    index.save(path);
    const auto size = std::filesystem::file_size(path);
    CHECK(index.memory().mapped == 0);

    TestType viewed = TestType::view(path);
    CHECK(viewed.memory().mapped == size);
    CHECK(viewed.memory().total < size / 8);
    CHECK_THAT(refusal([&] { viewed.reserve(5000); }), contains("read_only"));
    const auto found = viewed.search(rows[3], 5);
    CHECK(viewed.memory().scratch > 0);
    viewed.shrink_to_fit();
    CHECK(viewed.memory().scratch == 0);
    CHECK(viewed.search(rows[3], 5) == found);

    TestType loaded = TestType::load(path);
    CHECK(loaded.memory().mapped == 0);
    const std::size_t held = reserved(loaded);
    CHECK(held > size);
    loaded.shrink_to_fit();
    CHECK(reserved(loaded) == held);  // it still works on the bytes it was loaded from
    loaded.reserve(5000);
    CHECK(saved(loaded) == saved(index));
    REQUIRE(loaded.check().ok());
}

TEMPLATE_TEST_CASE("room: counters outlive the buffers they were counted in", "", flat, ivf, hnsw) {
    const dataset rows = gaussian(500, dim);
    TestType index = made<TestType>();
    fill(index, rows, 0, 500);
    const auto found = index.search(rows[1], 5);
    const auto before = index.counters();
    REQUIRE(before.searches == 1);
    index.shrink_to_fit();
    CHECK(index.memory().scratch == 0);
    CHECK(index.counters().searches == 1);
    CHECK(index.counters().distances == before.distances);
    CHECK(index.search(rows[1], 5) == found);
    CHECK(index.counters().searches == 2);
}

TEMPLATE_TEST_CASE("room: memory that removed rows left is given back", "", flat, ivf) {
    constexpr std::size_t many = 60000, left = 34000;  // more than the last segment but one has
    const dataset rows = gaussian(many, dim);
    TestType index = made<TestType>();
    TestType fresh = made<TestType>();
    fill(index, rows, 0, many);
    fill(fresh, rows, 0, left);
    const std::size_t most = in_use(index);
    for (std::uint64_t id = left; id < many; ++id) REQUIRE(index.remove(id));
    INFO(in_use(index) << " bytes of " << most << " in use, " << in_use(fresh) << " if there were never more rows");
#if defined(__linux__)
    CHECK(in_use(index) <= in_use(fresh) * 5 / 3);
#endif
    index.shrink_to_fit();
    INFO("then " << in_use(index));
#if defined(__linux__)
    CHECK(in_use(index) <= in_use(fresh) * 21 / 20 + few_bytes);
#endif
    CHECK(reserved(index) <= reserved(fresh) + few_bytes);
    std::size_t wrong = 0;
    for (std::uint64_t id = 0; id < left; id += 17) wrong += index.search(rows[id], 1)[0].id == id ? 0 : 1;
    CHECK(wrong == 0);
    fill(index, rows, left, many - left);
    for (std::uint64_t id = 0; id < many; id += 31) wrong += index.search(rows[id], 1)[0].id == id ? 0 : 1;
    CHECK(wrong == 0);
    REQUIRE(index.check().ok());
}

TEST_CASE("room: a graph whose newer rows are gone shrinks to those that are left") {
    constexpr std::size_t many = 9000, left = many / 2;  // so many that no exact vectors are kept to learn from
    const dataset rows = gaussian(many, dim);
    hnsw index = made<hnsw>();
    hnsw fresh = made<hnsw>();
    fill(index, rows, 0, many);
    fill(fresh, rows, 0, left);
    for (std::uint64_t id = left; id < many; ++id) REQUIRE(index.remove(id));
    REQUIRE(index.check().retired > 0);
    REQUIRE(in_use(index) > in_use(fresh) * 3 / 2);
    index.shrink_to_fit();
    CHECK(index.check().ok());
    CHECK(index.check().retired == 0);
    CHECK(index.check().live == left);
    CHECK(in_use(index) <= in_use(fresh) + few_bytes);
    CHECK(reserved(index) <= reserved(fresh) + few_bytes);
    const auto lost_by = [&](const hnsw& of) {
        std::size_t lost = 0;
        for (std::uint64_t id = 0; id < left; id += 3) lost += of.search(rows[id], 1, {.ef = 200})[0].id == id ? 0 : 1;
        return lost;
    };
    CHECK(lost_by(index) <= 2 * lost_by(fresh));
}

TEMPLATE_TEST_CASE("room: searches go on while room is made and given back", "", flat, ivf, hnsw) {
    constexpr std::size_t many = is_graph<TestType> ? 3000 : 12000;
    constexpr std::size_t lasting = many / 3;
    const dataset rows = gaussian(many, dim);
    TestType index = made<TestType>();
    fill(index, rows, 0, many);
    std::atomic<bool> over{false};
    std::atomic<std::size_t> lost{0}, searched{0};
    std::vector<std::thread> readers;
    for (std::uint64_t r = 0; r < 2; ++r)
        readers.emplace_back([&, r] {
            for (std::uint64_t id = r; !over || id < 50; id += 2) {
                const auto hits = index.search(rows[id % lasting], 1);
                // A graph of few links does not find them all.
                if (hits.empty() || (!is_graph<TestType> && hits[0].distance > 1)) ++lost;
                ++searched;
            }
        });
    for (int turn = 0; turn < 3; ++turn) {
        for (std::uint64_t id = many; id-- > lasting;) index.remove(id);
        index.shrink_to_fit();
        index.reserve(many * 2);
        fill(index, rows, lasting, many - lasting);
        index.shrink_to_fit();
    }
    over = true;
    for (auto& reader : readers) reader.join();
    CHECK(lost == 0);
    CHECK(searched > 0);
    REQUIRE(index.check().ok());
}

TEST_CASE("room: a filter may not ask for room nor give it back") {
    const dataset rows = gaussian(50, dim);
    flat index = made<flat>();
    fill(index, rows, 0, 50);
    std::string said;
    const auto filter = [&](std::uint64_t) {
        if (said.empty()) said = refusal([&] { index.reserve(100); }) + refusal([&] { index.shrink_to_fit(); });
        return true;
    };
    (void)index.search(rows[0], 3, {.filter = filter});
    CHECK(said.find("reentrant_call", said.find("reentrant_call") + 1) != std::string::npos);
}
