// SPDX-License-Identifier: MIT
// find_room says where the tree over the rows of a graph has room for another child.
#pragma once

#include <cstddef>  // for size_t
#include <cstdint>  // for uint64_t

#include "vicinal/core/math.hpp"
#include "vicinal/core/types.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Returns the row to which `child` is added: `above`, or if that has all the children it may have, a row below it, on
/// a way down that each child draws for itself. Of the rows at depth d a drawn way meets each with probability 2^-d at
/// most, so it takes no more than about log2(rows) steps to one that has room, whatever the tree looks like.
///
/// child_at(row, i)  the i-th child of a row
template <class Graph, class ChildAt>
[[nodiscard]] slot_t find_room(const Graph& graph, slot_t above, slot_t child, const ChildAt& child_at) {
    for (std::uint64_t way = mix(child); graph.children(above) >= graph.child_limit(); way = mix(way))
        above = child_at(above, static_cast<std::size_t>(way % graph.children(above)));
    return above;
}

/// Returns the i-th child of a row among its links, or no_slot; i counts down by the children met.
template <class Graph>
[[nodiscard]] slot_t child_among_links(const Graph& graph, slot_t row, std::size_t& i) {
    for (const slot_t link : graph.links(row, 0))
        if (graph.parent(link) == row && i-- == 0) return link;
    return no_slot;
}

}  // namespace detail

VICINAL_NAMESPACE_END
