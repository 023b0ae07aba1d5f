// A codec for graphs that keeps codes of a row's neighbours beside the row's links.
#pragma once

#include "vicinal/concepts.hpp"

VICINAL_NAMESPACE_BEGIN

/// A codec for hnsw_index under l2, inner_product and cosine. Vectors are stored by `Fine`. Beside its links each row
/// keeps one bit a component of every neighbour: the sign of the difference between neighbour and row after a random
/// rotation (RaBitQ: Gao, Long 2024). A search estimates the distances of all neighbours of a row at once, from one
/// piece of memory, and reads the vectors of those rows only whose links it follows (SymphonyQG: Gou, Gao, Xu, Long
/// 2025). The distances it returns are exact for `Fine`. Cost: (n / 8 + 8) bytes for each of 2 * degree links a row, n
/// being dim rounded up to a multiple of 16. At degree 16 that is 768 bytes at 128 dimensions and 3.3 KiB at 768.
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
