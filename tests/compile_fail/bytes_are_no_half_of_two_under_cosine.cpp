// SPDX-License-Identifier: MIT
// expect: vicinal: i8 and u8 cannot be a half of two_level under cosine
#include "vicinal/flat.hpp"

#ifdef MISUSE
using metric = vicinal::cosine;
#else
using metric = vicinal::l2;
#endif

vicinal::flat_index<metric, vicinal::two_level<vicinal::sq4, vicinal::i8>> index_of_it(3);
