// SPDX-License-Identifier: MIT
// Rows are added to an HNSW graph a batch at a time, against the graph as it was before the batch.
//
// A batch is planned without touching the graph: each new row finds candidates by a search of the frozen graph and by
// measuring the batch's earlier rows, and picks links from them; reverse links are grouped by target, so that each
// target is pruned once. The plan depends on the rows and their order only, never on how many threads made it.
// Publishing it copies finished rows of links.
#pragma once

#include <algorithm>    // for count_if, max, min, none_of, nth_element, sort
#include <cstddef>      // for ptrdiff_t, size_t
#include <cstdint>      // for uint32_t, uint64_t
#include <memory>       // for unique_ptr
#include <span>         // for span
#include <type_traits>  // for is_same_v
#include <utility>      // for move, pair
#include <vector>       // for vector

#include "vicinal/core/executor.hpp"
#include "vicinal/core/math.hpp"
#include "vicinal/index/common/locks.hpp"
#include "vicinal/index/common/scratch_pool.hpp"
#include "vicinal/index/hnsw/graph/filtered_walk.hpp"
#include "vicinal/index/hnsw/graph/graph.hpp"
#include "vicinal/index/hnsw/graph/link_distances.hpp"
#include "vicinal/index/hnsw/graph/near_duplicates.hpp"
#include "vicinal/index/hnsw/graph/planned_changes.hpp"
#include "vicinal/index/hnsw/graph/select_neighbors.hpp"
#include "vicinal/index/hnsw/graph/tree.hpp"
#include "vicinal/index/hnsw/graph/walk.hpp"
#include "vicinal/scoring/scorer.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Links a batch of rows into the graph.
template <class Metric, class Codec, class Isa>
class hnsw_builder {
  public:
    using store_type = code_store<Codec>;

    /// store  the rows by which links are chosen
    /// mean   what they have in common, see link_distances.hpp; alive as long as the builder
    hnsw_builder(const Metric& metric, const store_type& store, hnsw_graph& graph, std::size_t ef_construction,
                 scratch_pool<walk_scratch>& scratch, std::span<const float> mean)
        : metric_(metric),
          store_(store),
          graph_(graph),
          ef_construction_(ef_construction),
          scratch_(scratch),
          mean_(mean) {}

    /// Plans the links of new rows `slots`, whose codes are written and which graph.create has set up; is_live(row)
    /// says which older rows may be linked to. Changes nothing that a reader sees; `rows` is how many there are to
    /// search. Candidates are found by the distances of `walked`, which holds the same rows as `store` or coarser
    /// copies of them, and then measured by `store`. A row for which the copies do not order candidates as `store` does
    /// is searched for again by `store` alone, so links are as good as if all had been done by it.
    template <class Walked, class IsLive>
    void plan(std::span<const slot_t> slots, const code_store<Walked>& walked, std::size_t rows, bool any_retired,
              const IsLive& is_live, executor_ref executor) {
        slots_ = slots;
        picks_.resize(slots.size());
        parallel_for(executor, slots.size(), [&](std::size_t i) { pick(i, walked, rows, any_retired, is_live); });
        assign_parents();
        add_reverse_edges();
        parallel_for(executor, updates_.size(), [&](std::size_t u) { merge(updates_[u], is_live); });
    }

    /// Counts the planned rows that `store` alone had to search for, as `walked` could not tell candidates apart.
    [[nodiscard]] std::size_t walked_in_vain() const noexcept {
        return static_cast<std::size_t>(
            std::count_if(picks_.begin(), picks_.end(), [](const picked& p) { return p.walked_in_vain; }));
    }

    /// Calls f(row, level) for the links that the plan replaces, those of new rows among them.
    template <class F>
    void for_each_change(F&& f) const {
        for (const update& u : updates_) f(u.target, u.level);
    }

    /// Makes the plan a part of `changes` instead of publishing it.
    void move_to(graph_changes& changes) {
        for (update& u : updates_) changes.set_links({u.target, u.level, std::move(u.links)});
        for (const slot_t slot : slots_) changes.rise_to(slot);
    }

