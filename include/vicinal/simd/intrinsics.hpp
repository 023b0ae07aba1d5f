// The escape hatch: the few instructions xsimd (8.1 to 14) has no name for, each behind a portable function. The only
// intrinsics of the library, with those of integer.hpp.
#pragma once

#include <bit>      // for bit_cast
#include <cstddef>  // for size_t
#include <cstdint>  // for int16_t, int32_t, uint8_t, uint16_t
#include <cstring>  // for memcpy

#include "vicinal/core/math.hpp"
#include "vicinal/simd/compat.hpp"

#if defined(__AVX2__) || defined(__AVX__) || defined(__F16C__)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>  // for _mm_cmpnlt_ps
#endif

VICINAL_NAMESPACE_BEGIN

namespace simd {

template <class V>
inline constexpr bool is_256_bit = sizeof(V) == 32;

/// The sums of the lanes of a, b, c, d, written to out[0..3]. Each sum is taken in the same order whatever its place.
template <class V>
VICINAL_INLINE void sum_lanes_4(const V& a, const V& b, const V& c, const V& d, float* out) noexcept {
#if defined(__AVX__)
    if constexpr (is_256_bit<V>) {
        const __m256 ab = _mm256_hadd_ps(a, b);
        const __m256 cd = _mm256_hadd_ps(c, d);
        const __m256 abcd = _mm256_hadd_ps(ab, cd);
        _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(abcd), _mm256_extractf128_ps(abcd, 1)));
        return;
    }
#endif
    out[0] = sum_lanes(a);
    out[1] = sum_lanes(b);
    out[2] = sum_lanes(c);
    out[3] = sum_lanes(d);
}

/// Bit i is set unless lane i of a is less than lane i of b; so it is where one is NaN.
template <class V>
[[nodiscard]] VICINAL_INLINE unsigned not_less_lanes(const V& a, const V& b) noexcept {
    if constexpr (is_float<V>) {
        return a < b ? 0U : 1U;
    } else {
#if defined(__AVX__)
        if constexpr (is_256_bit<V>) return static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_NLT_UQ)));
#endif
#if defined(__SSE2__)
        if constexpr (sizeof(V) == 16) return static_cast<unsigned>(_mm_movemask_ps(_mm_cmpnlt_ps(a, b)));
#endif
        alignas(64) float left[V::size];
        alignas(64) float right[V::size];
        a.store_aligned(left);
        b.store_aligned(right);
        unsigned bits = 0;
        for (std::size_t i = 0; i < V::size; ++i) bits |= (left[i] < right[i] ? 0U : 1U) << i;
        return bits;
    }
}

#if defined(__AVX__)
/// Components [i, i + 8) of eight vectors, component by component: the eight of component i + j go to out + j * stride.
VICINAL_INLINE void transpose_8x8(const float* const* vectors, std::size_t i, float* out, std::size_t stride) noexcept {
    __m256 pairs[8];
    for (std::size_t v = 0; v < 8; v += 2) {
        const __m256 even = _mm256_loadu_ps(vectors[v] + i);
        const __m256 odd = _mm256_loadu_ps(vectors[v + 1] + i);
        pairs[v] = _mm256_unpacklo_ps(even, odd);      // components 0 and 1, 4 and 5
        pairs[v + 1] = _mm256_unpackhi_ps(even, odd);  // components 2 and 3, 6 and 7
    }
    __m256 fours[8];  // component j of vectors 0 to 3, 4 to 7 in fours[j + 4]; the upper half is component j + 4
    for (std::size_t half = 0; half < 8; half += 4) {
        fours[half] = _mm256_shuffle_ps(pairs[half], pairs[half + 2], 0x44);
        fours[half + 1] = _mm256_shuffle_ps(pairs[half], pairs[half + 2], 0xEE);
        fours[half + 2] = _mm256_shuffle_ps(pairs[half + 1], pairs[half + 3], 0x44);
        fours[half + 3] = _mm256_shuffle_ps(pairs[half + 1], pairs[half + 3], 0xEE);
    }
    for (std::size_t j = 0; j < 4; ++j) {
        _mm256_storeu_ps(out + j * stride, _mm256_permute2f128_ps(fours[j], fours[j + 4], 0x20));
        _mm256_storeu_ps(out + (j + 4) * stride, _mm256_permute2f128_ps(fours[j], fours[j + 4], 0x31));
    }
}
#endif

