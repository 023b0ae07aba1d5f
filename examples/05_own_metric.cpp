// SPDX-License-Identifier: MIT
// A metric of your own, in all three indexes.
#include <cmath>
#include <cstdio>
#include <string_view>
#include <vector>
#include <vicinal/flat.hpp>
#include <vicinal/hnsw.hpp>
#include <vicinal/ivf.hpp>

#include "support.hpp"

// How one pair of components adds to the distance, and what becomes of the sum. V is float or a SIMD vector of floats,
// so the loop over the components is vectorised, and fused with the decoding of every codec.
struct manhattan {
    static constexpr std::string_view name = "manhattan";  // goes into files
    template <class V>
    static V accumulate(V acc, V q, V x) {
        using std::abs;
        return acc + abs(q - x);
    }
    static float finish(float sum) { return sum; }
};

template <class Index>
void try_it(const char* what, Index index) {
    constexpr std::size_t count = 1000, dim = 24;
    const auto values = some_vectors(count, dim);
    const vicinal::matrix_view rows(values, dim);
    index.add(first_ids(count), rows);

    const auto hits = index.search(rows[3], 2);
    float by_hand = 0;
    for (std::size_t i = 0; i < dim; ++i) by_hand += std::abs(rows[3][i] - rows[hits[1].id][i]);
    std::printf("%s: %d at %.3f, by hand %.3f\n", what, static_cast<int>(hits[1].id), hits[1].distance, by_hand);
    expect(hits[0].id == 3 && hits[0].distance == 0, "a vector is closest to itself");
    expect(std::abs(hits[1].distance - by_hand) < 1e-4F, "the distance is the one written by hand");
}

int main() {
    try_it("flat", vicinal::flat_index<manhattan>(24));
    try_it("ivf", vicinal::ivf_index<manhattan>(24, {.lists = 8}));
    try_it("hnsw", vicinal::hnsw_index<manhattan>(24));
}
