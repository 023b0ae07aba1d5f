// SPDX-License-Identifier: MIT
// Attributes are what is known of the rows of an index beside their vectors, and what searches are filtered by.
#pragma once

#include <algorithm>         // for max, min
#include <bit>               // for countr_zero
#include <cstddef>           // for size_t
#include <cstdint>           // for uint32_t, uint64_t
#include <initializer_list>  // for initializer_list
#include <memory>            // for make_unique, unique_ptr
#include <mutex>             // for mutex, unique_lock
#include <optional>          // for optional
#include <shared_mutex>      // for shared_lock, shared_mutex
#include <string>            // for string
#include <string_view>       // for string_view
#include <unordered_map>     // for unordered_map
#include <utility>           // for move
#include <vector>            // for vector

#include "vicinal/attributes/table.hpp"
#include "vicinal/attributes/text.hpp"
#include "vicinal/core/math.hpp"
#include "vicinal/filter/id_set.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Hashes ids of all types, those of 128 bits and enums too.
template <class Id>
struct attribute_id_hash {
    [[nodiscard]] std::size_t operator()(Id id) const noexcept {
        return number_as<std::size_t>(mix_id(static_cast<typename integer_of<Id>::type>(id)));
    }
};

}  // namespace detail

/// Typed values by id: what a search is filtered by.
///
///     attributes<> about{{"price", column_type::float64}, {"lang", column_type::string}, {"tags", column_type::tags}};
///     about.set(7, {{"price", 12.5}, {"lang", "de"}, {"tags", tag_list{"book", "new"}}});
///     const auto price = about.column("price"), lang = about.column("lang"), tags = about.column("tags");
///     index.search(query, 10, {.filter = about.where(price < 50 && lang == "de" && tags.contains("book"))});
///     index.search(query, 10, {.filter = about.where(".price < 50 and .lang == 'de' and 'book' in .tags")});
///
/// Ids need not be those of an index: a search returns no id that its index lacks. Every change has the strong
/// guarantee. Any number of threads may read while others change; `where` sees all of a change or nothing of it, and
/// what it returns is the caller's own. An object that was moved from may only be destroyed or assigned to.
template <identifier Id = std::uint64_t>
class attributes {
    using key_type = detail::id_key<Id>;

    struct state {
        explicit state(std::vector<vicinal::column> columns) : table(std::move(columns)) {}

        detail::attribute_table table;
        std::unordered_map<Id, std::uint32_t, detail::attribute_id_hash<Id>> rows;
        std::vector<Id> ids;              // by row
        std::vector<std::uint32_t> free;  // rows that are free; as much room as `ids` has
        key_type lowest = ~key_type{0};   // no id was ever below, or above
        key_type highest = 0;
        mutable std::shared_mutex readers;  // who changes what readers see holds it alone
        std::mutex changing;                // one change at a time
    };

  public:
    using id_type = Id;

    /// throws  error{invalid_argument} if a name is empty, longer than 255 bytes or there twice, or of more than 1000
    ///         columns
    attributes(std::initializer_list<vicinal::column> columns) : attributes(std::vector<vicinal::column>(columns)) {}
    explicit attributes(std::vector<vicinal::column> columns) : state_(std::make_unique<state>(std::move(columns))) {}

    [[nodiscard]] const std::vector<vicinal::column>& columns() const noexcept { return *state_->table.columns(); }
    /// Stands for a column in expressions, also after this object is gone.
    /// throws  error{invalid_argument}, naming the column and those there are
    [[nodiscard]] attribute_term column(std::string_view name) const {
        return {state_->table.columns(), detail::column_named(columns(), name)};
    }
    /// How many ids have attributes.
    [[nodiscard]] std::size_t size() const {
        const std::shared_lock lock(state_->readers);
        return state_->rows.size();
    }
    [[nodiscard]] bool contains(Id id) const {
        const std::shared_lock lock(state_->readers);
        return state_->rows.find(id) != state_->rows.end();
    }
    /// The values of all columns, in their order; nothing if the id has no attributes.
    [[nodiscard]] std::optional<attribute_row> get(Id id) const {
        const std::shared_lock lock(state_->readers);
        const auto found = state_->rows.find(id);
        if (found == state_->rows.end()) return {};
        attribute_row row;
        for (std::size_t c = 0; c < columns().size(); ++c)
            row.emplace_back(columns()[c].name, state_->table.get(c, found->second));
        return row;
    }

