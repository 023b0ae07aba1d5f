// SPDX-License-Identifier: MIT
// simd/intrinsics.hpp for vectors of 128 bits on Arm: on NEON of ARMv7, and what AArch64 has beyond it.
#pragma once

#include "vicinal/core/target.hpp"

#if defined(VICINAL_HAS_NEON)

#include <arm_neon.h>

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int16_t, int32_t, uint8_t, uint16_t, uint32_t
#include <cstring>  // for memcpy

#include "vicinal/simd/generic/intrinsics.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd::per_isa {

#if defined(VICINAL_AARCH64)

/// Adds up neighbours: a0 + a1, a2 + a3, b0 + b1, b2 + b3.
[[nodiscard]] VICINAL_INLINE float32x4_t add_pairs(float32x4_t a, float32x4_t b) noexcept { return vpaddq_f32(a, b); }
[[nodiscard]] VICINAL_INLINE uint32x4_t add_pairs(uint32x4_t a, uint32x4_t b) noexcept { return vpaddq_u32(a, b); }

#else

/// Adds up neighbours: a0 + a1, a2 + a3, b0 + b1, b2 + b3.
[[nodiscard]] VICINAL_INLINE float32x4_t add_pairs(float32x4_t a, float32x4_t b) noexcept {
    return vcombine_f32(vpadd_f32(vget_low_f32(a), vget_high_f32(a)), vpadd_f32(vget_low_f32(b), vget_high_f32(b)));
}
[[nodiscard]] VICINAL_INLINE uint32x4_t add_pairs(uint32x4_t a, uint32x4_t b) noexcept {
    return vcombine_u32(vpadd_u32(vget_low_u32(a), vget_high_u32(a)), vpadd_u32(vget_low_u32(b), vget_high_u32(b)));
}

#endif

#if defined(VICINAL_HAS_DOTPROD)

/// Adds four products of bytes to each lane of `sum`.
[[nodiscard]] VICINAL_INLINE int32x4_t add_products(int32x4_t sum, int8x16_t a, int8x16_t b) noexcept {
    return vdotq_s32(sum, a, b);
}

#else

/// Adds four products of bytes to each lane of `sum`; any two of them fit 16 bits.
[[nodiscard]] VICINAL_INLINE int32x4_t add_products(int32x4_t sum, int8x16_t a, int8x16_t b) noexcept {
    const int16x8_t low = vmull_s8(vget_low_s8(a), vget_low_s8(b));
    return vpadalq_s16(sum, vmlal_s8(low, vget_high_s8(a), vget_high_s8(b)));
}

#endif

[[nodiscard]] VICINAL_INLINE uint8x16_t load_bytes(const std::byte* p) noexcept {
    return vld1q_u8(reinterpret_cast<const std::uint8_t*>(p));
}

/// Loads four values of 16 bits at p (any alignment).
[[nodiscard]] VICINAL_INLINE uint16x4_t load_4_u16(const std::byte* p) noexcept {
    return vreinterpret_u16_u8(vld1_u8(reinterpret_cast<const std::uint8_t*>(p)));
}

/// Makes the bits i of lanes that are all ones, the others being zeros, those of a number.
[[nodiscard]] VICINAL_INLINE unsigned bits_of_lanes(uint32x4_t lanes) noexcept {
    static constexpr std::uint32_t bit[4] = {1, 2, 4, 8};
    const uint32x4_t bits = vandq_u32(lanes, vld1q_u32(bit));
    const uint32x4_t pairs = add_pairs(bits, bits);
    return vgetq_lane_u32(add_pairs(pairs, pairs), 0);
}

/// Adds in xsimd's order, neighbours first: the sums have the bits that `sum_lanes` gives.
template <class V>
VICINAL_INLINE void sum_lanes_4(tag::neon, const V& a, const V& b, const V& c, const V& d, float* out) noexcept {
    vst1q_f32(out, add_pairs(add_pairs(a.data, b.data), add_pairs(c.data, d.data)));
}

template <class V>
[[nodiscard]] VICINAL_INLINE unsigned not_less_lanes(tag::neon, const V& a, const V& b) noexcept {
    return bits_of_lanes(vmvnq_u32(vcltq_f32(a, b)));
}

[[nodiscard]] VICINAL_INLINE std::uint32_t not_above_32(tag::neon, const float* values, float limit) noexcept {
    static constexpr std::uint32_t bit[4] = {1, 2, 4, 8};
    uint32x4_t bits = vld1q_u32(bit);
    uint32x4_t mask = vdupq_n_u32(0);
    const float32x4_t most = vdupq_n_f32(limit);
    for (std::size_t i = 0; i < 32; i += 4, bits = vshlq_n_u32(bits, 4))
        mask = vorrq_u32(mask, vbicq_u32(bits, vcgtq_f32(vld1q_f32(values + i), most)));
    const uint32x4_t pairs = add_pairs(mask, mask);
    return vgetq_lane_u32(add_pairs(pairs, pairs), 0);
}

