// SPDX-License-Identifier: MIT
// Attributes are values of declared columns, each of which has a type.
#pragma once

#include <concepts>     // for floating_point, integral, same_as
#include <cstddef>      // for nullptr_t
#include <cstdint>      // for int64_t, uint8_t
#include <string>       // for string, to_string
#include <string_view>  // for string_view
#include <utility>      // for in_range, move, pair
#include <variant>      // for holds_alternative, monostate, variant
#include <vector>       // for vector

#include "vicinal/core/error.hpp"

VICINAL_NAMESPACE_BEGIN

/// What a column holds. A row may lack the value of any column; it is null there.
enum class column_type : std::uint8_t {
    int64,    ///< whole numbers from -2^63 to 2^63 - 1
    float64,  ///< numbers, infinities included, but not NaN
    boolean,  ///< true or false
    string,   ///< any bytes
    tags,     ///< a set of strings, which may be empty
};

/// Returns "int64", "float64", "boolean", "string" or "tags".
[[nodiscard]] constexpr std::string_view to_string(column_type type) noexcept {
    switch (type) {
        case column_type::int64: return "int64";
        case column_type::float64: return "float64";
        case column_type::boolean: return "boolean";
        case column_type::string: return "string";
        case column_type::tags: return "tags";
    }
    return "unknown";
}

/// Declares one column of attributes.
struct column {
    std::string name;
    column_type type = column_type::float64;

    friend bool operator==(const column&, const column&) = default;
};

/// The value of a tags column: strings in any order; repeated ones count once.
using tag_list = std::vector<std::string>;

/// One value: null, a whole number, a number, true or false, a string, or tags.
class attribute_value {
  public:
    using variant = std::variant<std::monostate, std::int64_t, double, bool, std::string, tag_list>;

    attribute_value() = default;
    attribute_value(std::nullptr_t) noexcept {}                                 // NOLINT: values convert
    attribute_value(std::same_as<bool> auto value) noexcept : value_(value) {}  // NOLINT
    /// throws  error{invalid_argument} if 64 bits with a sign do not hold it
    template <std::integral T>
    requires(!std::same_as<T, bool>) attribute_value(T value) {  // NOLINT
        if (!std::in_range<std::int64_t>(value))
            detail::fail(errc::invalid_argument, "attributes: " + std::to_string(value) + " is beyond 2^63 - 1");
        value_ = static_cast<std::int64_t>(value);
    }
    attribute_value(std::floating_point auto value) noexcept : value_(static_cast<double>(value)) {}  // NOLINT
    attribute_value(const char* value) : value_(std::string(value)) {}                                // NOLINT
    attribute_value(std::string_view value) : value_(std::string(value)) {}                           // NOLINT
    attribute_value(std::string value) noexcept : value_(std::move(value)) {}                         // NOLINT
    attribute_value(tag_list value) noexcept : value_(std::move(value)) {}                            // NOLINT

    [[nodiscard]] bool is_null() const noexcept { return std::holds_alternative<std::monostate>(value_); }
    /// The value itself, for std::get and std::visit.
    [[nodiscard]] const variant& get() const noexcept { return value_; }
    friend bool operator==(const attribute_value&, const attribute_value&) = default;

  private:
    variant value_;
};

/// Values of some columns, by name: `{{"price", 12.5}, {"lang", "de"}}`.
using attribute_row = std::vector<std::pair<std::string, attribute_value>>;

namespace detail {

/// Returns "null", or the name of the type that a column of such values has.
[[nodiscard]] inline std::string_view type_of(const attribute_value& value) noexcept {
    constexpr std::string_view names[] = {"null", "int64", "float64", "boolean", "string", "tags"};
    return names[value.get().index()];
}

/// Returns "price (float64), lang (string)".
[[nodiscard]] inline std::string names_of(const std::vector<column>& columns) {
    std::string text;
    for (const column& each : columns)
        text += (text.empty() ? "" : ", ") + each.name + " (" + std::string(to_string(each.type)) + ")";
    return text.empty() ? "none" : text;
}

/// Returns the number of the column of that name.
/// throws  error{invalid_argument}, naming the column and those there are
[[nodiscard]] inline std::size_t column_named(const std::vector<column>& columns, std::string_view name) {
    for (std::size_t c = 0; c < columns.size(); ++c)
        if (columns[c].name == name) return c;
    fail(errc::invalid_argument,
         "attributes: there is no column '" + std::string(name) + "'; the columns are " + names_of(columns));
}

/// Returns "column 'price' (float64)".
[[nodiscard]] inline std::string describe(const column& each) {
    return "column '" + each.name + "' (" + std::string(to_string(each.type)) + ")";
}

/// Refuses names that are empty or there twice.
inline void require_columns(const std::vector<column>& columns) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
        if (columns[c].name.empty() || columns[c].name.size() > 255)
            fail(errc::invalid_argument, "attributes: the name of column " + std::to_string(c) + " has " +
                                             std::to_string(columns[c].name.size()) + " bytes, it must have 1 to 255");
        for (std::size_t other = 0; other < c; ++other)
            if (columns[other].name == columns[c].name)
                fail(errc::invalid_argument, "attributes: two columns are called '" + columns[c].name + "'");
    }
    if (columns.size() > 1000)
        fail(errc::invalid_argument,
             "attributes: " + std::to_string(columns.size()) + " columns, at most 1000 are possible");
}

}  // namespace detail

VICINAL_NAMESPACE_END
