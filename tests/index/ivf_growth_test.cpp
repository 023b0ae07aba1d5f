// SPDX-License-Identifier: MIT
// What index/ivf/lists/growth.hpp promises: lists are as good however rows came, beside searches, the same for the same
// calls, and as before when a call fails.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <set>
#include <span>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/outcomes.hpp"
#include "vicinal/ivf.hpp"

namespace {

using namespace vicinal_test;
using vicinal::l2, vicinal::f32, vicinal::sq8, vicinal::rabitq;

constexpr std::size_t dim = 16;
constexpr std::size_t count = 3000;
constexpr std::size_t clusters = 60;

template <class Codec>
using ivf = vicinal::ivf_index<l2, Codec>;

std::vector<std::uint64_t> ids(std::size_t n, std::size_t from = 0) {
    std::vector<std::uint64_t> made(n);
    for (std::size_t i = 0; i < n; ++i) made[i] = from + i;
    return made;
}
/// Rows [first, first + n) of `rows`, under their numbers.
template <class Index>
void add(Index& index, const dataset& rows, std::size_t first, std::size_t n, const vicinal::add_params& how = {}) {
    if (n == 1)
        index.add(first, rows[first]);
    else
        index.add(ids(n, first), rows.view(first, n), how);
}
template <class Index>
void fill(Index& index, const dataset& rows, std::size_t first, std::size_t step) {
    for (std::size_t at = 0; at < rows.rows();) {
        const std::size_t n = (std::min)(at == 0 ? first : step, rows.rows() - at);
        add(index, rows, at, n);
        at += n;
    }
}
/// Rows that come cluster by cluster.
dataset sorted_by_cluster(const dataset& rows) {
    dataset sorted{rows.dim, {}};
    for (std::size_t c = 0; c < clusters; ++c)
        for (std::size_t r = c; r < rows.rows(); r += clusters)
            sorted.values.insert(sorted.values.end(), rows[r].begin(), rows[r].end());
    return sorted;
}
/// Rows whose mean moves by as much as centres lie apart.
dataset moving(const dataset& rows) {
    dataset moved = rows;
    for (std::size_t r = 0; r < rows.rows(); ++r)
        for (float& x : moved[r]) x += 12 * static_cast<float>(r) / static_cast<float>(rows.rows());
    return moved;
}
/// The share of the ten closest rows that searches of as many lists as by default find, of rows near the indexed ones.
template <class Index>
double recall(const Index& index, const dataset& rows) {
    const Index* const of = &index;
    std::size_t hits = 0, all = 0;
    for (std::size_t q = 0; q < rows.rows(); q += 7) {
        const auto want = of->search(rows[q], 10, {.nprobe = 1U << 20});
        for (const auto& hit : of->search(rows[q], 10, {.nprobe = 8}))
            hits += static_cast<std::size_t>(
                std::count_if(want.begin(), want.end(), [&](const auto& w) { return w.id == hit.id; }));
        all += want.size();
    }
    return static_cast<double>(hits) / static_cast<double>(all);
}

struct arrival {
    std::size_t first;
    std::size_t step;
};

TEST_CASE("ivf growth: lists are as good however rows came") {
    const dataset even = clustered(count, dim, clusters);
    const dataset sorted = sorted_by_cluster(even);
    const dataset drifting = moving(even);
    for (const std::size_t lists : {0U, 40U})
        for (const dataset* rows : {&even, &sorted, &drifting}) {
            ivf<f32> whole(dim, {.lists = lists});
            whole.train(rows->view());
            fill(whole, *rows, count, 1);
            const double best = recall(whole, *rows);
            for (const arrival a : {arrival{1, 1}, arrival{16, 16}, arrival{256, 300}}) {
                ivf<f32> grown(dim, {.lists = lists});
                fill(grown, *rows, a.first, a.step);
                INFO(lists << " lists, " << a.first << " rows and then " << a.step << ", case "
                           << (rows == &even     ? "even"
                               : rows == &sorted ? "sorted"
                                                 : "moving"));
                CHECK(grown.lists() >= whole.lists() * 3 / 4);
                CHECK(grown.lists() <= whole.lists());
                CHECK(recall(grown, *rows) >= best - 0.005);
                CHECK(grown.check().ok());
                CHECK(grown.size() == count);
            }
        }
}

TEST_CASE("ivf growth: lists that were asked for are there as soon as there are as many rows") {
    const dataset rows = clustered(300, dim, 10);
    ivf<sq8> index(dim, {.lists = 100});
    std::set<std::size_t> seen;
    for (std::size_t r = 0; r < rows.rows(); ++r) {
        index.add(r, rows[r]);
        seen.insert(index.lists());
        CHECK(index.search(rows[r], 1, {.nprobe = 100}).size() == 1);
    }
    CHECK(seen == std::set<std::size_t>{1, 2, 100});
    CHECK(index.check().ok());
}

TEST_CASE("ivf growth: train decides, also for the index that is made of the file") {
    const dataset rows = clustered(count, dim, clusters);
    ivf<f32> index(dim);
    index.train(rows.view(0, 400));
    CHECK(index.lists() == 10);
    fill(index, rows, 1, 1000);
    CHECK(index.lists() == 10);
    ivf<f32> loaded = ivf<f32>::load(saved(index));
    loaded.add(ids(count, count), rows.view());
    CHECK(loaded.lists() == 10);
    CHECK(index.clone().lists() == 10);
}

TEST_CASE("ivf growth: an index that was saved goes on after a load") {
    const dataset rows = clustered(count, dim, clusters);
    for (const std::size_t lists : {0U, 30U}) {
        std::vector<std::byte> bytes;
        {
            ivf<f32> index(dim, {.lists = lists});
            add(index, rows, 0, 10);
            bytes = saved(index);
        }
        for (std::size_t at = 10; at < count; at += 10) {  // a program that saves after each ten rows
            ivf<f32> index = ivf<f32>::load(bytes);
            add(index, rows, at, 10);
            bytes = saved(index);
        }
        const ivf<f32> index = ivf<f32>::load(bytes);
        INFO(lists << " lists");
        CHECK(index.size() == count);
        CHECK(index.lists() >= (lists == 0 ? 50U : 30U));
        CHECK(index.check().ok());
        CHECK(saved(index) == bytes);
        CHECK(recall(index, rows) > 0.98);
        std::vector<std::byte> aligned(bytes.size() + 64);  // as a view wants them
        std::byte* at = aligned.data();
        while (reinterpret_cast<std::uintptr_t>(at) % 64 != 0) ++at;
        std::copy(bytes.begin(), bytes.end(), at);
        const auto view = ivf<f32>::view(std::span<const std::byte>(at, bytes.size()));
        CHECK(view.lists() == index.lists());
        CHECK(view.search(rows[5], 1).front().id == 5);
    }
}

TEST_CASE("ivf growth: a clone learns on as its model does") {
    const dataset rows = clustered(count, dim, clusters);
    ivf<rabitq<4>> index(dim);
    fill(index, dataset{dim, {rows.values.begin(), rows.values.begin() + 700 * dim}}, 16, 16);
    ivf<rabitq<4>> copy = index.clone();
    add(index, rows, 700, 1500);
    add(copy, rows, 700, 1500);
    CHECK(index.lists() > 40);
    CHECK(saved(index) == saved(copy));
}

template <class Codec>
void require_same_on_threads() {
    const dataset rows = sorted_by_cluster(clustered(count, dim, clusters));
    std::vector<std::byte> one;
    for (const std::size_t threads : {1U, 3U}) {
        ivf<Codec> index(dim);
        vicinal::add_params how;
        how.threads = threads;
        for (std::size_t at = 0; at < count; at += 250) add(index, rows, at, 250, how);
        if (threads == 1)
            one = saved(index);
        else
            CHECK(saved(index) == one);
    }
}
TEST_CASE("ivf growth: the number of threads changes no byte") {
    require_same_on_threads<f32>();
    require_same_on_threads<rabitq<4>>();
}

/// A batch that has lists learned anew and fails after that, and one that is stopped.
template <class Codec>
void require_taken_back() {
    const dataset rows = clustered(count, dim, clusters);
    ivf<Codec> index(dim);
    ivf<Codec> twin(dim);
    add(index, rows, 0, 300);
    add(twin, rows, 0, 300);
    const std::size_t lists = index.lists();
    const auto before = saved(index);
    const auto failing = [](std::size_t, std::size_t) { throw 42; };
    CHECK_THROWS_AS(add(index, rows, 300, 700, {.progress = failing}), int);
    CHECK(saved(index) == before);
    CHECK_THROWS_AS(index.upsert(ids(700, 300), rows.view(300, 700), {.progress = failing}), int);
    CHECK(saved(index) == before);
    vicinal::stop_source stop;
    stop.request_stop();
    CHECK(index.add(ids(700, 300), rows.view(300, 700), {.stop = stop.get_token()}) == 0);
    CHECK(saved(index) == before);
    CHECK(index.lists() == lists);
    CHECK(index.check().ok());
    CHECK(index.search(rows[7], 1).front().id == 7);
    add(index, rows, 300, 700);  // knows no more than an index for which nothing failed
    add(twin, rows, 300, 700);
    CHECK(index.lists() > lists);
    for (std::size_t r = 1000; r < 1600; ++r) add(index, rows, r, 1), add(twin, rows, r, 1);
    CHECK(saved(index) == saved(twin));
}
TEST_CASE("ivf growth: a call that fails, or is stopped, leaves the lists of before") {
    require_taken_back<f32>();
    require_taken_back<rabitq<4>>();
}

TEST_CASE("ivf growth: rows of calls that failed do not say how far off rows are") {
    const dataset rows = clustered(count, dim, clusters);
    dataset strange = clustered(count, dim, clusters, 3, 4);
    for (float& x : strange.values) x += 6;
    ivf<f32> index(dim, {.lists = 8});
    ivf<f32> twin(dim, {.lists = 8});
    for (ivf<f32>* const one : {&index, &twin}) one->add(ids(count), rows.view());
    const auto failing = [](std::size_t, std::size_t) { throw 42; };
    for (int i = 0; i < 3; ++i) CHECK_THROWS_AS(index.add(ids(count, count), rows.view(), {.progress = failing}), int);
    std::size_t unlike = 0;
    for (std::size_t at = 0; at < count; at += 50) {
        index.add(ids(50, count + at), strange.view(at, 50));
        twin.add(ids(50, count + at), strange.view(at, 50));
        unlike += saved(index) != saved(twin) ? 1 : 0;
    }
    CHECK(unlike == 0);
}

TEST_CASE("ivf growth: codes about centroids are made of exact vectors, which are given back") {
    const dataset rows = clustered(count, dim, clusters);
    ivf<rabitq<4>> grown(dim);
    fill(grown, rows, 1, 16);
    ivf<rabitq<4>> whole(dim);
    whole.train(rows.view());
    fill(whole, rows, count, 1);
    double lost = 0, least = 0;
    for (std::size_t r = 0; r < count; ++r)
        for (std::size_t i = 0; i < dim; ++i) {
            lost += std::pow(double{grown.get(r)[i]} - double{rows[r][i]}, 2);
            least += std::pow(double{whole.get(r)[i]} - double{rows[r][i]}, 2);
        }
    CHECK(lost <= 1.15 * least);
    CHECK(grown.memory().vectors >= count * dim * sizeof(float));
    CHECK(grown.memory().vectors <= whole.memory().vectors + 3 * count * (dim * sizeof(float) + 8));
    const std::size_t kept = grown.memory().vectors;
    for (std::size_t r = 0; r < count; ++r) grown.remove(r);
    grown.train(rows.view());
    fill(grown, rows, count, 1);
    CHECK(grown.memory().vectors < kept - count * dim * sizeof(float) / 2);
}

TEST_CASE("ivf growth: nearest hands out each row once while lists are learned anew") {
    const dataset rows = clustered(count, dim, clusters);
    ivf<f32> index(dim);
    add(index, rows, 0, 400);
    const std::size_t lists = index.lists();
    std::set<std::uint64_t> seen;
    std::size_t steps = 0;
    float last = 0;
    for (const auto& hit : index.nearest(rows[0], {.nprobe = 1000})) {
        CHECK(seen.insert(hit.id).second);
        if (++steps == 50) {
            add(index, rows, 400, 600);
            CHECK(index.lists() > lists);
        } else if (steps > 51) {
            CHECK(hit.distance >= last);  // all lists are looked into ahead, those learned anew as well
        }
        last = hit.distance;
    }
    for (std::size_t r = 0; r < 1000; ++r) CHECK(seen.count(r) == 1);
}

TEST_CASE("ivf growth: lists are learned anew beside searches") {
    const dataset rows = sorted_by_cluster(clustered(count, dim, clusters));
    ivf<f32> index(dim);
    std::atomic<std::size_t> there{0};
    std::atomic<bool> over{false};
    std::size_t wrong = 0, searches = 0;
    std::thread reader([&] {
        while (!over) {
            const std::size_t n = there;
            if (n == 0) continue;
            const std::size_t r = ++searches * 31 % n;
            const auto hits = index.search(rows[r], 1, {.nprobe = 1000});
            wrong += hits.empty() || hits[0].distance != 0 ? 1 : 0;
            wrong += index.contains(r) ? 0 : 1;
        }
    });
    for (std::size_t r = 0; r < 1200; ++r) {
        index.add(r, rows[r]);
        there = r + 1;
    }
    over = true;
    reader.join();
    CHECK(wrong == 0);
    CHECK(searches > 0);
    CHECK(index.lists() > 20);
}

TEST_CASE("ivf growth: rows that change are followed like rows that come") {
    const dataset near = clustered(count, dim, clusters);
    dataset far = near;
    for (float& x : far.values) x = 3 * x + 40;
    ivf<f32> index(dim);
    fill(index, near, count, 1);
    for (std::size_t r = 0; r < count; ++r) index.update(r, far[r]);
    ivf<f32> whole(dim);
    fill(whole, far, count, 1);
    CHECK(recall(index, far) >= recall(whole, far) - 0.005);
    CHECK(index.check().ok());
}

}  // namespace
