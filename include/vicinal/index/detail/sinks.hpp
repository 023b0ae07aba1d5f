// Where scored rows go: the k closest, all within a radius, or candidates for a rerank. Every scan and every list feeds
// one of these.
#pragma once

#include <bit>      // for countr_zero, popcount
#include <cstddef>  // for size_t, byte
#include <cstdint>  // for uint64_t
#include <span>     // for span
#include <vector>   // for vector

#include "vicinal/core/top_k.hpp"
#include "vicinal/index/filter.hpp"
#include "vicinal/storage/id_directory.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Whether row `slot` may be returned: it is live, and the caller's filter admits its id.
template <class Id>
class row_gate {
  public:
    row_gate(const id_directory<Id>& directory, const id_filter<Id>& filter) noexcept
        : directory_(directory), filter_(filter), filtered_(static_cast<bool>(filter)) {}
    [[nodiscard]] bool operator()(slot_t slot) const {
        return directory_.is_live(slot) && (!filtered_ || filter_(directory_.id(slot)));
    }
    [[nodiscard]] Id id(slot_t slot) const noexcept { return directory_.id(slot); }

  private:
    const id_directory<Id>& directory_;
    const id_filter<Id>& filter_;
    bool filtered_;
};

/// Keeps the out.size() closest rows, by id.
template <class Id>
class closest_sink {
  public:
    closest_sink(std::span<neighbor<Id>> out, const row_gate<Id>& gate) noexcept : kept_(out), gate_(gate) {}
    [[nodiscard]] float threshold() const noexcept { return kept_.threshold(); }
    void offer(slot_t slot, float distance) {
        if (gate_(slot)) kept_.push({gate_.id(slot), distance});
    }
    [[nodiscard]] std::size_t size() const noexcept { return kept_.size(); }
    [[nodiscard]] std::size_t finish() noexcept { return kept_.finish(); }

  private:
    top_k<Id> kept_;
    const row_gate<Id>& gate_;
};

/// Keeps the out.size() closest rows, by row number, for somebody to score again.
template <class Id>
class candidate_sink {
  public:
    candidate_sink(std::span<neighbor<slot_t>> out, const row_gate<Id>& gate) noexcept : kept_(out), gate_(gate) {}
    [[nodiscard]] float threshold() const noexcept { return kept_.threshold(); }
    void offer(slot_t slot, float distance) {
        if (gate_(slot)) kept_.push({slot, distance});
    }
    [[nodiscard]] std::size_t size() const noexcept { return kept_.size(); }

  private:
    top_k<slot_t> kept_;
    const row_gate<Id>& gate_;
};

/// Keeps every row within `radius`.
template <class Id>
class radius_sink {
  public:
    radius_sink(float radius, std::vector<neighbor<Id>>& out, const row_gate<Id>& gate) noexcept
        : radius_(radius), out_(out), gate_(gate) {}
    [[nodiscard]] float threshold() const noexcept { return radius_; }
    void offer(slot_t slot, float distance) {
        if (gate_(slot)) out_.push_back({gate_.id(slot), distance});
    }

  private:
    float radius_;
    std::vector<neighbor<Id>>& out_;
    const row_gate<Id>& gate_;
};

/// Offers those of `count` scored rows that a sink could keep; slot_of(i) is the number of row i.
template <class Sink, class SlotOf>
VICINAL_INLINE void offer_all(Sink& sink, const float* distances, std::size_t count, SlotOf slot_of) {
    float threshold = sink.threshold();
    for (std::size_t i = 0; i < count; ++i) {
        if (!(distances[i] <= threshold)) continue;  // also skips NaN, which only a damaged mapped file can hold
        sink.offer(slot_of(i), distances[i]);
        threshold = sink.threshold();
    }
}

/// Scores `count` <= 64 rows that lie `stride` bytes apart and offers those that a sink could keep; slot_of(i) is the
/// number of row i. A scorer with `close_rows` rules most of them out first.
template <class Scorer, class Sink, class SlotOf>
VICINAL_INLINE void offer_block(const Scorer& scorer, const std::byte* first, std::size_t stride, std::size_t count,
                                Sink& sink, SlotOf slot_of) {
    float distances[64];
    if constexpr (requires { scorer.close_rows(first, stride, count, 0.0F); }) {
        std::uint64_t close = scorer.close_rows(first, stride, count, sink.threshold());
        if (static_cast<std::size_t>(std::popcount(close)) * 4 < count) {
            for (; close != 0; close &= close - 1) {
                const auto i = static_cast<std::size_t>(std::countr_zero(close));
                scorer.score_block(first + i * stride, stride, 1, distances);
                offer_all(sink, distances, 1, [&](std::size_t) { return slot_of(i); });
            }
            return;
        }
    }
    scorer.score_block(first, stride, count, distances);
    offer_all(sink, distances, count, slot_of);
}

/// Rows are scored and offered this many at a time: enough to amortise the call, few enough for the L1 cache, and never
/// across the boundary of two segments of a chunked_rows.
inline constexpr std::size_t scan_block = 64;

/// Scores rows [0, count) of a store in order and offers them. before_block() runs before each block and may throw.
template <class Scorer, class Sink, class BeforeBlock>
void scan_rows(const Scorer& scorer, std::size_t count, Sink& sink, BeforeBlock before_block) {
    for (std::size_t first = 0; first < count; first += scan_block) {
        before_block();
        const std::size_t n = count - first < scan_block ? count - first : scan_block;
        offer_block(scorer, scorer.row(static_cast<slot_t>(first)), scorer.stride(), n, sink,
                    [&](std::size_t i) { return static_cast<slot_t>(first + i); });
    }
}

/// Scores the listed rows and offers them: when few ids are wanted, or for a rerank.
template <class Scorer, class Sink, class BeforeBlock>
void score_listed(const Scorer& scorer, std::span<const slot_t> slots, Sink& sink, BeforeBlock before_block) {
    float distances[scan_block];
    for (std::size_t first = 0; first < slots.size(); first += scan_block) {
        before_block();
        const std::size_t n = slots.size() - first < scan_block ? slots.size() - first : scan_block;
        scorer.score(slots.data() + first, n, distances);
        offer_all(sink, distances, n, [&](std::size_t i) { return slots[first + i]; });
    }
}

}  // namespace detail

VICINAL_NAMESPACE_END