    /// A change that was checked and has room: what is left to be done cannot fail. No other change begins before it is
    /// gone, and this one has no effect unless it was committed.
    class [[nodiscard]] planned_change {
      public:
        planned_change(planned_change&& other) noexcept = default;
        planned_change& operator=(planned_change&&) = delete;
        ~planned_change() {
            if (of_ == nullptr || !lock_.owns_lock()) return;
            const std::unique_lock readers_out(of_->readers);
            give_up();
        }
        /// Makes the change.
        void commit() noexcept {
            if (!lock_.owns_lock()) return;  // it was made already
            const std::unique_lock readers_out(of_->readers);
            if (removes_)
                remove();
            else
                put();
            lock_.unlock();
        }

      private:
        friend attributes;
        planned_change(state& of, Id id) : of_(&of), lock_(of.changing), id_(id) {}
        void give_up() noexcept {
            for (const detail::new_cell& cell : cells_) of_->table.forget(cell);
        }
        void put() noexcept {
            if (!node_.empty()) {
                if (!of_->free.empty())
                    of_->free.pop_back();
                else
                    of_->ids.push_back(id_);  // there is room
                of_->ids[row_] = id_;
                of_->rows.insert(std::move(node_));
                of_->table.set_live(row_);
                of_->lowest = (std::min)(of_->lowest, detail::key_of(id_));
                of_->highest = (std::max)(of_->highest, detail::key_of(id_));
            }
            for (detail::new_cell& cell : cells_) of_->table.put(row_, cell);
        }
        void remove() noexcept {
            const auto found = of_->rows.find(id_);
            if (found == of_->rows.end()) return;
            of_->table.erase(found->second);
            of_->free.push_back(found->second);  // there is room
            of_->rows.erase(found);
        }

        state* of_;
        std::unique_lock<std::mutex> lock_;
        Id id_;
        bool removes_ = false;
        std::uint32_t row_ = 0;
        std::vector<detail::new_cell> cells_;
        typename std::unordered_map<Id, std::uint32_t, detail::attribute_id_hash<Id>>::node_type
            node_;  // of an id that is new
    };

    /// Prepares `set`, for who changes something else as well and wants both or neither: plan, change the other, which
    /// may throw, then commit, which may not.
    planned_change plan(Id id, const attribute_row& values) {
        planned_change change(*state_, id);
        const std::unique_lock readers_out(state_->readers);
        prepare(change, values);
        return change;
    }
    /// Prepares `erase`.
    planned_change plan_erase(Id id) {
        planned_change change(*state_, id);
        change.removes_ = true;
        return change;
    }
    /// Gives `id` these values; columns that are not named keep theirs, and are null if the id is new. null takes a
    /// value away. A whole number may be given for a column of float64 that holds it.
    /// throws  error: invalid_argument for a column that there is not, or is named twice, and for a value of another
    ///         type, naming both; non_finite for NaN; capacity beyond 2^31 - 1 ids
    void set(Id id, const attribute_row& values) { plan(id, values).commit(); }
    /// Takes the attributes of `id` away; returns whether it had any.
    bool erase(Id id) {
        auto change = plan_erase(id);
        const bool there = state_->rows.find(id) != state_->rows.end();  // no other change is under way
        change.commit();
        return there;
    }

    /// The ids of which the expression is known to hold (attribute_expression). It goes through all rows: measured in
    /// docs/attributes.md. The result is a set like any other: it may be joined with more by & | and -, and filters as
    /// many searches as you like.
    /// throws  error{invalid_argument} if the expression is made of other columns
    [[nodiscard]] id_set<Id> where(const attribute_expression& expression) const {
        const std::shared_lock lock(state_->readers);
        return ids_of(state_->table.select(expression));
    }
    /// Those of which it holds, by its text: parse(text).
    [[nodiscard]] id_set<Id> where(std::string_view text) const { return where(parse(text)); }
    [[nodiscard]] id_set<Id> where(const std::string& text) const { return where(parse(text)); }
    [[nodiscard]] id_set<Id> where(const char* text) const { return where(parse(text)); }
    /// Makes an expression of text, in the syntax that Redis gives the filters of vector sets (docs/attributes.md).
    /// throws  error{invalid_argument}, which says at which position something else was expected, or names the column
    ///         or the types
    [[nodiscard]] attribute_expression parse(std::string_view text) const {
        return detail::expression_of(text, state_->table.columns());
    }

