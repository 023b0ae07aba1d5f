// SPDX-License-Identifier: MIT
// A scan scores every row of a store or list in turn and pushes it to a collector. Rows whose distances have lower
// bounds are measured only as far as the bounds leave them possible.
#pragma once

#include <algorithm>   // for make_heap, max, min, pop_heap
#include <bit>         // for countr_zero
#include <cstddef>     // for size_t
#include <cstdint>     // for uint32_t, uint64_t
#include <functional>  // for greater
#include <limits>      // for numeric_limits
#include <span>        // for span
#include <vector>      // for vector

#include "vicinal/core/reservoir.hpp"
#include "vicinal/scoring/collectors.hpp"
#include "vicinal/simd/fast_scan.hpp"
#include "vicinal/simd/kernels.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Measures rows [begin, end), which slot_of names, and pushes them.
template <paced_bound_scorer Scorer, row_collector Collector, class SlotOf, class BeforeBlock>
void push_unbounded(const Scorer& scorer, std::size_t begin, std::size_t end, Collector& collector, SlotOf slot_of,
                    BeforeBlock before_block) {
    float distances[scan_block];
    slot_t slots[scan_block];
    for (std::size_t first = begin; first < end; first += scan_block) {
        before_block();
        std::size_t n = 0;
        for (std::size_t i = first; i < (std::min)(end, first + scan_block); ++i) {
            slots[n] = slot_of(static_cast<slot_t>(i));
            if (slots[n] != no_slot) ++n;
        }
        scorer.measure_all(slots, n, distances);
        push_all(collector, distances, n, [&](std::size_t i) { return slots[i]; });
    }
}

/// A row_measurer measures rows a few at a time, and knows what the bound of the next must not exceed.
template <bound_scorer Scorer, row_collector Collector, class SlotOf>
class row_measurer {
  public:
    row_measurer(const Scorer& scorer, const simd::row_table& rows, Collector& collector, SlotOf slot_of)
        : scorer_(scorer), rows_(rows), collector_(collector), slot_of_(slot_of) {
        settle();
    }
    /// What bounds must not exceed.
    [[nodiscard]] float limit() const noexcept { return limit_; }
    /// Queues a row whose bound does not exceed limit(), and measures the queue when it is full.
    void add(std::size_t row) {
        which_[noted_] = static_cast<slot_t>(row);
        slots_[noted_] = slot_of_(which_[noted_]);
        if (slots_[noted_] != no_slot && ++noted_ == at_once) settle();
    }
    /// Measures the queued rows.
    void settle() {
        if (noted_ != 0) {
            float distances[at_once];
            scorer_.measure(rows_, which_, slots_, noted_, collector_.threshold(), distances);
            push_all(collector_, distances, noted_, [&](std::size_t i) { return slots_[i]; });
            measured_ += noted_;
            noted_ = 0;
        }
        limit_ = scorer_.limit_of(collector_.threshold());
    }
    [[nodiscard]] std::size_t measured() const noexcept { return measured_; }

  private:
    static constexpr std::size_t at_once = 16;
    const Scorer& scorer_;
    const simd::row_table& rows_;
    Collector& collector_;
    SlotOf slot_of_;
    float limit_ = 0;
    std::size_t noted_ = 0;
    std::size_t measured_ = 0;
    slot_t which_[at_once];
    slot_t slots_[at_once];
};

/// Calls f(row, bound) for those of `count` bounds, of rows from `first` on, that do not exceed limit(), which is asked
/// for each 32.
template <bound_scorer Scorer, class Limit, class F>
void for_each_possible(const float* lower, std::size_t first, std::size_t count, Limit limit, F f) {
    for (std::size_t r = 0; r < count; r += simd::scan_lanes) {
        std::uint32_t possible = Scorer::not_above(lower + r, limit());
        if (count - r < simd::scan_lanes) possible &= (std::uint32_t{1} << (count - r)) - 1;
        for (; possible != 0; possible &= possible - 1) {
            const std::size_t i = r + static_cast<std::size_t>(std::countr_zero(possible));
            f(first + i, lower[i]);
        }
    }
}

