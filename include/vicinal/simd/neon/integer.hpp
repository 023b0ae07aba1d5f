// SPDX-License-Identifier: MIT
// simd/integer.hpp on NEON, whose multiplications widen and add.
#pragma once

#include "vicinal/core/target.hpp"

#if defined(VICINAL_HAS_NEON)

#include <arm_neon.h>

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int8_t, int16_t, int32_t

#include "vicinal/simd/compat.hpp"
#include "vicinal/simd/generic/integer.hpp"
#include "vicinal/simd/neon/intrinsics.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd::per_isa {

/// Makes q - weight * x of eight codes; what it stands for is the square, which has no sign.
[[nodiscard]] VICINAL_INLINE int16x8_t weighted_offsets(uint8x8_t x, int16x8_t weight, int16x8_t q) noexcept {
    return vmlsq_s16(q, vreinterpretq_s16_u16(vmovl_u8(x)), weight);
}

VICINAL_INLINE void weighted_sums_of_bytes_4(tag::neon, const std::int16_t* q, const std::byte* const* rows,
                                             std::size_t dim, unsigned shift, std::int32_t* out) noexcept {
    uint32x4_t sums[4] = {vdupq_n_u32(0), vdupq_n_u32(0), vdupq_n_u32(0), vdupq_n_u32(0)};
    const int32x4_t places = vdupq_n_s32(-static_cast<std::int32_t>(shift));
    const auto share = [&](uint8x8_t x, const std::int16_t* at) VICINAL_LAMBDA_INLINE {
        const int16x8_t y = weighted_offsets(x, vld1q_s16(at + 16), vld1q_s16(at));
        const int32x4_t low = vmull_s16(vget_low_s16(y), vget_low_s16(y));
        const int32x4_t high = vmull_s16(vget_high_s16(y), vget_high_s16(y));
        return vshlq_u32(add_pairs(vreinterpretq_u32_s32(low), vreinterpretq_u32_s32(high)), places);
    };
    for (std::size_t i = 0; i < dim; i += 16, q += 32) {
        repeat<4>([&](std::size_t row) VICINAL_LAMBDA_INLINE {
            const uint8x16_t codes = load_bytes(rows[row] + i);
            sums[row] = vaddq_u32(sums[row], share(vget_low_u8(codes), q));
            sums[row] = vaddq_u32(sums[row], share(vget_high_u8(codes), q + 8));
        });
    }
    int32x4_t totals[4];
    repeat<4>([&](std::size_t row) VICINAL_LAMBDA_INLINE { totals[row] = vreinterpretq_s32_u32(sums[row]); });
    sum_integers_4(totals, out);
}

/// Adds up what eight codes and a query's integers give.
template <integer_sum What>
[[nodiscard]] VICINAL_INLINE int32x4_t add_share(int32x4_t sum, uint8x8_t x, int16x8_t q) noexcept {
    if constexpr (What == integer_sum::product) {
        const int16x8_t wide = vreinterpretq_s16_u16(vmovl_u8(x));
        sum = vmlal_s16(sum, vget_low_s16(wide), vget_low_s16(q));
        return vmlal_s16(sum, vget_high_s16(wide), vget_high_s16(q));
    } else {
        const int16x8_t y = vreinterpretq_s16_u16(vsubw_u8(vreinterpretq_u16_s16(q), x));
        sum = vmlal_s16(sum, vget_low_s16(y), vget_low_s16(y));
        return vmlal_s16(sum, vget_high_s16(y), vget_high_s16(y));
    }
}

template <integer_sum What>
VICINAL_INLINE void sums_of_bytes_4(tag::neon, const std::int16_t* q, const std::byte* const* rows, std::size_t dim,
                                    std::int32_t* out) noexcept {
    int32x4_t sums[4] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
    const auto add = [&](std::size_t i, std::size_t wanted) VICINAL_LAMBDA_INLINE {
        const int16x8_t low = vld1q_s16(q + i);
        const int16x8_t high = vld1q_s16(q + i + 8);
        repeat<4>([&](std::size_t row) VICINAL_LAMBDA_INLINE {
            uint8x16_t codes = load_bytes(rows[row] + i);
            if (wanted != 16) codes = first_bytes(wanted, codes);
            sums[row] = add_share<What>(sums[row], vget_low_u8(codes), low);
            sums[row] = add_share<What>(sums[row], vget_high_u8(codes), high);
        });
    };
    std::size_t i = 0;
    for (; i + 16 <= dim; i += 16) add(i, 16);
    if (i < dim) add(i, dim - i);
    sum_integers_4(sums, out);
}

/// Adds up what 16 codes of 4 bits and a query's integers give.
template <integer_sum What>
[[nodiscard]] VICINAL_INLINE int32x4_t add_nibbles(int32x4_t sum, uint8x16_t codes, const std::int8_t* q) noexcept {
    const int8x16_t x = vreinterpretq_s8_u8(codes);
    if constexpr (What == integer_sum::product) return add_products(sum, x, vld1q_s8(q));
    return add_products(sum, x, vsubq_s8(vshlq_n_s8(x, 2), vld1q_s8(q)));
}

/// Adds up what 16 bytes of codes of 4 bits give. Of the even components those of `evens` count, of the odd ones those
/// of `odds`; the query's are 32 bytes apart.
template <integer_sum What>
[[nodiscard]] VICINAL_INLINE int32x4_t add_pairs_of_nibbles(int32x4_t sum, uint8x16_t evens, uint8x16_t odds,
                                                            const std::int8_t* q) noexcept {
    sum = add_nibbles<What>(sum, vandq_u8(evens, vdupq_n_u8(15)), q);
    return add_nibbles<What>(sum, vshrq_n_u8(odds, 4), q + 32);
}

template <integer_sum What>
VICINAL_INLINE void sums_of_nibbles_4(tag::neon, const std::int8_t* q, const std::byte* const* rows, std::size_t dim,
                                      std::int32_t* out) noexcept {
    int32x4_t sums[4] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
    // Takes 16 bytes of each row, of which `even` and `odd` have an even and an odd component that counts.
    const auto add = [&](std::size_t i, std::size_t even, std::size_t odd) VICINAL_LAMBDA_INLINE {
        const std::int8_t* const at = q + i / 64 * 64 + i % 64 / 2;
        repeat<4>([&](std::size_t row) VICINAL_LAMBDA_INLINE {
            const uint8x16_t pairs = load_bytes(rows[row] + i / 2);
            const uint8x16_t evens = even != 16 ? first_bytes(even, pairs) : pairs;
            const uint8x16_t odds = odd != 16 ? first_bytes(odd, pairs) : pairs;
            sums[row] = add_pairs_of_nibbles<What>(sums[row], evens, odds, at);
        });
    };
    std::size_t i = 0;
    for (; i + 32 <= dim; i += 32) add(i, 16, 16);
    if (i < dim) add(i, (dim - i + 1) / 2, (dim - i) / 2);
    sum_integers_4(sums, out);
}

}  // namespace simd::per_isa

VICINAL_NAMESPACE_END

#endif