  private:
    /// Finds the row, makes room for it, and checks all values.
    void prepare(planned_change& change, const attribute_row& values) {
        const auto found = state_->rows.find(change.id_);
        if (found != state_->rows.end())
            change.row_ = found->second;
        else
            make_room(change);
        std::vector<bool> named(columns().size());
        change.cells_.reserve(values.size());
        for (const auto& [name, value] : values) {
            const std::size_t c = detail::column_named(columns(), name);
            if (named[c])
                detail::fail(errc::invalid_argument, "attributes: " + detail::describe(columns()[c]) +
                                                         " has two values for id " + detail::text_of(change.id_));
            named[c] = true;
            state_->table.prepare(c, value, change.cells_.emplace_back());
        }
    }
    void make_room(planned_change& change) {
        state& mine = *state_;
        if (mine.free.empty()) {
            if (mine.ids.size() == detail::max_slots)
                detail::fail(errc::capacity, "attributes: there are 2^31 - 1 ids, which is as many as there can be");
            if (mine.ids.size() == mine.ids.capacity()) mine.ids.reserve(2 * mine.ids.size() + 64);
            mine.free.reserve(mine.ids.capacity());
            mine.table.reserve(mine.ids.size() + 1);
        }
        change.row_ = mine.free.empty() ? static_cast<std::uint32_t>(mine.ids.size()) : mine.free.back();
        mine.rows.reserve(mine.rows.size() + 1);  // so that to insert a node makes no table
        std::unordered_map<Id, std::uint32_t, detail::attribute_id_hash<Id>> alone;
        change.node_ = alone.extract(alone.emplace(change.id_, change.row_).first);
    }
    /// Ids that lie close enough together are bits of one bitmap, whatever the order of their rows; others are sorted.
    [[nodiscard]] id_set<Id> ids_of(const detail::row_words& rows) const {
        const state& mine = *state_;
        const key_type first = mine.lowest >> 16 << 16;
        if (mine.rows.empty()) return {};
        if (mine.highest - first > key_type{64} * mine.ids.size() + 65536) return sorted_ids_of(rows);
        detail::row_words words(static_cast<std::size_t>((mine.highest - first) / 64 + 1));
        for (std::size_t w = 0; w < rows.size(); ++w) {
            if (rows[w] == 0) continue;
            const std::size_t from = static_cast<std::size_t>(detail::key_of(mine.ids[w * 64]) - first);
            if (from % 64 == 0 && follow_each_other(w * 64)) {
                words[from / 64] |= rows[w];
                continue;
            }
            std::size_t place = from / 64;  // bits that share a word are put into memory at once
            std::uint64_t gathered = 0;
            for (std::uint64_t bits = rows[w]; bits != 0; bits &= bits - 1) {
                const std::size_t row = w * 64 + static_cast<std::size_t>(std::countr_zero(bits));
                const auto key = static_cast<std::size_t>(detail::key_of(mine.ids[row]) - first);
                if (key / 64 != place) {
                    words[place] |= gathered;
                    gathered = 0;
                    place = key / 64;
                }
                gathered |= std::uint64_t{1} << key % 64;
            }
            words[place] |= gathered;
        }
        return id_set<Id>::of_words(first, words);
    }
    /// Whether the ids of 64 rows are consecutive, so that their bits are.
    [[nodiscard]] bool follow_each_other(std::size_t row) const noexcept {
        if (row + 64 > state_->ids.size()) return false;
        const Id* const ids = state_->ids.data() + row;
        const key_type first = detail::key_of(ids[0]);
        key_type differing = 0;
        for (std::size_t i = 1; i < 64; ++i) differing |= detail::key_of(ids[i]) - first - static_cast<key_type>(i);
        return differing == 0;
    }
    [[nodiscard]] id_set<Id> sorted_ids_of(const detail::row_words& rows) const {
        std::vector<Id> ids;
        ids.reserve(detail::count_rows(rows));
        for (std::size_t w = 0; w < rows.size(); ++w)
            for (std::uint64_t bits = rows[w]; bits != 0; bits &= bits - 1)
                ids.push_back(state_->ids[w * 64 + static_cast<std::size_t>(std::countr_zero(bits))]);
        return id_set<Id>(ids);
    }

    std::unique_ptr<state> state_;
};

VICINAL_NAMESPACE_END
