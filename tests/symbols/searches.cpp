// SPDX-License-Identifier: MIT
// Makes objects for several instruction sets, and a program of them: each is the function SEARCHES, which builds,
// changes, saves, loads and searches an index of the type INDEX of HEADER and returns 0 if the index found what it
// should. With SEARCHES_MAIN this is the program's main, which calls only the one compiled for the oldest machines.
#if defined(SEARCHES_MAIN)
int SEARCHES_MAIN();
int main() { return SEARCHES_MAIN(); }
#else
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>
#include <vicinal/codecs.hpp>
#include HEADER

int SEARCHES() {
    constexpr std::size_t rows = 600, dim = 32;
    using index_type = INDEX;
    std::vector<float> values(rows * dim);
    std::uint32_t state = 1;
    for (float& value : values) {
        state = state * 1664525U + 1013904223U;
        value = static_cast<float>(state >> 8) / 16777216.0F;
    }
    std::vector<std::uint64_t> ids(rows);
    for (std::size_t i = 0; i < rows; ++i) ids[i] = i;
    index_type index(dim);
    index.add(ids, vicinal::matrix_view<const float>(values.data(), rows, dim));
    index.remove(7);
    std::vector<std::byte> bytes;
    index.save(bytes);
    const auto loaded = index_type::load(std::span<const std::byte>(bytes));
    for (std::size_t i = 0; i < 50; ++i) {
        const auto hits = loaded.search(std::span<const float>(values.data() + i * dim, dim), 3);
        if (hits.size() != 3 || (hits[0].id == i) != (i != 7)) return 1;
    }
    return 0;
}
#endif
