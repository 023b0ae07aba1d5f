// SPDX-License-Identifier: MIT
// How rows come into an hnsw_index, change and go. Links are planned beside readers, and put in place at once.
#pragma once

#include <algorithm>  // for find, max, min
#include <array>      // for array
#include <cstddef>    // for size_t, byte
#include <memory>     // for unique_ptr, make_unique
#include <optional>   // for optional
#include <span>       // for span
#include <utility>    // for swap
#include <vector>     // for vector

#include "vicinal/index/common/batch_checks.hpp"
#include "vicinal/index/common/call_executor.hpp"
#include "vicinal/index/common/encoding.hpp"
#include "vicinal/index/common/learning.hpp"
#include "vicinal/index/common/reserving.hpp"
#include "vicinal/index/common/training.hpp"
#include "vicinal/index/common/writing.hpp"
#include "vicinal/index/hnsw/files.hpp"
#include "vicinal/index/hnsw/graph/build.hpp"
#include "vicinal/index/hnsw/graph/build_codes.hpp"
#include "vicinal/index/hnsw/graph/consolidate.hpp"
#include "vicinal/index/hnsw/graph/planned_changes.hpp"
#include "vicinal/index/hnsw/graph/recoding.hpp"
#include "vicinal/index/hnsw/graph/reordering.hpp"
#include "vicinal/index/hnsw/graph/room.hpp"
#include "vicinal/index/hnsw/graph/upcoming_rows.hpp"
#include "vicinal/index/hnsw/state.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::hnsw {

template <class State>
using builder_of = hnsw_builder<typename State::metric_type, typename State::fine_codec, typename State::isa_type>;
template <class State>
using build_codes_of = build_codes<typename State::metric_type, typename State::coarse_codec>;
template <class State>
using consolidator_of = hnsw_consolidator<typename State::metric_type, typename State::fine_codec,
                                          typename State::isa_type, id_map<typename State::id_type>>;
template <class State>
using learning_of = learning_step<State, graph_recoding<State>>;

/// Rows that are planned together: enough to share the pruning of their targets, few enough that measuring each against
/// those before it in the batch costs little beside its search.
inline constexpr std::size_t batch_rows = 256;
inline constexpr std::size_t build_codes_training_rows = 16384;

// ---- links of new rows ---------------------------------------------------------------------------------------------

/// What a large batch finds its candidates by, with all present rows in it; null where nothing is faster than the rows
/// themselves.
template <class State>
[[nodiscard]] std::unique_ptr<build_codes_of<State>> make_build_codes(const State& index,
                                                                      matrix_view<const float> vectors,
                                                                      executor_ref executor) {
    using codes_type = build_codes_of<State>;
    if constexpr (codes_type::possible) {
        if (!codes_type::pays(vectors.rows(), index.directory.high_water())) return nullptr;
        const auto sample = prepared_sample(index.metric, vectors, build_codes_training_rows);
        auto short_codes = std::make_unique<codes_type>(
            index.dim, matrix_view<const float>(std::span<const float>(sample), index.dim));
        short_codes->reserve(index.directory.high_water_after(vectors.rows()));
        short_codes->copy(
            index.rows.coarse(), index.directory.high_water(), [](std::size_t i) { return static_cast<slot_t>(i); },
            executor);
        return short_codes;
    } else {
        return nullptr;
    }
}

/// The mean by which links are chosen when rows `arriving`, whose codes are written, make `live` live ones; or one
/// leaves, if there are none.
template <class State>
[[nodiscard]] typename State::mean_type mean_after(const State& index, std::span<const slot_t> arriving,
                                                   std::size_t live) {
    const auto& directory = index.directory;
    const std::size_t present = directory.high_water();
    const auto is_sample = [&](slot_t slot) {
        return (slot < present && directory.is_live(slot)) ||
               std::find(arriving.begin(), arriving.end(), slot) != arriving.end();
    };
    return index.mean.after(std::max<std::size_t>(1, arriving.size()), directory.live() + directory.retired(), live,
                            index.rows.fine(), directory.high_water_after(arriving.size()), is_sample);
}
template <class State>
[[nodiscard]] builder_of<State> new_builder(State& index, const typename State::mean_type& mean_then) {
    return builder_of<State>(index.metric, index.rows.fine(), index.graph,
                             (std::max)(index.params.ef_construction, index.params.degree), index.walks,
                             mean_then.point());
}
/// walked  by whose distances candidates are found
template <class State, class Walked>
void plan(const State& index, builder_of<State>& builder, const upcoming_rows<State>& fresh,
          const code_store<Walked>& walked, executor_ref executor) {
    builder.plan(
        fresh.nodes(), walked, index.directory.high_water(), index.directory.retired() != 0,
        [&](slot_t slot) { return index.directory.is_live(slot); }, executor);
}

