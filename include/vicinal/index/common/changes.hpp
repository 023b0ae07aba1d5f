// SPDX-License-Identifier: MIT
// Changes by one vector, and by the rows of another index: what they check is the same for every index.
#pragma once

#include <cstddef>  // for size_t
#include <span>     // for span
#include <vector>   // for vector

#include "vicinal/core/vector_view.hpp"
#include "vicinal/index/common/encoding.hpp"
#include "vicinal/index/common/reads.hpp"
#include "vicinal/index/common/writing.hpp"
#include "vicinal/params.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

// add_prepared and replace_prepared are functions of the index's namespace.

template <class State>
void add_vector(State& index, typename State::id_type id, vector_view vector) {
    const auto writing = lock_for_writing(index);
    auto lease = index.scratch.take();
    validate_row(index, *lease, vector);
    require_new(index.directory, id);
    add_prepared(index, *lease, id, vector);
}
template <class State>
void update_vector(State& index, typename State::id_type id, vector_view vector) {
    const auto writing = lock_for_writing(index);
    auto lease = index.scratch.take();
    validate_row(index, *lease, vector);
    replace_prepared(index, *lease, id, require_live(index.directory, id, "update"));
}
/// Returns whether the id is new.
template <class State>
bool upsert_vector(State& index, typename State::id_type id, vector_view vector) {
    const auto writing = lock_for_writing(index);
    auto lease = index.scratch.take();
    validate_row(index, *lease, vector);
    const slot_t slot = index.directory.find(id);
    if (slot == no_slot)
        add_prepared(index, *lease, id, vector);
    else
        replace_prepared(index, *lease, id, slot);
    return slot == no_slot;
}

/// All rows of an index, as they are decoded.
template <class Id>
struct decoded_rows {
    std::vector<Id> ids;
    std::vector<float> vectors;
};
template <class State>
[[nodiscard]] decoded_rows<typename State::id_type> decode_all(const State& index) {
    decoded_rows<typename State::id_type> all;
    const auto frozen = index.locks.frozen();
    const std::size_t rows = index.directory.live();
    all.ids.reserve(rows);
    all.vectors.resize(rows * index.dim);
    index.directory.for_each_live([&](slot_t slot) {
        if (all.ids.size() == rows) return;  // a damaged mapped file says what it likes
        read_row(index, slot, std::span(all.vectors).subspan(all.ids.size() * index.dim, index.dim));
        all.ids.push_back(index.directory.id(slot));
    });
    return all;
}

}  // namespace detail

VICINAL_NAMESPACE_END