namespace detail {

// Where there is no instruction, the lanes are converted one by one; compilers vectorise these loops well enough.
template <class V, class From, class Convert>
[[nodiscard]] VICINAL_INLINE V convert_lanes(const std::byte* p, Convert convert) noexcept {
    alignas(64) float values[V::size];
    for (std::size_t i = 0; i < V::size; ++i) {
        From x;
        std::memcpy(&x, p + i * sizeof(From), sizeof(From));
        values[i] = convert(x);
    }
    return V::load_aligned(values);
}

}  // namespace detail

/// Unsigned bytes at p, as floats.
template <class V>
[[nodiscard]] VICINAL_INLINE V widen_u8(const std::byte* p) noexcept {
    if constexpr (is_float<V>) {
        return static_cast<float>(std::to_integer<std::uint8_t>(*p));
    } else {
#if defined(__AVX2__)
        if constexpr (is_256_bit<V>) {
            const __m128i eight = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
            return V(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(eight)));
        }
#endif
        return detail::convert_lanes<V, std::uint8_t>(p, [](std::uint8_t x) { return static_cast<float>(x); });
    }
}

/// Components i, i + 1, ... of 4-bit codes, two to a byte, the lower half first. i is a multiple of V's lanes.
template <class V>
[[nodiscard]] VICINAL_INLINE V widen_u4(const std::byte* codes, std::size_t i) noexcept {
    const std::byte* const p = codes + i / 2;
    if constexpr (is_float<V>) {
        return static_cast<float>(std::to_integer<unsigned>(*p) >> (i % 2 * 4) & 15U);
    } else {
#if defined(__AVX2__)
        if constexpr (is_256_bit<V>) {
            int eight;
            std::memcpy(&eight, p, sizeof eight);
            const __m256i moved =
                _mm256_srlv_epi32(_mm256_set1_epi32(eight), _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28));
            return V(_mm256_cvtepi32_ps(_mm256_and_si256(moved, _mm256_set1_epi32(15))));
        }
#endif
        alignas(64) float values[V::size];
        for (std::size_t j = 0; j < V::size; ++j) values[j] = widen_u4<float>(p, j);
        return V::load_aligned(values);
    }
}

/// Components i, i + 1, ... of codes of 4 bits for each two components, the lower half of a byte first. `codebook` holds 16
/// pairs of floats for each two components, for as many as whole vectors have. i is a multiple of V's lanes.
template <class V>
[[nodiscard]] VICINAL_INLINE V look_up_pairs(const float* codebook, const std::byte* codes, std::size_t i) noexcept {
    const std::byte* const p = codes + i / 4;
    if constexpr (is_float<V>) {
        const std::size_t which = std::to_integer<std::size_t>(*p) >> (i / 2 % 2 * 4) & 15U;
        return codebook[i / 2 * 32 + 2 * which + i % 2];
    } else {
#if defined(__AVX__)
        if constexpr (is_256_bit<V>) {
            // Four loads are no slower than a gather.
            std::uint16_t four;
            std::memcpy(&four, p, sizeof four);
            const auto at = [from = codebook + i * 16](unsigned which) VICINAL_LAMBDA_INLINE { return from + 2 * which; };
            const auto two = [](const float* first, const float* second) VICINAL_LAMBDA_INLINE {
                const __m128i low = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(first));
                return _mm_loadh_pi(_mm_castsi128_ps(low), reinterpret_cast<const __m64*>(second));
            };
            const __m128 lower = two(at(four & 15U), at(16 + (four >> 4 & 15U)));
            const __m128 upper = two(at(32 + (four >> 8 & 15U)), at(48 + (four >> 12U)));
            return V(_mm256_insertf128_ps(_mm256_castps128_ps256(lower), upper, 1));
        }
#endif
        alignas(64) float values[V::size];
        for (std::size_t j = 0; j < V::size; ++j) values[j] = look_up_pairs<float>(codebook, codes, i + j);
        return V::load_aligned(values);
    }
}

