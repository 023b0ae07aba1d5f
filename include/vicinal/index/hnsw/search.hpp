// How an hnsw_index answers: one query, a radius, or a stream of neighbours.
#pragma once

#include <algorithm>   // for clamp, max, min, sort, push_heap, pop_heap
#include <array>       // for array
#include <cstddef>     // for size_t
#include <cstdint>     // for uint64_t
#include <functional>  // for greater
#include <iterator>    // for prev
#include <memory>      // for unique_ptr, make_unique
#include <optional>    // for optional
#include <set>         // for set
#include <span>        // for span
#include <stop_token>  // for stop_token
#include <vector>      // for vector

#include "vicinal/index/common/neighbor_stream.hpp"
#include "vicinal/index/common/scratch_pool.hpp"
#include "vicinal/index/common/stream.hpp"
#include "vicinal/index/hnsw/graph/duplicates.hpp"
#include "vicinal/index/hnsw/graph/near_duplicates.hpp"
#include "vicinal/index/hnsw/graph/walk.hpp"
#include "vicinal/index/hnsw/state.hpp"
#include "vicinal/scoring/scan.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

template <class State>
class hnsw_queries {
  public:
    using Id = typename State::id_type;
    using params_type = hnsw_search_params<Id>;
    using scratch_type = typename State::scratch_type;

    explicit hnsw_queries(const State& state) noexcept : state_(state) {}

    std::size_t search(std::span<const float> query, std::span<neighbor<Id>> out, const params_type& params) const {
        auto lease = state_.scratch.take();
        auto walk = state_.walks.take();
        state_.validate_vector(*lease, "query", query);
        const auto reading = state_.locks.shared();
        call_stats stats(params.stats, lease->done);
        if (out.empty() || state_.directory.live() == 0) return 0;
        const row_selector<Id> admits(state_.directory, params.filter);
        closest_collector<Id> closest(out, admits);
        if (state_.list_few(params.filter, lease->slots)) {
            stats.now.distances += lease->slots.size();
            score_listed(state_.fine_scorer(*lease), std::span<const slot_t>(lease->slots), closest,
                         [&] { throw_if_stopped(params.stop); });
            return closest.finish();
        }
        const std::size_t width = std::max(params.ef != 0 ? params.ef : default_ef, out.size());
        find_closest(*lease, *walk, std::min(width, state_.stored_rows()), out.size(), params, admits, stats.now);
        deliver(*lease, *walk, out.size(), params, admits, closest, stats.now);
        return closest.finish();
    }

    [[nodiscard]] search_table<Id> search(matrix_view<const float> queries, std::size_t k,
                                          const params_type& params) const {
        return run_batch<Id>(queries, state_.dim, k, params, together,
                             [this](matrix_view<const float> some, auto room, std::span<std::size_t> found,
                                    const params_type& own) { this->search_together(some, room, found, own); });
    }

    [[nodiscard]] std::vector<neighbor<Id>> search_within(std::span<const float> query, float radius,
                                                          const params_type& params) const {
        require_radius(radius);
        auto lease = state_.scratch.take();
        auto walk = state_.walks.take();
        state_.validate_vector(*lease, "query", query);
        const auto reading = state_.locks.shared();
        call_stats stats(params.stats, lease->done);
        std::vector<neighbor<Id>> hits;
        if (state_.directory.live() == 0) return hits;
        const row_selector<Id> admits(state_.directory, params.filter);
        const auto scorer = state_.fine_scorer(*lease);
        const std::size_t width = std::min(params.ef != 0 ? params.ef : default_ef, state_.stored_rows());
        begin(*walk);
        const slot_t start = live_start(start_of(scorer, *walk, stats.now));
        search_lowest(scorer, start, width, *walk, stats.now, params.stop);
        radius_collector<Id> within(radius, hits, admits);
        duplicates_collector all(within, state_.copies, state_.directory.high_water());
        flood_within(state_.graph, scorer, radius, state_.directory.high_water(), *walk, stats.now, params.stop,
                     [&](slot_t node, float distance) { all.push(node, distance); });
        std::sort(hits.begin(), hits.end(), closer<Id>);
        return hits;
    }

    [[nodiscard]] neighbor_stream<Id> nearest(std::span<const float> query, const params_type& params) const {
        return neighbor_stream<Id>(std::make_unique<stream>(state_, query, params));
    }

  private:
    static constexpr std::size_t default_ef = 64;
    using walk_scorer_type = typename State::walk_scorer_type;
    using walk_type = beam_walk<hnsw_graph, walk_scorer_type>;

