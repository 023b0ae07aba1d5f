// SPDX-License-Identifier: MIT
// What a user's first program looks like, which every consumer project here builds, with all warnings as errors. Of the
// indexes the exact one compiles fastest. It needs xsimd; of Eigen it is enough to see that it is there.
#include <cstdio>
#include <vector>
#ifdef VICINAL_SINGLE_HEADER
#include <vicinal.hpp>
#else
#include <vicinal/flat.hpp>
#endif

#if !__has_include(<Eigen/Dense>)
#error "whoever brings vicinal must bring Eigen"
#endif

int main() {
    vicinal::flat_index<vicinal::l2> index(4);
    index.add(42, std::vector<float>{1, 0, 0, 0});
    index.add(43, std::vector<float>{0, 1, 0, 0});
    index.add(44, std::vector<float>{0, 0, 2, 0});
    const std::vector<float> query{1, 0, 0, 0.5F};
    for (auto [id, distance] : index.search(query, 3))
        std::printf("%d %.2f\n", static_cast<int>(id), static_cast<double>(distance));
}
