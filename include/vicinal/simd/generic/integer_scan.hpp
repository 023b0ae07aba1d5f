// SPDX-License-Identifier: MIT
// simd/integer_scan.hpp in plain C++, and the words that all its files share.
#pragma once

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int8_t, int16_t, int32_t, uint64_t

#include "vicinal/simd/generic/integer.hpp"
#include "vicinal/simd/scan_ahead.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

/// So many rows are looked at in one call, at most.
inline constexpr std::size_t integer_scan_rows = 64;

/// Describes the query of a scan of `Bits`-bit codes. A register takes `group` components, the even ones first. Of
/// weighted differences, each group's integers are followed by its weights in the same order, as integer_scan_weight
/// has them.
template <unsigned Bits>
struct integer_scan_query;
template <>
struct integer_scan_query<8> {
    using type = std::int16_t;
    static constexpr std::size_t group = 32;
};
template <>
struct integer_scan_query<4> {
    using type = std::int8_t;
    static constexpr std::size_t group = 64;
};
/// Says where component i of a group lies.
[[nodiscard]] constexpr std::size_t integer_scan_place(std::size_t i, std::size_t group) noexcept {
    return i % 2 * (group / 2) + i / 2;
}

/// Puts the weight of component i where a scan wants it: in the byte that meets the component's code, beside a zero for
/// the neighbour's. weight <= 64
[[nodiscard]] constexpr std::int16_t integer_scan_weight(std::size_t i, int weight) noexcept {
    return static_cast<std::int16_t>(i % 2 == 0 ? weight : weight * 256);
}

namespace per_isa {

/// Without instructions that multiply and add pairs of integers, a scan of integers would be slower than one of floats.
[[nodiscard]] constexpr bool scans_integers(tag::generic) noexcept { return false; }
template <unsigned Bits, integer_sum What>
std::uint64_t integer_scan(tag::generic, ...) = delete;

VICINAL_INLINE void byte_products(tag::generic, const std::int16_t* query, std::size_t dim, const std::byte* first,
                                  std::size_t stride, std::size_t count, scan_ahead, std::int32_t* out) noexcept {
    constexpr std::size_t group = integer_scan_query<8>::group;
    for (std::size_t r = 0; r < count; ++r) {
        out[r] = 0;
        for (std::size_t i = 0; i < dim; ++i)
            out[r] += query[i / group * group + integer_scan_place(i % group, group)] *
                      static_cast<std::int32_t>(first[r * stride + i]);
    }
}

/// So many bytes of a row are read by each step of the loops of integer scans, which ask for what lies ahead as often.
inline constexpr std::size_t integer_scan_step = 32;

/// Writes the sums of `count` rows, rounded up to a multiple of 4, to `out`. add_up(row, ask) gives those of a row lane
/// by lane, as a V, sum(four, out) adds up the lanes of four; the last row's stand for those that are missing.
template <class V, class AddUp, class Sum>
VICINAL_INLINE void integer_sums_in_turn(const std::byte* first, std::size_t stride, std::size_t count,
                                         scan_ahead ahead, std::int32_t* out, const AddUp& add_up,
                                         const Sum& sum) noexcept {
    ahead.go_along(count, [&](const auto& along) VICINAL_LAMBDA_INLINE {
        for (std::size_t r = 0; r < count; r += 4) {
            const std::size_t last = count - 1 - r;
            const std::byte* const at = first + r * stride;
            // One row after the other, by one loop: one ascending stream, as in kernels.hpp.
            V four[4];
            VICINAL_NO_UNROLL
            for (std::size_t i = 0; i < 4; ++i) {
                const std::byte* const row = at + (last < i ? last : i) * stride;
                four[i] = add_up(row, along(row, integer_scan_step));
            }
            sum(four, out + r);
        }
    });
}

/// Clears the bits of rows from `count` on, 1 <= count <= integer_scan_rows.
[[nodiscard]] VICINAL_INLINE std::uint64_t bits_of_rows(std::uint64_t bits, std::size_t count) noexcept {
    return count == integer_scan_rows ? bits : bits & ((std::uint64_t{1} << count) - 1);
}

}  // namespace per_isa

}  // namespace simd

VICINAL_NAMESPACE_END
