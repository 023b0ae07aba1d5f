// The escape hatch: the few instructions xsimd (8.1 to 14) has no name for, each behind a portable function. The only
// intrinsics of the library.
#pragma once

#include <bit>      // for bit_cast
#include <cstddef>  // for size_t
#include <cstdint>  // for int16_t, int32_t, uint8_t, uint16_t
#include <cstring>  // for memcpy

#include "vicinal/core/math.hpp"
#include "vicinal/simd/compat.hpp"

#if defined(__AVX2__) || defined(__AVX__) || defined(__F16C__)
#include <immintrin.h>
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
            long long eight;
            std::memcpy(&eight, p, sizeof eight);
            return V(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_cvtsi64_si128(eight))));
        }
#endif
        return detail::convert_lanes<V, std::uint8_t>(p, [](std::uint8_t x) { return static_cast<float>(x); });
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

/// What integer_sums adds up over components, for 8-bit codes x and a query q in 16-bit integers.
enum class integer_sum : bool { product, squared_difference };

/// How many components 32-bit sums hold for sure: 8192 * max((255 + 255)^2, 2^17) < 2^31.
inline constexpr std::size_t integer_block = 8192;

/// Sums over `dim` <= integer_block components for four rows of 8-bit codes at once. q[i] is from -255 to 510 for
/// squared differences, and such that no sum of products leaves 32 bits. q is zero, and readable, up to the next
/// multiple of 16; rows are readable there.
template <class V, integer_sum What>
VICINAL_INLINE void integer_sums_4(const std::int16_t* q, const std::byte* const* rows, std::size_t dim,
                                   std::int32_t* out) noexcept {
#if defined(__AVX2__)
    if constexpr (is_256_bit<V>) {
        __m256i sum[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(),
                          _mm256_setzero_si256()};
        const auto step = [&](std::size_t i, std::size_t row, __m256i components, __m256i mask) VICINAL_LAMBDA_INLINE {
            const __m128i codes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[row] + i));
            __m256i x = _mm256_and_si256(_mm256_cvtepu8_epi16(codes), mask);
            if constexpr (What == integer_sum::squared_difference) {
                x = _mm256_sub_epi16(x, components);
                components = x;
            }
            sum[row] = _mm256_add_epi32(sum[row], _mm256_madd_epi16(x, components));
        };
        const __m256i all = _mm256_set1_epi16(-1);
        std::size_t i = 0;
        for (; i + 16 <= dim; i += 16) {
            const __m256i components = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(q + i));
            step(i, 0, components, all);
            step(i, 1, components, all);
            step(i, 2, components, all);
            step(i, 3, components, all);
        }
        if (i < dim) {
            const __m256i components = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(q + i));
            const __m256i number = _mm256_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
            const __m256i rest = _mm256_cmpgt_epi16(_mm256_set1_epi16(static_cast<short>(dim - i)), number);
            step(i, 0, components, rest);
            step(i, 1, components, rest);
            step(i, 2, components, rest);
            step(i, 3, components, rest);
        }
        const __m256i ab = _mm256_hadd_epi32(sum[0], sum[1]);
        const __m256i cd = _mm256_hadd_epi32(sum[2], sum[3]);
        const __m256i abcd = _mm256_hadd_epi32(ab, cd);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out),
                         _mm_add_epi32(_mm256_castsi256_si128(abcd), _mm256_extracti128_si256(abcd, 1)));
        return;
    }
#endif
    for (std::size_t row = 0; row < 4; ++row) {
        std::int32_t sum = 0;
        for (std::size_t i = 0; i < dim; ++i) {
            const auto x = static_cast<std::int32_t>(std::to_integer<std::uint8_t>(rows[row][i]));
            const std::int32_t difference = x - q[i];
            sum += What == integer_sum::squared_difference ? difference * difference : x * q[i];
        }
        out[row] = sum;
    }
}

/// Asks for every cache line of [p, p + bytes), at most `max_lines`.
VICINAL_INLINE void prefetch_lines(const std::byte* p, std::size_t bytes, std::size_t max_lines = 16) noexcept {
#if defined(__GNUC__)
    const std::size_t lines = (bytes + 63) / 64 < max_lines ? (bytes + 63) / 64 : max_lines;
    for (std::size_t i = 0; i < lines; ++i) {
        __builtin_prefetch(p + 64 * i);
        // GCC 12 keeps only the first prefetch of a loop without something between them that it cannot reason about.
        asm volatile("" ::: "memory");
    }
#else
    (void)p, (void)bytes, (void)max_lines;
#endif
}

}  // namespace simd

VICINAL_NAMESPACE_END
