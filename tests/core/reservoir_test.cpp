// SPDX-License-Identifier: MIT
// What core/reservoir.hpp promises: it keeps what sorting and cutting keeps, whatever memory it has.
#include "vicinal/core/reservoir.hpp"

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "support/catch.hpp"

namespace {

using vicinal::detail::reservoir, vicinal::detail::select_lowest;
using keys = std::vector<std::uint64_t>;
constexpr float infinity = std::numeric_limits<float>::infinity();

void check_selection(const keys& all, std::size_t k) {
    CAPTURE(all.size(), k);
    keys sorted = all;
    std::sort(sorted.begin(), sorted.end());
    keys selected = all;
    select_lowest(selected, k);
    CHECK(selected[k - 1] == sorted[k - 1]);
    std::sort(selected.begin(), selected.begin() + static_cast<std::ptrdiff_t>(k));
    std::sort(selected.begin() + static_cast<std::ptrdiff_t>(k), selected.end());
    CHECK(selected == sorted);
}

struct row {
    std::uint32_t number;
    float distance;
    bool operator==(const row&) const = default;
};

std::vector<row> sorted_and_cut(std::vector<row> stream, std::size_t k) {
    std::sort(stream.begin(), stream.end(), [](const row& a, const row& b) {
        return a.distance != b.distance ? a.distance < b.distance : a.number < b.number;
    });
    stream.resize(std::min(k, stream.size()));
    return stream;
}

std::vector<row> kept(const std::vector<row>& stream, std::size_t k, std::size_t memory) {
    keys room(memory);
    reservoir best(room, k);
    std::size_t pushed = 0;
    std::vector<row> seen;
    for (const row& r : stream) {
        // No row that belongs to the k closest is turned away.
        seen.push_back(r);
        const auto truth = sorted_and_cut(seen, k);
        if (truth.size() == k && k != 0) CHECK(best.threshold() >= truth.back().distance);
        if (r.distance <= best.threshold()) best.push(r.number, r.distance);
        CHECK(best.size() == std::min(k, ++pushed));
    }
    std::vector<row> out;
    for (const std::uint64_t key : best.finish_sorted())
        out.push_back({reservoir::number(key), reservoir::distance(key)});
    return out;
}

}  // namespace

TEST_CASE("select_lowest: as sorting, for keys in any order, equal ones too") {
    std::mt19937_64 random(5);
    for (const std::size_t n : {1U, 2U, 3U, 7U, 64U, 333U}) {
        keys ascending(n);
        std::iota(ascending.begin(), ascending.end(), 10U);
        keys shuffled = ascending;
        std::shuffle(shuffled.begin(), shuffled.end(), random);
        keys few(n);
        for (auto& key : few) key = random() % 4;
        keys pipes(n);  // up and down again
        for (std::size_t i = 0; i < n; ++i) pipes[i] = std::min(i, n - i);
        for (const keys& all :
             {ascending, keys(ascending.rbegin(), ascending.rend()), shuffled, few, pipes, keys(n, 7)})
            for (const std::size_t k : {std::size_t{1}, n / 4 + 1, n / 2 + 1, n}) check_selection(all, std::min(k, n));
    }
}

TEST_CASE("select_lowest: keys that go to one side of every pivot take no quadratic time") {
    keys equal(200'000, 1);
    equal[70'000] = 0;
    check_selection(equal, 100'000);
}

TEST_CASE("reservoir: keeps what sorting and cutting keeps, ties by lower number, with any memory") {
    std::mt19937_64 random(6);
    for (const std::size_t n : {0U, 1U, 5U, 90U}) {
        for (const unsigned values : {2U, 30U, 100'000U}) {
            std::vector<row> stream;
            for (std::uint32_t i = 0; i < n; ++i) stream.push_back({i, static_cast<float>(random() % values) - 3.0F});
            std::shuffle(stream.begin(), stream.end(), random);
            for (const std::size_t k : {1U, 2U, 7U, 40U, 90U})
                for (const std::size_t memory : {k, k + 1, 2 * k, reservoir::room(k, n), std::size_t{500}}) {
                    if (memory < std::min(k, n)) continue;
                    CAPTURE(n, values, k, memory);
                    auto expected = sorted_and_cut(stream, k);
                    CHECK(kept(stream, k, memory) == expected);
                }
        }
    }
}

TEST_CASE("reservoir: signed zeros tie, infinities are kept while there is room, k = 0 admits nothing") {
    CHECK(kept({{3, 0.0F}, {1, 0.0F}, {2, -0.0F}, {4, infinity}}, 3, 6) == std::vector<row>{{1, 0}, {2, 0}, {3, 0}});
    CHECK(kept({{3, infinity}, {1, -infinity}}, 5, 10) == std::vector<row>{{1, -infinity}, {3, infinity}});
    reservoir none({}, 0);
    CHECK(none.threshold() == -infinity);
    none.push(1, -infinity);
    CHECK(none.finish().empty());
    keys memory(4);
    reservoir nothing(memory, 0);
    nothing.push(1, 1.0F);
    CHECK(nothing.finish_sorted().empty());
    // Room for fewer than asked: those closest.
    reservoir small(std::span<std::uint64_t>(memory).first(2), 9);
    for (std::uint32_t i = 0; i < 9; ++i) small.push(i, 10.0F - static_cast<float>(i));
    REQUIRE(small.size() == 2);
    CHECK(reservoir::number(small.finish_sorted()[0]) == 8);
}

TEST_CASE("reservoir: the threshold falls as rows come") {
    keys memory(20);
    reservoir best(memory, 10);
    CHECK(best.threshold() == infinity);
    for (std::uint32_t i = 0; i < 20; ++i) best.push(i, 100.0F - static_cast<float>(i));
    CHECK(best.threshold() == 90.0F);
    for (std::uint32_t i = 0; i < 10; ++i) best.push(100 + i, static_cast<float>(i));
    CHECK(best.threshold() == 9.0F);
    CHECK(vicinal::detail::from_ordered_bits(vicinal::detail::ordered_bits(-2.5F)) == -2.5F);
    CHECK(vicinal::detail::from_ordered_bits(vicinal::detail::ordered_bits(1e-40F)) == 1e-40F);
}
