// SPDX-License-Identifier: MIT
// What a flat index says about its structure.
#pragma once

#include "vicinal/index/common/observers.hpp"
#include "vicinal/index/flat/state.hpp"
#include "vicinal/params.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::flat {

template <class State>
[[nodiscard]] memory_report memory(const State& index) {
    return memory_of_rows(index);
}

/// Foretells what memory(index) says of an index like this empty one once `rows` rows are in.
template <class State>
[[nodiscard]] memory_report estimate_memory(const State& index, std::size_t rows) {
    return estimate_memory_of_rows(index, rows, rows);
}

template <class State>
[[nodiscard]] check_report check(const State& index) {
    const auto shared = index.locks.shared();
    check_report report;
    check_directory(index, report);
    return report;
}

}  // namespace detail::flat

VICINAL_NAMESPACE_END
