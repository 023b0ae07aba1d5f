// SPDX-License-Identifier: MIT
// What core/math.hpp and core/types.hpp promise about numbers.
#include "vicinal/core/math.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <vector>

#include "support/catch.hpp"
#include "vicinal/core/types.hpp"

namespace {

using namespace vicinal::detail;
constexpr double infinity = std::numeric_limits<double>::infinity();

/// The value of a 16-bit float of `exponent_bits`, taken apart as the standard describes it.
double value_of(std::uint32_t bits, int exponent_bits) {
    const int mantissa_bits = 15 - exponent_bits;
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const int exponent = static_cast<int>(bits >> mantissa_bits) & ((1 << exponent_bits) - 1);
    const auto mantissa = static_cast<double>(bits & ((1U << mantissa_bits) - 1));
    const double sign = (bits & 0x8000U) != 0 ? -1.0 : 1.0;
    if (exponent == (1 << exponent_bits) - 1)
        return mantissa == 0 ? sign * infinity : std::numeric_limits<double>::quiet_NaN();
    if (exponent == 0) return sign * std::ldexp(mantissa, 1 - bias - mantissa_bits);
    return sign * std::ldexp(1.0 + std::ldexp(mantissa, -mantissa_bits), exponent - bias);
}

bool same_bits(float a, float b) { return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b); }

/// Checks `narrow` between any two neighbouring positive values: at, just below and just above the midpoint, where the
/// even one must win, and at the values themselves.
template <class Narrow>
void check_rounding(int exponent_bits, Narrow narrow) {
    const std::uint32_t top = (0x7FFFU >> (15 - exponent_bits)) << (15 - exponent_bits);  // infinity's bits
    std::size_t wrong = 0;
    for (std::uint32_t lower = 0; lower < top; ++lower) {
        const double a = value_of(lower, exponent_bits);
        const double step =
            lower + 1 == top ? a - value_of(lower - 1, exponent_bits) : value_of(lower + 1, exponent_bits) - a;
        const auto middle =
            static_cast<float>(a + step / 2);  // exact: it needs one bit more than the 16-bit format has
        if (double{middle} != a + step / 2) ++wrong;
        const std::uint32_t even = (lower & 1U) == 0 ? lower : lower + 1;
        for (const std::uint32_t sign : {0U, 0x8000U}) {
            const auto signed_narrow = [&](float x) { return std::uint32_t{narrow(sign == 0 ? x : -x)}; };
            wrong += signed_narrow(static_cast<float>(a)) != (lower | sign);
            wrong += signed_narrow(middle) != (even | sign);
            wrong += signed_narrow(std::nextafter(middle, 0.0F)) != (lower | sign);
            wrong += signed_narrow(std::nextafter(middle, INFINITY)) != ((lower + 1) | sign);
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("half_to_float: all 65536 values are exact") {
    std::size_t wrong = 0;
    for (std::uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
        const double want = value_of(bits, 5);
        const float got = half_to_float(static_cast<std::uint16_t>(bits));
        wrong += std::isnan(want) ? !std::isnan(got) : !same_bits(got, static_cast<float>(want));
        wrong += std::signbit(got) != ((bits & 0x8000U) != 0);
    }
    CHECK(wrong == 0);
}

TEST_CASE("bfloat_to_float: all 65536 values are exact") {
    std::size_t wrong = 0;
    for (std::uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
        const double want = value_of(bits, 8);
        const float got = bfloat_to_float(static_cast<std::uint16_t>(bits));
        wrong += std::isnan(want) ? !std::isnan(got) : !same_bits(got, static_cast<float>(want));
    }
    CHECK(wrong == 0);
}

TEST_CASE("float_to_half: every half value comes back as itself, NaN as NaN") {
    std::size_t wrong = 0;
    for (std::uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
        const float value = half_to_float(static_cast<std::uint16_t>(bits));
        const std::uint32_t back = float_to_half(value);
        wrong += std::isnan(value) ? !std::isnan(value_of(back, 5)) : back != bits;
    }
    CHECK(wrong == 0);
}

TEST_CASE("float_to_bfloat: every finite bfloat16 value comes back as itself") {
    std::size_t wrong = 0;
    for (std::uint32_t bits = 0; bits <= 0xFFFF; ++bits)
        if (const float value = bfloat_to_float(static_cast<std::uint16_t>(bits)); !std::isnan(value))
            wrong += float_to_bfloat(value) != bits;
    CHECK(wrong == 0);
}

TEST_CASE("float_to_half: rounds to the nearest, ties to even, at every pair of neighbours") {
    check_rounding(5, [](float x) { return float_to_half(x); });
}

TEST_CASE("float_to_bfloat: rounds to the nearest, ties to even, at every pair of neighbours") {
    check_rounding(8, [](float x) { return float_to_bfloat(x); });
}

TEST_CASE("float_to_half: overflow gives infinity, underflow a signed zero") {
    CHECK(float_to_half(65519.996F) == 0x7BFF);
    CHECK(float_to_half(65520.0F) == 0x7C00);
    CHECK(float_to_half(-1e38F) == 0xFC00);
    CHECK(float_to_half(-INFINITY) == 0xFC00);
    CHECK(float_to_half(0x1p-25F) == 0);  // half of the smallest subnormal: the tie goes to even, which is 0
    CHECK(float_to_half(std::nextafter(0x1p-25F, 1.0F)) == 1);
    CHECK(float_to_half(-1e-45F) == 0x8000);
    CHECK(float_to_half(-0.0F) == 0x8000);
}

TEST_CASE("float_to_half: random floats go to the nearest of all half values") {
    std::mt19937 random(5);
    std::size_t wrong = 0;
    for (int i = 0; i < 300000; ++i) {
        const auto x = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
        if (std::isnan(x)) continue;
        const std::uint32_t got = float_to_half(x);
        const double error = std::abs(value_of(got, 5) - double{x});
        if (std::abs(double{x}) >= 65520.0) {
            wrong += (got & 0x7FFFU) != 0x7C00U;
            continue;
        }
        for (const std::uint32_t other : {got - 1, got + 1})
            if ((other & 0x7FFFU) < 0x7C00U) wrong += std::abs(value_of(other & 0xFFFFU, 5) - double{x}) < error;
    }
    CHECK(wrong == 0);
}

TEST_CASE("mix: gives different values for different values, and changes half the bits for one") {
    std::set<std::uint64_t> seen;
    std::uint64_t flipped = 0;
    for (std::uint64_t i = 0; i < 4096; ++i) {
        seen.insert(mix(i));
        flipped += static_cast<std::uint64_t>(std::popcount(mix(i) ^ mix(i ^ (std::uint64_t{1} << (i % 64)))));
    }
    CHECK(seen.size() == 4096);
    CHECK(flipped > 31 * 4096);
    CHECK(flipped < 33 * 4096);
    CHECK(mix(0) ==
          0xE220A8397B1DCDAFULL);  // the first number of splitmix64 seeded with 0: graphs in files depend on it
}

TEST_CASE("mul_add: is a * b + c") {
    CHECK(vicinal::mul_add(3.0F, 4.0F, 5.0F) == 17.0F);
    CHECK(vicinal::mul_add(3.0, 4.0, 5.0) == 17.0);
}

TEST_CASE("round_up: to the next multiple of a power of two, multiples stay") {
    CHECK(round_up(0, 64) == 0);
    CHECK(round_up(1, 64) == 64);
    CHECK(round_up(64, 64) == 64);
    CHECK(round_up(65, 4) == 68);
    CHECK(round_up(13, 1) == 13);
}

}  // namespace
