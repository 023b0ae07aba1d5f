// SPDX-License-Identifier: MIT
// simd/integer_scan.hpp on NEON.
#pragma once

#include "vicinal/core/target.hpp"

#if defined(VICINAL_HAS_NEON)

#include <arm_neon.h>

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int8_t, int16_t, int32_t, uint64_t

#include "vicinal/simd/generic/integer_scan.hpp"
#include "vicinal/simd/neon/integer.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd::per_isa {

[[nodiscard]] constexpr bool scans_integers(tag::neon) noexcept { return true; }

template <unsigned Bits, integer_sum What>
struct integer_scan_group;

/// Adds up a group of a row's codes, 32 bytes.
template <integer_sum What>
struct integer_scan_group<8, What> {
    static constexpr std::size_t components = 32;
    static constexpr std::size_t step = What == integer_sum::weighted_difference ? 64 : 32;  ///< of a query's group

    [[nodiscard]] static VICINAL_INLINE int32x4_t add_to(int32x4_t sum, uint8x16_t first, uint8x16_t second,
                                                         const std::int16_t* q, int32x4_t places) noexcept {
        const uint8x16x2_t x = vuzpq_u8(first, second);  // the even ones, then the odd ones
        if constexpr (What == integer_sum::weighted_difference) {
            sum = add_weighted(sum, vget_low_u8(x.val[0]), vget_low_u8(x.val[1]), q, places);
            return add_weighted(sum, vget_high_u8(x.val[0]), vget_high_u8(x.val[1]), q + 8, places);
        } else {
            sum = add_share<What>(sum, vget_low_u8(x.val[0]), vld1q_s16(q));
            sum = add_share<What>(sum, vget_high_u8(x.val[0]), vld1q_s16(q + 8));
            sum = add_share<What>(sum, vget_low_u8(x.val[1]), vld1q_s16(q + 16));
            return add_share<What>(sum, vget_high_u8(x.val[1]), vld1q_s16(q + 24));
        }
    }
    /// Takes the `wanted` first codes of a group, whose integers are zeros behind those.
    [[nodiscard]] static VICINAL_INLINE int32x4_t add_some(int32x4_t sum, uint8x16_t first, uint8x16_t second,
                                                           std::size_t wanted, const std::int16_t* q,
                                                           int32x4_t places) noexcept {
        return add_to(sum, first_bytes(wanted, first), first_bytes(wanted < 16 ? 0 : wanted - 16, second), q, places);
    }

  private:
    /// Takes eight even codes and the odd ones beside them. Odd ones' weights are times 256.
    [[nodiscard]] static VICINAL_INLINE int32x4_t add_weighted(int32x4_t sum, uint8x8_t even, uint8x8_t odd,
                                                               const std::int16_t* q, int32x4_t places) noexcept {
        const int16x8_t y = weighted_offsets(even, vld1q_s16(q + 32), vld1q_s16(q));
        const int16x8_t z = weighted_offsets(odd, vshrq_n_s16(vld1q_s16(q + 48), 8), vld1q_s16(q + 16));
        const auto squares = [](int16x4_t a, int16x4_t b) VICINAL_LAMBDA_INLINE {
            return vreinterpretq_u32_s32(vmlal_s16(vmull_s16(a, a), b, b));
        };
        // Two pairs of squares are below 2^32.
        const uint32x4_t fours =
            add_pairs(squares(vget_low_s16(y), vget_low_s16(z)), squares(vget_high_s16(y), vget_high_s16(z)));
        return vaddq_s32(sum, vreinterpretq_s32_u32(vshlq_u32(fours, places)));
    }
};

template <integer_sum What>
struct integer_scan_group<4, What> {
    static constexpr std::size_t components = 64;
    static constexpr std::size_t step = 64;