    /// Puts the plan in place. Readers are out.
    void publish() noexcept {
        constexpr std::size_t ahead = 8;
        for (std::size_t i = 0; i < updates_.size(); ++i) {
            if (i + ahead < updates_.size()) graph_.prefetch_links(updates_[i + ahead].target, 0);
            const update& u = updates_[i];
            graph_.set_links(u.target, u.level, std::span(u.links));
        }
        for (const slot_t slot : slots_)
            if (graph_.entry() == no_slot || graph_.level(slot) > graph_.top_level())
                graph_.set_entry(slot, graph_.level(slot));
    }

  private:
    struct picked {
        std::vector<std::vector<candidate>> by_level;
        bool walked_in_vain = false;
    };
    /// An edge is a reverse link that is to join the links of `target`.
    struct edge {
        std::size_t level;
        slot_t target;
        candidate source;
    };
    /// Holds the new links of one row on one level.
    struct update {
        slot_t target;
        std::size_t level;
        std::size_t batch_row;          // which new row this is, or none
        std::span<const edge> sources;  // the reverse links
        std::vector<slot_t> links;
    };
    static constexpr std::size_t none = ~std::size_t{0};
    static constexpr std::size_t width_outside = 64;  ///< of the beam that leaves a crowd
    using distances_type = row_distances<Metric, Codec, Isa>;

    // ---- candidates ------------------------------------------------------------------------------------------------

