// SPDX-License-Identifier: MIT
// Scalar arithmetic shared by the layers above: fused multiply-add, hashing, half-precision bits.
#pragma once

#include <bit>          // for bit_width, countr_zero
#include <cmath>        // for sqrt
#include <cstddef>      // for size_t
#include <cstdint>      // for uint16_t, uint32_t, uint64_t
#include <span>         // for span
#include <type_traits>  // for is_arithmetic_v, is_same_v

#include "vicinal/core/bit_cast.hpp"
#include "vicinal/core/config.hpp"
#include "vicinal/core/number_as.hpp"

VICINAL_NAMESPACE_BEGIN

/// a * b + c, in one rounding where the hardware has it. V is float or a SIMD vector, whose fma is found by its
/// namespace.
template <class V>
[[nodiscard]] VICINAL_INLINE V mul_add(const V& a, const V& b, const V& c) noexcept {
#if defined(VICINAL_FMA_FLOAT)
    // Left to itself, GCC fuses in one loop and not in its twin.
    if constexpr (std::is_same_v<V, float>) return VICINAL_FMA_FLOAT(a, b, c);
#endif
    if constexpr (std::is_arithmetic_v<V>)
        return a * b + c;
    else
        return fma(a, b, c);
}

namespace detail {

/// The finaliser of splitmix64 (Steele, Lea, Flood 2014): a bijection whose output bits all depend on all input bits.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t x) noexcept {
    x += 0x9E3779B97F4A7C15ULL;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
    return x ^ (x >> 31);
}

/// How many bits a number takes, and the place of the lowest that is set, of one that is not 0. Those of <bit> would be
/// functions that all objects share, whatever they are compiled for.
[[nodiscard]] VICINAL_INLINE constexpr unsigned bit_length(std::uint32_t x) noexcept {
#if defined(VICINAL_X86_64) && defined(VICINAL_GNU) && !defined(VICINAL_HAS_BMI2)
    return 63U ^ static_cast<unsigned>(__builtin_clzll(2 * std::uint64_t{x} + 1));  // one instruction, and no case of 0
#elif defined(VICINAL_GNU)
    return x == 0 ? 0 : 32 - static_cast<unsigned>(__builtin_clz(x));
#else
    return static_cast<unsigned>(std::bit_width(x));
#endif
}
[[nodiscard]] VICINAL_INLINE constexpr unsigned lowest_bit(std::uint32_t x) noexcept {
#if defined(VICINAL_GNU)
    return static_cast<unsigned>(__builtin_ctz(x));
#else
    return static_cast<unsigned>(std::countr_zero(x));
#endif
}
[[nodiscard]] VICINAL_INLINE float square_root(float x) noexcept {
#if defined(VICINAL_GNU)
    return __builtin_sqrtf(x);
#else
    return std::sqrt(x);
#endif
}

/// The bits of an id of any width, mixed, so that who does not know `salt` cannot choose ids that come out alike.
template <class Id>
[[nodiscard]] constexpr std::uint64_t mix_id(Id id, std::uint64_t salt = 0) noexcept {
    const auto low = static_cast<std::uint64_t>(id);
    if constexpr (sizeof(Id) <= sizeof low)
        return mix(low ^ salt);
    else
        return mix(low ^ mix(static_cast<std::uint64_t>(id >> 64) ^ salt));
}

/// Does what std::hash does for integers, and std::less. What the standard library makes of plain types and of these
/// has a name that no object compiled for other instructions has.
struct plain_hash {
    [[nodiscard]] constexpr std::size_t operator()(std::uint64_t value) const noexcept {
        return number_as<std::size_t>(value);
    }
};
struct plain_less {
    template <class T>
    [[nodiscard]] constexpr bool operator()(const T& a, const T& b) const noexcept {
        return a < b;
    }
};

/// Whether a number is finite. Looks at its bits, because under -ffast-math a comparison may be assumed to hold.
[[nodiscard]] inline bool has_finite_bits(float x) noexcept {
    return (detail::bit_cast<std::uint32_t>(x) & 0x7F800000U) != 0x7F800000U;
}

