// SPDX-License-Identifier: MIT
// What core/executor.hpp promises.
#include "vicinal/core/executor.hpp"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/sanitized.hpp"

#if defined(__linux__)
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace {

using sizes = std::vector<std::size_t>;
using vicinal::executor_ref;
using vicinal::serial_executor;
using vicinal::thread_pool;
using vicinal::detail::parallel_for;

/// A user's executor: last task first, on the calling thread, and it says it has four.
struct backwards {
    std::size_t runs = 0;
    void run(std::size_t count, vicinal::task_ref task) {
        ++runs;
        for (std::size_t i = count; i-- > 0;) task(i);
    }
    std::size_t concurrency() const { return 4; }
};

/// A user's executor with a thread for each task.
struct thread_each {
    void run(std::size_t count, vicinal::task_ref task) {
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < count; ++i) threads.emplace_back([task, i] { task(i); });
        for (auto& thread : threads) thread.join();
    }
    int concurrency() const { return 3; }
};

bool each_once(executor_ref on, std::size_t count) {
    std::vector<int> calls(count, 0);  // plain ints: what tasks wrote must be visible here
    parallel_for(on, count, [&](std::size_t i) { ++calls[i]; });
    return std::all_of(calls.begin(), calls.end(), [](int n) { return n == 1; });
}

TEST_CASE("thread_pool: runs every task exactly once, at any number of threads and tasks") {
    for (const std::size_t threads : sizes{1, 2, 3, 8}) {
        thread_pool pool(threads);
        CHECK(pool.concurrency() == threads);
        for (const std::size_t count : sizes{0, 1, 2, 3, 7, 64, 1000}) {
            CAPTURE(threads, count);
            std::vector<int> calls(count, 0);
            auto task = [&](std::size_t i) { ++calls[i]; };
            pool.run(count, task);
            CHECK(std::count(calls.begin(), calls.end(), 1) == static_cast<std::ptrdiff_t>(count));
        }
    }
    CHECK(thread_pool(0).concurrency() >= 1);
}

TEST_CASE("thread_pool: a thousand runs in a row lose no task and mix up none") {
    thread_pool pool(4);
    for (std::size_t round = 0; round < 1000; ++round) {
        std::size_t seen[5] = {};
        auto task = [&](std::size_t i) { seen[i] = round + i; };
        pool.run(5, task);
        for (std::size_t i = 0; i < 5; ++i) REQUIRE(seen[i] == round + i);
    }
}

TEST_CASE("thread_pool: the workers do take part") {
    thread_pool pool(2);
    std::atomic<int> inside{0};
    auto meet = [&](std::size_t) {
        ++inside;
        while (inside.load() < 2) std::this_thread::yield();  // ends only if both tasks run at once
    };
    pool.run(2, meet);
    CHECK(inside == 2);
}

TEST_CASE("thread_pool: two callers at once each get all their tasks run") {
    thread_pool pool(3);
    std::atomic<int> wrong{0};
    const auto caller = [&] {
        for (int round = 0; round < 200; ++round) wrong += each_once(pool, 17) ? 0 : 1;
    };
    std::thread other(caller);
    caller();
    other.join();
    CHECK(wrong == 0);
}

TEST_CASE("parallel_for: inside a task another executor may be used") {
    thread_pool outer(2);
    thread_pool inner(2);
    std::atomic<int> total{0};
    parallel_for(outer, 4, [&](std::size_t) {
        parallel_for(inner, 5, [&](std::size_t) { ++total; });
        serial_executor serial;
        parallel_for(serial, 3, [&](std::size_t) { ++total; });
    });
    CHECK(total == 4 * (5 + 3));
}

TEST_CASE("thread_pool: a task may run others on the same pool, to any depth") {
    thread_pool pool(3);
    std::atomic<int> total{0};
    for (int round = 0; round < 50; ++round)
        parallel_for(pool, 4, [&](std::size_t) {
            parallel_for(pool, 3, [&](std::size_t) { parallel_for(pool, 2, [&](std::size_t) { ++total; }); });
        });
    CHECK(total == 50 * 4 * 3 * 2);
}

TEST_CASE("thread_pool: the tasks of two pools may run others on each other") {
    thread_pool one(2);
    thread_pool two(2);
    std::atomic<int> total{0};
    const auto there_and_back = [&](thread_pool& here, thread_pool& there) {
        for (int round = 0; round < 100; ++round)
            parallel_for(here, 3, [&](std::size_t) {
                parallel_for(there, 3, [&](std::size_t) { parallel_for(here, 3, [&](std::size_t) { ++total; }); });
            });
    };
    std::thread other([&] { there_and_back(two, one); });
    there_and_back(one, two);
    other.join();
    CHECK(total == 2 * 100 * 27);
}

