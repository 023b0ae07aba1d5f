// SPDX-License-Identifier: MIT
// What `conan create` builds against the package it made.
#include <cstdio>
#include <vector>
#include <vicinal/flat.hpp>

#if !__has_include(<Eigen/Dense>)
#error "whoever brings vicinal must bring Eigen"
#endif

int main() {
    vicinal::flat_index<vicinal::l2> index(4);
    index.add(42, std::vector<float>{1, 0, 0, 0});
    index.add(43, std::vector<float>{0, 1, 0, 0});
    index.add(44, std::vector<float>{0, 0, 2, 0});
    for (auto [id, distance] : index.search(std::vector<float>{1, 0, 0, 0.5F}, 3))
        std::printf("%d %.2f\n", static_cast<int>(id), static_cast<double>(distance));
}
