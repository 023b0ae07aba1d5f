// SPDX-License-Identifier: MIT
// In an HNSW index one row of the graph stands for all duplicates of a vector.
//
// A row whose codes are those of a live row of the graph gets no links of its own: it is kept in a list behind that
// row, and searches that find the one deliver all. So a graph knows each vector once, however many rows have it;
// duplicates neither fill the beams of searches nor the links of rows. When one of them is removed, the first of the
// list takes over its id: the row in the graph stays as long as anybody has its vector.
#pragma once

#include <algorithm>  // for max, min
#include <bit>        // for bit_ceil
#include <chrono>     // for steady_clock
#include <cstddef>    // for size_t, byte
#include <cstdint>    // for uint64_t, uintptr_t
#include <cstring>    // for memcmp, memcpy
#include <span>       // for span
#include <vector>     // for vector

#include "vicinal/core/math.hpp"
#include "vicinal/core/types.hpp"
#include "vicinal/scoring/collectors.hpp"
#include "vicinal/storage/chunked_rows.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Says which rows are duplicates of which row of the graph: behind each of those there is a list. Takes memory from
/// the first duplicate on. A list may lie in a damaged file, so whoever follows one counts steps.
class row_duplicates {
  public:
    /// Says whether there are duplicates; of lists in a file, whether there may be.
    [[nodiscard]] bool any() const noexcept { return count_ != 0; }
    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    /// Says whether there is memory for lists, which then has to grow with the rows.
    [[nodiscard]] bool kept() const noexcept { return rows_ != 0; }

    /// Returns the first duplicate behind a row of the graph, or the next one behind a duplicate; no_slot at the end.
    [[nodiscard]] VICINAL_INLINE slot_t next(slot_t slot) const noexcept { return any() ? next_[slot] : no_slot; }
    /// Returns the row of the graph that stands for `slot`: itself unless it is a duplicate. Not known of lists in a
    /// file.
    [[nodiscard]] slot_t node_of(slot_t slot) const noexcept { return is_duplicate(slot) ? nodes_[slot] : slot; }
    [[nodiscard]] bool is_duplicate(slot_t slot) const noexcept { return any() && nodes_[slot] != no_slot; }

    /// Makes room for rows [0, rows). Strong guarantee.
    void reserve(std::size_t rows) {
        next_.reserve(rows);
        nodes_.reserve(rows);
        for (; rows_ < rows; ++rows_) next_[static_cast<slot_t>(rows_)] = nodes_[static_cast<slot_t>(rows_)] = no_slot;
    }
    /// Forgets the rows from `rows` on, none of which is a duplicate or has any. Readers are out; `give_back` is to
    /// follow.
    void lower(std::size_t rows) noexcept { rows_ = (std::min)(rows_, rows); }
    /// Gives back the memory of rows that were forgotten. May run beside readers.
    /// at_once  as of hnsw_graph::give_back
    void give_back(bool at_once) noexcept {
        for (chunked_rows* const array : {&next_.rows(), &nodes_.rows()})
            at_once ? array->fit(rows_) : array->give_back(rows_);
    }
    /// Puts `duplicate` first behind `node`.
    void attach(slot_t duplicate, slot_t node) noexcept {
        next_[duplicate] = next_[node];
        next_[node] = duplicate;
        nodes_[duplicate] = node;
        ++count_;
    }
    /// Takes the first duplicate behind `node` out.
    void detach_first(slot_t node) noexcept {
        const slot_t duplicate = next_[node];
        next_[node] = next_[duplicate];
        next_[duplicate] = nodes_[duplicate] = no_slot;
        --count_;
    }
    /// Returns these lists for the rows by other numbers.
    /// rows     by their new numbers;  numbers  the new ones by the old
    [[nodiscard]] row_duplicates renumbered(std::span<const slot_t> rows, std::span<const slot_t> numbers) const {
        row_duplicates other;
        if (!kept()) return other;
        const auto number = [&](slot_t slot) { return slot == no_slot ? no_slot : numbers[slot]; };
        other.reserve(rows.size());
        for (std::size_t i = 0; i < rows.size(); ++i) {
            other.next_[static_cast<slot_t>(i)] = number(next_[rows[i]]);
            other.nodes_[static_cast<slot_t>(i)] = number(nodes_[rows[i]]);
        }
        other.count_ = count_;
        return other;
    }
    [[nodiscard]] std::size_t memory() const noexcept { return 2 * sizeof(slot_t) * rows_; }
    [[nodiscard]] std::size_t reserved() const noexcept { return kept() ? 2 * sizeof(slot_t) * next_.capacity() : 0; }

