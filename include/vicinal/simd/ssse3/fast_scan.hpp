// SPDX-License-Identifier: MIT
// simd/fast_scan.hpp on SSSE3, the first set of x86 that looks bytes up in a register.
#pragma once

#include "vicinal/core/target.hpp"

#if defined(VICINAL_HAS_SSSE3)

#include <tmmintrin.h>  // for _mm_shuffle_epi8

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for uint8_t

#include "vicinal/simd/generic/scan_by_16.hpp"
#include "vicinal/simd/sse2/intrinsics.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd::per_isa {

/// Holds what scan_rows_16 asks for.
struct ssse3_bytes {
    __m128i v;

    [[nodiscard]] static VICINAL_INLINE ssse3_bytes load(const std::byte* p) noexcept { return {load_128(p)}; }
    VICINAL_INLINE void store(std::uint8_t* p) const noexcept { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), v); }
    static VICINAL_INLINE void interleave(ssse3_bytes a, ssse3_bytes b, ssse3_bytes& low, ssse3_bytes& high) noexcept {
        low.v = _mm_unpacklo_epi8(a.v, b.v);
        high.v = _mm_unpackhi_epi8(a.v, b.v);
    }
    [[nodiscard]] VICINAL_INLINE ssse3_bytes lower_halves() const noexcept {
        return {_mm_and_si128(v, _mm_set1_epi8(15))};
    }
    [[nodiscard]] VICINAL_INLINE ssse3_bytes upper_halves() const noexcept {
        return {_mm_and_si128(_mm_srli_epi16(v, 4), _mm_set1_epi8(15))};
    }
    [[nodiscard]] VICINAL_INLINE ssse3_bytes look_up(const std::uint8_t* table) const noexcept {
        return {_mm_shuffle_epi8(load_128(table), v)};
    }
    [[nodiscard]] VICINAL_INLINE ssse3_bytes plus(ssse3_bytes other) const noexcept {
        return {_mm_add_epi8(v, other.v)};
    }

    struct sums {
        __m128i part[2] = {_mm_setzero_si128(), _mm_setzero_si128()};  ///< of even lanes, then of odd ones

        VICINAL_INLINE void add(ssse3_bytes bytes) noexcept {
            part[0] = _mm_add_epi16(part[0], _mm_and_si128(bytes.v, _mm_set1_epi16(255)));
            part[1] = _mm_add_epi16(part[1], _mm_srli_epi16(bytes.v, 8));
        }
        template <class V>
        VICINAL_INLINE void add_to(V* totals) const noexcept {
            const __m128i zero = _mm_setzero_si128();
            for (std::size_t i = 0; i < 2; ++i) {
                totals[2 * i] = totals[2 * i] + V(_mm_cvtepi32_ps(_mm_unpacklo_epi16(part[i], zero)));
                totals[2 * i + 1] = totals[2 * i + 1] + V(_mm_cvtepi32_ps(_mm_unpackhi_epi16(part[i], zero)));
            }
        }
    };
};

template <std::size_t Together>
VICINAL_INLINE void scan_rows_32(tag::ssse3, const std::byte* first, std::size_t stride, std::size_t count,
                                 const std::uint8_t* tables, std::size_t dim, scan_scale scale, float* out) noexcept {
    using V = xsimd::batch<float, xsimd::ssse3>;
    scan_rows_by_16<V, ssse3_bytes, Together>(first, stride, count, tables, dim, scale, out);
}

VICINAL_INLINE void make_columns_32(tag::ssse3, const std::byte* first, std::size_t stride, std::size_t count,
                                    std::size_t bytes, std::uint8_t* columns) noexcept {
    make_columns_by_16<ssse3_bytes>(first, stride, count, bytes, columns);
}

template <std::size_t Together>
VICINAL_INLINE void scan_columns_32(tag::ssse3, const std::uint8_t* columns, const std::uint8_t* tables,
                                    std::size_t dim, scan_scale scale, float* out) noexcept {
    using V = xsimd::batch<float, xsimd::ssse3>;
    scan_columns_by_16<V, ssse3_bytes, Together>(columns, tables, dim, scale, out);
}

}  // namespace simd::per_isa

VICINAL_NAMESPACE_END

#endif