/// Links the rows and makes them live. before(builder) is told the plan while it can still be dropped.
/// walked  as for plan
/// returns  for how many rows that was in vain
template <class State, class Walked, class Before>
std::size_t link(State& index, upcoming_rows<State>& fresh, const code_store<Walked>& walked, executor_ref executor,
                 const Before& before) {
    auto mean_then = mean_after(index, fresh.slots(), index.directory.live() + fresh.slots().size());
    builder_of<State> builder = new_builder(index, mean_then);
    plan(index, builder, fresh, walked, executor);
    before(builder);
    const auto exclusive = index.locks.exclusive();
    builder.publish();
    fresh.insert();
    std::swap(index.mean, mean_then);  // what it replaces is freed when readers are in again
    return builder.walked_in_vain();
}

// ---- taking a batch back -------------------------------------------------------------------------------------------

/// Calls f(slot) for the first `count` rows that a batch added, the last first, with readers out for some at a time.
template <class State, class F>
void for_each_added(State& index, std::size_t count, const graph_journal& journal, const F& f) noexcept {
    while (count > 0) {
        const auto exclusive = index.locks.exclusive();
        for (std::size_t n = (std::min)(count, batch_rows); n > 0; --n) f(journal.added(--count));
    }
}
/// Retires the rows that a batch added, the last first: in the tree, rows come before those below them.
template <class State>
void retire_added(State& index, std::size_t count, const graph_journal& journal) noexcept {
    hnsw_graph& graph = index.graph;
    std::array<slot_t, hnsw_graph::max_level + 2> entries;  // one after the other, while the rows were added
    std::size_t last = 0;
    entries[0] = journal.entry();
    for (std::size_t i = 0; i < count; ++i)
        if (graph.level(journal.added(i)) > graph.level(entries[last])) entries[++last] = journal.added(i);
    for_each_added(index, count, journal, [&](slot_t slot) {
        graph.set_parent(slot, no_slot);
        if (slot == entries[last]) {
            --last;
            graph.set_entry(entries[last], graph.level(entries[last]));
        }
        if (index.duplicates.is_duplicate(slot))
            index.duplicates.detach_first(index.duplicates.node_of(slot));  // the last that came
        else
            index.known.erase(slot);
        index.directory.retire(slot);
    });
}
/// Undoes a batch: its first `count` rows, and what their links replaced; what was learned from it is then forgotten by
/// its learning_step. In steps that each leave a sound graph: rows are retired, then nothing links to them, then their
/// places are free.
template <class State>
void take_back(State& index, std::size_t count, graph_journal& journal,
               typename State::mean_type& mean_before) noexcept {
    hnsw_graph& graph = index.graph;
    if (count != 0 && journal.entry() == no_slot) {
        empty(index);
    } else if (count != 0) {
        retire_added(index, count, journal);
        for (bool more = true; more;) {
            const auto exclusive = index.locks.exclusive();
            more = journal.restore_some();
        }
        for_each_added(index, count, journal, [&](slot_t slot) {
            for (std::size_t level = 0; level <= graph.level(slot); ++level) graph.set_links(slot, level, {});
        });
        for_each_added(index, count, journal, [&](slot_t slot) {
            graph.destroy(slot);
            index.directory.release(slot);
        });
    }
    {
        const auto exclusive = index.locks.exclusive();
        graph.lower_upper(journal.upper_rows());
        std::swap(index.mean, mean_before);
    }
    graph.drop_upper();
    give_back(index, true);
}

// ---- taking rows out -----------------------------------------------------------------------------------------------

