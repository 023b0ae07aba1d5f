// SPDX-License-Identifier: MIT
// expect: vicinal: Id must be an integer type other than bool and char
#include "vicinal/hnsw.hpp"

#ifdef MISUSE
using id = double;
#else
using id = signed char;
#endif

vicinal::hnsw_index<vicinal::l2, vicinal::f32, id> index_of_it(3);
