// SPDX-License-Identifier: MIT
// What is checked before an index changes: its dimension, ids, and the vectors of a batch.
#pragma once

#include <algorithm>    // for adjacent_find, min, sort
#include <cstddef>      // for size_t
#include <span>         // for span
#include <string>       // for string, to_string
#include <string_view>  // for string_view
#include <vector>       // for vector

#include "vicinal/core/error.hpp"
#include "vicinal/core/executor.hpp"
#include "vicinal/core/rows_view.hpp"
#include "vicinal/filter.hpp"
#include "vicinal/storage/id_map.hpp"
#include "vicinal/storage/validation.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

inline constexpr std::size_t max_dim = std::size_t{1} << 20;

inline std::size_t checked_dim(std::size_t dim) {
    require_range("dim", dim, 1, max_dim);
    return dim;
}

template <class Id>
[[noreturn]] VICINAL_COLD void fail_duplicate(Id id, std::string_view where) {
    fail(errc::duplicate_id, "id " + text_of(id) + std::string(where));
}
template <class Id>
[[noreturn]] VICINAL_COLD void fail_missing(Id id, std::string_view call) {
    fail(errc::not_found, std::string(call) + ": the index holds no id " + text_of(id));
}

/// Refuses an id that a live row has.  throws  error{duplicate_id}
template <class Id>
void require_new(const id_map<Id>& directory, Id id) {
    if (directory.find(id) != no_slot) fail_duplicate(id, " is in the index already; use update to change it");
}
/// The live row of `id`.  throws  error{not_found}, naming the call
template <class Id>
[[nodiscard]] slot_t require_live(const id_map<Id>& directory, Id id, std::string_view call) {
    const slot_t slot = directory.find(id);
    if (slot == no_slot) fail_missing(id, call);
    return slot;
}

template <class Id>
[[nodiscard]] std::size_t count_absent(const id_map<Id>& directory, std::span<const Id> ids) noexcept {
    std::size_t count = 0;
    for (const Id id : ids) count += directory.find(id) == no_slot ? 1U : 0U;
    return count;
}
/// Those of `ids` that live rows have, each once, in their order.
template <class Id>
[[nodiscard]] std::vector<Id> ids_present(const id_map<Id>& directory, std::span<const Id> ids) {
    std::vector<Id> present;
    id_set<Id> seen;
    for (const Id id : ids)
        if (directory.find(id) != no_slot && seen.insert(id)) present.push_back(id);
    return present;
}

/// Throws what refused row `r` of a batch again, naming the row.
[[noreturn]] VICINAL_COLD inline void fail_in_batch(const error& e, std::size_t r) {
    // strip the "vicinal: " that error itself puts in front
    fail(e.code(), "row " + std::to_string(r) + " of the batch: " + std::string(e.what()).substr(9));
}

/// Everything about a batch that could refuse it, checked before anything changes.
/// call  its name; only "upsert" may name ids that are in the index
/// throws  error: invalid_argument, dimension_mismatch, duplicate_id, or what validate_and_prepare_row throws, naming
///         the row
template <class Codec, class Metric, class Id>
void check_batch(const Metric& metric, const id_map<Id>& directory, std::size_t dim, std::span<const Id> ids,
                 rows_view rows, executor_ref executor, std::string_view call = "add") {
    if (ids.size() != rows.rows())
        fail(errc::invalid_argument, std::string(call) + ": " + std::to_string(ids.size()) + " ids for " +
                                         std::to_string(rows.rows()) + " rows");
    if (rows.rows() == 0) return;
    if (rows.dim() != dim) fail_dimension(std::string(call) + ": each row", rows.dim(), dim);
    if (call != "upsert")
        for (const Id id : ids) require_new(directory, id);
    std::vector<Id> sorted(ids.begin(), ids.end());
    std::sort(sorted.begin(), sorted.end());
    if (const auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end())
        fail_duplicate(*twice, " stands twice in the batch");
    constexpr std::size_t block = 1024;
    parallel_for(executor, (rows.rows() + block - 1) / block, [&](std::size_t b) {
        std::vector<float> prepared(dim);
        for (std::size_t r = b * block; r < (std::min)(rows.rows(), (b + 1) * block); ++r) try {
                validate_and_prepare_row<Codec>(metric, rows[r], std::span<float>(prepared));
            } catch (const error& e) {
                fail_in_batch(e, r);
            }
    });
}

}  // namespace detail

VICINAL_NAMESPACE_END
