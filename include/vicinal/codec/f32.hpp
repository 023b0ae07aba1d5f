// SPDX-License-Identifier: MIT
// Vectors stored as they are, in single precision.
#pragma once

#include <cstddef>      // for size_t, byte
#include <cstring>      // for memcpy
#include <span>         // for span
#include <string_view>  // for string_view

#include "vicinal/concepts.hpp"
#include "vicinal/simd/compat.hpp"

VICINAL_NAMESPACE_BEGIN

/// IEEE single precision, 4 bytes per component. It loses nothing.
struct f32 {
    static constexpr std::string_view name = "f32";
    static constexpr bool keeps_length = true;   // decoding makes no vector longer by more than a tenth
    static constexpr std::size_t word_size = 4;  // big-endian machines swap the bytes of such words in files
    std::size_t dim = 0;

    [[nodiscard]] std::size_t code_size() const noexcept { return dim * sizeof(float); }
    void encode(std::span<const float> vector, std::span<std::byte> code) const noexcept {
        std::memcpy(code.data(), vector.data(), vector.size_bytes());
    }
    void decode(std::span<const std::byte> code, std::span<float> vector) const noexcept {
        std::memcpy(vector.data(), code.data(), vector.size_bytes());
    }
    template <class V>
    [[nodiscard]] VICINAL_INLINE V load(const std::byte* code, std::size_t i) const noexcept {
        return simd::load<V>(reinterpret_cast<const float*>(code) + i);
    }
};
template <>
inline constexpr bool simd::loads_wide<f32> = true;
/// Whether codes are the floats that they stand for.
template <class Codec>
inline constexpr bool stores_floats = false;
template <>
inline constexpr bool stores_floats<f32> = true;
static_assert(elementwise_codec<f32> && norm_keeping_codec<f32> && multibyte_codec<f32>);

VICINAL_NAMESPACE_END
