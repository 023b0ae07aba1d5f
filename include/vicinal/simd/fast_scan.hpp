// Inner products of one query with 32 vectors of signs at a time, by tables that fit a register (FastScan: Andre,
// Kermarrec, Le Scouarnec 2015).
#pragma once

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for uint8_t, uint16_t, uint32_t

#include "vicinal/simd/intrinsics.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

/// Vectors of signs are scanned this many at a time, `scan_group` signs by each look-up.
inline constexpr std::size_t scan_lanes = 32;
inline constexpr std::size_t scan_group = 4;
/// The largest table entry: eight of them add up within a byte.
inline constexpr unsigned scan_highest = 31;
/// So many groups of signs add up within 16 bits.
inline constexpr std::size_t scan_block = 2048;

/// Bytes of 32 vectors of `dim` signs; dim is a multiple of 8.
[[nodiscard]] constexpr std::size_t scan_bytes(std::size_t dim) noexcept { return dim * scan_lanes / 8; }

/// Which of the 32 bytes holds lane `i`: the place from which sums of 16 bits widen to floats in order.
[[nodiscard]] constexpr std::size_t scan_place(std::size_t lane) noexcept {
    return (lane / 8 & 1U) * 16 + lane % 8 * 2 + lane / 16;
}

/// Sets the signs of one lane: bit i of 4 in group g is set where values[4 g + i] is not negative. Groups 2 g and 2 g +
/// 1 share the g-th 32 bytes, the first in the lower halves.
VICINAL_INLINE void set_signs(std::byte* codes, std::size_t lane, const float* values, std::size_t dim) noexcept {
    std::byte* at = codes + scan_place(lane);
    for (std::size_t i = 0; i < dim; i += 8, at += scan_lanes) {
        unsigned bits = 0;
        for (unsigned j = 0; j < 8; ++j) bits |= (values[i + j] >= 0.0F ? 1U : 0U) << j;
        *at = static_cast<std::byte>(bits);
    }
}
/// Copies the signs of one lane to another.
VICINAL_INLINE void copy_signs(const std::byte* from, std::size_t from_lane, std::byte* to, std::size_t to_lane,
                               std::size_t dim) noexcept {
    for (std::size_t i = 0; i < dim / 8; ++i)
        to[i * scan_lanes + scan_place(to_lane)] = from[i * scan_lanes + scan_place(from_lane)];
}

/// What table sums mean: <query, signs> = step * sum + low.
struct scan_scale {
    float step = 0;
    float low = 0;
};

/// The query's tables: for each group of four components 16 entries, the sums of +-component rounded to steps.
/// tables  4 dim bytes on a boundary of 16;  query  dim floats, dim a multiple of 8
template <class V>
VICINAL_INLINE scan_scale make_tables(const float* query, std::size_t dim, std::uint8_t* tables) noexcept {
    float low = 0;
    float widest = 0;
    for (std::size_t i = 0; i < dim; i += scan_group) {
        const float size =
            (absolute(query[i]) + absolute(query[i + 1])) + (absolute(query[i + 2]) + absolute(query[i + 3]));
        low -= size;
        widest = larger(widest, size);
    }
    const float step = 2.0F * widest / static_cast<float>(scan_highest);
    const float scale = step > 1e-30F ? 1.0F / step : 0.0F;
    for (std::size_t i = 0; i < dim; i += scan_group, tables += 16) {
        const float a = query[i] * scale;
        const float b = query[i + 1] * scale;
        const float c = query[i + 2] * scale;
        const float d = query[i + 3] * scale;
        // From 0 to scan_highest, and the half that rounds.
        const float middle = (absolute(a) + absolute(b)) + (absolute(c) + absolute(d)) + 0.5F;
        const float of_ab[4] = {-a - b, a - b, b - a, a + b};
        const float of_cd[4] = {middle - c - d, middle + c - d, middle + d - c, middle + c + d};
        for (std::size_t high = 0; high < 4; ++high)
            for (std::size_t j = 0; j < 4; ++j) {
                const float entry = of_ab[j] + of_cd[high];
                const auto whole = static_cast<std::int32_t>(entry);
                tables[high * 4 + j] = static_cast<std::uint8_t>(
                    whole < static_cast<std::int32_t>(scan_highest) ? whole : static_cast<std::int32_t>(scan_highest));
            }
    }
    return {step, low};
}

