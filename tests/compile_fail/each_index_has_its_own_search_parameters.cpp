// SPDX-License-Identifier: MIT
// expect: ef
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"

#ifdef MISUSE
using index_type = vicinal::flat_index<>;
#else
using index_type = vicinal::hnsw_index<>;
#endif

std::size_t found(const index_type& index, std::span<const float> query);
std::size_t found(const index_type& index, std::span<const float> query) {
    return index.search(query, 10, {.ef = 64}).size();
}
