// SPDX-License-Identifier: MIT
// What calibrate.hpp promises: settings can be measured, stored and set again, and no result depends on them.
#include "vicinal/calibrate.hpp"

#include <chrono>
#include <cstdint>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/ivf.hpp"

namespace {

using vicinal::memory_settings;

/// Puts the settings back that were in use before a test.
struct settings_kept {
    memory_settings before = vicinal::current_memory_settings();
    ~settings_kept() { vicinal::set_memory_settings(before); }
};

/// Of so many rows that an index of them by 8 bits is more than caches hold.
struct large_set {
    static constexpr std::size_t dim = 64;
    static constexpr std::size_t rows = 300000;
    large_set() : values(rows * dim), ids(rows) {
        std::mt19937 random(3);
        for (float& x : values) x = static_cast<float>(random() % 1024) - 512;
        std::iota(ids.begin(), ids.end(), std::uint64_t{0});
    }
    std::vector<float> values;
    std::vector<std::uint64_t> ids;
    [[nodiscard]] vicinal::matrix_view<const float> view(std::size_t count) const {
        return {values.data(), count, dim};
    }
};

template <class Index>
void check_results(Index& index, const large_set& set, std::size_t rows) {
    const settings_kept kept;
    index.add({set.ids.data(), rows}, set.view(rows));
    for (std::size_t q = 0; q < 3; ++q) {
        std::vector<float> query(set.values.begin(), set.values.begin() + large_set::dim);
        query[q] += 300;
        vicinal::set_memory_settings({.scan_ahead = 0});
        const auto expected = index.search(query, 20);
        REQUIRE(expected.size() == 20);
        for (const std::uint32_t ahead : {1U, 64U, 6144U, 32768U}) {
            vicinal::set_memory_settings({.scan_ahead = ahead});
            CAPTURE(ahead);
            REQUIRE(index.search(query, 20) == expected);
        }
    }
}

}  // namespace

TEST_CASE("calibrate: settings come back as they were set, and a distance that is too far is refused") {
    const settings_kept kept;
    CHECK(kept.before == vicinal::default_memory_settings());  // nobody has set others before
    for (const std::uint32_t ahead : {0U, 1U, 4096U, 32768U}) {
        vicinal::set_memory_settings({.scan_ahead = ahead});
        CHECK(vicinal::current_memory_settings().scan_ahead == ahead);
    }
    for (const std::uint32_t ahead : {32769U, 0xFFFFFFFEU, 0xFFFFFFFFU}) {
        try {
            vicinal::set_memory_settings({.scan_ahead = ahead});
            FAIL("not refused");
        } catch (const vicinal::error& e) {
            CHECK(e.code() == vicinal::errc::invalid_argument);
            CHECK(std::string(e.what()).find("scan_ahead is " + std::to_string(ahead)) != std::string::npos);
        }
        CHECK(vicinal::current_memory_settings().scan_ahead == 32768);
    }
}

TEST_CASE("calibrate: it ends soon, returns what can be set, and changes nothing") {
    const settings_kept kept;
    vicinal::set_memory_settings({.scan_ahead = 77});
    const auto start = std::chrono::steady_clock::now();
    const memory_settings found = vicinal::calibrate();
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));  // 40 ms, were the machine ours
    CHECK(found.scan_ahead <= 8192);
    CHECK(found.scan_ahead % 2048 == 0);
    CHECK(vicinal::current_memory_settings().scan_ahead == 77);
    vicinal::set_memory_settings(found);
    CHECK(vicinal::current_memory_settings() == found);
}

TEST_CASE("calibrate: settings may change beside searches") {
    const settings_kept kept;
    const large_set set;
    vicinal::flat_index<vicinal::l2, vicinal::sq8> index(large_set::dim);
    index.add(set.ids, set.view(large_set::rows));
    const auto expected = index.search(set.view(1)[0], 10);
    std::thread other([] {
        for (std::uint32_t i = 0; i < 2000; ++i) vicinal::set_memory_settings({.scan_ahead = i * 16});
    });
    bool same = true;
    for (int i = 0; i < 3; ++i) same = same && index.search(set.view(1)[0], 10) == expected;
    other.join();
    CHECK(same);
}

TEST_CASE("calibrate: results do not depend on how far ahead scans ask") {
    const large_set set;
    SECTION("f32") {
        vicinal::flat_index<vicinal::l2, vicinal::f32> index(large_set::dim);
        check_results(index, set, 70001);
    }
    SECTION("sq8") {
        vicinal::flat_index<vicinal::inner_product, vicinal::sq8> index(large_set::dim);
        check_results(index, set, large_set::rows);
    }
    SECTION("lists") {
        vicinal::ivf_index<vicinal::l2, vicinal::f32> index(large_set::dim, {.lists = 8});
        check_results(index, set, 70001);
    }
}
