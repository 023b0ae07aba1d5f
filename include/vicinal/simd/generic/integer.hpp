// SPDX-License-Identifier: MIT
// simd/integer.hpp in plain C++, and the words that all its files share.
#pragma once

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int8_t, int16_t, int32_t, int64_t

#include "vicinal/simd/isa.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

/// Says what is added up over the components of a code x and a query q in integers.
///   weighted_difference   (w x - q)^2 with a weight w of 1 to 64 for each component; each two components' squares are
///                         shifted right by `weighted_shift` before they are added
enum class integer_sum : unsigned char { product, squared_difference, weighted_difference };

/// 32-bit sums hold so many components for sure, whatever the codes' bits.
inline constexpr std::size_t integer_block = 8192;

/// Makes (multiple * sum + plus) * factor + offset of a sum, where the first part is still exact.
struct integer_scale {
    std::int32_t multiple = 1;
    std::int64_t plus = 0;
    float factor = 1;
    float offset = 0;

    template <class Integer>
    [[nodiscard]] VICINAL_INLINE float operator()(Integer sum) const noexcept {
        return static_cast<float>(multiple * sum + static_cast<Integer>(plus)) * factor + offset;
    }
};

/// Queries are put into the order that kernels want this many components at a time.
inline constexpr std::size_t integer_group = 64;

/// Says by how much pairs of weighted squares, which are below 2^31, must be shifted for sums over `dim` components.
[[nodiscard]] constexpr unsigned weighted_shift(std::size_t dim) noexcept {
    const std::size_t pairs = ((dim < integer_block ? dim : integer_block) + 1) / 2;
    unsigned shift = 0;
    while ((std::size_t{1} << shift) < pairs) ++shift;
    return shift;
}

namespace per_isa {

VICINAL_INLINE void scale_4(tag::generic, const integer_scale& by, const std::int32_t* sums, float* out) noexcept {
    for (std::size_t row = 0; row < 4; ++row) out[row] = by(sums[row]);
}

/// Adds up term(row, i) over components and rows, one by one.
template <class Term>
VICINAL_INLINE void plain_sums_4(std::size_t dim, std::int32_t* out, Term term) noexcept {
    for (std::size_t row = 0; row < 4; ++row) {
        std::int32_t sum = 0;
        for (std::size_t i = 0; i < dim; ++i) sum += term(row, i);
        out[row] = sum;
    }
}

VICINAL_INLINE void weighted_sums_of_bytes_4(tag::generic, const std::int16_t* q, const std::byte* const* rows,
                                             std::size_t dim, unsigned shift, std::int32_t* out) noexcept {
    for (std::size_t row = 0; row < 4; ++row) {
        std::int32_t sum = 0;
        for (std::size_t i = 0; i < dim; i += 2) {
            std::int32_t squares = 0;
            for (std::size_t j = i; j < dim && j < i + 2; ++j) {
                const std::int16_t* const at = q + j / 16 * 32 + j % 16;
                const std::int32_t y = static_cast<std::int32_t>(rows[row][j]) * at[16] - at[0];
                squares += y * y;
            }
            sum += squares >> shift;
        }
        out[row] = sum;
    }
}

template <integer_sum What>
VICINAL_INLINE void sums_of_bytes_4(tag::generic, const std::int16_t* q, const std::byte* const* rows, std::size_t dim,
                                    std::int32_t* out) noexcept {
    plain_sums_4(dim, out, [&](std::size_t row, std::size_t i) VICINAL_LAMBDA_INLINE {
        const auto x = static_cast<std::int32_t>(rows[row][i]);
        return What == integer_sum::squared_difference ? (x - q[i]) * (x - q[i]) : x * q[i];
    });
}

template <integer_sum What>
VICINAL_INLINE void sums_of_nibbles_4(tag::generic, const std::int8_t* q, const std::byte* const* rows, std::size_t dim,
                                      std::int32_t* out) noexcept {
    plain_sums_4(dim, out, [&](std::size_t row, std::size_t i) VICINAL_LAMBDA_INLINE {
        const auto pair = static_cast<std::int32_t>(rows[row][i / 2]);
        const std::int32_t x = i % 2 == 0 ? pair & 15 : pair >> 4;
        const std::int32_t component = q[i / 64 * 64 + i % 2 * 32 + i % 64 / 2];
        return x * (What == integer_sum::squared_difference ? 4 * x - component : component);
    });
}

}  // namespace per_isa

}  // namespace simd

VICINAL_NAMESPACE_END
