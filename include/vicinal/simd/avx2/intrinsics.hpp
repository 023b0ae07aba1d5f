// SPDX-License-Identifier: MIT
// simd/intrinsics.hpp for vectors of 256 bits, by instructions on integers that AVX2 brought.
#pragma once

#include "vicinal/core/target.hpp"

#if defined(VICINAL_HAS_AVX2)

#include <immintrin.h>

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int16_t, int32_t, uint8_t
#include <cstring>  // for memcpy

#include "vicinal/simd/isa.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd::per_isa {

template <class V>
[[nodiscard]] VICINAL_INLINE V widen_u8(tag::avx2, const std::byte* p) noexcept {
    const __m128i eight = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
    return V(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(eight)));
}

template <class V>
[[nodiscard]] VICINAL_INLINE V widen_u4(tag::avx2, const std::byte* codes, std::size_t i) noexcept {
    int eight;
    std::memcpy(&eight, codes + i / 2, sizeof eight);
    const __m256i moved = _mm256_srlv_epi32(_mm256_set1_epi32(eight), _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28));
    return V(_mm256_cvtepi32_ps(_mm256_and_si256(moved, _mm256_set1_epi32(15))));
}

template <class V>
[[nodiscard]] VICINAL_INLINE V widen_bf16(tag::avx2, const std::byte* p) noexcept {
    const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    return V(_mm256_castsi256_ps(_mm256_slli_epi32(wide, 16)));
}

template <class V>
VICINAL_INLINE void store_rounded(tag::avx2, const V& v, std::int16_t* out) noexcept {
    const __m256i wide = _mm256_cvtps_epi32(v);
    const __m256i narrow = _mm256_permute4x64_epi64(_mm256_packs_epi32(wide, wide), 0xD8);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm256_castsi256_si128(narrow));
}

/// Each byte of `indexes`, which are below 16, is replaced by that entry of a table of 16 bytes. xsimd's swizzle of 32
/// bytes crosses lanes, which takes seven instructions instead of one.
[[nodiscard]] VICINAL_INLINE __m256i lookup16(const std::uint8_t* table, __m256i indexes) noexcept {
    const __m128i entries = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(entries), indexes);
}

/// Writes the sums of the lanes of each of four vectors of integers.
VICINAL_INLINE void sum_integers_4(const __m256i* sums, std::int32_t* out) noexcept {
    const __m256i ab = _mm256_hadd_epi32(sums[0], sums[1]);
    const __m256i cd = _mm256_hadd_epi32(sums[2], sums[3]);
    const __m256i abcd = _mm256_hadd_epi32(ab, cd);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out),
                     _mm_add_epi32(_mm256_castsi256_si128(abcd), _mm256_extracti128_si256(abcd, 1)));
}

/// The first `count` < 32 bytes of v stay, zeros stand behind them.
[[nodiscard]] VICINAL_INLINE __m256i first_bytes(std::size_t count, __m256i v) noexcept {
    const __m256i number = _mm256_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
                                            21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31);
    return _mm256_and_si256(v, _mm256_cmpgt_epi8(_mm256_set1_epi8(static_cast<char>(count)), number));
}

[[nodiscard]] VICINAL_INLINE __m256i load_256(const void* p) noexcept {
    return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}

}  // namespace simd::per_isa

VICINAL_NAMESPACE_END

#endif
