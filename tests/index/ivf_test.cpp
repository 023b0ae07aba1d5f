// SPDX-License-Identifier: MIT
// What ivf_index promises beyond what every index does (tests/contract).
#include "vicinal/ivf.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <set>
#include <thread>
#include <unordered_map>
#include <vector>

#include "support/catch.hpp"
#include "support/outcomes.hpp"
#include "vicinal/flat.hpp"

namespace {

using vicinal::cosine;
using vicinal::errc;
using vicinal::f16;
using vicinal::f32;
using vicinal::inner_product;
using vicinal::l2;
using vicinal::sq8;
using vicinal::two_level;
using vicinal_test::contains;
using vicinal_test::saved;
using hits = std::vector<vicinal::neighbor<>>;
using view = vicinal::matrix_view<const float>;
using bytes = std::vector<std::byte>;

/// A metric of the user's without `clustering`: rows go to the centroid that it finds closest.
struct manhattan {
    static constexpr std::string_view name = "manhattan";
    float operator()(std::span<const float> q, std::span<const float> x) const {
        float sum = 0;
        for (std::size_t i = 0; i < q.size(); ++i) sum += q[i] > x[i] ? q[i] - x[i] : x[i] - q[i];
        return sum;
    }
};

/// `rows` rows in clusters, the same on every platform, none of them zero.
std::vector<float> clustered(std::size_t rows, std::size_t dim, std::uint64_t seed) {
    const vicinal::detail::kmeans_random random(seed, vicinal::detail::kmeans_random::purpose::filling);
    const vicinal::detail::kmeans_random centres(7, vicinal::detail::kmeans_random::purpose::filling);
    std::vector<float> values(rows * dim);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::size_t centre = (i / dim * 31 + i / dim / 17) % 20;
        values[i] = static_cast<float>(4 * centres.uniform(centre * dim + i % dim) + random.uniform(i) - 2.2);
    }
    return values;
}

std::vector<std::uint64_t> count_from(std::uint64_t first, std::size_t n) {
    std::vector<std::uint64_t> ids(n);
    std::iota(ids.begin(), ids.end(), first);
    return ids;
}

constexpr std::size_t dim = 19;
constexpr std::size_t rows = 900;
const std::vector<float> data = clustered(rows, dim, 1);
const view all(std::span<const float>(data), dim);
const std::vector<float> query_data = clustered(12, dim, 2);
const view queries(std::span<const float>(query_data), dim);
const std::vector<std::uint64_t> ids = count_from(100, rows);

/// The file with element `at` of a section replaced, its checksums right.
template <class T>
bytes forged(const bytes& file, std::string_view part, std::size_t at, T value) {
    using namespace vicinal::detail;
    const file_image image(read_span(file));
    section_writer out(image.header());
    for (const section_entry& entry : image.sections()) {
        const auto begin = file.begin() + static_cast<std::ptrdiff_t>(entry.offset);
        bytes payload(begin, begin + static_cast<std::ptrdiff_t>(entry.length));
        if (section_name(entry.type) == part) std::memcpy(payload.data() + at * sizeof(T), &value, sizeof(T));
        const auto add = [&]<class Element>(Element) {
            const std::size_t count = payload.size() / sizeof(Element);
            out.template add_streamed<Element>(entry.type, count, [payload, count](const auto& collector) {
                collector(std::span<const Element>(reinterpret_cast<const Element*>(payload.data()), count));
            });
        };
        if (entry.width == 1) add(std::uint8_t{});
        if (entry.width == 2) add(std::uint16_t{});
        if (entry.width == 4) add(std::uint32_t{});
        if (entry.width == 8) add(std::uint64_t{});
    }
    return out.to_bytes();
}

std::vector<float> centroids_of(const bytes& file) {
    using namespace vicinal::detail;
    const file_image image(read_span(file));
    const auto values = image.array<float>(section_type("CENT"));
    return {values.begin(), values.end()};
}

