// SPDX-License-Identifier: MIT
// What an index costs depends on the rows it holds, not on those it once held or was to hold.
#include <algorithm>
#include <fstream>
#include <map>
#include <set>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/outcomes.hpp"
#include "support/sanitized.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/io/reader.hpp"
#include "vicinal/ivf.hpp"
#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace {

using namespace vicinal_test;
using vicinal::l2;
using flat = vicinal::flat_index<>;
using flat_of_two = vicinal::flat_index<l2, vicinal::two_level<vicinal::sq8, vicinal::f32>>;
using ivf = vicinal::ivf_index<>;
using ivf_of_two = vicinal::ivf_index<l2, vicinal::two_level<vicinal::sq8, vicinal::f32>>;
using hnsw = vicinal::hnsw_index<vicinal::l2, vicinal::f32>;

struct at_the_end {};

template <class Index>
Index made(std::size_t dim) {
    if constexpr (requires { Index(dim, {.lists = 7}); })
        return Index(dim, {.lists = 7});
    else if constexpr (requires { Index(dim, {.degree = 4}); })
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
void fail_to_fill(Index& index, const dataset& rows, std::size_t first, std::size_t count) {
    const auto thrower = [](std::size_t done, std::size_t total) {
        if (done == total) throw at_the_end();
    };
    REQUIRE_THROWS_AS(index.add(numbered<std::uint64_t>(count, first), rows.view(first, count), {.progress = thrower}),
                      at_the_end);
}
template <class Index>
std::uint64_t scored(const Index& index, std::span<const float> query) {
    vicinal::search_stats stats;
    if constexpr (requires(typename Index::search_params how) { how.nprobe; })
        (void)index.search(query, 5, {.nprobe = 7, .rerank = 5, .stats = &stats});
    else
        (void)index.search(query, 5, {.rerank = 5, .stats = &stats});
    return stats.distances;
}

}  // namespace

TEMPLATE_TEST_CASE("history: a search looks at the rows there are", "", flat, flat_of_two, ivf, ivf_of_two) {
    const dataset rows = gaussian(20000, 8);
    TestType index = made<TestType>(8);
    TestType fresh = made<TestType>(8);
    fill(index, rows, 0, 100);
    fill(fresh, rows, 0, 100);
    const std::uint64_t alone = scored(fresh, rows[3]);
    fail_to_fill(index, rows, 100, 19900);
    CHECK(scored(index, rows[3]) == alone);
    fill(index, rows, 100, 19900);
    for (std::uint64_t id = 100; id < 20000; ++id) REQUIRE(index.remove(id));
    CHECK(scored(index, rows[3]) == alone);
    CHECK(index.search_within(rows[3], 100).size() == fresh.search_within(rows[3], 100).size());
}

TEMPLATE_TEST_CASE("history: rows that change places are found, returned and saved as if they had not", "", flat_of_two,
                   ivf, ivf_of_two) {
    const dataset rows = gaussian(6000, 5);
    numbers random(8);
    TestType index = made<TestType>(5);
    fill(index, rows, 0, 500);
    std::map<std::uint64_t, std::size_t> in;  // id, and which row
    for (std::uint64_t id = 0; id < 500; ++id) in[id] = id;
    for (std::size_t step = 500; step < 3000; ++step) {
        const auto any = std::next(in.begin(), static_cast<std::ptrdiff_t>(random.below(in.size())));
        const bool grow = step / 500 % 2 == 0 ? random.below(4) == 0 : random.below(4) != 0;
        if (grow) {
            index.add(step, rows[step]);
            in[step] = step;
        } else if (random.below(5) == 0) {
            index.update(any->first, rows[step]);
            any->second = step;
        } else if (in.size() > 1) {
            REQUIRE(index.remove(any->first));
            in.erase(any);
        }
        if (step % 250 != 0) continue;
        REQUIRE(index.check().ok());
        TestType again = TestType::load(std::span<const std::byte>(saved(index)));
        again.add(step * 10, rows[0]);  // after which it has memory of its own
        again.remove(step * 10);
        REQUIRE(saved(again) == saved(index));
        flat exact(5);
        for (const auto& [id, row] : in) exact.add(id, rows[row]);
        std::size_t wrong = 0;
        for (const auto& [id, row] : in) {
            const auto kept = index.get(id);
            for (std::size_t d = 0; d < 5; ++d) wrong += kept[d] != rows[row][d];
        }
        REQUIRE(wrong == 0);
        std::set<std::uint64_t> met;
        for (const auto& hit : index.nearest(rows[step])) met.insert(hit.id);
        REQUIRE(met.size() == in.size());
        const auto expected = exact.search_within(rows[step], 3);
        REQUIRE(index.search_within(rows[step], 3) == expected);
    }
}

