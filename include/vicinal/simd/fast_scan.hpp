// FastScan adds up what codes of 4 bits name in look-up tables that fit a register, for 32 rows at a time: inner
// products of one query with vectors of signs, or distances from codes of pq (Andre, Kermarrec, Le Scouarnec 2015).
#pragma once

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for uint8_t, uint32_t

#include "vicinal/simd/avx2/fast_scan.hpp"
#include "vicinal/simd/generic/fast_scan.hpp"
#include "vicinal/simd/intrinsics.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

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

/// Makes the query's look-up tables: for each group of four components 16 entries, the sums of +-component rounded to
/// steps. The first argument here and below is an instruction set or its vector.
/// tables  4 dim bytes on a boundary of 16;  query  dim floats, dim a multiple of 8
template <class Isa>
VICINAL_INLINE scan_scale make_tables(const float* query, std::size_t dim, std::uint8_t* tables) noexcept {
    constexpr tag_of<Isa> isa;
    const auto [low, widest] = per_isa::sizes_of_groups(isa, query, dim);
    const float step = 2.0F * widest / static_cast<float>(scan_highest);
    const float scale = step > 1e-30F ? 1.0F / step : 0.0F;
    for (std::size_t i = 0; i < dim; i += scan_group, tables += 16)
        per_isa::make_lookup_table(isa, query + i, scale, tables);
    return {step, low};
}

/// Looks up what each of 16 points of the plane, `codebook`, adds to the squared distance from (x, y), or to minus the
/// product with it. The least of these is returned, and entries are what the others have more.
/// entries  16 floats;  most  raised to the largest entry
template <class Isa, bool Differences>
[[nodiscard]] VICINAL_INLINE float plane_lookup(const float* codebook, float x, float y, float* entries,
                                                float& most) noexcept {
    return per_isa::plane_lookup<Differences>(tag_of<Isa>{}, codebook, x, y, entries, most);
}

/// Rounds `count` entries to those of a table of bytes: times `scale`, plus `half` and rounded down, at most `highest`.
/// count is a multiple of 16; no entry is negative.
template <class Isa>
VICINAL_INLINE void round_to_bytes(const float* entries, std::size_t count, float scale, float half, unsigned highest,
                                   std::uint8_t* out) noexcept {
    per_isa::round_to_bytes(tag_of<Isa>{}, entries, count, scale, half, highest, out);
}

template <class V>
inline constexpr bool is_256_bit = sizeof(V) == 32;

/// Adds up the entries that 32 lanes of codes name in the tables, and gives each lane's sum as
///     out[lane] = base + offsets[lane] + factors[lane] * (step * sum + low)
/// codes, tables, dim  as above
template <class V>
VICINAL_INLINE void scan_32(const std::byte* codes, const std::uint8_t* tables, std::size_t dim, scan_scale scale,
                            float base, const float* offsets, const float* factors, float* out) noexcept {
    const std::size_t pairs = dim / 8;
#if defined(__AVX2__)
    if constexpr (is_256_bit<V>) {
        __m256 sums[4] = {};
        for (std::size_t first = 0; first < pairs; first += scan_block / 2) {
            const std::size_t end = pairs - first < scan_block / 2 ? pairs : first + scan_block / 2;
            per_isa::lane_sums block;
            for (std::size_t p = first; p < end;) {
                __m256i bytes = _mm256_setzero_si256();
                const std::size_t stop = end - p < 4 ? end : p + 4;
                for (; p < stop; ++p)
                    bytes = per_isa::add_entries(
                        bytes, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes + p * scan_lanes)),
                        tables + p * 32);
                block.add(bytes);
            }
            block.widen_to(sums);
        }
        for (std::size_t i = 0; i < 4; ++i) {
            const __m256 product = per_isa::products(sums[i], scale);
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

/// Asks for rows ahead of those scanned by scan_rows_32, which reads many at once, as the hardware does not follow
/// that. It does so only for rows that no cache holds, where it doubles the speed of a scan.
class scan_ahead {
  public:
    /// far  whether rows are more than caches hold
    explicit scan_ahead(bool far) noexcept : far_(far) {}
    /// Asks for as many bytes as are scanned now, at `rows`, some way behind them.
    VICINAL_INLINE void ask(const std::byte* rows, std::size_t bytes) const noexcept {
        if (far_) prefetch_lines(rows + distance, bytes, most_lines);
    }

  private:
    static constexpr std::size_t distance = 8192;
    static constexpr std::size_t most_lines = 256;
    bool far_;
};

/// Adds up the entries that the codes of `count` <= 32 rows name in the look-up tables: out[row] = step * sum + low.
/// Codes lie row by row, `stride` bytes apart. They are signs, bit j of byte i that of component 8 i + j, set where it
/// is not negative; or codes of 4 bits of any meaning, each with a table of its own and worth four of dim's components.
/// Entries are at most highest_entry<Together>. dim is a multiple of 16, of 8 if Together is 2; 16 bytes past each
/// row's code are readable; out has room for 32.
template <class Isa, std::size_t Together = 8>
VICINAL_INLINE void scan_rows_32(const std::byte* first, std::size_t stride, std::size_t count,
                                 const std::uint8_t* tables, std::size_t dim, scan_scale scale, float* out) noexcept {
    per_isa::scan_rows_32<Together>(tag_of<Isa>{}, first, stride, count, tables, dim, scale, out);
}

/// Bounds rows' distances by their factors and the products of the query with their signs, as factor_terms says.
/// factors  `count` <= 32 factors, `stride` bytes apart;  sums, out  32 floats, of which `count` are used
template <class Isa, bool Squares>
VICINAL_INLINE void factor_bounds(const std::byte* factors, std::size_t stride, std::size_t count, const float* sums,
                                  const factor_terms& terms, float* out) noexcept {
    per_isa::factor_bounds<Squares>(tag_of<Isa>{}, factors, stride, count, sums, terms, out);
}

}  // namespace simd

VICINAL_NAMESPACE_END
