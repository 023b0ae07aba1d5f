// SPDX-License-Identifier: MIT
// What `reserve` and `shrink_to_fit` of every index of rows do.
#pragma once

#include <algorithm>    // for max
#include <cstddef>      // for size_t
#include <new>          // for bad_alloc
#include <string>       // for to_string
#include <type_traits>  // for remove_cvref_t

#include "vicinal/core/error.hpp"
#include "vicinal/index/common/call_stats.hpp"
#include "vicinal/index/common/encoding.hpp"
#include "vicinal/index/common/writing.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Makes room for `rows` rows in all, those there are among them, which is kept when rows go. Strong guarantee.
/// make_room(extra)  makes it for so many more, beside readers; strong guarantee
/// throws  error{capacity} beyond 2^31 - 1 rows, or if there is no memory for them; as lock_for_writing
template <class State, class MakeRoom>
void reserve_rows(State& index, std::size_t rows, const MakeRoom& make_room) {
    if (rows > max_slots)
        fail(errc::capacity, "reserve: " + std::to_string(rows) + " rows were asked for, an index numbers at most " +
                                 std::to_string(max_slots));
    const auto writing = lock_for_writing(index);
    const std::size_t live = index.directory.live();
    const std::size_t extra = rows > live ? rows - live : 0;
    try {
        make_room(extra);
    } catch (const std::bad_alloc&) {
        fail(errc::capacity, "reserve: the system has no memory for " + std::to_string(rows) + " rows with codes of " +
                                 std::to_string(code_bytes(index)) + " bytes each");
    }
    index.directory.keep_room(index.directory.rows_to_hold(extra));
}

/// Gives back all that rows and searches do not need now. Nothing of a file is given back: a loaded index uses all of
/// it. Beside readers.
/// give_back()  the index's, of all memory at once
/// throws  error{reentrant_call}; what give_back throws
template <class State, class GiveBack>
void shrink_rows(State& index, const GiveBack& give_back) {
    const auto writing = index.locks.writer();
    index.scratch.for_each_idle([](auto& buffers) {
        const search_counts done = buffers.done;
        buffers = std::remove_cvref_t<decltype(buffers)>{};
        buffers.done = done;
    });
    if (!index.backing.owned()) return;
    index.directory.keep_room(0);
    give_back();
}

}  // namespace detail

VICINAL_NAMESPACE_END
