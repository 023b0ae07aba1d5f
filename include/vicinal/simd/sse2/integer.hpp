// SPDX-License-Identifier: MIT
// simd/integer.hpp on SSE2, whose one instruction for it multiplies signed integers of 16 bits and adds two products.
#pragma once

#include "vicinal/core/target.hpp"

#if defined(VICINAL_HAS_SSE2)

#include <emmintrin.h>

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int8_t, int16_t, int32_t

#include "vicinal/simd/compat.hpp"
#include "vicinal/simd/generic/integer.hpp"
#include "vicinal/simd/sse2/intrinsics.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd::per_isa {

VICINAL_INLINE void weighted_sums_of_bytes_4(tag::x86, const std::int16_t* q, const std::byte* const* rows,
                                             std::size_t dim, unsigned shift, std::int32_t* out) noexcept {
    __m128i sums[4] = {};
    const __m128i zero = _mm_setzero_si128();
    const __m128i places = _mm_cvtsi32_si128(static_cast<int>(shift));
    for (std::size_t i = 0; i < dim; i += 16, q += 32) {
        const auto share = [&](__m128i x, const std::int16_t* at) VICINAL_LAMBDA_INLINE {
            const __m128i y = _mm_sub_epi16(_mm_mullo_epi16(x, load_128(at + 16)), load_128(at));
            return _mm_srl_epi32(_mm_madd_epi16(y, y), places);
        };
        repeat<4>([&](std::size_t row) VICINAL_LAMBDA_INLINE {
            const __m128i codes = load_128(rows[row] + i);
            sums[row] = _mm_add_epi32(sums[row], share(_mm_unpacklo_epi8(codes, zero), q));
            sums[row] = _mm_add_epi32(sums[row], share(_mm_unpackhi_epi8(codes, zero), q + 8));
        });
    }
    sum_integers_4(sums, out);
}

/// Adds up what eight codes of 16 bits and a query's integers give.
template <integer_sum What>
[[nodiscard]] VICINAL_INLINE __m128i share_of_words(__m128i x, __m128i q) noexcept {
    if constexpr (What == integer_sum::product) {
        return _mm_madd_epi16(x, q);
    } else {
        const __m128i y = _mm_sub_epi16(x, q);
        return _mm_madd_epi16(y, y);
    }
}

template <integer_sum What>
VICINAL_INLINE void sums_of_bytes_4(tag::x86, const std::int16_t* q, const std::byte* const* rows, std::size_t dim,
                                    std::int32_t* out) noexcept {
    __m128i sums[4] = {};
    const __m128i zero = _mm_setzero_si128();
    const auto add = [&](std::size_t i, std::size_t wanted) VICINAL_LAMBDA_INLINE {
        const __m128i low = load_128(q + i);
        const __m128i high = load_128(q + i + 8);
        repeat<4>([&](std::size_t row) VICINAL_LAMBDA_INLINE {
            __m128i codes = load_128(rows[row] + i);
            if (wanted != 16) codes = first_bytes(wanted, codes);
            sums[row] = _mm_add_epi32(sums[row], share_of_words<What>(_mm_unpacklo_epi8(codes, zero), low));
            sums[row] = _mm_add_epi32(sums[row], share_of_words<What>(_mm_unpackhi_epi8(codes, zero), high));
        });
    };
    std::size_t i = 0;
    for (; i + 16 <= dim; i += 16) add(i, 16);
    if (i < dim) add(i, dim - i);
    sum_integers_4(sums, out);
}

/// Takes apart 16 bytes of codes of 4 bits and as many of a query's even and odd integers, into the components 0, 2, 1
/// and 3 of each four. The query's come out times 256, so that shifts need not extend their signs.
struct nibble_words {
    __m128i code[4];
    __m128i query[4];

    VICINAL_INLINE nibble_words(__m128i evens, __m128i odds, const std::int8_t* even_q,
                                const std::int8_t* odd_q) noexcept
        : code{_mm_and_si128(evens, fifteen()), _mm_and_si128(_mm_srli_epi16(evens, 8), fifteen()),
               _mm_and_si128(_mm_srli_epi16(odds, 4), fifteen()), _mm_srli_epi16(odds, 12)},
          query{_mm_slli_epi16(load_128(even_q), 8), _mm_andnot_si128(low_byte(), load_128(even_q)),
                _mm_slli_epi16(load_128(odd_q), 8), _mm_andnot_si128(low_byte(), load_128(odd_q))} {}

    /// Adds 256 times what these components give to `sum`. A lane holds the 2048 of integer_block: 256 * 15 * 127 of
    /// each.
    template <integer_sum What>
    [[nodiscard]] VICINAL_INLINE __m128i add_to(__m128i sum) const noexcept {
        repeat<4>([&](std::size_t i) VICINAL_LAMBDA_INLINE {
            __m128i factor = query[i];
            if constexpr (What != integer_sum::product) factor = _mm_sub_epi16(_mm_slli_epi16(code[i], 10), factor);
            sum = _mm_add_epi32(sum, _mm_madd_epi16(code[i], factor));
        });
        return sum;
    }

  private:
    [[nodiscard]] static VICINAL_INLINE __m128i fifteen() noexcept { return _mm_set1_epi16(15); }
    [[nodiscard]] static VICINAL_INLINE __m128i low_byte() noexcept { return _mm_set1_epi16(255); }
};
static_assert(integer_block / 4 * 256 * 15 * 127 < 0x80000000);

template <integer_sum What>
VICINAL_INLINE void sums_of_nibbles_4(tag::x86, const std::int8_t* q, const std::byte* const* rows, std::size_t dim,
                                      std::int32_t* out) noexcept {
    __m128i sums[4] = {};
    // Takes 16 bytes of each row, of which `even` and `odd` have an even and an odd component that counts.
    const auto add = [&](std::size_t i, std::size_t even, std::size_t odd) VICINAL_LAMBDA_INLINE {
        const std::int8_t* const at = q + i / 64 * 64 + i % 64 / 2;
        repeat<4>([&](std::size_t row) VICINAL_LAMBDA_INLINE {
            const __m128i pairs = load_128(rows[row] + i / 2);
            const __m128i evens = even != 16 ? first_bytes(even, pairs) : pairs;
            const __m128i odds = odd != 16 ? first_bytes(odd, pairs) : pairs;
            sums[row] = nibble_words(evens, odds, at, at + 32).add_to<What>(sums[row]);
        });
    };
    std::size_t i = 0;
    for (; i + 32 <= dim; i += 32) add(i, 16, 16);
    if (i < dim) add(i, (dim - i + 1) / 2, (dim - i) / 2);
    for (__m128i& sum : sums) sum = _mm_srai_epi32(sum, 8);
    sum_integers_4(sums, out);
}

}  // namespace simd::per_isa

VICINAL_NAMESPACE_END

#endif
