// SPDX-License-Identifier: MIT
// Search among some of the vectors: by a function of the id, or by a set of ids.
#include <cstdio>
#include <vector>
#include <vicinal/hnsw.hpp>

#include "support.hpp"

int main() {
    constexpr std::size_t count = 2000, dim = 16;
    const auto values = some_vectors(count, dim);
    const vicinal::matrix_view rows(values, dim);  // count rows of dim floats, one after the other
    vicinal::hnsw_index<vicinal::l2> index(dim);
    index.add(first_ids(count), rows);

    // Any callable bool(id). It is asked while the search runs, so the result is full: 5 even ids, not 5 hits less the
    // odd ones.
    const auto even = index.search(rows[77], 5, {.filter = [](auto id) { return id % 2 == 0; }});
    std::printf("even:");
    for (const auto& hit : even) std::printf(" %d", static_cast<int>(hit.id));
    std::printf("\n");
    expect(even.size() == 5, "five hits");
    for (const auto& hit : even) expect(hit.id % 2 == 0, "all of them even");

    // A set knows how many it holds, so that a search can score just those when they are few.
    const vicinal::id_set<std::uint64_t> in_stock{5, 77, 300, 1999};
    const auto stocked = index.search(rows[77], 10, {.filter = in_stock});
    std::printf("in stock:");
    for (const auto& hit : stocked) std::printf(" %d", static_cast<int>(hit.id));
    std::printf("\n");
    expect(stocked.size() == 4, "all four, though ten were asked for");
    expect(stocked[0].id == 77, "and 77 is closest to itself");
}
