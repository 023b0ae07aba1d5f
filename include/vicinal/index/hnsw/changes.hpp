// SPDX-License-Identifier: MIT
// How rows come into an hnsw_index, change and go. Links are planned beside readers, and put in place at once.
#pragma once

#include <algorithm>      // for copy_n, find, max, min, sort
#include <cstddef>        // for size_t, byte
#include <memory>         // for unique_ptr, make_unique
#include <optional>       // for optional
#include <span>           // for span
#include <string_view>    // for string_view
#include <unordered_map>  // for unordered_map
#include <utility>        // for move, swap
#include <vector>         // for vector

#include "vicinal/core/rows_view.hpp"
#include "vicinal/index/common/batch_checks.hpp"
#include "vicinal/index/common/call_executor.hpp"
#include "vicinal/index/common/changes.hpp"
#include "vicinal/index/common/encoding.hpp"
#include "vicinal/index/common/learning.hpp"
#include "vicinal/index/common/reserving.hpp"
#include "vicinal/index/common/training.hpp"
#include "vicinal/index/common/writing.hpp"
#include "vicinal/index/hnsw/files.hpp"
#include "vicinal/index/hnsw/graph/build.hpp"
#include "vicinal/index/hnsw/graph/build_codes.hpp"
#include "vicinal/index/hnsw/graph/bulk_removal.hpp"
#include "vicinal/index/hnsw/graph/planned_changes.hpp"
#include "vicinal/index/hnsw/graph/recoding.hpp"
#include "vicinal/index/hnsw/graph/removal.hpp"
#include "vicinal/index/hnsw/graph/reordering.hpp"
#include "vicinal/index/hnsw/graph/room.hpp"
#include "vicinal/index/hnsw/graph/take_back.hpp"
#include "vicinal/index/hnsw/graph/upcoming_rows.hpp"
#include "vicinal/index/hnsw/state.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::hnsw {

template <class State>
using builder_of = hnsw_builder<typename State::metric_type, typename State::fine_codec, typename State::isa_type>;
template <class State>
using build_codes_of = build_codes<typename State::metric_type, typename State::coarse_codec>;
template <class State>
using learning_of = learning_step<State, graph_recoding<State>>;

inline constexpr std::size_t build_codes_training_rows = 16384;

// ---- links of new rows ---------------------------------------------------------------------------------------------

/// What a large batch finds its candidates by, with all present rows in it; null where nothing is faster than the rows
/// themselves.
template <class State>
[[nodiscard]] std::unique_ptr<build_codes_of<State>> make_build_codes(const State& index, rows_view vectors,
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
        fresh.nodes(), walked, index.directory.high_water(), index.directory.retired() != index.directory.arriving(),
        [&](slot_t slot) { return index.directory.stands(slot); }, executor);
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

// ---- calls ---------------------------------------------------------------------------------------------------------

template <class State>
void train(State& index, rows_view vectors, const add_params& params) {
    const auto writing = lock_for_writing(index);
    train_codecs(index, vectors, params);
}

/// Adds the prepared vector in `buffers` under a new id. While writing.
template <class State>
void add_prepared(State& index, row_scratch& buffers, typename State::id_type id, vector_view) {
    learning_of<State> learning(index, std::span(&id, 1), sample_of(buffers), {});
    require_decodable(index, buffers, buffers.query.span());
    encode_query(index, buffers);
    make_room(index, 1);
    upcoming_rows<State> fresh(index, std::span(&id, 1), buffers.code);
    link(index, fresh, index.rows.coarse(), {}, [](const auto&) {});
    index.counted.add(1);
    learning.finish(1);
}

