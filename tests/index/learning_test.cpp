// SPDX-License-Identifier: MIT
// What index/detail/learning.hpp promises: codecs of an index that grows are as good as if they had seen all of it,
// what they clip is counted, and a call that fails leaves nothing behind.
#include <algorithm>
#include <cmath>
#include <functional>
#include <stdexcept>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/outcomes.hpp"
#include "support/temporary.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/ivf.hpp"

namespace {

using namespace vicinal_test;
using vicinal::l2, vicinal::sq8, vicinal::sq4, vicinal::pq, vicinal::f32, vicinal::two_level, vicinal::rabitq;

constexpr std::size_t dim = 16;
constexpr std::size_t count = 1200;

template <class Codec>
using flat = vicinal::flat_index<l2, Codec>;
template <class Codec>
using hnsw = vicinal::hnsw_index<l2, Codec>;
template <class Codec>
using ivf = vicinal::ivf_index<l2, Codec>;

std::vector<std::uint64_t> ids(std::size_t n = count, std::size_t from = 0) {
    std::vector<std::uint64_t> made(n);
    for (std::size_t i = 0; i < n; ++i) made[i] = from + i;
    return made;
}
template <class Index>
Index make() {
    if constexpr (requires(typename Index::search_params how) { how.ef; })
        return Index(dim, {.degree = 8, .ef_construction = 40});
    else
        return Index(dim);
}

/// The ten closest rows of each query, by a reference in double precision.
using truth = std::vector<std::vector<std::uint64_t>>;
truth closest(const dataset& rows, const dataset& queries) {
    truth found(queries.rows());
    for (std::size_t q = 0; q < queries.rows(); ++q) {
        std::vector<std::pair<double, std::uint64_t>> all;
        for (std::size_t r = 0; r < rows.rows(); ++r) {
            double sum = 0;
            for (std::size_t i = 0; i < rows.dim; ++i) {
                const double d = double{rows[r][i]} - double{queries[q][i]};
                sum += d * d;
            }
            all.emplace_back(sum, r);
        }
        std::partial_sort(all.begin(), all.begin() + 10, all.end());
        for (std::size_t i = 0; i < 10; ++i) found[q].push_back(all[i].second);
    }
    return found;
}
template <class Index>
double recall(const Index& index, const dataset& queries, const truth& want) {
    typename Index::search_params how;
    if constexpr (requires { how.ef; }) how.ef = 100;
    if constexpr (requires { how.nprobe; }) how.nprobe = 1000;
    std::size_t hits = 0;
    for (std::size_t q = 0; q < queries.rows(); ++q)
        for (const auto& hit : index.search(queries[q], 10, how))
            hits += static_cast<std::size_t>(std::count(want[q].begin(), want[q].end(), hit.id));
    return static_cast<double>(hits) / static_cast<double>(10 * queries.rows());
}

/// Rows that arrive in an order which says little of them at first: the first batch's size, or 1 for single rows only.
struct arrival {
    std::string name;
    dataset rows;
    std::size_t first;
    bool single = false;
};
std::vector<arrival> arrivals() {
    const dataset rows = gaussian(count, dim);
    std::vector<arrival> all;
    for (const std::size_t first : {1U, 2U, 20U, 300U}) all.push_back({"first " + std::to_string(first), rows, first});
    all.push_back({"one by one", rows, 1, true});
    const auto changed = [&](const std::string& name, std::size_t first, bool single, auto change) {
        arrival made{name, rows, first, single};
        change(made.rows);
        all.push_back(made);
    };
    const auto fill = [](std::span<float> row, float x) { std::fill(row.begin(), row.end(), x); };
    changed("the first row zero", 1, false, [&](dataset& r) { fill(r[0], 0); });
    changed("the first row zero, then one by one", 1, true, [&](dataset& r) { fill(r[0], 0); });
    changed("the first row constant", 1, false, [&](dataset& r) { fill(r[0], 0.7F); });
    changed("the first row wild", 1, false, [&](dataset& r) { fill(r[0], 1e5F); });
    changed("the first row wild, then one by one", 1, true, [&](dataset& r) { fill(r[0], 1e5F); });
    changed("one wild component", count, false, [&](dataset& r) { r[10][3] = 1e4F; });
    changed("some wild rows", count, false, [&](dataset& r) {
        for (std::size_t i = 5; i < count; i += 120) fill(r[i], static_cast<float>(i) * 1e3F);
    });
    changed("the first 300 short", 300, false, [&](dataset& r) {
        for (std::size_t i = 0; i < 300 * dim; ++i) r.values[i] *= 0.1F;
    });
    return all;
}
template <class Index>
void fill(Index& index, const arrival& a) {
    const auto all = ids();
    if (a.single) {
        for (std::size_t r = 0; r < count; ++r) index.add(r, a.rows[r]);
        return;
    }
    index.add(std::span(all).first(a.first), a.rows.view(0, a.first));
    if (a.first < count) index.add(std::span(all).subspan(a.first), a.rows.view(a.first, count - a.first));
}

template <class Index>
void require_as_good(double allowed) {
    const dataset queries = gaussian(50, dim, 9);
    for (const arrival& a : arrivals()) {
        const truth want = closest(a.rows, queries);
        dataset ordinary = a.rows;  // without wild rows among them
        for (float& x : ordinary.values)
            if (std::abs(x) > 100) x = 0;
        Index whole = make<Index>();
        whole.train(ordinary.view());
        for (std::size_t r = 0; r < count; ++r) whole.add(r, a.rows[r]);
        Index grown = make<Index>();
        fill(grown, a);
        INFO(a.name);
        CHECK(recall(grown, queries, want) >= recall(whole, queries, want) - allowed);
        CHECK(grown.check().ok());
        CHECK(grown.codec_report().coarse.relearned <= 15);  // at each doubling, and seldom between
    }
}

TEST_CASE("learning: a flat index is as good however its rows came") {
    require_as_good<flat<sq8>>(0.02);
    require_as_good<flat<two_level<sq8, f32>>>(0.02);
    require_as_good<flat<sq4>>(0.05);
    require_as_good<flat<rabitq<4>>>(0.05);
}
TEST_CASE("learning: a flat index of pairs' codes is as good however its rows came") {
    require_as_good<flat<pq>>(0.05);
}
TEST_CASE("learning: a graph is as good however its rows came") {
    require_as_good<hnsw<sq8>>(0.03);
    require_as_good<hnsw<two_level<sq4, sq8>>>(0.05);
}
TEST_CASE("learning: an inverted file's codes are as good however its rows came") {
    require_as_good<ivf<sq8>>(0.02);
    require_as_good<ivf<rabitq<4>>>(0.06);
}

/// An index that has decided what its data is like, and data that leaves it.
template <class Index>
Index settled(const dataset& rows) {
    Index index = make<Index>();
    index.train(rows.view());
    index.add(ids(rows.rows()), rows.view());
    return index;
}
dataset drifted(double scale, double shift, std::size_t n = 600) {
    const dataset rows = gaussian(n, dim, 5);
    return make_rows(n, dim, [&](std::size_t r, std::size_t i) { return scale * double{rows[r][i]} + shift; });
}

template <class Index>
void require_follows(double scale, double shift, double allowed) {
    const dataset before = gaussian(600, dim);
    const dataset after = drifted(scale, shift);
    dataset all = before;
    all.values.insert(all.values.end(), after.values.begin(), after.values.end());
    dataset queries = gaussian(60, dim, 9);
    for (std::size_t i = 0; i < queries.values.size() / 2; ++i)
        queries.values[i] = static_cast<float>(scale * double{queries.values[i]} + shift);
    const truth want = closest(all, queries);
    Index whole = settled<Index>(all);
    const double best = recall(whole, queries, want);
    for (const bool single : {false, true}) {
        Index index = settled<Index>(before);
        if (single)
            for (std::size_t r = 0; r < after.rows(); ++r) index.add(600 + r, after[r]);
        else
            index.add(ids(600, 600), after.view());
        CAPTURE(scale, shift, single, best);
        CHECK(recall(index, queries, want) >= best - allowed);
        CHECK(index.check().ok());
        CHECK(index.codec_report().fine.relearned >= 1);
        CHECK(index.codec_report().fine.relearned <= 3);
    }
}
TEST_CASE("learning: ranges follow rows that leave them") {
    for (const double scale : {3.0, 10.0, 1000.0}) require_follows<flat<sq8>>(scale, 0, 0.03);
    require_follows<flat<sq8>>(1, 20, 0.03);
    require_follows<hnsw<sq8>>(10, 0, 0.05);
    require_follows<ivf<sq4>>(10, 0, 0.05);
}
TEST_CASE("learning: centroids and means follow rows that leave them") {
    require_follows<flat<pq>>(10, 0, 0.05);
    require_follows<ivf<rabitq<4>>>(1, 20, 0.08);
}

TEST_CASE("learning: ranges that grow with the rows grow a logarithmic number of times") {
    flat<sq8> index = settled<flat<sq8>>(gaussian(300, dim));
    const dataset rows = gaussian(20000, dim, 3);
    for (std::size_t r = 0; r < rows.rows(); ++r) {
        std::vector<float> row(rows[r].begin(), rows[r].end());
        row[3] += 0.05F * static_cast<float>(r);  // a mean that moves to 1000, a hundred ranges away
        index.add(1000 + r, row);
    }
    CHECK(index.codec_report().coarse.relearned >= 5);
    CHECK(index.codec_report().coarse.relearned <= 30);
    const auto late = index.get(1000 + 19999);
    CHECK(std::abs(late[3] - (rows[19999][3] + 0.05F * 19999)) < 20);
}

TEST_CASE("learning: single wild rows widen nothing, and are counted") {
    flat<two_level<sq4, sq8>> index(dim);
    const dataset rows = gaussian(5000, dim);
    index.add(ids(5000), rows.view());
    const auto before = index.codec_report();
    CHECK(before.fine.trained);
    CHECK(before.fine.learned_rows == 5000);
    CHECK(before.fine.clipped_rows == 0);
    CHECK(before.coarse.clipped_rows > 0);  // 16 steps cut off tails
    dataset more = gaussian(2000, dim, 8);
    for (std::size_t r = 0; r < 2000; ++r)
        for (std::size_t i = 0; i < dim; ++i) more[r][i] = std::clamp(more[r][i], -2.0F, 2.0F);
    for (std::size_t r = 50; r < 2000; r += 100) {
        more[r][1] = 1e6F;
        more[r][2] = -1e7F;
    }
    for (std::size_t r = 0; r < 2000; ++r) index.add(5000 + r, more[r]);
    index.update(17, more[50]);
    CHECK(index.codec_report().fine.clipped_rows == 21);
    CHECK(index.codec_report().fine.clipped_components == 42);
    CHECK(index.codec_report().coarse.clipped_rows == before.coarse.clipped_rows + 21);
    CHECK(index.codec_report().fine.relearned == 0);
}

TEST_CASE("learning: codecs that learn nothing count as trained and clip nothing") {
    const auto report = flat<two_level<sq8, f32>>(dim).codec_report();
    CHECK_FALSE(report.coarse.trained);
    CHECK(report.fine.trained);
    CHECK(flat<f32>(dim).codec_report().coarse.trained);
    CHECK(flat<f32>(dim).codec_report().fine.clipped_rows == 0);
}

TEST_CASE("learning: what was decided by train, or is from a file, is not learned anew by doubling") {
    const dataset rows = gaussian(400, dim);
    flat<sq8> index(dim);
    index.train(rows.view());
    CHECK(index.codec_report().coarse.learned_rows == 400);
    for (std::size_t r = 0; r < 100; ++r) index.add(r, rows[r]);
    CHECK(index.codec_report().coarse.relearned == 0);
    flat<sq8> loaded = flat<sq8>::load(saved(index));
    for (std::size_t r = 100; r < 400; ++r) loaded.add(r, rows[r]);
    CHECK(loaded.codec_report().coarse.relearned == 0);
    CHECK(loaded.codec_report().coarse.trained);
    CHECK(loaded.codec_report().coarse.learned_rows == 0);
    const dataset wide = drifted(100, 0);
    loaded.add(ids(600, 1000), wide.view());
    CHECK(loaded.codec_report().coarse.relearned == 1);
    CHECK(std::abs(loaded.get(1000)[0] - wide[0][0]) < 4);
}

TEST_CASE("learning: exact vectors are given back when enough has been learned, and do not pile up before") {
    flat<sq8> index(dim);
    const dataset rows = gaussian(8000, dim);
    for (std::size_t r = 0; r < 100; ++r) index.add(r, rows[r]);
    const std::size_t kept = index.memory().vectors;
    CHECK(kept >= 100 * dim * sizeof(float));
    for (std::size_t i = 0; i < 3000; ++i) index.update(i % 100, rows[i]);
    CHECK(index.memory().vectors <= 6 * kept);
    for (std::size_t r = 100; r < 8000; ++r) index.add(r, rows[r]);
    const std::size_t stored = (index.memory().vectors + 8191) / 8192;
    CHECK(stored <= 2 * dim + 8 + 256 * dim * sizeof(float) * 2 / 8192);
}

/// How far vectors are from what was given, squared and added up.
template <class Index>
double lost(const Index& index, const dataset& rows) {
    double sum = 0;
    for (std::size_t r = 0; r < rows.rows(); ++r) {
        const auto got = index.get(r);
        for (std::size_t i = 0; i < dim; ++i) sum += std::pow(double{got[i]} - double{rows[r][i]}, 2);
    }
    return sum;
}
template <class Codec>
void require_as_exact(const dataset& rows, double most) {
    flat<Codec> whole(dim);
    whole.train(rows.view());
    whole.add(ids(rows.rows()), rows.view());
    for (const std::size_t step : {1U, 700U}) {
        flat<Codec> grown(dim);
        for (std::size_t r = 0; r < rows.rows(); r += step) {
            const std::size_t n = (std::min)(step, rows.rows() - r);
            if (n == 1)
                grown.add(r, rows[r]);
            else
                grown.add(ids(n, r), rows.view(r, n));
        }
        INFO(Codec::name << ", " << step << " rows at a time");
        CHECK(lost(grown, rows) <= most * lost(whole, rows));
        CHECK(grown.codec_report().coarse.relearned <= 60);
    }
}
TEST_CASE("learning: codes of rows that keep changing are made of exact vectors") {
    dataset rows = gaussian(9500, dim);
    for (std::size_t r = 0; r < rows.rows(); ++r)
        for (float& x : rows[r]) x += static_cast<float>(r) / 500;
    require_as_exact<sq4>(rows, 1.15);
    require_as_exact<rabitq<4>>(rows, 1.15);
    require_as_exact<pq>(rows, 1.15);
}
TEST_CASE("learning: rows that come sorted do not pull codes to and fro") {
    const dataset centres = gaussian(40, dim, 5);
    dataset rows = gaussian(8000, dim);
    for (std::size_t r = 0; r < rows.rows(); ++r)
        for (std::size_t i = 0; i < dim; ++i) rows[r][i] = 6 * centres[r / 200][i] + rows[r][i] / 2;
    require_as_exact<rabitq<2>>(rows, 1.1);
    require_as_exact<sq8>(rows, 1.5);
}

template <class Index>
void require_same_on_threads() {
    const dataset rows = gaussian(700, dim);
    const dataset after = drifted(30, 0);
    std::vector<std::byte> one;
    for (const std::size_t threads : {1U, 3U}) {
        vicinal::add_params how;
        how.threads = threads;
        Index index = make<Index>();
        index.add(ids(300), rows.view(0, 300), how);
        index.add(ids(400, 300), rows.view(300, 400), how);
        CHECK(index.codec_report().coarse.relearned == 1);
        Index other = make<Index>();
        other.train(rows.view(), how);
        other.add(ids(300), rows.view(0, 300), how);
        other.add(ids(600, 300), after.view(), how);
        CHECK(other.codec_report().coarse.relearned == 1);
        auto both = saved(index);
        const auto more = saved(other);
        both.insert(both.end(), more.begin(), more.end());
        if (threads == 1)
            one = both;
        else
            CHECK(both == one);
    }
}
TEST_CASE("learning: the number of threads changes no byte") {
    require_same_on_threads<hnsw<sq8>>();
    require_same_on_threads<ivf<pq>>();
}

/// Rows one by one, of which many have equal codes until codecs learn from them: the first is zero, and its followers
/// are closer to it than the first step; later ones are far outside what was learned by then, where all are clipped.
dataset colliding() {
    dataset rows = gaussian(400, dim);
    for (std::size_t r = 0; r < 5; ++r)
        for (std::size_t i = 0; i < dim; ++i) rows[r][i] = static_cast<float>(r) * 1e-3F;
    for (std::size_t r = 70; r < 90; ++r)
        for (std::size_t i = 0; i < dim; ++i) rows[r][i] = 100 + static_cast<float>(r - 70) * 20;
    for (std::size_t r = 90; r < 95; ++r) std::copy_n(rows[r - 20].data(), dim, rows[r].data());  // these are copies
    return rows;
}
template <class Codec>
void require_apart() {
    const dataset rows = colliding();
    flat<Codec> all(dim);
    hnsw<Codec> graph = make<hnsw<Codec>>();
    for (std::size_t r = 0; r < rows.rows(); ++r) {
        all.add(r, rows[r]);
        graph.add(r, rows[r]);
        if (r == 91) {  // to another vector with the same codes, of a row that is a copy and of one that has copies
            for (const std::size_t id : {90U, 71U}) {
                all.update(id, rows[88]);
                graph.update(id, rows[88]);
            }
        }
    }
    CHECK(graph.check().ok());
    for (std::size_t r = 0; r < rows.rows(); ++r) {
        INFO(r);
        CHECK(graph.get(r) == all.get(r));
        const auto found = graph.search(rows[r], 1, {.ef = 400});
        REQUIRE(found.size() == 1);
        const std::vector<float> held = all.get(found[0].id);
        double distance = 0;
        for (std::size_t i = 0; i < dim; ++i) distance += std::pow(double{rows[r][i]} - double{held[i]}, 2);
        CHECK(std::abs(found[0].distance - distance) <= 1e-4 * distance + 1e-3);
        CHECK(found[0].distance <= all.search(rows[r], 1)[0].distance * 1.0001F);
    }
    CHECK(hnsw<Codec>::load(saved(graph)).check().ok());
}
TEST_CASE("learning: rows whose codes are equal only until codecs learn stay apart in a graph") {
    require_apart<sq8>();
    require_apart<two_level<sq4, sq8>>();
}

TEST_CASE("learning: rows waiting to be looked at that are clipped to equal codes stay apart in a graph") {
    const dataset rows = gaussian(600, dim);
    hnsw<sq8> graph = settled<hnsw<sq8>>(rows);
    flat<sq8> all = settled<flat<sq8>>(rows);
    for (std::size_t r = 0; r < 300; ++r) {
        const std::vector<float> row(dim, 100 + static_cast<float>(r % 50) * 20);
        graph.add(1000 + r, row);
        all.add(1000 + r, row);
    }
    CHECK(graph.codec_report().fine.relearned >= 1);
    CHECK(graph.check().ok());
    for (std::size_t r = 0; r < 300; ++r) CHECK(graph.get(1000 + r) == all.get(1000 + r));
}

TEST_CASE("learning: a graph knows rows by their codes of now, also when a call that learned has failed") {
    const dataset rows = gaussian(300, dim);
    hnsw<sq8> graph = make<hnsw<sq8>>();
    for (std::size_t r = 0; r < 300; ++r) graph.add(r, rows[r]);
    const auto links = graph.check().links;
    for (std::size_t r = 0; r < 50; ++r) graph.add(1000 + r, rows[r]);
    CHECK(graph.check().links == links);  // copies have none
    const dataset batch = drifted(3, 1, 400);
    vicinal::add_params how;
    how.progress = [](std::size_t, std::size_t) { throw std::runtime_error("listener"); };
    CHECK_THROWS_AS(graph.add(ids(400, 5000), batch.view(), how), std::runtime_error);
    for (std::size_t r = 50; r < 100; ++r) graph.add(1000 + r, rows[r]);
    CHECK(graph.check().links == links);
    const auto learned = graph.codec_report().fine.relearned;
    graph.add(ids(400, 5000), batch.view());
    CHECK(graph.codec_report().fine.relearned == learned + 1);
    const auto more = graph.check().links;
    for (std::size_t r = 100; r < 300; ++r) graph.add(1000 + r, rows[r]);
    for (std::size_t r = 0; r < 400; ++r) graph.add(6000 + r, batch[r]);
    CHECK(graph.check().links == more);
    CHECK(graph.check().ok());
}

/// A batch that learns and then fails, or is stopped before its first row.
template <class Index>
void require_undone(Index& index, Index& undisturbed, const dataset& batch) {
    const auto before = saved(index);
    const auto report = index.codec_report();
    const auto fails = [](std::size_t, std::size_t) { throw std::runtime_error("listener"); };
    vicinal::add_params how;
    how.progress = fails;
    CHECK_THROWS_AS(index.add(ids(batch.rows(), 5000), batch.view(), how), std::runtime_error);
    CHECK(saved(index) == before);
    vicinal::stop_source stop;
    stop.request_stop();
    CHECK(index.add(ids(batch.rows(), 5000), batch.view(), {.stop = stop.get_token()}) == 0);
    CHECK(saved(index) == before);
    CHECK(index.codec_report().coarse.relearned == report.coarse.relearned);
    CHECK(index.codec_report().coarse.clipped_rows == report.coarse.clipped_rows);
    CHECK(index.codec_report().coarse.learned_rows == report.coarse.learned_rows);
    CHECK(index.check().ok());
    for (Index* each : {&index, &undisturbed}) {
        each->remove(3);
        each->update(4, batch[0]);
        each->add(ids(batch.rows(), 5000), batch.view());
        each->add(9999, batch[1]);
    }
    CHECK(saved(index) == saved(undisturbed));
    CHECK(index.codec_report().coarse.relearned > report.coarse.relearned);
    CHECK(index.codec_report().coarse.clipped_rows == undisturbed.codec_report().coarse.clipped_rows);
}
template <class Index>
void require_undone() {
    const dataset rows = gaussian(300, dim);
    const auto growing = [&] {
        Index index = make<Index>();
        index.add(ids(300), rows.view());
        return index;
    };
    Index one = growing(), other = growing();
    require_undone(one, other, drifted(1, 0.1, 400));
    Index third = settled<Index>(rows), fourth = settled<Index>(rows);
    require_undone(third, fourth, drifted(50, 200));
}
TEST_CASE("learning: a batch that fails, or is stopped before it begins, teaches nothing") {
    require_undone<flat<two_level<sq8, f32>>>();
    require_undone<hnsw<sq8>>();
    require_undone<ivf<rabitq<4>>>();
    require_undone<ivf<two_level<sq4, sq8>>>();
}

TEST_CASE("learning: whole numbers stay exact while the index grows") {
    flat<sq8> index(dim);
    const dataset rows =
        make_rows(600, dim, [](std::size_t r, std::size_t i) { return (r * 37 + i * 11) % (r < 300 ? 50 : 256); });
    for (std::size_t r = 0; r < 600; ++r) index.add(r, rows[r]);
    for (std::size_t r = 0; r < 600; ++r) REQUIRE(index.get(r) == std::vector<float>(rows[r].begin(), rows[r].end()));
    flat<sq8> told(dim);
    told.train(rows.view(0, 300));
    told.add(ids(300), rows.view(0, 300));
    told.add(ids(300, 300), rows.view(300, 300));
    for (std::size_t r = 0; r < 600; ++r) REQUIRE(told.get(r) == std::vector<float>(rows[r].begin(), rows[r].end()));
}

TEST_CASE("learning: ranges near the limit of validation do not grow into what cannot be stored") {
    flat<sq8> index(dim);
    numbers random(3);
    const double most = std::sqrt(double{std::numeric_limits<float>::max()} / 8 / dim) * 0.99;
    const dataset rows = make_rows(600, dim, [&](std::size_t r, std::size_t) {
        return (r < 300 ? 0.9 : 1.0) * most * (random.uniform() < 0.5 ? -1 : 1);
    });
    std::size_t taken = 0;
    for (std::size_t r = 0; r < 600; ++r) {
        index.add(r, rows[r]);
        ++taken;
    }
    CHECK(index.size() == taken);
    CHECK(flat<sq8>::load(saved(index)).size() == taken);
}

}  // namespace
