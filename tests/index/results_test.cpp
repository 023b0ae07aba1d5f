// SPDX-License-Identifier: MIT
// Lists of results: merged as if one index had them all, fused, and chosen so that they differ.
#include "vicinal/results.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/outcomes.hpp"
#include "vicinal/flat.hpp"

namespace {

using namespace vicinal_test;
using vicinal::fuse, vicinal::merge_top_k, vicinal::mmr, vicinal::rrf, vicinal::weighted;
using hit = vicinal::neighbor<>;
using hits = std::vector<hit>;

/// Some lists of ids that repeat, within a list and between them, with few distances, so that many are equal.
std::vector<hits> some_lists(std::uint32_t seed) {
    std::mt19937 random(seed);
    std::vector<hits> lists(1 + random() % 5);
    for (hits& list : lists) {
        list.resize(random() % 30);
        for (hit& h : list) h = {random() % 40, static_cast<float>(random() % 8)};
    }
    return lists;
}
hits naive_merge(const std::vector<hits>& lists, std::size_t k) {
    std::map<std::uint64_t, float> least;
    for (const hits& list : lists)
        for (const hit& h : list) {
            const auto [at, fresh] = least.emplace(h.id, h.distance);
            if (!fresh) at->second = std::min(at->second, h.distance);
        }
    std::set<std::pair<float, std::uint64_t>> ordered;
    for (const auto& [id, distance] : least) ordered.emplace(distance, id);
    hits best;
    for (const auto& [distance, id] : ordered)
        if (best.size() < k) best.push_back({id, distance});
    return best;
}

}  // namespace

TEST_CASE("results: lists are merged as if one list had them all, in whatever order they are merged") {
    for (std::uint32_t seed = 1; seed <= 200; ++seed) {
        const std::vector<hits> lists = some_lists(seed);
        for (const std::size_t k : {0U, 1U, 7U, 1000U}) {
            const hits want = naive_merge(lists, k);
            CHECK(merge_top_k(lists, k) == want);
            hits first_first, last_first;
            for (const hits& list : lists) first_first = merge_top_k(std::array{first_first, list}, k);
            for (auto list = lists.rbegin(); list != lists.rend(); ++list)
                last_first = merge_top_k(std::array{*list, last_first}, k);
            CHECK(first_first == want);
            CHECK(last_first == want);
        }
    }
}

TEST_CASE("results: shards give the answer of one index") {
    const dataset rows = gaussian(400, 6);
    vicinal::flat_index<vicinal::l2> whole(6);
    std::vector<vicinal::flat_index<vicinal::l2>> shards;
    for (std::size_t s = 0; s < 3; ++s) shards.emplace_back(std::size_t{6});
    for (std::size_t i = 0; i < 400; ++i) {
        whole.add(i, rows[i]);
        shards[i * i % 3].add(i, rows[i]);
    }
    for (std::size_t q = 0; q < 20; ++q) {
        std::vector<hits> found;
        for (const auto& shard : shards) found.push_back(shard.search(rows[q * 7], 9));
        CHECK(merge_top_k(found, 9) == whole.search(rows[q * 7], 9));
    }
}

TEST_CASE("results: ranks are fused by the sum of reciprocals") {
    const std::vector<hits> lists = {{{4, 0.1F}, {2, 0.2F}, {9, 0.3F}},
                                     {{2, -7.0F}, {4, -6.0F}, {2, -5.0F}, {1, 0.0F}}};
    const auto found = fuse(lists, rrf{60});
    REQUIRE(found.size() == 4);
    const double both = 1.0 / 61 + 1.0 / 62;
    CHECK(found[0] == vicinal::fused_result<>{2, both});  // a tie, by id
    CHECK(found[1] == vicinal::fused_result<>{4, both});
    CHECK(found[2] == vicinal::fused_result<>{9, 1.0 / 63});
    CHECK(found[3] == vicinal::fused_result<>{1, 1.0 / 64});  // the repeated id has taken a place
    CHECK(fuse(lists).front() == found[0]);
    CHECK(fuse(lists, rrf{.constant = 0, .weights = {3, 1}}, 1) ==
          std::vector<vicinal::fused_result<>>{{4, 3.0 + 1.0 / 2}});
    for (std::uint32_t seed = 1; seed <= 50; ++seed) {
        const std::vector<hits> some = some_lists(seed);
        std::map<std::uint64_t, double> want;
        for (const hits& list : some) {
            std::set<std::uint64_t> seen;
            for (std::size_t i = 0; i < list.size(); ++i)
                if (seen.insert(list[i].id).second) want[list[i].id] += 1 / (60 + static_cast<double>(i) + 1);
        }
        const auto got = fuse(some, rrf{});
        REQUIRE(got.size() == want.size());
        for (std::size_t i = 0; i < got.size(); ++i) {
            CHECK(got[i].score == want[got[i].id]);
            if (i > 0) CHECK((got[i - 1].score > got[i].score || got[i - 1].id < got[i].id));
        }
    }
}

