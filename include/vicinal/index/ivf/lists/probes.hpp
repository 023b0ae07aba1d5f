// SPDX-License-Identifier: MIT
// A search of an inverted file chooses the lists to probe and scans each of them.
#pragma once

#include <algorithm>  // for max, min
#include <cstddef>    // for size_t
#include <cstdint>    // for uint32_t, uint64_t, uintptr_t
#include <span>       // for span

#include "vicinal/core/reservoir.hpp"
#include "vicinal/index/ivf/lists/lists.hpp"
#include "vicinal/scoring/scan.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Returns how many of `lists` lists a search probes that asked for `nprobe`; 0 stands for 1/16 of them, at least 8.
[[nodiscard]] inline std::size_t probe_count(std::size_t nprobe, std::size_t lists) noexcept {
    return (std::min)(lists, nprobe != 0 ? nprobe : std::max<std::size_t>(8, lists / 16));
}

/// Keeps the closest centroids by list number.
class list_collector {
  public:
    /// memory  as a reservoir's
    list_collector(std::span<std::uint64_t> memory, std::size_t wanted) noexcept : kept_(memory, wanted) {}
    [[nodiscard]] float threshold() const noexcept { return kept_.threshold(); }
    void push(std::uint32_t list, float distance) noexcept { kept_.push(list, distance); }
    /// Writes the lists, closest first, ties by lower number, and returns how many there are.
    std::size_t finish(std::span<std::uint32_t> out) noexcept {
        const auto keys = kept_.finish_sorted();
        for (std::size_t i = 0; i < keys.size(); ++i) out[i] = reservoir::number(keys[i]);
        return keys.size();
    }

  private:
    reservoir kept_;
};

/// Writes the out.size() lists of `count` whose centroids score closest, closest first, ties to the lower number.
/// Returns how many there are.
/// memory  reservoir::room(out.size(), count)
template <class Scorer>
std::size_t closest_lists(const Scorer& centroids, std::size_t count, std::span<std::uint64_t> memory,
                          std::span<std::uint32_t> out) {
    list_collector collector(memory, out.size());
    scan_blocks(centroids, centroids.rows(), 0, count, collector, own_slot, [] {});
    return collector.finish(out);
}

/// How far ahead a scan of `list` bytes asks, of `all` bytes in all lists. What is asked for past the end is lost, so
/// short lists are read as they come.
[[nodiscard]] inline simd::scan_ahead ahead_in_list(std::size_t list, std::size_t all) noexcept {
    const std::size_t ahead = beyond_caches(all) ? simd::current_scan_ahead() : 0;
    return simd::scan_ahead(list >= 4 * ahead ? ahead : 0);
}

/// Shows the rows of a list as scans take them: where they lie, and which row of the index each is.
class listed_rows {
  public:
    /// rows_in_use  what row numbers are below
    listed_rows(const ivf_rows& list, std::size_t stride, std::size_t rows_in_use) noexcept
        : origin_(reinterpret_cast<std::uintptr_t>(list.codes)),
          stride_(stride),
          slots_(list.slots),
          rows_in_use_(rows_in_use) {}

    /// Where the rows lie, as long as this lives.
    [[nodiscard]] simd::row_table table() const noexcept { return {&origin_, stride_, 31}; }
    /// Which row of the index row i of the list is: no_slot if it is none, which only a damaged mapped file lists.
    [[nodiscard]] slot_t operator()(std::size_t i) const noexcept {
        const slot_t slot = slots_[i];
        return slot < rows_in_use_ ? slot : no_slot;
    }

  private:
    std::uintptr_t origin_;
    std::size_t stride_;
    const slot_t* slots_;
    std::size_t rows_in_use_;
};

/// Scores the rows of a list in order and pushes them, except those that are no row of the index. before_block() runs
/// before each block and may throw.
/// rows_in_use  what row numbers are below
/// bounds       memory for them, if the scorer knows any
template <class Scorer, class Collector, class BeforeBlock>
void scan_list(const Scorer& scorer, const ivf_rows& list, std::size_t stride, std::size_t rows_in_use,
               Collector& collector, std::vector<float>& bounds, BeforeBlock before_block) {
    const listed_rows rows(list, stride, rows_in_use);
    scan_rows(scorer, rows.table(), list.size, collector, rows, bounds, before_block);
}

}  // namespace detail

VICINAL_NAMESPACE_END
