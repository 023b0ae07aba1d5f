// SPDX-License-Identifier: MIT
// Each list of an inverted file owns its codes and row numbers in one piece, or refers to a mapped file.
#pragma once

#include <algorithm>  // for copy_n, max, min
#include <cstddef>    // for size_t, byte
#include <cstdint>    // for uint32_t, uint64_t
#include <span>       // for span
#include <utility>    // for move, swap
#include <vector>     // for vector

#include "vicinal/storage/chunked_rows.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Says where a row lies: in which list, and there at which position.
struct ivf_place {
    std::uint32_t list;
    std::uint32_t position;

    friend bool operator==(const ivf_place&, const ivf_place&) = default;
};
inline constexpr std::uint32_t no_list = 0xFFFFFFFFU;

/// Shows the rows of one list, for reading: codes one after the other, and which row each belongs to. In a mapped file
/// nobody has looked at the row numbers yet.
struct ivf_rows {
    const std::byte* codes;
    const slot_t* slots;
    std::size_t size;
};

/// Holds all lists. A change never moves what another list holds. Threads: any number of readers, or one writer.
class ivf_lists {
  public:
    /// stride  bytes from one code to the next
    explicit ivf_lists(std::size_t stride) noexcept : stride_(stride) {}

    [[nodiscard]] std::size_t stride() const noexcept { return stride_; }
    [[nodiscard]] std::size_t size() const noexcept { return borrowed() ? offsets_.size() - 1 : owned_.size(); }
    [[nodiscard]] ivf_rows operator[](std::size_t list) const noexcept {
        if (borrowed()) {
            const auto first = static_cast<std::size_t>(offsets_[list]);
            return {codes_ + first * stride_, slots_ + first, static_cast<std::size_t>(offsets_[list + 1]) - first};
        }
        const piece& own = owned_[list];
        return {own.block.get(), slots_of(own), own.size};
    }
    [[nodiscard]] const std::byte* code(ivf_place place) const noexcept {
        return (*this)[place.list].codes + place.position * stride_;
    }

    /// Refers to lists in a mapped file: list l has rows [offsets[l], offsets[l + 1]). The offsets ascend from 0.
    void borrow(const std::byte* codes, const slot_t* slots, std::span<const std::uint64_t> offsets) noexcept {
        codes_ = codes;
        slots_ = slots;
        offsets_ = offsets;
    }

    /// Copies these lists into memory of their own.
    [[nodiscard]] ivf_lists owned() const {
        ivf_lists copy(stride_);
        copy.reset(size());
        for (std::size_t l = 0; l < size(); ++l) {
            const ivf_rows list = (*this)[l];
            copy.reserve(l, list.size);
            for (std::size_t i = 0; i < list.size; ++i) copy.append(l, list.slots[i], list.codes + i * stride_);
        }
        return copy;
    }

    // What follows is for lists in memory of their own.

    /// Puts `count` empty lists in place of what there was. Strong guarantee.
    void reset(std::size_t count) {
        std::vector<piece> fresh(count);
        owned_.swap(fresh);
    }
    /// A piece is a list's memory: room for `capacity` codes and what a kernel reads past them, then for as many row
    /// numbers and for how many rows there ever were in it.
    struct piece {
        aligned_block block;
        std::uint32_t size = 0;
        std::uint32_t capacity = 0;
    };
    static_assert(sizeof(piece) <= 16);  // a file with many empty lists of few dimensions must not grow in memory

