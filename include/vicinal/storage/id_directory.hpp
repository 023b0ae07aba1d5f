// Which id lies in which row, and which rows are free.
#pragma once

#include <algorithm>  // for max, min
#include <bit>        // for bit_ceil
#include <chrono>     // for steady_clock
#include <cstddef>    // for size_t, ptrdiff_t
#include <cstdint>    // for uint8_t, uint64_t, uintptr_t
#include <limits>     // for numeric_limits
#include <vector>     // for vector

#include "vicinal/core/error.hpp"
#include "vicinal/core/math.hpp"
#include "vicinal/core/types.hpp"
#include "vicinal/storage/chunked_rows.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// What a row holds. A retired row's vector is gone for users but may still be passed through by a graph search.
enum class row_state : std::uint8_t { free = 0, live = 1, retired = 2 };

/// The ids of the rows, a hash table from id to row, and the free rows. The table holds row numbers only (the key is
/// the row's id), 4 bytes an entry at a load of at most 3/4, linear probing with backward-shift deletion.
template <class Id>
class id_directory {
  public:
    [[nodiscard]] std::size_t live() const noexcept { return live_; }
    /// Rows ever used: all rows in use are below.
    [[nodiscard]] std::size_t high_water() const noexcept { return high_water_; }
    /// Rows in use that are not live.
    [[nodiscard]] std::size_t retired() const noexcept { return retired_; }
    [[nodiscard]] VICINAL_INLINE Id id(slot_t slot) const noexcept { return ids_[slot]; }
    [[nodiscard]] VICINAL_INLINE row_state state(slot_t slot) const noexcept { return states_[slot]; }
    [[nodiscard]] VICINAL_INLINE bool is_live(slot_t slot) const noexcept { return states_[slot] == row_state::live; }

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

    /// Rows there will have been when `extra` more are in use: free ones are used first.
    [[nodiscard]] std::size_t high_water_after(std::size_t extra) const noexcept {
        return high_water_ + (extra > free_.size() ? extra - free_.size() : 0);
    }

    /// Makes room for `extra` more live rows. Strong guarantee.
    /// throws  error{capacity} beyond 2^31 - 1 rows
    void reserve_extra(std::size_t extra) {
        const std::size_t fresh = extra > free_.size() ? extra - free_.size() : 0;
        if (fresh > max_slots - high_water_)
            fail(errc::capacity, "the index would hold " + std::to_string(high_water_ + fresh) +
                                     " rows, it numbers at most " + std::to_string(max_slots));
        ids_.reserve(high_water_ + fresh);
        states_.reserve(high_water_ + fresh);
        if (free_.capacity() < high_water_ + fresh) free_.reserve(grown(free_.capacity(), high_water_ + fresh));
        const std::size_t wanted = std::bit_ceil(std::max<std::size_t>(16, (live_ + extra) * 4 / 3 + 1));
        if (wanted > table_.size()) rehash(wanted);
    }

    /// Room for releasing every row, which rows that came from a file have not had yet. Strong guarantee.
    void reserve_free() {
        if (free_.capacity() < high_water_) free_.reserve(high_water_);
    }

    /// The used rows among those that the next `count` calls of `insert` would take.
    [[nodiscard]] std::vector<slot_t> upcoming_reused(std::size_t count) const {
        return {free_.end() - static_cast<std::ptrdiff_t>(std::min(count, free_.size())), free_.end()};
    }

    /// The row the i-th next `insert` would take, without taking it.
    [[nodiscard]] slot_t upcoming(std::size_t i) const noexcept {
        return i < free_.size() ? free_[free_.size() - 1 - i] : static_cast<slot_t>(high_water_ + (i - free_.size()));
    }

    /// Gives `id` the next row, live from now on. Needs reserve_extra and that find(id) is no_slot.
    slot_t insert(Id id) noexcept {
        const slot_t slot = upcoming(0);
        if (free_.empty())
            ++high_water_;
        else
            free_.pop_back();
        ids_[slot] = id;
        states_[slot] = row_state::live;
        ++live_;
        enter(slot);
        return slot;
    }

    /// Takes a row's id away; the row counts as retired until `release`.
    void retire(slot_t slot) noexcept {
        erase_entry(slot);
        states_[slot] = row_state::retired;
        --live_;
        ++retired_;
    }
    /// Makes a retired row free to be used again.
    void release(slot_t slot) noexcept {
        states_[slot] = row_state::free;
        --retired_;
        free_.push_back(slot);
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
    bool build_table(std::size_t room = std::numeric_limits<std::size_t>::max()) {
        std::size_t size = std::bit_ceil(std::max<std::size_t>(16, high_water_ * 4 / 3 + 1));
        if (size > room / sizeof(slot_t) && high_water_ < size / 2 - size / 16) size /= 2;
        rehash(size);
        bool distinct = true;
        for_each_live([&](slot_t slot) {
            if (find(ids_[slot]) == no_slot)
                enter(slot);
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
        return ids_.memory() + states_.memory() + (table_.capacity() + free_.capacity()) * sizeof(slot_t);
    }

  private:
    static std::size_t grown(std::size_t capacity, std::size_t wanted) { return std::max(wanted, capacity * 2); }
    [[nodiscard]] std::size_t home(Id id) const noexcept {
        return static_cast<std::size_t>(mix_id(id, salt_)) & (table_.size() - 1);
    }
    [[nodiscard]] std::size_t next(std::size_t i) const noexcept { return (i + 1) & (table_.size() - 1); }

    void enter(slot_t slot) noexcept {
        std::size_t i = home(ids_[slot]);
        while (table_[i] != no_slot) i = next(i);
        table_[i] = slot;
    }

    void erase_entry(slot_t slot) noexcept {
        std::size_t hole = home(ids_[slot]);
        while (table_[hole] != slot) hole = next(hole);
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

    void rehash(std::size_t size) {
        std::vector<slot_t> bigger(size, no_slot);
        table_.swap(bigger);
        for (const slot_t slot : bigger)
            if (slot != no_slot) enter(slot);
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
    std::vector<slot_t> free_;
    std::size_t high_water_ = 0;
    std::size_t live_ = 0;
    std::size_t retired_ = 0;
};

}  // namespace detail

VICINAL_NAMESPACE_END