    /// One of the queries that take turns.
    struct turn {
        std::optional<typename scratch_pool<scratch_type>::lease> lease;
        std::optional<scratch_pool<walk_scratch>::lease> walk;
        std::optional<walk_scorer_type> scorer;
        std::optional<descent<hnsw_graph, walk_scorer_type>> upper;
        std::optional<walk_type> lowest;

        void begin(const hnsw_queries& index, search_stats& stats) {
            const State& state = index.state_;
            index.begin(**walk);
            scorer.emplace(state.walk_scorer_of_query(**lease));
            upper.emplace(state.graph, *scorer, **walk, stats);
            upper->begin(state.graph.entry(), state.graph.top_level(), 0);
        }
        void begin_lowest(const hnsw_queries& index, std::size_t width, search_stats& stats) {
            const State& state = index.state_;
            lowest.emplace(state.graph, *scorer, 0, **walk, stats);
            lowest->begin(upper->closest(), std::min(width, state.stored_rows()));
        }
    };

    /// How many queries take turns on one thread.
    static constexpr std::size_t together = 4;

    /// Searches for several queries on this thread, one computing while the memory accesses of the others pass. The
    /// results are those of search.
    template <class RoomOf>
    void search_together(matrix_view<const float> queries, const RoomOf& room, std::span<std::size_t> found,
                         const params_type& params) const {
        std::array<turn, together> turns;
        const std::size_t n = queries.rows();
        for (std::size_t i = 0; i < n; ++i) {
            turns[i].lease.emplace(state_.scratch.take());
            turns[i].walk.emplace(state_.walks.take());
            state_.validate_vector(**turns[i].lease, "query", queries[i]);
        }
        auto reading = state_.locks.shared();
        if (params.filter || state_.directory.retired() != 0) {  // these may need the other walk
            reading.unlock();
            for (std::size_t i = 0; i < n; ++i) found[i] = search(queries[i], room(i), params);
            return;
        }
        call_stats stats(params.stats, (*turns[0].lease)->done, n);
        if (room(0).empty() || state_.directory.live() == 0) return;
        const std::size_t width = std::max(params.ef != 0 ? params.ef : default_ef, room(0).size());
        const std::span<turn> all = std::span(turns).first(n);
        for (turn& t : all) t.begin(*this, stats.now);
        take_turns(
            all, params.stop, [](turn & t) -> auto& { return *t.upper; });
        for (turn& t : all) t.begin_lowest(*this, width, stats.now);
        // A walk by integers asks for enough short rows at once to keep the memory busy: several would only share the
        // cache.
        const std::size_t at_once = State::approximate_walk ? 1 : n;
        for (std::size_t i = 0; i < n; i += at_once)
            take_turns(
                all.subspan(i, at_once), params.stop, [](turn & t) -> auto& { return *t.lowest; });
        const row_selector<Id> admits(state_.directory, params.filter);
        for (turn& t : all) look_around(*t.scorer, **t.walk, stats.now, params.stop);
        for (std::size_t i = 0; i < n; ++i) ask_for_results(**turns[i].lease, **turns[i].walk, room(i).size());
        for (std::size_t i = 0; i < n; ++i) {
            closest_collector<Id> closest(room(i), admits);
            deliver(**turns[i].lease, **turns[i].walk, room(i).size(), params, admits, closest, stats.now);
            found[i] = closest.finish();
        }
    }

    /// Walks to the end; walk_of(turn) is a descent or a walk of the lowest level.
    template <class WalkOf>
    static void take_turns(std::span<turn> turns, const std::stop_token& stop, const WalkOf& walk_of) {
        std::array<turn*, together> going{};
        std::size_t left = 0;
        for (turn& t : turns) going[left++] = &t;
        for (std::size_t round = 0; left > 0; ++round) {
            if (round % 32 == 0) throw_if_stopped(stop);
            std::size_t still = 0;
            for (std::size_t i = 0; i < left; ++i)
                if (walk_of(*going[i]).gather()) {
                    if (left > 1) walk_of(*going[i]).prefetch();
                    going[still++] = going[i];
                }
            left = still;
            for (std::size_t i = 0; i < left; ++i) walk_of(*going[i]).absorb();
        }
    }

    void begin(walk_scratch& walk) const { walk.begin(state_.directory.high_water(), state_.graph.capacity(0)); }
    template <class Scorer>
    [[nodiscard]] slot_t start_of(const Scorer& scorer, walk_scratch& walk, search_stats& stats) const {
        return descend(state_.graph, scorer, state_.graph.entry(), state_.graph.top_level(), 0, walk, stats);
    }

