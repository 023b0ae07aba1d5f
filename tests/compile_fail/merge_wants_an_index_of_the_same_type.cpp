// SPDX-License-Identifier: MIT
// expect: vicinal: merge takes an index of the same type
#include "vicinal/flat.hpp"

#ifdef MISUSE
using other_type = vicinal::flat_index<vicinal::cosine>;
#else
using other_type = vicinal::flat_index<>;
#endif

std::size_t merged(vicinal::flat_index<>& index, const other_type& other);
std::size_t merged(vicinal::flat_index<>& index, const other_type& other) { return index.merge(other); }
