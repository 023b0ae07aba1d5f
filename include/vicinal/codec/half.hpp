// SPDX-License-Identifier: MIT
// The two 16-bit floats, f16 and bf16. They differ only in how one component is converted.
#pragma once

#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint16_t
#include <cstring>      // for memcpy
#include <span>         // for span
#include <string_view>  // for string_view

#include "vicinal/concepts.hpp"
#include "vicinal/core/math.hpp"
#include "vicinal/simd/intrinsics.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// A codec of two bytes per component. Format converts one component.
template <class Format>
struct half_codec {
    static constexpr std::string_view name = Format::name;
    static constexpr float max_magnitude = Format::max_magnitude;
    static constexpr float min_magnitude = Format::min_magnitude;
    static constexpr bool keeps_length = true;  // decoding makes no vector longer by more than a tenth
    static constexpr std::size_t word_size = 2;
    std::size_t dim = 0;

    [[nodiscard]] std::size_t code_size() const noexcept { return dim * sizeof(std::uint16_t); }
    void encode(std::span<const float> vector, std::span<std::byte> code) const noexcept {
        for (std::size_t i = 0; i < dim; ++i) {
            const std::uint16_t bits = Format::narrow(vector[i]);
            std::memcpy(code.data() + i * sizeof bits, &bits, sizeof bits);
        }
    }
    void decode(std::span<const std::byte> code, std::span<float> vector) const noexcept {
        for (std::size_t i = 0; i < dim; ++i) vector[i] = load<float>(code.data(), i);
    }
    template <class V>
    [[nodiscard]] VICINAL_INLINE V load(const std::byte* code, std::size_t i) const noexcept {
        return Format::template widen<V>(code + i * sizeof(std::uint16_t));
    }
};

struct f16_format {
    static constexpr std::string_view name = "f16";
    static constexpr float max_magnitude = 65504.0F;
    static constexpr float min_magnitude = 0x1p-18F;  // 64 of the even steps that are left below 2^-14
    static std::uint16_t narrow(float x) noexcept { return float_to_half(x); }
    template <class V>
    [[nodiscard]] VICINAL_INLINE static V widen(const std::byte* p) noexcept {
        return simd::widen_f16<V>(p);
    }
};

struct bf16_format {
    static constexpr std::string_view name = "bf16";
    static constexpr float max_magnitude = 3.3895314e38F;
    static constexpr float min_magnitude = 0x1p-126F;
    static std::uint16_t narrow(float x) noexcept { return float_to_bfloat(x); }
    template <class V>
    [[nodiscard]] VICINAL_INLINE static V widen(const std::byte* p) noexcept {
        return simd::widen_bf16<V>(p);
    }
};

}  // namespace detail

/// IEEE half precision, 2 bytes per component: 11 significant bits, magnitudes up to 65504 (larger are refused, and so
/// are vectors with no component of at least 2^-18, 3.8e-6, which the steps of 2^-24 would round away).
using f16 = detail::half_codec<detail::f16_format>;
/// bfloat16, 2 bytes per component: 8 significant bits, the range of a float.
using bf16 = detail::half_codec<detail::bf16_format>;
template <>
inline constexpr bool simd::loads_wide<bf16> = true;
static_assert(elementwise_codec<f16> && bounded_codec<f16> && resolving_codec<f16>);
static_assert(norm_keeping_codec<bf16> && multibyte_codec<bf16>);

VICINAL_NAMESPACE_END