/// How many rows from `first` on, at most `most`, surely lie in one segment of a chunked_rows. Both are multiples of
/// scan_block, `most` a power of two.
[[nodiscard]] constexpr std::size_t rows_in_line(std::size_t first, std::size_t most) noexcept {
    const std::size_t aligned = first == 0 ? scan_block : first & (~first + 1);
    return aligned < most ? aligned : most;
}

/// A lowest_bounds keeps the rows of a chunk whose bounds are lowest, to have them measured first. Where it takes
/// for_each(limit, f), that calls f(row, bound) for the chunk's rows in order whose bounds do not exceed limit(), which
/// it asks for each 32.
class lowest_bounds {
  public:
    /// Takes the bounds of a chunk; only those up to `limit` matter.
    template <class ForEach>
    void take(float limit, const ForEach& for_each) {
        reservoir lowest(keys_, lowest_kept);
        std::size_t possible = 0;
        for_each([&] { return (std::min)(limit, lowest.threshold()); },
                 [&](std::size_t row, float bound) {
                     lowest.push(static_cast<std::uint32_t>(row), bound);
                     ++possible;
                 });
        kept_ = lowest.finish().size();
        all_kept_ = kept_ == possible;
        std::make_heap(keys_, keys_ + kept_, std::greater<>());
    }

    /// Adds to `measurer` the rows with the lowest bounds, the lowest first, then all others that it leaves possible.
    template <class Measurer, class ForEach>
    void measure(Measurer& measurer, const ForEach& for_each) {
        std::uint64_t last = 0;
        for (; kept_ != 0 && reservoir::distance(keys_[0]) <= measurer.limit(); --kept_) {
            last = keys_[0];
            measurer.add(reservoir::number(last));
            std::pop_heap(keys_, keys_ + kept_, std::greater<>());
        }
        measurer.settle();
        if (kept_ != 0 || all_kept_) return;
        for_each([&] { return measurer.limit(); },
                 [&](std::size_t row, float bound) {
                     if (reservoir::key_of(static_cast<std::uint32_t>(row), bound) > last) measurer.add(row);
                 });
        measurer.settle();
    }

  private:
    static constexpr std::size_t lowest_kept = 128;
    std::uint64_t keys_[2 * lowest_kept];  // a reservoir's, then a heap
    std::size_t kept_ = 0;
    bool all_kept_ = true;  // that were possible
};

/// Rows are bounded a chunk at a time, the first of which is smaller: half as many more rows are measured if the first
/// 2048 are a chunk by themselves.
inline constexpr std::size_t bounded_together = 16384;
inline constexpr std::size_t bounded_first = bounded_together / 2;
/// Where the chunk that begins with row `begin` of `count` ends.
[[nodiscard]] constexpr std::size_t end_of_chunk(std::size_t begin, std::size_t count) noexcept {
    return (std::min)(begin + (begin == 0 ? bounded_first : bounded_together), count);
}

/// Has rows [begin, end), at most bounded_together, measured by their bounds. Those with the lowest bounds are measured
/// first, closest first, so that the threshold soon is about what it will be in the end; then the few others that it
/// leaves possible, in order. before_block() runs every few hundred rows.
/// memory  for bounds
template <bound_scorer Scorer, class Measurer, class BeforeBlock>
void measure_by_bounds(const Scorer& scorer, const simd::row_table& rows, std::size_t begin, std::size_t end,
                       Measurer& measurer, std::vector<float>& memory, BeforeBlock before_block) {
    constexpr std::size_t at_once = 512;  // by one call: of 32 rows a third of the time went into the calls
    const std::size_t room = round_up(end - begin, simd::scan_lanes);
    if (memory.size() < room) memory.resize(room);
    float* const lower = memory.data();
    lowest_bounds lowest;
    lowest.take(measurer.limit(), [&](auto limit, auto f) {
        for (std::size_t first = begin, n = 0; first < end; first += n) {
            before_block();
            n = (std::min)(rows_in_line(first, at_once), end - first);
            float* const here = lower + (first - begin);
            scorer.lower_bounds(rows[static_cast<slot_t>(first)], rows.stride, n, here);
            for_each_possible<Scorer>(here, first, n, limit, f);
        }
    });
    lowest.measure(measurer,
                   [&](auto limit, auto f) { for_each_possible<Scorer>(lower, begin, end - begin, limit, f); });
}

