// SPDX-License-Identifier: MIT
// expect: no matching (member )?function
#include <array>

#include "vicinal/flat.hpp"

std::size_t found(const vicinal::flat_index<>& index);
std::size_t found(const vicinal::flat_index<>& index) {
#ifdef MISUSE
    return index.search({{1.F, 2.F}, {3.F, 4.F}}, 3).size();
#else
    static constexpr std::array rows{1.F, 2.F, 3.F, 4.F};
    return index.search(vicinal::matrix_view(rows, 2), 3).size();
#endif
}