TEST_CASE("thread_pool: a second run has the workers that the first leaves idle") {
    thread_pool pool(3);
    std::atomic<int> inside{0};
    const auto meet = [&](std::size_t) {
        ++inside;
        while (inside.load() < 2) std::this_thread::yield();  // ends only if a worker comes to the second run
    };
    std::atomic<bool> first_runs{false};
    std::thread other([&] {
        auto wait = [&](std::size_t i) {
            first_runs = true;
            if (i == 0)
                while (inside.load() < 2) std::this_thread::yield();
        };
        pool.run(2, wait);
    });
    while (!first_runs) std::this_thread::yield();
    parallel_for(pool, 2, meet);
    other.join();
    CHECK(inside == 2);
}

TEST_CASE("thread_pool: a task that throws on the caller's thread leaves the pool working") {
    thread_pool pool(2);
    const auto caller = std::this_thread::get_id();
    auto throws = [&](std::size_t) {
        if (std::this_thread::get_id() == caller) throw 7;
        std::this_thread::yield();
    };
    CHECK_THROWS_AS(pool.run(100, throws), int);
    CHECK(each_once(pool, 100));
}

TEST_CASE("thread_pool: however many threads are asked for, no more than the limit are started") {
    for (const std::size_t threads : sizes{thread_pool::max_threads + 1, ~std::size_t{0} / 2, ~std::size_t{0}}) {
        thread_pool pool(threads);
        CHECK(pool.concurrency() <= thread_pool::max_threads);
        CHECK(each_once(pool, 2000));
    }
}

// Sanitizers need more addresses than the limit leaves.
#if defined(__linux__) && !defined(VICINAL_TEST_SANITIZED)
TEST_CASE("thread_pool: where the system starts no more threads, those there are do all tasks") {
    const pid_t child = fork();
    if (child == 0) {
        alarm(60);
        const rlimit little{std::size_t{256} << 20, std::size_t{256} << 20};  // of addresses: a few stacks
        setrlimit(RLIMIT_AS, &little);
        int verdict = 1;
        try {
            thread_pool pool(500);
            verdict = pool.concurrency() < 500 && each_once(pool, 1000) ? 0 : 2;
        } catch (...) {
            verdict = 3;
        }
        _exit(verdict);
    }
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
}
#endif

TEST_CASE("parallel_for: every body is called once on any executor, also on none") {
    backwards reversed;
    thread_each threads;
    serial_executor serial;
    thread_pool pool(2);
    for (const std::size_t count : sizes{0, 1, 2, 9, 40}) {
        CAPTURE(count);
        CHECK(each_once(reversed, count));
        CHECK(each_once(threads, count));
        CHECK(each_once(serial, count));
        CHECK(each_once(pool, count));
        CHECK(each_once(executor_ref(), count));
    }
    CHECK(reversed.runs == 3);  // 2, 9 and 40; one body or none needs no executor
}

TEST_CASE("parallel_for: without threads, bodies run in order and stop at an exception") {
    std::vector<std::size_t> order;
    const auto third_throws = [&](std::size_t i) {
        order.push_back(i);
        if (i == 2) throw std::runtime_error("2");
    };
    serial_executor serial;
    CHECK_THROWS_WITH(parallel_for(serial, 5, third_throws), "2");
    CHECK(order == std::vector<std::size_t>{0, 1, 2});
}

TEST_CASE("parallel_for: of several exceptions the one of the lowest number is rethrown") {
    thread_pool pool(2);
    for (int round = 0; round < 50; ++round) {
        std::atomic<int> inside{0};
        const auto both_throw = [&](std::size_t i) {
            ++inside;
            while (inside.load() < 2) std::this_thread::yield();  // both have begun, so neither is skipped
            if (i == 0) std::this_thread::yield();
            throw std::runtime_error(std::to_string(i));
        };
        REQUIRE_THROWS_WITH(parallel_for(pool, 2, both_throw), "0");
    }
    thread_each all;
    std::atomic<int> begun{0};
    CHECK_THROWS_WITH(parallel_for(all, 6,
                                   [&](std::size_t i) {
                                       ++begun;
                                       while (begun.load() < 6) std::this_thread::yield();
                                       if (i >= 3) throw std::runtime_error(std::to_string(i));
                                   }),
                      "3");
}

TEST_CASE("parallel_for: after an exception no further body begins, and the executor goes on working") {
    backwards reversed;
    std::size_t begun = 0;
    CHECK_THROWS_WITH(parallel_for(reversed, 10,
                                   [&](std::size_t i) {
                                       ++begun;
                                       if (i == 7) throw std::runtime_error("7");
                                   }),
                      "7");
    CHECK(begun == 3);  // 9, 8 and 7
    thread_pool pool(3);
    CHECK_THROWS_AS(parallel_for(pool, 10, [](std::size_t) { throw 1; }), int);
    CHECK(each_once(pool, 100));
}

TEST_CASE("executor_ref: refers to the executor itself and says when it is empty") {
    CHECK_FALSE(executor_ref());
    backwards reversed;
    const executor_ref ref = reversed;
    CHECK(ref);
    CHECK(ref.concurrency() == 4);
    auto nothing = [](std::size_t) {};
    ref.run(3, nothing);
    CHECK(reversed.runs == 1);
    STATIC_REQUIRE_FALSE(vicinal::executor<int>);
}

}  // namespace