/// The row that is left over when the id of `leaving` goes: the first duplicate of its vector, or no_slot if there is
/// none, so that the row itself has to leave the graph.
template <class State>
[[nodiscard]] slot_t row_to_spare(const State& index, slot_t leaving) noexcept {
    return index.duplicates.next(index.duplicates.node_of(leaving));
}
/// Takes the id of `leaving` away, and lets that of `spare` have its row. Readers are out.
template <class State>
void retire(State& index, slot_t leaving, slot_t spare) noexcept {
    if (spare != no_slot) index.duplicates.detach_first(index.duplicates.node_of(spare));
    if (spare == no_slot || spare == leaving)
        index.directory.retire(leaving);
    else
        index.directory.retire_for(leaving, spare);
}
/// What follows when row `leaving` of the graph, unless that is no_slot, is retired, in favour of `arriving` if that is
/// a row: the tree, the entry, and a stretch of repairs.
template <class State>
void plan_removal(State& index, graph_changes& changes, slot_t leaving, slot_t arriving,
                  const typename State::mean_type& mean_then) {
    if (leaving == no_slot && index.directory.retired() == 0) return;
    consolidator_of<State> consolidator(index.metric, index.rows.fine(), changes, index.directory, leaving, arriving,
                                        mean_then.point());
    if (leaving != no_slot) {
        consolidator.hand_over_children();
        consolidator.replace_entry([&](slot_t slot) { return !index.duplicates.is_duplicate(slot); });
    }
    const auto [first, last] =
        index.retired.next_stretch(index.directory.high_water_after(arriving == no_slot ? 0 : 1));
    for (std::size_t row = first; row < last; ++row) consolidator.repair(static_cast<slot_t>(row));
}
/// Goes on behind the stretch that was repaired. Readers are out.
template <class State>
void advance_sweep(State& index) noexcept {
    if (index.directory.retired() != 0)
        index.retired.advance(index.directory.high_water(), [&](slot_t row) { release(index, row); });
}
/// The rest of it, when the id of `leaving` is gone and all that was planned is in place. Nothing links to `spare`, so
/// its place is free at once. Readers are out.
template <class State>
void finish_removal(State& index, slot_t leaving, slot_t spare) noexcept {
    if (spare == no_slot) {
        index.known.erase(leaving);
        index.retired.add(leaving);
    } else {
        release(index, spare);
    }
    advance_sweep(index);
}
/// Repairs links until nothing leads to a retired row any more, in the steps that removals would take.
template <class State>
void finish_sweep(State& index) {
    while (index.directory.retired() != 0) {
        graph_changes changes(index.graph);
        plan_removal(index, changes, no_slot, no_slot, index.mean);
        const auto exclusive = index.locks.exclusive();
        changes.publish();
        advance_sweep(index);
    }
}

// ---- calls ---------------------------------------------------------------------------------------------------------

template <class State>
void train(State& index, matrix_view<const float> vectors, const add_params& params) {
    const auto writing = lock_for_writing(index);
    train_codecs(index, vectors, params);
}

template <class State>
void add(State& index, typename State::id_type id, std::span<const float> vector) {
    const auto writing = lock_for_writing(index);
    auto lease = index.scratch.take();
    validate_vector(index, *lease, "vector", vector);
    require_new(index.directory, id);
    learning_of<State> learning(index, std::span(&id, 1), sample_of(*lease), {});
    require_decodable(index, *lease, lease->query.span());
    encode_query(index, *lease);
    make_room(index, 1);
    upcoming_rows<State> fresh(index, std::span(&id, 1), lease->code);
    link(index, fresh, index.rows.coarse(), {}, [](const auto&) {});
    index.counted.add(1);
    learning.finish(1);
}

/// Adds some rows of a batch. Candidates are found by `short_codes` if there are any, which are dropped where they cost
/// more than they save.
template <class State>
void add_some(State& index, std::span<const typename State::id_type> ids, std::span<const std::byte> row_codes,
              std::unique_ptr<build_codes_of<State>>& short_codes, graph_journal& journal, executor_ref executor) {
    upcoming_rows<State> fresh(index, ids, row_codes);
    const auto keep = [&](const builder_of<State>& planned) {
        planned.for_each_change([&](slot_t slot, std::size_t level) { journal.keep(slot, level); });
    };
    if (!short_codes) {
        link(index, fresh, index.rows.coarse(), executor, keep);
        return;
    }
    short_codes->copy(
        index.rows.coarse(), fresh.nodes().size(), [&](std::size_t i) { return fresh.nodes()[i]; }, executor);
    if (2 * link(index, fresh, short_codes->codes(), executor, keep) > ids.size()) short_codes.reset();
}

