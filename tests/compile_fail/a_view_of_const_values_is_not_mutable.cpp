// SPDX-License-Identifier: MIT
// expect: matrix_view<float>
#include "vicinal/core/matrix_view.hpp"

#ifdef MISUSE
using value = float;
#else
using value = const float;
#endif

vicinal::matrix_view<value> view_of(vicinal::matrix_view<const float> rows);
vicinal::matrix_view<value> view_of(vicinal::matrix_view<const float> rows) { return rows; }
