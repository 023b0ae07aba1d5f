// SPDX-License-Identifier: MIT
// Near-duplicates: all pairs that are close, and groups of what is one and the same, of which one is kept.
#include <cstdio>
#include <vector>
#include <vicinal/hnsw.hpp>
#include <vicinal/joins.hpp>

#include "support.hpp"

int main() {
    // A thousand photos, of which each of the first ten was uploaded four times, compressed a little differently.
    constexpr std::size_t photos = 1000, copies = 3, count = photos + 10 * copies, dim = 32;
    auto values = some_vectors(photos, dim);
    const auto noise = some_vectors(10 * copies, dim, 8);
    for (std::size_t i = 0; i < noise.size(); ++i)
        values.push_back(values[i / (copies * dim) * dim + i % dim] + 0.02F * noise[i]);
    vicinal::hnsw_index<vicinal::l2> index(dim);
    index.add(first_ids(count), vicinal::matrix_view(values, dim));
    const float radius = 0.05F;  // l2 is squared, and so is the radius: look at some pairs to find one that suits

    // Pairs, for whoever looks at them. Threads search, and this function is called on this thread alone, in order.
    std::size_t pairs = 0;
    vicinal::self_join(index, radius,
                       [&](auto a, auto b, float distance) {
                           if (pairs++ < 3)
                               std::printf("%d and %d are %.4f apart\n", static_cast<int>(a), static_cast<int>(b),
                                           double{distance});
                       },
                       {.threads = 0});
    expect(pairs == 10 * 6, "six pairs of each four");

    // Groups: what is linked by close pairs, over others too. The first of each stays.
    const auto graph = vicinal::knn_graph(index, 5, {.threads = 0});
    std::vector<std::uint64_t> surplus;
    for (const auto& group : vicinal::connected_components(graph, radius))
        surplus.insert(surplus.end(), group.begin() + 1, group.end());
    const std::size_t removed = index.remove(surplus);
    std::printf("%zu pairs, %zu photos removed, %zu left\n", pairs, removed, index.size());
    expect(removed == 10 * copies && index.size() == photos, "one of each is left");
}