/// Writes `file` to a path of its own, opens it in place, and looks everywhere. Throws as view does.
void search_in_place(const bytes& file) {
    const auto path = std::filesystem::temp_directory_path() / ("vicinal_ivf_in_place_" + std::to_string(::getpid()));
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(file.data()), static_cast<std::streamsize>(file.size()));
    const auto mapped = vicinal::ivf_index<>::view(path);
    const vicinal::id_set<std::uint64_t> few{101, 102};
    static_cast<void>(mapped.search(queries[0], 10));
    static_cast<void>(mapped.search(queries[0], 10, {.filter = few}));
    static_cast<void>(mapped.search_within(queries[0], 10));
    static_cast<void>(mapped.check());
    try {
        static_cast<void>(saved(mapped));
    } catch (const vicinal::error& e) {  // damage is not given good checksums
        CHECK(e.code() == vicinal::errc::corrupt_file);
    }
    for (const auto& hit : mapped.nearest(queries[0])) static_cast<void>(hit);
}

template <class F>
errc refusal(F&& f) {
    try {
        f();
    } catch (const vicinal::error& e) {
        return e.code();
    }
    FAIL("nothing was refused");
    return errc::io;
}

template <class Metric, class Codec>
vicinal::ivf_index<Metric, Codec> filled(vicinal::ivf_params how = {}, std::size_t threads = 1) {
    vicinal::ivf_index<Metric, Codec> index(dim, how);
    REQUIRE(index.add(ids, all, {.threads = threads}) == rows);
    return index;
}

/// Takes out a third, moves a third, puts some back under other ids: in both indexes alike.
template <class Index>
void churn(Index& index) {
    for (std::size_t i = 0; i < rows; i += 3) REQUIRE(index.remove(ids[i]));
    for (std::size_t i = 1; i < rows; i += 3) index.update(ids[i], all[rows - i]);
    const auto more = count_from(5000, 150);
    index.add(more, all.rows(30, 150));
    index.add(9999, all[3]);
}

}  // namespace

TEMPLATE_TEST_CASE("ivf: with nprobe = lists, results equal flat_index's to the bit", "", (std::pair<l2, f32>),
                   (std::pair<cosine, sq8>), (std::pair<inner_product, two_level<sq8, f16>>),
                   (std::pair<manhattan, f32>)) {
    using metric = typename TestType::first_type;
    using codec = typename TestType::second_type;
    vicinal::flat_index<metric, codec> flat(dim);
    flat.add(ids, all);
    auto ivf = filled<metric, codec>();
    REQUIRE(ivf.lists() > 8);
    for (const bool churned : {false, true}) {
        if (churned) {
            churn(flat);
            churn(ivf);
        }
        REQUIRE(ivf.size() == flat.size());
        REQUIRE(ivf.check().ok());
        for (std::size_t q = 0; q < queries.rows(); ++q) {
            CHECK(ivf.search(queries[q], 25, {.nprobe = ivf.lists()}) == flat.search(queries[q], 25));
            CHECK(ivf.search(queries[q], 25, {.nprobe = ivf.lists() + 1000}) == flat.search(queries[q], 25));
            CHECK(ivf.search(queries[q], rows * 2) == flat.search(queries[q], rows * 2));
            const float radius = flat.search(queries[q], 40).back().distance;
            CHECK(ivf.search_within(queries[q], radius) == flat.search_within(queries[q], radius));
        }
        CHECK(ivf.get(ids[1]) == flat.get(ids[1]));
        CHECK(ivf.get(ids[2]) == flat.get(ids[2]));
    }
}

TEMPLATE_TEST_CASE("ivf: the same calls give the same bytes for every thread count", "", (std::pair<l2, f32>),
                   (std::pair<inner_product, two_level<sq8, f16>>), (std::pair<manhattan, f32>)) {
    using metric = typename TestType::first_type;
    using codec = typename TestType::second_type;
    const auto one = saved(filled<metric, codec>());
    CHECK(one == saved(filled<metric, codec>({}, 3)));
    CHECK(centroids_of(one) != centroids_of(saved(filled<metric, codec>({.seed = 2}))));
}

