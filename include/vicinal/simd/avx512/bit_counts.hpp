// SPDX-License-Identifier: MIT
// simd/bit_counts.hpp on AVX-512 with VPOPCNTDQ, which counts the bits of 64-bit words.
#pragma once

#include "vicinal/core/target.hpp"

#if defined(VICINAL_HAS_AVX512_V4) && defined(VICINAL_HAS_AVX512_VPOPCNTDQ)

#include <immintrin.h>

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for uint64_t

#include "vicinal/simd/compat.hpp"
#include "vicinal/simd/generic/bit_counts.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd::per_isa {

/// Adds up the eight words of each of four sums as four floats.
[[nodiscard]] VICINAL_INLINE __m128 sum_words_4(const __m512i* sums) noexcept {
    const __m512i two = _mm512_add_epi64(_mm512_unpacklo_epi64(sums[0], sums[1]),
                                         _mm512_unpackhi_epi64(sums[0], sums[1]));  // of rows 0 and 1 in turns
    const __m512i others =
        _mm512_add_epi64(_mm512_unpacklo_epi64(sums[2], sums[3]), _mm512_unpackhi_epi64(sums[2], sums[3]));
    // Sums are below 2^32, so that those of rows 2 and 3 find room in the upper halves.
    const __m512i four = _mm512_or_si512(two, _mm512_slli_epi64(others, 32));
    const __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(four), _mm512_extracti64x4_epi64(four, 1));
    const __m128i all = _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
    return _mm_cvtepi32_ps(_mm_shuffle_epi32(all, _MM_SHUFFLE(3, 1, 2, 0)));
}

template <bit_count What>
[[nodiscard]] VICINAL_INLINE __m512i set_bits_of_words(__m512i a, __m512i b) noexcept {
    return _mm512_popcnt_epi64(What == bit_count::differing ? _mm512_xor_si512(a, b) : _mm512_and_si512(a, b));
}

template <bit_count What, std::size_t Words>
VICINAL_INLINE void count_bits_4(tag::avx512vl, const std::byte* query, const std::byte* const* rows, std::size_t bytes,
                                 float* out) noexcept {
    if constexpr (Words == 2 || Words == 4) {  // adding up lanes would take longer
        count_bits_4<What, Words>(tag::generic{}, query, rows, bytes, out);
        return;
    }
    const __m512i zero = _mm512_setzero_si512();
    __m512i sums[4] = {zero, zero, zero, zero};
    const auto add = [&](std::size_t at, __mmask64 wanted) VICINAL_LAMBDA_INLINE {
        const __m512i a = _mm512_maskz_loadu_epi8(wanted, query + at);
        repeat<4>([&](std::size_t row) VICINAL_LAMBDA_INLINE {
            const __m512i b = _mm512_maskz_loadu_epi8(wanted, rows[row] + at);
            sums[row] = _mm512_add_epi64(sums[row], set_bits_of_words<What>(a, b));
        });
    };
    std::size_t at = 0;
    if constexpr (Words != 0) bytes = 8 * Words;
    for (; at + 64 <= bytes; at += 64) add(at, ~std::uint64_t{0});
    if (at < bytes) add(at, (std::uint64_t{1} << (bytes - at)) - 1);
    _mm_storeu_ps(out, sum_words_4(sums));
}

}  // namespace simd::per_isa

VICINAL_NAMESPACE_END

#endif
