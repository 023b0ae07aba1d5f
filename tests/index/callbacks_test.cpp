// SPDX-License-Identifier: MIT
// What callbacks of a call may do to its index: search it, but not change it; and nested calls on one thread pool.
#include <atomic>
#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/outcomes.hpp"
#include "support/temporary.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/ivf.hpp"

#if defined(__unix__)
#include <unistd.h>
#endif

namespace {

using namespace vicinal_test;
using vicinal::errc, vicinal::sq8, vicinal::l2;

using flat = vicinal::flat_index<l2, sq8>;
using ivf = vicinal::ivf_index<l2, sq8>;
using hnsw = vicinal::hnsw_index<l2, sq8>;

constexpr std::size_t dim = 3;
const dataset rows = gaussian(700, dim, 4);
const std::vector<std::uint64_t> ids = numbered<std::uint64_t>(700);

/// Ends the test if a call waits for itself.
struct watchdog {
#if defined(__unix__)
    watchdog() { alarm(120); }
    ~watchdog() { alarm(0); }
#endif
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
template <class Index>
Index filled() {
    Index index(dim);
    index.add(std::span(ids).first(300), rows.view(0, 300));
    return index;
}
/// Everything that changes an index.
template <class Index>
std::vector<std::function<void(Index&)>> changes() {
    return {[](Index& index) { index.add(5000, rows[0]); },
            [](Index& index) { index.add(std::span(ids).last(2), rows.view(698, 2)); },
            [](Index& index) { index.update(0, rows[1]); }, [](Index& index) { index.remove(0); },
            [](Index& index) { index.train(rows.view()); }};
}
template <class Index>
void look_around(const Index& index) {
    CHECK(index.search(rows[0], 3).size() == 3);
    CHECK(index.search(rows.view(0, 9), 3, {.threads = 2}).size() == 9);
    CHECK(index.contains(0));
    CHECK(index.get(0).size() == dim);
    CHECK(index.check().ok());
    CHECK(index.memory().total > 0);
    auto stream = index.nearest(rows[1]);
    CHECK(stream.begin() != stream.end());
    CHECK_FALSE(saved(index).empty());
}

TEMPLATE_TEST_CASE("callbacks: a progress listener of add may search the index and not change it", "", flat, ivf,
                   hnsw) {
    const watchdog dog;
    for (const auto& change : changes<TestType>()) {
        auto index = filled<TestType>();
        const auto before = saved(index);
        std::size_t told = 0;
        const auto listener = [&](std::size_t, std::size_t) {
            ++told;
            look_around(index);
            change(index);
        };
        CHECK(refused([&] { index.add(std::span(ids).subspan(300), rows.view(300, 400), {.progress = listener}); }) ==
              errc::reentrant_call);
        CHECK(told == 1);
        CHECK(saved(index) == before);
        index.add(5000, rows[0]);  // nothing is held any more
    }
}

TEMPLATE_TEST_CASE("callbacks: a progress listener of train or of save may search the index and not change it", "",
                   flat, ivf, hnsw) {
    const watchdog dog;
    const temporary_directory folder;
    for (const auto& change : changes<TestType>()) {
        TestType empty(dim);
        const auto while_training = [&](std::size_t, std::size_t) {
            CHECK(empty.search(rows[0], 3).empty());
            change(empty);
        };
        CHECK(refused([&] { empty.train(rows.view(), {.progress = while_training}); }) == errc::reentrant_call);
        CHECK_FALSE(empty.codec_report().coarse.trained);
        auto index = filled<TestType>();
        const auto before = saved(index);
        const auto while_saving = [&](std::size_t, std::size_t) {
            look_around(index);
            change(index);
        };
        CHECK(refused([&] { index.save(folder / "index.vic", {.sync = false, .progress = while_saving}); }) ==
              errc::reentrant_call);
        CHECK(saved(index) == before);
    }
}

TEMPLATE_TEST_CASE("callbacks: a filter may search the index and not change it", "", flat, ivf, hnsw) {
    const watchdog dog;
    auto index = filled<TestType>();
    const auto before = saved(index);
    for (const auto& change : changes<TestType>()) {
        bool looked = false;
        const auto filter = [&](std::uint64_t) {
            if (!looked) look_around(index);
            looked = true;
            change(index);
            return true;
        };
        const auto same = [&](auto&& call) {
            looked = false;
            CHECK(refused(call) == errc::reentrant_call);
        };
        same([&] { (void)index.search(rows[0], 3, {.filter = filter}); });
        same([&] { (void)index.search(rows.view(0, 5), 3, {.filter = filter}); });
        same([&] { (void)index.search(rows.view(0, 5), 3, {.filter = filter, .threads = 3}); });
        same([&] { (void)index.search_within(rows[0], 10, {.filter = filter}); });
        same([&] { (void)index.nearest(rows[0], {.filter = filter}); });
    }
    CHECK(saved(index) == before);
}

TEST_CASE("callbacks: a filter's search of its own index does not wait behind a writer that waits for it") {
    const watchdog dog;
    auto index = filled<flat>();
    std::atomic<bool> writes{false};
    std::thread writer;
    const auto filter = [&](std::uint64_t) {
        if (!writer.joinable()) {
            writer = std::thread([&] {
                writes = true;
                index.add(5000, rows[0]);
            });
            while (!writes) std::this_thread::yield();
            std::this_thread::sleep_for(std::chrono::milliseconds(50));  // until it waits for this search
        }
        return !index.search(rows[0], 1).empty();
    };
    CHECK(index.search(rows[0], 3, {.filter = filter}).size() == 3);
    writer.join();
    CHECK(index.size() == 301);
}

TEST_CASE("callbacks: an index may be changed from callbacks of others") {
    const watchdog dog;
    auto one = filled<flat>();
    auto two = filled<hnsw>();
    const auto change_other = [&](std::size_t, std::size_t) { two.remove(1); };
    CHECK(one.add(std::span(ids).subspan(300), rows.view(300, 400), {.progress = change_other}) == 400);
    CHECK(two.size() == 299);
    const auto filter = [&](std::uint64_t) {
        one.remove(2);
        return true;
    };
    CHECK(two.search(rows[0], 3, {.filter = filter}).size() == 3);
    CHECK(one.size() == 699);
}

TEST_CASE("callbacks: a filter searches another index on the thread pool of its own search") {
    const watchdog dog;
    vicinal::thread_pool pool(3);
    const auto outer = filled<flat>();
    const auto inner = filled<hnsw>();
    const auto filter = [&](std::uint64_t id) {
        return id > 250 && inner.search(rows.view(0, 20), 2, {.executor = pool})[id % 20].size() == 2;
    };
    const auto found = outer.search(rows.view(0, 40), 5, {.filter = filter, .executor = pool});
    for (std::size_t q = 0; q < found.size(); ++q) CHECK(found[q].size() == 5);
}

TEMPLATE_TEST_CASE("threads: a call that asks for more threads than rows, or than there can be, gives the same results",
                   "", flat, ivf, hnsw) {
    const watchdog dog;
    const auto index = filled<TestType>();
    const auto expected = index.search(rows.view(0, 10), 4);
    constexpr std::size_t most = ~std::size_t{0};
    for (const std::size_t threads : {std::size_t{20'000}, most / 2, most}) {
        CAPTURE(threads);
        const auto found = index.search(rows.view(0, 10), most, {.threads = threads});
        for (std::size_t q = 0; q < 10; ++q) {
            REQUIRE(found[q].size() >= 4);
            CHECK(std::equal(expected[q].begin(), expected[q].end(), found[q].begin()));
        }
        TestType other(dim);
        other.add(std::span(ids).first(300), rows.view(0, 300), {.threads = threads});
        CHECK(saved(other) == saved(index));
    }
}

TEST_CASE("batch search: more results than memory can hold are refused, not wrapped around") {
    using table = vicinal::search_table<std::uint64_t>;
    constexpr std::size_t most = ~std::size_t{0};
    CHECK(refused([] { (void)table(most, 1); }) == errc::capacity);
    CHECK(refused([] { (void)table(2, most / 2 + 1); }) == errc::capacity);
    CHECK(refused([] { (void)table(most / 8, 0); }) == errc::capacity);
    CHECK(table(3, 0).size() == 3);
    CHECK(table(0, most).empty());
}

}  // namespace