    // ---- files -----------------------------------------------------------------------------------------------------

    /// Uses lists that lie in a file, which holds `next` of each row. Nothing is known of nodes then.
    void borrow(std::span<const slot_t> next) noexcept {
        next_.borrow(reinterpret_cast<const std::byte*>(next.data()));
        count_ = next.size();  // at most
    }
    /// Holds for each of `rows` rows the row of the graph that it is a duplicate of, or no_slot; `nodes` is empty if
    /// there are no duplicates.
    struct nodes_found {
        std::vector<slot_t> nodes;
        [[nodiscard]] bool is_duplicate(slot_t slot) const noexcept { return !nodes.empty() && nodes[slot] != no_slot; }
        std::size_t count = 0;    ///< of duplicates
        std::size_t defects = 0;  ///< ends that lead nowhere, rows in two lists, rings
    };
    [[nodiscard]] nodes_found find_nodes(std::size_t rows) const {
        nodes_found found;
        if (!any()) return found;
        found.nodes.assign(rows, no_slot);
        std::vector<bool> named(rows, false);
        for (std::size_t i = 0; i < rows; ++i) {
            const slot_t after = next(static_cast<slot_t>(i));
            if (after == no_slot) continue;
            if (after >= rows || named[after])
                ++found.defects;
            else
                named[after] = true;
        }
        for (std::size_t i = 0; i < rows; ++i) {
            if (named[i]) continue;
            for (slot_t duplicate = next(static_cast<slot_t>(i)); duplicate < rows && found.nodes[duplicate] == no_slot;
                 duplicate = next(duplicate)) {
                found.nodes[duplicate] = static_cast<slot_t>(i);
                ++found.count;
            }
        }
        for (std::size_t i = 0; i < rows; ++i) found.defects += named[i] && found.nodes[i] == no_slot ? 1U : 0U;
        return found;
    }
    /// Copies these lists, which must be sound, into memory that can change.
    [[nodiscard]] row_duplicates owned(std::size_t rows) const {
        row_duplicates own;
        if (!any()) return own;
        const nodes_found found = find_nodes(rows);
        own.reserve(rows);
        for (std::size_t i = 0; i < rows; ++i) {
            const auto slot = static_cast<slot_t>(i);
            own.next_[slot] = next(slot);
            own.nodes_[slot] = found.nodes[i];
        }
        own.count_ = found.count;
        return own;
    }

  private:
    chunked_array<slot_t> next_;
    chunked_array<slot_t> nodes_;
    std::size_t rows_ = 0;
    std::size_t count_ = 0;
};

/// Follows the lists of duplicates for one search. All together take no more steps than there are rows, so that the
/// rings of a damaged file end, too.
class duplicates_walk {
  public:
    duplicates_walk(const row_duplicates& duplicates, std::size_t rows) noexcept
        : duplicates_(&duplicates), rows_(rows), left_(rows) {}

    /// Calls f(row) for a row of the graph and its duplicates until one returns true; returns whether one did.
    template <class F>
    bool any_of(slot_t node, F&& f) {
        if (f(node)) return true;
        for (slot_t duplicate = duplicates_->next(node); duplicate < rows_ && left_ != 0;
             duplicate = duplicates_->next(duplicate), --left_)
            if (f(duplicate)) return true;
        return false;
    }
    template <class F>
    void for_each(slot_t node, F&& f) {
        any_of(node, [&](slot_t slot) {
            f(slot);
            return false;
        });
    }

  private:
    const row_duplicates* duplicates_;
    std::size_t rows_;
    std::size_t left_;
};

/// Says whether any of the rows that a row of the graph stands for may be returned.
template <class Id>
class duplicates_selector {
  public:
    duplicates_selector(const row_selector<Id>& selector, const row_duplicates& duplicates, std::size_t rows) noexcept
        : selector_(selector), walk_(duplicates, rows) {}
    [[nodiscard]] bool operator()(slot_t node) const { return walk_.any_of(node, selector_); }
    /// Counts those that may be returned, up to `most`.
    [[nodiscard]] std::size_t count(slot_t node, std::size_t most) const {
        std::size_t found = 0;
        walk_.any_of(node, [&](slot_t slot) {
            found += selector_(slot) ? 1U : 0U;
            return found >= most;
        });
        return found;
    }

