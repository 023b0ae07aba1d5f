// SPDX-License-Identifier: MIT
#include "vicinal/ivf.hpp"

#include "types.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

void append_ivf_types(compiled_list& list) {
    list.push_back(maker_of<ivf_index<l2>>());
    list.push_back(maker_of<ivf_index<cosine>>());
    list.push_back(maker_of<ivf_index<inner_product>>());
}

}  // namespace detail

VICINAL_NAMESPACE_END
