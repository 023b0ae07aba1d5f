// SPDX-License-Identifier: MIT
// What is read of an index by ids: vectors, distances, and which ids there are.
#pragma once

#include <algorithm>  // for fill, sort
#include <cstddef>    // for size_t
#include <cstdint>    // for uint64_t
#include <limits>     // for numeric_limits
#include <span>       // for span
#include <string>     // for string, to_string
#include <vector>     // for vector

#include "vicinal/core/vector_view.hpp"
#include "vicinal/index/common/call_stats.hpp"
#include "vicinal/index/common/encoding.hpp"
#include "vicinal/index/common/observers.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Decodes the vector of `id` by the fine codec. read_row(index, row, out), of the index's namespace, decodes a row.
/// While reading.
template <class State>
void read_id(const State& index, typename State::id_type id, std::span<float> out) {
    const slot_t slot = find_slot(index, id);
    if (slot == no_slot) fail_missing(id, "get");
    read_row(index, slot, out);
}
template <class State>
void read_vector(const State& index, typename State::id_type id, std::span<float> out) {
    if (out.size() != index.dim) fail_dimension("get: out", out.size(), index.dim);
    const auto shared = index.locks.shared();
    read_id(index, id, out);
}
template <class State>
void read_vectors(const State& index, std::span<const typename State::id_type> ids, std::span<float> out) {
    if (out.size() / index.dim != ids.size() || out.size() % index.dim != 0)
        fail(errc::invalid_argument, "get: " + std::to_string(out.size()) + " floats for " +
                                         std::to_string(ids.size()) + " vectors of " + std::to_string(index.dim));
    const auto shared = index.locks.shared();
    for (std::size_t i = 0; i < ids.size(); ++i) read_id(index, ids[i], out.subspan(i * index.dim, index.dim));
}

template <class State>
[[nodiscard]] std::vector<typename State::id_type> list_ids(const State& index) {
    std::vector<typename State::id_type> ids;
    {
        const auto shared = index.locks.shared();
        ids.reserve(index.directory.live());
        index.directory.for_each_live([&](slot_t slot) { ids.push_back(index.directory.id(slot)); });
    }
    std::sort(ids.begin(), ids.end());
    return ids;
}

/// Takes the distances of listed rows, in their order, to where they belong.
class distance_collector {
  public:
    /// slots      the rows, in the order in which they are pushed; some may be left out
    /// positions  where in `out` each belongs
    distance_collector(std::span<const slot_t> slots, std::span<const std::uint64_t> positions, std::span<float> out)
        : slots_(slots), positions_(positions), out_(out) {}
    [[nodiscard]] float threshold() const noexcept { return (std::numeric_limits<float>::max)(); }
    void push(slot_t slot, float distance) noexcept {
        while (slots_[next_] != slot) ++next_;
        out_[static_cast<std::size_t>(positions_[next_++])] = distance;
    }

  private:
    std::span<const slot_t> slots_;
    std::span<const std::uint64_t> positions_;
    std::span<float> out_;
    std::size_t next_ = 0;
};
/// Writes the distance of each id's vector, and returns how many ids there are. score_rows(index, buffers, rows,
/// collector, stats), of the index's namespace, pushes rows by the codec that decides.
template <class State>
std::size_t measure_ids(const State& index, vector_view query, std::span<const typename State::id_type> ids,
                        std::span<float> out) {
    if (ids.size() != out.size())
        fail(errc::invalid_argument, "distances: room for " + std::to_string(out.size()) + " distances of " +
                                         std::to_string(ids.size()) + " ids");
    auto lease = index.scratch.take();
    validate_query(index, *lease, query);
    const auto shared = index.locks.shared();
    call_stats stats(nullptr, lease->done, 0);
    std::fill(out.begin(), out.end(), std::numeric_limits<float>::infinity());
    lease->slots.clear();
    lease->keys.clear();
    for (std::size_t i = 0; i < ids.size(); ++i)
        if (const slot_t slot = find_slot(index, ids[i]); slot != no_slot) {
            lease->slots.push_back(slot);
            lease->keys.push_back(i);
        }
    distance_collector each(lease->slots, lease->keys, out);
    score_rows(index, *lease, std::span<const slot_t>(lease->slots), each, stats.now);
    return lease->slots.size();
}

}  // namespace detail

VICINAL_NAMESPACE_END