  private:
    const row_selector<Id>& selector_;
    mutable duplicates_walk walk_;
};

/// Pushes all rows that a row of the graph stands for to a `Collector`.
template <class Collector>
class duplicates_collector {
  public:
    duplicates_collector(Collector& collector, const row_duplicates& duplicates, std::size_t rows) noexcept
        : collector_(collector), walk_(duplicates, rows) {}
    [[nodiscard]] float threshold() const noexcept { return collector_.threshold(); }
    void push(slot_t node, float distance) {
        walk_.for_each(node, [&](slot_t slot) { collector_.push(slot, distance); });
    }

  private:
    Collector& collector_;
    duplicates_walk walk_;
};

/// Finds the row of the graph that has given codes, in a hash table of rows by their codes. Only the writer may use it.
/// Rows with equal codes lie in it in the order in which they came.
/// Rows  a row_store; all its codes must agree
template <class Rows>
class known_codes {
  public:
    explicit known_codes(const Rows& rows) noexcept : rows_(&rows) {}

    /// Returns a table with room for `count` rows and the present ones in it, or an empty one if this one has the room.
    /// Strong guarantee.
    [[nodiscard]] std::vector<slot_t> enlarged(std::size_t count) const {
        const std::size_t wanted = table_size(count);
        return wanted > table_.size() ? resized(wanted) : std::vector<slot_t>();
    }
    /// Returns a smaller table if this one has four times the room that `count` rows need, else an empty one. Strong
    /// guarantee.
    /// at_once  if it has twice the room
    [[nodiscard]] std::vector<slot_t> reduced(std::size_t count, bool at_once) const {
        const std::size_t wanted = table_size(count);
        return (at_once ? 2 : 4) * wanted <= table_.size() ? resized(wanted) : std::vector<slot_t>();
    }
    /// Makes the table as it would be by other codes.
    /// codes     codes.for_each_store(f) calls f with the stores of these
    /// for_each  for_each(f) calls f with each row to be known, at most `count`
    template <class Codes, class ForEach>
    [[nodiscard]] std::vector<slot_t> made_of(const Codes& codes, std::size_t count, const ForEach& for_each) const {
        std::vector<slot_t> table(table_size(count), no_slot);
        for_each([&](slot_t slot) {
            const std::size_t i = place(codes, table, slot, [](slot_t) { return false; });
            if (i < table.size()) table[i] = slot;
        });
        return table;
    }
    /// Makes the table as it is when rows go by other numbers. Their places are those of their codes.
    [[nodiscard]] std::vector<slot_t> renumbered_table(std::span<const slot_t> numbers) const {
        std::vector<slot_t> table = table_;
        for (slot_t& slot : table)
            if (slot != no_slot) slot = numbers[slot];
        return table;
    }
    void exchange(std::vector<slot_t>& table) noexcept { table_.swap(table); }
    /// Swaps in a table that `enlarged` or `reduced` returned, unless it is empty.
    void take(std::vector<slot_t>& bigger) noexcept {
        if (!bigger.empty()) table_.swap(bigger);
    }

    /// Returns the row known by the codes of `slot`; if there is none, it is `slot` from now on. Needs room.
    slot_t find_or_enter(slot_t slot) noexcept {
        return find_or_enter(slot, [](slot_t) { return true; });
    }
    /// Does the same among the rows with its codes for which is_same(row) holds. Where `most_alike` others have these
    /// codes, `slot` is returned and stays unknown.
    template <class IsSame>
    slot_t find_or_enter(slot_t slot, const IsSame& is_same) noexcept {
        const std::size_t i = place(*rows_, table_, slot, is_same);
        if (i == table_.size()) return slot;
        if (table_[i] == no_slot) table_[i] = slot;
        return table_[i];
    }
    /// Forgets `slot` if it is known. Its codes must be those it became known by.
    void erase(slot_t slot) noexcept {
        if (table_.empty()) return;
        std::size_t hole = home(table_, slot);
        for (; table_[hole] != slot; hole = after(table_, hole))
            if (table_[hole] == no_slot) return;
        for (std::size_t i = after(table_, hole); table_[i] != no_slot; i = after(table_, i)) {
            const std::size_t mask = table_.size() - 1;
            if (((i - home(table_, table_[i])) & mask) >= ((i - hole) & mask)) {
                table_[hole] = table_[i];
                hole = i;
            }
        }
        table_[hole] = no_slot;
    }
    [[nodiscard]] bool same_codes(slot_t a, slot_t b) const noexcept { return same_codes(*rows_, a, b); }
    [[nodiscard]] std::size_t memory() const noexcept { return table_.capacity() * sizeof(slot_t); }
    /// What memory() would be of `count` rows.
    [[nodiscard]] static std::size_t memory_of(std::size_t count) noexcept {
        return table_size(count) * sizeof(slot_t);
    }

