// SPDX-License-Identifier: MIT
// nearest(): neighbours one by one, closest first, for as long as you want more. For when k is not known beforehand.
#include <cstdio>
#include <set>
#include <vector>
#include <vicinal/hnsw.hpp>

#include "support.hpp"

int main() {
    constexpr std::size_t count = 3000, dim = 8, shops = 20;
    const auto values = some_vectors(count, dim);
    const vicinal::matrix_view rows(values, dim);
    vicinal::hnsw_index<vicinal::l2> index(dim);
    index.add(first_ids(count), rows);

    // The closest article of each of five different shops.
    std::set<std::uint64_t> seen;
    for (const auto& hit : index.nearest(rows[0])) {
        if (!seen.insert(hit.id % shops).second) continue;  // this shop has been served
        std::printf("shop %2d: article %4d at %.3f\n", static_cast<int>(hit.id % shops), static_cast<int>(hit.id),
                    hit.distance);
        if (seen.size() == 5) break;  // the rest is never computed
    }
    expect(seen.size() == 5, "five shops");

    // When it is the distance that is known, search_within returns everything inside it.
    const auto close = index.search_within(rows[0], 1.0F);  // l2 is squared, and so is the radius
    std::printf("%zu articles within 1.0\n", close.size());
    expect(!close.empty() && close[0].id == 0, "the vector itself is among them");
    for (const auto& hit : close) expect(hit.distance <= 1.0F, "none is farther");
}