/// Adds some rows of a batch. Candidates are found by `short_codes` if there are any, which are dropped where they cost
/// more than they save.
/// leaving  as of upcoming_rows
template <class State>
void add_some(State& index, std::span<const typename State::id_type> ids, std::span<const std::byte> row_codes,
              std::unique_ptr<build_codes_of<State>>& short_codes, graph_journal& journal, executor_ref executor,
              std::span<const slot_t> leaving = {}) {
    upcoming_rows<State> fresh(index, ids, row_codes, leaving);
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
std::size_t add(State& index, std::span<const typename State::id_type> ids, rows_view vectors, const add_params& how) {
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

/// Whether row `old` of `id` has that code already, and what is known of its vector does not differ from what comes.
template <class State>
[[nodiscard]] bool is_as_before(const State& index, typename State::id_type id, slot_t old, const std::byte* code) {
    const auto& exact = index.learner.exact;
    return has_code(index, old, code) && !tells_apart(exact.kept(id), exact.staged(id));
}
/// Puts the prepared vector in `buffers` in the place of row `old`. While writing.
template <class State>
void replace_prepared(State& index, row_scratch& buffers, typename State::id_type id, slot_t old) {
    learning_of<State> learning(index, std::span(&id, 1), sample_of(buffers), {});
    require_decodable(index, buffers, buffers.query.span());
    encode_query(index, buffers);
    if (is_as_before(index, id, old, buffers.code.data())) {
        learning.finish(1);
        return index.counted.update(1);
    }
    make_room(index, 1);
    upcoming_rows<State> fresh(index, std::span(&id, 1), buffers.code);
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
    index.counted.update(1);
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
    index.counted.remove(1);
    return true;
}

template <class State>
[[nodiscard]] std::size_t remove_rows(State& index, std::span<const typename State::id_type> ids) {
    const auto writing = lock_for_writing(index);
    const auto present = ids_present(index.directory, ids);
    if (present.empty()) return 0;
    if (present.size() == index.directory.live()) {
        empty(index);
    } else {
        bulk_removal<State> leaving(index, present, mean_after(index, {}, index.directory.live() - present.size()));
        leaving.publish([&](std::size_t, slot_t slot) { index.directory.retire(slot); }, [](slot_t, slot_t) {});
    }
    give_back(index);
    index.counted.remove(present.size());
    return present.size();
}

template <class State>
void remove_all(State& index) {
    const auto writing = lock_for_writing(index);
    index.counted.remove(index.directory.live());
    empty(index);
    give_back(index, true);
}

// ---- many rows added or replaced -----------------------------------------------------------------------------------

/// Rows of a batch that differ from what the index holds under their ids.
template <class State>
struct rows_to_put {
    std::vector<typename State::id_type> ids;
    std::vector<std::byte> codes;
    std::vector<slot_t> leaving;            ///< rows that are replaced, sorted
    std::vector<std::size_t> replacements;  ///< which of the ids have those
};
template <class State>
[[nodiscard]] rows_to_put<State> changed_rows(const State& index, std::span<const typename State::id_type> ids,
                                              std::vector<std::byte> codes) {
    rows_to_put<State> put;
    const std::size_t bytes = code_bytes(index);
    put.ids.reserve(ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const slot_t old = index.directory.find(ids[i]);
        if (old != no_slot) {
            if (is_as_before(index, ids[i], old, codes.data() + i * bytes)) continue;
            put.leaving.push_back(old);
            put.replacements.push_back(put.ids.size());
        }
        std::copy_n(codes.data() + i * bytes, bytes, codes.data() + put.ids.size() * bytes);
        put.ids.push_back(ids[i]);
    }
    std::sort(put.leaving.begin(), put.leaving.end());
    put.codes = std::move(codes);
    return put;
}
/// Links all rows that are put, those that replace others as rows that arrive. Counts them in `done`, also when it
/// throws.
template <class State>
void link_rows_to_put(State& index, const rows_to_put<State>& put, rows_view vectors, graph_journal& journal,
                      const add_params& how, executor_ref executor, std::size_t& done) {
    make_room(index, put.ids.size());
    auto short_codes = make_build_codes(index, vectors.rows(0, put.ids.size()), executor);
    const std::size_t bytes = code_bytes(index);
    while (done < put.ids.size()) {
        throw_if_stopped(how.stop);
        const std::size_t n = (std::min)(batch_rows, put.ids.size() - done);
        add_some(index, std::span(put.ids).subspan(done, n), std::span(put.codes).subspan(done * bytes, n * bytes),
                 short_codes, journal, executor, put.leaving);
        done += n;
        if (how.progress && done < put.ids.size()) how.progress(vectors.rows() - put.ids.size() + done, vectors.rows());
    }
    throw_if_stopped(how.stop);
    if (how.progress) how.progress(vectors.rows(), vectors.rows());
}
/// Has the rows that arrived take over from those that leave. Strong guarantee.
template <class State>
void exchange_rows(State& index, const rows_to_put<State>& put, const graph_journal& journal) {
    std::vector<typename State::id_type> ids;
    std::vector<slot_t> arriving;
    std::unordered_map<slot_t, std::size_t, plain_hash> arrives_as;  // which of them a row is
    for (const std::size_t i : put.replacements) {
        arrives_as[journal.added(i)] = ids.size();
        arriving.push_back(journal.added(i));
        ids.push_back(put.ids[i]);
    }
    bulk_removal<State> leaving(index, ids, index.mean);
    leaving.publish([&](std::size_t i, slot_t old) { index.directory.take_over(arriving[i], old); },
                    [&](slot_t from, slot_t to) {
                        auto moved = arrives_as.extract(from);
                        moved.key() = to;
                        arriving[moved.mapped()] = to;
                        arrives_as.insert(std::move(moved));
                    });
}

/// Adds the rows, or has them replace others unless `call` is "merge": all of them or none. Returns how many are new.
template <class State>
std::size_t put_rows(State& index, std::span<const typename State::id_type> ids, rows_view vectors,
                     const add_params& how, std::string_view call) {
    const auto writing = lock_for_writing(index);
    const call_executor executor(how.executor, how.threads, vectors.rows());
    check_batch<typename State::codec_type>(index.metric, index.directory, index.dim, ids, vectors, executor, call);
    if (vectors.empty()) return 0;
    auto mean_before = index.mean;
    learning_of<State> learning(index, ids, sample_of(index, vectors), executor);
    require_decodable(index, vectors, executor);
    std::vector<std::byte> codes;
    encode_batch(index, vectors, codes, executor);
    const auto put = changed_rows(index, ids, std::move(codes));
    graph_journal journal(index.graph, index.directory.high_water(), index.directory.upcoming_reused(put.ids.size()));
    std::size_t done = 0;
    try {
        link_rows_to_put(index, put, vectors, journal, how, executor, done);
        if (!put.leaving.empty()) exchange_rows(index, put, journal);
    } catch (...) {
        take_back(index, done, journal, mean_before);
        throw;
    }
    give_back(index);
    const std::size_t added = put.ids.size() - put.leaving.size();
    index.counted.add(added);
    index.counted.update(ids.size() - added);
    learning.finish(ids.size());
    return added;
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