  private:
    static constexpr std::size_t most_alike = 8;  ///< rows with equal codes that are looked at before one is given up

    template <class Codes>
    [[nodiscard]] static bool same_codes(const Codes& codes, slot_t a, slot_t b) noexcept {
        bool same = true;
        codes.for_each_store([&](const auto& store) {
            same = same && std::memcmp(store.rows()[a], store.rows()[b], store.rows().stride()) == 0;
        });
        return same;
    }
    /// Returns the place of the first row that has the codes of `slot` and is the same, or a free place for it, or the
    /// table's size if too many others have these codes.
    template <class Codes, class IsSame>
    [[nodiscard]] std::size_t place(const Codes& codes, const std::vector<slot_t>& table, slot_t slot,
                                    const IsSame& is_same) const noexcept {
        std::size_t others = 0;
        std::size_t i = static_cast<std::size_t>(hash(codes, slot)) & (table.size() - 1);
        for (; table[i] != no_slot; i = after(table, i)) {
            if (!same_codes(codes, table[i], slot)) continue;
            if (is_same(table[i])) break;
            if (++others == most_alike) return table.size();
        }
        return i;
    }
    /// Makes a table of `wanted` places with the present rows in it.
    [[nodiscard]] std::vector<slot_t> resized(std::size_t wanted) const {
        std::vector<slot_t> bigger(wanted, no_slot);
        std::size_t gap = 0;  // from there on, so that the order of rows with equal codes stays
        while (gap < table_.size() && table_[gap] != no_slot) ++gap;
        for (std::size_t i = 0; i < table_.size(); ++i)
            if (const slot_t slot = table_[(gap + i) & (table_.size() - 1)]; slot != no_slot)
                bigger[free_place(bigger, slot)] = slot;
        return bigger;
    }
    [[nodiscard]] static std::size_t table_size(std::size_t count) noexcept {
        return std::bit_ceil(std::max<std::size_t>(16, count * 4 / 3 + 1));
    }
    [[nodiscard]] static std::size_t after(const std::vector<slot_t>& table, std::size_t i) noexcept {
        return (i + 1) & (table.size() - 1);
    }
    [[nodiscard]] std::size_t home(const std::vector<slot_t>& table, slot_t slot) const noexcept {
        return static_cast<std::size_t>(hash(*rows_, slot)) & (table.size() - 1);
    }
    [[nodiscard]] std::size_t free_place(const std::vector<slot_t>& table, slot_t slot) const noexcept {
        std::size_t i = home(table, slot);
        while (table[i] != no_slot) i = after(table, i);
        return i;
    }
    template <class Codes>
    [[nodiscard]] std::uint64_t hash(const Codes& codes, slot_t slot) const noexcept {
        std::uint64_t h = salt_;
        codes.for_each_store([&](const auto& store) {
            const std::byte* const row = store.rows()[slot];
            const std::size_t bytes = store.rows().stride();
            for (std::size_t at = 0; at < bytes; at += sizeof(std::uint64_t)) {
                std::uint64_t word = 0;
                std::memcpy(&word, row + at, (std::min)(sizeof(word), bytes - at));
                h = mix(h ^ word);
            }
        });
        return h;
    }

    const Rows* rows_;
    std::vector<slot_t> table_;
    /// The salt differs in every object, so that nobody can make up vectors that all fall into one place. No answer and
    /// no byte of a file depends on it.
    std::uint64_t salt_ = mix(reinterpret_cast<std::uintptr_t>(this) ^
                              static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()));
};

}  // namespace detail

VICINAL_NAMESPACE_END