/// Infinity, hidden from compilers that under -ffast-math take it for a number that does not exist.
[[nodiscard]] VICINAL_INLINE float infinite() noexcept {
    std::uint32_t bits = 0x7F800000U;
#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
    __asm__("" : "+r"(bits));
#endif
    return detail::bit_cast<float>(bits);
}

/// The sum of squares in double, one after the other. Squares of floats are exact, so it is the same fused or not.
[[nodiscard]] inline double squared_norm(std::span<const float> vector) noexcept {
    double squares = 0;
    for (const float x : vector) squares += double{x} * double{x};
    return squares;
}

/// An unsigned integer for each float, in the order of the floats.
[[nodiscard]] VICINAL_INLINE std::uint32_t ordered_bits(float x) noexcept {
    const auto bits = detail::bit_cast<std::uint32_t>(x);
    // Negative floats order backwards: flip all their bits, and only the sign of the others.
    return bits ^ ((bits & 0x80000000U) != 0 ? 0xFFFFFFFFU : 0x80000000U);
}

/// The float whose ordered bits are `bits`.
[[nodiscard]] VICINAL_INLINE float from_ordered_bits(std::uint32_t bits) noexcept {
    return detail::bit_cast<float>(bits ^ ((bits & 0x80000000U) != 0 ? 0x80000000U : 0xFFFFFFFFU));
}

/// The value of an IEEE 754 binary16, exactly.
[[nodiscard]] VICINAL_INLINE float half_to_float(std::uint16_t half) noexcept {
    const std::uint32_t sign = std::uint32_t{half & 0x8000U} << 16U;
    const std::uint32_t magnitude = half & 0x7FFFU;
    if (magnitude >= 0x7C00U)  // infinity or NaN
        return detail::bit_cast<float>(sign | 0x7F800000U | (magnitude & 0x3FFU) << 13U);
    if (magnitude >= 0x0400U)  // normal: move the exponent's bias from 15 to 127
        return detail::bit_cast<float>(sign | ((magnitude << 13U) + (112U << 23U)));
    const float subnormal = static_cast<float>(magnitude) * 0x1p-24F;
    return detail::bit_cast<float>(sign | detail::bit_cast<std::uint32_t>(subnormal));
}

/// The binary16 nearest to `value`, ties to even; overflow gives infinity.
[[nodiscard]] inline std::uint16_t float_to_half(float value) noexcept {
    const auto bits = detail::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>((bits >> 16U) & 0x8000U);
    const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
    if (magnitude > 0x7F800000U) return static_cast<std::uint16_t>(sign | 0x7E00U);
    if (magnitude >= 0x477FF000U)
        return static_cast<std::uint16_t>(sign | 0x7C00U);  // 65520 and above round to infinity
    if (magnitude < 0x38800000U) {
        // Below 2^-14: adding 0.5 lets the float unit round at bit 2^-24, the spacing of binary16's subnormals.
        const float shifted = detail::bit_cast<float>(magnitude) + 0.5F;
        return static_cast<std::uint16_t>(sign | (detail::bit_cast<std::uint32_t>(shifted) - 0x3F000000U));
    }
    const std::uint32_t odd = (magnitude >> 13U) & 1U;
    return static_cast<std::uint16_t>(sign | ((magnitude - (112U << 23U) + 0xFFFU + odd) >> 13U));
}

/// bfloat16: the upper half of a float.
[[nodiscard]] VICINAL_INLINE float bfloat_to_float(std::uint16_t bfloat) noexcept {
    return detail::bit_cast<float>(std::uint32_t{bfloat} << 16U);
}

/// The bfloat16 nearest to `value`, ties to even. `value` is finite.
[[nodiscard]] inline std::uint16_t float_to_bfloat(float value) noexcept {
    const auto bits = detail::bit_cast<std::uint32_t>(value);
    return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U);
}

}  // namespace detail

VICINAL_NAMESPACE_END
