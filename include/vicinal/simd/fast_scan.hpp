// SPDX-License-Identifier: MIT
// FastScan adds up what codes of 4 bits name in look-up tables that fit a register, for 32 rows at a time: inner
// products of one query with vectors of signs, or distances from codes of pq (Andre, Kermarrec, Le Scouarnec 2015).
#pragma once

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for uint8_t, uint64_t

#include "vicinal/simd/avx2/fast_scan.hpp"
#include "vicinal/simd/generic/fast_scan.hpp"
#include "vicinal/simd/intrinsics.hpp"
#include "vicinal/simd/neon/bounds.hpp"
#include "vicinal/simd/neon/fast_scan.hpp"
#include "vicinal/simd/scan_ahead.hpp"
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

/// Adds up the entries of `count` <= 64 rows, `stride` bytes apart, as scan_rows_32 does, without scaling the sums.
/// `out` has 64 places for them. Bit i is set if row i's sum is at most `limit`.
template <class Isa, std::size_t Together>
[[nodiscard]] VICINAL_INLINE std::uint64_t table_sums(const std::byte* first, std::size_t stride, std::size_t count,
                                                      const std::uint8_t* tables, std::size_t dim, scan_ahead ahead,
                                                      float limit, float* out) noexcept {
    std::uint64_t close = 0;
    for (std::size_t r = 0; r < count; r += scan_lanes) {
        const std::size_t some = count - r < scan_lanes ? count - r : scan_lanes;
        const std::byte* const rows = first + r * stride;
        ahead.ask(rows, some * stride);
        scan_rows_32<Isa, Together>(rows, stride, some, tables, dim, {1.0F, 0.0F}, out + r);
        close |= std::uint64_t{not_above_32<Isa>(out + r, limit)} << r;
    }
    return close & ~std::uint64_t{0} >> (64 - count);
}

/// Turns the codes of any number of rows, `stride` bytes apart, into columns of bytes, 32 rows at a time, for scans by
/// many queries: a scan of rows spends half of its time on that. 16 bytes past each row's code are readable.
/// bytes    of a code
/// columns  32 column_count(bytes) bytes for each 32 rows, on a boundary of 32; how they lie is the instruction set's
template <class Isa>
VICINAL_INLINE void make_columns(const std::byte* first, std::size_t stride, std::size_t count, std::size_t bytes,
                                 std::uint8_t* columns) noexcept {
    for (std::size_t r = 0; r < count; r += scan_lanes, columns += scan_lanes * column_count(bytes))
        per_isa::make_columns_32(tag_of<Isa>{}, first + r * stride, stride,
                                 count - r < scan_lanes ? count - r : scan_lanes, bytes, columns);
}

/// Does what table_sums does, of rows that are columns now.
template <class Isa, std::size_t Together>
[[nodiscard]] VICINAL_INLINE std::uint64_t column_sums(const std::uint8_t* columns, std::size_t count,
                                                       const std::uint8_t* tables, std::size_t dim, float limit,
                                                       float* out) noexcept {
    std::uint64_t close = 0;
    for (std::size_t r = 0; r < count; r += scan_lanes, columns += scan_lanes * column_count(dim / 8)) {
        per_isa::scan_columns_32<Together>(tag_of<Isa>{}, columns, tables, dim, {1.0F, 0.0F}, out + r);
        close |= std::uint64_t{not_above_32<Isa>(out + r, limit)} << r;
    }
    return close & ~std::uint64_t{0} >> (64 - count);
}

/// Bounds rows' distances by their factors and the products of the query with their signs, as factor_terms says.
/// factors  `count` <= 32 factors, `stride` bytes apart;  sums, out  32 floats, of which `count` are used
template <class Isa, bool Squares>
VICINAL_INLINE void factor_bounds(const std::byte* factors, std::size_t stride, std::size_t count, const float* sums,
                                  const factor_terms& terms, float* out) noexcept {
    per_isa::factor_bounds<Squares>(tag_of<Isa>{}, factors, stride, count, sums, terms, out);
}

/// Where rows keep their signs, and what bounds are made of: the tables and scale of the query, and its terms.
struct sign_query {
    std::size_t factors_size = 0;  ///< the bytes before a row's signs
    const std::uint8_t* tables = nullptr;
    std::size_t width = 0;  ///< signs of a row
    scan_scale scale;
    factor_terms terms;
};

/// Bounds rows as sign_bounds says. sums_of(r, n, sums) writes the products with the signs of n <= 32 rows from r on.
template <class Isa, bool Squares, class Sums>
VICINAL_INLINE void bounds_by_sums(const std::byte* first, std::size_t stride, std::size_t count,
                                   const factor_terms& terms, float largest, float* out, const Sums& sums_of) noexcept {
    for (std::size_t r = 0; r < count; r += scan_lanes) {
        const std::size_t n = count - r < scan_lanes ? count - r : scan_lanes;
        alignas(32) float sums[scan_lanes];
        alignas(32) float bounds[scan_lanes];
        sums_of(r, n, sums);
        factor_bounds<Isa, Squares>(first + r * stride, stride, n, sums, terms, bounds);
        for (std::size_t i = 0; i < scan_lanes; ++i)
            out[r + i] = bounds[i] >= -largest ? (bounds[i] <= largest ? bounds[i] : largest) : -largest;
    }
}

/// Bounds any number of rows, `stride` bytes apart, by their signs and factors, into out, which has places for whole
/// 32. Bounds are from -largest to largest; what is no number, of a damaged mapped file, becomes -largest.
template <class Isa, bool Squares>
VICINAL_INLINE void sign_bounds(const std::byte* first, std::size_t stride, std::size_t count, const sign_query& query,
                                scan_ahead ahead, float largest, float* out) noexcept {
    const sign_query by = query;  // out cannot overlap a local
    bounds_by_sums<Isa, Squares>(first, stride, count, by.terms, largest, out,
                                 [&](std::size_t r, std::size_t n, float* sums) VICINAL_LAMBDA_INLINE {
                                     const std::byte* const rows = first + r * stride;
                                     ahead.ask(rows, n * stride);
                                     scan_rows_32<Isa>(rows + by.factors_size, stride, n, by.tables, by.width, by.scale,
                                                       sums);
                                 });
}

/// Does what sign_bounds does, of rows whose signs are columns now.
template <class Isa, bool Squares>
VICINAL_INLINE void column_bounds(const std::uint8_t* columns, const std::byte* first, std::size_t stride,
                                  std::size_t count, const sign_query& query, float largest, float* out) noexcept {
    const sign_query by = query;
    const std::size_t of_a_row = column_count(by.width / 8);
    bounds_by_sums<Isa, Squares>(first, stride, count, by.terms, largest, out,
                                 [&](std::size_t r, std::size_t, float* sums) VICINAL_LAMBDA_INLINE {
                                     per_isa::scan_columns_32<8>(tag_of<Isa>{}, columns + r * of_a_row, by.tables,
                                                                 by.width, by.scale, sums);
                                 });
}

}  // namespace simd

VICINAL_NAMESPACE_END
