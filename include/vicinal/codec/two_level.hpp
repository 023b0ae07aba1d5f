// Two codecs joined: a coarse one to travel by, a fine one to decide by.
#pragma once

#include "vicinal/concepts.hpp"

VICINAL_NAMESPACE_BEGIN

/// Stores every vector twice: indexes traverse the `Coarse` codes, which are small, and rerank the best of what they
/// found by the `Fine` codes. The `.rerank` parameter of a search says how many. It names two codecs and holds nothing:
/// storage/row_store.hpp keeps one store for each.
template <codec Coarse, codec Fine>
struct two_level {
    using coarse = Coarse;
    using fine = Fine;
};

VICINAL_NAMESPACE_END
