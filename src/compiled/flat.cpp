// SPDX-License-Identifier: MIT
#include "vicinal/flat.hpp"

#include "types.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

void append_flat_types(compiled_list& list) {
    list.push_back(maker_of<flat_index<l2>>());
    list.push_back(maker_of<flat_index<cosine>>());
    list.push_back(maker_of<flat_index<inner_product>>());
}

}  // namespace detail

VICINAL_NAMESPACE_END
