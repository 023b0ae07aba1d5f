// SPDX-License-Identifier: MIT
// An hnsw_graph is the adjacency of an HNSW index: levels, links, and the tree that keeps every row reachable. It knows
// no distances.
#pragma once

#include <algorithm>  // for find, max, min
#include <array>      // for array
#include <cstddef>    // for size_t, byte
#include <cstdint>    // for uint8_t, uint32_t, uint64_t
#include <span>       // for span
#include <utility>    // for move
#include <vector>     // for erase_if, vector

#include "vicinal/core/math.hpp"
#include "vicinal/core/types.hpp"
#include "vicinal/simd/intrinsics.hpp"
#include "vicinal/storage/chunked_rows.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Holds a hierarchical navigable small-world graph (Malkov, Yashunin 2018). Every row has up to 2 * degree links on
/// level 0 and up to `degree` on each level above, ended by no_slot where there are fewer.
///
/// On level 0 some links also form a tree over all live rows: each row but one has a parent, each parent links to its
/// children and they to it, and those links are never pruned. So every live row can be reached from every other,
/// whatever becomes of the rest. A row has at most `child_limit()` children, which always leaves it links to spare.
class hnsw_graph {
  public:
    static constexpr std::size_t max_level = 31;

    explicit hnsw_graph(std::size_t degree)
        : degree_(degree),
          base_(2 * degree * sizeof(slot_t), sizeof(slot_t)),
          upper_(degree * sizeof(slot_t), sizeof(slot_t)),
          free_upper_(max_level + 1),
          upper_made_(max_level + 1, 0) {}

    [[nodiscard]] std::size_t degree() const noexcept { return degree_; }
    /// Returns the most links a row may have on `level`.
    [[nodiscard]] std::size_t capacity(std::size_t level) const noexcept { return level == 0 ? 2 * degree_ : degree_; }
    /// Returns the most children a row may have. They are at least two: with one child each, rows would form a chain,
    /// and the way down to room for another child would be as long as it.
    [[nodiscard]] std::size_t child_limit() const noexcept { return std::max<std::size_t>(2, degree_ / 2); }
    /// Returns the most children a row may have in a file: duplicates were children beyond the limit once.
    [[nodiscard]] std::size_t child_limit_in_files() const noexcept {
        return std::max<std::size_t>(1, degree_ / 2) + 1;
    }

    /// Returns where searches begin: a live row of the highest level, or no_slot in an empty graph.
    [[nodiscard]] slot_t entry() const noexcept { return entry_; }
    [[nodiscard]] std::size_t top_level() const noexcept { return top_level_; }
    void set_entry(slot_t slot, std::size_t level) noexcept {
        entry_ = slot;
        top_level_ = level;
    }

    /// Says whether a link's target is a row at all; only in a damaged file it is not.
    [[nodiscard]] bool exists(slot_t slot) const noexcept { return slot < rows_; }
    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::size_t level(slot_t slot) const noexcept { return levels_[slot]; }
    [[nodiscard]] slot_t parent(slot_t slot) const noexcept { return parents_[slot]; }
    [[nodiscard]] std::size_t children(slot_t slot) const noexcept { return children_[slot]; }

    /// Draws the level of a new row: P(level >= l) = degree^-l, a function of seed and row number alone, the same on
    /// every machine. Nobody can choose ids so that rows get high levels. Nor does adding and removing rows help:
    /// levels belong to row numbers, and as few of these have high ones as ever.
    [[nodiscard]] std::size_t draw_level(std::uint64_t seed, slot_t slot) const noexcept {
        std::uint64_t h = mix(mix(seed) ^ slot);
        std::size_t level = 0;
        for (; h % degree_ == 0 && level < max_level; h /= degree_) ++level;
        return level;
    }

    // ---- links -----------------------------------------------------------------------------------------------------

