// SPDX-License-Identifier: MIT
// The numbers of a column lie side by side, so that a condition is one pass over them.
#pragma once

#include <cmath>     // for ceil, floor
#include <cstddef>   // for size_t
#include <cstdint>   // for int64_t, uint64_t
#include <limits>    // for numeric_limits
#include <optional>  // for optional
#include <vector>    // for vector

#include "vicinal/attributes/number.hpp"
#include "vicinal/attributes/row_words.hpp"
#include "vicinal/attributes/value.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// The largest whole number that is below `bound`, or equal to it where `inclusive`; nothing if there is none.
[[nodiscard]] inline std::optional<std::int64_t> last_below(const number& bound, bool inclusive) noexcept {
    using limits = std::numeric_limits<std::int64_t>;
    std::int64_t last = bound.integer;
    if (!bound.whole) {
        if (bound.real >= 0x1p63) return (limits::max)();
        const double floor = std::floor(bound.real);
        if (!(floor >= -0x1p63)) return {};
        last = static_cast<std::int64_t>(floor);
        inclusive = inclusive || floor < bound.real;
    }
    if (inclusive) return last;
    return last == (limits::min)() ? std::nullopt : std::optional<std::int64_t>(last - 1);
}

/// A number that doubles compare with as with `bound`, and the comparison that does so. Whole numbers that no double
/// equals become a neighbour.
struct double_bound {
    comparison op;
    double value;
    bool never = false;  ///< equal to no double
};
[[nodiscard]] inline double_bound as_double_bound(comparison op, const number& bound) noexcept {
    const double value = bound.as_double();
    const int order = bound.whole ? order_of(bound.integer, value) : 0;  // of the bound and its double
    if (order == 0) return {op, value};
    const bool above = order > 0;  // no double lies between `value` and the bound
    switch (op) {
        case comparison::less:
        case comparison::less_equal: return {above ? comparison::less_equal : comparison::less, value};
        case comparison::greater:
        case comparison::greater_equal: return {above ? comparison::greater : comparison::greater_equal, value};
        case comparison::equal:
        case comparison::not_equal: break;
    }
    return {op, value, true};
}

/// Calls f with a function that says whether a double stands in that relation to `value`.
template <class F>
void with_test(comparison op, double value, const F& f) {
    switch (op) {
        case comparison::less: return f([value](double x) { return x < value; });
        case comparison::less_equal: return f([value](double x) { return x <= value; });
        case comparison::greater: return f([value](double x) { return x > value; });
        case comparison::greater_equal: return f([value](double x) { return x >= value; });
        case comparison::equal: return f([value](double x) { return x == value; });
        case comparison::not_equal: return f([value](double x) { return x != value; });
    }
}

/// The rows of 64 where that comparison holds between two doubles.
[[nodiscard]] inline std::uint64_t compared(comparison op, const double* a, const double* b) noexcept {
    switch (op) {
        case comparison::less: return word_of([=](std::size_t i) { return a[i] < b[i]; });
        case comparison::less_equal: return word_of([=](std::size_t i) { return a[i] <= b[i]; });
        case comparison::greater: return word_of([=](std::size_t i) { return a[i] > b[i]; });
        case comparison::greater_equal: return word_of([=](std::size_t i) { return a[i] >= b[i]; });
        case comparison::equal: return word_of([=](std::size_t i) { return a[i] == b[i]; });
        case comparison::not_equal: return word_of([=](std::size_t i) { return a[i] != b[i]; });
    }
    return 0;
}

/// The numbers of the rows of one column, in blocks of 64. What stands in a row that has no value means nothing.
class numbers {
  public:
    explicit numbers(column_type type) : type_(type) {}

