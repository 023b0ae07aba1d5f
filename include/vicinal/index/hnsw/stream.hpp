// SPDX-License-Identifier: MIT
// What nearest() of an hnsw_index walks on by: rows one by one, as they are asked for.
#pragma once

#include <algorithm>   // for clamp, max, sort, push_heap, pop_heap
#include <cstddef>     // for size_t
#include <cstdint>     // for uint64_t
#include <functional>  // for greater
#include <iterator>    // for prev
#include <memory>      // for make_unique
#include <set>         // for set
#include <span>        // for span
#include <vector>      // for vector

#include "vicinal/core/stop_token.hpp"
#include "vicinal/core/vector_view.hpp"
#include "vicinal/index/common/neighbor_stream.hpp"
#include "vicinal/index/common/stream.hpp"
#include "vicinal/index/hnsw/search.hpp"
#include "vicinal/index/hnsw/state.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::hnsw {

/// Follows the graph outwards from the query. The window holds the `ef` closest rows not yet handed out; the
/// closest of them is handed out once nothing left to follow is closer than the farthest. Rows at one distance go
/// out by id, so all that is no farther is followed before the first of them does. Between two steps the index may
/// change.
template <class State>
class stream final : public neighbor_stream<typename State::id_type>::source {
    using Id = typename State::id_type;
    using params_type = typename State::params_type;

  public:
    stream(const State& index, vector_view query, const params_type& params)
        : index_(index), stop_(params.stop), buffers_(index.scratch.take()) {
        validate_query(index, *buffers_, query);
        const auto shared = index.locks.shared();
        call_stats stats(params.stats, buffers_->done);
        begun_ = index.locks.publications();
        // A wider window than there are rows would be the same.
        width_ = std::clamp<std::size_t>(params.ef, 1, std::max<std::size_t>(1, stored_rows(index)));
        if (params.ef == 0) width_ = default_ef;
        answers_.ask(index.directory, params.filter);
        begin(make_fine_scorer(index, *buffers_), stats.now);
        did_ = stats.now;
    }

    bool next(neighbor<Id>& out) override {
        const auto shared = index_.locks.shared();
        call_stats stats(&did_, buffers_->done, 0);
        changed_ = index_.locks.publications() != begun_;
        const auto scorer = make_fine_scorer(index_, *buffers_);
        if (index_.times_reordered != times_reordered_) begin(scorer, stats.now);
        for (;;) {
            while (tied_.empty())
                if (!gather_tied(scorer, stats.now)) return false;
            const auto [key, id] = tied_.back();
            tied_.pop_back();
            const slot_t slot = row_of(key_slot(key), id);
            if (slot == no_slot || !may_give(slot)) continue;  // removed since it was reached
            const float distance = changed_ ? scorer.score(slot) : key_distance(key);
            if (distance > key_distance(key)) {  // the place of a row that was removed, taken by another
                enter(make_key(distance, slot));
                continue;
            }
            if (!given_.note(index_.directory.id(slot), changed_)) continue;
            out = {index_.directory.id(slot), distance};
            return true;
        }
    }
    [[nodiscard]] search_stats stats() const override { return did_; }

  private:
    struct tied {
        row_key key;
        Id id;
    };

