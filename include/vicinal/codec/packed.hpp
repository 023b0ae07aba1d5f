// Codes of a graph node's neighbours kept with the node.
#pragma once

#include "vicinal/concepts.hpp"

VICINAL_NAMESPACE_BEGIN

/// For hnsw_index: vectors are stored by `Fine`, and each row carries, beside its links, a sign per component of the
/// differences between its neighbours and itself, after a random rotation (RaBitQ: Gao, Long 2024). A search estimates
/// the distances of all neighbours of a row at once, from one piece of memory, and takes the exact distance by `Fine`
/// of each row that it follows; no other vector is read (SymphonyQG: Gou, Gao, Xu, Long 2025). Distances returned are
/// Fine's. Costs, for dim rounded up to a multiple of 16, 32 links of (dim / 8 + 8) bytes a row at degree 16: 768 bytes
/// at 128 dimensions, 3.3 KiB at 768. For l2, inner_product and cosine.
template <codec Fine>
struct packed {
    using coarse = Fine;
    using fine = Fine;
};

namespace detail {

template <class Codec>
inline constexpr bool is_packed = false;
template <class Fine>
inline constexpr bool is_packed<packed<Fine>> = true;

}  // namespace detail

VICINAL_NAMESPACE_END
