// SPDX-License-Identifier: MIT
// What is made when it is first needed, by calls that may run at once: memory() looks on. Under TSan a race is
// reported.
#include <atomic>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/temporary.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/ivf.hpp"

namespace {

using namespace vicinal_test;

using flat = vicinal::flat_index<>;
using ivf = vicinal::ivf_index<>;
using hnsw = vicinal::hnsw_index<vicinal::l2, vicinal::f32>;

constexpr std::size_t dim = 3;
const dataset rows = gaussian(500, dim, 5);

template <class Index>
Index filled() {
    Index index(dim);
    index.add(numbered<std::uint64_t>(500), rows.view());
    return index;
}
template <class Index>
Index loaded() {
    std::vector<std::byte> bytes;
    filled<Index>().save(bytes);
    return Index::load(std::span<const std::byte>(bytes));
}
/// Does each at once, on a thread of its own.
template <class... F>
void together(const F&... each) {
    std::atomic<std::size_t> waiting{sizeof...(F)};
    const auto start = [&](const auto& f) {
        return std::thread([&waiting, &f] {
            --waiting;
            while (waiting != 0) std::this_thread::yield();
            f();
        });
    };
    std::thread threads[] = {start(each)...};
    for (auto& thread : threads) thread.join();
}
template <class Index>
void watch(const Index& index) {
    for (int i = 0; i < 100; ++i) (void)index.memory();
}

TEMPLATE_TEST_CASE("lazy parts: the first look-ups in a view run beside memory()", "", flat, ivf, hnsw) {
    const temporary_directory folder;
    filled<TestType>().save(folder / "index.vic", {.sync = false});
    for (int round = 0; round < 5; ++round) {
        const auto view = TestType::view(folder / "index.vic");
        const std::size_t before = view.memory().ids;
        std::size_t size = 0, found = 0, streamed = 0;
        together([&] { size = view.get(7).size(); }, [&] { found = view.contains(8) ? 1 : 0; },
                 [&] {
                     for (const auto& hit : view.nearest(rows[0])) streamed += hit.id < 500 ? 1 : 0;
                 },
                 [&] {
                     for (int i = 0; i < 100; ++i) (void)view.memory();
                 });
        CHECK(size == dim);
        CHECK(found == 1);
        CHECK(streamed == 500);
        CHECK(before == 0);
        CHECK(view.memory().ids > 500 * sizeof(std::uint32_t));  // the table is counted once it is there
    }
}

TEMPLATE_TEST_CASE("lazy parts: the first calls after a load run beside memory()", "", flat, ivf, hnsw) {
    for (int round = 0; round < 5; ++round) {
        const auto index = loaded<TestType>();
        const std::size_t before = index.memory().links;
        std::size_t size = 0;
        together([&] { size = index.get(7).size(); }, [&] { (void)index.check(); }, [&] { watch(index); },
                 [&] { (void)index.search(rows.view(0, 20), 3, {.threads = 2}); });
        CHECK(size == dim);
        if (std::is_same_v<TestType, ivf>) CHECK(index.memory().links > before);
    }
}

TEMPLATE_TEST_CASE("lazy parts: the first change after a load runs beside memory() and all that reads", "", flat, ivf,
                   hnsw) {
    for (int round = 0; round < 6; ++round) {
        auto index = loaded<TestType>();
        const auto change = [&] {
            if (round % 3 == 0) index.remove(7);
            if (round % 3 == 1) index.update(7, rows[9]);
            index.add(1000, rows[0]);
            index.add(std::vector<std::uint64_t>{2000, 2001, 2002}, rows.view(0, 3));
            for (std::uint64_t id = 100; id < 130; ++id) index.remove(id);
        };
        together(
            change, [&] { watch(index); }, [&] { (void)index.get(8); }, [&] { (void)index.check(); },
            [&] { (void)index.counters(); },
            [&] {
                for (const auto& hit : index.nearest(rows[0])) (void)hit;
            });
        CHECK(index.check().ok());
    }
}

}  // namespace
