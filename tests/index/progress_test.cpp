// SPDX-License-Identifier: MIT
// Progress and cancellation of what takes long besides adding: training, saving, loading.
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/temporary.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/ivf.hpp"

namespace {

using namespace vicinal_test;
using vicinal::errc, vicinal::f32, vicinal::l2, vicinal::sq8;

using flat = vicinal::flat_index<l2, sq8>;
using ivf = vicinal::ivf_index<l2, f32>;
using hnsw = vicinal::hnsw_index<l2, f32>;

/// Some 12 MiB of flat rows, and graphs and lists that are built in a moment.
template <class Index>
constexpr std::size_t dim_of = 3000;
template <class Index>
const Index& filled() {
    static const Index index = [] {
        const dataset rows = gaussian(std::is_same_v<Index, flat> ? 4000 : 1000, dim_of<Index>);
        Index made(dim_of<Index>);
        made.add(numbered<std::uint64_t>(rows.rows()), rows.view());
        return made;
    }();
    return index;
}

template <class F>
std::optional<errc> refused(F&& f) {
    try {
        f();
    } catch (const vicinal::error& e) {
        return e.code();
    }
    return std::nullopt;
}

/// Listens; stops the call at the n-th report, or throws there.
struct listener {
    std::size_t stop_at = 0;
    std::size_t throw_at = 0;
    vicinal::stop_source source{};
    std::size_t reports = 0;
    std::size_t last = 0;
    std::size_t total = 0;
    bool rising = true;

    void operator()(std::size_t done, std::size_t all) {
        ++reports;
        rising = rising && done > last && done <= all && (total == 0 || all == total);
        last = done;
        total = all;
        if (reports == stop_at) source.request_stop();
        if (reports == throw_at) throw std::runtime_error("enough");
    }
};
void require_complete(const listener& heard, std::size_t total) {
    CHECK(heard.rising);
    CHECK(heard.last == total);
    CHECK(heard.total == total);
    CHECK(heard.reports >= total / (std::size_t{8} << 20));
}

std::string contents(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}
std::size_t entries_in(const std::filesystem::path& folder) {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

}  // namespace

TEMPLATE_TEST_CASE("progress: saves and loads tell how far they are", "", flat, ivf, hnsw) {
    const TestType& index = filled<TestType>();
    const temporary_directory folder;
    const auto path = folder / "a.vic";
    std::vector<std::byte> bytes;
    index.save(bytes);
    std::ostringstream out;
    for (const int way : {0, 1, 2}) {
        listener heard;
        const vicinal::save_options options{.sync = false, .progress = heard};
        if (way == 0) index.save(path, options);
        if (way == 1) index.save(out, options);
        if (way == 2) index.save(bytes, options);
        require_complete(heard, bytes.size());
    }
    CHECK(contents(path).size() == bytes.size());
    std::istringstream in(out.str());
    for (const int way : {0, 1}) {
        listener heard;
        const vicinal::load_limits limits{.progress = heard};
        const TestType loaded = way == 0 ? TestType::load(path, limits) : TestType::load(in, limits);
        require_complete(heard, bytes.size());
        CHECK(loaded.size() == index.size());
    }
}

TEMPLATE_TEST_CASE("progress: a save that is stopped or whose listener throws leaves the old file", "", flat, ivf,
                   hnsw) {
    const TestType& index = filled<TestType>();
    const temporary_directory folder;
    const auto path = folder / "a.vic";
    TestType(4).save(path);
    const std::string old = contents(path);
    std::vector<std::byte> bytes(3, std::byte{7});
    std::ostringstream out;
    const auto saves = [&](const vicinal::save_options& options, int way) {
        if (way == 0) index.save(path, options);
        if (way == 1) index.save(out, options);
        if (way == 2) index.save(bytes, options);
    };
    for (const int way : {0, 1, 2}) {
        listener stops{.stop_at = 1};
        CHECK(refused([&] { saves({.stop = stops.source.get_token(), .progress = stops}, way); }) == errc::cancelled);
        CHECK(stops.last < stops.total);
        listener throws{.throw_at = 1};
        CHECK_THROWS_AS(saves({.progress = throws}, way), std::runtime_error);
        vicinal::stop_source before;
        before.request_stop();
        CHECK(refused([&] { saves({.stop = before.get_token()}, way); }) == errc::cancelled);
    }
    CHECK(contents(path) == old);
    CHECK(entries_in(path.parent_path()) == 1);
    CHECK(bytes == std::vector<std::byte>(3, std::byte{7}));
}

TEMPLATE_TEST_CASE("progress: a load that is stopped throws", "", flat, ivf, hnsw) {
    const temporary_directory folder;
    const auto path = folder / "a.vic";
    filled<TestType>().save(path, {.sync = false});
    std::vector<std::byte> bytes;
    filled<TestType>().save(bytes);
    listener stops{.stop_at = 1};
    CHECK(refused([&] { (void)TestType::load(path, {.stop = stops.source.get_token(), .progress = stops}); }) ==
          errc::cancelled);
    CHECK(stops.last < stops.total);
    // Stopped when all has been read: the checks that follow look at the token, too.
    listener late{.stop_at = bytes.size() / (std::size_t{4} << 20) + 1};
    CHECK(refused([&] { (void)TestType::load(path, {.stop = late.source.get_token(), .progress = late}); }) ==
          errc::cancelled);
    CHECK(late.last == late.total);
    vicinal::stop_source before;
    before.request_stop();
    CHECK(refused([&] { (void)TestType::load(bytes, {.stop = before.get_token()}); }) == errc::cancelled);
    CHECK(refused([&] { (void)TestType::view(path, {.stop = before.get_token()}); }) == errc::cancelled);
}

TEMPLATE_TEST_CASE("progress: training that is stopped or whose listener throws teaches nothing", "", flat, ivf) {
    const dataset rows = gaussian(2000, 8);
    TestType index(8);
    vicinal::stop_source before;
    before.request_stop();
    CHECK(refused([&] { index.train(rows.view(), {.stop = before.get_token()}); }) == errc::cancelled);
    listener throws{.throw_at = 1};
    CHECK_THROWS_AS(index.train(rows.view(), {.progress = throws}), std::runtime_error);
    std::vector<std::byte> untaught, taught;
    TestType(8).save(untaught);
    index.save(taught);
    CHECK(taught == untaught);
    listener heard;
    index.train(rows.view(), {.progress = heard});
    CHECK(heard.reports > 0);
    CHECK(heard.last == heard.total);
    index.add(1, rows[0]);
}
