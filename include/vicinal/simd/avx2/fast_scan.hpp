// SPDX-License-Identifier: MIT
// simd/fast_scan.hpp on AVX2: a table of 16 bytes fits each half of a register, and one instruction looks up 32
// entries.
#pragma once

#include "vicinal/core/target.hpp"

#if defined(VICINAL_HAS_AVX2)

#include <immintrin.h>

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int16_t, uint8_t

#include "vicinal/simd/avx2/intrinsics.hpp"
#include "vicinal/simd/avx2/row_factors.hpp"
#include "vicinal/simd/compat.hpp"
#include "vicinal/simd/generic/fast_scan.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd::per_isa {

[[nodiscard]] VICINAL_INLINE group_sizes sizes_of_groups(tag::avx2, const float* query, std::size_t dim) noexcept {
    using V = xsimd::batch<float, xsimd::avx2>;
    __m256 sums = _mm256_setzero_ps();
    __m256 tops = _mm256_setzero_ps();
    for (std::size_t at = 0; at < dim; at += 8) {
        const __m256 sizes = _mm256_andnot_ps(_mm256_set1_ps(-0.0F), _mm256_loadu_ps(query + at));
        const __m256 pairs = _mm256_hadd_ps(sizes, sizes);
        const __m256 fours = _mm256_hadd_ps(pairs, pairs);
        sums = _mm256_add_ps(sums, sizes);
        tops = _mm256_max_ps(tops, fours);
    }
    return {-sum_lanes(V(sums)), largest_lane(V(tops))};
}