    /// Returns the links of a row on a level, at most capacity(level), up to the first no_slot. Empty where the row
    /// does not reach the level or a damaged file points outside.
    [[nodiscard]] VICINAL_INLINE std::span<const slot_t> links(slot_t slot, std::size_t level) const noexcept {
        const slot_t* const first = first_link(slot, level);
        if (first == nullptr) return {};
        return {first, std::find(first, first + capacity(level), no_slot)};
    }
    /// Returns where the links of a row on a level begin, or null; for inner loops, which look for no_slot themselves.
    [[nodiscard]] VICINAL_INLINE const slot_t* first_link(slot_t slot, std::size_t level) const noexcept {
        if (level == 0) return reinterpret_cast<const slot_t*>(base_[slot]);
        const std::size_t at = std::size_t{upper_first_[slot]} + level - 1;
        if (level > levels_[slot] || at >= upper_rows_) return nullptr;
        return reinterpret_cast<const slot_t*>(upper_[static_cast<slot_t>(at)]);
    }
    void set_links(slot_t slot, std::size_t level, std::span<const slot_t> links) noexcept {
        auto* const first = const_cast<slot_t*>(first_link(slot, level));
        const auto end = std::copy(links.begin(), links.end(), first);
        std::fill(end, first + capacity(level), no_slot);
    }
    VICINAL_INLINE void prefetch_links(slot_t slot, std::size_t level) const noexcept {
        if (level == 0)
            simd::prefetch_lines(base_[slot], base_.row_bytes(), 4);
        else if (const slot_t* const links = first_link(slot, level))
            simd::prefetch_lines(reinterpret_cast<const std::byte*>(links), upper_.row_bytes(), 4);
    }

    /// Says whether the level-0 link a -> b belongs to the tree.
    [[nodiscard]] bool is_tree_link(slot_t a, slot_t b) const noexcept { return parents_[a] == b || parents_[b] == a; }
    void set_parent(slot_t child, slot_t parent) noexcept {
        if (parents_[child] != no_slot) --children_[parents_[child]];
        parents_[child] = parent;
        if (parent != no_slot) ++children_[parent];
    }

    // ---- rows ------------------------------------------------------------------------------------------------------

