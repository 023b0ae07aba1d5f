// SPDX-License-Identifier: MIT
// What flat_index and ivf_index promise over rabitq, in dimensions where rows are passed over by their signs.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "support/batches.hpp"
#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/temporary.hpp"
#include "vicinal/codecs.hpp"
#include "vicinal/core/types.hpp"
#include "vicinal/params.hpp"

namespace rabitq_test {

using namespace vicinal_test;
using vicinal::f32;
using vicinal::rabitq;
using vicinal::two_level;
using hits_t = std::vector<vicinal::neighbor<>>;

constexpr std::size_t dim = 96;
inline const dataset& rows() {
    static const dataset made = clustered(3000, dim, 30);
    return made;
}
inline const dataset& queries() {
    static const dataset made = clustered(25, dim, 30, 3, 80);
    return made;
}

template <class Index>
void fill(Index& index, std::size_t n = 3000) {
    std::vector<std::uint64_t> ids(n);
    for (std::size_t i = 0; i < n; ++i) ids[i] = 7 * i + 1;
    index.add(ids, vicinal::matrix_view<const float>(rows().values.data(), n, dim));
}

/// All rows by the distance from what `get` gives, or in the order the index streams them.
template <class Index>
hits_t stream(const Index& index, std::span<const float> query, const typename Index::search_params& how) {
    hits_t all;
    for (const auto hit : index.nearest(query, how)) all.push_back(hit);
    return all;
}

/// Searches against ranges and streams, which look at every row.
template <class Index>
void check(Index& index) {
    fill(index);
    typename Index::search_params how;
    if constexpr (requires { how.nprobe; }) how.nprobe = 1000;
    const auto table = index.search(queries().view(), 10, how);
    std::size_t found = 0;
    for (std::size_t q = 0; q < queries().rows(); ++q) {
        const hits_t one = index.search(queries()[q], 10, how);
        REQUIRE(same_bits(table[q], one));
        const hits_t all = index.search_within(queries()[q], std::numeric_limits<float>::infinity());
        REQUIRE(all.size() == index.size());
        REQUIRE(same_bits(all, stream(index, queries()[q], how)));
        for (const auto& hit : one) found += std::find(all.begin(), all.begin() + 10, hit) != all.begin() + 10;
        for (const auto& hit : one) REQUIRE(std::find(all.begin(), all.end(), hit) != all.end());
        const hits_t near = index.search_within(queries()[q], all[20].distance);
        REQUIRE(near.size() >= 21);
        REQUIRE(same_bits(near, std::span(all).first(near.size())));
    }
    CHECK(found >= queries().rows() * 10 * 98 / 100);
    // Everything, if asked for.
    REQUIRE(index.search(queries()[0], index.size(), how).size() == index.size());
    // Only what the filter admits; its best are the best of those.
    how.filter = [](std::uint64_t id) { return id % 2 == 0; };
    const hits_t even = index.search(queries()[0], 10, how);
    REQUIRE(even.size() == 10);
    for (const auto& hit : even) REQUIRE(hit.id % 2 == 0);
}

template <class Index>
void check_files(Index& index) {
    const temporary_directory folder;
    index.save(folder / "index.vic");
    const Index loaded = Index::load(folder / "index.vic");
    const Index viewed = Index::view(folder / "index.vic");
    for (std::size_t q = 0; q < queries().rows(); ++q) {
        const hits_t hits = index.search(queries()[q], 10);
        REQUIRE(same_bits(loaded.search(queries()[q], 10), hits));
        REQUIRE(same_bits(viewed.search(queries()[q], 10), hits));
    }
}

}  // namespace rabitq_test
