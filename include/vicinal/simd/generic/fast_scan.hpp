// SPDX-License-Identifier: MIT
// simd/fast_scan.hpp in plain C++, and the words that all its files share: shapes of look-up tables, and what sums of
// their entries mean.
#pragma once

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int32_t, uint8_t, uint32_t

#include "vicinal/core/little_endian.hpp"
#include "vicinal/core/math.hpp"
#include "vicinal/simd/compat.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

/// Rows are scanned this many at a time, `scan_group` signs by each look-up.
inline constexpr std::size_t scan_lanes = 32;
inline constexpr std::size_t scan_group = 4;
/// A table entry is at most this if `Together` of them, 8, 4 or 2, are to add up within a byte. Of finer tables
/// fewer do, so sums widen to 16 bits more often.
template <std::size_t Together>
inline constexpr unsigned highest_entry = 255 / Together;
/// Entries of the look-up tables of signs are at most this.
inline constexpr unsigned scan_highest = highest_entry<8>;
/// So many groups add up within 16 bits.
template <std::size_t Together>
inline constexpr std::size_t scan_block_of = 256 * Together;

/// Codes of `bytes` bytes, by columns, have this many: whole 16.
[[nodiscard]] constexpr std::size_t column_count(std::size_t bytes) noexcept {
    return vicinal::detail::round_up(bytes, 16);
}

/// Says what a sum of table entries means: <query, signs> = step * sum + low.
struct scan_scale {
    float step = 0;
    float low = 0;
};

/// A bound of a row with the factors (scale, factor, squares, cross), four floats, and the product `sum` of the query
/// with its signs is
///     base + squares - 2 factor sum - slack sqrt(width factor^2 - squares)   where `Squares`, else
///     base - cross   -   factor sum - slack sqrt(width factor^2 - squares)
struct factor_terms {
    float base = 0;
    float slack = 0;
    float width = 0;
};

