// SPDX-License-Identifier: MIT
// What an hnsw_index says about its memory and its structure.
#pragma once

#include <algorithm>  // for min
#include <cstddef>    // for size_t

#include "vicinal/index/common/observers.hpp"
#include "vicinal/index/hnsw/graph/inspector.hpp"
#include "vicinal/index/hnsw/state.hpp"
#include "vicinal/params.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::hnsw {

template <class State>
[[nodiscard]] memory_report memory(const State& index) {
    memory_report report = memory_of_rows(index);
    const auto shared = index.locks.shared();
    const std::size_t of_writers = index.retired.memory() + index.known.memory() + index.mean.memory();
    report.links = index.graph.memory() + index.duplicates.memory() + of_writers;
    report.reserved += index.graph.reserved() + index.duplicates.reserved() + of_writers;
    std::size_t walking = 0;
    index.walks.for_each_idle([&](const walk_scratch& walk) { walking += walk.memory(); });
    report.scratch += walking;
    report.total += report.links + walking;
    report.reserved += walking;
    if (index.backing.memory() != 0)
        report.links += stored_rows(index) * ((index.graph.capacity(0) + 2) * sizeof(slot_t) + 1);
    return report;
}

/// Foretells what memory(index) says of an index like this empty one once `rows` rows, no two alike, are in.
template <class State>
[[nodiscard]] memory_report estimate_memory(const State& index, std::size_t rows) {
    memory_report report = estimate_memory_of_rows(index, rows, rows);
    const std::size_t of_writers = rows == 0 ? 0 : State::known_type::memory_of(rows) + index.mean.memory();
    report.links = index.graph.memory_of(rows) + of_writers;
    report.reserved += index.graph.reserved_of(rows) + of_writers;
    report.total += report.links;
    return report;
}

/// Counts rows that a damaged file says are arriving, though no upsert brings them.
template <class State>
[[nodiscard]] std::size_t strays(const State& index) {
    std::size_t arriving = 0;
    for (std::size_t i = 0; i < index.directory.high_water(); ++i)
        arriving += index.directory.state(static_cast<slot_t>(i)) == row_state::arriving ? 1U : 0U;
    return arriving - (std::min)(arriving, index.directory.arriving());
}

template <class State>
[[nodiscard]] check_report check(const State& index) {
    const auto shared = index.locks.shared();
    check_report report = graph_inspector(index.graph, index.directory, index.duplicates).run();
    check_directory(index, report);
    report.misplaced += strays(index);
    report.misplaced += false_duplicates(index.duplicates, index.known, index.directory.high_water());
    return report;
}

}  // namespace detail::hnsw

VICINAL_NAMESPACE_END