    [[nodiscard]] static VICINAL_INLINE int32x4_t add_to(int32x4_t sum, uint8x16_t first, uint8x16_t second,
                                                         const std::int8_t* q, int32x4_t) noexcept {
        sum = add_pairs_of_nibbles<What>(sum, first, first, q);
        return add_pairs_of_nibbles<What>(sum, second, second, q + 16);
    }
    [[nodiscard]] static VICINAL_INLINE int32x4_t add_some(int32x4_t sum, uint8x16_t first, uint8x16_t second,
                                                           std::size_t wanted, const std::int8_t* q,
                                                           int32x4_t) noexcept {
        const std::size_t even = (wanted + 1) / 2;
        const std::size_t odd = wanted / 2;
        sum = add_pairs_of_nibbles<What>(sum, first_bytes(even, first), first_bytes(odd, first), q);
        return add_pairs_of_nibbles<What>(sum, first_bytes(even < 16 ? 0 : even - 16, second),
                                          first_bytes(odd < 16 ? 0 : odd - 16, second), q + 16);
    }
};

/// Adds up one row lane by lane, of which 32 bytes past the end are readable.
template <class Group, class Query, class Ask>
[[nodiscard]] VICINAL_INLINE int32x4_t add_up_row(const Query* q, const std::byte* row, std::size_t dim,
                                                  int32x4_t places, Ask ask) noexcept {
    int32x4_t sum = vdupq_n_s32(0);
    std::size_t i = 0;
    for (; i + Group::components <= dim; i += Group::components, row += 32, q += Group::step) {
        ask.next();
        sum = Group::add_to(sum, load_bytes(row), load_bytes(row + 16), q, places);
    }
    if (i < dim) ask.next();
    if (i < dim) sum = Group::add_some(sum, load_bytes(row), load_bytes(row + 16), dim - i, q, places);
    return sum;
}

template <unsigned Bits, integer_sum What>
VICINAL_INLINE void integer_scan_sums(tag::neon, const typename integer_scan_query<Bits>::type* query, std::size_t dim,
                                      unsigned shift, const std::byte* first, std::size_t stride, std::size_t count,
                                      scan_ahead ahead, std::int32_t* out) noexcept {
    const int32x4_t places = vdupq_n_s32(-static_cast<std::int32_t>(shift));
    const auto add_up = [&](const std::byte* row, auto ask) VICINAL_LAMBDA_INLINE {
        return add_up_row<integer_scan_group<Bits, What>>(query, row, dim, places, ask);
    };
    const auto sum = [](const int32x4_t* four, std::int32_t* to) VICINAL_LAMBDA_INLINE { sum_integers_4(four, to); };
    integer_sums_in_turn<int32x4_t>(first, stride, count, ahead, out, add_up, sum);
}

VICINAL_INLINE void byte_products(tag::neon, const std::int16_t* query, std::size_t dim, const std::byte* first,
                                  std::size_t stride, std::size_t count, scan_ahead ahead, std::int32_t* out) noexcept {
    integer_scan_sums<8, integer_sum::product>(tag::neon{}, query, dim, 0, first, stride, count, ahead, out);
}

template <unsigned Bits, integer_sum What>
[[nodiscard]] VICINAL_INLINE std::uint64_t integer_scan(tag::neon, const typename integer_scan_query<Bits>::type* query,
                                                        std::size_t dim, unsigned shift, const std::byte* first,
                                                        std::size_t stride, std::size_t count, std::int32_t limit,
                                                        scan_ahead ahead) noexcept {
    alignas(16) std::int32_t sums[integer_scan_rows] = {};
    integer_scan_sums<Bits, What>(tag::neon{}, query, dim, shift, first, stride, count, ahead, sums);
    const int32x4_t bound = vdupq_n_s32(limit);
    std::uint64_t out = 0;
    for (std::size_t r = 0; r < count; r += 4) {
        const int32x4_t four = vld1q_s32(sums + r);
        out |=
            std::uint64_t{bits_of_lanes(What == integer_sum::product ? vcgeq_s32(four, bound) : vcleq_s32(four, bound))}
            << r;
    }
    return bits_of_rows(out, count);
}

}  // namespace simd::per_isa

VICINAL_NAMESPACE_END

#endif