/// Writes components [i, i + 4) of four vectors component by component: the four of component i + j go to
/// out + j * stride.
VICINAL_INLINE void transpose_4x4(const float* const* vectors, std::size_t i, float* out, std::size_t stride) noexcept {
    const float32x4x2_t ab = vtrnq_f32(vld1q_f32(vectors[0] + i), vld1q_f32(vectors[1] + i));
    const float32x4x2_t cd = vtrnq_f32(vld1q_f32(vectors[2] + i), vld1q_f32(vectors[3] + i));
    repeat<2>([&](std::size_t j) VICINAL_LAMBDA_INLINE {
        vst1q_f32(out + j * stride, vcombine_f32(vget_low_f32(ab.val[j]), vget_low_f32(cd.val[j])));
        vst1q_f32(out + (j + 2) * stride, vcombine_f32(vget_high_f32(ab.val[j]), vget_high_f32(cd.val[j])));
    });
}

VICINAL_INLINE std::size_t transpose_whole(tag::neon, const float* const* vectors, std::size_t dim,
                                           float* out) noexcept {
    return transpose_squares<4, 8>(vectors, dim, out,
                                   [](auto... square) VICINAL_LAMBDA_INLINE { transpose_4x4(square...); });
}

template <class V>
[[nodiscard]] VICINAL_INLINE V widen_u8(tag::neon, const std::byte* p) noexcept {
    std::uint32_t four;
    std::memcpy(&four, p, sizeof four);
    const uint16x8_t words = vmovl_u8(vcreate_u8(four));
    return V(vcvtq_f32_u32(vmovl_u16(vget_low_u16(words))));
}

template <class V>
[[nodiscard]] VICINAL_INLINE V widen_u4(tag::neon, const std::byte* codes, std::size_t i) noexcept {
    static constexpr std::int32_t place[4] = {0, -4, -8, -12};
    std::uint16_t four;
    std::memcpy(&four, codes + i / 2, sizeof four);
    const uint32x4_t moved = vshlq_u32(vdupq_n_u32(four), vld1q_s32(place));
    return V(vcvtq_f32_u32(vandq_u32(moved, vdupq_n_u32(15))));
}

template <class V>
[[nodiscard]] VICINAL_INLINE V look_up_pairs(tag::neon, const float* codebook, const std::byte* codes,
                                             std::size_t i) noexcept {
    const auto two = static_cast<unsigned>(codes[i / 4]);
    const float* const from = codebook + i * 16;
    return V(vcombine_f32(vld1_f32(from + 2 * (two & 15U)), vld1_f32(from + 32 + 2 * (two >> 4U))));
}

template <class V>
[[nodiscard]] VICINAL_INLINE V widen_bf16(tag::neon, const std::byte* p) noexcept {
    return V(vreinterpretq_f32_u32(vshlq_n_u32(vmovl_u16(load_4_u16(p)), 16)));
}

#if defined(VICINAL_AARCH64)

template <class V>
[[nodiscard]] VICINAL_INLINE V widen_f16(tag::neon64, const std::byte* p) noexcept {
    return V(vcvt_f32_f16(vreinterpret_f16_u16(load_4_u16(p))));
}

template <class V>
VICINAL_INLINE void store_rounded(tag::neon64, const V& v, std::int16_t* out) noexcept {
    vst1_s16(out, vmovn_s32(vcvtnq_s32_f32(v)));
}

#endif

#if defined(VICINAL_GNU)
template <class V>
VICINAL_INLINE void keep_in_register(tag::neon, V& v) noexcept {
    asm("" : "+w"(v.data));
}
#endif

template <class V>
VICINAL_INLINE void store_interleaved(tag::neon, const V& a, const V& b, float* out) noexcept {
    vst2q_f32(out, float32x4x2_t{{a, b}});
}

/// Writes the sums of the lanes of each of four vectors of integers.
VICINAL_INLINE void sum_integers_4(const int32x4_t* sums, std::int32_t* out) noexcept {
    uint32x4_t x[4];
    repeat<4>([&](std::size_t i) VICINAL_LAMBDA_INLINE { x[i] = vreinterpretq_u32_s32(sums[i]); });
    vst1q_s32(out, vreinterpretq_s32_u32(add_pairs(add_pairs(x[0], x[1]), add_pairs(x[2], x[3]))));
}

/// The first `count` <= 255 bytes of v stay, zeros stand behind them.
[[nodiscard]] VICINAL_INLINE uint8x16_t first_bytes(std::size_t count, uint8x16_t v) noexcept {
    static constexpr std::uint8_t number[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return vandq_u8(v, vcltq_u8(vld1q_u8(number), vdupq_n_u8(static_cast<std::uint8_t>(count))));
}

}  // namespace simd::per_isa

VICINAL_NAMESPACE_END

#endif
