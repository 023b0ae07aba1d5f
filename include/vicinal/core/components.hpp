// SPDX-License-Identifier: MIT
// The types of number that vectors may be given in, and how they become floats.
#pragma once

#include <concepts>     // for same_as
#include <cstddef>      // for size_t, ptrdiff_t
#include <cstdint>      // for int8_t, uint8_t, uint16_t
#include <limits>       // for numeric_limits
#include <type_traits>  // for is_trivially_copyable_v, remove_cv_t

#include "vicinal/core/config.hpp"
#include "vicinal/core/math.hpp"

VICINAL_NAMESPACE_BEGIN

/// A number of IEEE half precision, binary16: for compilers without std::float16_t. 2 bytes, as files and models have
/// them.
struct float16 {
    std::uint16_t bits = 0;

    float16() = default;
    /// The nearest to `value`, ties to even; overflow gives infinity.
    explicit float16(float value) noexcept : bits(detail::float_to_half(value)) {}
    explicit operator float() const noexcept { return detail::half_to_float(bits); }
};
/// A bfloat16, the upper half of a float.
struct bfloat16 {
    std::uint16_t bits = 0;

    bfloat16() = default;
    /// The nearest to `value`, which is finite, ties to even.
    explicit bfloat16(float value) noexcept : bits(detail::float_to_bfloat(value)) {}
    explicit operator float() const noexcept { return detail::bfloat_to_float(bits); }
};

namespace detail {

/// What the components of a vector are.
enum class component_kind : std::uint8_t { none, f32, i8, u8, f16, bf16, bit };

/// A type of floats in 16 bits with so many significant ones, of ours or another library's: std::float16_t,
/// Eigen::half, Eigen::bfloat16.
template <class T, int Digits>
inline constexpr bool is_short_float =
    sizeof(T) == 2 && std::is_trivially_copyable_v<T>&& std::numeric_limits<T>::is_specialized &&
    !std::numeric_limits<T>::is_integer && std::numeric_limits<T>::digits == Digits;

template <class T>
[[nodiscard]] consteval component_kind kind_of() noexcept {
    if (std::same_as<T, float>) return component_kind::f32;
    if (std::same_as<T, std::int8_t>) return component_kind::i8;
    if (std::same_as<T, std::uint8_t>) return component_kind::u8;
    if constexpr (std::same_as<T, float16>) return component_kind::f16;
    if constexpr (std::same_as<T, bfloat16>) return component_kind::bf16;
    if constexpr (is_short_float<T, 11>) return component_kind::f16;
    if constexpr (is_short_float<T, 8>) return component_kind::bf16;
    return component_kind::none;
}

/// How many bytes lie from one component to the next; of bits, from 8 of them.
[[nodiscard]] constexpr std::size_t bytes_of(component_kind kind) noexcept {
    return kind == component_kind::f32 ? 4 : kind == component_kind::f16 || kind == component_kind::bf16 ? 2 : 1;
}

/// Converts `count` components, `step` numbers of Stored apart.
template <class Stored, class Convert>
void convert_components(const void* data, std::ptrdiff_t step, std::size_t count, float* out,
                        Convert convert) noexcept {
    const auto* from = static_cast<const Stored*>(data);
    if (step == 1)
        for (std::size_t i = 0; i < count; ++i) out[i] = convert(from[i]);
    else
        for (std::size_t i = 0; i < count; ++i, from += step) out[i] = convert(*from);
}

/// Writes bits as zeros and ones, the lowest of a byte first.
inline void read_bits(const std::uint8_t* bytes, std::size_t count, float* out) noexcept {
    std::size_t i = 0;
    for (; i + 8 <= count; i += 8, ++bytes)
        for (unsigned bit = 0; bit < 8; ++bit) out[i + bit] = static_cast<float>(*bytes >> bit & 1);
    for (unsigned bit = 0; i < count; ++i, ++bit) out[i] = static_cast<float>(*bytes >> bit & 1);
}

/// Writes components as floats, all exactly.
inline void read_components(component_kind kind, const void* data, std::ptrdiff_t step, std::size_t count,
                            float* out) noexcept {
    const auto as_number = [](auto x) { return static_cast<float>(x); };
    switch (kind) {
        case component_kind::none: break;
        case component_kind::f32: return convert_components<float>(data, step, count, out, as_number);
        case component_kind::i8: return convert_components<std::int8_t>(data, step, count, out, as_number);
        case component_kind::u8: return convert_components<std::uint8_t>(data, step, count, out, as_number);
        case component_kind::f16:
            return convert_components<std::uint16_t>(data, step, count, out,
                                                     [](std::uint16_t x) { return half_to_float(x); });
        case component_kind::bf16:
            return convert_components<std::uint16_t>(data, step, count, out,
                                                     [](std::uint16_t x) { return bfloat_to_float(x); });
        case component_kind::bit: return read_bits(static_cast<const std::uint8_t*>(data), count, out);
    }
}

}  // namespace detail

/// A type of number that vectors may be given in: float, std::int8_t, std::uint8_t, a float of 16 bits.
template <class T>
concept vector_component = detail::kind_of<std::remove_cv_t<T>>()
!= detail::component_kind::none;

VICINAL_NAMESPACE_END
