// SPDX-License-Identifier: MIT
// Which id lies in which row, and which rows are free.
#pragma once

#include <algorithm>  // for max, min
#include <bit>        // for bit_ceil
#include <chrono>     // for steady_clock
#include <cstddef>    // for size_t
#include <cstdint>    // for uint8_t, uint64_t, uintptr_t
#include <limits>     // for numeric_limits
#include <new>        // for bad_alloc
#include <span>       // for span
#include <string>     // for to_string
#include <vector>     // for vector

#include "vicinal/core/error.hpp"
#include "vicinal/core/math.hpp"
#include "vicinal/core/types.hpp"
#include "vicinal/storage/chunked_rows.hpp"
#include "vicinal/storage/slot_set.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// What a row holds. A retired row's vector is gone for users but may still be passed through by a graph search. An
/// arriving row stands in a graph already, and waits until it replaces the live row that has its id; no file has one.
enum class row_state : std::uint8_t { free = 0, live = 1, retired = 2, arriving = 3 };

/// The ids of the rows, a hash table from id to row, and the free rows. The table holds row numbers only (the key is
/// the row's id), 4 bytes an entry at a load of at most 3/4, linear probing with backward-shift deletion. The lowest
/// free row is used first, so which one does not depend on what was freed when.
///
/// Threads: a writer may call what says so beside readers; all else that is not const wants readers out.
template <class Id>
class id_map {
  public:
    [[nodiscard]] std::size_t live() const noexcept { return live_; }
    /// Rows ever used: all rows in use are below.
    [[nodiscard]] std::size_t high_water() const noexcept { return high_water_; }
    /// Rows in use that are not live: retired ones, and those arriving.
    [[nodiscard]] std::size_t retired() const noexcept { return retired_; }
    [[nodiscard]] std::size_t arriving() const noexcept { return arriving_; }
    [[nodiscard]] VICINAL_INLINE Id id(slot_t slot) const noexcept { return ids_[slot]; }
    [[nodiscard]] VICINAL_INLINE row_state state(slot_t slot) const noexcept { return states_[slot]; }
    [[nodiscard]] VICINAL_INLINE bool is_live(slot_t slot) const noexcept { return states_[slot] == row_state::live; }
    /// Whether a row is live, or arriving.
    [[nodiscard]] bool stands(slot_t slot) const noexcept {
        return is_live(slot) || state(slot) == row_state::arriving;
    }
    /// Whether a row is live, arriving or retired; may be asked of any number, such as one that a walk came by some
    /// changes ago.
    [[nodiscard]] bool in_use(slot_t slot) const noexcept {
        return slot < high_water_ && states_[slot] != row_state::free;
    }

    /// Which of rows [first, first + count) are live, as bits; first is a multiple of 64 and count at most that.
    [[nodiscard]] std::uint64_t live_bits(slot_t first, std::size_t count) const noexcept {
        std::uint64_t bits = 0;
        const row_state* const states = &states_[first];
        for (std::size_t i = 0; i < count; ++i) bits |= std::uint64_t{states[i] == row_state::live ? 1U : 0U} << i;
        return bits;
    }
    /// The ids of rows from `first` on, a multiple of 64: at least 64 of them lie side by side.
    [[nodiscard]] const Id* ids_from(slot_t first) const noexcept { return &ids_[first]; }

    /// Asks for the id and the state of a row.
    VICINAL_INLINE void prefetch(slot_t slot) const noexcept {
        simd::prefetch_lines(reinterpret_cast<const std::byte*>(&ids_[slot]), sizeof(Id));
        simd::prefetch_lines(reinterpret_cast<const std::byte*>(&states_[slot]), 1);
    }

    /// The live row of `id`, or no_slot.
    [[nodiscard]] slot_t find(Id id) const noexcept {
        if (table_.empty()) return no_slot;
        for (std::size_t i = home(id);; i = next(i)) {
            const slot_t slot = table_[i];
            if (slot == no_slot || ids_[slot] == id) return slot;
        }
    }

    /// Rows below the high water that are free.
    [[nodiscard]] std::size_t free() const noexcept { return high_water_ - live_ - retired_; }
    /// Rows there will have been when `extra` more are in use: free ones are used first.
    [[nodiscard]] std::size_t high_water_after(std::size_t extra) const noexcept {
        return high_water_ + (extra > free() ? extra - free() : 0);
    }
    /// Keeps room for `rows` rows: until less is asked for, their memory is not given back. Needs the room.
    void keep_room(std::size_t rows) noexcept { kept_ = rows; }
    [[nodiscard]] std::size_t room_kept() const noexcept { return kept_; }
    /// Rows to have room for when `extra` more are in use: those there are, and those that room is kept for.
    [[nodiscard]] std::size_t rows_to_hold(std::size_t extra = 0) const noexcept {
        return (std::max)(kept_, high_water_after(extra));
    }

