// SPDX-License-Identifier: MIT
// A table holds the values of rows, column by column, and says of which rows an expression holds.
#pragma once

#include <algorithm>  // for binary_search, sort
#include <array>      // for array
#include <bit>        // for countr_zero
#include <cstddef>    // for size_t
#include <cstdint>    // for int64_t, uint32_t, uint64_t
#include <memory>     // for make_shared
#include <span>       // for span
#include <string>     // for string, to_string
#include <utility>    // for move
#include <variant>    // for get_if
#include <vector>     // for vector

#include "vicinal/attributes/expression.hpp"
#include "vicinal/attributes/labels.hpp"
#include "vicinal/attributes/numbers.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

[[nodiscard]] constexpr bool has_numbers(column_type type) noexcept {
    return type != column_type::string && type != column_type::tags;
}

/// What a change is about to put into one column of a row.
struct new_cell {
    std::size_t column = 0;
    bool null = false;
    number value;
    std::vector<labels::place> places;
};

/// One column: which rows have a value, and the values.
struct column_values {
    explicit column_values(column_type type) : values(type), strings(type == column_type::tags) {}

    row_words present;
    numbers values;
    labels strings;
};

/// The value of a column of numbers.
/// throws  error: invalid_argument, naming both types, if the column takes no such values; non_finite if it is NaN
[[nodiscard]] inline number number_for(const column& of, const attribute_value& value) {
    if (const auto* whole = std::get_if<std::int64_t>(&value.get()); whole != nullptr) {
        if (of.type == column_type::int64) return number::of(*whole);
        const auto real = static_cast<double>(*whole);
        if (of.type == column_type::float64 && order_of(*whole, real) == 0) return number::of(real);
        if (of.type == column_type::float64)
            fail(errc::invalid_argument,
                 "attributes: " + describe(of) + " cannot hold " + std::to_string(*whole) + ", which no double equals");
    }
    if (const auto* real = std::get_if<double>(&value.get()); real != nullptr && of.type == column_type::float64) {
        if (is_nan(*real)) fail(errc::non_finite, "attributes: " + describe(of) + " takes no NaN");
        return number::of(*real);
    }
    if (const auto* yes = std::get_if<bool>(&value.get()); yes != nullptr && of.type == column_type::boolean)
        return number::of(std::int64_t{*yes ? 1 : 0});
    fail(errc::invalid_argument,
         "attributes: " + describe(of) + " takes no value of type " + std::string(type_of(value)));
}
/// The strings of a column of strings or tags.
[[nodiscard]] inline std::span<const std::string> strings_for(const column& of, const attribute_value& value) {
    if (const auto* text = std::get_if<std::string>(&value.get()); text != nullptr && of.type == column_type::string)
        return {text, 1};
    if (const auto* tags = std::get_if<tag_list>(&value.get()); tags != nullptr && of.type == column_type::tags)
        return *tags;
    fail(errc::invalid_argument,
         "attributes: " + describe(of) + " takes no value of type " + std::string(type_of(value)));
}

/// Rows by number. Changes are prepared, which may throw, and then put, which may not.
class attribute_table {
  public:
    explicit attribute_table(std::vector<column> columns) {
        require_columns(columns);
        columns_ = std::make_shared<const std::vector<column>>(std::move(columns));
        for (const column& each : *columns_) values_.emplace_back(each.type);
    }
    [[nodiscard]] const column_list& columns() const noexcept { return columns_; }
    [[nodiscard]] const column_values& values(std::size_t column) const noexcept { return values_[column]; }
    [[nodiscard]] const row_words& live() const noexcept { return live_; }

