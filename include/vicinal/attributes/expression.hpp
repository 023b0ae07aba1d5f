// SPDX-License-Identifier: MIT
// An expression says which rows of attributes are meant: comparisons of terms, joined by and, or, not.
#pragma once

#include <algorithm>  // for max, sort
#include <cstddef>    // for size_t
#include <cstdint>    // for uint8_t
#include <string>     // for string, to_string
#include <utility>    // for move
#include <variant>    // for get_if
#include <vector>     // for vector

#include "vicinal/attributes/term.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// One step of an expression. Sets of rows are made on a stack, so no expression is too deep to be evaluated or freed.
/// A condition puts the rows for which it is known to hold on the stack, `both` and `either` join the upper two. Not is
/// no step: it is put into the conditions, as it is false of rows whose value is not known, too.
struct condition {
    enum class kind : std::uint8_t {
        both,
        either,
        compare,  ///< left op right, of numbers
        among,    ///< left is one of `numbers`, which are ascending
        labeled,  ///< a string, or one of the tags, of `column` is one of `strings`; other comparisons have just one
        present,  ///< there is a value in `column`
    };
    kind what = kind::both;
    comparison op = comparison::equal;
    bool negated = false;  ///< of among, labeled and present
    std::size_t column = 0;
    std::vector<term_step> left, right;
    std::vector<number> numbers;
    std::vector<std::string> strings;

    void negate() noexcept {
        switch (what) {
            case kind::both: what = kind::either; break;
            case kind::either: what = kind::both; break;
            case kind::compare: op = detail::negated(op); break;
            case kind::among:
            case kind::labeled:
            case kind::present: negated = !negated;
        }
    }
};

inline constexpr std::size_t max_expression_depth = 256;

}  // namespace detail

/// Which rows are meant: `price < 50 && lang == "de" && tags.contains("book")`. Conditions are made of terms by
/// == != < <= > >=, `one_of`, `contains` and `has_value`, and joined by && || !; boolean and numeric columns are
/// conditions themselves, which hold unless they are 0. A comparison with a value that is null, or NaN, is unknown, and
/// so is its negation; a row is meant if the whole is known to be true: as in SQL. Types are checked as an expression
/// is made. An expression is a plain value that any number of threads may read.
class attribute_expression {
  public:
    /// throws  error{invalid_argument}, naming the type, if the term is no number
    attribute_expression(const attribute_term& term);  // NOLINT: `in_stock && price < 50`

    /// Rows with a value in the term's column.
    [[nodiscard]] static attribute_expression present(const attribute_term& term, bool negated);
    [[nodiscard]] static attribute_expression compared(detail::comparison op, const attribute_term& a,
                                                       const attribute_term& b);
    [[nodiscard]] static attribute_expression among(const attribute_term& term,
                                                    const std::vector<attribute_value>& values);
    [[nodiscard]] static attribute_expression tagged(const attribute_term& term, std::string tag);

    [[nodiscard]] friend attribute_expression operator&&(attribute_expression a, const attribute_expression& b) {
        a.join(b, detail::condition::kind::both);
        return a;
    }
    [[nodiscard]] friend attribute_expression operator||(attribute_expression a, const attribute_expression& b) {
        a.join(b, detail::condition::kind::either);
        return a;
    }
    [[nodiscard]] friend attribute_expression operator!(attribute_expression a) {
        for (detail::condition& each : a.steps_) each.negate();
        return a;
    }

    // ---- for who evaluates it
    [[nodiscard]] const detail::column_list& columns() const noexcept { return columns_; }
    [[nodiscard]] const std::vector<detail::condition>& steps() const noexcept { return steps_; }

  private:
    attribute_expression(detail::column_list columns, detail::condition only) : columns_(std::move(columns)) {
        steps_.push_back(std::move(only));
    }
    void join(const attribute_expression& b, detail::condition::kind how) {
        detail::column_list columns = detail::common_columns(columns_, b.columns_);
        const std::size_t depth = (std::max)(depth_, b.depth_ + 1);
        if (depth > detail::max_expression_depth)
            detail::fail(errc::invalid_argument, "attributes: the expression is nested more than " +
                                                     std::to_string(detail::max_expression_depth) + " levels deep");
        steps_.insert(steps_.end(), b.steps_.begin(), b.steps_.end());
        steps_.emplace_back().what = how;
        columns_ = std::move(columns);
        depth_ = depth;
    }
    [[nodiscard]] static attribute_expression of_strings(detail::comparison op, const attribute_term& column,
                                                         std::vector<std::string> strings) {
        detail::condition made;
        made.what = detail::condition::kind::labeled;
        made.negated = op == detail::comparison::not_equal;
        made.op = made.negated ? detail::comparison::equal : op;
        made.column = column.column();
        made.strings = std::move(strings);
        return {column.columns(), std::move(made)};
    }

    detail::column_list columns_;
    std::vector<detail::condition> steps_;
    std::size_t depth_ = 1;  // sets on the stack at most
};

