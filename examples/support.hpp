// SPDX-License-Identifier: MIT
// What the examples share: numbers to search in, and a check that stops the program with a message.
#pragma once

#include <cstddef>  // for size_t
#include <cstdint>  // for uint64_t
#include <cstdio>   // for fprintf
#include <cstdlib>  // for exit
#include <numeric>  // for iota
#include <random>   // for mt19937
#include <vector>   // for vector

/// count * dim numbers from -1 to 1, the same in every run.
inline std::vector<float> some_vectors(std::size_t count, std::size_t dim, std::uint32_t seed = 7) {
    std::mt19937 random(seed);
    std::vector<float> out(count * dim);
    for (float& x : out) x = static_cast<float>(random() >> 8) * 0x1p-23F - 1;
    return out;
}

/// 0, 1, ... count - 1.
inline std::vector<std::uint64_t> first_ids(std::size_t count) {
    std::vector<std::uint64_t> out(count);
    std::iota(out.begin(), out.end(), std::uint64_t{0});
    return out;
}

inline void expect(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "not as expected: %s\n", what);
    std::exit(1);
}
