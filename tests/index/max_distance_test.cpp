// SPDX-License-Identifier: MIT
// .max_distance: every call of every kind of index returns what it would without it, less what is farther.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/outcomes.hpp"
#include "vicinal/codec/f32.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/ivf.hpp"
#include "vicinal/metric/l2.hpp"

namespace {

using namespace vicinal_test;
using vicinal::errc, vicinal::matrix_view, vicinal::neighbor, vicinal::vector_view;
constexpr std::size_t dim = 6, count = 400, queries = 5, k = 12;
using hits = std::vector<neighbor<std::uint64_t>>;

hits closer_than(hits all, float most) {
    std::erase_if(all, [&](const auto& hit) { return !(hit.distance <= most); });
    return all;
}

template <class Index>
void check(const Index& index, const std::vector<float>& asked) {
    const auto table = index.search(matrix_view(asked.data(), queries, dim), k);
    for (std::size_t q = 0; q < queries; ++q) {
        const vector_view query(asked.data() + q * dim, dim);
        const auto all = index.search(query, k);
        REQUIRE(all.size() == k);
        // Below the first, equal to one, between two, and beyond the last.
        for (const float most :
             {all[0].distance / 2, all[4].distance, (all[6].distance + all[7].distance) / 2, 1e30F}) {
            const auto expected = closer_than(all, most);
            CHECK(index.search(query, k, {.max_distance = most}) == expected);
            const auto some = index.search(matrix_view(asked.data(), queries, dim), k, {.max_distance = most});
            CHECK(hits(some[q].begin(), some[q].end()) == closer_than(hits(table[q].begin(), table[q].end()), most));
            const float radius = all[8].distance;
            CHECK(index.search_within(query, radius, {.max_distance = most}) ==
                  index.search_within(query, (std::min)(radius, most)));
            hits streamed, plain;
            for (const auto& hit : index.nearest(query, {.max_distance = most})) streamed.push_back(hit);
            for (const auto& hit : index.nearest(query)) plain.push_back(hit);
            CHECK(streamed == closer_than(plain, most));
        }
        CHECK(index.search(query, k, {.max_distance = std::numeric_limits<float>::infinity()}) == all);
    }
    const vector_view query(asked.data(), dim);
    const float nan = std::numeric_limits<float>::quiet_NaN();
    CHECK_THAT(refusal(errc::invalid_argument, [&] { (void)index.search(query, k, {.max_distance = nan}); }),
               contains("max_distance is NaN"));
    CHECK_THAT(refusal(errc::invalid_argument, [&] { (void)index.nearest(query, {.max_distance = nan}); }),
               contains("max_distance is NaN"));
    CHECK_THAT(refusal(errc::invalid_argument, [&] { (void)index.search_within(query, 1, {.max_distance = nan}); }),
               contains("max_distance is NaN"));
    CHECK_THAT(refusal(errc::invalid_argument,
                       [&] { (void)index.search(matrix_view(asked.data(), queries, dim), k, {.max_distance = nan}); }),
               contains("max_distance is NaN"));
}

template <class Index>
void check_filled(Index index) {
    numbers random(31);
    std::vector<float> rows(count * dim), asked(queries * dim);
    for (float& x : rows) x = static_cast<float>(random.uniform());
    for (float& x : asked) x = static_cast<float>(random.uniform());
    std::vector<std::uint64_t> ids(count);
    for (std::size_t i = 0; i < count; ++i) ids[i] = i;
    index.add(ids, matrix_view(rows.data(), count, dim));
    check(index, asked);
}

}  // namespace

TEST_CASE("max distance: flat") { check_filled(vicinal::flat_index<vicinal::l2, vicinal::f32>(dim)); }
TEST_CASE("max distance: ivf") { check_filled(vicinal::ivf_index<vicinal::l2, vicinal::f32>(dim)); }
TEST_CASE("max distance: hnsw") { check_filled(vicinal::hnsw_index<vicinal::l2, vicinal::f32>(dim)); }
