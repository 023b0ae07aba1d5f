// SPDX-License-Identifier: MIT
// simd/intrinsics.hpp for vectors of any size, by xsimd and plain C++. Where there is no instruction, lanes are taken
// one by one; compilers vectorise these loops well enough.
#pragma once

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int16_t, int32_t, uint8_t, uint16_t, uint32_t
#include <cstring>  // for memcpy

#include "vicinal/core/math.hpp"
#include "vicinal/simd/compat.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd::per_isa {

template <class V>
VICINAL_INLINE void sum_lanes_4(tag::generic, const V& a, const V& b, const V& c, const V& d, float* out) noexcept {
    out[0] = sum_lanes(a);
    out[1] = sum_lanes(b);
    out[2] = sum_lanes(c);
    out[3] = sum_lanes(d);
}

template <class V>
[[nodiscard]] VICINAL_INLINE V smaller_lanes(tag::generic, const V& a, const V& b) noexcept {
    if constexpr (is_float<V>)
        return b < a ? b : a;
    else
        return (xsimd::min)(a, b);
}

template <class V>
[[nodiscard]] VICINAL_INLINE unsigned not_less_lanes(tag::generic, const V& a, const V& b) noexcept {
    if constexpr (is_float<V>) {
        return a < b ? 0U : 1U;
    } else {
        alignas(64) float left[V::size];
        alignas(64) float right[V::size];
        a.store_aligned(left);
        b.store_aligned(right);
        unsigned bits = 0;
        for (std::size_t i = 0; i < V::size; ++i) bits |= (left[i] < right[i] ? 0U : 1U) << i;
        return bits;
    }
}

[[nodiscard]] VICINAL_INLINE std::uint32_t not_above_32(tag::generic, const float* values, float limit) noexcept {
    std::uint32_t mask = 0;
    for (unsigned i = 0; i < 32; ++i) mask |= (values[i] > limit ? 0U : 1U) << i;
    return mask;
}

/// Leaves all to the loop of whoever calls, which is as good as any.
VICINAL_INLINE std::size_t transpose_whole(tag::generic, const float* const*, std::size_t, float*) noexcept {
    return 0;
}

/// Writes Vectors vectors component by component, in squares of Side x Side, as far as whole ones go, and returns the
/// number of components written. square(vectors, i, out, stride) transposes components [i, i + Side) of Side vectors,
/// those of component i + j to out + j * stride.
template <std::size_t Side, std::size_t Vectors, class Square>
VICINAL_INLINE std::size_t transpose_squares(const float* const* vectors, std::size_t dim, float* out,
                                             const Square& square) noexcept {
    std::size_t i = 0;
    for (; i + Side <= dim; i += Side)
        for (std::size_t v = 0; v < Vectors; v += Side) square(vectors + v, i, out + i * Vectors + v, Vectors);
    return i;
}

/// Converts `V::size` values of type From at p.
template <class V, class From, class Convert>
[[nodiscard]] VICINAL_INLINE V convert_lanes(const std::byte* p, Convert convert) noexcept {
    alignas(64) float values[V::size];
    for (std::size_t i = 0; i < V::size; ++i) {
        From x;
        std::memcpy(&x, p + i * sizeof(From), sizeof(From));
        values[i] = convert(x);
    }
    return V::load_aligned(values);
}

template <class V>
[[nodiscard]] VICINAL_INLINE V widen_u8(tag::generic, const std::byte* p) noexcept {
    if constexpr (is_float<V>)
        return static_cast<float>(static_cast<std::uint8_t>(*p));
    else
        return convert_lanes<V, std::uint8_t>(p, [](std::uint8_t x) { return static_cast<float>(x); });
}

template <class V>
[[nodiscard]] VICINAL_INLINE V widen_u4(tag::generic, const std::byte* codes, std::size_t i) noexcept {
    const std::byte* const p = codes + i / 2;
    if constexpr (is_float<V>) {
        return static_cast<float>(static_cast<unsigned>(*p) >> (i % 2 * 4) & 15U);
    } else {
        alignas(64) float values[V::size];
        for (std::size_t j = 0; j < V::size; ++j) values[j] = widen_u4<float>(tag::generic{}, p, j);
        return V::load_aligned(values);
    }
}

template <class V>
[[nodiscard]] VICINAL_INLINE V look_up_pairs(tag::generic, const float* codebook, const std::byte* codes,
                                             std::size_t i) noexcept {
    if constexpr (is_float<V>) {
        const std::size_t which = static_cast<std::size_t>(codes[i / 4]) >> (i / 2 % 2 * 4) & 15U;
        return codebook[i / 2 * 32 + 2 * which + i % 2];
    } else {
        alignas(64) float values[V::size];
        for (std::size_t j = 0; j < V::size; ++j)
            values[j] = look_up_pairs<float>(tag::generic{}, codebook, codes, i + j);
        return V::load_aligned(values);
    }
}

/// Loads a 16-bit value at p (any alignment).
[[nodiscard]] VICINAL_INLINE std::uint16_t load_u16(const std::byte* p) noexcept {
    std::uint16_t x;
    std::memcpy(&x, p, sizeof x);
    return x;
}

template <class V>
[[nodiscard]] VICINAL_INLINE V widen_f16(tag::generic, const std::byte* p) noexcept {
    if constexpr (is_float<V>)
        return vicinal::detail::half_to_float(load_u16(p));
    else
        return convert_lanes<V, std::uint16_t>(p, [](std::uint16_t x) { return vicinal::detail::half_to_float(x); });
}

template <class V>
[[nodiscard]] VICINAL_INLINE V widen_bf16(tag::generic, const std::byte* p) noexcept {
    if constexpr (is_float<V>)
        return vicinal::detail::bfloat_to_float(load_u16(p));
    else
        return convert_lanes<V, std::uint16_t>(p, [](std::uint16_t x) { return vicinal::detail::bfloat_to_float(x); });
}

template <class V>
VICINAL_INLINE void store_rounded(tag::generic, const V& v, std::int16_t* out) noexcept {
    if constexpr (is_float<V>) {
        *out = static_cast<std::int16_t>(static_cast<std::int32_t>(v + 32768.5F) - 32768);
    } else {
        alignas(64) float values[V::size];
        v.store_aligned(values);
        for (std::size_t i = 0; i < V::size; ++i) store_rounded(tag::generic{}, values[i], out + i);
    }
}

template <class V>
VICINAL_INLINE void keep_in_register(tag::generic, V&) noexcept {}

/// Nothing is wider than a set's own vectors.
template <class Half, class V>
Half lower_half(tag::generic, const V&) = delete;
template <class Half, class V>
Half upper_half(tag::generic, const V&) = delete;

template <class V>
VICINAL_INLINE void store_interleaved(tag::generic, const V& a, const V& b, float* out) noexcept {
    alignas(64) float first[V::size];
    alignas(64) float second[V::size];
    a.store_aligned(first);
    b.store_aligned(second);
    for (std::size_t i = 0; i < V::size; ++i) {
        out[2 * i] = first[i];
        out[2 * i + 1] = second[i];
    }
}

}  // namespace simd::per_isa

VICINAL_NAMESPACE_END