    template <class Walked, class IsLive>
    void pick(std::size_t i, const code_store<Walked>& walked, std::size_t rows, bool any_retired,
              const IsLive& is_live) {
        distances_type own(metric_, store_, mean_);
        const auto exact = own.from(slots_[i]);
        picks_[i].walked_in_vain = false;
        if constexpr (!std::is_same_v<Walked, Codec>) {
            row_distances<Metric, Walked, Isa> coarse(metric_, walked, mean_);
            if (pick(i, exact, coarse.from(slots_[i]), rows, any_retired, is_live)) return;
            picks_[i].walked_in_vain = true;
        }
        (void)pick(i, exact, exact, rows, any_retired, is_live);
    }
    /// Picks links of new row i: `walk_scorer` finds candidates, `exact` measures them. Returns false if the former
    /// does not order what it finds as the latter does; the picks are then not to be used.
    template <class Exact, class Walk, class IsLive>
    [[nodiscard]] bool pick(std::size_t i, const Exact& exact, const Walk& walk_scorer, std::size_t rows,
                            bool any_retired, const IsLive& is_live) {
        auto walk = scratch_.take();
        distances_type between(metric_, store_, mean_);
        const std::vector<candidate> batch = earlier_rows(i, exact);
        auto& picks = picks_[i].by_level;
        const std::size_t own_level = graph_.level(slots_[i]);
        picks.assign(own_level + 1, {});
        search_stats stats;
        walk->begin(rows, graph_.capacity(0));
        std::vector<float>& noted = walk->noted;
        noted.clear();
        const noting_scorer<Walk> noting(walk_scorer, noted);
        slot_t start = graph_.entry();
        const std::size_t top = graph_.top_level();
        if (start != no_slot && top > own_level) start = descend(graph_, noting, start, top, own_level, *walk, stats);
        for (std::size_t level = own_level + 1; level-- > 0;) {
            std::vector<candidate>& found = picks[level];
            bool crowded = false;
            if (start != no_slot && level <= top) {
                // A retired row may have no links left but to retired rows; the entry is live and on every level.
                const slot_t from = any_retired && !is_live(start) ? graph_.entry() : start;
                start = collect(noting, from, level, rows, any_retired, is_live, *walk, stats, found);
                crowded = found.size() == ef_construction_ && is_crowd(noted, found);
                if (crowded) {
                    // By coarse distances the rows of a crowd all look the same.
                    if constexpr (!std::is_same_v<Exact, Walk>) {
                        found.clear();
                        start = collect(noting_scorer<Exact>(exact, noted), from, level, rows, any_retired, is_live,
                                        *walk, stats, found);
                    }
                    leave_crowd(exact, level, rows, noted, is_live, *walk, stats, found);
                } else if constexpr (!std::is_same_v<Exact, Walk>) {
                    measure(exact, *walk, found);
                    if (found.size() >= ef_construction_ && !ordered_alike(found)) return false;
                }
            }
            for (const candidate& c : batch)
                if (graph_.level(c.slot) >= level) found.push_back(c);
            std::sort(found.begin(), found.end());
            if (!crowded && found.size() > ef_construction_) found.resize(ef_construction_);
            keep_links(slots_[i], found, graph_.degree(), 0, between);
            if constexpr (distances_type::may_center)
                if (start != no_slot && level <= top && leaves_room(found.size(), graph_.degree()))
                    add_nearest(i, level, start, rows, any_retired, is_live, *walk, found);
        }
        return true;
    }
    /// Says whether the rows found may be a crowd: other rows met on the way lie beyond a jump of the distances. Sorts
    /// `noted` if it has to look for one.
    [[nodiscard]] static bool is_crowd(std::vector<float>& noted, std::span<const candidate> found) {
        const float farthest = farthest_of(noted);
        const distance_jumps jumps(found.front().distance, farthest);
        return farthest > jumps.beyond(found.back().distance) &&
               jumps.before_jump(noted, found.back().distance) < farthest;
    }
    /// Adds candidates from beyond a jump between the distances found and those of all else that was met, if any.
    template <class Scorer, class IsLive>
    void leave_crowd(const Scorer& scorer, std::size_t level, std::size_t rows, std::vector<float>& noted,
                     const IsLive& is_live, walk_scratch& walk, search_stats& stats,
                     std::vector<candidate>& found) const {
        const float farthest = farthest_of(noted);
        const distance_jumps jumps(found.front().distance, farthest);
        const float crowd = jumps.before_jump(noted, found.back().distance);
        if (crowd == farthest) return;
        const slot_t closest = found.front().slot;
        walk.visited.begin(rows);
        spread_search(
            graph_, scorer, closest, level, width_outside,
            [&](float distance) { return distance > crowd ? jumps.blur(distance, crowd) : detail::infinite(); }, walk,
            stats, {});
        for (std::size_t r = 0; r < walk.pool.size(); ++r) {
            const candidate c{key_distance(walk.pool[r]), key_slot(walk.pool[r])};
            if (c.distance > crowd && is_live(c.slot)) found.push_back(c);
        }
    }
    /// Fills up the picks of row i on `level`, which are few, with its nearest rows.
    template <class IsLive>
    void add_nearest(std::size_t i, std::size_t level, slot_t start, std::size_t rows, bool any_retired,
                     const IsLive& is_live, walk_scratch& walk, std::vector<candidate>& found) {
        distances_type own(metric_, store_, mean_);
        distances_type between(metric_, store_, mean_);
        const slot_t from = any_retired && !is_live(start) ? graph_.entry() : start;
        std::vector<candidate> nearest;
        search_stats stats;
        collect(own.squares_from(slots_[i]), from, level, rows, any_retired, is_live, walk, stats, nearest);
        std::vector<slot_t> close;
        for (const candidate& c : nearest) close.push_back(c.slot);
        for (const slot_t earlier : slots_.first(i))
            if (graph_.level(earlier) >= level) close.push_back(earlier);
        fill_by_squares(slots_[i], found, 0, std::move(close), graph_.degree(), between);
    }
    template <class Exact>
    static void measure(const Exact& exact, walk_scratch& walk, std::vector<candidate>& found) {
        walk.make_room(found.size());
        for (std::size_t c = 0; c < found.size(); ++c) walk.fresh[c] = found[c].slot;
        exact.score(walk.fresh.data(), found.size(), walk.distances.data());
        for (std::size_t c = 0; c < found.size(); ++c) found[c].distance = walk.distances[c];
    }

