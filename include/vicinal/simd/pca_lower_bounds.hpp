// Lower bounds of the distances of one query to 32 rows of codes, by the products of its codes and the rows' factors.
#pragma once

#include <cmath>    // for sqrt
#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int32_t

#include "vicinal/core/little_endian.hpp"
#include "vicinal/simd/intrinsics.hpp"
#include "vicinal/simd/row_factors.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

/// A row's factors is four floats: squares, rest, error, length. With p its product,
///     d = sqrt(max(0, base + squares - scale p - along rest)) - error
/// is a lower bound of its distance from the query. For inner products,
///     max(0, d - off)^2 - length
/// is a lower bound of -2 <q, x>, up to constants.
struct pca_bound_terms {
    float base = 0;
    float scale = 0;
    float along = 0;
    float off = 0;
};

/// d of each row, or where `Products` the other.
/// factors  `count` <= 32 factors, `stride` bytes apart;  products  32 integers, of which `count` are used
/// out    32 floats, of which `count` are set; -lowest where a factors is no number
template <class V, bool Products>
VICINAL_INLINE void pca_lower_bounds(const std::byte* factors, std::size_t stride, std::size_t count,
                                 const std::int32_t* products, const pca_bound_terms& terms, float lowest,
                                 float* out) noexcept {
#if defined(__AVX2__)
    if constexpr (is_256_bit<V>) {
        const __m256 zero = _mm256_setzero_ps();
        const row_factors all(factors, stride, count);
        for (std::size_t r = 0; r < count; r += 8) {
            const auto [squares, rest, error, length] = all[r].number;
            const __m256 product =
                _mm256_cvtepi32_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(products + r)));
            __m256 square = _mm256_add_ps(_mm256_set1_ps(terms.base), squares);
            square = _mm256_sub_ps(square, _mm256_mul_ps(_mm256_set1_ps(terms.scale), product));
            square = _mm256_sub_ps(square, _mm256_mul_ps(_mm256_set1_ps(terms.along), rest));
            __m256 d = _mm256_sub_ps(_mm256_sqrt_ps(_mm256_max_ps(square, zero)), error);
            if constexpr (Products) {
                const __m256 within = _mm256_max_ps(_mm256_sub_ps(d, _mm256_set1_ps(terms.off)), zero);
                d = _mm256_sub_ps(_mm256_mul_ps(within, within), length);
            }
            _mm256_storeu_ps(out + r, _mm256_max_ps(d, _mm256_set1_ps(lowest)));  // the second of what is no number
        }
        return;
    }
#endif
    for (std::size_t r = 0; r < count; ++r) {
        float row[4];
        for (std::size_t i = 0; i < 4; ++i) row[i] = vicinal::detail::load_le<float>(factors + r * stride + 4 * i);
        float square = terms.base + row[0];
        square = square - terms.scale * static_cast<float>(products[r]);
        square = square - terms.along * row[1];
        float d = (square > 0 ? std::sqrt(square) : 0.0F) - row[2];
        if constexpr (Products) {
            const float within = d - terms.off > 0 ? d - terms.off : 0.0F;
            d = within * within - row[3];
        }
        out[r] = d > lowest ? d : lowest;
    }
}

}  // namespace simd

VICINAL_NAMESPACE_END
