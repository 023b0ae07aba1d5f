// SPDX-License-Identifier: MIT
// Numbers of expressions are whole or not, and are compared exactly.
#pragma once

#include <cmath>    // for fmod, pow
#include <cstddef>  // for size_t
#include <cstdint>  // for int64_t, uint64_t, uint8_t

#include "vicinal/core/bit_cast.hpp"
#include "vicinal/core/config.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

enum class comparison : std::uint8_t { less, less_equal, greater, greater_equal, equal, not_equal };

/// The comparison that holds where `op` does not, of values that can be compared.
[[nodiscard]] constexpr comparison negated(comparison op) noexcept {
    switch (op) {
        case comparison::less: return comparison::greater_equal;
        case comparison::less_equal: return comparison::greater;
        case comparison::greater: return comparison::less_equal;
        case comparison::greater_equal: return comparison::less;
        case comparison::equal: return comparison::not_equal;
        case comparison::not_equal: return comparison::equal;
    }
    return op;
}
/// The comparison that says the same with both sides exchanged.
[[nodiscard]] constexpr comparison mirrored(comparison op) noexcept {
    switch (op) {
        case comparison::less: return comparison::greater;
        case comparison::less_equal: return comparison::greater_equal;
        case comparison::greater: return comparison::less;
        case comparison::greater_equal: return comparison::less_equal;
        case comparison::equal:
        case comparison::not_equal: break;
    }
    return op;
}

/// Says whether a double is NaN, also where the compiler was told that there are none.
[[nodiscard]] inline bool is_nan(double x) noexcept {
    return (bit_cast<std::uint64_t>(x) & 0x7FFFFFFFFFFFFFFFU) > 0x7FF0000000000000U;
}

/// A whole number of 64 bits, or a double.
struct number {
    bool whole = true;
    std::int64_t integer = 0;
    double real = 0;

    [[nodiscard]] static number of(std::int64_t value) noexcept { return {true, value, 0}; }
    [[nodiscard]] static number of(double value) noexcept { return {false, 0, value}; }
    [[nodiscard]] double as_double() const noexcept { return whole ? static_cast<double>(integer) : real; }
    [[nodiscard]] bool not_a_number() const noexcept { return !whole && is_nan(real); }
};

/// How two numbers are ordered: below 0 if a < b, 0 if they are equal, above 0 if a > b.
[[nodiscard]] inline int order_of(std::int64_t a, std::int64_t b) noexcept { return a < b ? -1 : a > b ? 1 : 0; }
/// The result means nothing if b is NaN.
[[nodiscard]] inline int order_of(std::int64_t a, double b) noexcept {
    if (b >= 0x1p63) return -1;
    if (!(b >= -0x1p63)) return 1;
    const auto whole = static_cast<std::int64_t>(b);
    if (a != whole) return a < whole ? -1 : 1;
    const double rest = b - static_cast<double>(whole);  // exact: b has a part below one only where it is below 2^53
    return rest > 0 ? -1 : rest < 0 ? 1 : 0;
}
/// The result means nothing if one is NaN.
[[nodiscard]] inline int order_of(const number& a, const number& b) noexcept {
    if (a.whole) return b.whole ? order_of(a.integer, b.integer) : order_of(a.integer, b.real);
    if (b.whole) return -order_of(b.integer, a.real);
    return a.real < b.real ? -1 : a.real > b.real ? 1 : 0;
}
[[nodiscard]] constexpr bool holds(comparison op, int order) noexcept {
    switch (op) {
        case comparison::less: return order < 0;
        case comparison::less_equal: return order <= 0;
        case comparison::greater: return order > 0;
        case comparison::greater_equal: return order >= 0;
        case comparison::equal: return order == 0;
        case comparison::not_equal: return order != 0;
    }
    return false;
}

enum class arithmetic : std::uint8_t { add, subtract, multiply, divide, modulo, power };

/// Puts what becomes of 64 pairs of numbers into `a`.
inline void calculate(arithmetic how, double* a, const double* b) {
    const auto each = [=](const auto& made) {
        for (std::size_t i = 0; i < 64; ++i) a[i] = made(a[i], b[i]);
    };
    switch (how) {
        case arithmetic::add: return each([](double x, double y) { return x + y; });
        case arithmetic::subtract: return each([](double x, double y) { return x - y; });
        case arithmetic::multiply: return each([](double x, double y) { return x * y; });
        case arithmetic::divide: return each([](double x, double y) { return x / y; });
        case arithmetic::modulo: return each([](double x, double y) { return std::fmod(x, y); });
        case arithmetic::power: return each([](double x, double y) { return std::pow(x, y); });
    }
}

}  // namespace detail

VICINAL_NAMESPACE_END
