// SPDX-License-Identifier: MIT
// simd/intrinsics.hpp for vectors of 128 bits on x86.
#pragma once

#include "vicinal/core/target.hpp"

#if defined(VICINAL_HAS_SSE2)

#include <emmintrin.h>

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int16_t, int32_t, uint16_t, uint32_t
#include <cstring>  // for memcpy

#include "vicinal/simd/generic/intrinsics.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd::per_isa {

[[nodiscard]] VICINAL_INLINE __m128i load_128(const void* p) noexcept {
    return _mm_loadu_si128(static_cast<const __m128i*>(p));
}

/// Adds in xsimd's order, the first half to the second: the sums have the bits that `sum_lanes` gives.
template <class V>
VICINAL_INLINE void sum_lanes_4(tag::sse2, const V& a, const V& b, const V& c, const V& d, float* out) noexcept {
    const __m128 ab = _mm_add_ps(_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b));
    const __m128 cd = _mm_add_ps(_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d));
    _mm_storeu_ps(out, _mm_add_ps(_mm_movelh_ps(ab, cd), _mm_movehl_ps(cd, ab)));
}

template <class V>
[[nodiscard]] VICINAL_INLINE unsigned not_less_lanes(tag::sse2, const V& a, const V& b) noexcept {
    return static_cast<unsigned>(_mm_movemask_ps(_mm_cmpnlt_ps(a, b)));
}

[[nodiscard]] VICINAL_INLINE std::uint32_t not_above_32(tag::x86, const float* values, float limit) noexcept {
    std::uint32_t mask = 0;
    const __m128 most = _mm_set1_ps(limit);
    for (unsigned i = 0; i < 32; i += 4)
        mask |= static_cast<std::uint32_t>(_mm_movemask_ps(_mm_cmpngt_ps(_mm_loadu_ps(values + i), most))) << i;
    return mask;
}

/// Writes components [i, i + 4) of four vectors component by component: the four of component i + j go to
/// out + j * stride.
VICINAL_INLINE void transpose_4x4(const float* const* vectors, std::size_t i, float* out, std::size_t stride) noexcept {
    __m128 x[4];
    repeat<4>([&](std::size_t v) VICINAL_LAMBDA_INLINE { x[v] = _mm_loadu_ps(vectors[v] + i); });
    _MM_TRANSPOSE4_PS(x[0], x[1], x[2], x[3]);
    repeat<4>([&](std::size_t j) VICINAL_LAMBDA_INLINE { _mm_storeu_ps(out + j * stride, x[j]); });
}

VICINAL_INLINE std::size_t transpose_whole(tag::sse2, const float* const* vectors, std::size_t dim,
                                           float* out) noexcept {
    return transpose_squares<4, 8>(vectors, dim, out,
                                   [](auto... square) VICINAL_LAMBDA_INLINE { transpose_4x4(square...); });
}

template <class V>
[[nodiscard]] VICINAL_INLINE V widen_u8(tag::sse2, const std::byte* p) noexcept {
    std::int32_t four;
    std::memcpy(&four, p, sizeof four);
    const __m128i zero = _mm_setzero_si128();
    const __m128i words = _mm_unpacklo_epi8(_mm_cvtsi32_si128(four), zero);
    return V(_mm_cvtepi32_ps(_mm_unpacklo_epi16(words, zero)));
}

/// Each lane takes its half byte where it stands, times 1, 16, 256 or 4096, which a multiplication undoes exactly.
template <class V>
[[nodiscard]] VICINAL_INLINE V widen_u4(tag::sse2, const std::byte* codes, std::size_t i) noexcept {
    std::uint16_t four;
    std::memcpy(&four, codes + i / 2, sizeof four);
    const __m128i halves = _mm_and_si128(_mm_set1_epi32(four), _mm_setr_epi32(0xF, 0xF0, 0xF00, 0xF000));
    return V(_mm_mul_ps(_mm_cvtepi32_ps(halves), _mm_setr_ps(1.0F, 0x1p-4F, 0x1p-8F, 0x1p-12F)));
}