    /// Makes room for rows [0, rows) and for `more_upper` more rows of upper links; may run beside readers. Strong
    /// guarantee.
    void reserve(std::size_t rows, std::size_t more_upper) {
        base_.reserve(rows);
        levels_.reserve(rows);
        parents_.reserve(rows);
        children_.reserve(rows);
        upper_first_.reserve(rows);
        upper_.reserve(upper_rows_ + more_upper);
    }
    /// Has the system give the memory of these rows before they are written, so that the writer does not wait for it
    /// while readers are out; may run beside readers.
    void touch(std::size_t rows, std::size_t more_upper) noexcept {
        for (chunked_rows* const array : arrays_of_rows()) array->touch(rows);
        upper_.touch(upper_rows_ + more_upper);
    }
    /// Forgets the rows from `rows` on, which nothing links to. Readers are out.
    void lower(std::size_t rows) noexcept { rows_ = (std::min)(rows_, rows); }
    /// Forgets all rows. Readers are out; `drop_upper` is to follow.
    void clear() noexcept {
        rows_ = 0;
        upper_rows_ = 0;
        set_entry(no_slot, 0);
    }
    /// Returns how many rows of upper links there are, those that are free for new rows among them.
    [[nodiscard]] std::size_t upper_rows() const noexcept { return upper_rows_; }
    /// Forgets the upper links made since there were `rows` of them, all of which were destroyed. Readers are out;
    /// `drop_upper` is to follow.
    void lower_upper(std::size_t rows) noexcept { upper_rows_ = (std::min)(upper_rows_, rows); }
    /// Takes upper links that were forgotten from the lists of free ones. May run beside readers.
    void drop_upper() noexcept {
        for (std::size_t level = 1; level < free_upper_.size(); ++level) {
            auto& list = free_upper_[level];
            const auto beyond = [&](std::uint32_t first) { return first >= upper_rows_; };
            upper_made_[level] -= std::erase_if(list, beyond);
            if (upper_rows_ != 0) continue;
            upper_made_[level] = 0;
            note_room(list, [](auto& all) { std::vector<std::uint32_t>().swap(all); });
        }
    }
    /// Gives back the memory of rows that are gone, but for that of rows [0, rows), and of upper links if those are no
    /// more than there are. May run beside readers.
    /// at_once  all of it; else only where it is so much that rows which come and go do not have it dropped and made
    ///          again
    void give_back(std::size_t rows, bool at_once) noexcept {
        for (chunked_rows* const array : arrays_of_rows()) at_once ? array->fit(rows) : array->give_back(rows);
        if (rows <= rows_) at_once ? upper_.fit(upper_rows_) : upper_.give_back(upper_rows_);
    }
    /// Sets up a row without links, which nothing links to yet. Needs reserve.
    void create(slot_t slot, std::size_t level) noexcept {
        levels_[slot] = static_cast<std::uint8_t>(level);
        parents_[slot] = no_slot;
        children_[slot] = 0;
        upper_first_[slot] = take_upper(level);
        for (std::size_t l = 0; l <= level; ++l) set_links(slot, l, {});
    }
    /// Lets readers meet row `slot`.
    void publish(slot_t slot) noexcept { rows_ = std::max<std::size_t>(rows_, slot + std::size_t{1}); }
    /// Gives a row's upper links back. The row may be created anew. Needs reserve_destroy.
    void destroy(slot_t slot) noexcept {
        if (const std::size_t level = levels_[slot]; level > 0) free_upper_[level].push_back(upper_first_[slot]);
        levels_[slot] = 0;
    }
    /// Makes room in the lists of free upper rows, so that destroying all rows of a level, and `rows` more, does not
    /// allocate.
    void reserve_destroy(std::size_t level, std::size_t rows) {
        auto& list = free_upper_[level];
        const std::size_t most = upper_made_[level] + rows;
        if (list.capacity() < most)
            note_room(list, [&](auto& all) { all.reserve((std::max)(2 * all.capacity(), most)); });
    }
    /// Makes that room for all rows that came from a file, before the first of them is destroyed.
    void reserve_destroy_all() {
        std::vector<std::size_t> counts(max_level + 1, 0);
        for (std::size_t i = 0; i < rows_; ++i) ++counts[levels_[static_cast<slot_t>(i)]];
        for (std::size_t level = 1; level < counts.size(); ++level) {
            note_room(free_upper_[level], [&](auto& all) { all.reserve(counts[level]); });
            upper_made_[level] = counts[level];
        }
    }

    [[nodiscard]] std::size_t memory() const noexcept {
        return sum_of_arrays([](const chunked_rows& array) { return array.memory(); });
    }
    [[nodiscard]] std::size_t reserved() const noexcept {
        return sum_of_arrays([](const chunked_rows& array) { return array.reserved(); });
    }

    /// What both would be of a graph of `rows` rows that lost none: of upper links, as many as levels drawn by chance
    /// make likely.
    [[nodiscard]] std::size_t memory_of(std::size_t rows) const noexcept {
        return sum_of_arrays(rows, [](const chunked_rows& array, std::size_t n) { return array.memory_of(n); });
    }
    [[nodiscard]] std::size_t reserved_of(std::size_t rows) const noexcept {
        return sum_of_arrays(rows, [](const chunked_rows& array, std::size_t n) { return array.reserved_of(n); });
    }

    // ---- files -----------------------------------------------------------------------------------------------------