    /// Says whether a beam, in the order in which a walk by coarse distances left it, has its closest rows by
    /// `distance` towards the front. If many of them stand in its last quarter, as many are likely to lie beyond its
    /// end: rows that the coarse distance cannot tell apart are in any order.
    [[nodiscard]] static bool ordered_alike(std::span<const candidate> found) {
        const std::size_t closest = std::min<std::size_t>(32, found.size() / 4);
        if (closest == 0) return true;
        std::vector<candidate> sorted(found.begin(), found.end());
        const auto last = sorted.begin() + static_cast<std::ptrdiff_t>(closest - 1);
        std::nth_element(sorted.begin(), last, sorted.end(), plain_less{});
        const auto quarter = found.last(found.size() / 4);
        const auto late =
            std::count_if(quarter.begin(), quarter.end(), [&](const candidate& c) { return !(*last < c); });
        return static_cast<std::size_t>(late) <= closest / 16;
    }

    /// Returns the batch's rows before row i with distances; a one-by-one build would have these in the graph.
    template <class Scorer>
    [[nodiscard]] std::vector<candidate> earlier_rows(std::size_t i, const Scorer& scorer) const {
        std::vector<float> distances(i);
        scorer.score(slots_.data(), i, distances.data());
        std::vector<candidate> batch(i);
        for (std::size_t j = 0; j < i; ++j) batch[j] = {distances[j], slots_[j]};
        return batch;
    }

    /// Searches a level of the frozen graph, adds to `found`, and returns where to start on the next level.
    template <class Scorer, class IsLive>
    slot_t collect(const Scorer& scorer, slot_t start, std::size_t level, std::size_t rows, bool any_retired,
                   const IsLive& is_live, walk_scratch& walk, search_stats& stats,
                   std::vector<candidate>& found) const {
        walk.visited.begin(rows);
        if (any_retired)
            filtered_beam_search(graph_, scorer, start, level, ef_construction_, is_live, walk, stats, {});
        else
            beam_search(graph_, scorer, start, level, ef_construction_, walk, stats, {});
        for (std::size_t r = 0; r < walk.pool.size(); ++r)
            found.push_back({key_distance(walk.pool[r]), key_slot(walk.pool[r])});
        return found.empty() ? start : found.front().slot;
    }

    // ---- the tree --------------------------------------------------------------------------------------------------

    /// Gives each new row a parent: its closest pick that has room for a child, or a row below its closest pick.
    void assign_parents() {
        adopted_.clear();
        adopted_.reserve(slots_.size());
        for (std::size_t i = 0; i < slots_.size(); ++i) {
            std::vector<candidate>& picks = picks_[i].by_level[0];
            if (picks.empty()) continue;  // the first row of all
            const slot_t parent = choose_parent(slots_[i], picks);
            if (std::none_of(picks.begin(), picks.end(), [&](const candidate& c) { return c.slot == parent; })) {
                distances_type own(metric_, store_, mean_);
                picks.push_back({own.from(slots_[i]).score(parent), parent});
            }
            graph_.set_parent(slots_[i], parent);
            adopted_.push_back({parent, slots_[i]});
        }
    }
    [[nodiscard]] slot_t choose_parent(slot_t slot, std::span<const candidate> picks) const noexcept {
        for (const candidate& c : picks)
            if (graph_.children(c.slot) < graph_.child_limit()) return c.slot;
        return find_room(graph_, picks.front().slot, slot,
                         [this](slot_t row, std::size_t i) { return child_at(row, i); });
    }
    [[nodiscard]] slot_t child_at(slot_t row, std::size_t i) const noexcept {
        if (const slot_t child = child_among_links(graph_, row, i); child != no_slot) return child;
        for (const auto& [parent, child] : adopted_)  // this batch's links are not in place yet
            if (parent == row && i-- == 0) return child;
        return no_slot;
    }

