// SPDX-License-Identifier: MIT
// How rows come into a flat index, change and go. A removed row's place is taken by the last, so that searches look at
// live rows only.
#pragma once

#include <algorithm>    // for copy_n, min
#include <cstddef>      // for size_t, byte
#include <optional>     // for optional
#include <span>         // for span
#include <string_view>  // for string_view
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
#include "vicinal/index/flat/files.hpp"
#include "vicinal/index/flat/state.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::flat {

template <class State>
using learning_of = learning_step<State, store_recoding<State>>;

/// As reserve_extra, and what there was room for before is what there is room for if it throws.
template <class State>
void make_room(State& index, std::size_t extra) {
    try {
        reserve_extra(index, extra);
    } catch (...) {
        give_back_rows(index, true);
        throw;
    }
}

/// The last row takes the place. Readers are out.
template <class State>
void erase(State& index, slot_t slot) noexcept {
    if (const slot_t moved = index.directory.remove_dense(slot); moved != no_slot)
        index.rows.for_each_store([&](auto& codes) {
            const std::byte* const from = codes.rows()[moved];
            std::copy_n(from, codes.rows().stride(), codes.rows()[slot]);
        });
}

/// Puts rows in place that have been encoded and that there is room for; those whose ids are there already replace
/// rows.
template <class State>
void publish(State& index, std::span<const typename State::id_type> ids, const std::vector<std::byte>& codes) noexcept {
    const std::size_t bytes = code_bytes(index);
    for_each_in_turns(index, ids.size(), [&](std::size_t i) {
        const slot_t present = index.directory.find(ids[i]);
        put_row(index, present == no_slot ? index.directory.upcoming(0) : present, codes.data() + i * bytes);
        if (present == no_slot) index.directory.insert(ids[i]);
    });
}

/// Takes out a batch's rows, added last; what was learned from it is then forgotten by its learning_step.
template <class State>
void take_back(State& index, std::span<const typename State::id_type> ids) noexcept {
    for_each_in_turns(index, ids.size(),
                      [&](std::size_t i) { erase(index, index.directory.find(ids[ids.size() - 1 - i])); });
    give_back_rows(index, true);
}

/// Adds the prepared vector in `buffers` under a new id. While writing.
template <class State>
void add_prepared(State& index, row_scratch& buffers, typename State::id_type id, vector_view) {
    learning_of<State> learning(index, std::span(&id, 1), sample_of(buffers), {});
    require_decodable(index, buffers, buffers.query.span());
    encode_query(index, buffers);
    make_room(index, 1);
    touch_rows(index, 1);
    const auto exclusive = index.locks.exclusive();
    put_row(index, index.directory.upcoming(0), buffers.code.data());
    index.directory.insert(id);
    index.counted.add(1);
    learning.keep(1);
}

template <class State>
std::size_t add(State& index, std::span<const typename State::id_type> ids, rows_view vectors,
                const add_params& params) {
    const auto writing = lock_for_writing(index);
    const call_executor executor(params.executor, params.threads, vectors.rows());
    check_batch<typename State::codec_type>(index.metric, index.directory, index.dim, ids, vectors, executor);
    if (vectors.empty()) return 0;
    std::optional<learning_of<State>> learning;
    constexpr std::size_t stretch = 16384;  // rows between two looks at stop and progress
    std::vector<std::byte> codes;
    std::size_t done = 0;
    try {
        learning.emplace(index, ids, sample_of(index, vectors), executor);
        require_decodable(index, vectors, executor);
        make_room(index, vectors.rows());
        while (done < vectors.rows() && !params.stop.stop_requested()) {
            const std::size_t n = (std::min)(stretch, vectors.rows() - done);
            encode_batch(index, vectors.rows(done, n), codes, executor);
            touch_rows(index, n);
            publish(index, ids.subspan(done, n), codes);
            done += n;
            if (params.progress) params.progress(done, vectors.rows());
        }
    } catch (...) {
        take_back(index, ids.first(done));
        throw;
    }
    if (done < vectors.rows()) give_back_rows(index, done == 0);
    index.counted.add(done);
    learning->finish(done);
    return done;
}

template <class State>
void train(State& index, rows_view vectors, const add_params& params) {
    const auto writing = lock_for_writing(index);
    train_codecs(index, vectors, params);
}

/// Puts the prepared vector in `buffers` in the place of row `slot`. While writing.
template <class State>
void replace_prepared(State& index, row_scratch& buffers, typename State::id_type id, slot_t slot) {
    learning_of<State> learning(index, std::span(&id, 1), sample_of(buffers), {});
    require_decodable(index, buffers, buffers.query.span());
    encode_query(index, buffers);
    const auto exclusive = index.locks.exclusive();
    put_row(index, slot, buffers.code.data());
    index.counted.update(1);
    learning.keep(1);
}

/// Adds the rows, or has them replace others unless `call` is "merge": all of them or none. Returns how many are new.
template <class State>
std::size_t put_rows(State& index, std::span<const typename State::id_type> ids, rows_view vectors,
                     const add_params& params, std::string_view call) {
    const auto writing = lock_for_writing(index);
    const call_executor executor(params.executor, params.threads, vectors.rows());
    check_batch<typename State::codec_type>(index.metric, index.directory, index.dim, ids, vectors, executor, call);
    if (vectors.empty()) return 0;
    const std::size_t added = count_absent(index.directory, ids);
    learning_of<State> learning(index, ids, sample_of(index, vectors), executor);
    require_decodable(index, vectors, executor);
    std::vector<std::byte> codes;
    codes.reserve(vectors.rows() * code_bytes(index));
    for_each_stretch(vectors, params, [&](rows_view some) {
        std::vector<std::byte> more;
        encode_batch(index, some, more, executor);
        codes.insert(codes.end(), more.begin(), more.end());
    });
    make_room(index, added);
    touch_rows(index, added);
    publish(index, ids, codes);
    index.counted.add(added);
    index.counted.update(ids.size() - added);
    learning.finish(ids.size());
    return added;
}

template <class State>
[[nodiscard]] bool remove(State& index, typename State::id_type id) {
    const auto writing = lock_for_writing(index);
    const slot_t slot = index.directory.find(id);
    if (slot == no_slot) return false;
    {
        const auto exclusive = index.locks.exclusive();
        erase(index, slot);
    }
    give_back_rows(index);
    index.counted.remove(1);
    return true;
}

template <class State>
[[nodiscard]] std::size_t remove_rows(State& index, std::span<const typename State::id_type> ids) {
    const auto writing = lock_for_writing(index);
    const std::size_t removed = for_each_present(index, ids, [&](slot_t slot) { erase(index, slot); });
    give_back_rows(index);
    index.counted.remove(removed);
    return removed;
}

template <class State>
void remove_all(State& index) {
    const auto writing = lock_for_writing(index);
    index.counted.remove(index.directory.live());
    forget_rows(index, [] {});
    give_back_rows(index, true);
}

template <class State>
void reserve(State& index, std::size_t rows) {
    reserve_rows(index, rows, [&](std::size_t extra) { make_room(index, extra); });
}

template <class State>
void shrink_to_fit(State& index) {
    shrink_rows(index, [&] { give_back_rows(index, true); });
}

}  // namespace detail::flat

VICINAL_NAMESPACE_END