inline attribute_expression attribute_expression::compared(detail::comparison op, const attribute_term& a,
                                                           const attribute_term& b) {
    using kind = attribute_term::kind;
    const bool equality = op == detail::comparison::equal || op == detail::comparison::not_equal;
    if (a.what() == kind::null && b.what() != kind::null) return compared(detail::mirrored(op), b, a);
    if (b.what() == kind::null && equality && a.is_column()) return present(a, op == detail::comparison::equal);
    if (a.what() == kind::string && b.what() == kind::string_column) return compared(detail::mirrored(op), b, a);
    if (a.what() == kind::string_column && b.what() == kind::string) return of_strings(op, a, {b.text()});
    if (a.what() != kind::numeric || b.what() != kind::numeric)
        detail::fail(
            errc::invalid_argument,
            "attributes: " + a.described() + " cannot be compared with " + b.described() +
                (a.what() == kind::tags_column || b.what() == kind::tags_column ? "; ask whether tags contain a string"
                                                                                : ""));
    detail::condition made;
    made.what = detail::condition::kind::compare;
    made.op = op;
    made.left = a.steps();
    made.right = b.steps();
    return {detail::common_columns(a.columns(), b.columns()), std::move(made)};
}

inline attribute_expression attribute_expression::present(const attribute_term& term, bool negated) {
    if (!term.is_column())
        detail::fail(errc::invalid_argument,
                     "attributes: only a column can have a value or lack it, not " + term.described());
    detail::condition made;
    made.what = detail::condition::kind::present;
    made.negated = negated;
    made.column = term.column();
    return {term.columns(), std::move(made)};
}

inline attribute_expression attribute_expression::among(const attribute_term& term,
                                                        const std::vector<attribute_value>& values) {
    const bool numeric = term.what() == attribute_term::kind::numeric;
    if (!numeric && !(term.is_column() && term.what() == attribute_term::kind::string_column))
        detail::fail(errc::invalid_argument, "attributes: " + term.described() + " cannot be one of a list");
    detail::condition made;
    made.what = detail::condition::kind::among;
    made.left = term.steps();
    std::vector<std::string> strings;
    for (const attribute_value& value : values) {
        if (const auto* text = std::get_if<std::string>(&value.get()); text != nullptr && !numeric)
            strings.push_back(*text);
        else if (const auto* whole = std::get_if<std::int64_t>(&value.get()); whole != nullptr && numeric)
            made.numbers.push_back(detail::number::of(*whole));
        else if (const auto* yes = std::get_if<bool>(&value.get()); yes != nullptr && numeric)
            made.numbers.push_back(detail::number::of(std::int64_t{*yes ? 1 : 0}));
        else if (const auto* real = std::get_if<double>(&value.get()); real != nullptr && numeric)
            made.numbers.push_back(detail::number::of(*real));
        else
            detail::fail(errc::invalid_argument, "attributes: " + term.described() + " is no value of type " +
                                                     std::string(detail::type_of(value)) + ", as the list has");
    }
    if (!numeric) return of_strings(detail::comparison::equal, term, std::move(strings));
    std::erase_if(made.numbers, [](const detail::number& each) { return each.not_a_number(); });
    std::sort(made.numbers.begin(), made.numbers.end(),
              [](const detail::number& a, const detail::number& b) { return detail::order_of(a, b) < 0; });
    return {term.columns(), std::move(made)};
}

inline attribute_expression attribute_expression::tagged(const attribute_term& term, std::string tag) {
    if (term.what() != attribute_term::kind::tags_column)
        detail::fail(errc::invalid_argument, "attributes: " + term.described() + " contains no strings; tags do");
    return of_strings(detail::comparison::equal, term, {std::move(tag)});
}

inline attribute_expression::attribute_expression(const attribute_term& term)
    : attribute_expression(term.what() == attribute_term::kind::numeric
                               ? compared(detail::comparison::not_equal, term, 0)
                               : (detail::fail(errc::invalid_argument,
                                               "attributes: " + term.described() + " is no condition; compare it"),
                                  compared(detail::comparison::equal, 0, 0))) {}

[[nodiscard]] inline attribute_expression operator<(const attribute_term& a, const attribute_term& b) {
    return attribute_expression::compared(detail::comparison::less, a, b);
}
[[nodiscard]] inline attribute_expression operator<=(const attribute_term& a, const attribute_term& b) {
    return attribute_expression::compared(detail::comparison::less_equal, a, b);
}
[[nodiscard]] inline attribute_expression operator>(const attribute_term& a, const attribute_term& b) {
    return attribute_expression::compared(detail::comparison::greater, a, b);
}
[[nodiscard]] inline attribute_expression operator>=(const attribute_term& a, const attribute_term& b) {
    return attribute_expression::compared(detail::comparison::greater_equal, a, b);
}
[[nodiscard]] inline attribute_expression operator==(const attribute_term& a, const attribute_term& b) {
    return attribute_expression::compared(detail::comparison::equal, a, b);
}
[[nodiscard]] inline attribute_expression operator!=(const attribute_term& a, const attribute_term& b) {
    return attribute_expression::compared(detail::comparison::not_equal, a, b);
}
/// Terms are conditions to && || and !, as they are to expressions.
[[nodiscard]] inline attribute_expression operator&&(const attribute_term& a, const attribute_term& b) {
    return attribute_expression(a) && attribute_expression(b);
}
[[nodiscard]] inline attribute_expression operator||(const attribute_term& a, const attribute_term& b) {
    return attribute_expression(a) || attribute_expression(b);
}
[[nodiscard]] inline attribute_expression operator!(const attribute_term& a) { return !attribute_expression(a); }

inline attribute_expression attribute_term::contains(std::string tag) const {
    return attribute_expression::tagged(*this, std::move(tag));
}
inline attribute_expression attribute_term::one_of(const std::vector<attribute_value>& values) const {
    return attribute_expression::among(*this, values);
}
inline attribute_expression attribute_term::has_value() const { return attribute_expression::present(*this, false); }
inline attribute_expression attribute_term::is_null() const { return attribute_expression::present(*this, true); }

VICINAL_NAMESPACE_END
