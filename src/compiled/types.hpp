// SPDX-License-Identifier: MIT
// What each source of vicinal::compiled adds to the list of types.
#pragma once

#include <cstdint>  // for uint64_t
#include <vector>   // for vector

#include "vicinal/runtime/type_list.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

using compiled_list = std::vector<index_maker<std::uint64_t>>;

void append_hnsw_types(compiled_list& list);
void append_flat_types(compiled_list& list);
void append_ivf_types(compiled_list& list);

}  // namespace detail

VICINAL_NAMESPACE_END