    /// Makes room for rows below `rows`.
    void reserve(std::size_t rows) {
        const std::size_t words = (rows + 63) / 64;
        if (words <= live_.size()) return;
        for (std::size_t c = 0; c < values_.size(); ++c) {
            values_[c].present.resize(words);
            if (has_numbers((*columns_)[c].type))
                values_[c].values.resize(words * 64);
            else
                values_[c].strings.resize(words * 64);
        }
        live_.resize(words);
    }
    /// Checks one value and makes room for it.
    void prepare(std::size_t column, const attribute_value& value, new_cell& cell) {
        const auto& of = (*columns_)[column];
        cell.column = column;
        cell.null = value.is_null();
        if (cell.null) return;
        if (has_numbers(of.type))
            cell.value = number_for(of, value);
        else
            values_[column].strings.prepare(strings_for(of, value), cell.places);
    }
    /// Gives up what was prepared.
    void forget(const new_cell& cell) noexcept { values_[cell.column].strings.forget_unused(cell.places); }
    void put(std::uint32_t row, new_cell& cell) noexcept {
        column_values& to = values_[cell.column];
        set_row(to.present, row, !cell.null);
        if (!has_numbers((*columns_)[cell.column].type))
            to.strings.put(row, cell.places);
        else if (!cell.null)
            to.values.put(row, cell.value);
    }
    void set_live(std::uint32_t row) noexcept { set_row(live_, row, true); }
    void erase(std::uint32_t row) noexcept {
        for (std::size_t c = 0; c < values_.size(); ++c) {
            new_cell nothing;
            nothing.column = c;
            nothing.null = true;
            put(row, nothing);
        }
        set_row(live_, row, false);
    }
    [[nodiscard]] attribute_value get(std::size_t column, std::size_t row) const {
        const column_values& from = values_[column];
        if (!has_row(from.present, row)) return nullptr;
        switch ((*columns_)[column].type) {
            case column_type::int64: return from.values.at(row).integer;
            case column_type::float64: return from.values.at(row).real;
            case column_type::boolean: return from.values.at(row).integer != 0;
            case column_type::string: return from.strings.text(from.strings.of(row).front().code);
            case column_type::tags: break;
        }
        tag_list tags;
        for (const labels::place& each : from.strings.of(row)) tags.push_back(from.strings.text(each.code));
        std::sort(tags.begin(), tags.end());
        return tags;
    }

    /// The rows of which the expression is known to hold.
    /// throws  error{invalid_argument} if it is made of other columns
    [[nodiscard]] row_words select(const attribute_expression& expression) const {
        (void)common_columns(columns_, expression.columns());
        std::vector<row_words> stack, spare;
        for (const condition& step : expression.steps()) {
            if (step.what != condition::kind::both && step.what != condition::kind::either) {
                if (spare.empty()) spare.emplace_back();
                stack.push_back(std::move(spare.back()));
                spare.pop_back();
                stack.back().assign(live_.size(), 0);
                select(step, stack.back());
                continue;
            }
            row_words& a = stack[stack.size() - 2];
            const row_words& b = stack.back();
            if (step.what == condition::kind::both)
                for (std::size_t w = 0; w < a.size(); ++w) a[w] &= b[w];
            else
                for (std::size_t w = 0; w < a.size(); ++w) a[w] |= b[w];
            spare.push_back(std::move(stack.back()));
            stack.pop_back();
        }
        keep(stack.back(), live_);
        return std::move(stack.back());
    }

  private:
    static void keep(row_words& rows, const row_words& of) noexcept {
        for (std::size_t w = 0; w < rows.size(); ++w) rows[w] &= of[w];
    }
    static void turn_round(row_words& rows) noexcept {
        for (std::uint64_t& word : rows) word = ~word;
    }

    void select(const condition& step, row_words& rows) const {
        switch (step.what) {
            case condition::kind::compare: return compare(step, rows);
            case condition::kind::among: return find_among(step, rows);
            case condition::kind::labeled: values_[step.column].strings.select(step.op, step.strings, rows); break;
            case condition::kind::present: rows = values_[step.column].present; break;
            case condition::kind::both:
            case condition::kind::either: return;
        }
        if (!step.negated) return;
        turn_round(rows);
        if (step.what == condition::kind::labeled) keep(rows, values_[step.column].present);
    }

