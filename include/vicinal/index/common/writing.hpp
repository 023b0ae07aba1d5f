// SPDX-License-Identifier: MIT
// What changes of every index of rows do: they lock, make room beside readers, and put finished codes in place.
//
// Kernels read past the end of a row and throw away what they find, so not even the row after one that is read may be
// written: codes are made apart (encoding.hpp), and put in place while readers are out.
#pragma once

#include <algorithm>  // for clamp, copy_n, min
#include <cstddef>    // for size_t, byte
#include <span>       // for span
#include <vector>     // for vector

#include "vicinal/core/progress.hpp"
#include "vicinal/core/rows_view.hpp"
#include "vicinal/index/common/encoding.hpp"
#include "vicinal/index/common/index_rows.hpp"
#include "vicinal/params.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Locks other writers out. The first change of a loaded index calls detach_from_file(index), of the index's namespace,
/// which copies the rows into memory that can grow; it gives the strong guarantee.
/// throws  error: read_only; reentrant_call where a callback of a call on this index runs
template <class State>
[[nodiscard]] index_locks::writer_lock lock_for_writing(State& index) {
    if (index.backing.viewed())
        fail(errc::read_only, "the index is a view of a file and cannot be changed; load it instead");
    return index.locks.writer([&] {
        if (index.backing.loaded()) detach_from_file(index);
    });
}

// ---- room ----------------------------------------------------------------------------------------------------------

template <class State>
void reserve_codes(State& index, std::size_t extra) {
    index.rows.for_each_store([&](auto& codes) { codes.reserve(index.directory.rows_to_hold(extra)); });
}
/// Gives back what that made room for.
template <class State>
void fit_codes(State& index) noexcept {
    index.rows.for_each_store([&](auto& codes) { codes.rows().fit(index.directory.rows_to_hold()); });
}
/// Exchanges what ids are looked up in, if `table` is another.
template <class State>
void exchange_table(State& index, std::vector<slot_t>& table) noexcept {
    if (table.empty()) return;
    const auto exclusive = index.locks.exclusive();
    index.directory.exchange_table(table);
}
/// Room for `extra` more rows, made beside readers; what they look ids up in is then exchanged, if it must be larger.
/// Strong guarantee, up to a segment that `give_back` drops.
template <class State>
void reserve_extra(State& index, std::size_t extra) {
    reserve_codes(index, extra);  // first, as the table takes memory and not only room for it
    auto table = index.directory.prepare_extra(extra);
    exchange_table(index, table);
}
/// Has the system give memory for the next `count` rows, which nobody reads yet, so that putting them in place does
/// not wait for it.
template <class State>
void touch_rows(State& index, std::size_t count) noexcept {
    index.directory.touch(count);
    index.rows.for_each_store([&](auto& codes) { codes.rows().touch(index.directory.high_water_after(count)); });
}
/// Gives back memory that rows no longer need, when no reader knows of these rows any more. Beside readers.
/// at_once  all of it; else what is so much that rows which come and go do not have it dropped and made again
template <class State>
void give_back_rows(State& index, bool at_once = false) noexcept {
    const std::size_t rows = index.directory.rows_to_hold();
    index.rows.for_each_store([&](auto& codes) { at_once ? codes.rows().fit(rows) : codes.rows().give_back(rows); });
    index.directory.fit(at_once);
    auto table = index.directory.smaller_table(at_once);
    exchange_table(index, table);
}

// ---- finished codes ------------------------------------------------------------------------------------------------

/// How many rows are put in place at once, so that readers are out for a fraction of what a search takes.
template <class State>
[[nodiscard]] std::size_t rows_published_at_once(const State& index) noexcept {
    constexpr std::size_t bytes = std::size_t{64} << 10;
    return std::clamp<std::size_t>(bytes / code_bytes(index), 16, 1024);
}
/// Readers are out.
template <class State>
void put_row(State& index, slot_t slot, const std::byte* code) noexcept {
    index.rows.for_each_store([&](auto& codes) {
        std::copy_n(code, codes.rows().stride(), codes.rows()[slot]);
        code += codes.rows().stride();
    });
}

// ---- many rows -----------------------------------------------------------------------------------------------------

/// Calls f(i) for i from 0 to count - 1, with readers out for so many at a time as rows_published_at_once says.
template <class State, class F>
void for_each_in_turns(State& index, std::size_t count, const F& f) noexcept {
    const std::size_t together = rows_published_at_once(index);
    for (std::size_t first = 0; first < count; first += together) {
        const auto exclusive = index.locks.exclusive();
        for (std::size_t i = first; i < (std::min)(count, first + together); ++i) f(i);
    }
}
/// Calls f(slot) for the row of each id that is there then, in turns. Returns how many.
template <class State, class F>
std::size_t for_each_present(State& index, std::span<const typename State::id_type> ids, const F& f) noexcept {
    std::size_t count = 0;
    for_each_in_turns(index, ids.size(), [&](std::size_t i) {
        const slot_t slot = index.directory.find(ids[i]);
        if (slot == no_slot) return;
        f(slot);
        ++count;
    });
    return count;
}
/// Calls f(rows) for a batch, some rows at a time. Looks at the stop token before each time, and tells the progress
/// after it.
/// throws  error{cancelled}; what f and the progress callable throw
template <class F>
void for_each_stretch(rows_view vectors, const add_params& params, const F& f) {
    constexpr std::size_t stretch = 16384;
    for (std::size_t done = 0; done < vectors.rows();) {
        throw_if_stopped(params.stop);
        const std::size_t n = (std::min)(stretch, vectors.rows() - done);
        f(vectors.rows(done, n));
        done += n;
        if (params.progress) params.progress(done, vectors.rows());
    }
    throw_if_stopped(params.stop);
}
/// Forgets all ids and which rows they have, and calls also() while readers are out. The rows' memory is to be given
/// back. O(1).
template <class State, class Also>
void forget_rows(State& index, const Also& also) noexcept {
    std::vector<slot_t> table;  // freed when readers are in again
    {
        const auto exclusive = index.locks.exclusive();
        index.directory.clear(table);
        also();
    }
    index.directory.forget_free();
}

}  // namespace detail

VICINAL_NAMESPACE_END
