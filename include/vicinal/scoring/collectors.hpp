// SPDX-License-Identifier: MIT
// A collector takes scored rows and keeps the k closest, all within a radius, or candidates for a rerank. Every scan
// and every list feeds one of these.
#pragma once

#include <bit>      // for countr_zero, popcount
#include <cstddef>  // for size_t, byte
#include <cstdint>  // for uint64_t
#include <span>     // for span
#include <vector>   // for vector

#include "vicinal/core/reservoir.hpp"
#include "vicinal/core/top_k.hpp"
#include "vicinal/filter.hpp"
#include "vicinal/scoring/scorer_concepts.hpp"
#include "vicinal/storage/id_map.hpp"
#include "vicinal/storage/row_bitmap.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Whether row `slot` may be returned: it is live, and the caller's filter admits its id.
template <class Id>
class row_selector {
  public:
    /// admitted  null, or what the filter said of every row: the live rows that it admits
    row_selector(const id_map<Id>& directory, const id_filter<Id>& filter,
                 const row_bitmap* admitted = nullptr) noexcept
        : directory_(directory), filter_(filter), admitted_(admitted), filtered_(static_cast<bool>(filter)) {}
    [[nodiscard]] bool operator()(slot_t slot) const {
        if (admitted_ != nullptr) return admitted_->contains(slot);
        return directory_.is_live(slot) && (!filtered_ || filter_(directory_.id(slot)));
    }
    [[nodiscard]] bool filtered() const noexcept { return filtered_; }
    [[nodiscard]] Id id(slot_t slot) const noexcept { return directory_.id(slot); }

  private:
    const id_map<Id>& directory_;
    const id_filter<Id>& filter_;
    const row_bitmap* admitted_;
    bool filtered_;
};

/// Keeps the out.size() closest rows, by id.
template <class Id>
class closest_collector {
  public:
    closest_collector(std::span<neighbor<Id>> out, const row_selector<Id>& selector) noexcept
        : kept_(out), selector_(selector) {}
    [[nodiscard]] float threshold() const noexcept { return kept_.threshold(); }
    void push(slot_t slot, float distance) {
        if (selector_(slot)) kept_.push({selector_.id(slot), distance});
    }
    [[nodiscard]] std::size_t size() const noexcept { return kept_.size(); }
    [[nodiscard]] std::size_t finish() noexcept { return kept_.finish(); }

  private:
    top_k<Id> kept_;
    const row_selector<Id>& selector_;
};

/// Keeps the k closest rows, by row number, for somebody to score again.
template <class Id>
class candidate_collector {
  public:
    /// memory  as a reservoir's
    candidate_collector(std::span<std::uint64_t> memory, std::size_t k, const row_selector<Id>& selector) noexcept
        : kept_(memory, k), selector_(selector) {}
    [[nodiscard]] float threshold() const noexcept { return kept_.threshold(); }
    void push(slot_t slot, float distance) {
        if (selector_(slot)) kept_.push(slot, distance);
    }
    [[nodiscard]] std::size_t size() const noexcept { return kept_.size(); }
    /// Writes their numbers, in no order. No push may follow.
    void finish(std::vector<slot_t>& slots) {
        slots.clear();
        for (const std::uint64_t key : kept_.finish()) slots.push_back(reservoir::number(key));
    }

  private:
    reservoir kept_;
    const row_selector<Id>& selector_;
};

/// Keeps every row within `radius`.
template <class Id>
class radius_collector {
  public:
    radius_collector(float radius, std::vector<neighbor<Id>>& out, const row_selector<Id>& selector) noexcept
        : radius_(radius), out_(out), selector_(selector) {}
    [[nodiscard]] float threshold() const noexcept { return radius_; }
    void push(slot_t slot, float distance) {
        if (selector_(slot)) out_.push_back({selector_.id(slot), distance});
    }

  private:
    float radius_;
    std::vector<neighbor<Id>>& out_;
    const row_selector<Id>& selector_;
};

/// Pushes those of `count` scored rows that a collector could keep; slot_of(i) is the number of row i, or
/// no_slot if it is not to be pushed.
template <row_collector Collector, class SlotOf>
VICINAL_INLINE void push_all(Collector& collector, const float* distances, std::size_t count, SlotOf slot_of) {
    float threshold = collector.threshold();
    for (std::size_t i = 0; i < count; ++i) {
        if (!(distances[i] <= threshold)) continue;  // also skips NaN, which only a damaged mapped file can hold
        const slot_t slot = slot_of(i);
        if (slot == no_slot) continue;
        collector.push(slot, distances[i]);
        threshold = collector.threshold();
    }
}

/// Rows are scored and pushed this many at a time: enough to amortise the call, few enough for the L1 cache, and never
/// across the boundary of two segments of a chunked_rows.
inline constexpr std::size_t scan_block = 64;

/// Pushes those of a block's rows whose bits are set in `close` as push_all does.
template <row_collector Collector, class SlotOf>
VICINAL_INLINE void push_close(Collector& collector, std::uint64_t close, const float* distances, SlotOf slot_of) {
    for (; close != 0; close &= close - 1) {
        const auto i = static_cast<std::size_t>(std::countr_zero(close));
        push_all(collector, distances + i, 1, [&](std::size_t) { return slot_of(i); });
    }
}
/// Says as bits which distances of a whole block are at most `threshold`, or NaN: few, so that a comparison of each
/// would take a fifth of the time of a scan of 256 bits a row.
template <class Scorer>
[[nodiscard]] VICINAL_INLINE std::uint64_t close_in_block(const float* distances, float threshold) {
    static_assert(scan_block == 64);
    return Scorer::not_above(distances, threshold) | std::uint64_t{Scorer::not_above(distances + 32, threshold)} << 32;
}

/// Scores `count` <= scan_block rows that lie `stride` bytes apart and pushes those that a collector could keep;
/// slot_of as for push_all. A scorer with `close_rows` rules most of them out first, one with `estimate` says which
/// could be kept.
template <class Scorer, row_collector Collector, class SlotOf>
VICINAL_INLINE void push_block(const Scorer& scorer, const std::byte* first, std::size_t stride, std::size_t count,
                               Collector& collector, SlotOf slot_of) {
    float distances[scan_block];
    if constexpr (estimate_scorer<Scorer>) {
        push_close(collector, scorer.estimate(first, stride, count, collector.threshold(), distances), distances,
                   slot_of);
        return;
    }
    if constexpr (prefilter_scorer<Scorer>) {
        std::uint64_t close = scorer.close_rows(first, stride, count, collector.threshold());
        if (static_cast<std::size_t>(std::popcount(close)) * 4 < count) {
            slot_t which[scan_block];
            std::size_t found = 0;
            for (; close != 0; close &= close - 1) which[found++] = static_cast<slot_t>(std::countr_zero(close));
            if (found == 0) return;
            scorer.score_some(first, stride, which, found, distances);
            push_all(collector, distances, found, [&](std::size_t i) { return slot_of(which[i]); });
            return;
        }
    }
    scorer.score_block(first, stride, count, distances);
    if constexpr (requires { Scorer::not_above(distances, 0.0F); }) {
        if (count == scan_block) {
            push_close(collector, close_in_block<Scorer>(distances, collector.threshold()), distances, slot_of);
            return;
        }
    }
    push_all(collector, distances, count, slot_of);
}

}  // namespace detail

VICINAL_NAMESPACE_END
