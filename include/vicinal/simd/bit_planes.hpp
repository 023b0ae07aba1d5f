// SPDX-License-Identifier: MIT
// Numbers of a few bits, of which a code holds the highest bits of all, then the next, and so on.
#pragma once

#include <array>    // for array
#include <cstddef>  // for size_t, byte
#include <cstdint>  // for uint64_t

#include "vicinal/simd/intrinsics.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

/// Holds at place b the bits of b, a byte each: byte j is bit j.
struct bits_as_bytes {
    std::uint64_t of[256];
};
inline constexpr bits_as_bytes spread_bits = [] {
    bits_as_bytes table{};
    for (std::uint64_t b = 0; b < 256; ++b)
        for (unsigned j = 0; j < 8; ++j) table.of[b] |= (b >> j & 1U) << (8 * j);
    return table;
}();

/// The numbers i to i + 7 of `Bits` planes of plane_size bytes, from 0 to 2^Bits - 1, a byte each. i is a multiple of
/// 8.
template <unsigned Bits>
[[nodiscard]] VICINAL_INLINE std::uint64_t levels_of_8(const std::byte* planes, std::size_t plane_size,
                                                       std::size_t i) noexcept {
    const std::byte* at = planes + i / 8;
    std::uint64_t eight = 0;
    for (unsigned plane = 0; plane < Bits; ++plane, at += plane_size)
        eight = eight << 1 | spread_bits.of[static_cast<std::size_t>(*at)];
    return eight;
}

/// Those of `levels`, the numbers from i / 8 * 8 on, that are lanes from i on, as steps of `scale` from their middle.
template <class V, unsigned Bits>
[[nodiscard]] VICINAL_INLINE V centered_levels(std::uint64_t levels, std::size_t i, float scale) noexcept {
    static_assert(sizeof(V) <= 8 * sizeof(float));
    constexpr float top = static_cast<float>((1U << Bits) - 1);
    levels >>= i % 8 * 8;
    std::byte eight[8];
    for (unsigned j = 0; j < 8; ++j) eight[j] = static_cast<std::byte>(levels >> (8 * j));
    return (widen_u8<V>(eight) - V(top / 2.0F)) * V(scale);
}

}  // namespace simd

VICINAL_NAMESPACE_END