    /// Says whether a list must be made anew for `rows` rows to lie in it.
    [[nodiscard]] bool lacks_room(std::size_t list, std::size_t rows) const noexcept {
        return rows > owned_[list].capacity;
    }
    /// Says whether a list would do with much less memory.
    /// at_once  with half of it; else with three eighths, a long list with three fifths of what rows were ever in
    [[nodiscard]] bool has_slack(std::size_t list, bool at_once) const noexcept {
        const piece& own = owned_[list];
        const std::size_t wanted = own.size + (at_once ? 0 : own.size / 3);
        if (own.capacity <= wanted || own.size == 0) return own.capacity > wanted;
        if (!at_once && is_long(own) && touched(own) >= wanted + wanted / 4) return true;
        return own.capacity >= 16 && own.capacity >= 2 * wanted;
    }
    /// Makes a list anew with room for `rows` rows, at least twice what it had, for `exchange`. May run beside readers.
    [[nodiscard]] piece grown(std::size_t list, std::size_t rows) const {
        return copied(list, (std::max)(rows, std::size_t{owned_[list].capacity} * 2));
    }
    /// Makes a list anew with room for `rows` rows, at least those it holds, for `exchange`. May run beside readers.
    [[nodiscard]] piece resized(std::size_t list, std::size_t rows) const {
        return copied(list, (std::max)(rows, std::size_t{owned_[list].size}));
    }
    [[nodiscard]] std::size_t capacity(std::size_t list) const noexcept { return owned_[list].capacity; }
    /// Makes a list anew with room for a third more than it holds, for `exchange`. May run beside readers.
    [[nodiscard]] piece without_slack(std::size_t list) const {
        return copied(list, owned_[list].size + owned_[list].size / 3);
    }
    /// Takes a list made anew, and leaves the one before. Readers are out.
    void exchange(std::size_t list, piece& other) noexcept { std::swap(owned_[list], other); }
    /// Has the system give memory for the rows up to `rows` of a list, or of one made anew. May run beside readers.
    void touch(std::size_t list, std::size_t rows) noexcept { touch(owned_[list], rows); }
    void touch(piece& own, std::size_t rows) const noexcept {
        if (!own.block || rows <= touched(own)) return;
        const std::size_t first = touched(own);
        touch_pages(own.block.get() + first * stride_, (rows - first) * stride_);
        touch_pages(reinterpret_cast<std::byte*>(slots_of(own) + first), (rows - first) * sizeof(slot_t));
    }
    /// Makes room for `rows` rows in a list nobody reads. Strong guarantee.
    void reserve(std::size_t list, std::size_t rows) {
        if (!lacks_room(list, rows)) return;
        piece larger = grown(list, rows);
        exchange(list, larger);
    }
    /// Appends a row there is room for, and returns its position.
    std::uint32_t append(std::size_t list, slot_t slot, const std::byte* code) noexcept {
        piece& to = owned_[list];
        std::copy_n(code, stride_, to.block.get() + to.size * stride_);
        slots_of(to)[to.size] = slot;
        touched(to) = (std::max)(touched(to), to.size + 1);
        return to.size++;
    }
    /// Gives a row another number.
    void renumber(ivf_place place, slot_t slot) noexcept { slots_of(owned_[place.list])[place.position] = slot; }
    /// Takes a row out; the last of the list takes its place. Returns the row that moved there, or no_slot.
    slot_t erase(ivf_place place) noexcept {
        piece& from = owned_[place.list];
        const std::uint32_t last = --from.size;
        if (place.position == last) return no_slot;
        std::copy_n(from.block.get() + last * stride_, stride_, from.block.get() + place.position * stride_);
        return slots_of(from)[place.position] = slots_of(from)[last];
    }
    /// Replaces a row's code.
    void rewrite(ivf_place place, const std::byte* code) noexcept {
        std::copy_n(code, stride_, owned_[place.list].block.get() + place.position * stride_);
    }

    /// Counts the bytes of codes of all rows that there ever were, in whole pages; if `reserved`, of all the room there
    /// is. slot_memory counts the rest.
    [[nodiscard]] std::size_t code_memory(bool reserved = false) const noexcept {
        std::size_t bytes = 0;
        for (const piece& own : owned_)
            if (own.block) {
                const std::size_t room = slots_offset(own.capacity) + simd::over_read;
                bytes += reserved ? room : (std::min)(room, round_up(touched(own) * stride_, page_bytes));
            }
        return bytes;
    }
    [[nodiscard]] std::size_t slot_memory(bool reserved = false) const noexcept {
        std::size_t bytes = owned_.capacity() * sizeof(piece);
        for (const piece& own : owned_)
            if (own.block) {
                const std::size_t room = (own.capacity + std::size_t{1}) * sizeof(slot_t);
                bytes += reserved ? room : (std::min)(room, round_up(touched(own) * sizeof(slot_t), page_bytes));
            }
        return bytes;
    }

    /// What a list adds to both whose `rows` rows came together.
    [[nodiscard]] std::size_t code_memory_of(std::size_t rows) const noexcept {
        return (std::min)(slots_offset(rows) + simd::over_read, round_up(rows * stride_, page_bytes));
    }
    [[nodiscard]] static std::size_t slot_memory_of(std::size_t rows) noexcept {
        return sizeof(piece) + (std::min)((rows + 1) * sizeof(slot_t), round_up(rows * sizeof(slot_t), page_bytes));
    }

  private:
    [[nodiscard]] bool borrowed() const noexcept { return !offsets_.empty(); }
    [[nodiscard]] bool is_long(const piece& own) const noexcept {
        return own.capacity * stride_ >= std::size_t{32} << 10;
    }
    [[nodiscard]] std::size_t slots_offset(std::size_t capacity) const noexcept {
        return round_up(capacity * stride_, cache_line) + simd::over_read;
    }
    /// Copies a list's rows into memory for `capacity` rows.
    [[nodiscard]] piece copied(std::size_t list, std::size_t capacity) const {
        const piece& old = owned_[list];
        piece made;
        if (capacity == 0) return made;
        made.capacity = static_cast<std::uint32_t>(capacity);
        made.size = old.size;
        made.block = aligned_block(slots_offset(capacity) + (capacity + 1) * sizeof(slot_t));
        touched(made) = old.size;
        if (old.size == 0) return made;
        std::copy_n(old.block.get(), old.size * stride_, made.block.get());
        std::copy_n(slots_of(old), old.size, slots_of(made));
        return made;
    }
    [[nodiscard]] std::uint32_t& touched(const piece& own) const noexcept { return slots_of(own)[own.capacity]; }
    [[nodiscard]] slot_t* slots_of(const piece& own) const noexcept {
        return own.block ? reinterpret_cast<slot_t*>(own.block.get() + slots_offset(own.capacity)) : nullptr;
    }

    std::size_t stride_;
    std::vector<piece> owned_;
    const std::byte* codes_ = nullptr;
    const slot_t* slots_ = nullptr;
    std::span<const std::uint64_t> offsets_;
};

}  // namespace detail

VICINAL_NAMESPACE_END
