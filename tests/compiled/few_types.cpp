// SPDX-License-Identifier: MIT
// In the place of hnsw.cpp and ivf.cpp of src/compiled.
#include "types.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

void append_hnsw_types(compiled_list&) {}
void append_ivf_types(compiled_list&) {}

}  // namespace detail

VICINAL_NAMESPACE_END