    /// Where a walk that must find every live row begins: retired rows may have no links left but to retired rows, while
    /// upper links still lead to them. From any live row the tree leads to all others.
    [[nodiscard]] slot_t live_start(slot_t start) const noexcept {
        return state_.directory.retired() == 0 || state_.directory.is_live(start) ? start : state_.graph.entry();
    }

    /// Fills walk.pool with the closest rows by the coarse codec, of which at least min(k, all there are) can be
    /// returned.
    void find_closest(scratch_type& buffers, walk_scratch& walk, std::size_t width, std::size_t k,
                      const params_type& params, const row_selector<Id>& admits, search_stats& stats) const {
        const auto scorer = state_.walk_scorer_of_query(buffers);
        begin(walk);
        const slot_t start = start_of(scorer, walk, stats);
        if (!params.filter) {
            // Retired rows take places in the beam. They are few; when not few enough, the walk below leaves them out.
            search_lowest(scorer, start, width, walk, stats, params.stop);
            if (found_enough(walk.pool, k, admits)) return;
            begin(walk);
        }
        const slot_t from = live_start(start);
        filtered_beam_search(state_.graph, scorer, from, 0, width, of_duplicates(admits), walk, stats, params.stop);
    }
    template <class Scorer>
    void search_lowest(const Scorer& scorer, slot_t start, std::size_t width, walk_scratch& walk, search_stats& stats,
                       const std::stop_token& stop) const {
        beam_search(state_.graph, scorer, start, 0, width, walk, stats, stop);
        look_around(scorer, walk, stats, stop);
    }
    /// A beam full of near-copies of one row has not looked elsewhere.
    template <class Scorer>
    void look_around(const Scorer& scorer, walk_scratch& walk, search_stats& stats, const std::stop_token& stop) const {
        const float spread = crowd_in(walk.pool);
        if (spread < 0) return;
        auto other = state_.walks.take();
        begin(*other);
        leave_crowd(state_.graph, scorer, spread, walk, *other, stats, stop);
    }
    [[nodiscard]] bool found_enough(const beam& pool, std::size_t k, const row_selector<Id>& admits) const {
        if (state_.directory.retired() == 0) return true;
        const std::size_t wanted = std::min(k, state_.directory.live());
        const auto of_any = of_duplicates(admits);
        std::size_t count = 0;
        for (std::size_t i = 0; i < pool.size() && count < wanted; ++i)
            count += of_any.count(key_slot(pool[i]), wanted - count);
        return count >= wanted;
    }
    /// The same locks for rows of the graph, which stand for copies.
    [[nodiscard]] duplicates_selector<Id> of_duplicates(const row_selector<Id>& admits) const noexcept {
        return {admits, state_.copies, state_.directory.high_water()};
    }

    /// Asks for what deliver will read first.
    void ask_for_results(scratch_type& buffers, const walk_scratch& walk, std::size_t k) const noexcept {
        const auto fine = state_.fine_scorer(buffers);
        for (std::size_t i = 0; i < std::min(k, walk.pool.size()); ++i) {
            const slot_t slot = key_slot(walk.pool[i]);
            state_.directory.prefetch(slot);
            if constexpr (State::two_levels) fine.prefetch(&slot, 1);
        }
    }

    /// Hands the beam to the collector, by the fine codec's distances.
    void deliver(scratch_type& buffers, const walk_scratch& walk, [[maybe_unused]] std::size_t k,
                 const params_type& params, [[maybe_unused]] const row_selector<Id>& admits, closest_collector<Id>& kept,
                 search_stats& stats) const {
        const beam& pool = walk.pool;
        duplicates_collector closest(kept, state_.copies, state_.directory.high_water());
        if constexpr (!State::two_levels && !State::approximate_walk) {
            for (std::size_t i = 0; i < pool.size(); ++i) {
                if (const float distance = key_distance(pool[i]); distance <= closest.threshold())
                    closest.push(key_slot(pool[i]), distance);
                else
                    break;
            }
        } else {
            const bool number_given = State::two_levels && params.rerank != 0;
            const std::size_t most = number_given ? std::max(params.rerank, k) : pool.size();
            const bool choose = params.filter || state_.directory.retired() != 0;
            const auto of_any = of_duplicates(admits);
            buffers.candidates.clear();
            for (std::size_t i = 0; i < pool.size() && buffers.candidates.size() < most; ++i)
                if (!choose || of_any(key_slot(pool[i])))
                    buffers.candidates.push_back({key_slot(pool[i]), key_distance(pool[i])});
            if (!number_given) return state_.rerank_doubtful(buffers, closest, stats);
            buffers.slots.clear();
            for (const auto& candidate : buffers.candidates) buffers.slots.push_back(candidate.id);
            state_.rerank(buffers, closest, stats);
        }
    }