template <class State>
std::size_t add(State& index, std::span<const typename State::id_type> ids, matrix_view<const float> vectors,
                const add_params& how) {
    const auto writing = lock_for_writing(index);
    const call_executor executor(how.executor, how.threads, vectors.rows());
    check_batch<typename State::codec_type>(index.metric, index.directory, index.dim, ids, vectors, executor);
    if (vectors.empty()) return 0;
    auto mean_before = index.mean;
    std::optional<learning_of<State>> learning;
    graph_journal journal(index.graph, index.directory.high_water(), index.directory.upcoming_reused(vectors.rows()));
    std::vector<std::byte> row_codes;
    std::size_t done = 0;
    try {
        learning.emplace(index, ids, sample_of(index, vectors), executor);
        require_decodable(index, vectors, executor);
        make_room(index, vectors.rows());
        auto short_codes = make_build_codes(index, vectors, executor);
        while (done < vectors.rows() && !how.stop.stop_requested()) {
            const std::size_t n = (std::min)(batch_rows, vectors.rows() - done);
            encode_batch(index, vectors.rows(done, n), row_codes, executor);
            add_some(index, ids.subspan(done, n), row_codes, short_codes, journal, executor);
            done += n;
            if (how.progress) how.progress(done, vectors.rows());
        }
    } catch (...) {
        take_back(index, done, journal, mean_before);
        throw;
    }
    if (done == 0) take_back(index, 0, journal, mean_before);
    if (done < vectors.rows()) give_back(index);
    index.counted.add(done);
    learning->finish(done);
    return done;
}

/// Puts a planned removal in place, with the row that comes instead, if one does: insert() makes it live.
template <class State, class Insert>
void publish_removal(State& index, slot_t leaving, slot_t spare, graph_changes& changes,
                     typename State::mean_type& mean_then, const Insert& insert) noexcept {
    const auto exclusive = index.locks.exclusive();
    retire(index, leaving, spare);
    changes.publish();
    insert();
    std::swap(index.mean, mean_then);  // what it replaces is freed when readers are in again
    finish_removal(index, leaving, spare);
}

template <class State>
void update(State& index, typename State::id_type id, std::span<const float> vector) {
    const auto writing = lock_for_writing(index);
    auto lease = index.scratch.take();
    validate_vector(index, *lease, "vector", vector);
    const slot_t old = require_live(index.directory, id, "update");
    learning_of<State> learning(index, std::span(&id, 1), sample_of(*lease), {});
    require_decodable(index, *lease, lease->query.span());
    encode_query(index, *lease);
    const auto& exact = index.learner.exact;
    if (has_code(index, old, lease->code.data()) && !tells_apart(exact.kept(id), exact.staged(id))) {
        learning.finish(1);
        return index.counted.update();
    }
    make_room(index, 1);
    upcoming_rows<State> fresh(index, std::span(&id, 1), lease->code);
    auto mean_then = mean_after(index, fresh.slots(), index.directory.live());
    builder_of<State> builder = new_builder(index, mean_then);
    plan(index, builder, fresh, index.rows.coarse(), {});
    graph_changes changes(index.graph);
    builder.move_to(changes);
    const slot_t spare = row_to_spare(index, old);
    plan_removal(index, changes, spare == no_slot ? old : no_slot,
                 fresh.nodes().empty() ? no_slot : fresh.nodes().front(), mean_then);
    index.retired.reserve(1);
    publish_removal(index, old, spare, changes, mean_then, [&] { fresh.insert(); });
    give_back(index);
    index.counted.update();
    learning.finish(1);
}

template <class State>
[[nodiscard]] bool remove(State& index, typename State::id_type id) {
    const auto writing = lock_for_writing(index);
    const slot_t slot = index.directory.find(id);
    if (slot == no_slot) return false;
    graph_changes changes(index.graph);
    const slot_t spare = row_to_spare(index, slot);
    auto mean_then = mean_after(index, {}, index.directory.live() - 1);
    if (index.directory.live() > 1) plan_removal(index, changes, spare == no_slot ? slot : no_slot, no_slot, mean_then);
    index.retired.reserve(1);
    if (index.directory.live() == 1)
        empty(index);
    else
        publish_removal(index, slot, spare, changes, mean_then, [] {});
    give_back(index);
    index.counted.remove();
    return true;
}

template <class State>
void shrink_to_fit(State& index) {
    shrink_rows(index, [&] {
        finish_sweep(index);
        give_back(index, true);
    });
    index.walks.for_each_idle([](walk_scratch& walk) { walk = {}; });
}

}  // namespace detail::hnsw

VICINAL_NAMESPACE_END
