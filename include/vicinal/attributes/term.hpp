// SPDX-License-Identifier: MIT
// A term stands for a value in an expression: that of a column, a constant, or what is calculated of numbers.
#pragma once

#include <algorithm>    // for max
#include <concepts>     // for convertible_to, floating_point, integral, same_as
#include <cstddef>      // for nullptr_t, size_t
#include <cstdint>      // for int64_t, uint8_t
#include <memory>       // for shared_ptr
#include <string>       // for string, to_string
#include <string_view>  // for string_view
#include <utility>      // for move
#include <variant>      // for get_if
#include <vector>       // for vector

#include "vicinal/attributes/number.hpp"
#include "vicinal/attributes/value.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

using column_list = std::shared_ptr<const std::vector<column>>;

/// The columns that two parts of an expression have in common; a part without columns goes with any.
/// throws  error{invalid_argument} if they are of attributes of different columns
[[nodiscard]] inline const column_list& common_columns(const column_list& a, const column_list& b) {
    if (a == nullptr || b == nullptr) return a == nullptr ? b : a;
    if (a != b && *a != *b)
        fail(errc::invalid_argument,
             "attributes: an expression joins columns of different attributes: " + names_of(*a) + "; " + names_of(*b));
    return a;
}

/// Numbers of one row are calculated on a stack: each step puts a number on it, or takes two and puts what comes of
/// them.
struct term_step {
    enum class kind : std::uint8_t { column, constant, calculate };
    kind what = kind::constant;
    arithmetic how = arithmetic::add;
    std::size_t column = 0;
    number value;
};

/// More would take much memory; nobody writes so many by hand.
inline constexpr std::size_t max_term_depth = 64;

}  // namespace detail

class attribute_expression;

/// A value in an expression: a column (`attributes::column`), a constant, or what + - * / % and pow make of numbers.
/// Numbers are compared exactly, whole ones with others too; arithmetic is done in double. true and false are 1 and 0.
/// A term is a plain value that any number of threads may read.
class attribute_term {
  public:
    enum class kind : std::uint8_t { null, numeric, string_column, tags_column, string };

    attribute_term(std::nullptr_t) noexcept : kind_(kind::null) {}  // NOLINT: constants convert
    /// throws  error{invalid_argument} if 64 bits with a sign do not hold it
    template <std::integral T>
    attribute_term(T value) : attribute_term(whole(attribute_value(value))) {}  // NOLINT
    template <std::floating_point T>
    attribute_term(T value) : attribute_term(detail::number::of(static_cast<double>(value))) {}  // NOLINT
    template <std::convertible_to<std::string_view> S>
    requires(!std::same_as<S, std::nullptr_t>) attribute_term(const S& text)  // NOLINT
        : kind_(kind::string), text_(std::string_view(text)) {}

    /// For attributes::column: column `at` of `columns`.
    attribute_term(detail::column_list columns, std::size_t at) : columns_(std::move(columns)), column_(at) {
        const column_type type = (*columns_)[at].type;
        if (type == column_type::string) kind_ = kind::string_column;
        if (type == column_type::tags) kind_ = kind::tags_column;
        if (kind_ == kind::numeric) steps_.push_back({detail::term_step::kind::column, {}, at, {}});
    }

    [[nodiscard]] friend attribute_term operator+(const attribute_term& a, const attribute_term& b) {
        return calculated(detail::arithmetic::add, a, b, "+");
    }
    [[nodiscard]] friend attribute_term operator-(const attribute_term& a, const attribute_term& b) {
        return calculated(detail::arithmetic::subtract, a, b, "-");
    }
    [[nodiscard]] friend attribute_term operator*(const attribute_term& a, const attribute_term& b) {
        return calculated(detail::arithmetic::multiply, a, b, "*");
    }
    [[nodiscard]] friend attribute_term operator/(const attribute_term& a, const attribute_term& b) {
        return calculated(detail::arithmetic::divide, a, b, "/");
    }
    /// The rest of a division, with the sign of `a`, as std::fmod.
    [[nodiscard]] friend attribute_term operator%(const attribute_term& a, const attribute_term& b) {
        return calculated(detail::arithmetic::modulo, a, b, "%");
    }
    [[nodiscard]] friend attribute_term operator-(const attribute_term& a) { return attribute_term(0) - a; }
    [[nodiscard]] friend attribute_term pow(const attribute_term& a, const attribute_term& b) {
        return calculated(detail::arithmetic::power, a, b, "**");
    }

    /// Rows whose tags contain `tag`.
    /// throws  error{invalid_argument}, naming the column, if it is no column of tags
    [[nodiscard]] attribute_expression contains(std::string tag) const;
    /// Rows whose string, or number, is one of these. O(n log m) of numbers.
    /// throws  error{invalid_argument}, naming the types, if one of them can never be equal
    [[nodiscard]] attribute_expression one_of(const std::vector<attribute_value>& values) const;
    /// Rows that have, or lack, a value of this column: `== nullptr` says the same.
    [[nodiscard]] attribute_expression has_value() const;
    [[nodiscard]] attribute_expression is_null() const;

    // ---- for expressions
    [[nodiscard]] kind what() const noexcept { return kind_; }
    [[nodiscard]] const detail::column_list& columns() const noexcept { return columns_; }
    /// The number of the column, of a column that is not calculated with.
    [[nodiscard]] std::size_t column() const noexcept { return column_; }
    [[nodiscard]] bool is_column() const noexcept {
        return columns_ != nullptr && (kind_ != kind::numeric || steps_.size() == 1);
    }
    [[nodiscard]] const std::vector<detail::term_step>& steps() const noexcept { return steps_; }
    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    /// Returns "column 'price' (float64)", "a number", "the string 'de'" or "null".
    [[nodiscard]] std::string described() const {
        if (is_column()) return detail::describe((*columns_)[column_]);
        if (kind_ == kind::string) return "the string '" + text_ + "'";
        return kind_ == kind::null ? "null" : "a number";
    }

  private:
    explicit attribute_term(detail::number value) {
        steps_.push_back({detail::term_step::kind::constant, {}, 0, value});
    }
    [[nodiscard]] static detail::number whole(const attribute_value& value) {
        if (const auto* const yes = std::get_if<bool>(&value.get()); yes != nullptr)
            return detail::number::of(std::int64_t{*yes ? 1 : 0});
        return detail::number::of(*std::get_if<std::int64_t>(&value.get()));
    }
    [[nodiscard]] static attribute_term calculated(detail::arithmetic how, const attribute_term& a,
                                                   const attribute_term& b, const char* sign) {
        for (const attribute_term* each : {&a, &b})
            if (each->kind_ != kind::numeric)
                detail::fail(errc::invalid_argument,
                             std::string("attributes: ") + sign + " takes numbers, not " + each->described());
        attribute_term made = a;
        made.columns_ = detail::common_columns(a.columns_, b.columns_);
        made.depth_ = (std::max)(a.depth_, b.depth_ + 1);
        if (made.depth_ > detail::max_term_depth)
            detail::fail(errc::invalid_argument, "attributes: arithmetic is nested more than " +
                                                     std::to_string(detail::max_term_depth) + " levels deep");
        made.steps_.insert(made.steps_.end(), b.steps_.begin(), b.steps_.end());
        made.steps_.push_back({detail::term_step::kind::calculate, how, 0, {}});
        return made;
    }

    kind kind_ = kind::numeric;
    detail::column_list columns_;  // null of constants
    std::size_t column_ = 0;
    std::size_t depth_ = 1;  // numbers on the stack at most
    std::vector<detail::term_step> steps_;
    std::string text_;
};

VICINAL_NAMESPACE_END
