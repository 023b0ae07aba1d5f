// SPDX-License-Identifier: MIT
#include "vicinal/hnsw.hpp"

#include "types.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

void append_hnsw_types(compiled_list& list) {
    list.push_back(maker_of<hnsw_index<l2>>());
    list.push_back(maker_of<hnsw_index<cosine>>());
    list.push_back(maker_of<hnsw_index<inner_product>>());
}

}  // namespace detail

VICINAL_NAMESPACE_END