/// Pushes rows [begin, end), at most bounded_together, by a scorer that knows lower bounds.
template <bound_scorer Scorer, row_collector Collector, class SlotOf, class BeforeBlock>
void push_chunk(const Scorer& scorer, const simd::row_table& rows, std::size_t begin, std::size_t end,
                Collector& collector, SlotOf slot_of, std::vector<float>& memory, BeforeBlock before_block) {
    row_measurer<Scorer, Collector, SlotOf> measurer(scorer, rows, collector, slot_of);
    [[maybe_unused]] const bool limited = measurer.limit() < (std::numeric_limits<float>::max)();
    measure_by_bounds(scorer, rows, begin, end, measurer, memory, before_block);
    // What it took to have any results at all says little of the rows to come, unless it took many.
    if constexpr (paced_bound_scorer<Scorer>)
        if (limited || end - begin >= bounded_first / 2) scorer.bounded(end - begin, measurer.measured());
}

/// Pushes rows [0, count) of `rows`, any number, by a scorer that knows lower bounds. A scorer that says by
/// `worth_bounding` that bounds rule out too little has the next rows measured.
/// memory  for bounds
template <bound_scorer Scorer, row_collector Collector, class SlotOf, class BeforeBlock>
void push_by_bounds(const Scorer& scorer, const simd::row_table& rows, std::size_t count, Collector& collector,
                    SlotOf slot_of, std::vector<float>& memory, BeforeBlock before_block) {
    for (std::size_t begin = 0, end = 0; begin < count; begin = end) {
        end = end_of_chunk(begin, count);
        if constexpr (paced_bound_scorer<Scorer>) {
            const std::size_t worth = scorer.worth_bounding();
            end = begin + (std::min)(end - begin, (std::max)(worth, scan_block));
            if (worth == 0) {
                push_unbounded(scorer, begin, end, collector, slot_of, before_block);
                continue;
            }
        }
        push_chunk(scorer, rows, begin, end, collector, slot_of, memory, before_block);
    }
}

/// Scores rows [begin, end) of `rows` in order and pushes row i as slot_of(i). before_block() runs before each block
/// and may throw. begin is a multiple of scan_block.
template <class Scorer, row_collector Collector, class SlotOf, class BeforeBlock>
void scan_blocks(const Scorer& scorer, const simd::row_table& rows, std::size_t begin, std::size_t end,
                 Collector& collector, SlotOf slot_of, BeforeBlock before_block) {
    for (std::size_t first = begin; first < end; first += scan_block) {
        before_block();
        const std::size_t n = end - first < scan_block ? end - first : scan_block;
        push_block(scorer, rows[static_cast<slot_t>(first)], rows.stride, n, collector,
                   [&](std::size_t i) { return slot_of(static_cast<slot_t>(first + i)); });
    }
}

/// Scores rows by bounds if the scorer knows any, else as scan_blocks does.
/// memory  for the bounds
template <class Scorer, row_collector Collector, class SlotOf, class BeforeBlock>
void scan_rows(const Scorer& scorer, const simd::row_table& rows, std::size_t count, Collector& collector,
               SlotOf slot_of, std::vector<float>& memory, BeforeBlock before_block) {
    if constexpr (bound_scorer<Scorer>)
        push_by_bounds(scorer, rows, count, collector, slot_of, memory, before_block);
    else
        scan_blocks(scorer, rows, 0, count, collector, slot_of, before_block);
}

/// Names the rows of a store, which lie where their numbers say.
inline constexpr auto own_slot = [](slot_t row) { return row; };

/// Scores the listed rows and pushes them: when few ids are wanted, or for a rerank.
template <list_scorer Scorer, row_collector Collector, class BeforeBlock>
void score_listed(const Scorer& scorer, std::span<const slot_t> slots, Collector& collector, BeforeBlock before_block) {
    float distances[scan_block];
    for (std::size_t first = 0; first < slots.size(); first += scan_block) {
        before_block();
        const std::size_t n = slots.size() - first < scan_block ? slots.size() - first : scan_block;
        scorer.score(slots.data() + first, n, distances);
        push_all(collector, distances, n, [&](std::size_t i) { return slots[first + i]; });
    }
}

}  // namespace detail

VICINAL_NAMESPACE_END