    /// Makes room for `extra` more live rows, beside readers; what it returns is for `exchange_table`. Strong
    /// guarantee.
    /// throws  error{capacity} beyond 2^31 - 1 rows
    [[nodiscard]] std::vector<slot_t> prepare_extra(std::size_t extra) {
        const std::size_t fresh = extra > free() ? extra - free() : 0;
        if (fresh > max_slots - high_water_)
            fail(errc::capacity, "the index would hold " + std::to_string(high_water_ + fresh) +
                                     " rows, it numbers at most " + std::to_string(max_slots));
        ids_.reserve(rows_to_hold(extra));
        states_.reserve(rows_to_hold(extra));
        const std::size_t wanted = table_size((std::max)(kept_, live_ + extra));
        return wanted > table_.size() ? table_of(wanted) : std::vector<slot_t>();
    }
    /// Has the system give memory for the rows that the next `count` calls of `insert` take, beside readers.
    void touch(std::size_t count) noexcept {
        ids_.touch(high_water_after(count));
        states_.touch(high_water_after(count));
    }
    /// Puts a prepared table in place, if it is one, and leaves the one before. O(1).
    void exchange_table(std::vector<slot_t>& table) noexcept {
        if (!table.empty()) table_.swap(table);
    }
    /// All of it, for an object that nobody else reads.
    void reserve_extra(std::size_t extra) {
        auto larger = prepare_extra(extra);
        exchange_table(larger);
    }
    /// Room for releasing any of rows [0, rows). Beside readers. Strong guarantee.
    void reserve_free(std::size_t rows) { free_.reserve(rows); }

    /// A table as small as the rows want, for `exchange_table`; nothing if that is not much smaller, or there is no
    /// memory for it. Beside readers.
    /// at_once  do not wait until the table has four times the size
    [[nodiscard]] std::vector<slot_t> smaller_table(bool at_once) const noexcept {
        const std::size_t size = table_size((std::max)(kept_, live_));
        if (at_once ? size >= table_.size() : 4 * size > table_.size()) return {};
        try {
            return table_of(at_once ? size : 2 * size);
        } catch (const std::bad_alloc&) {
            return {};
        }
    }
    /// The table as it is when rows go by other numbers, for `exchange_table`. Beside readers.
    [[nodiscard]] std::vector<slot_t> renumbered_table(std::span<const slot_t> numbers) const {
        std::vector<slot_t> table = table_;
        for (slot_t& slot : table)
            if (slot != no_slot) slot = numbers[slot];
        return table;
    }
    /// Gives back memory that rows beyond the high water had, and those that room is kept for, beside readers who have
    /// not seen those rows.
    void fit(bool at_once) noexcept {
        const std::size_t rows = rows_to_hold();
        for (chunked_rows* const array : {&ids_.rows(), &states_.rows()})
            at_once ? array->fit(rows) : array->give_back(rows);
        free_.fit(rows);
    }

    /// The used rows among those that the next `count` calls of `insert` would take, in order.
    [[nodiscard]] std::vector<slot_t> upcoming_reused(std::size_t count) const {
        std::vector<slot_t> rows;
        rows.reserve((std::min)(count, free()));
        for (slot_t slot = 0; rows.size() < (std::min)(count, free()); ++slot) rows.push_back(slot = free_.from(slot));
        return rows;
    }

    /// The rows that the next `count` calls of `insert` take.
    [[nodiscard]] std::vector<slot_t> upcoming_rows(std::size_t count) const {
        std::vector<slot_t> rows = upcoming_reused(count);
        rows.reserve(count);
        while (rows.size() < count) rows.push_back(static_cast<slot_t>(high_water_ + (rows.size() - free())));
        return rows;
    }
    /// The row the i-th next `insert` would take, without taking it. O(i).
    [[nodiscard]] slot_t upcoming(std::size_t i) const noexcept {
        if (i >= free()) return static_cast<slot_t>(high_water_ + (i - free()));
        slot_t slot = free_.lowest();
        for (; i > 0; --i) slot = free_.from(slot + 1);
        return slot;
    }

