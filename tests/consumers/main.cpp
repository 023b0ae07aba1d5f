// SPDX-License-Identifier: MIT
// What a user's first program looks like. Every consumer project here builds this file, with all warnings as errors.
#include <cstdio>
#include <vector>
#include <vicinal/vicinal.hpp>

int main() {
    vicinal::hnsw_index<vicinal::l2> index(4, {.degree = 8, .ef_construction = 32, .seed = 7});
    index.add(42, std::vector<float>{1, 0, 0, 0});
    index.add(43, std::vector<float>{0, 1, 0, 0});
    index.add(44, std::vector<float>{0, 0, 2, 0});
    const std::vector<float> query{1, 0, 0, 0.5F};
    for (auto [id, distance] : index.search(query, 3, {.ef = 16}))
        std::printf("%d %.2f\n", static_cast<int>(id), static_cast<double>(distance));
}