/// Adds up the entries that 32 lanes of codes name in the tables, and gives each lane's sum as
///     out[lane] = base + offsets[lane] + factors[lane] * (step * sum + low)
/// codes, tables, dim  as above
template <class V>
VICINAL_INLINE void scan_32(const std::byte* codes, const std::uint8_t* tables, std::size_t dim, scan_scale scale,
                            float base, const float* offsets, const float* factors, float* out) noexcept {
    const std::size_t pairs = dim / 8;
#if defined(__AVX2__)
    if constexpr (is_256_bit<V>) {
        const __m256i low_half = _mm256_set1_epi8(15);
        const __m256i low_byte = _mm256_set1_epi16(255);
        __m256 sums[4] = {};
        for (std::size_t first = 0; first < pairs; first += scan_block / 2) {
            const std::size_t end = pairs - first < scan_block / 2 ? pairs : first + scan_block / 2;
            __m256i even = _mm256_setzero_si256();
            __m256i odd = _mm256_setzero_si256();
            for (std::size_t p = first; p < end;) {
                __m256i bytes = _mm256_setzero_si256();
                const std::size_t stop = end - p < 4 ? end : p + 4;
                for (; p < stop; ++p) {
                    const __m256i both = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes + p * scan_lanes));
                    bytes = _mm256_add_epi8(bytes, lookup16(tables + p * 32, _mm256_and_si256(both, low_half)));
                    bytes = _mm256_add_epi8(
                        bytes, lookup16(tables + p * 32 + 16, _mm256_and_si256(_mm256_srli_epi16(both, 4), low_half)));
                }
                even = _mm256_add_epi16(even, _mm256_and_si256(bytes, low_byte));
                odd = _mm256_add_epi16(odd, _mm256_srli_epi16(bytes, 8));
            }
            const __m128i eights[4] = {_mm256_castsi256_si128(even), _mm256_extracti128_si256(even, 1),
                                       _mm256_castsi256_si128(odd), _mm256_extracti128_si256(odd, 1)};
            for (std::size_t i = 0; i < 4; ++i)
                sums[i] = _mm256_add_ps(sums[i], _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(eights[i])));
        }
        for (std::size_t i = 0; i < 4; ++i) {
            const __m256 product =
                _mm256_add_ps(_mm256_mul_ps(sums[i], _mm256_set1_ps(scale.step)), _mm256_set1_ps(scale.low));
            const __m256 rest = _mm256_add_ps(_mm256_set1_ps(base), _mm256_loadu_ps(offsets + 8 * i));
            _mm256_storeu_ps(out + 8 * i,
                             _mm256_add_ps(rest, _mm256_mul_ps(_mm256_loadu_ps(factors + 8 * i), product)));
        }
        return;
    }
#endif
    std::uint32_t totals[scan_lanes] = {};
    for (std::size_t p = 0; p < pairs; ++p)
        for (std::size_t lane = 0; lane < scan_lanes; ++lane) {
            const auto both = std::to_integer<unsigned>(codes[p * scan_lanes + scan_place(lane)]);
            totals[lane] += std::uint32_t{tables[p * 32 + (both & 15U)]} + tables[p * 32 + 16 + (both >> 4U)];
        }
    for (std::size_t lane = 0; lane < scan_lanes; ++lane)
        out[lane] =
            (base + offsets[lane]) + factors[lane] * (static_cast<float>(totals[lane]) * scale.step + scale.low);
}

/// Bit i says whether values[i] is not above `limit`; what is no number is not.
template <class V>
[[nodiscard]] VICINAL_INLINE std::uint32_t not_above_32(const float* values, float limit) noexcept {
    std::uint32_t mask = 0;
#if defined(__AVX__)
    if constexpr (is_256_bit<V>) {
        const __m256 most = _mm256_set1_ps(limit);
        for (unsigned i = 0; i < 4; ++i)
            mask |= static_cast<std::uint32_t>(
                        _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(values + 8 * i), most, _CMP_NGT_UQ)))
                    << (8 * i);
        return mask;
    }
#endif
    for (unsigned i = 0; i < scan_lanes; ++i) mask |= (values[i] > limit ? 0U : 1U) << i;
    return mask;
}

}  // namespace simd

VICINAL_NAMESPACE_END
