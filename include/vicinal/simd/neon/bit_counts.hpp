// SPDX-License-Identifier: MIT
// simd/bit_counts.hpp on NEON, which counts the bits of bytes.
#pragma once

#include "vicinal/core/target.hpp"

#if defined(VICINAL_HAS_NEON)

#include <arm_neon.h>

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for uint32_t

#include "vicinal/simd/generic/bit_counts.hpp"
#include "vicinal/simd/neon/intrinsics.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd::per_isa {

[[nodiscard]] VICINAL_INLINE uint32x4_t add_set_bits(uint32x4_t sum, uint8x16_t bytes) noexcept {
    return vpadalq_u16(sum, vpaddlq_u8(vcntq_u8(bytes)));
}
[[nodiscard]] VICINAL_INLINE std::uint32_t sum_quarters(uint32x4_t sums) noexcept {
    const uint64x2_t two = vpaddlq_u32(sums);
    return static_cast<std::uint32_t>(vgetq_lane_u64(two, 0) + vgetq_lane_u64(two, 1));
}

template <bit_count What, std::size_t Words>
VICINAL_INLINE void count_bits_4(tag::neon, const std::byte* query, const std::byte* const* rows, std::size_t bytes,
                                 float* out) noexcept {
    if constexpr (Words != 0) bytes = 8 * Words;
    for (std::size_t row = 0; row < 4; ++row) {
        uint32x4_t sums = vdupq_n_u32(0);
        std::size_t at = 0;
        for (; at + 16 <= bytes; at += 16) {
            const uint8x16_t a = load_bytes(query + at);
            const uint8x16_t b = load_bytes(rows[row] + at);
            sums = add_set_bits(sums, What == bit_count::differing ? veorq_u8(a, b) : vandq_u8(a, b));
        }
        out[row] =
            static_cast<float>(count_words<What, 0>(query + at, rows[row] + at, bytes - at) + sum_quarters(sums));
    }
}

}  // namespace simd::per_isa

VICINAL_NAMESPACE_END

#endif
