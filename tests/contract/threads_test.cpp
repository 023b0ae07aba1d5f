// SPDX-License-Identifier: MIT
// Threads that search, add, update and remove at once. Its verdict is ThreadSanitizer's as much as its own.
#include <atomic>
#include <thread>

#include "contract/index_contract.hpp"

namespace {
using namespace vicinal_test;
}

TEST_CASE("threads: searches and changes from many threads leave a sound index") {
    FOR_EVERY_INDEX(s);
    const dataset rows = clustered(300, 8, 6);
    const index_ptr index = s.make(8);
    index->train(rows.view());
    for (std::size_t i = 0; i < 50; ++i) index->add(i, rows[i]);  // stay throughout

    constexpr std::size_t writers = 3;
    constexpr std::size_t each = 60;
    std::atomic<std::size_t> working{writers};
    std::atomic<std::size_t> failures{0};
    std::vector<std::thread> threads;
    for (std::size_t w = 0; w < writers; ++w)
        threads.emplace_back([&, w] {
            const auto fail_unless = [&](bool good) { failures += good ? 0 : 1; };
            for (std::size_t i = 0; i < each; ++i) {
                const std::uint64_t id = 1000 * (w + 1) + i;
                index->add(id, rows[(w * each + i) % 300]);
                fail_unless(index->contains(id));
                if (i % 3 == 0) index->update(id, rows[i]);
                if (i % 4 == 0) fail_unless(index->remove(id) && !index->contains(id));
            }
            const auto ids = numbered<std::uint64_t>(40, 1000 * (w + 1) + 500);
            fail_unless(index->add(ids, rows.view(0, 40)) == 40);
            --working;
        });
    for (std::size_t r = 0; r < 2; ++r)
        threads.emplace_back([&, r] {
            const auto fail_unless = [&](bool good) { failures += good ? 0 : 1; };
            for (std::size_t i = 0; working > 0 || i < 20; ++i) {
                const auto query = rows[(7 * i + r) % 300];
                const hits_t hits = index->search(query, 10);
                fail_unless(hits.size() == 10);
                fail_unless(std::is_sorted(hits.begin(), hits.end(), vicinal::closer<std::uint64_t>));
                fail_unless(index->get(i % 50).size() == 8);
                fail_unless(index->size() >= 50);
                if (i % 16 == 0) {
                    std::size_t streamed = 0;
                    for (const auto& hit : index->nearest(query)) streamed += hit.id < 50 ? 1 : 0;
                    fail_unless(streamed == 50);
                    fail_unless(s.load(std::span<const std::byte>(index->save()))->check().ok());
                    fail_unless(index->check().ok());
                    fail_unless(index->memory().total > 0);
                }
            }
        });
    for (std::thread& thread : threads) thread.join();
    REQUIRE(failures == 0);
    REQUIRE(index->check().ok());
    REQUIRE(index->size() == 50 + writers * (each - each / 4 + 40));
    std::vector<std::uint64_t> ids;
    for (const auto& hit : index->search(rows[0], 10000, exhaustive())) ids.push_back(hit.id);
    REQUIRE(ids.size() == index->size());
    const vectors_t held = held_by(*index, ids);
    expect(s, held).require_closest(rows[9], 10, index->search(rows[9], 10, exhaustive()));
}

TEST_CASE("threads: rows are replaced and removed by the batch beside every question") {
    FOR_EVERY_INDEX(s);
    const dataset rows = clustered(400, 8, 6);
    const index_ptr index = s.make(8);
    index->train(rows.view());
    REQUIRE(index->add(numbered<std::uint64_t>(150), rows.view(0, 150)) == 150);

    std::atomic<std::size_t> working{2};
    std::atomic<std::size_t> failures{0};
    const auto fail_unless = [&](bool good) { failures += good ? 0 : 1; };
    std::vector<std::thread> threads;
    for (std::size_t w = 0; w < 2; ++w)
        threads.emplace_back([&, w] {
            for (std::size_t i = 0; i < 6; ++i) {  // each its own half of the first 100; the others stay
                const auto ids = numbered<std::uint64_t>(50, w * 50);
                fail_unless(index->upsert(ids, rows.view(30 * i + w, 50)) == 0);
                const auto more = numbered<std::uint64_t>(80, 1000 * (w + 1));
                fail_unless(index->upsert(more, rows.view(20 * i, 80)) == 80);
                fail_unless(!index->upsert(w * 50, rows[i]));
                fail_unless(index->remove(more) == 80);
            }
            --working;
        });
    for (std::size_t r = 0; r < 2; ++r)
        threads.emplace_back([&, r] {
            const auto all = numbered<std::uint64_t>(150);
            std::vector<float> distances(150), vectors(150 * 8);
            for (std::size_t i = 0; working > 0 || i < 20; ++i) {
                const auto query = rows[(7 * i + r) % 400];
                fail_unless(index->search(query, 10).size() == 10);
                fail_unless(index->distances(query, all, distances) == 150);
                index->get(all, vectors);
                fail_unless(index->search_id(i % 150, 5).size() == 5);
                const auto ids = index->ids();
                fail_unless(ids.size() >= 150 && std::is_sorted(ids.begin(), ids.end()) && ids[149] == 149);
                if (i % 8 != 0) continue;
                fail_unless(index->check().ok());
                fail_unless(index->clone()->check().ok());
            }
        });
    for (std::thread& thread : threads) thread.join();
    REQUIRE(failures == 0);
    REQUIRE(index->check().ok());
    REQUIRE(index->ids() == numbered<std::uint64_t>(150));
}
