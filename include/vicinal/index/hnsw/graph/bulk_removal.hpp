// SPDX-License-Identifier: MIT
// Many rows leave an hnsw_index by one call: the whole is planned before anything changes.
#pragma once

#include <algorithm>      // for min
#include <cstddef>        // for size_t
#include <span>           // for span
#include <unordered_map>  // for unordered_map
#include <unordered_set>  // for unordered_set
#include <utility>        // for move, swap
#include <vector>         // for vector

#include "vicinal/core/math.hpp"
#include "vicinal/index/hnsw/graph/removal.hpp"
#include "vicinal/index/hnsw/state.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::hnsw {

/// Says which rows will stand in the graph when some have left it.
template <class State>
class directory_after {
  public:
    using set_type = std::unordered_set<slot_t, plain_hash>;

    directory_after(const State& index, const set_type& leaving) : directory_(index.directory), leaving_(leaving) {}
    [[nodiscard]] bool is_live(slot_t slot) const noexcept {
        return directory_.stands(slot) && !leaving_.contains(slot);
    }
    [[nodiscard]] row_state state(slot_t slot) const noexcept { return directory_.state(slot); }
    template <class F>
    void for_each_live(const F& f) const {
        for (std::size_t i = 0; i < directory_.high_water(); ++i)
            if (is_live(static_cast<slot_t>(i))) f(static_cast<slot_t>(i));
    }

  private:
    const id_map<typename State::id_type>& directory_;
    const set_type& leaving_;
};

/// Plans how the rows of some ids leave, and puts that in place a few ids at a time, each time with a sound graph. A
/// row of the graph leaves it if no duplicate of it stays. Links to rows that left are repaired afterwards, as by so
/// many single removals.
template <class State>
class bulk_removal {
    using Id = typename State::id_type;
    using mean_type = typename State::mean_type;

  public:
    /// Plans; throws bad_alloc with nothing changed. Some row of the graph must stay.
    /// ids        each in the index, none twice; alive as long as this
    /// mean_then  by which links are chosen afterwards
    bulk_removal(State& index, std::span<const Id> ids, mean_type mean_then)
        : index_(index), ids_(ids), mean_(std::move(mean_then)), changes_(index.graph) {
        find_leaving();
        for (std::size_t first = 0, next = 0; first < ids_.size(); first += at_once) {
            for (; next < leaving_.size() && leaving_[next].position < first + at_once; ++next)
                plan(leaving_[next].node);
            changes_.end_stage();
        }
        index_.retired.reserve(leaving_.size());
    }

    /// retire(i, row)   takes the i-th id away from its row, which is retired then
    /// moved(from, to)  is told that the row that arrives at `from` arrives at `to` instead
    template <class Retire, class Moved>
    void publish(const Retire& retire, const Moved& moved) noexcept {
        for (std::size_t first = 0; first < ids_.size(); first += at_once) {
            const auto exclusive = index_.locks.exclusive();
            changes_.publish();
            for (std::size_t i = first; i < (std::min)(ids_.size(), first + at_once); ++i) {
                const slot_t slot = index_.directory.find(ids_[i]);
                retire(i, slot);
                leave(slot, moved);
            }
            if (first + at_once >= ids_.size()) std::swap(index_.mean, mean_);
        }
        mend();
    }

  private:
    static constexpr std::size_t at_once = 64;

    /// A row of the graph that leaves it with the last of its ids.
    struct leaving_row {
        std::size_t position;
        slot_t node;
    };
    struct of_group {
        std::size_t leaving = 0;
        std::size_t left = 0;
    };

    void find_leaving() {
        std::unordered_map<slot_t, of_group, plain_hash> groups;
        for (const Id id : ids_) ++groups[index_.duplicates.node_of(index_.directory.find(id))].leaving;
        for (std::size_t i = 0; i < ids_.size(); ++i) {
            const slot_t node = index_.duplicates.node_of(index_.directory.find(ids_[i]));
            of_group& group = groups.find(node)->second;
            if (++group.left < group.leaving || stays(node, group.leaving)) continue;
            leaving_.push_back({i, node});
            leaving_set_.insert(node);
        }
    }
    /// Whether more rows than `leaving` have the vector of `node`.
    [[nodiscard]] bool stays(slot_t node, std::size_t leaving) const noexcept {
        std::size_t rows = 1;
        for (slot_t row = index_.duplicates.next(node); row != no_slot && rows <= leaving;
             row = index_.duplicates.next(row))
            ++rows;
        return rows > leaving;
    }
    void plan(slot_t node) {
        const directory_after<State> after(index_, leaving_set_);
        hnsw_consolidator<typename State::metric_type, typename State::fine_codec, typename State::isa_type,
                          directory_after<State>>
            consolidator(index_.metric, index_.rows.fine(), changes_, after, node, no_slot, mean_.point());
        consolidator.hand_over_children();
        consolidator.replace_entry([&](slot_t slot) { return !index_.duplicates.is_duplicate(slot); });
    }

    /// A retired row leaves; if others have its vector, one of them takes over its place. Readers are out.
    template <class Moved>
    void leave(slot_t slot, const Moved& moved) noexcept {
        const slot_t node = index_.duplicates.node_of(slot);
        const slot_t spare = index_.duplicates.next(node);
        if (spare == no_slot) {
            index_.known.erase(slot);
            index_.retired.add(slot);
            return;
        }
        index_.duplicates.detach_first(node);
        if (spare != slot) {
            const bool arrives = !index_.directory.is_live(spare);
            index_.directory.move_to(spare, slot);
            if (arrives) moved(spare, slot);
        }
        release(index_, spare);
    }
    /// Repairs links; where there is no memory for it, later removals do.
    void mend() noexcept {
        try {
            for (std::size_t i = 0; i < ids_.size() && index_.directory.retired() != 0; ++i) sweep_on(index_);
        } catch (...) {  // all has changed that the call promised
        }
    }

    State& index_;
    std::span<const Id> ids_;
    mean_type mean_;
    graph_changes changes_;
    std::vector<leaving_row> leaving_;  // in the order of positions
    typename directory_after<State>::set_type leaving_set_;
};

}  // namespace detail::hnsw

VICINAL_NAMESPACE_END
