// SPDX-License-Identifier: MIT
// simd/fast_scan.hpp on AArch64, which looks 16 bytes up in a register.
#pragma once

#include "vicinal/core/target.hpp"

#if defined(VICINAL_HAS_NEON) && defined(VICINAL_AARCH64)

#include <arm_neon.h>

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for uint8_t

#include "vicinal/simd/generic/scan_by_16.hpp"
#include "vicinal/simd/neon/intrinsics.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd::per_isa {

/// Holds what scan_rows_16 asks for.
struct neon_bytes {
    uint8x16_t v;

    [[nodiscard]] static VICINAL_INLINE neon_bytes load(const std::byte* p) noexcept { return {load_bytes(p)}; }
    VICINAL_INLINE void store(std::uint8_t* p) const noexcept { vst1q_u8(p, v); }
    static VICINAL_INLINE void interleave(neon_bytes a, neon_bytes b, neon_bytes& low, neon_bytes& high) noexcept {
        low.v = vzip1q_u8(a.v, b.v);
        high.v = vzip2q_u8(a.v, b.v);
    }
    [[nodiscard]] VICINAL_INLINE neon_bytes lower_halves() const noexcept { return {vandq_u8(v, vdupq_n_u8(15))}; }
    [[nodiscard]] VICINAL_INLINE neon_bytes upper_halves() const noexcept { return {vshrq_n_u8(v, 4)}; }
    [[nodiscard]] VICINAL_INLINE neon_bytes look_up(const std::uint8_t* table) const noexcept {
        return {vqtbl1q_u8(vld1q_u8(table), v)};
    }
    [[nodiscard]] VICINAL_INLINE neon_bytes plus(neon_bytes other) const noexcept { return {vaddq_u8(v, other.v)}; }

    struct sums {
        uint16x8_t part[2] = {vdupq_n_u16(0), vdupq_n_u16(0)};  ///< of even lanes, then of odd ones

        VICINAL_INLINE void add(neon_bytes bytes) noexcept {
            const uint16x8_t words = vreinterpretq_u16_u8(bytes.v);
            part[0] = vaddq_u16(part[0], vandq_u16(words, vdupq_n_u16(255)));
            part[1] = vsraq_n_u16(part[1], words, 8);
        }
        template <class V>
        VICINAL_INLINE void add_to(V* totals) const noexcept {
            for (std::size_t i = 0; i < 2; ++i) {
                totals[2 * i] = totals[2 * i] + V(vcvtq_f32_u32(vmovl_u16(vget_low_u16(part[i]))));
                totals[2 * i + 1] = totals[2 * i + 1] + V(vcvtq_f32_u32(vmovl_high_u16(part[i])));
            }
        }
    };
};

template <std::size_t Together>
VICINAL_INLINE void scan_rows_32(tag::neon64, const std::byte* first, std::size_t stride, std::size_t count,
                                 const std::uint8_t* tables, std::size_t dim, scan_scale scale, float* out) noexcept {
    using V = xsimd::batch<float, xsimd::neon64>;
    scan_rows_by_16<V, neon_bytes, Together>(first, stride, count, tables, dim, scale, out);
}

VICINAL_INLINE void make_columns_32(tag::neon64, const std::byte* first, std::size_t stride, std::size_t count,
                                    std::size_t bytes, std::uint8_t* columns) noexcept {
    make_columns_by_16<neon_bytes>(first, stride, count, bytes, columns);
}

template <std::size_t Together>
VICINAL_INLINE void scan_columns_32(tag::neon64, const std::uint8_t* columns, const std::uint8_t* tables,
                                    std::size_t dim, scan_scale scale, float* out) noexcept {
    using V = xsimd::batch<float, xsimd::neon64>;
    scan_columns_by_16<V, neon_bytes, Together>(columns, tables, dim, scale, out);
}

}  // namespace simd::per_isa

VICINAL_NAMESPACE_END

#endif
