// SPDX-License-Identifier: MIT
// FastScan adds up what codes of 4 bits name in look-up tables that fit a register, for 32 rows at a time: inner
// products of one query with vectors of signs, or distances from codes of pq (Andre, Kermarrec, Le Scouarnec 2015).
#pragma once

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for uint8_t

#include "vicinal/simd/avx2/fast_scan.hpp"
#include "vicinal/simd/generic/fast_scan.hpp"
#include "vicinal/simd/intrinsics.hpp"
#include "vicinal/simd/neon/bounds.hpp"
#include "vicinal/simd/neon/fast_scan.hpp"
#include "vicinal/simd/sse2/bounds.hpp"
#include "vicinal/simd/ssse3/fast_scan.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

/// Makes the query's look-up tables: for each group of four components 16 entries, the sums of +-component rounded to
/// steps. The first argument here and below is an instruction set or its vector.
/// tables  4 dim bytes on a boundary of 16;  query  dim floats, dim a multiple of 8
template <class Isa>
VICINAL_INLINE scan_scale make_lookup_tables(const float* query, std::size_t dim, std::uint8_t* tables) noexcept {
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

/// Asks for rows ahead of those scanned by scan_rows_32, which reads many at once, as the hardware does not follow
/// that. It does so only for rows that no cache holds, where it doubles the speed of a scan.
class scan_ahead {
  public:
    /// beyond_caches  whether rows are more than caches hold
    explicit scan_ahead(bool beyond_caches) noexcept : beyond_caches_(beyond_caches) {}
    /// Asks for as many bytes as are scanned now, at `rows`, some way behind them.
    VICINAL_INLINE void ask(const std::byte* rows, std::size_t bytes) const noexcept {
        if (beyond_caches_) prefetch_lines(rows + distance, bytes, most_lines);
    }

  private:
    static constexpr std::size_t distance = 8192;
    static constexpr std::size_t most_lines = 256;
    bool beyond_caches_;
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