    /// Uses arrays that lie in a file. Children are not counted then.
    void borrow(std::span<const std::uint8_t> levels, std::span<const slot_t> parents, std::span<const slot_t> base,
                std::span<const std::uint32_t> upper_first, std::span<const slot_t> upper) noexcept {
        levels_.borrow(reinterpret_cast<const std::byte*>(levels.data()));
        parents_.borrow(reinterpret_cast<const std::byte*>(parents.data()));
        base_.borrow(reinterpret_cast<const std::byte*>(base.data()));
        upper_first_.borrow(reinterpret_cast<const std::byte*>(upper_first.data()));
        upper_.borrow(reinterpret_cast<const std::byte*>(upper.data()));
        upper_rows_ = upper.size() / degree_;
        rows_ = levels.size();
    }

    /// Calls f(rows, count) for each array that lies in a file.
    template <class F>
    void for_each_array(F&& f) {
        f(levels_.rows(), rows_);
        f(parents_.rows(), rows_);
        f(base_, rows_);
        f(upper_first_.rows(), rows_);
        f(upper_, upper_rows_);
    }
    /// Counts the children of each row, which a file does not hold.
    [[nodiscard]] chunked_array<std::uint16_t> count_children() const {
        chunked_array<std::uint16_t> counts;
        counts.reserve(rows_);
        counts.touch(rows_);
        for (std::size_t i = 0; i < rows_; ++i) counts[static_cast<slot_t>(i)] = 0;
        for (std::size_t i = 0; i < rows_; ++i)
            if (const slot_t above = parents_[static_cast<slot_t>(i)]; above != no_slot) ++counts[above];
        return counts;
    }
    void set_children(chunked_array<std::uint16_t> counts) noexcept { children_ = std::move(counts); }

  private:
    [[nodiscard]] std::array<chunked_rows*, 5> arrays_of_rows() noexcept {
        return {&base_, &levels_.rows(), &parents_.rows(), &children_.rows(), &upper_first_.rows()};
    }
    template <class Of>
    [[nodiscard]] std::size_t sum_of_arrays(const Of& of) const noexcept {
        return of(base_) + of(upper_) + of(levels_.rows()) + of(parents_.rows()) + of(children_.rows()) +
               of(upper_first_.rows()) + free_upper_bytes_;
    }
    template <class Of>
    [[nodiscard]] std::size_t sum_of_arrays(std::size_t rows, const Of& of) const noexcept {
        const std::size_t upper = rows / (degree_ - 1);  // the sum of rows / degree^level over all levels above 0
        return of(base_, rows) + of(upper_, upper) + of(levels_.rows(), rows) + of(parents_.rows(), rows) +
               of(children_.rows(), rows) + of(upper_first_.rows(), rows) + 2 * sizeof(std::uint32_t) * upper;
    }
    /// Calls change(list), and keeps the sum of memory that readers ask for up to date.
    template <class Change>
    void note_room(std::vector<std::uint32_t>& list, const Change& change) {
        const std::size_t had = list.capacity();
        change(list);
        free_upper_bytes_ = free_upper_bytes_ + list.capacity() * sizeof(std::uint32_t) - had * sizeof(std::uint32_t);
    }
    [[nodiscard]] std::uint32_t take_upper(std::size_t level) noexcept {
        if (level == 0) return 0;
        if (auto& list = free_upper_[level]; !list.empty()) {
            const std::uint32_t first = list.back();
            list.pop_back();
            return first;
        }
        const auto first = static_cast<std::uint32_t>(upper_rows_);
        upper_rows_ += level;
        ++upper_made_[level];
        return first;
    }

    std::size_t degree_;
    std::size_t rows_ = 0;
    slot_t entry_ = no_slot;
    std::size_t top_level_ = 0;
    chunked_rows base_;
    chunked_array<std::uint8_t> levels_;
    chunked_array<slot_t> parents_;
    chunked_array<std::uint16_t> children_;
    chunked_array<std::uint32_t> upper_first_;
    chunked_rows upper_;
    std::size_t upper_rows_ = 0;
    std::vector<std::vector<std::uint32_t>> free_upper_;  // by level
    std::vector<std::size_t> upper_made_;                 // how many rows' links there ever were, by level
    shared_count free_upper_bytes_;
};

}  // namespace detail

VICINAL_NAMESPACE_END
