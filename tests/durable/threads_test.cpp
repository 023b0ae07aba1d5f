// SPDX-License-Identifier: MIT
// Writers, checkpoints, searches and followers at once.
#include <atomic>
#include <chrono>
#include <thread>

#include "durable/support.hpp"

namespace {

using namespace vicinal_test;
using catalog = vicinal::durable<flat>;

void live(const std::filesystem::path& path, vicinal::sync_policy policy) {
    constexpr std::size_t writers = 4;
    const std::size_t changes = 150;
    std::vector<model> mine(writers);
    std::uint64_t made = 0;
    {
        auto d = catalog::open(path, empty_flat,
                               {.sync = policy,
                                .interval = std::chrono::milliseconds(1),
                                .checkpoint_ratio = 1,
                                .checkpoint_bytes = 8000});
        std::atomic<bool> over{false};
        std::atomic<std::size_t> acknowledged{0};
        std::vector<std::thread> threads;
        for (std::size_t w = 0; w < writers; ++w)
            threads.emplace_back([&, w] {
                numbers random(w);
                for (std::size_t i = 0; i < changes || d.stats().checkpoints < 3; ++i) {
                    const id key = random.below(40) * writers + w;  // keys of its own
                    if (random.below(4) == 0) {
                        if (d.remove(key) != (mine[w].erase(key) != 0)) std::abort();
                    } else {
                        d.upsert(key, vector_of(i));
                        mine[w][key] = vector_of(i);
                    }
                    ++acknowledged;
                }
            });
        std::thread checkpoints([&] {
            while (!over) d.checkpoint();
        });
        std::thread reader([&] {
            vicinal::durable_follower<flat> f(path);
            while (!over) {
                (void)d->search(vector_of(3), 3);
                (void)d.stats();
                f.refresh();
                (void)f.index()->search(vector_of(3), 3);
            }
            f.refresh();
            if (policy == vicinal::sync_policy::each_write && f.index()->ids() != d->ids()) std::abort();
        });
        for (std::thread& each : threads) each.join();
        over = true;
        checkpoints.join();
        reader.join();
        made = d.last_sequence();
        const auto stats = d.stats();
        CHECK(stats.failure.empty());
        CHECK(stats.checkpoint_failures == 0);
        CHECK(acknowledged >= writers * changes);
    }
    model all;
    for (model& each : mine) all.merge(each);
    auto d = catalog::open(path);
    CHECK(d.last_sequence() == made);
    CHECK(equals(d.index(), all));
}

}  // namespace

TEST_CASE("durable threads: writers, checkpoints, searches and a follower at once leave what each was told") {
    const quick_directory folder;
    live(folder / "each", vicinal::sync_policy::each_write);
    live(folder / "interval", vicinal::sync_policy::interval);
}

TEST_CASE("durable threads: those that wait at once share a sync") {
    struct slow : vicinal::detail::log_calls {
        static int sync_data(handle file) {
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
            return log_calls::sync_data(file);
        }
    };
    const quick_directory folder;
    auto d = vicinal::durable<flat, slow>::open(folder / "d", empty_flat);
    constexpr std::size_t writers = 8;
    constexpr std::size_t changes = 40;
    std::vector<std::thread> threads;
    for (std::size_t w = 0; w < writers; ++w)
        threads.emplace_back([&, w] {
            for (std::size_t i = 0; i < changes; ++i) d.add(i * writers + w, vector_of(i));
        });
    for (std::thread& each : threads) each.join();
    const auto stats = d.stats();
    CHECK(stats.synced_sequence == writers * changes);
    CAPTURE(stats.syncs);
    CHECK(stats.syncs >= changes);  // a thread goes on when its change is on the disk
    CHECK(stats.syncs < writers * changes / 3);
}

TEST_CASE("durable threads: one that waits for the disk holds up neither searches nor other changes") {
    struct waiting : vicinal::detail::log_calls {
        static std::atomic<bool>& held() {
            static std::atomic<bool> is{false};
            return is;
        }
        static int sync_data(handle file) {
            while (held()) std::this_thread::yield();
            return log_calls::sync_data(file);
        }
    };
    const quick_directory folder;
    auto d = vicinal::durable<flat, waiting>::open(folder / "d", empty_flat);
    waiting::held() = true;
    std::vector<std::thread> threads;
    std::atomic<int> acknowledged{0};
    for (id i = 1; i < 10; ++i)
        threads.emplace_back([&, i] {
            d.add(i, vector_of(i));
            ++acknowledged;
        });
    while (d.last_sequence() != 9) std::this_thread::yield();
    CHECK(d->search(vector_of(1), 9).size() == 9);
    CHECK(acknowledged == 0);
    CHECK(d.stats().synced_sequence == 0);
    waiting::held() = false;
    for (std::thread& each : threads) each.join();
    CHECK(acknowledged == 9);
    CHECK(d.stats().syncs <= 3);
}
