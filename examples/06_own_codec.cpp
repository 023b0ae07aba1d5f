// SPDX-License-Identifier: MIT
// A codec of your own, in all three indexes: here one bit a component, its sign.
#include <cstddef>
#include <cstdio>
#include <span>
#include <string_view>
#include <vector>
#include <vicinal/flat.hpp>
#include <vicinal/hnsw.hpp>
#include <vicinal/ivf.hpp>

#include "support.hpp"

struct sign_bits {
    static constexpr std::string_view name = "sign_bits";  // goes into files
    std::size_t n;                                         // the dimension
    std::size_t code_size() const { return (n + 7) / 8; }
    void encode(std::span<const float> v, std::span<std::byte> c) const {
        for (std::size_t i = 0; i < n; ++i) c[i / 8] = (i % 8 ? c[i / 8] : std::byte{}) | std::byte(v[i] < 0) << i % 8;
    }
    void decode(std::span<const std::byte> c, std::span<float> v) const {
        for (std::size_t i = 0; i < n; ++i) v[i] = std::to_integer<int>(c[i / 8] >> i % 8) % 2 ? -1.0F : 1.0F;
    }
};
static_assert(vicinal::codec<sign_bits>);

template <class Index>
void try_it(const char* what, Index index) {
    constexpr std::size_t count = 1000, dim = 64;
    const auto values = some_vectors(count, dim);
    const vicinal::matrix_view rows(values, dim);
    index.add(first_ids(count), rows);

    const auto hits = index.search(rows[9], 3);
    std::printf("%s: %d at %.3f, then %d at %.3f\n", what, static_cast<int>(hits[0].id), hits[0].distance,
                static_cast<int>(hits[1].id), hits[1].distance);
    expect(hits.size() == 3 && hits[0].id == 9, "the signs alone find a random vector again");
    const auto stored = index.get(9);
    for (std::size_t i = 0; i < dim; ++i) expect((stored[i] < 0) == (rows[9][i] < 0), "get returns the signs");
}

int main() {
    try_it("flat", vicinal::flat_index<vicinal::l2, sign_bits>(64));
    try_it("ivf", vicinal::ivf_index<vicinal::l2, sign_bits>(64, {.lists = 4}));
    try_it("hnsw", vicinal::hnsw_index<vicinal::l2, sign_bits>(64));
}
