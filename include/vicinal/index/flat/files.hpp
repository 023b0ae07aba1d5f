// SPDX-License-Identifier: MIT
// A flat index's parts in a file, which are those of every index of rows.
#pragma once

#include <memory>  // for make_shared
#include <vector>  // for vector

#include "vicinal/index/common/files.hpp"
#include "vicinal/index/flat/state.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::flat {

template <class State, class Parts>
void write_parts(const State& index, Parts& out) {
    write_rows(index, out, std::make_shared<const std::vector<slot_t>>(slots_in_use(index)));
}

template <class State, class Parts>
void read_parts(State& index, const Parts& in) {
    read_rows(index, in);
    if (in.validate() && index.directory.retired() != 0) in.fail("a flat index has no retired rows");
}

/// Before the first change after a load.
template <class State>
void detach_from_file(State& index) {
    copy_from_file(
        index,
        [&](const auto& copy) {
            index.rows.for_each_store([&](auto& codes) { copy(codes.rows(), index.directory.high_water()); });
        },
        [] {});
}

}  // namespace detail::flat

VICINAL_NAMESPACE_END
