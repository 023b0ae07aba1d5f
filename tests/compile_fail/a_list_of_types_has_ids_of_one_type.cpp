// SPDX-License-Identifier: MIT
// expect: vicinal: the indexes of one list have ids of one type
#include <cstdint>

#include "vicinal/flat.hpp"
#include "vicinal/index_types.hpp"

#ifdef MISUSE
using id_type = std::uint32_t;
#else
using id_type = std::uint64_t;
#endif
using types = vicinal::index_types<vicinal::flat_index<>, vicinal::flat_index<vicinal::l2, vicinal::sq8, id_type>>;

const types list;