/// IEEE binary16 values at p (any alignment), as floats.
template <class V>
[[nodiscard]] VICINAL_INLINE V widen_f16(const std::byte* p) noexcept {
    if constexpr (is_float<V>) {
        std::uint16_t half;
        std::memcpy(&half, p, sizeof half);
        return vicinal::detail::half_to_float(half);
    } else {
#if defined(__F16C__)
        if constexpr (is_256_bit<V>) return V(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
#endif
        return detail::convert_lanes<V, std::uint16_t>(
            p, [](std::uint16_t x) { return vicinal::detail::half_to_float(x); });
    }
}

/// bfloat16 values at p (any alignment), as floats.
template <class V>
[[nodiscard]] VICINAL_INLINE V widen_bf16(const std::byte* p) noexcept {
    if constexpr (is_float<V>) {
        std::uint16_t bfloat;
        std::memcpy(&bfloat, p, sizeof bfloat);
        return vicinal::detail::bfloat_to_float(bfloat);
    } else {
#if defined(__AVX2__)
        if constexpr (is_256_bit<V>) {
            const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
            return V(_mm256_castsi256_ps(_mm256_slli_epi32(wide, 16)));
        }
#endif
        return detail::convert_lanes<V, std::uint16_t>(
            p, [](std::uint16_t x) { return vicinal::detail::bfloat_to_float(x); });
    }
}

/// Stores v rounded to 16-bit integers, to which its lanes must fit.
template <class V>
VICINAL_INLINE void store_rounded(const V& v, std::int16_t* out) noexcept {
    if constexpr (is_float<V>) {
        *out = static_cast<std::int16_t>(static_cast<std::int32_t>(v + 32768.5F) - 32768);
    } else {
#if defined(__AVX2__)
        if constexpr (is_256_bit<V>) {
            const __m256i wide = _mm256_cvtps_epi32(v);
            const __m256i narrow = _mm256_permute4x64_epi64(_mm256_packs_epi32(wide, wide), 0xD8);
            _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm256_castsi256_si128(narrow));
            return;
        }
#endif
        alignas(64) float values[V::size];
        v.store_aligned(values);
        for (std::size_t i = 0; i < V::size; ++i) store_rounded<float>(values[i], out + i);
    }
}

/// Makes the compiler hold v in a register from here on, where it would rather read it again from memory.
template <class V>
VICINAL_INLINE void keep_in_register([[maybe_unused]] V& v) noexcept {
#if defined(__GNUC__) && defined(__SSE2__)
    if constexpr (is_float<V>)
        asm("" : "+x"(v));
    else if constexpr (sizeof(V) <= 32)
        asm("" : "+x"(v.data));
#endif
}

#if defined(__AVX2__)
/// Each byte of `indexes`, which are below 16, replaced by that entry of a table of 16 bytes. xsimd's swizzle of 32
/// bytes crosses lanes, which takes seven instructions instead of one.
[[nodiscard]] VICINAL_INLINE __m256i lookup16(const std::uint8_t* table, __m256i indexes) noexcept {
    const __m128i entries = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(entries), indexes);
}
#endif

/// Writes a[0], b[0], a[1], b[1], ... to out. (xsimd's zip of 256 bits interleaves each half alone in some releases.)
template <class V>
VICINAL_INLINE void store_interleaved(const V& a, const V& b, float* out) noexcept {
#if defined(__AVX__)
    if constexpr (is_256_bit<V>) {
        const __m256 low = _mm256_unpacklo_ps(a, b);
        const __m256 high = _mm256_unpackhi_ps(a, b);
        _mm256_storeu_ps(out, _mm256_permute2f128_ps(low, high, 0x20));
        _mm256_storeu_ps(out + 8, _mm256_permute2f128_ps(low, high, 0x31));
        return;
    }
#endif
    alignas(64) float first[V::size];
    alignas(64) float second[V::size];
    a.store_aligned(first);
    b.store_aligned(second);
    for (std::size_t i = 0; i < V::size; ++i) {
        out[2 * i] = first[i];
        out[2 * i + 1] = second[i];
    }
}

/// Asks for every cache line of [p, p + bytes), at most `max_lines`. Into the second-level cache: a request for the
/// first holds one of the few places there (16 to 24) until it is answered, and the next stalls; the second has two to
/// three times as many, and is near enough.
VICINAL_INLINE void prefetch_lines(const std::byte* p, std::size_t bytes, std::size_t max_lines = 16) noexcept {
#if defined(__GNUC__)
    const std::size_t lines = (bytes + 63) / 64 < max_lines ? (bytes + 63) / 64 : max_lines;
    for (std::size_t i = 0; i < lines; ++i) {
        __builtin_prefetch(p + 64 * i, 0, 2);
        // GCC 12 keeps only the first prefetch of a loop without something between them that it cannot reason about.
        asm volatile("" ::: "memory");
    }
#else
    (void)p, (void)bytes, (void)max_lines;
#endif
}

}  // namespace simd

VICINAL_NAMESPACE_END
