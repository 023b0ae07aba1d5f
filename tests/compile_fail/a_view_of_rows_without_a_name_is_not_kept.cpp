// SPDX-License-Identifier: MIT
// expect: matrix_view
// expect: borrowed_range
#include <vector>

#include "vicinal/core/matrix_view.hpp"

std::vector<float> read_values();

float first_of_them();
float first_of_them() {
#ifdef MISUSE
    const vicinal::matrix_view rows(read_values(), 4);
#else
    const std::vector<float> values = read_values();
    const vicinal::matrix_view rows(values, 4);
#endif
    return rows[0][0];
}
