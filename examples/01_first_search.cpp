// SPDX-License-Identifier: MIT
// The first ten lines: an index, three vectors, a question.
#include <cstdio>
#include <vicinal/hnsw.hpp>

int main() {
    vicinal::hnsw_index<vicinal::cosine> index(3);  // vectors of 3 components, compared by direction
    index.add(10, {1.0F, 0.0F, 0.0F});
    index.add(20, {0.0F, 1.0F, 0.0F});
    index.add(30, {0.9F, 0.1F, 0.0F});

    const auto hits = index.search({1.0F, 0.05F, 0.0F}, 2);  // the two closest, closest first
    for (const auto& [id, distance] : hits) std::printf("%d at %.4f\n", static_cast<int>(id), distance);

    return hits.size() == 2 && hits[0].id == 10 && hits[1].id == 30 ? 0 : 1;
}
