// SPDX-License-Identifier: MIT
// What can be asked of an index of rows without searching it.
#pragma once

#include <cstddef>      // for size_t
#include <type_traits>  // for remove_cvref_t
#include <vector>       // for vector

#include "vicinal/index/common/index_rows.hpp"
#include "vicinal/params.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

template <class State>
[[nodiscard]] std::size_t live_rows(const State& index) {
    const auto shared = index.locks.shared();
    return index.directory.live();
}

/// The rows a file would hold: those in use, live or retired.
template <class State>
[[nodiscard]] std::size_t stored_rows(const State& index) noexcept {
    return index.directory.live() + index.directory.retired();
}

/// The live row of `id`, or no_slot. While reading or writing.
template <class State>
[[nodiscard]] slot_t find_slot(const State& index, typename State::id_type id) {
    if (index.backing.viewed()) index.id_table.make([&] { const_cast<State&>(index).directory.build_table(); });
    return index.directory.find(id);
}

template <class State>
[[nodiscard]] bool holds(const State& index, typename State::id_type id) {
    const auto shared = index.locks.shared();
    return find_slot(index, id) != no_slot;
}

/// Bytes of what every index of rows has.
template <class State>
[[nodiscard]] memory_report memory_of_rows(const State& index) {
    const auto shared = index.locks.shared();
    memory_report report;
    index.rows.for_each_store([&](const auto& codes) {
        report.vectors += codes.rows().memory();
        report.reserved += codes.rows().reserved();
    });
    report.vectors += index.learner.exact_memory;
    report.reserved += index.learner.exact_memory;
    if (!index.backing.viewed() || index.id_table.is_made()) {  // of a view, the table is all it owns
        report.ids = index.directory.memory();
        report.reserved += index.directory.reserved();
    }
    index.scratch.for_each_idle([&](const auto& buffers) { report.scratch += buffers.memory(); });
    const std::size_t file = index.backing.memory();
    report.total = file + report.vectors + report.ids + report.scratch + sizeof(State);
    report.reserved += file + report.scratch + sizeof(State);
    report.mapped = index.backing.mapped();
    if (file != 0) {
        const std::size_t rows = stored_rows(index);
        index.rows.for_each_store([&](const auto& codes) { report.vectors += rows * codes.rows().stride(); });
        report.ids += rows * (sizeof(typename State::id_type) + 1);
    }
    return report;
}

/// Foretells what memory_of_rows says of an index like this empty one once `rows` rows are in and no search has run.
/// coarse_rows  how many of them the coarse store holds: all, or none where codes lie in lists
template <class State>
[[nodiscard]] memory_report estimate_memory_of_rows(const State& index, std::size_t rows, std::size_t coarse_rows) {
    require_range("rows", rows, 0, max_slots);
    memory_report report;
    std::size_t in_store = coarse_rows;
    index.rows.for_each_store([&](const auto& codes) {
        report.vectors += codes.rows().memory_of(in_store);
        report.reserved += codes.rows().reserved_of(in_store);
        in_store = rows;
    });
    if constexpr (learns<typename State::store_type> && !fine_is_exact<typename State::store_type>)
        if (rows < learning_rows(index.dim)) {  // kept to learn from
            const std::size_t exact = rows * (sizeof(float) * index.dim + sizeof(typename State::id_type));
            report.vectors += exact;
            report.reserved += exact;
        }
    report.ids = index.directory.memory_of(rows);
    report.reserved += index.directory.reserved_of(rows) + sizeof(State);
    report.total = report.vectors + report.ids + sizeof(State);
    return report;
}

/// Searches count in the scratch they lease, so that none waits for another; those still running are not in yet.
template <class State>
[[nodiscard]] index_counters read_counters(const State& index) {
    index_counters counters = index.counted.read();
    index.scratch.for_each_idle([&](const auto& buffers) {
        counters.searches += buffers.done.searches;
        counters.distances += buffers.done.stats.distances;
        counters.hops += buffers.done.stats.hops;
        counters.lists += buffers.done.stats.lists;
        counters.reranks += buffers.done.stats.reranks;
    });
    return counters;
}

/// What the codec learned and clipped, of two levels both.
template <class State>
[[nodiscard]] codec_report report_codecs(const State& index) {
    const auto shared = index.locks.shared();
    learning_report halves[2];
    std::size_t half = 0;
    index.rows.for_each_store([&](const auto& codes) {
        if constexpr (trainable_codec<std::remove_cvref_t<decltype(codes.coder())>>)
            halves[half] = index.learner.report(half, codes.coder().trained());
        else
            halves[half].trained = true;
        ++half;
    });
    return {halves[0], halves[State::two_levels ? 1 : 0]};
}

template <class State>
void check_directory(const State& index, check_report& report) {
    report.live = index.directory.live();
    report.retired = index.directory.retired();
    index.directory.for_each_live([&](slot_t slot) {
        if (find_slot(index, index.directory.id(slot)) != slot) ++report.duplicate;
    });
}

}  // namespace detail

VICINAL_NAMESPACE_END