TEMPLATE_TEST_CASE("ivf: rows added one by one go into the lists that a batch puts them into", "", l2, manhattan) {
    vicinal::ivf_index<TestType> one_by_one(dim, {.lists = 30});
    vicinal::ivf_index<TestType> batch(dim, {.lists = 30});
    one_by_one.train(all);
    batch.train(all);
    for (std::size_t i = 0; i < rows; ++i) one_by_one.add(ids[i], all[i]);
    batch.add(ids, all);
    CHECK(saved(one_by_one) == saved(batch));
}

TEST_CASE("ivf: an index without rows finds nothing, and a single row begins with one list of those asked for") {
    vicinal::ivf_index<> index(dim, {.lists = 2});
    CHECK(index.lists() == 0);
    CHECK(refusal([&] { index.update(1, all[0]); }) == errc::not_found);
    CHECK_FALSE(index.remove(1));
    CHECK(index.search(all[0], 3).empty());
    CHECK(index.search_within(all[0], 1e9F).empty());
    CHECK(index.nearest(all[0]).begin() == std::default_sentinel);
    CHECK(refusal([&] { static_cast<void>(index.search(all[0].first(3), 3)); }) == errc::dimension_mismatch);
    index.add(1, all[0]);
    CHECK(index.lists() == 1);
    CHECK(index.search(all[0], 3).front().id == 1);
    index.add(ids, all);
    CHECK(index.lists() == 2);
    CHECK(index.size() == rows + 1);
}

TEST_CASE("ivf: a single row teaches the one list it needs") {
    for (const std::size_t lists : {0U, 1U}) {
        vicinal::ivf_index<> index(dim, {.lists = lists});
        index.add(1, all[0]);
        CHECK(index.lists() == 1);
        CHECK(index.search(all[0], 3).front().id == 1);
    }
}