TEST_CASE("results: distances are fused between the best and the worst of their list") {
    const std::vector<hits> lists = {{{1, 2.0F}, {2, 4.0F}, {3, 6.0F}}, {{3, -50.0F}, {1, -10.0F}}, {{7, 5.0F}}};
    const auto found = fuse(lists, weighted{{1, 0.5, 0.25}});
    CHECK(found == std::vector<vicinal::fused_result<>>{{1, 1.0}, {2, 0.5}, {3, 0.5}, {7, 0.25}});
    const hits reversed(lists[0].rbegin(), lists[0].rend());
    CHECK(fuse(std::array{reversed, lists[1], lists[2]}, weighted{{1, 0.5, 0.25}}) == found);  // no matter how ordered
    const float infinity = std::numeric_limits<float>::infinity();
    CHECK(fuse(std::array{hits{{1, 0.0F}, {2, infinity}}}, weighted{}) ==
          std::vector<vicinal::fused_result<>>{{1, 1.0}, {2, 0.0}});
}

TEST_CASE("results: what cannot be merged or fused is refused") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const std::vector<hits> bad = {{{1, 0.0F}}, {{1, 0.0F}, {2, nan}}};
    CHECK(refusal([&] { static_cast<void>(merge_top_k(bad, 3)); }) ==
          "invalid_argument: vicinal: merge_top_k: result 1 of list 1 has a distance that is not a number");
    CHECK(refusal([&] { static_cast<void>(fuse(bad, rrf{})); }) ==
          "invalid_argument: vicinal: fuse: result 1 of list 1 has a distance that is not a number");
    const std::vector<hits> good = {{{1, 0.0F}}, {{1, 0.0F}}};
    CHECK(refusal([&] {
              static_cast<void>(fuse(good, weighted{{1, 2, 3}}));
          }) == "invalid_argument: vicinal: fuse: there are 3 weights for 2 lists");
    CHECK(refusal([&] {
              static_cast<void>(fuse(good, rrf{60, {1, -2}}));
          }) == "invalid_argument: vicinal: fuse: weight 1 is -2.000000, it must be a number of at least 0");
    CHECK(refusal([&] { static_cast<void>(fuse(good, rrf{-1})); }) ==
          "invalid_argument: vicinal: fuse: rrf's constant is -1.000000, it must be a number of at least 0");
    CHECK(merge_top_k(std::vector<hits>{}, 3).empty());
    CHECK(fuse(std::vector<hits>(2), rrf{}).empty());
}

TEST_CASE("results: mmr chooses as the formula says") {
    const dataset rows = gaussian(60, 4, 3);
    vicinal::flat_index<vicinal::l2> index(4);
    for (std::size_t i = 0; i < 60; ++i) index.add(i, rows[i]);
    const auto squared = [&](std::span<const float> a, std::span<const float> b) {
        double sum = 0;
        for (std::size_t i = 0; i < 4; ++i) sum += (double{a[i]} - double{b[i]}) * (double{a[i]} - double{b[i]});
        return sum;
    };
    const dataset query = gaussian(1, 4, 9);
    const hits found = index.search(query[0], 30);
    for (const float lambda : {0.0F, 0.3F, 0.7F, 1.0F}) {
        std::vector<std::uint64_t> want = {found[0].id};
        while (want.size() < 8) {
            std::pair<double, std::uint64_t> best{1e300, 0};
            for (const hit& h : found) {
                if (std::count(want.begin(), want.end(), h.id) != 0) continue;
                double nearest = 1e300;
                for (const std::uint64_t c : want) nearest = std::min(nearest, squared(rows[h.id], rows[c]));
                best = std::min(
                    best, {double{lambda} * squared(query[0], rows[h.id]) - (1 - double{lambda}) * nearest, h.id});
            }
            want.push_back(best.second);
        }
        const hits got = mmr(index, query[0], found, {.k = 8, .lambda = lambda});
        REQUIRE(got.size() == 8);
        for (std::size_t i = 0; i < 8; ++i) {
            CHECK(got[i].id == want[i]);
            CHECK(got[i].distance == Approx(squared(query[0], rows[want[i]])));
        }
    }
    CHECK(mmr(index, query[0], found, {.k = 10, .lambda = 1}) == hits(found.begin(), found.begin() + 10));
}

TEST_CASE("results: mmr passes over rows that are gone, and gives what there is") {
    vicinal::flat_index<vicinal::l2> index(1);
    for (std::uint64_t i = 0; i < 6; ++i) index.add(i, {static_cast<float>(i)});
    hits found = index.search(std::vector<float>{0.0F}, 6);
    index.remove(0);
    index.remove(3);
    found.push_back(found[1]);  // twice
    const hits got = mmr(index, std::vector<float>{0.0F}, found, {.k = 100});
    CHECK(got.size() == 4);
    CHECK(got.front() == hit{1, 1.0F});
    CHECK(mmr(index, std::vector<float>{0.0F}, {}, {}).empty());
    CHECK(refusal([&] { static_cast<void>(mmr(index, std::vector<float>{0.0F}, found, {.lambda = 1.5F})); }) ==
          "invalid_argument: vicinal: mmr: lambda is 1.500000, it must be from 0 to 1");
    CHECK_THROWS_AS(mmr(index, std::vector<float>{0.0F, 1.0F}, found, {}), vicinal::error);
}
