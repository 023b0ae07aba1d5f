// SPDX-License-Identifier: MIT
// How rows come into the lists of an inverted file, change and go. Slots and lists have no gaps: the last row of each
// takes the place of one that is removed.
#pragma once

#include <algorithm>    // for clamp, min
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint32_t
#include <optional>     // for optional
#include <span>         // for span
#include <string_view>  // for string_view
#include <utility>      // for swap
#include <vector>       // for vector

#include "vicinal/core/rows_view.hpp"
#include "vicinal/index/common/batch_checks.hpp"
#include "vicinal/index/common/call_executor.hpp"
#include "vicinal/index/common/changes.hpp"
#include "vicinal/index/common/encoding.hpp"
#include "vicinal/index/common/learning.hpp"
#include "vicinal/index/common/reserving.hpp"
#include "vicinal/index/common/training.hpp"
#include "vicinal/index/common/writing.hpp"
#include "vicinal/index/ivf/files.hpp"
#include "vicinal/index/ivf/lists/clustering.hpp"
#include "vicinal/index/ivf/lists/codes.hpp"
#include "vicinal/index/ivf/lists/growth.hpp"
#include "vicinal/index/ivf/lists/room.hpp"
#include "vicinal/index/ivf/lists/training.hpp"
#include "vicinal/index/ivf/state.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::ivf {

template <class State>
using learning_of = learning_step<State, recoding<State>>;

// ---- batches -------------------------------------------------------------------------------------------------------

/// Rows on their way into the index.
struct stretch {
    std::vector<float> prepared;
    std::vector<std::byte> codes;
    std::vector<std::byte> fine;  // of two levels
    std::vector<std::uint32_t> list_of;
    std::vector<double> distances;  // from the centroids
};

template <class State>
void prepare(const State& index, rows_view vectors, stretch& ready, executor_ref executor) {
    constexpr std::size_t block = 256;
    const std::size_t n = vectors.rows();
    const std::size_t dim = index.dim;
    ready.prepared.resize(n * dim + simd::over_read / sizeof(float));
    ready.codes.resize(n * index.lists.stride());
    ready.fine.resize(n * fine_stride(index));
    ready.list_of.resize(n);
    ready.distances.resize(n);
    const auto for_each_row = [&](const auto& f) {
        parallel_for(executor, (n + block - 1) / block, [&](std::size_t b) {
            for (std::size_t r = b * block; r < (std::min)(n, (b + 1) * block); ++r)
                f(r, std::span(ready.prepared).subspan(r * dim, dim));
        });
    };
    const auto& preparer = preparer_of_rows<typename State::codec_type>(index.metric);
    for_each_row([&](std::size_t r, std::span<float> row) { prepare_validated(preparer, vectors[r], row); });
    assign_lists<typename State::metric_type, typename State::isa_type>(
        index.metric, index.centroids, matrix_view<const float>(ready.prepared.data(), n, dim), ready.list_of,
        executor);
    for_each_row([&](std::size_t r, std::span<const float> row) {
        encode_coarse(index, ready.list_of[r], row, ready.codes.data() + r * index.lists.stride());
        if constexpr (State::two_levels) encode_for(index.rows.fine(), row, ready.fine.data() + r * fine_stride(index));
        count_clipped(index, row);
        ready.distances[r] = distance_in_list(index, ready.list_of[r], row.data());
    });
    for (const double distance : ready.distances) index.learner.lists.distances += distance;
}
/// Puts those rows of a stretch in place that begin with row `first`.
template <class State>
void publish(State& index, std::span<const typename State::id_type> ids, const stretch& ready, std::size_t first) {
    touch_room(index, ids.size());
    std::vector<made_list> made = lists_with_room(index, std::span(ready.list_of).subspan(first, ids.size()));
    const auto exclusive = index.locks.exclusive();
    put_lists(index, made);
    for (std::size_t i = 0; i < ids.size(); ++i)
        enter(index, ids[i], ready.list_of[first + i], ready.codes.data() + (first + i) * index.lists.stride(),
              ready.fine.data() + (first + i) * fine_stride(index));
}
/// Counts the rows added in `done`, also when it throws.
template <class State>
void add_stretches(State& index, std::span<const typename State::id_type> ids, rows_view vectors,
                   const add_params& params, executor_ref executor, std::size_t& done) {
    make_room(index, vectors.rows());
    // Rows between two looks at stop and progress: many enough for the matrix product, in a few MiB.
    const std::size_t most = std::clamp<std::size_t>((std::size_t{1} << 22) / index.dim, 1024, 16384);
    stretch ready;
    while (done < vectors.rows() && !params.stop.stop_requested()) {
        const std::size_t n = (std::min)(most, vectors.rows() - done);
        prepare(index, vectors.rows(done, n), ready, executor);
        for (const std::size_t end = done + n; done < end;) {
            const std::size_t some = (std::min)(rows_published_at_once(index), end - done);
            publish(index, ids.subspan(done, some), ready, n - (end - done));
            done += some;
        }
        if (params.progress) params.progress(done, vectors.rows());
    }
}
/// Undoes a batch: its rows, added last and so the last of all and of their lists. What lists and codecs learned is
/// then forgotten by the steps that did.
template <class State>
void take_back(State& index, std::span<const typename State::id_type> ids) noexcept {
    for_each_in_turns(index, ids.size(),
                      [&](std::size_t i) { erase(index, index.directory.find(ids[ids.size() - 1 - i])); });
    for (std::size_t l = 0; l < index.lists.size(); ++l) give_back_list(index, l, true);
    give_back(index, true);
}
/// Whether an error says that a call was stopped, and not that something failed.
[[nodiscard]] inline bool was_stopped(const error& e, const add_params& params) noexcept {
    return e.code() == errc::cancelled && params.stop.stop_requested();
}
/// Adds a checked batch. While writing.
template <class State>
std::size_t add_batch(State& index, std::span<const typename State::id_type> ids, rows_view vectors,
                      const add_params& params, executor_ref executor) {
    if (vectors.empty()) return 0;
    std::optional<list_step<State>> lists;
    try {
        lists.emplace(index, ids.size(), ids.size(), sample_of(index, vectors), params, executor);
    } catch (const error& e) {
        if (was_stopped(e, params)) return 0;
        throw;
    }
    std::size_t done = 0;
    std::optional<learning_of<State>> learning;
    try {
        learning.emplace(index, ids, sample_of(index, vectors), executor);
        require_rows_decodable(index, vectors, executor);
        add_stretches(index, ids, vectors, params, executor, done);
    } catch (...) {
        take_back(index, ids.first(done));
        throw;
    }
    if (done == 0) {
        take_back(index, {});
        return 0;
    }
    if (done < vectors.rows()) give_back(index);
    index.counted.add(done);
    learning->finish(done);
    lists->keep();
    return done;
}

