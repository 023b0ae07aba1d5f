// SPDX-License-Identifier: MIT
// What core/top_k.hpp promises, and the order of core/types.hpp under it.
#include "vicinal/core/top_k.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "support/catch.hpp"

namespace {

using sizes = std::vector<std::size_t>;
using vicinal::closer;
using vicinal::top_k;
using hit = vicinal::neighbor<std::uint64_t>;
constexpr float infinity = std::numeric_limits<float>::infinity();

std::vector<hit> kept(std::size_t k, const std::vector<hit>& stream) {
    std::vector<hit> out(k);
    top_k<std::uint64_t> best(out);
    for (const hit& h : stream) best.push(h);
    CHECK(best.size() == std::min(k, stream.size()));
    out.resize(best.finish());
    return out;
}

std::vector<hit> sorted_and_cut(std::size_t k, std::vector<hit> stream) {
    std::sort(stream.begin(), stream.end(), [](const hit& a, const hit& b) {
        return a.distance != b.distance ? a.distance < b.distance : a.id < b.id;
    });
    stream.resize(std::min(k, stream.size()));
    return stream;
}

TEST_CASE("top_k: keeps the k smallest, ties by lower id") {
    const std::vector<hit> stream{{9, 1}, {4, 2}, {3, 1}, {7, 2}, {5, 0}, {1, 2}};
    CHECK(kept(4, stream) == std::vector<hit>{{5, 0}, {3, 1}, {9, 1}, {1, 2}});
}

TEST_CASE("top_k: equals sorting and cutting, for random streams in any order") {
    std::mt19937_64 random(11);
    for (int round = 0; round < 400; ++round) {
        const std::size_t n = random() % 200;
        const std::size_t values = 1 + random() % 20;  // few values, many ties
        std::vector<hit> stream;
        for (std::size_t i = 0; i < n; ++i) stream.push_back({i, static_cast<float>(random() % values) - 5.0F});
        std::shuffle(stream.begin(), stream.end(), random);
        for (const std::size_t k : sizes{1, 2, 10, 199, 300}) {
            CAPTURE(round, n, k);
            REQUIRE(kept(k, stream) == sorted_and_cut(k, stream));
        }
    }
}

TEST_CASE("top_k: k = 0 keeps nothing and admits nothing") {
    top_k<std::uint64_t> none{std::span<hit>()};
    CHECK(none.threshold() == -infinity);
    none.push({1, -infinity});
    CHECK(none.finish() == 0);
}

TEST_CASE("top_k: the threshold is infinite until k are kept, then the worst of them") {
    std::vector<hit> out(2);
    top_k<std::uint64_t> best(out);
    CHECK(best.threshold() == infinity);
    best.push({1, 5});
    CHECK(best.threshold() == infinity);
    best.push({2, 3});
    CHECK(best.threshold() == 5.0F);
    best.push({3, 9});
    CHECK(best.threshold() == 5.0F);
    best.push({0, 5});  // a tie with a lower id
    CHECK(best.threshold() == 5.0F);
    best.push({4, 4});
    CHECK(best.threshold() == 4.0F);
    CHECK(best.finish() == 2);
    CHECK(out == std::vector<hit>{{2, 3}, {4, 4}});
}

TEST_CASE("top_k: infinite distances are kept while there is room, negative zero ties with zero") {
    CHECK(kept(2, {{1, infinity}, {2, infinity}, {3, 1}}) == std::vector<hit>{{3, 1}, {1, infinity}});
    CHECK(kept(1, {{2, -0.0F}, {1, 0.0F}}).front().id == 1);
}

TEST_CASE("closer: orders by distance, then by id, also signed ids, and is strict") {
    using signed_hit = vicinal::neighbor<int>;
    CHECK(closer(signed_hit{5, 1}, signed_hit{-5, 2}));
    CHECK(closer(signed_hit{-5, 1}, signed_hit{5, 1}));
    CHECK_FALSE(closer(signed_hit{5, 1}, signed_hit{5, 1}));
}

}  // namespace
