// Inner products of one query with 32 vectors of signs at a time, by tables that fit a register (FastScan: Andre,
// Kermarrec, Le Scouarnec 2015).
#pragma once

#include <cmath>    // for sqrt
#include <cstddef>  // for size_t, byte
#include <cstdint>  // for uint8_t, uint16_t, uint32_t

#include "vicinal/core/little_endian.hpp"
#include "vicinal/simd/intrinsics.hpp"
#include "vicinal/simd/row_factors.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

/// Vectors of signs are scanned this many at a time, `scan_group` signs by each look-up.
inline constexpr std::size_t scan_lanes = 32;
inline constexpr std::size_t scan_group = 4;
/// The largest table entry if `Together` of them, 8, 4 or 2, are to add up within a byte. Of finer tables fewer do:
/// sums then widen to 16 bits more often.
template <std::size_t Together>
inline constexpr unsigned highest_entry = 255 / Together;
/// That of tables of signs.
inline constexpr unsigned scan_highest = highest_entry<8>;
/// So many groups add up within 16 bits.
template <std::size_t Together>
inline constexpr std::size_t scan_block_of = 256 * Together;
inline constexpr std::size_t scan_block = scan_block_of<8>;

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

#if defined(__AVX2__)
namespace detail {

/// Entries of one group, the sums of +-component * scale from 0 to scan_highest, for make_tables.
VICINAL_INLINE void make_table(const float* group, float scale, std::uint8_t* table) noexcept {
    const __m256 minus = _mm256_set1_ps(-0.0F);
    const __m256 x = _mm256_mul_ps(_mm256_broadcast_ps(reinterpret_cast<const __m128*>(group)), _mm256_set1_ps(scale));
    const __m256 a = _mm256_permute_ps(x, 0x00);
    const __m256 b = _mm256_permute_ps(x, 0x55);
    const __m256 c = _mm256_permute_ps(x, 0xAA);
    const __m256 d = _mm256_permute_ps(x, 0xFF);
    const __m256 sizes = _mm256_andnot_ps(minus, x);
    const __m256 pairs = _mm256_hadd_ps(sizes, sizes);
    const __m256 middle = _mm256_add_ps(_mm256_hadd_ps(pairs, pairs), _mm256_set1_ps(0.5F));
    // Entries 4 high + j: j chooses the signs of a and b, high those of c and d.
    const __m256 of_ab =
        _mm256_add_ps(_mm256_xor_ps(a, _mm256_setr_ps(-0.0F, 0.0F, -0.0F, 0.0F, -0.0F, 0.0F, -0.0F, 0.0F)),
                      _mm256_xor_ps(b, _mm256_setr_ps(-0.0F, -0.0F, 0.0F, 0.0F, -0.0F, -0.0F, 0.0F, 0.0F)));
    const __m256 c_both = _mm256_blend_ps(_mm256_xor_ps(c, minus), c, 0xF0);
    const auto entries = [&](__m256 cd) VICINAL_LAMBDA_INLINE {
        return _mm256_cvttps_epi32(_mm256_add_ps(of_ab, _mm256_add_ps(middle, cd)));
    };
    const __m256i low = entries(_mm256_sub_ps(c_both, d));
    const __m256i high = entries(_mm256_add_ps(c_both, d));
    const __m256i words =
        _mm256_min_epi16(_mm256_packs_epi32(low, high), _mm256_set1_epi16(static_cast<std::int16_t>(scan_highest)));
    const __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    // 4 high + j came out as high 0, 2, 1, 3.
    _mm_storeu_si128(reinterpret_cast<__m128i*>(table), _mm_shuffle_epi32(bytes, 0xD8));
}

}  // namespace detail
#endif