// ---- calls ---------------------------------------------------------------------------------------------------------

/// Adds the prepared vector in `buffers` under a new id. While writing.
template <class State>
void add_prepared(State& index, list_scratch& buffers, typename State::id_type id, vector_view vector) {
    if (index.lists.size() == 0) {
        add_batch(index, std::span(&id, 1), rows_view(vector), {}, {});
        return;
    }
    list_step<State> lists(index, 1, 1, sample_of(buffers), {}, {});
    learning_of<State> learning(index, std::span(&id, 1), sample_of(buffers), {});
    const std::uint32_t list = encode_row_in_buffers(index, buffers);
    const std::vector<std::byte> fine = encode_fine(index, buffers.query.span());
    make_room(index, 1);
    touch_room(index, 1);
    std::vector<made_list> made = lists_with_room(index, std::span(&list, 1));
    const auto exclusive = index.locks.exclusive();
    put_lists(index, made);
    enter(index, id, list, buffers.code.data(), fine.data());
    index.counted.add(1);
    learning.keep(1);
    lists.keep();
}

template <class State>
std::size_t add(State& index, std::span<const typename State::id_type> ids, rows_view vectors,
                const add_params& params) {
    const auto writing = lock_for_writing(index);
    const call_executor executor(params.executor, params.threads, vectors.rows());
    check_batch<typename State::codec_type>(index.metric, index.directory, index.dim, ids, vectors, executor);
    return add_batch(index, ids, vectors, params, executor);
}

template <class State>
void train(State& index, rows_view vectors, const add_params& params) {
    const auto writing = lock_for_writing(index);
    train_lists(index, vectors, params);
}

/// Puts the prepared vector in `buffers` in the place of row `slot`. While writing.
template <class State>
void replace_prepared(State& index, list_scratch& buffers, typename State::id_type id, slot_t slot) {
    list_step<State> lists(index, 1, 0, sample_of(buffers), {}, {});
    learning_of<State> learning(index, std::span(&id, 1), sample_of(buffers), {});
    const std::uint32_t list = encode_row_in_buffers(index, buffers);
    const std::vector<std::byte> fine = encode_fine(index, buffers.query.span());
    const std::uint32_t before = index.places[slot].list;
    std::vector<made_list> made;
    if (list != before) made = lists_with_room(index, std::span(&list, 1));
    {
        const auto exclusive = index.locks.exclusive();
        put_lists(index, made);
        replace(index, slot, list, buffers.code.data(), fine.data());
    }
    give_back_list(index, before, false);
    index.counted.update(1);
    learning.finish(1);
    lists.keep();
}