    /// Follows the graph outwards from the query. The window holds the `ef` closest rows not yet handed out; the
    /// closest of them is handed out once nothing left to follow is closer than the farthest. Rows at one distance go
    /// out by id, so all that is no farther is followed before the first of them does. Between two steps the index may
    /// change.
    class stream final : public neighbor_stream<Id>::source {
      public:
        stream(const State& state, std::span<const float> query, const params_type& params)
            : state_(state), stop_(params.stop), buffers_(state.scratch.take()) {
            state.validate_vector(*buffers_, "query", query);
            const auto reading = state.locks.shared();
            call_stats stats(params.stats, buffers_->done);
            begun_ = state.locks.publications();
            // A wider window than there are rows would be the same.
            width_ = std::clamp<std::size_t>(params.ef, 1, std::max<std::size_t>(1, state.stored_rows()));
            if (params.ef == 0) width_ = default_ef;
            if (state.directory.live() == 0) return;
            answers_.ask(state.directory, params.filter);
            const hnsw_queries queries(state);
            queries.begin(walk_);
            const auto scorer = state.fine_scorer(*buffers_);
            const slot_t start = queries.live_start(queries.start_of(scorer, walk_, stats.now));
            if (walk_.visited.insert(start)) reach(scorer.score(start), start);
            did_ = stats.now;
        }

        bool next(neighbor<Id>& out) override {
            const auto reading = state_.locks.shared();
            call_stats stats(&did_, buffers_->done, 0);
            changed_ = state_.locks.publications() != begun_;
            const auto scorer = state_.fine_scorer(*buffers_);
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
                if (!given_.note(state_.directory.id(slot), changed_)) continue;
                out = {state_.directory.id(slot), distance};
                return true;
            }
        }
        [[nodiscard]] search_stats stats() const override { return did_; }

      private:
        struct tied {
            row_key key;
            Id id;
        };

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
            if (!state_.directory.in_use(key_slot(key))) return;
            renew(expanding_).for_each(key_slot(key), [&](slot_t slot) {
                tied_.push_back({make_key(key_distance(key), slot), state_.directory.id(slot)});
            });
        }
        /// Where the id is by now: copies change places when one of them is removed.
        [[nodiscard]] slot_t row_of(slot_t slot, Id id) const {
            const bool there = state_.directory.in_use(slot) && state_.directory.is_live(slot) && state_.directory.id(slot) == id;
            return there || !changed_ ? slot : state_.find(id);
        }
        /// An index that can change is sound, and may have more copies by now.
        duplicates_walk& renew(duplicates_walk& walk) const noexcept {
            if (!state_.read_only) walk = duplicates_walk(state_.copies, state_.directory.high_water());
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
            if (!state_.directory.in_use(node)) return;  // its place was given back since
            const std::size_t count = score_fresh_links(state_.graph, scorer, node, 0, walk_, stats);
            for (std::size_t i = 0; i < count; ++i) reach(walk_.distances[i], walk_.fresh[i]);
        }
        void reach(float distance, slot_t slot) {
            const row_key key = make_key(distance, slot);
            push(frontier_, key);
            if (renew(reaching_).any_of(slot, [this](slot_t row) { return may_give(row); })) enter(key);
        }
        [[nodiscard]] bool may_give(slot_t slot) {
            return state_.directory.in_use(slot) && state_.directory.is_live(slot) && answers_.admits(slot, state_.directory.id(slot), changed_);
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

        const State& state_;
        std::stop_token stop_;
        typename scratch_pool<scratch_type>::lease buffers_;
        search_stats did_;
        std::uint64_t begun_ = 0;  // what had been published of the index by then
        bool changed_ = false;     // whether anything was since
        filter_answers<Id> answers_;
        ids_given<Id> given_;
        walk_scratch walk_;
        std::size_t width_ = 0;
        std::set<row_key> window_;
        std::vector<row_key> frontier_;  // reached, not yet followed; closest first
        std::vector<row_key> beyond_;    // reached, farther than the window; closest first
        std::vector<tied> tied_;  // to be handed out next, the last first
        duplicates_walk reaching_{state_.copies, state_.read_only ? state_.directory.high_water() : 0};
        duplicates_walk expanding_ = reaching_;
    };

    const State& state_;
};

}  // namespace detail

VICINAL_NAMESPACE_END