TEST_CASE("ivf: lists are as many as asked for, or chosen by the rows") {
    CHECK(filled<l2, f32>().lists() == rows / 39);
    CHECK(vicinal::detail::choose_lists(1) == 1);
    CHECK(vicinal::detail::choose_lists(100'000) == 1024);
    CHECK(vicinal::detail::choose_lists(std::size_t{1} << 40) == 1U << 20);
    CHECK(filled<l2, f32>({.lists = 77}).lists() == 77);
    CHECK(refusal([] { vicinal::ivf_index<>(dim, {.lists = (1U << 20) + 1}); }) == errc::invalid_argument);

    vicinal::ivf_index<> index(dim, {.lists = rows + 1});
    const auto before = saved(index);
    CHECK(refusal([&] { index.train(all); }) == errc::invalid_argument);
    CHECK_THROWS_WITH(index.train(all), contains("901") && contains("900"));
    CHECK(saved(index) == before);
    index.add(ids, all);  // not told to learn so many yet
    CHECK(index.lists() == rows / 39);
}

TEST_CASE("ivf: training is for empty indexes, can be stopped and tells its progress") {
    vicinal::ivf_index<l2, sq8> index(dim);
    const auto untrained = saved(index);
    vicinal::stop_source stop;
    std::size_t calls = 0;
    const auto stopping = [&](std::size_t, std::size_t) {
        ++calls;
        stop.request_stop();
    };
    CHECK(refusal([&] { index.train(all, {.stop = stop.get_token(), .progress = stopping}); }) == errc::cancelled);
    CHECK(calls == 1);
    CHECK(index.add(ids, all, {.stop = stop.get_token()}) == 0);
    CHECK(saved(index) == untrained);

    index.train(all);
    CHECK(index.lists() > 0);
    index.add(1, all[0]);
    CHECK(refusal([&] { index.train(all); }) == errc::invalid_argument);
    index.remove(1);
    index.train(all.rows(0, 100));
    CHECK(index.lists() == 2);
    CHECK(index.check().ok());
    CHECK(refusal([&] { index.train(view()); }) == errc::invalid_argument);
}

TEST_CASE("ivf: a batch that fails halfway leaves the index as it was, untrained if it was") {
    const std::size_t many = 20'000;  // more than one stretch
    const auto values = clustered(many, 3, 5);
    const view wide(std::span<const float>(values), 3);
    const auto names = count_from(0, many);
    const auto failing = [](std::size_t done, std::size_t) {
        if (done == many) throw 42;
    };
    vicinal::ivf_index<l2, sq8> index(3, {.lists = 16});
    const auto untrained = saved(index);
    CHECK_THROWS_AS(index.add(names, wide, {.progress = failing}), int);
    CHECK(saved(index) == untrained);
    CHECK(index.lists() == 0);

    index.add(std::span(names).first(500), wide.rows(0, 500));
    index.remove(7);
    const auto before = saved(index);
    CHECK_THROWS_AS(index.add(std::span(names).subspan(500), wide.rows(500, many - 500),
                              {.progress = [](std::size_t, std::size_t) { throw 42; }}),
                    int);
    CHECK(saved(index) == before);
    CHECK(index.check().ok());

    vicinal::stop_source stop;
    const auto stopping = [&](std::size_t, std::size_t) { stop.request_stop(); };
    const std::size_t added = index.add(std::span(names).subspan(500), wide.rows(500, many - 500),
                                        {.stop = stop.get_token(), .progress = stopping});
    CHECK(added == 16384);
    CHECK(index.size() == 499 + added);
    CHECK(index.check().ok());
}

TEST_CASE("ivf: rows can be removed, moved and refilled without training again") {
    auto index = filled<cosine, sq8>();
    const std::size_t lists = index.lists();
    for (const auto id : ids) REQUIRE(index.remove(id));
    CHECK(index.empty());
    CHECK(index.search(all[0], 5).empty());
    CHECK(index.check().ok());
    index.add(ids, all);
    CHECK(index.lists() == lists);
    CHECK(index.search(all[17], 1)[0].id == ids[17]);

    index.update(ids[17], all[400]);  // moves to another list
    const auto report = index.check();
    CHECK(report.ok());
    CHECK(report.links == rows);
    CHECK(report.live == rows);
    const hits both = index.search(all[400], 2, {.nprobe = 1});
    CHECK(both[0].distance == both[1].distance);
    CHECK(std::set{both[0].id, both[1].id} == std::set{ids[17], ids[400]});
    CHECK(refusal([&] { index.update(1, all[0]); }) == errc::not_found);
    CHECK(refusal([&] { index.add(ids[0], all[0]); }) == errc::duplicate_id);
}

TEMPLATE_TEST_CASE("ivf: a saved index loads and views as the same, also after removals", "", (std::pair<l2, f32>),
                   (std::pair<cosine, sq8>), (std::pair<inner_product, two_level<sq8, f16>>),
                   (std::pair<manhattan, f32>)) {
    using index_type = vicinal::ivf_index<typename TestType::first_type, typename TestType::second_type>;
    auto index = filled<typename TestType::first_type, typename TestType::second_type>({.lists = 40, .seed = 9});
    churn(index);
    const bytes file = saved(index);
    auto loaded = index_type::load(std::span(file));
    CHECK(saved(loaded) == file);
    CHECK(loaded.check().ok());

    const auto path = std::filesystem::temp_directory_path() / ("vicinal_ivf_" + std::to_string(::getpid()));
    index.save(path);
    {
        const auto mapped = index_type::view(path);
        mapped.verify();
        CHECK(saved(mapped) == file);
        CHECK(mapped.check().ok());
        CHECK(mapped.lists() == 40);
        CHECK(mapped.get(ids[2]) == index.get(ids[2]));
        const vicinal::id_set<std::uint64_t> few{ids[1], ids[2], ids[3]};
        for (std::size_t q = 0; q < queries.rows(); ++q) {
            CHECK(loaded.search(queries[q], 9) == index.search(queries[q], 9));
            CHECK(mapped.search(queries[q], 9) == index.search(queries[q], 9));
            CHECK(mapped.search(queries[q], 9, {.filter = few}) == index.search(queries[q], 9, {.filter = few}));
        }
        auto stream = mapped.nearest(queries[0]);
        CHECK(std::ranges::distance(stream.begin(), stream.end()) == static_cast<std::ptrdiff_t>(index.size()));
        auto frozen = index_type::view(path);
        CHECK(refusal([&] { frozen.remove(ids[1]); }) == errc::read_only);
        CHECK(refusal([&] { frozen.train(all); }) == errc::read_only);
    }
    std::filesystem::remove(path);

    loaded.remove(ids[2]);
    loaded.update(ids[5], all[6]);
}

TEST_CASE("ivf: a loaded index changes like the one that was saved") {
    auto index = filled<l2, f32>();
    auto loaded = vicinal::ivf_index<>::load(std::span<const std::byte>(saved(index)));
    churn(index);
    churn(loaded);
    CHECK(saved(loaded) == saved(index));
    CHECK(loaded.check().ok());
    vicinal::ivf_index<> untrained(dim, {.lists = 8, .seed = 3});
    auto again = vicinal::ivf_index<>::load(std::span<const std::byte>(saved(untrained)));
    CHECK(again.lists() == 0);
    again.add(ids, all);
    CHECK(saved(again) == saved(filled<l2, f32>({.lists = 8, .seed = 3})));
}

TEST_CASE("ivf: equal rows all come, lower ids first") {
    vicinal::ivf_index<> index(dim, {.lists = 5});
    std::vector<float> same;
    for (std::size_t i = 0; i < 50; ++i) same.insert(same.end(), all[3].begin(), all[3].end());
    index.add(count_from(0, 50), view(std::span<const float>(same), dim));
    CHECK(index.lists() == 5);
    CHECK(index.check().ok());
    const hits found = index.search(all[3], 60);
    REQUIRE(found.size() == 50);
    for (std::size_t i = 0; i < 50; ++i) CHECK(found[i] == vicinal::neighbor<>{i, 0.0F});
}

TEST_CASE("ivf: a search scans the lists it was asked for, and more only if left the choice") {
    const auto index = filled<l2, f32>({.lists = 50});
    vicinal::search_stats stats;
    hits found = index.search(queries[0], 5, {.nprobe = 3, .stats = &stats});
    CHECK(stats.lists == 3);
    CHECK(stats.distances >= found.size());
    CHECK(stats.distances < rows / 2);
    stats = {};
    CHECK(index.search(queries[0], 5, {.stats = &stats}).size() == 5);
    CHECK(stats.lists == 8);
    stats = {};
    CHECK(index.search(queries[0], rows, {.nprobe = 3, .stats = &stats}).size() == stats.distances);
    stats = {};
    CHECK(index.search(queries[0], rows + 5, {.stats = &stats}).size() == rows);
    CHECK(stats.lists == 50);
    CHECK(stats.distances == rows);
    stats = {};
    CHECK(index.search(queries, 5, {.nprobe = 2, .stats = &stats}).size() == queries.rows());
    CHECK(stats.lists == 2 * queries.rows());
    stats = {};
    CHECK(index.search_within(queries[0], 1, {.stats = &stats}).size() <= rows);
    CHECK(stats.lists == 50);
}

TEST_CASE("ivf: more probes find no less, and few find most") {
    const auto index = filled<l2, f32>({.lists = 50});
    for (std::size_t q = 0; q < queries.rows(); ++q) {
        float farthest = std::numeric_limits<float>::infinity();
        for (std::size_t nprobe = 8; nprobe <= 50; ++nprobe) {
            const hits found = index.search(queries[q], 10, {.nprobe = nprobe});
            REQUIRE(found.size() == 10);
            CHECK(found.back().distance <= farthest);
            farthest = found.back().distance;
        }
    }
    std::size_t self = 0;
    for (std::size_t i = 0; i < rows; ++i) self += index.search(all[i], 1, {.nprobe = 1})[0].id == ids[i] ? 1U : 0U;
    CHECK(self == rows);  // under l2 a row lies in the list closest to itself
}

TEMPLATE_TEST_CASE("ivf: filters by predicate and by set agree with flat_index", "", (std::pair<l2, f32>),
                   (std::pair<inner_product, two_level<sq8, f16>>)) {
    using metric = typename TestType::first_type;
    using codec = typename TestType::second_type;
    vicinal::flat_index<metric, codec> flat(dim);
    flat.add(ids, all);
    const auto ivf = filled<metric, codec>();
    const auto odd = [](std::uint64_t id) { return id % 2 == 1; };
    const vicinal::id_set<std::uint64_t> few{101, 105, 777, 3, 950};
    std::vector<std::uint64_t> half(ids.begin() + 100, ids.begin() + 600);
    const vicinal::id_set<std::uint64_t> many(half);
    const auto none = [](std::uint64_t) { return false; };
    for (std::size_t q = 0; q < queries.rows(); ++q) {
        CHECK(ivf.search(queries[q], 20, {.nprobe = rows, .filter = odd}) ==
              flat.search(queries[q], 20, {.filter = odd}));
        CHECK(ivf.search(queries[q], 20, {.nprobe = 1, .filter = few}) == flat.search(queries[q], 20, {.filter = few}));
        CHECK(ivf.search(queries[q], 20, {.nprobe = rows, .filter = many}) ==
              flat.search(queries[q], 20, {.filter = many}));
        CHECK(ivf.search_within(queries[q], 1e3F, {.filter = few}) ==
              flat.search_within(queries[q], 1e3F, {.filter = few}));
        CHECK(ivf.search(queries[q], 20, {.filter = none}).empty());
    }
    vicinal::search_stats stats;
    static_cast<void>(ivf.search(queries[0], 5, {.filter = few, .stats = &stats}));
    CHECK(stats.lists == 0);
    CHECK_THROWS_AS(ivf.search(queries[0], 5, {.filter = [](std::uint64_t) -> bool { throw 42; }}), int);
    vicinal::stop_source stop;
    stop.request_stop();
    CHECK(refusal([&] { static_cast<void>(ivf.search(queries[0], 5, {.stop = stop.get_token()})); }) ==
          errc::cancelled);
}

TEMPLATE_TEST_CASE("ivf: nearest yields every row once, in order if it looks into all lists ahead", "",
                   (std::pair<l2, f32>), (std::pair<inner_product, two_level<sq8, f16>>)) {
    const auto index = filled<typename TestType::first_type, typename TestType::second_type>({.lists = 50});
    hits exact;
    for (const auto& hit : index.nearest(queries[1], {.nprobe = 50})) exact.push_back(hit);
    CHECK(exact == index.search_within(queries[1], std::numeric_limits<float>::infinity()));

    std::set<std::uint64_t> seen;
    auto stream = index.nearest(queries[1], {.nprobe = 2});
    for (const auto& hit : stream) {
        if (seen.empty()) CHECK(stream.stats().lists < 25);  // lazily
        CHECK(seen.insert(hit.id).second);
    }
    CHECK(seen.size() == rows);
    CHECK(stream.stats().lists == 50);

    std::size_t admitted = 0;
    for (const auto& hit : index.nearest(queries[1], {.filter = [](std::uint64_t id) { return id % 5 == 0; }})) {
        CHECK(hit.id % 5 == 0);
        ++admitted;
    }
    CHECK(admitted == rows / 5);
}

TEST_CASE("ivf: nearest goes on while the index changes, with the rows that stay all coming once") {
    auto index = filled<l2, f32>({.lists = 50});
    std::unordered_map<std::uint64_t, int> seen;
    auto stream = index.nearest(queries[1], {.nprobe = 1});
    std::size_t step = 0;
    for (auto at = stream.begin(); at != stream.end(); ++at, ++step) {
        CHECK(index.contains((*at).id));  // none that was removed before this step
        ++seen[(*at).id];
        if (step >= 200) continue;
        index.update(ids[step], all[rows - 1 - step]);  // many move to another list
        index.remove(ids[500 + step]);
        index.add(7000 + step, all[step]);
    }
    for (std::size_t i = 0; i < rows; ++i)
        if (i < 500 || i >= 700) CHECK(seen[ids[i]] == 1);
    for (const auto& [id, times] : seen) CHECK(times == 1);
    CHECK(index.check().ok());
}

TEST_CASE("ivf: searches run beside changes") {
    auto index = filled<l2, f32>();
    std::atomic<bool> done{false};
    std::thread reader([&] {
        while (!done)
            for (std::size_t q = 0; q < queries.rows(); ++q)
                if (index.search(queries[q], 10).size() != 10) std::abort();
    });
    churn(index);
    for (std::size_t i = 0; i < 300; ++i) index.update(ids[1 + 3 * (i % 100)], all[i]);
    done = true;
    reader.join();
    CHECK(index.check().ok());
}

TEST_CASE("ivf: a damaged file is refused, and as a view is safe to search") {
    const bytes file = saved(filled<l2, f32>());
    std::size_t opened = 0;
    for (std::size_t at = 64; at < file.size(); at += at < 1024 ? 8 : 517) {
        bytes damaged = file;
        damaged[at] ^= std::byte{0xA5};
        damaged[at + (at + 3 < file.size() ? 3 : 0)] ^= std::byte{0xFF};
        CHECK_THROWS_AS(vicinal::ivf_index<>::load(std::span(damaged)), vicinal::error);
        try {
            search_in_place(damaged);
            ++opened;
        } catch (const vicinal::error&) {
        }
    }
    CHECK(opened > 50);
}

TEST_CASE("ivf: a file that contradicts itself is refused though its checksums are right") {
    const bytes file = saved(filled<l2, f32>());
    const auto load = [](const bytes& from) { return vicinal::ivf_index<>::load(std::span(from)); };
    REQUIRE(forged(file, "none", 0, 0) == file);
    search_in_place(file);
    constexpr std::uint32_t nan = 0x7FC00000;
    // What a view finds when it opens, and a load as well.
    for (const bytes& bad :
         {forged(file, "IVF_", 0, std::uint64_t{7}), forged(file, "IVF_", 0, std::uint64_t{1} << 21),
          forged(file, "IVF_", 2, std::uint64_t{22}), forged(file, "IVF_", 2, ~std::uint64_t{0}),
          forged(file, "LOFF", 0, std::uint64_t{1}), forged(file, "LOFF", 5, std::uint64_t{0}),
          forged(file, "LOFF", 5, std::uint64_t{rows + 1}), forged(file, "LOFF", 23, std::uint64_t{rows + 1}),
          forged(file, "LOFF", 23, std::uint64_t{rows - 1}), forged(file, "LIVE", 0, std::uint64_t{rows - 1})}) {
        CHECK(refusal([&] { load(bad); }) == errc::corrupt_file);
        CHECK(refusal([&] { search_in_place(bad); }) == errc::corrupt_file);
    }
    // What only a load looks at.
    for (const bytes& bad : {forged(file, "CENT", 5, nan), forged(file, "CENT", 5, 0x7F000000U),
                             forged(file, "LSLT", 4, std::uint32_t{rows}), forged(file, "LSLT", 4, 0xFFFFFFFFU),
                             forged(forged(file, "LSLT", 4, 8U), "LSLT", 5, 8U), forged(file, "COD0", 7, nan),
                             forged(file, "STAT", 1, std::uint8_t{2}), forged(file, "STAT", 1, std::uint8_t{77})}) {
        CHECK(refusal([&] { load(bad); }) == errc::corrupt_file);
        CHECK_NOTHROW(search_in_place(bad));
    }
    const bytes untrained = saved(vicinal::ivf_index<l2, sq8>(dim));
    CHECK(refusal([&] { load(untrained); }) == errc::wrong_type);
}
