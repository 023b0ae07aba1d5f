// SPDX-License-Identifier: MIT
// Results that must be the same, bit for bit, on every path.
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstdint>
#include <span>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "vicinal/core/error.hpp"
#include "vicinal/core/stop_token.hpp"
#include "vicinal/core/types.hpp"
#include "vicinal/params.hpp"

namespace vicinal_test {

inline bool same_bits(std::span<const vicinal::neighbor<>> a, std::span<const vicinal::neighbor<>> b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
        return x.id == y.id && std::bit_cast<std::uint32_t>(x.distance) == std::bit_cast<std::uint32_t>(y.distance);
    });
}

/// A batch finds what its queries find one by one, and counts the same; but a flat_index chooses by how many queries
/// there are, and how long a filter takes, whether it measures admitted rows alone.
template <class Index>
void require_same(const Index& index, const dataset& queries, std::size_t k,
                  const typename Index::search_params& params = {}) {
    auto one = params;
    one.threads = 1;
    vicinal::search_stats apart, together;
    one.stats = &apart;
    auto batch = params;
    batch.stats = &together;
    const auto table = index.search(queries.view(), k, batch);
    REQUIRE(table.size() == queries.rows());
    for (std::size_t q = 0; q < queries.rows(); ++q)
        if (!same_bits(table[q], index.search(queries[q], k, one))) FAIL("query " << q << ", k " << k);
    const bool chooses = std::same_as<typename Index::search_params, vicinal::flat_search_params<>>;
    if (!chooses || !params.filter) REQUIRE(together.distances == apart.distances);
    REQUIRE(together.lists == apart.lists);
    REQUIRE(together.reranks == apart.reranks);
}

/// A batch ends when a filter triggers its stop, and when one throws. The index has `rows` rows, numbered from 0, in
/// lists that are all probed.
template <class Index>
void require_endings(const Index& index, const dataset& queries, std::size_t rows) {
    vicinal::stop_source source;
    std::size_t asked = 0;
    const auto stop_at = [&](std::uint64_t) {
        if (++asked == 500) source.request_stop();
        return true;
    };
    REQUIRE_THROWS_AS(
        (void)index.search(queries.view(), rows, {.nprobe = 8, .filter = stop_at, .stop = source.get_token()}),
        vicinal::error);
    REQUIRE(asked < rows * queries.rows());
    const auto throws = [&](std::uint64_t id) -> bool { return id == 1000 ? throw 7 : true; };
    REQUIRE_THROWS_AS((void)index.search(queries.view(), rows, {.nprobe = 8, .filter = throws}), int);
}

}  // namespace vicinal_test