/// Puts rows of a batch in place that there is room for, in lists that have the room; those whose ids are there already
/// replace rows.
template <class State>
void publish_or_replace(State& index, std::span<const typename State::id_type> ids, const stretch& ready) noexcept {
    for_each_in_turns(index, ids.size(), [&](std::size_t i) {
        const std::byte* const code = ready.codes.data() + i * index.lists.stride();
        const std::byte* const fine = ready.fine.data() + i * fine_stride(index);
        const slot_t slot = index.directory.find(ids[i]);
        if (slot == no_slot)
            enter(index, ids[i], ready.list_of[i], code, fine);
        else
            replace(index, slot, ready.list_of[i], code, fine);
    });
}
/// Encodes a whole batch.
template <class State>
[[nodiscard]] stretch prepare_all(State& index, rows_view vectors, const add_params& params, executor_ref executor) {
    stretch all, some;
    const auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
    for_each_stretch(vectors, params, [&](rows_view rows) {
        prepare(index, rows, some, executor);
        append(all.codes, some.codes);
        append(all.fine, some.fine);
        append(all.list_of, some.list_of);
    });
    return all;
}

/// Adds the rows, or has them replace others unless `call` is "merge": all of them or none. Returns how many are new.
template <class State>
std::size_t put_rows(State& index, std::span<const typename State::id_type> ids, rows_view vectors,
                     const add_params& params, std::string_view call) {
    const auto writing = lock_for_writing(index);
    const call_executor executor(params.executor, params.threads, vectors.rows());
    check_batch<typename State::codec_type>(index.metric, index.directory, index.dim, ids, vectors, executor, call);
    if (vectors.empty()) return 0;
    throw_if_stopped(params.stop);
    if (index.lists.size() == 0) {  // and so no rows
        add_params whole = params;
        whole.stop = {};
        return add_batch(index, ids, vectors, whole, executor);
    }
    const std::size_t added = count_absent(index.directory, ids);
    list_step<State> lists(index, ids.size(), added, sample_of(index, vectors), params, executor);
    learning_of<State> learning(index, ids, sample_of(index, vectors), executor);
    require_rows_decodable(index, vectors, executor);
    const stretch ready = prepare_all(index, vectors, params, executor);
    std::vector<made_list> made = lists_with_room(index, ready.list_of);
    make_room(index, added);
    touch_room(index, added);
    put_lists_in_turn(index, made);
    publish_or_replace(index, ids, ready);
    for (std::size_t l = 0; l < index.lists.size(); ++l) give_back_list(index, l, false);
    index.counted.add(added);
    index.counted.update(ids.size() - added);
    learning.finish(ids.size());
    lists.keep();
    return added;
}

template <class State>
[[nodiscard]] std::size_t remove_rows(State& index, std::span<const typename State::id_type> ids) {
    const auto writing = lock_for_writing(index);
    const std::size_t removed = for_each_present(index, ids, [&](slot_t slot) { erase(index, slot); });
    for (std::size_t l = 0; l < index.lists.size(); ++l) give_back_list(index, l, false);
    give_back(index);
    index.counted.remove(removed);
    return removed;
}

template <class State>
[[nodiscard]] bool remove(State& index, typename State::id_type id) {
    const auto writing = lock_for_writing(index);
    const slot_t slot = index.directory.find(id);
    if (slot == no_slot) return false;
    const std::uint32_t list = index.places[slot].list;
    {
        const auto exclusive = index.locks.exclusive();
        erase(index, slot);
    }
    give_back_list(index, list, false);
    give_back(index);
    index.counted.remove(1);
    return true;
}

template <class State>
void remove_all(State& index) {
    const auto writing = lock_for_writing(index);
    ivf_lists fresh(index.lists.stride());
    fresh.reset(index.lists.size());
    index.counted.remove(index.directory.live());
    forget_rows(index, [&] { std::swap(index.lists, fresh); });
    give_back(index, true);
}

template <class State>
void reserve(State& index, std::size_t rows) {
    reserve_rows(index, rows, [&](std::size_t extra) { make_room_with_lists(index, extra); });
}

template <class State>
void shrink_to_fit(State& index) {
    shrink_rows(index, [&] {
        for (std::size_t l = 0; l < index.lists.size(); ++l) shrink_list(index, l);
        give_back(index, true);
    });
}

}  // namespace detail::ivf

VICINAL_NAMESPACE_END