TEMPLATE_TEST_CASE("history: a stream gives each row once while others go and change places", "", flat, ivf,
                   ivf_of_two) {
    const dataset rows = gaussian(1500, 4);
    TestType index = made<TestType>(4);
    fill(index, rows, 0, 1500);
    std::map<std::uint64_t, int> times;
    std::uint64_t gone = 0;
    typename TestType::search_params one_list_ahead;
    if constexpr (requires { one_list_ahead.nprobe; }) one_list_ahead.nprobe = 1;
    for (const auto& hit : index.nearest(rows[700], one_list_ahead)) {
        ++times[hit.id];
        if (hit.id % 2 == 1 && times.size() < 300) index.update(hit.id, rows[(hit.id + 400) % 1500]);  // to other lists
        if (times.size() % 3 == 0) index.remove(gone += 2);  // even ones, some of them given already
    }
    std::size_t lost = 0;
    std::size_t repeated = 0;
    for (std::uint64_t id = 0; id < 1500; ++id) {
        repeated += times[id] > 1;
        lost += (id % 2 == 1 || id > gone) && times[id] == 0;
    }
    CHECK(gone > 800);
    CHECK(lost == 0);
    CHECK(repeated == 0);
}

TEST_CASE("history: a stream of a graph goes on when the memory of rows it came by was given back") {
    const dataset rows = gaussian(3000, 4);
    hnsw index = made<hnsw>(4);
    fill(index, rows, 0, 3000);
    auto some = index.nearest(rows[0], {.ef = 50});
    auto at = some.begin();
    for (int i = 0; i < 20; ++i) ++at;
    for (std::uint64_t id = 2999; id > 50; --id) index.remove(id);
    for (; at != some.end(); ++at) REQUIRE((*at).id <= 50);
    auto others = index.nearest(rows[0], {.ef = 50});
    auto next = others.begin();
    for (std::uint64_t id = 0; id <= 50; ++id) index.remove(id);
    ++next;
    CHECK(next == others.end());
    CHECK(index.size() == 0);
}

TEMPLATE_TEST_CASE("history: memory goes with the rows, and a batch that failed leaves none behind", "", flat,
                   flat_of_two, ivf, ivf_of_two, hnsw) {
    constexpr bool is_graph = std::is_same_v<TestType, hnsw>;
    constexpr std::size_t many = is_graph ? 6000 : 60000;
    const dataset rows = gaussian(many, 16);
    TestType fresh = made<TestType>(16);
    fill(fresh, rows, 0, 600);
    const auto small = fresh.memory();
    CHECK(small.total <= small.reserved);

    fail_to_fill(fresh, rows, 600, many - 600);
    INFO(small.reserved << " and " << fresh.memory().reserved << " bytes reserved");
    CHECK(fresh.memory().reserved - fresh.memory().scratch <= 2 * (small.reserved - small.scratch));

    vicinal::stop_source source;
    const auto stopper = [&](std::size_t done, std::size_t) {
        if (done >= 1000) source.request_stop();
    };
    const std::size_t added = fresh.add(numbered<std::uint64_t>(many - 600, 600), rows.view(600, many - 600),
                                        {.stop = source.get_token(), .progress = stopper});
    REQUIRE(added < (is_graph ? 2000 : 20000));
    TestType whole = made<TestType>(16);
    fill(whole, rows, 0, many);
    const auto large = whole.memory();
    CHECK(fresh.memory().reserved < large.reserved);
    CHECK(large.total - large.scratch > many / 600 / 3 * (small.total - small.scratch));

    if constexpr (is_graph) {
        for (std::uint64_t id = many; id-- > 600;) REQUIRE(whole.remove(id));  // those behind, which can be given back
        for (std::uint64_t id = 300; id < 600; ++id) REQUIRE(whole.remove(id));
        CHECK(whole.memory().vectors <= large.vectors / 4);
        for (std::uint64_t id = 0; id < 300; ++id) REQUIRE(whole.remove(id));
    } else {
        for (std::uint64_t i = 0; i < many; ++i)
            if (const std::uint64_t id = i * 7919 % many; id >= 600) REQUIRE(whole.remove(id));
    }
    const auto left = whole.memory();
    INFO(small.reserved << " bytes reserved by a fresh one, " << left.reserved << " by one that was " << large.reserved
                        << "; in use " << small.total << ", " << left.total << " and " << large.total);
    CHECK(left.reserved - left.scratch <= 4 * (small.reserved - small.scratch));
    CHECK(left.total - left.scratch <= 4 * (small.total - small.scratch));
    REQUIRE(whole.check().ok());
}

