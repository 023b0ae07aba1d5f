// SPDX-License-Identifier: MIT
// expect: vicinal: a deadline is a duration
#include <chrono>

#include "vicinal/flat.hpp"

std::size_t found(const vicinal::flat_index<>& index, std::span<const float> query);
std::size_t found(const vicinal::flat_index<>& index, std::span<const float> query) {
#ifdef MISUSE
    return index.search(query, 10, {.deadline = 5}).size();
#else
    return index.search(query, 10, {.deadline = std::chrono::milliseconds(5)}).size();
#endif
}