namespace per_isa {

/// A group is as wide as its components' sizes add up to: minus the sum of all groups' widths, and the widest.
struct group_sizes {
    float low = 0;
    float widest = 0;
};
[[nodiscard]] VICINAL_INLINE group_sizes sizes_of_groups(tag::generic, const float* query, std::size_t dim) noexcept {
    group_sizes out;
    for (std::size_t at = 0; at < dim; at += scan_group) {
        const float size =
            (absolute(query[at]) + absolute(query[at + 1])) + (absolute(query[at + 2]) + absolute(query[at + 3]));
        out.low -= size;
        out.widest = larger(out.widest, size);
    }
    return out;
}

/// Entries of one group are sums of +-component * scale, from 0 to scan_highest.
VICINAL_INLINE void make_lookup_table(tag::generic, const float* group, float scale, std::uint8_t* table) noexcept {
    const float a = group[0] * scale;
    const float b = group[1] * scale;
    const float c = group[2] * scale;
    const float d = group[3] * scale;
    // From 0 to scan_highest, and the half that rounds.
    const float middle = (absolute(a) + absolute(b)) + (absolute(c) + absolute(d)) + 0.5F;
    const float of_ab[4] = {-a - b, a - b, b - a, a + b};
    const float of_cd[4] = {middle - c - d, middle + c - d, middle + d - c, middle + c + d};
    for (std::size_t high = 0; high < 4; ++high)
        for (std::size_t j = 0; j < 4; ++j) {
            const float entry = of_ab[j] + of_cd[high];
            const auto whole = static_cast<std::int32_t>(entry);
            table[high * 4 + j] = static_cast<std::uint8_t>(
                whole < static_cast<std::int32_t>(scan_highest) ? whole : static_cast<std::int32_t>(scan_highest));
        }
}

template <bool Differences>
[[nodiscard]] VICINAL_INLINE float plane_lookup(tag::generic, const float* codebook, float x, float y, float* entries,
                                                float& most) noexcept {
    for (std::size_t c = 0; c < 16; ++c) {
        const float a = Differences ? codebook[2 * c] - x : codebook[2 * c];
        const float b = Differences ? codebook[2 * c + 1] - y : codebook[2 * c + 1];
        entries[c] = Differences ? a * a + b * b : -(a * x + b * y);
    }
    float least = entries[0];
    for (std::size_t c = 1; c < 16; ++c) least = entries[c] < least ? entries[c] : least;
    for (std::size_t c = 0; c < 16; ++c) {
        entries[c] -= least;
        most = larger(most, entries[c]);
    }
    return least;
}

[[nodiscard]] VICINAL_INLINE std::uint8_t round_to_byte(float entry, float scale, float half, float top) noexcept {
    const float scaled = entry * scale + half;
    return static_cast<std::uint8_t>(scaled < top ? scaled : top);
}
VICINAL_INLINE void round_to_bytes(tag::generic, const float* entries, std::size_t count, float scale, float half,
                                   unsigned highest, std::uint8_t* out) noexcept {
    const auto top = static_cast<float>(highest);
    for (std::size_t i = 0; i < count; ++i) out[i] = round_to_byte(entries[i], scale, half, top);
}

template <std::size_t Together>
VICINAL_INLINE void scan_rows_32(tag::generic, const std::byte* first, std::size_t stride, std::size_t count,
                                 const std::uint8_t* tables, std::size_t dim, scan_scale scale, float* out) noexcept {
    const std::size_t pairs = dim / 8;
    for (std::size_t r = 0; r < scan_lanes; ++r) {
        const std::byte* const signs = first + (r < count ? r : count - 1) * stride;
        std::uint32_t total = 0;
        for (std::size_t p = 0; p < pairs; ++p) {
            const auto both = static_cast<unsigned>(signs[p]);
            total += std::uint32_t{tables[p * 32 + (both & 15U)]} + tables[p * 32 + 16 + (both >> 4U)];
        }
        out[r] = static_cast<float>(total) * scale.step + scale.low;
    }
}

VICINAL_INLINE void make_columns_32(tag::generic, const std::byte* first, std::size_t stride, std::size_t count,
                                    std::size_t bytes, std::uint8_t* columns) noexcept {
    for (std::size_t p = 0; p < bytes; ++p)
        for (std::size_t r = 0; r < scan_lanes; ++r)
            columns[p * scan_lanes + r] = static_cast<std::uint8_t>(first[(r < count ? r : count - 1) * stride + p]);
}

template <std::size_t Together>
VICINAL_INLINE void scan_columns_32(tag::generic, const std::uint8_t* columns, const std::uint8_t* tables,
                                    std::size_t dim, scan_scale scale, float* out) noexcept {
    std::uint32_t totals[scan_lanes] = {};
    for (std::size_t p = 0; p < dim / 8; ++p, columns += scan_lanes, tables += 32)
        for (std::size_t r = 0; r < scan_lanes; ++r)
            totals[r] += std::uint32_t{tables[columns[r] & 15U]} + tables[16 + (columns[r] >> 4U)];
    for (std::size_t r = 0; r < scan_lanes; ++r) out[r] = static_cast<float>(totals[r]) * scale.step + scale.low;
}

template <bool Squares>
VICINAL_INLINE void factor_bounds(tag::generic, const std::byte* factors, std::size_t stride, std::size_t count,
                                  const float* sums, const factor_terms& terms, float* out) noexcept {
    for (std::size_t r = 0; r < count; ++r) {
        float row[4];
        for (std::size_t i = 0; i < 4; ++i) row[i] = vicinal::detail::load_le<float>(factors + r * stride + 4 * i);
        const float spread = terms.width * (row[1] * row[1]) - row[2];
        const float least = terms.base - terms.slack * (spread > 0 ? vicinal::detail::square_root(spread) : 0.0F);
        const float product = row[1] * sums[r];
        out[r] = Squares ? least + (row[2] - (product + product)) : (least - row[3]) - product;
    }
}

}  // namespace per_isa

}  // namespace simd

VICINAL_NAMESPACE_END