/// The query's tables: for each group of four components 16 entries, the sums of +-component rounded to steps.
/// tables  4 dim bytes on a boundary of 16;  query  dim floats, dim a multiple of 8
template <class V>
VICINAL_INLINE scan_scale make_tables(const float* query, std::size_t dim, std::uint8_t* tables) noexcept {
    float low = 0;
    float widest = 0;
    std::size_t at = 0;
#if defined(__AVX2__)
    if constexpr (is_256_bit<V>) {
        __m256 sums = _mm256_setzero_ps();
        __m256 tops = _mm256_setzero_ps();
        for (; at < dim; at += 8) {
            const __m256 sizes = _mm256_andnot_ps(_mm256_set1_ps(-0.0F), _mm256_loadu_ps(query + at));
            const __m256 pairs = _mm256_hadd_ps(sizes, sizes);
            const __m256 fours = _mm256_hadd_ps(pairs, pairs);
            sums = _mm256_add_ps(sums, sizes);
            tops = _mm256_max_ps(tops, fours);
        }
        low = -sum_lanes(V(sums));
        widest = largest_lane(V(tops));
    }
#endif
    for (; at < dim; at += scan_group) {
        const float size =
            (absolute(query[at]) + absolute(query[at + 1])) + (absolute(query[at + 2]) + absolute(query[at + 3]));
        low -= size;
        widest = larger(widest, size);
    }
    const float step = 2.0F * widest / static_cast<float>(scan_highest);
    const float scale = step > 1e-30F ? 1.0F / step : 0.0F;
#if defined(__AVX2__)
    if constexpr (is_256_bit<V>) {
        for (std::size_t i = 0; i < dim; i += scan_group, tables += 16) detail::make_table(query + i, scale, tables);
        return {step, low};
    }
#endif
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

/// The shares of 16 points of the plane, `codebook`, in the squared distance from (x, y), or in minus the product with it,
/// less the least of them, which is returned.
/// shares  16 floats;  most  raised to the largest share
template <class V, bool Differences>
VICINAL_INLINE float plane_lookup(const float* codebook, float x, float y, float* shares, float& most) noexcept {
#if defined(__AVX2__)
    if constexpr (is_256_bit<V>) {
        const __m256 point =
            _mm256_castpd_ps(_mm256_broadcastsd_pd(_mm_castps_pd(_mm_unpacklo_ps(_mm_set_ss(x), _mm_set_ss(y)))));
        __m256 eight[2];
        for (std::size_t i = 0; i < 2; ++i) {
            __m256 both[2];
            for (std::size_t j = 0; j < 2; ++j) {
                const __m256 c = _mm256_loadu_ps(codebook + 16 * i + 8 * j);
                const __m256 off = _mm256_sub_ps(c, point);
                both[j] = Differences ? _mm256_mul_ps(off, off)
                                      : _mm256_xor_ps(_mm256_mul_ps(c, point), _mm256_set1_ps(-0.0F));
            }
            const __m256 sums = _mm256_hadd_ps(both[0], both[1]);
            eight[i] = _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(sums), 0xD8));
        }
        const auto fold = [](__m256 a, __m256 b, auto take) VICINAL_LAMBDA_INLINE {
            const __m256 one = take(a, b);
            const __m256 two = take(one, _mm256_permute2f128_ps(one, one, 1));
            const __m256 four = take(two, _mm256_permute_ps(two, 0x4E));
            return take(four, _mm256_permute_ps(four, 0xB1));
        };
        const __m256 least =
            fold(eight[0], eight[1], [](__m256 a, __m256 b) VICINAL_LAMBDA_INLINE { return _mm256_min_ps(a, b); });
        for (std::size_t i = 0; i < 2; ++i) {
            eight[i] = _mm256_sub_ps(eight[i], least);
            _mm256_storeu_ps(shares + 8 * i, eight[i]);
        }
        const __m256 largest =
            fold(eight[0], eight[1], [](__m256 a, __m256 b) VICINAL_LAMBDA_INLINE { return _mm256_max_ps(a, b); });
        most = larger(most, _mm256_cvtss_f32(largest));
        return _mm256_cvtss_f32(least);
    }
#endif
    for (std::size_t c = 0; c < 16; ++c) {
        const float a = Differences ? codebook[2 * c] - x : codebook[2 * c];
        const float b = Differences ? codebook[2 * c + 1] - y : codebook[2 * c + 1];
        shares[c] = Differences ? a * a + b * b : -(a * x + b * y);
    }
    float least = shares[0];
    for (std::size_t c = 1; c < 16; ++c) least = shares[c] < least ? shares[c] : least;
    for (std::size_t c = 0; c < 16; ++c) {
        shares[c] -= least;
        most = larger(most, shares[c]);
    }
    return least;
}