template <class V>
[[nodiscard]] VICINAL_INLINE V look_up_pairs(tag::sse2, const float* codebook, const std::byte* codes,
                                             std::size_t i) noexcept {
    const auto two = static_cast<unsigned>(codes[i / 4]);
    const float* const from = codebook + i * 16;
    const __m128i first = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from + 2 * (two & 15U)));
    return V(_mm_loadh_pi(_mm_castsi128_ps(first), reinterpret_cast<const __m64*>(from + 32 + 2 * (two >> 4U))));
}

/// Moves exponent and fraction to where binary32 has them and adds the difference of the biases. A subnormal number is
/// made a fraction of 2^-14 first, from which that power is subtracted: no step meets a subnormal float, which a
/// program may have switched off and which takes a hundred cycles.
template <class V>
[[nodiscard]] VICINAL_INLINE V widen_f16(tag::sse2, const std::byte* p) noexcept {
    const __m128i wide = _mm_unpacklo_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)), _mm_setzero_si128());
    const __m128i size = _mm_and_si128(wide, _mm_set1_epi32(0x7FFF));
    const __m128i subnormal = _mm_cmpgt_epi32(_mm_set1_epi32(0x400), size);
    const __m128i not_finite = _mm_cmpgt_epi32(size, _mm_set1_epi32(0x7BFF));
    const __m128i bias = _mm_sub_epi32(_mm_set1_epi32(112 << 23), _mm_slli_epi32(subnormal, 23));
    const __m128 moved = _mm_castsi128_ps(_mm_add_epi32(_mm_slli_epi32(size, 13), bias));
    const __m128 value = _mm_sub_ps(moved, _mm_and_ps(_mm_castsi128_ps(subnormal), _mm_set1_ps(0x1p-14F)));
    const __m128i sign = _mm_slli_epi32(_mm_xor_si128(wide, size), 16);
    const __m128i rest = _mm_or_si128(sign, _mm_and_si128(not_finite, _mm_set1_epi32(0x7F800000)));
    return V(_mm_or_ps(value, _mm_castsi128_ps(rest)));
}

template <class V>
[[nodiscard]] VICINAL_INLINE V widen_bf16(tag::sse2, const std::byte* p) noexcept {
    const __m128i four = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
    return V(_mm_castsi128_ps(_mm_unpacklo_epi16(_mm_setzero_si128(), four)));
}

template <class V>
VICINAL_INLINE void store_rounded(tag::sse2, const V& v, std::int16_t* out) noexcept {
    const __m128i wide = _mm_cvtps_epi32(v);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out), _mm_packs_epi32(wide, wide));
}

#if defined(VICINAL_GNU) && !defined(__wasm__)  // where these intrinsics exist, but no register has a name
template <class V>
VICINAL_INLINE void keep_in_register(tag::sse2, V& v) noexcept {
    asm("" : "+x"(v.data));
}
#endif

template <class V>
VICINAL_INLINE void store_interleaved(tag::sse2, const V& a, const V& b, float* out) noexcept {
    _mm_storeu_ps(out, _mm_unpacklo_ps(a, b));
    _mm_storeu_ps(out + 4, _mm_unpackhi_ps(a, b));
}

/// Writes the sums of the lanes of each of four vectors of integers.
VICINAL_INLINE void sum_integers_4(const __m128i* sums, std::int32_t* out) noexcept {
    const __m128i ab = _mm_add_epi32(_mm_unpacklo_epi32(sums[0], sums[1]), _mm_unpackhi_epi32(sums[0], sums[1]));
    const __m128i cd = _mm_add_epi32(_mm_unpacklo_epi32(sums[2], sums[3]), _mm_unpackhi_epi32(sums[2], sums[3]));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out),
                     _mm_add_epi32(_mm_unpacklo_epi64(ab, cd), _mm_unpackhi_epi64(ab, cd)));
}

/// The first `count` <= 127 bytes of v stay, zeros stand behind them.
[[nodiscard]] VICINAL_INLINE __m128i first_bytes(std::size_t count, __m128i v) noexcept {
    const __m128i number = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    return _mm_and_si128(v, _mm_cmpgt_epi8(_mm_set1_epi8(static_cast<char>(count)), number));
}

}  // namespace simd::per_isa

VICINAL_NAMESPACE_END

#endif
