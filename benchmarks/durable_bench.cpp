// SPDX-License-Identifier: MIT
// What durability costs: changes a second with a log beside those of the index alone, and how fast a log is replayed.
//
//     durable_bench DIRECTORY [SECONDS [adds|replay|checkpoint]]
//
// Rows of 128 components that are made up. Everything is written to DIRECTORY/durable_bench, which is removed in the
// end: name one on the disk that matters, and one in memory (/dev/shm) for what is left when syncs cost nothing. Each
// figure takes SECONDS (1).
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "stopwatch.hpp"
#include "vicinal/durable.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"

namespace {

constexpr std::size_t dim = 128;
constexpr std::size_t rows_made = 20000;
using flat = vicinal::flat_index<vicinal::l2, vicinal::f32>;
using hnsw = vicinal::hnsw_index<vicinal::l2, vicinal::f32>;
using bench::stopwatch;
using vicinal::sync_policy;
using path = std::filesystem::path;
using id = std::uint64_t;

double seconds_each = 1;

/// Rows in clusters, the same in every run.
const std::vector<float>& rows() {
    static const std::vector<float> made = [] {
        std::mt19937 random(5);
        std::normal_distribution<float> normal;
        std::vector<float> centres(200 * dim);
        for (float& x : centres) x = 2 * normal(random);
        std::vector<float> values(rows_made * dim);
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = centres[i / dim % 200 * dim + i % dim] + normal(random);
        return values;
    }();
    return made;
}
vicinal::vector_view row(id number) { return {rows().data() + number % rows_made * dim, dim}; }

/// Calls add(id) from so many threads for the time there is. Returns calls a second.
template <class Add>
double adds_a_second(std::size_t threads, const Add& add) {
    std::atomic<id> next{0};
    std::atomic<bool> over{false};
    std::vector<std::thread> pool;
    const stopwatch clock;
    for (std::size_t t = 0; t < threads; ++t)
        pool.emplace_back([&] {
            while (!over) add(next++);
        });
    while (clock.seconds() < seconds_each) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    over = true;
    for (std::thread& each : pool) each.join();
    return static_cast<double>(next) / clock.seconds();
}

template <class Index>
void measure_adds(const char* name, const path& directory) {
    for (const std::size_t threads : {1, 4, 16}) {
        auto alone = std::make_unique<Index>(dim);
        const double plain = adds_a_second(threads, [&](id i) { alone->add(i, row(i)); });
        std::printf("%s, %2zu threads: index alone %8.0f adds/s", name, threads, plain);
        for (const sync_policy policy : {sync_policy::each_write, sync_policy::interval}) {
            std::filesystem::remove_all(directory);
            auto kept = vicinal::durable<Index>::open(directory, [] { return Index(dim); },
                                                      {.sync = policy, .checkpoint_ratio = 0});
            const double logged = adds_a_second(threads, [&](id i) { kept.add(i, row(i)); });
            const auto stats = kept.stats();
            std::printf("; %s %8.0f (%.2f), %.0f syncs/s, %.1f a sync",
                        policy == sync_policy::each_write ? "each write" : "interval", logged, logged / plain,
                        static_cast<double>(stats.syncs) / seconds_each,
                        static_cast<double>(stats.last_sequence) /
                            static_cast<double>(std::max<std::uint64_t>(1, stats.syncs)));
        }
        std::printf("\n");
        std::fflush(stdout);
    }
}

/// Appends the bytes of so many adds and syncs, over and over. Returns how often a second.
double syncs_a_second(const path& directory, std::size_t group) {
    std::filesystem::create_directories(directory);
    const path file = directory / "plain";
    const int handle = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
    if (handle < 0) std::abort();
    const std::vector<char> bytes(group * (40 + 8 + dim * sizeof(float)), 'x');
    std::size_t done = 0;
    const stopwatch clock;
    for (; clock.seconds() < seconds_each; ++done)
        if (::write(handle, bytes.data(), bytes.size()) < 0 || ::fdatasync(handle) != 0) std::abort();
    const double rate = static_cast<double>(done) / clock.seconds();
    ::close(handle);
    std::filesystem::remove(file);
    return rate;
}

template <class Index>
void measure_replay(const char* name, const path& directory, std::size_t count, std::size_t batch) {
    std::filesystem::remove_all(directory);
    std::vector<id> ids(batch);
    double made = 0;
    {
        auto kept = vicinal::durable<Index>::open(directory, [] { return Index(dim); },
                                                  {.sync = sync_policy::interval, .checkpoint_ratio = 0});
        Index alone(dim);
        const stopwatch clock;
        for (std::size_t first = 0; first < count; first += batch) {
            std::iota(ids.begin(), ids.end(), first);
            const vicinal::rows_view some(rows().data() + first * dim, batch, dim);
            if (batch == 1)
                alone.add(ids[0], some[0]);
            else
                alone.add(ids, some, {.threads = 0});
        }
        made = clock.seconds();
        for (std::size_t first = 0; first < count; first += batch) {
            std::iota(ids.begin(), ids.end(), first);
            const vicinal::rows_view some(rows().data() + first * dim, batch, dim);
            if (batch == 1)
                kept.add(ids[0], some[0]);
            else
                kept.add(ids, some, {.threads = 0});
        }
    }
    const stopwatch clock;
    const auto again = vicinal::durable<Index>::open(directory, {.checkpoint_ratio = 0, .threads = 0});
    const double replayed = clock.seconds();
    if (again->size() != count) std::abort();
    std::printf("%s, %zu rows in calls of %zu: made in %.3f s, replayed in %.3f s, %.2f times as fast\n", name, count,
                batch, made, replayed, made / replayed);
    std::fflush(stdout);
}

/// How long an add waits beside a checkpoint.
void measure_checkpoint(const path& directory, bool in_memory) {
    std::filesystem::remove_all(directory);
    auto kept = vicinal::durable<flat>::open(
        directory,
        [] {
            flat made(dim);
            std::vector<id> ids(rows_made);
            for (std::size_t times = 0; times < 10; ++times) {
                std::iota(ids.begin(), ids.end(), times * rows_made);
                made.add(ids, vicinal::rows_view(rows(), dim));
            }
            return made;
        },
        {.sync = sync_policy::interval, .checkpoint_ratio = 0, .checkpoint_in_memory = in_memory});
    std::atomic<bool> over{false};
    double longest = 0;
    kept.upsert(0, row(1));
    std::thread writer([&] {
        for (id i = 0; !over; ++i) {
            const stopwatch clock;
            kept.upsert(i % 1000, row(i));
            longest = std::max(longest, clock.seconds());
            std::this_thread::sleep_for(std::chrono::microseconds(200));  // not as fast as the disk can take it
        }
    });
    const stopwatch clock;
    kept.checkpoint();
    const double whole = clock.seconds();
    over = true;
    writer.join();
    std::printf("checkpoint of %.0f MB %s: %.3f s, longest change beside it %.3f s\n",
                static_cast<double>(kept.stats().snapshot_bytes) / 1e6, in_memory ? "through memory" : "to the disk",
                whole, longest);
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "durable_bench DIRECTORY [SECONDS [adds|replay|checkpoint]]\n");
        return 2;
    }
    if (argc > 2) seconds_each = std::strtod(argv[2], nullptr);
    const path directory = path(argv[1]) / "durable_bench";
    const std::string only = argc > 3 ? argv[3] : "";
    const auto wanted = [&](const char* what) { return only.empty() || only == what; };
    if (wanted("adds")) {
        for (const std::size_t group : {1, 4, 16})
            std::printf("plain: %zu records and a sync %8.0f times a second\n", group,
                        syncs_a_second(directory, group));
        measure_adds<flat>("flat", directory);
        measure_adds<hnsw>("hnsw", directory);
    }
    if (wanted("replay")) {
        for (const std::size_t batch : {1, 500}) measure_replay<flat>("flat", directory, rows_made, batch);
        for (const std::size_t batch : {1, 500}) measure_replay<hnsw>("hnsw", directory, rows_made / 4, batch);
    }
    if (wanted("checkpoint"))
        for (const bool in_memory : {true, false}) measure_checkpoint(directory, in_memory);
    std::filesystem::remove_all(directory);
    return 0;
}