    void resize(std::size_t rows) {
        if (type_ == column_type::int64) integers_.resize(rows);
        if (type_ == column_type::float64) reals_.resize(rows);
        if (type_ == column_type::boolean) trues_.resize(rows / 64);
    }
    [[nodiscard]] bool whole() const noexcept { return type_ == column_type::int64; }
    [[nodiscard]] number at(std::size_t row) const noexcept {
        if (type_ == column_type::int64) return number::of(integers_[row]);
        if (type_ == column_type::float64) return number::of(reals_[row]);
        return number::of(std::int64_t{has_row(trues_, row) ? 1 : 0});
    }
    void put(std::size_t row, const number& value) noexcept {
        if (type_ == column_type::int64) integers_[row] = value.integer;
        if (type_ == column_type::float64) reals_[row] = value.real;
        if (type_ == column_type::boolean) set_row(trues_, row, value.integer != 0);
    }
    /// Writes rows w * 64 and on as doubles.
    void copy(std::size_t w, double* out) const noexcept {
        for (std::size_t i = 0; i < 64; ++i) {
            if (type_ == column_type::int64) out[i] = static_cast<double>(integers_[w * 64 + i]);
            if (type_ == column_type::float64) out[i] = reals_[w * 64 + i];
            if (type_ == column_type::boolean) out[i] = static_cast<double>(trues_[w] >> i & 1U);
        }
    }

    /// Makes `rows` those of which `value op bound` holds, whether or not they have a value. `bound` is not NaN.
    void select(comparison op, const number& bound, row_words& rows) const {
        if (type_ == column_type::int64) return select_integers(op, bound, rows);
        if (type_ == column_type::float64) return select_reals(op, bound, rows);
        const std::uint64_t if_false = holds(op, order_of(number::of(std::int64_t{0}), bound)) ? ~std::uint64_t{0} : 0;
        const std::uint64_t if_true = holds(op, order_of(number::of(std::int64_t{1}), bound)) ? ~std::uint64_t{0} : 0;
        for (std::size_t w = 0; w < rows.size(); ++w) rows[w] = (trues_[w] & if_true) | (~trues_[w] & if_false);
    }

  private:
    template <class T, class Test>
    static void fill(const std::vector<T>& values, row_words& rows, const Test& test) noexcept {
        const T* at = values.data();
        for (std::uint64_t& word : rows) {
            word = word_of([&](std::size_t i) { return test(at[i]); });
            at += 64;
        }
    }
    void select_reals(comparison op, const number& bound, row_words& rows) const {
        const double_bound as = as_double_bound(op, bound);
        if (as.never) return rows.assign(rows.size(), op == comparison::not_equal ? ~std::uint64_t{0} : 0);
        with_test(as.op, as.value, [&](const auto& test) { fill(reals_, rows, test); });
    }
    /// Whole numbers that are wanted are those from `low` to `high`, or all others.
    void select_integers(comparison op, const number& bound, row_words& rows) const {
        using limits = std::numeric_limits<std::int64_t>;
        const bool equality = op == comparison::equal || op == comparison::not_equal;
        const bool below = op == comparison::less || op == comparison::less_equal;
        // x > b is not x <= b, and x >= b is not x < b.
        const bool inclusive = op == comparison::less_equal || op == comparison::greater || equality;
        const std::optional<std::int64_t> last = last_below(bound, inclusive);
        const bool outside = !below && op != comparison::equal;
        const bool none = !last || (equality && order_of(*last, bound) != 0);
        if (none) return rows.assign(rows.size(), outside ? ~std::uint64_t{0} : 0);
        const std::int64_t high = *last, low = equality ? high : (limits::min)();
        fill(integers_, rows, [=](std::int64_t x) { return (x >= low && x <= high) != outside; });
    }
    [[nodiscard]] static int order_of(std::int64_t a, const number& b) noexcept {
        return detail::order_of(number::of(a), b);
    }
    [[nodiscard]] static int order_of(const number& a, const number& b) noexcept { return detail::order_of(a, b); }

    column_type type_;
    std::vector<std::int64_t> integers_;
    std::vector<double> reals_;
    row_words trues_;
};

}  // namespace detail

VICINAL_NAMESPACE_END