    /// Gives `id` the next row, live from now on. Needs reserve_extra and that find(id) is no_slot.
    slot_t insert(Id id) noexcept {
        const slot_t slot = take_next(id, row_state::live);
        ++live_;
        enter(table_, slot);
        return slot;
    }
    /// Gives `id`, which a live row has, the next row, too: it arrives, until `take_over` or `retire_arriving`.
    void arrive(Id id) noexcept {
        take_next(id, row_state::arriving);
        ++retired_;
        ++arriving_;
    }
    /// An arriving row takes the id over from the live row that has it, which is retired.
    void take_over(slot_t arriving, slot_t from) noexcept {
        table_[place_of(from)] = arriving;
        states_[arriving] = row_state::live;
        states_[from] = row_state::retired;
        --arriving_;
    }
    void retire_arriving(slot_t slot) noexcept {
        states_[slot] = row_state::retired;
        --arriving_;
    }
    /// What row `from` is, live or arriving, the retired row `to` is from now on, and the other way round.
    void move_to(slot_t from, slot_t to) noexcept {
        if (is_live(from)) table_[place_of(from)] = to;
        ids_[to] = ids_[from];
        states_[to] = states_[from];
        states_[from] = row_state::retired;
    }

    /// Takes a row's id away; the row counts as retired until `release`.
    void retire(slot_t slot) noexcept {
        erase_entry(slot);
        states_[slot] = row_state::retired;
        --live_;
        ++retired_;
    }
    /// Takes away the id of `leaving`, whose row from now on goes by the id of `other`, which counts as retired until
    /// `release`.
    void retire_for(slot_t leaving, slot_t other) noexcept {
        const Id id = ids_[other];
        erase_entry(leaving);
        retire(other);
        ids_[leaving] = id;
        enter(table_, leaving);
    }
    /// Makes a retired row free to be used again. Needs reserve_free.
    void release(slot_t slot) noexcept {
        states_[slot] = row_state::free;
        --retired_;
        free_.insert(slot);
    }
    /// Where the rows in use end: those from there to the high water are free. Beside readers.
    [[nodiscard]] std::size_t used_end() const noexcept {
        return free() == 0 ? high_water_ : free_.begin_of_run(high_water_);
    }
    /// Forgets the free rows from `rows` on, which is used_end().
    void lower_high_water(std::size_t rows) noexcept { high_water_ = rows; }
    /// When rows were renumbered so that none below the high water is free. Beside readers.
    void close_gaps() noexcept {
        for (slot_t slot = free_.lowest(); slot != no_slot; slot = free_.from(slot + 1)) free_.erase(slot);
    }

    /// Forgets all rows; leaves in `table`, which is empty, what they were looked up in. O(1). `forget_free` is to
    /// follow.
    void clear(std::vector<slot_t>& table) noexcept {
        table_.swap(table);
        high_water_ = live_ = retired_ = 0;
    }
    /// When all rows were forgotten. Beside readers.
    void forget_free() noexcept { free_ = slot_set(); }

    /// Takes a live row out where all rows are: the last row takes its place, if it is another.
    /// returns  the row that moved there, or no_slot
    slot_t remove_dense(slot_t slot) noexcept {
        erase_entry(slot);
        --live_;
        const auto last = static_cast<slot_t>(--high_water_);
        states_[last] = row_state::free;
        if (slot == last) return no_slot;
        table_[place_of(last)] = slot;
        ids_[slot] = ids_[last];
        states_[slot] = row_state::live;
        return last;
    }

    /// Rows whose ids and states lie in a file; `build_table` must follow before `find` knows them.
    void borrow(const std::byte* ids, const std::byte* states, std::size_t count, std::size_t live) {
        ids_.borrow(ids);
        states_.borrow(states);
        high_water_ = count;
        live_ = live;
        retired_ = count - live;
    }
    /// room  bytes it may take; where rows are very short, it is then fuller than usual until rows are added
    /// returns  false if two live rows share an id; `find` then knows the first
    bool build_table(std::size_t room = (std::numeric_limits<std::size_t>::max)()) {
        std::size_t size = std::bit_ceil(std::max<std::size_t>(16, high_water_ * 4 / 3 + 1));
        if (size > room / sizeof(slot_t) && high_water_ < size / 2 - size / 16) size /= 2;
        table_ = std::vector<slot_t>(size, no_slot);
        bool distinct = true;
        for_each_live([&](slot_t slot) {
            if (find(ids_[slot]) == no_slot)
                enter(table_, slot);
            else
                distinct = false;
        });
        return distinct;
    }
    /// Calls f(rows, count) for what lies in a file.
    template <class F>
    void for_each_array(F&& f) {
        f(ids_.rows(), high_water_);
        f(states_.rows(), high_water_);
    }

