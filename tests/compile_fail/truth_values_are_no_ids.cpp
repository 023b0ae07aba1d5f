// SPDX-License-Identifier: MIT
// expect: vicinal: Id must be an integer type other than bool and char
#include "vicinal/flat.hpp"

#ifdef MISUSE
using id = bool;
#else
using id = unsigned short;
#endif

vicinal::flat_index<vicinal::l2, vicinal::f32, id> index_of_it(3);