/// Entries 4 high + j are of the signs of a and b that j chooses, and of those of c and d that high chooses.
VICINAL_INLINE void make_lookup_table(tag::avx2, const float* group, float scale, std::uint8_t* table) noexcept {
    const __m256 minus = _mm256_set1_ps(-0.0F);
    const __m256 x = _mm256_mul_ps(_mm256_broadcast_ps(reinterpret_cast<const __m128*>(group)), _mm256_set1_ps(scale));
    const __m256 a = _mm256_permute_ps(x, 0x00);
    const __m256 b = _mm256_permute_ps(x, 0x55);
    const __m256 c = _mm256_permute_ps(x, 0xAA);
    const __m256 d = _mm256_permute_ps(x, 0xFF);
    const __m256 sizes = _mm256_andnot_ps(minus, x);
    const __m256 pairs = _mm256_hadd_ps(sizes, sizes);
    const __m256 middle = _mm256_add_ps(_mm256_hadd_ps(pairs, pairs), _mm256_set1_ps(0.5F));
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

template <bool Differences>
[[nodiscard]] VICINAL_INLINE float plane_lookup(tag::avx2, const float* codebook, float x, float y, float* entries,
                                                float& most) noexcept {
    const __m256 point =
        _mm256_castpd_ps(_mm256_broadcastsd_pd(_mm_castps_pd(_mm_unpacklo_ps(_mm_set_ss(x), _mm_set_ss(y)))));
    __m256 eight[2];
    for (std::size_t i = 0; i < 2; ++i) {
        __m256 both[2];
        for (std::size_t j = 0; j < 2; ++j) {
            const __m256 c = _mm256_loadu_ps(codebook + 16 * i + 8 * j);
            const __m256 off = _mm256_sub_ps(c, point);
            both[j] =
                Differences ? _mm256_mul_ps(off, off) : _mm256_xor_ps(_mm256_mul_ps(c, point), _mm256_set1_ps(-0.0F));
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
        _mm256_storeu_ps(entries + 8 * i, eight[i]);
    }
    const __m256 largest =
        fold(eight[0], eight[1], [](__m256 a, __m256 b) VICINAL_LAMBDA_INLINE { return _mm256_max_ps(a, b); });
    most = larger(most, _mm256_cvtss_f32(largest));
    return _mm256_cvtss_f32(least);
}

VICINAL_INLINE void round_to_bytes(tag::avx2, const float* entries, std::size_t count, float scale, float half,
                                   unsigned highest, std::uint8_t* out) noexcept {
    const auto top = static_cast<float>(highest);
    std::size_t i = 0;
    const auto eight = [&](std::size_t at) VICINAL_LAMBDA_INLINE {
        const __m256 scaled =
            _mm256_add_ps(_mm256_mul_ps(_mm256_loadu_ps(entries + at), _mm256_set1_ps(scale)), _mm256_set1_ps(half));
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
    for (; i < count; ++i) out[i] = round_to_byte(entries[i], scale, half, top);
}

/// Adds to 32 lanes of bytes the entries that both halves of `groups` name in two tables.
[[nodiscard]] VICINAL_INLINE __m256i add_entries(__m256i bytes, __m256i groups, const std::uint8_t* tables) noexcept {
    const __m256i low_half = _mm256_set1_epi8(15);
    bytes = _mm256_add_epi8(bytes, lookup16(tables, _mm256_and_si256(groups, low_half)));
    return _mm256_add_epi8(bytes, lookup16(tables + 16, _mm256_and_si256(_mm256_srli_epi16(groups, 4), low_half)));
}

/// Holds the sums of 32 lanes in 16 bits.
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

/// Makes <query, signs> of eight sums of entries.
[[nodiscard]] VICINAL_INLINE __m256 products(__m256 sums, scan_scale scale) noexcept {
    return _mm256_add_ps(_mm256_mul_ps(sums, _mm256_set1_ps(scale.step)), _mm256_set1_ps(scale.low));
}

/// Makes 16 vectors of 16 bytes of each of 32 rows, one byte of each row, in the order from which sums of 16 bits widen
/// to floats in order. row(lane) says where a row's bytes are.
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

/// Adds up the entries of 32 rows. take(p, x) puts bytes p to p + 15 of their codes into x as transpose_32x16 does.
template <std::size_t Together, class Take>
VICINAL_INLINE void sum_columns(const Take& take, const std::uint8_t* tables, std::size_t pairs, scan_scale scale,
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
            take(p, x);
            const std::uint8_t* const table = tables + p * 32;
            for (std::size_t i = 0; i < 16; i += step) block.add(add(x + i, step, table + 32 * i));
        }
        if (p < end) {
            __m256i x[16];
            take(p, x);
            for (std::size_t i = 0; p + i < end; i += step_at_end)
                block.add(add(x + i, step_at_end, tables + (p + i) * 32));
        }
        block.widen_to(sums);
    }
    for (std::size_t i = 0; i < 4; ++i) _mm256_storeu_ps(out + 8 * i, products(sums[i], scale));
}

/// Calls use(take) with a `take` of sum_columns for `count` <= 32 rows.
template <class Use>
VICINAL_INLINE void with_transposed(const std::byte* first, std::size_t stride, std::size_t count,
                                    const Use& use) noexcept {
    if (count == scan_lanes) {
        const std::size_t by_8 = 8 * stride;
        const std::byte* const quarters[4] = {first, first + by_8, first + 2 * by_8, first + 3 * by_8};
        use([&](std::size_t p, __m256i* x) VICINAL_LAMBDA_INLINE {
            transpose_32x16([&](std::size_t lane)
                                VICINAL_LAMBDA_INLINE { return quarters[lane / 8] + (lane % 8 * stride + p); },
                            x);
        });
    } else {
        const std::byte* rows[scan_lanes];
        for (std::size_t r = 0; r < scan_lanes; ++r) rows[r] = first + (r < count ? r : count - 1) * stride;
        use([&](std::size_t p, __m256i* x) VICINAL_LAMBDA_INLINE {
            transpose_32x16([&](std::size_t lane) VICINAL_LAMBDA_INLINE { return rows[lane] + p; }, x);
        });
    }
}

template <std::size_t Together>
VICINAL_INLINE void scan_rows_32(tag::avx2, const std::byte* first, std::size_t stride, std::size_t count,
                                 const std::uint8_t* tables, std::size_t dim, scan_scale scale, float* out) noexcept {
    with_transposed(first, stride, count, [&](const auto& take) VICINAL_LAMBDA_INLINE {
        sum_columns<Together>(take, tables, dim / 8, scale, out);
    });
}

VICINAL_INLINE void make_columns_32(tag::avx2, const std::byte* first, std::size_t stride, std::size_t count,
                                    std::size_t bytes, std::uint8_t* columns) noexcept {
    with_transposed(first, stride, count, [&](const auto& take) VICINAL_LAMBDA_INLINE {
        for (std::size_t p = 0; p < bytes; p += 16) {
            __m256i x[16];
            take(p, x);
            for (std::size_t i = 0; i < 16; ++i)
                _mm256_store_si256(reinterpret_cast<__m256i*>(columns + 32 * (p + i)), x[i]);
        }
    });
}

template <std::size_t Together>
VICINAL_INLINE void scan_columns_32(tag::avx2, const std::uint8_t* columns, const std::uint8_t* tables, std::size_t dim,
                                    scan_scale scale, float* out) noexcept {
    const auto take = [&](std::size_t p, __m256i* x) VICINAL_LAMBDA_INLINE {
        for (std::size_t i = 0; i < 16; ++i)
            x[i] = _mm256_load_si256(reinterpret_cast<const __m256i*>(columns + 32 * (p + i)));
    };
    sum_columns<Together>(take, tables, dim / 8, scale, out);
}

template <bool Squares>
VICINAL_INLINE void factor_bounds(tag::avx2, const std::byte* factors, std::size_t stride, std::size_t count,
                                  const float* sums, const factor_terms& terms, float* out) noexcept {
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
}

}  // namespace simd::per_isa

VICINAL_NAMESPACE_END

#endif