    // ---- reverse links ---------------------------------------------------------------------------------------------

    void add_reverse_edges() {
        std::vector<edge>& edges = edges_;
        edges.clear();
        updates_.clear();
        for (std::size_t i = 0; i < slots_.size(); ++i)
            for (std::size_t level = 0; level <= graph_.level(slots_[i]); ++level) {
                updates_.push_back({slots_[i], level, i, {}, {}});
                for (const candidate& c : picks_[i].by_level[level])
                    edges.push_back({level, c.slot, {c.distance, slots_[i]}});
            }
        const auto earlier = [](const auto& a, const auto& b) {
            return a.level != b.level ? a.level < b.level : a.target < b.target;
        };
        std::sort(updates_.begin(), updates_.end(), earlier);
        std::sort(edges.begin(), edges.end(), [&](const edge& a, const edge& b) {
            return earlier(a, b) || (!earlier(b, a) && a.source < b.source);
        });
        const std::size_t new_rows = updates_.size();
        std::size_t own = 0;
        for (std::size_t first = 0; first < edges.size();) {
            std::size_t last = first;
            while (last < edges.size() && !earlier(edges[first], edges[last])) ++last;
            while (own < new_rows && earlier(updates_[own], edges[first])) ++own;
            const bool is_new = own < new_rows && !earlier(edges[first], updates_[own]);
            if (!is_new) updates_.push_back({edges[first].target, edges[first].level, none, {}, {}});
            update& u = is_new ? updates_[own] : updates_.back();
            u.sources = std::span(edges).subspan(first, last - first);
            first = last;
        }
    }

    /// Makes the links a row ends up with: what it had or picked, and the reverse links; pruned if they are too many.
    template <class IsLive>
    void merge(update& u, const IsLive& is_live) {
        const std::size_t capacity = graph_.capacity(u.level);
        u.links.clear();
        if (u.batch_row != none)
            for (const candidate& c : picks_[u.batch_row].by_level[u.level]) u.links.push_back(c.slot);
        else
            for (const slot_t link : graph_.links(u.target, u.level)) u.links.push_back(link);
        const std::size_t had = u.links.size();
        for (const edge& e : u.sources) u.links.push_back(e.source.slot);
        if (u.links.size() <= capacity) return;
        std::vector<candidate> all = measured(u, had, is_live);
        std::sort(all.begin(), all.end());
        distances_type between(metric_, store_, mean_);
        prune_links(graph_, u.target, u.level, all, between, [](slot_t) { return false; });
        u.links.clear();
        for (const candidate& c : all) u.links.push_back(c.slot);
    }

    template <class IsLive>
    [[nodiscard]] std::vector<candidate> measured(const update& u, std::size_t had, const IsLive& is_live) const {
        distances_type own(metric_, store_, mean_);
        const std::size_t unmeasured = own.centers() ? u.links.size() : had;  // by sources, as d(a, b) = d(b, a)
        std::vector<float> distances(unmeasured);
        own.from(u.target).score(u.links.data(), unmeasured, distances.data());
        std::vector<candidate> all;
        all.reserve(u.links.size());
        for (std::size_t i = 0; i < had; ++i)
            if (u.batch_row != none || is_live(u.links[i])) all.push_back({distances[i], u.links[i]});
        for (std::size_t i = 0; i < u.sources.size(); ++i)
            all.push_back(
                {own.centers() ? distances[had + i] : u.sources[i].source.distance, u.sources[i].source.slot});
        return all;
    }

    const Metric& metric_;
    const store_type& store_;
    hnsw_graph& graph_;
    std::size_t ef_construction_;
    scratch_pool<walk_scratch>& scratch_;
    std::span<const float> mean_;
    std::span<const slot_t> slots_;
    std::vector<picked> picks_;
    std::vector<std::pair<slot_t, slot_t>> adopted_;  // (parent, child) of this batch
    std::vector<edge> edges_;
    std::vector<update> updates_;
};

}  // namespace detail

VICINAL_NAMESPACE_END
