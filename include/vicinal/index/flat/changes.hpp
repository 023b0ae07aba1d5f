// SPDX-License-Identifier: MIT
// How rows come into a flat index, change and go. A removed row's place is taken by the last, so that searches look at
// live rows only.
#pragma once

#include <algorithm>  // for copy_n, min
#include <cstddef>    // for size_t, byte
#include <optional>   // for optional
#include <span>       // for span
#include <vector>     // for vector

#include "vicinal/index/common/batch_checks.hpp"
#include "vicinal/index/common/call_executor.hpp"
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

/// Puts rows in place that have been encoded and that there is room for.
template <class State>
void publish(State& index, std::span<const typename State::id_type> ids, const std::vector<std::byte>& codes) noexcept {
    const std::size_t together = rows_published_at_once(index);
    const std::size_t bytes = code_bytes(index);
    touch_rows(index, ids.size());
    for (std::size_t first = 0; first < ids.size(); first += together) {
        const auto exclusive = index.locks.exclusive();
        for (std::size_t i = first; i < (std::min)(ids.size(), first + together); ++i) {
            put_row(index, index.directory.upcoming(0), codes.data() + i * bytes);
            index.directory.insert(ids[i]);
        }
    }
}

/// Takes out a batch's rows, added last; what was learned from it is then forgotten by its learning_step.
template <class State>
void take_back(State& index, std::span<const typename State::id_type> ids) noexcept {
    for (std::size_t left = ids.size(); left > 0;) {
        const auto exclusive = index.locks.exclusive();
        for (std::size_t n = (std::min)(left, rows_published_at_once(index)); n > 0; --n)
            erase(index, index.directory.find(ids[--left]));
    }
    give_back_rows(index, true);
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
    touch_rows(index, 1);
    const auto exclusive = index.locks.exclusive();
    put_row(index, index.directory.upcoming(0), lease->code.data());
    index.directory.insert(id);
    index.counted.add(1);
    learning.keep(1);
}

template <class State>
std::size_t add(State& index, std::span<const typename State::id_type> ids, matrix_view<const float> vectors,
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
void train(State& index, matrix_view<const float> vectors, const add_params& params) {
    const auto writing = lock_for_writing(index);
    train_codecs(index, vectors, params);
}

template <class State>
void update(State& index, typename State::id_type id, std::span<const float> vector) {
    const auto writing = lock_for_writing(index);
    auto lease = index.scratch.take();
    validate_vector(index, *lease, "vector", vector);
    const slot_t slot = require_live(index.directory, id, "update");
    learning_of<State> learning(index, std::span(&id, 1), sample_of(*lease), {});
    require_decodable(index, *lease, lease->query.span());
    encode_query(index, *lease);
    const auto exclusive = index.locks.exclusive();
    put_row(index, slot, lease->code.data());
    index.counted.update();
    learning.keep(1);
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
    index.counted.remove();
    return true;
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