#if defined(__GLIBC__) && !defined(VICINAL_TEST_SANITIZED)
namespace {
std::size_t resident() {
    std::ifstream file("/proc/self/statm");
    std::size_t all = 0;
    std::size_t present = 0;
    file >> all >> present;
    return present * 4096;
}
}  // namespace

TEMPLATE_TEST_CASE("history: memory().total is by how much the process has grown", "", flat, ivf) {
    // Before rows become more than 131072, which is a segment more, and after.
    const std::size_t count = GENERATE(std::size_t{130000}, std::size_t{140000});
    const dataset rows = gaussian(count, 64);
    const auto ids = numbered<std::uint64_t>(rows.rows());
    ::malloc_trim(0);
    TestType index = made<TestType>(64);
    if constexpr (std::is_same_v<TestType, ivf>) index.train(rows.view(0, 1000));
    const std::size_t before = resident();
    REQUIRE(index.add(ids, rows.view()) == ids.size());
    ::malloc_trim(0);
    const double grown = static_cast<double>(resident() - before);
    const auto memory = index.memory();
    INFO("grown by " << grown << ", says " << memory.total << ", reserved " << memory.reserved);
    CHECK(static_cast<double>(memory.total) <= 1.1 * grown + 1e6);
    CHECK(static_cast<double>(memory.total) >=
          0.85 * grown - 6e6);  // huge pages, of which each array may have one more
    const double used = static_cast<double>(count * (64 * sizeof(float) + 9 + 12));  // ids, states and tables, too
    CHECK(static_cast<double>(memory.total) <= 1.15 * used);
    if (std::is_same_v<TestType, flat> && count > 131072) CHECK(memory.reserved >= memory.total + 10'000'000);
}
#endif

TEST_CASE("history: ids have no say in the levels of a graph") {
    const dataset rows = gaussian(2000, 4);
    const auto levels = [&](const auto& id_of) {
        std::vector<std::uint64_t> ids;
        for (std::uint64_t i = 0; i < 2000; ++i) ids.push_back(id_of(i));
        hnsw index(4, {.degree = 4, .ef_construction = 10, .seed = 3});
        REQUIRE(index.add(ids, rows.view()) == 2000);
        for (std::size_t i = 0; i < 500; ++i) index.remove(ids[i * 3]);
        for (std::size_t i = 0; i < 300; ++i) index.add(ids[i * 3], rows[i]);
        const auto bytes = saved(index);
        const vicinal::detail::file_image image(vicinal::detail::read_span(bytes));
        const auto stored = image.array<std::uint8_t>(vicinal::detail::section_type("LEVL"));
        return std::vector<std::uint8_t>(stored.begin(), stored.end());
    };
    const auto ordinary = levels([](std::uint64_t i) { return i; });
    CHECK(std::count_if(ordinary.begin(), ordinary.end(), [](std::uint8_t level) { return level > 0; }) > 300);
    CHECK(levels([](std::uint64_t i) { return i << 40; }) == ordinary);
    CHECK(levels([](std::uint64_t i) { return ~i * 0x9E3779B97F4A7C15ULL; }) == ordinary);
}

TEST_CASE("history: who keeps adding and removing gathers no high levels") {
    const dataset rows = gaussian(64, 2);
    hnsw index(2, {.degree = 2, .ef_construction = 4});
    const vicinal::detail::hnsw_graph graph(2);
    const auto level_of_last = [&](const std::vector<std::byte>& bytes, std::uint64_t id) {
        const vicinal::detail::file_image image(vicinal::detail::read_span(bytes));
        const auto ids = image.array<std::uint64_t>(vicinal::detail::section_type("IDS_"));
        const auto at = std::find(ids.begin(), ids.end(), id) - ids.begin();
        return image.array<std::uint8_t>(vicinal::detail::section_type("LEVL"))[static_cast<std::size_t>(at)];
    };
    std::size_t most = 0;
    std::size_t kept = 0;
    for (std::uint64_t id = 0; id < 1200; ++id) {
        index.add(id, rows[id % 64]);
        if (level_of_last(saved(index), id) < 2)
            index.remove(id);
        else
            ++kept;
        most = std::max(most, index.size() + index.check().retired);
    }
    std::size_t drawn = 0;
    for (vicinal::detail::slot_t slot = 0; slot < most + 32; ++slot) drawn += graph.draw_level(1, slot) >= 2;
    CHECK(kept <= drawn);
    CHECK(kept < 100);
}
