// SPDX-License-Identifier: MIT
// Two codecs joined: a coarse one to find candidates by, a fine one to rank them by.
#pragma once

#include "vicinal/concepts.hpp"

VICINAL_NAMESPACE_BEGIN

/// Stores every vector twice. Searches find candidates by the `Coarse` codes, which are small, and rank the best of
/// them again by the `Fine` codes, whose distances they return. The `.rerank` parameter of a search says how many. The
/// type only names the two codecs: storage/code_store.hpp keeps a store for each.
template <codec Coarse, codec Fine>
struct two_level {
    using coarse = Coarse;
    using fine = Fine;
};

VICINAL_NAMESPACE_END
