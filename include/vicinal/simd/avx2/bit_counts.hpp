// SPDX-License-Identifier: MIT
// simd/bit_counts.hpp on AVX2: bits of half bytes are looked up (Mula, Kurz, Lemire 2016).
#pragma once

#include "vicinal/core/target.hpp"

#if defined(VICINAL_HAS_AVX2)

#include <immintrin.h>

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for uint32_t

#include "vicinal/simd/avx2/intrinsics.hpp"
#include "vicinal/simd/generic/bit_counts.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd::per_isa {

/// Counts the set bits of each byte.
[[nodiscard]] VICINAL_INLINE __m256i set_bits_of_bytes(__m256i bytes) noexcept {
    const __m256i of_half = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1,
                                             2, 2, 3, 2, 3, 3, 4);
    const __m256i halves = _mm256_set1_epi8(15);
    return _mm256_add_epi8(_mm256_shuffle_epi8(of_half, _mm256_and_si256(bytes, halves)),
                           _mm256_shuffle_epi8(of_half, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), halves)));
}

[[nodiscard]] VICINAL_INLINE std::uint32_t sum_quarters(__m256i sums) noexcept {
    const __m128i two = _mm_add_epi64(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    return static_cast<std::uint32_t>(_mm_cvtsi128_si32(_mm_add_epi64(two, _mm_unpackhi_epi64(two, two))));
}

template <bit_count What>
[[nodiscard]] VICINAL_INLINE std::uint32_t count_by_look_up(const std::byte* query, const std::byte* row,
                                                            std::size_t bytes) noexcept {
    const __m256i zero = _mm256_setzero_si256();
    __m256i sums = zero;
    std::size_t at = 0;
    for (; at + 32 <= bytes; at += 32) {
        const __m256i a = load_256(query + at);
        const __m256i b = load_256(row + at);
        const __m256i counted = What == bit_count::differing ? _mm256_xor_si256(a, b) : _mm256_and_si256(a, b);
        sums = _mm256_add_epi64(sums, _mm256_sad_epu8(set_bits_of_bytes(counted), zero));
    }
    return count_words<What, 0>(query + at, row + at, bytes - at) + sum_quarters(sums);
}

/// Codes of few words, which have a number of their own, are counted word by word: that takes no more instructions.
template <bit_count What, std::size_t Words>
VICINAL_INLINE void count_bits_4(tag::avx2, const std::byte* query, const std::byte* const* rows, std::size_t bytes,
                                 float* out) noexcept {
    repeat<4>([&](std::size_t row) VICINAL_LAMBDA_INLINE {
        if constexpr (Words != 0)
            out[row] = static_cast<float>(count_words<What, Words>(query, rows[row], bytes));
        else
            out[row] = static_cast<float>(count_by_look_up<What>(query, rows[row], bytes));
    });
}

}  // namespace simd::per_isa

VICINAL_NAMESPACE_END

#endif
