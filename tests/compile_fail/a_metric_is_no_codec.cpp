// SPDX-License-Identifier: MIT
// expect: vicinal: Codec must model vicinal::codec
#include "vicinal/flat.hpp"

#ifdef MISUSE
vicinal::flat_index<vicinal::l2, vicinal::cosine> index_of_it(3);
#else
vicinal::flat_index<vicinal::cosine, vicinal::f32> index_of_it(3);
#endif