    [[nodiscard]] static bool is(const std::vector<term_step>& term, term_step::kind kind) noexcept {
        return term.size() == 1 && term[0].what == kind;
    }
    void compare(const condition& step, row_words& rows) const {
        const bool of_column = is(step.left, term_step::kind::column),
                   to_column = is(step.right, term_step::kind::column);
        if (of_column && is(step.right, term_step::kind::constant))
            return compare(step.left[0].column, step.op, step.right[0].value, rows);
        if (to_column && is(step.left, term_step::kind::constant))
            return compare(step.right[0].column, mirrored(step.op), step.left[0].value, rows);
        const bool whole = beyond_doubles(step.left) || beyond_doubles(step.right);
        calculator left(*this, step.left, whole), right(*this, step.right, whole);
        for (std::size_t w = 0; w < rows.size(); ++w) {
            std::uint64_t known = live_[w];
            left.advance(w, known);
            right.advance(w, known);
            if (known == 0) continue;
            if (whole)
                rows[w] = known & word_of([&](std::size_t i) { return holds(step.op, order_of(left[i], right[i])); });
            else
                rows[w] = known & compared(step.op, left.reals(), right.reals());
        }
    }
    /// Whether a term may be a whole number that no double equals.
    [[nodiscard]] bool beyond_doubles(const std::vector<term_step>& term) const noexcept {
        if (is(term, term_step::kind::column)) return values_[term[0].column].values.whole();
        return is(term, term_step::kind::constant) &&
               order_of(term[0].value, number::of(term[0].value.as_double())) != 0;
    }
    void compare(std::size_t column, comparison op, const number& bound, row_words& rows) const {
        if (bound.not_a_number()) return;
        values_[column].values.select(op, bound, rows);
        keep(rows, values_[column].present);
    }
    void find_among(const condition& step, row_words& rows) const {
        calculator left(*this, step.left, true);
        const auto below = [](const number& a, const number& b) { return order_of(a, b) < 0; };
        for (std::size_t w = 0; w < rows.size(); ++w) {
            std::uint64_t known = live_[w];
            left.advance(w, known);
            for (std::uint64_t bits = known; bits != 0; bits &= bits - 1) {
                const auto i = static_cast<std::size_t>(std::countr_zero(bits));
                if (std::binary_search(step.numbers.begin(), step.numbers.end(), left[i], below) != step.negated)
                    rows[w] |= std::uint64_t{1} << i;
            }
        }
    }

    /// Gives the numbers of a term for 64 rows at a time.
    class calculator {
      public:
        /// exact  whether numbers are wanted as they are, for []; else they are doubles, in `reals`
        calculator(const attribute_table& table, const std::vector<term_step>& steps, bool exact)
            : table_(table), steps_(steps), exact_(exact) {}

        /// Goes on to rows w * 64 and on, and takes those out of `known` whose number is not known or is NaN.
        void advance(std::size_t w, std::uint64_t& known) {
            for (const term_step& step : steps_)
                if (step.what == term_step::kind::column) known &= table_.values_[step.column].present[w];
            if (exact_ && steps_.size() == 1) return take(w, known);
            std::size_t depth = 0;
            for (const term_step& step : steps_) {
                if (step.what == term_step::kind::calculate) {
                    --depth;
                    calculate(step.how, stack_[depth - 1].data(), stack_[depth].data());
                    continue;
                }
                if (stack_.size() == depth) stack_.emplace_back();
                if (step.what == term_step::kind::column)
                    table_.values_[step.column].values.copy(w, stack_[depth++].data());
                else
                    stack_[depth++].fill(step.value.as_double());
            }
            for (std::size_t i = 0; exact_ && i < 64; ++i) numbers_[i] = number::of(stack_[0][i]);
            known &= ~word_of([&](std::size_t i) { return is_nan(stack_[0][i]); });
        }
        [[nodiscard]] const double* reals() const noexcept { return stack_[0].data(); }
        [[nodiscard]] const number& operator[](std::size_t i) const noexcept { return numbers_[i]; }

      private:
        void take(std::size_t w, std::uint64_t& known) noexcept {
            const term_step& only = steps_[0];
            for (std::size_t i = 0; i < 64; ++i)
                numbers_[i] = only.what == term_step::kind::column ? table_.values_[only.column].values.at(w * 64 + i)
                                                                   : only.value;
            if (only.what == term_step::kind::constant && only.value.not_a_number()) known = 0;
        }
        const attribute_table& table_;
        const std::vector<term_step>& steps_;
        bool exact_;
        std::vector<std::array<double, 64>> stack_;
        std::array<number, 64> numbers_;
    };

    column_list columns_;
    std::vector<column_values> values_;
    row_words live_;
};

}  // namespace detail

VICINAL_NAMESPACE_END
