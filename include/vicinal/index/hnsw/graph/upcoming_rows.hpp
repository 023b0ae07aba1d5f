// SPDX-License-Identifier: MIT
// Upcoming rows are on their way into an hnsw_index: they are set up in the graph beside readers, before they have
// links.
#pragma once

#include <algorithm>  // for binary_search, find, min
#include <cstddef>    // for size_t, byte
#include <span>       // for span
#include <utility>    // for move, pair
#include <vector>     // for vector

#include "vicinal/index/common/encoding.hpp"
#include "vicinal/index/common/writing.hpp"
#include "vicinal/index/hnsw/state.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::hnsw {

/// Takes rows that nothing links to out of the graph, the last first: their places are then given out again in the same
/// order.
template <class State>
void forget(State& index, std::span<const slot_t> slots) noexcept {
    for (std::size_t i = slots.size(); i-- > 0;) {
        index.known.erase(slots[i]);
        index.graph.set_parent(slots[i], no_slot);
        index.graph.destroy(slots[i]);
    }
}

/// Makes room for lists of duplicates, which are kept for all `stored` rows once there was a duplicate; the first ones
/// are made beside readers.
template <class State>
void make_room_for_duplicates(State& index, std::size_t stored, bool needed) {
    auto& duplicates = index.duplicates;
    if (!needed && !duplicates.kept()) return;
    row_duplicates first;
    if (!duplicates.kept()) first.reserve(stored);
    const auto exclusive = index.locks.exclusive();
    if (duplicates.kept())
        duplicates.reserve(stored);
    else
        duplicates = std::move(first);
}

/// Sets the next rows up in the graph, with their codes but without links, except those that are duplicates of others.
/// The destructor takes them out again unless they were inserted, which makes them live.
template <class State>
class upcoming_rows {
    using Id = typename State::id_type;

  public:
    /// row_codes  of all of them, as `encode_row` makes them
    /// leaving    live rows, sorted, that rows of the same call replace: those arrive when they are inserted
    upcoming_rows(State& of, std::span<const Id> ids, std::span<const std::byte> row_codes,
                  std::span<const slot_t> leaving = {})
        : upcoming_rows(of, ids, leaving) {
        set_up(row_codes);
        tell_duplicates();
    }
    upcoming_rows(const upcoming_rows&) = delete;
    upcoming_rows& operator=(const upcoming_rows&) = delete;
    ~upcoming_rows() {
        if (set_up_ && !inserted_) forget(of_, slots_);
    }
    /// Returns the rows that get links.
    [[nodiscard]] std::span<const slot_t> nodes() const noexcept { return nodes_; }
    /// Returns all of the rows, duplicates among them.
    [[nodiscard]] std::span<const slot_t> slots() const noexcept { return slots_; }
    /// Makes the rows live. Readers are out.
    void insert() noexcept {
        for (const slot_t slot : slots_) of_.graph.publish(slot);
        for (const Id id : ids_)
            if (leaving_.empty() || of_.directory.find(id) == no_slot)
                of_.directory.insert(id);
            else
                of_.directory.arrive(id);
        for (const auto& [duplicate, node] : duplicates_) of_.duplicates.attach(duplicate, node);
        inserted_ = true;
    }

  private:
    /// Once this is done, the destructor undoes what follows.
    upcoming_rows(State& of, std::span<const Id> ids, std::span<const slot_t> leaving)
        : of_(of), ids_(ids), leaving_(leaving), slots_(of.directory.upcoming_rows(ids.size())) {}

    void set_up(std::span<const std::byte> row_codes) {
        std::vector<std::size_t> levels(ids_.size());
        std::size_t upper = 0;
        for (std::size_t i = 0; i < ids_.size(); ++i) {
            levels[i] = of_.graph.draw_level(of_.params.seed, slots_[i]);
            upper += levels[i];
        }
        make_room(levels, upper);
        const std::size_t bytes = code_bytes(of_);
        // Rows are created while readers are out, as readers check upper links against how many there are.
        for_each_in_turns(of_, ids_.size(), [&](std::size_t i) {
            of_.graph.create(slots_[i], levels[i]);
            put_row(of_, slots_[i], row_codes.data() + i * bytes);
        });
        set_up_ = true;
    }
    /// Makes room for the rows, beside readers.
    void make_room(std::span<const std::size_t> levels, std::size_t upper) {
        const std::size_t rows = of_.directory.high_water_after(ids_.size());
        for (const std::size_t level : levels) of_.graph.reserve_destroy(level, ids_.size());
        of_.graph.reserve(rows, upper);
        touch_rows(of_, ids_.size());
        of_.graph.touch(rows, upper);
    }
    void tell_duplicates() {
        for (const slot_t slot : slots_) {
            const slot_t node =
                of_.known.find_or_enter(slot, [&](slot_t other) { return is_duplicate_of(slot, other); });
            if (node == slot)
                nodes_.push_back(slot);
            else
                duplicates_.push_back({slot, node});
        }
        for (const auto& [duplicate, node] : duplicates_) of_.graph.destroy(duplicate);
        make_room_for_duplicates(of_, of_.directory.high_water_after(ids_.size()), !duplicates_.empty());
    }
    /// Says whether a row with the same codes has the same vector. Where both vectors are known these decide, as codes
    /// may differ once codecs learn. A row of the same id is about to be replaced, so it is none.
    [[nodiscard]] bool is_duplicate_of([[maybe_unused]] slot_t slot, [[maybe_unused]] slot_t other) const noexcept {
        if constexpr (!learns<typename State::store_type>) return true;
        const Id id = id_of(slot), other_id = id_of(other);
        const auto& exact = of_.learner.exact;
        const bool leaves = std::binary_search(leaving_.begin(), leaving_.end(), other);  // what is staged replaces it
        return id != other_id && !tells_apart(exact.staged(id), leaves ? exact.kept(other_id) : exact.staged(other_id));
    }
    [[nodiscard]] Id id_of(slot_t slot) const noexcept {
        const auto fresh = std::find(slots_.begin(), slots_.end(), slot);
        if (fresh == slots_.end()) return of_.directory.id(slot);  // which knows nothing of the others yet
        return ids_[static_cast<std::size_t>(fresh - slots_.begin())];
    }

    State& of_;
    std::span<const Id> ids_;
    std::span<const slot_t> leaving_;
    std::vector<slot_t> slots_;
    std::vector<slot_t> nodes_;
    std::vector<std::pair<slot_t, slot_t>> duplicates_;  // each and its row in the graph
    bool set_up_ = false;
    bool inserted_ = false;
};

}  // namespace detail::hnsw

VICINAL_NAMESPACE_END
