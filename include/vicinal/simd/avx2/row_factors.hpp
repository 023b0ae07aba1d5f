// SPDX-License-Identifier: MIT
// Row factors are four floats that stand before a row's code; here those of 32 rows become vectors, on AVX2.
#pragma once

#include "vicinal/core/target.hpp"

#if defined(VICINAL_HAS_AVX2)

#include <immintrin.h>

#include <cstddef>  // for size_t, byte

#include "vicinal/core/config.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd::per_isa {

/// Reads the factors of `count` <= 32 rows, `stride` bytes apart. In the last eight, the last row's stand for those
/// that are missing. It refers to the rows.
class row_factors {
  public:
    VICINAL_INLINE row_factors(const std::byte* factors, std::size_t stride, std::size_t count) noexcept
        : factors_(factors), stride_(stride) {
        if (count == rows) return;  // which must not cost a comparison for each row
        for (std::size_t r = 0; r < count || r % 8 != 0; ++r)
            _mm_store_ps(copies_ + 4 * r, load(factors + (r < count ? r : count - 1) * stride));
        factors_ = reinterpret_cast<const std::byte*>(copies_);
        stride_ = 4 * sizeof(float);
    }
    row_factors(const row_factors&) = delete;
    row_factors& operator=(const row_factors&) = delete;

    /// The factors of eight rows, the first factors first.
    struct eight {
        __m256 number[4];
    };
    /// Loads those of rows r to r + 7, r being a multiple of 8 below count.
    [[nodiscard]] VICINAL_INLINE eight operator[](std::size_t r) const noexcept {
        const std::byte* const at = factors_ + r * stride_;
        __m256 both[4];  // factors r + i and r + i + 4
        for (std::size_t i = 0; i < 4; ++i)
            both[i] =
                _mm256_insertf128_ps(_mm256_castps128_ps256(load(at + i * stride_)), load(at + (i + 4) * stride_), 1);
        const __m256 low01 = _mm256_unpacklo_ps(both[0], both[1]);
        const __m256 low23 = _mm256_unpacklo_ps(both[2], both[3]);
        const __m256 high01 = _mm256_unpackhi_ps(both[0], both[1]);
        const __m256 high23 = _mm256_unpackhi_ps(both[2], both[3]);
        return {{_mm256_shuffle_ps(low01, low23, 0x44), _mm256_shuffle_ps(low01, low23, 0xEE),
                 _mm256_shuffle_ps(high01, high23, 0x44), _mm256_shuffle_ps(high01, high23, 0xEE)}};
    }

  private:
    static constexpr std::size_t rows = 32;
    [[nodiscard]] static VICINAL_INLINE __m128 load(const std::byte* p) noexcept {
        return _mm_loadu_ps(reinterpret_cast<const float*>(p));
    }
    const std::byte* factors_;
    std::size_t stride_;
    alignas(16) float copies_[4 * rows];
};

}  // namespace simd::per_isa

VICINAL_NAMESPACE_END

#endif
