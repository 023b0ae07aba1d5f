// The rows of an inverted file: each list owns its codes and row numbers in one piece, or refers to a mapped file.
#pragma once

#include <algorithm>  // for copy_n, max
#include <cstddef>    // for size_t, byte
#include <cstdint>    // for uint32_t, uint64_t
#include <span>       // for span
#include <utility>    // for move
#include <vector>     // for vector

#include "vicinal/storage/chunked_rows.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Where a row lies: in which list, and there at which position.
struct ivf_place {
    std::uint32_t list;
    std::uint32_t position;

    friend bool operator==(const ivf_place&, const ivf_place&) = default;
};
inline constexpr std::uint32_t no_list = 0xFFFFFFFFU;

/// The rows of one list, for reading: codes one after the other, and which row each belongs to. In a mapped file nobody
/// has looked at the row numbers yet.
struct ivf_rows {
    const std::byte* codes;
    const slot_t* slots;
    std::size_t size;
};

/// All lists. A change never moves what another list holds.
/// Threads: any number of readers, or one writer.
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

    /// Lists in a mapped file: list l has rows [offsets[l], offsets[l + 1]). The offsets ascend from 0.
    void borrow(const std::byte* codes, const slot_t* slots, std::span<const std::uint64_t> offsets) noexcept {
        codes_ = codes;
        slots_ = slots;
        offsets_ = offsets;
    }

    /// These again, in memory of their own.
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

    // The rest is for lists of its own.

    /// `count` empty lists in place of what there was. Strong guarantee.
    void reset(std::size_t count) {
        std::vector<piece> fresh(count);
        owned_.swap(fresh);
    }
    /// Makes room for `rows` rows in a list, at least doubling what it had. Strong guarantee.
    void reserve(std::size_t list, std::size_t rows) {
        piece& old = owned_[list];
        if (rows <= old.capacity) return;
        piece grown;
        grown.capacity = static_cast<std::uint32_t>(std::max(rows, std::size_t{old.capacity} * 2));
        grown.size = old.size;
        grown.block = aligned_block(slots_offset(grown.capacity) + grown.capacity * sizeof(slot_t));
        std::copy_n(old.block.get(), old.size * stride_, grown.block.get());
        std::copy_n(slots_of(old), old.size, slots_of(grown));
        old = std::move(grown);
    }
    /// Appends a row there is room for, and returns its position.
    std::uint32_t append(std::size_t list, slot_t slot, const std::byte* code) noexcept {
        piece& to = owned_[list];
        std::copy_n(code, stride_, to.block.get() + to.size * stride_);
        slots_of(to)[to.size] = slot;
        return to.size++;
    }
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

    [[nodiscard]] std::size_t code_memory() const noexcept {
        std::size_t bytes = 0;
        for (const piece& own : owned_)
            if (own.block) bytes += slots_offset(own.capacity) + simd::over_read;
        return bytes;
    }
    [[nodiscard]] std::size_t slot_memory() const noexcept {
        std::size_t bytes = owned_.capacity() * sizeof(piece);
        for (const piece& own : owned_) bytes += own.capacity * sizeof(slot_t);
        return bytes;
    }

  private:
    /// One list: room for `capacity` codes and what a kernel reads past them, then for as many row numbers.
    struct piece {
        aligned_block block;
        std::uint32_t size = 0;
        std::uint32_t capacity = 0;
    };
    static_assert(sizeof(piece) <= 16);  // a file with many empty lists of few dimensions must not grow in memory

    [[nodiscard]] bool borrowed() const noexcept { return !offsets_.empty(); }
    [[nodiscard]] std::size_t slots_offset(std::size_t capacity) const noexcept {
        return round_up(capacity * stride_, cache_line) + simd::over_read;
    }
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
