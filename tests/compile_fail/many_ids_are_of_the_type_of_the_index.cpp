// SPDX-License-Identifier: MIT
// expect: vicinal: ids must be of the index's id type
#include "vicinal/flat.hpp"

#ifdef MISUSE
using ids_type = std::vector<int>;
#else
using ids_type = std::vector<std::uint64_t>;
#endif

std::size_t removed(vicinal::flat_index<>& index, const ids_type& ids);
std::size_t removed(vicinal::flat_index<>& index, const ids_type& ids) { return index.remove(ids); }