/// Table entries: `count` shares times `scale`, plus `half` and rounded down, at most `highest`. count is a multiple of
/// 16; no share is negative.
template <class V>
VICINAL_INLINE void round_to_bytes(const float* shares, std::size_t count, float scale, float half, unsigned highest,
                                   std::uint8_t* out) noexcept {
    const auto top = static_cast<float>(highest);
    std::size_t i = 0;
#if defined(__AVX2__)
    if constexpr (is_256_bit<V>) {
        const auto eight = [&](std::size_t at) VICINAL_LAMBDA_INLINE {
            const __m256 scaled =
                _mm256_add_ps(_mm256_mul_ps(_mm256_loadu_ps(shares + at), _mm256_set1_ps(scale)), _mm256_set1_ps(half));
            return _mm256_cvttps_epi32(_mm256_min_ps(scaled, _mm256_set1_ps(top)));
        };
        for (; i + 32 <= count; i += 32) {
            const __m256i low = _mm256_packs_epi32(eight(i), eight(i + 8));
            const __m256i high = _mm256_packs_epi32(eight(i + 16), eight(i + 24));
            // Each half of a vector was packed by itself: put their fours in order.
            const __m256i mixed = _mm256_packus_epi16(low, high);
            const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), _mm256_permutevar8x32_epi32(mixed, order));
        }
    }
#endif
    for (; i < count; ++i) {
        const float scaled = shares[i] * scale + half;
        out[i] = static_cast<std::uint8_t>(scaled < top ? scaled : top);
    }
}

#if defined(__AVX2__)
namespace detail {

/// Adds to 32 lanes of bytes the entries that both halves of `groups` name in two tables.
[[nodiscard]] VICINAL_INLINE __m256i add_entries(__m256i bytes, __m256i groups, const std::uint8_t* tables) noexcept {
    const __m256i low_half = _mm256_set1_epi8(15);
    bytes = _mm256_add_epi8(bytes, lookup16(tables, _mm256_and_si256(groups, low_half)));
    return _mm256_add_epi8(bytes, lookup16(tables + 16, _mm256_and_si256(_mm256_srli_epi16(groups, 4), low_half)));
}

/// Sums of 32 lanes in 16 bits.
struct lane_sums {
    __m256i even = _mm256_setzero_si256();
    __m256i odd = _mm256_setzero_si256();

    VICINAL_INLINE void add(__m256i bytes) noexcept {
        even = _mm256_add_epi16(even, _mm256_and_si256(bytes, _mm256_set1_epi16(255)));
        odd = _mm256_add_epi16(odd, _mm256_srli_epi16(bytes, 8));
    }
    /// Adds them to floats, in the lanes' order.
    VICINAL_INLINE void widen_to(__m256* sums) const noexcept {
        const __m128i eights[4] = {_mm256_castsi256_si128(even), _mm256_extracti128_si256(even, 1),
                                   _mm256_castsi256_si128(odd), _mm256_extracti128_si256(odd, 1)};
        for (std::size_t i = 0; i < 4; ++i)
            sums[i] = _mm256_add_ps(sums[i], _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(eights[i])));
    }
};