    /// Begins to walk, also in an index whose rows have other numbers now than those met before; what was given is not
    /// given again.
    template <class Scorer>
    void begin(const Scorer& scorer, search_stats& stats) {
        window_.clear();
        for (auto* const rows : {&frontier_, &beyond_}) rows->clear();
        tied_.clear();
        begin_walk(index_, walk_);
        if (index_.directory.live() != 0) {
            const slot_t start = live_start(index_, start_of(index_, scorer, walk_, stats));
            if (walk_.visited.insert(start)) reach(scorer.score(start), start);
        }
        times_reordered_ = index_.times_reordered;
    }
    /// Takes all rows at the least distance out of the window into tied_, the lowest id last; false if there is
    /// none.
    template <class Scorer>
    bool gather_tied(const Scorer& scorer, search_stats& stats) {
        while (!frontier_.empty() && !(window_.size() >= width_ && frontier_.front() > *window_.rbegin()))
            follow(scorer, stats);
        if (window_.empty()) return false;
        while (!frontier_.empty() && no_farther(frontier_.front(), *window_.begin())) follow(scorer, stats);
        const row_key first = *window_.begin();
        while (!window_.empty() && no_farther(*window_.begin(), first)) {
            expand(*window_.begin());
            window_.erase(window_.begin());
            if (!beyond_.empty()) window_.insert(pop(beyond_));
        }
        std::sort(tied_.begin(), tied_.end(), [](const tied& a, const tied& b) { return a.id > b.id; });
        return true;
    }
    /// Puts all rows that a row of the graph stands for into tied_.
    void expand(row_key key) {
        if (!index_.directory.in_use(key_slot(key))) return;
        renew(expanding_).for_each(key_slot(key), [&](slot_t slot) {
            tied_.push_back({make_key(key_distance(key), slot), index_.directory.id(slot)});
        });
    }
    /// Where the id is by now: duplicates change places when one of them is removed.
    [[nodiscard]] slot_t row_of(slot_t slot, Id id) const {
        const auto& directory = index_.directory;
        const bool there = directory.in_use(slot) && directory.is_live(slot) && directory.id(slot) == id;
        return there || !changed_ ? slot : find_slot(index_, id);
    }
    /// An index that can change is sound, and may have more duplicates by now.
    duplicates_walk& renew(duplicates_walk& walk) const noexcept {
        if (!index_.backing.viewed()) walk = duplicates_walk(index_.duplicates, index_.directory.high_water());
        return walk;
    }
    /// Whether the distance of `a` is at most that of `b`, zeros of both signs being equal.
    [[nodiscard]] static bool no_farther(row_key a, row_key b) noexcept {
        return a >> 32 <= b >> 32 || key_distance(a) == key_distance(b);
    }
    template <class Scorer>
    void follow(const Scorer& scorer, search_stats& stats) {
        if ((stats.hops & 31) == 0) throw_if_stopped(stop_);
        const slot_t node = key_slot(pop(frontier_));
        if (!index_.directory.in_use(node)) return;  // its place was given back since
        const std::size_t count = score_fresh_links(index_.graph, scorer, node, 0, walk_, stats);
        for (std::size_t i = 0; i < count; ++i) reach(walk_.distances[i], walk_.fresh[i]);
    }
    void reach(float distance, slot_t slot) {
        const row_key key = make_key(distance, slot);
        push(frontier_, key);
        if (renew(reaching_).any_of(slot, [this](slot_t row) { return may_give(row); })) enter(key);
    }
    [[nodiscard]] bool may_give(slot_t slot) {
        const auto& directory = index_.directory;
        return directory.in_use(slot) && directory.is_live(slot) && answers_.admits(slot, directory.id(slot), changed_);
    }
    void enter(row_key key) {
        if (window_.size() < width_) {
            window_.insert(key);
        } else if (key > *window_.rbegin()) {
            push(beyond_, key);
        } else {
            window_.insert(key);
            push(beyond_, *window_.rbegin());
            window_.erase(std::prev(window_.end()));
        }
    }
    static void push(std::vector<row_key>& heap, row_key key) {
        heap.push_back(key);
        std::push_heap(heap.begin(), heap.end(), std::greater<>());
    }
    static row_key pop(std::vector<row_key>& heap) {
        std::pop_heap(heap.begin(), heap.end(), std::greater<>());
        const row_key key = heap.back();
        heap.pop_back();
        return key;
    }

    const State& index_;
    stop_token stop_;
    typename scratch_pool<typename State::scratch_type>::lease buffers_;
    search_stats did_;
    std::uint64_t begun_ = 0;  // what had been published of the index by then
    bool changed_ = false;     // whether anything was since
    std::size_t times_reordered_ = 0;
    filter_answers<Id> answers_;
    ids_given<Id> given_;
    walk_scratch walk_;
    std::size_t width_ = 0;
    std::set<row_key> window_;
    std::vector<row_key> frontier_;  // reached, not yet followed; closest first
    std::vector<row_key> beyond_;    // reached, farther than the window; closest first
    std::vector<tied> tied_;         // to be handed out next, the last first
    duplicates_walk reaching_{index_.duplicates, index_.backing.viewed() ? index_.directory.high_water() : 0};
    duplicates_walk expanding_ = reaching_;
};

template <class State>
[[nodiscard]] neighbor_stream<typename State::id_type> nearest(const State& index, vector_view query,
                                                               const typename State::params_type& params) {
    return neighbor_stream<typename State::id_type>(std::make_unique<stream<State>>(index, query, params));
}

}  // namespace detail::hnsw

VICINAL_NAMESPACE_END