    /// Calls f(slot) for every live row, in row order.
    template <class F>
    void for_each_live(F&& f) const {
        for (std::size_t i = 0; i < high_water_; ++i)
            if (is_live(static_cast<slot_t>(i))) f(static_cast<slot_t>(i));
    }

    [[nodiscard]] std::size_t memory() const noexcept {
        return ids_.rows().memory() + states_.rows().memory() + table_.capacity() * sizeof(slot_t) + free_.memory();
    }
    [[nodiscard]] std::size_t reserved() const noexcept {
        return ids_.rows().reserved() + states_.rows().reserved() + table_.capacity() * sizeof(slot_t) + free_.memory();
    }
    /// What both would be of a map that has had `rows` rows and never more.
    [[nodiscard]] std::size_t memory_of(std::size_t rows) const noexcept {
        return ids_.rows().memory_of(rows) + states_.rows().memory_of(rows) + table_size(rows) * sizeof(slot_t);
    }
    [[nodiscard]] std::size_t reserved_of(std::size_t rows) const noexcept {
        return ids_.rows().reserved_of(rows) + states_.rows().reserved_of(rows) + table_size(rows) * sizeof(slot_t);
    }

  private:
    [[nodiscard]] static std::size_t table_size(std::size_t rows) noexcept {
        return std::bit_ceil(std::max<std::size_t>(16, rows * 4 / 3 + 1));
    }
    [[nodiscard]] std::size_t home(Id id) const noexcept { return home(id, table_.size()); }
    [[nodiscard]] std::size_t home(Id id, std::size_t size) const noexcept {
        return static_cast<std::size_t>(mix_id(id, salt_)) & (size - 1);
    }
    [[nodiscard]] std::size_t next(std::size_t i) const noexcept { return (i + 1) & (table_.size() - 1); }

    slot_t take_next(Id id, row_state state) noexcept {
        slot_t slot = free_.lowest();
        if (slot != no_slot)
            free_.erase(slot);
        else
            slot = static_cast<slot_t>(high_water_);
        high_water_ = std::max<std::size_t>(high_water_, slot + std::size_t{1});
        ids_[slot] = id;
        states_[slot] = state;
        return slot;
    }

    void enter(std::vector<slot_t>& table, slot_t slot) const noexcept {
        std::size_t i = home(ids_[slot], table.size());
        while (table[i] != no_slot) i = (i + 1) & (table.size() - 1);
        table[i] = slot;
    }
    /// Where the table has a live row.
    [[nodiscard]] std::size_t place_of(slot_t slot) const noexcept {
        std::size_t i = home(ids_[slot]);
        while (table_[i] != slot) i = next(i);
        return i;
    }

    void erase_entry(slot_t slot) noexcept {
        std::size_t hole = place_of(slot);
        // Pull back every later entry of the run that may not stay behind the hole.
        for (std::size_t i = next(hole); table_[i] != no_slot; i = next(i)) {
            const std::size_t wish = home(ids_[table_[i]]);
            if (((i - wish) & (table_.size() - 1)) >= ((i - hole) & (table_.size() - 1))) {
                table_[hole] = table_[i];
                hole = i;
            }
        }
        table_[hole] = no_slot;
    }

    /// What the table holds, in one of another size.
    [[nodiscard]] std::vector<slot_t> table_of(std::size_t size) const {
        std::vector<slot_t> other(size, no_slot);
        for (const slot_t slot : table_)
            if (slot != no_slot) enter(other, slot);
        return other;
    }

    /// Different in every object, so that nobody can make up ids that all fall into one place of the table. Nothing
    /// that can be seen depends on it.
    [[nodiscard]] std::uint64_t own_salt() const noexcept {
        return mix(reinterpret_cast<std::uintptr_t>(this) ^
                   mix(static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count())));
    }

    std::uint64_t salt_ = own_salt();
    chunked_array<Id> ids_;
    chunked_array<row_state> states_;
    std::vector<slot_t> table_;
    slot_set free_;  // and perhaps, from the high water on, rows that once were
    std::size_t high_water_ = 0;
    std::size_t live_ = 0;
    std::size_t retired_ = 0;
    std::size_t arriving_ = 0;
    std::size_t kept_ = 0;  // rows that room is kept for
};

}  // namespace detail

VICINAL_NAMESPACE_END