/// <query, signs> of eight sums of entries.
[[nodiscard]] VICINAL_INLINE __m256 products(__m256 sums, scan_scale scale) noexcept {
    return _mm256_add_ps(_mm256_mul_ps(sums, _mm256_set1_ps(scale.step)), _mm256_set1_ps(scale.low));
}

}  // namespace detail
#endif

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
            detail::lane_sums block;
            for (std::size_t p = first; p < end;) {
                __m256i bytes = _mm256_setzero_si256();
                const std::size_t stop = end - p < 4 ? end : p + 4;
                for (; p < stop; ++p)
                    bytes = detail::add_entries(
                        bytes, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes + p * scan_lanes)),
                        tables + p * 32);
                block.add(bytes);
            }
            block.widen_to(sums);
        }
        for (std::size_t i = 0; i < 4; ++i) {
            const __m256 product = detail::products(sums[i], scale);
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

#if defined(__AVX2__)
namespace detail {

/// 16 bytes of each of 32 rows, as 16 vectors of one byte of each, in the order of scan_place. row(lane) says where
/// one's bytes are.
template <class Row>
VICINAL_INLINE void transpose_32x16(const Row& row, __m256i* x) noexcept {
    const auto both = [&](std::size_t lane) VICINAL_LAMBDA_INLINE {
        const __m128i below = _mm_loadu_si128(reinterpret_cast<const __m128i*>(row(lane)));
        const __m128i above = _mm_loadu_si128(reinterpret_cast<const __m128i*>(row(lane + 8)));
        return _mm256_inserti128_si256(_mm256_castsi128_si256(below), above, 1);
    };
    __m256i y[16];
    // Four perfect shuffles transpose; the first is done as vectors are loaded, so that few wait in memory.
    for (std::size_t i = 0; i < 8; ++i) {
        const __m256i a = both(i / 2 + i % 2 * 16);
        const __m256i b = both(i / 2 + 4 + i % 2 * 16);
        y[2 * i] = _mm256_unpacklo_epi8(a, b);
        y[2 * i + 1] = _mm256_unpackhi_epi8(a, b);
    }
    const auto shuffle = [](const __m256i* from, __m256i* to) VICINAL_LAMBDA_INLINE {
        for (std::size_t i = 0; i < 8; ++i) {
            to[2 * i] = _mm256_unpacklo_epi8(from[i], from[i + 8]);
            to[2 * i + 1] = _mm256_unpackhi_epi8(from[i], from[i + 8]);
        }
    };
    shuffle(y, x);
    shuffle(x, y);
    shuffle(y, x);
}

/// scan_rows_32 where row(lane, p) says where byte p of a row's code is.
template <std::size_t Together, class Row>
VICINAL_INLINE void scan_transposed(const Row& row, const std::uint8_t* tables, std::size_t pairs, scan_scale scale,
                                    float* out) noexcept {
    constexpr std::size_t most = scan_block_of<Together> / 2;
    constexpr std::size_t step = Together / 2;  // bytes whose entries add up within a byte
    constexpr std::size_t step_at_end = step < 2 ? step : 2;
    __m256 sums[4] = {};
    for (std::size_t begin = 0; begin < pairs; begin += most) {
        const std::size_t end = pairs - begin < most ? pairs : begin + most;
        lane_sums block;
        const auto add = [](const __m256i* x, std::size_t count, const std::uint8_t* table) VICINAL_LAMBDA_INLINE {
            __m256i bytes = add_entries(_mm256_setzero_si256(), x[0], table);
            for (std::size_t i = 1; i < count; ++i) bytes = add_entries(bytes, x[i], table + 32 * i);
            return bytes;
        };
        std::size_t p = begin;
        for (; p + 16 <= end; p += 16) {
            __m256i x[16];
            transpose_32x16([&](std::size_t lane) VICINAL_LAMBDA_INLINE { return row(lane, p); }, x);
            const std::uint8_t* const table = tables + p * 32;
            for (std::size_t i = 0; i < 16; i += step) block.add(add(x + i, step, table + 32 * i));
        }
        if (p < end) {
            __m256i x[16];
            transpose_32x16([&](std::size_t lane) VICINAL_LAMBDA_INLINE { return row(lane, p); }, x);
            for (std::size_t i = 0; p + i < end; i += step_at_end)
                block.add(add(x + i, step_at_end, tables + (p + i) * 32));
        }
        block.widen_to(sums);
    }
    for (std::size_t i = 0; i < 4; ++i) _mm256_storeu_ps(out + 8 * i, products(sums[i], scale));
}

}  // namespace detail
#endif

/// Asks for rows ahead of those scanned by scan_rows_32, which reads many at once: the hardware does not follow that.
/// Only of rows that no cache holds, where it doubles the speed of a scan.
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

/// The same for `count` <= 32 rows whose signs lie row by row, `stride` bytes apart: bit j of byte i is that of
/// component 8 i + j, set where it is not negative. Or for codes of 4 bits of any meaning, each with a table of its own
/// and worth four of dim's components; entries are at most highest_entry<Together>. out[row] = step * sum + low. dim is
/// a multiple of 16, of 8 if Together is 2; 16 bytes past each row's code are readable.
template <class V, std::size_t Together = 8>
VICINAL_INLINE void scan_rows_32(const std::byte* first, std::size_t stride, std::size_t count,
                                 const std::uint8_t* tables, std::size_t dim, scan_scale scale, float* out) noexcept {
    const std::size_t pairs = dim / 8;
#if defined(__AVX2__)
    if constexpr (is_256_bit<V>) {
        if (count == scan_lanes) {
            const std::size_t by_8 = 8 * stride;
            const std::byte* const quarters[4] = {first, first + by_8, first + 2 * by_8, first + 3 * by_8};
            detail::scan_transposed<Together>(
                [&](std::size_t lane, std::size_t p)
                    VICINAL_LAMBDA_INLINE { return quarters[lane / 8] + (lane % 8 * stride + p); },
                tables, pairs, scale, out);
        } else {
            const std::byte* rows[scan_lanes];
            for (std::size_t r = 0; r < scan_lanes; ++r) rows[r] = first + (r < count ? r : count - 1) * stride;
            detail::scan_transposed<Together>([&](std::size_t lane, std::size_t p)
                                                  VICINAL_LAMBDA_INLINE { return rows[lane] + p; },
                                              tables, pairs, scale, out);
        }
        return;
    }
#endif
    for (std::size_t r = 0; r < scan_lanes; ++r) {
        const std::byte* const signs = first + (r < count ? r : count - 1) * stride;
        std::uint32_t total = 0;
        for (std::size_t p = 0; p < pairs; ++p) {
            const auto both = std::to_integer<unsigned>(signs[p]);
            total += std::uint32_t{tables[p * 32 + (both & 15U)]} + tables[p * 32 + 16 + (both >> 4U)];
        }
        out[r] = static_cast<float>(total) * scale.step + scale.low;
    }
}

/// A bound of a row with the factors (scale, factor, squares, cross), four floats, and the product `sum` of the query with
/// its signs:
///     base + squares - 2 factor sum - slack sqrt(width factor^2 - squares)   where `Squares`, else
///     base - cross   -   factor sum - slack sqrt(width factor^2 - squares)
struct factor_terms {
    float base = 0;
    float slack = 0;
    float width = 0;
};
/// factors  `count` <= 32 factors, `stride` bytes apart;  sums, out  32 floats, of which `count` are used
template <class V, bool Squares>
VICINAL_INLINE void factor_bounds(const std::byte* factors, std::size_t stride, std::size_t count, const float* sums,
                                const factor_terms& terms, float* out) noexcept {
#if defined(__AVX2__)
    if constexpr (is_256_bit<V>) {
        const __m256 base = _mm256_set1_ps(terms.base);
        const __m256 slack = _mm256_set1_ps(terms.slack);
        const __m256 width = _mm256_set1_ps(terms.width);
        const row_factors all(factors, stride, count);
        for (std::size_t r = 0; r < count; r += 8) {
            const auto [scale, factor, squares, cross] = all[r].number;
            const __m256 product = _mm256_mul_ps(factor, _mm256_loadu_ps(sums + r));
            const __m256 off = _mm256_sqrt_ps(_mm256_max_ps(
                _mm256_sub_ps(_mm256_mul_ps(width, _mm256_mul_ps(factor, factor)), squares), _mm256_setzero_ps()));
            const __m256 least = _mm256_sub_ps(base, _mm256_mul_ps(slack, off));
            __m256 value;
            if constexpr (Squares)
                value = _mm256_add_ps(least, _mm256_sub_ps(squares, _mm256_add_ps(product, product)));
            else
                value = _mm256_sub_ps(_mm256_sub_ps(least, cross), product);
            _mm256_storeu_ps(out + r, value);
        }
        return;
    }
#endif
    for (std::size_t r = 0; r < count; ++r) {
        float row[4];
        for (std::size_t i = 0; i < 4; ++i) row[i] = vicinal::detail::load_le<float>(factors + r * stride + 4 * i);
        const float spread = terms.width * (row[1] * row[1]) - row[2];
        const float least = terms.base - terms.slack * (spread > 0 ? std::sqrt(spread) : 0.0F);
        const float product = row[1] * sums[r];
        out[r] = Squares ? least + (row[2] - (product + product)) : (least - row[3]) - product;
    }
}

/// Bit i says whether values[i] is not above `limit`. NaN gives 1.
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
