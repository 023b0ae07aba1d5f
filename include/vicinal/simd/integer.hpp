// SPDX-License-Identifier: MIT
// Adds up codes of a few bits per component in integer arithmetic: the loops under walks of sq8 and sq4 graphs.
#pragma once

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int8_t, int16_t, int32_t, uint8_t

#include "vicinal/simd/avx2/integer.hpp"
#include "vicinal/simd/avx512/integer.hpp"
#include "vicinal/simd/generic/integer.hpp"
#include "vicinal/simd/isa.hpp"
#include "vicinal/simd/neon/integer.hpp"
#include "vicinal/simd/sse2/integer.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

/// Says how codes of `Bits` bits are added up.
///   query_type        the query's integers, readable to the next multiple of integer_group
///   per_step          how many of the query's units make one step of the code, for squared differences
///   lowest, highest   between which the query's integers must lie for those
///   largest_weight, total_weight   what the query's integers, and their sum over a block, may come to for products
///   of_sum            the sum of squares, in squared units, is of_sum * (what sums_4 gives) + what add_squares says
///   bytes(dim)        of a code
///   arrange           puts integer_group integers, in the components' order, where sums_4 wants them
///   from_code         makes a row the query for squared differences, without rounding
///   sums_4            sums over dim <= integer_block components of four rows, which are readable 32 bytes past their
///                     ends; what is read there has no effect
template <unsigned Bits>
struct integer_codes;

/// Scales four sums at once. The first argument is an instruction set or its vector.
template <class Isa>
VICINAL_INLINE void scale_4(const integer_scale& by, const std::int32_t* sums, float* out) noexcept {
    per_isa::scale_4(tag_of<Isa>{}, by, sums, out);
}

/// Codes of bytes meet a query of 16-bit integers in steps of the code.
/// For weighted differences, which only codes of 8 bits have, the query is w x in 16 integers followed by 16 weights,
/// and so on for each 16 components, with zeros after the last; its integers are from weighted_lowest to
/// weighted_highest.
template <>
struct integer_codes<8> {
    using query_type = std::int16_t;
    static constexpr int weighted_lowest = -16384;
    static constexpr int weighted_highest = 32704;
    static_assert(2LL * weighted_highest * weighted_highest < 0x80000000 &&
                  64 * 255 - weighted_lowest <= weighted_highest);
    static constexpr int per_step = 1;
    static constexpr int lowest = -255;
    static constexpr int highest = 510;
    static constexpr float largest_weight = 32766.0F;
    static constexpr float total_weight = 0x1p22F;  // and half a unit a component: 255 * (2^22 + 2^12) < 2^31
    static constexpr int of_sum = 1;
    static_assert(integer_block * highest * highest < 0x80000000);

    [[nodiscard]] static constexpr std::size_t bytes(std::size_t dim) noexcept { return dim; }
    [[nodiscard]] static std::int64_t add_squares(const query_type*, std::size_t) noexcept { return 0; }

    static VICINAL_INLINE void arrange(const std::int16_t* group, query_type* out) noexcept {
        for (std::size_t i = 0; i < integer_group; ++i) out[i] = group[i];
    }
    static VICINAL_INLINE void from_code(const std::byte* code, std::size_t dim, query_type* out) noexcept {
        for (std::size_t i = 0; i < dim; ++i) out[i] = static_cast<std::uint8_t>(code[i]);
        for (std::size_t i = dim; i % integer_group != 0; ++i) out[i] = 0;
    }

    /// Makes a row the query of weighted differences; weights are readable to the next multiple of 16 and zero there.
    static VICINAL_INLINE void from_weighted_code(const std::byte* code, const std::int16_t* weights, std::size_t dim,
                                                  query_type* out) noexcept {
        for (std::size_t i = 0; i < dim; i += 16, out += 32)
            for (std::size_t j = 0; j < 16; ++j) {
                out[j] = static_cast<query_type>(static_cast<int>(code[i + j]) * weights[i + j]);
                out[j + 16] = weights[i + j];
            }
    }

    /// Does what sums_4 does, for weighted differences.
    template <class Isa>
    static VICINAL_INLINE void weighted_sums_4(const query_type* q, const std::byte* const* rows, std::size_t dim,
                                               unsigned shift, std::int32_t* out) noexcept {
        per_isa::weighted_sums_of_bytes_4(tag_of<Isa>{}, q, rows, dim, shift, out);
    }

    template <class Isa, integer_sum What>
    static VICINAL_INLINE void sums_4(const query_type* q, const std::byte* const* rows, std::size_t dim,
                                      std::int32_t* out) noexcept {
        per_isa::sums_of_bytes_4<What>(tag_of<Isa>{}, q, rows, dim, out);
    }
};

/// Codes of half a byte, the lower half first, meet a query of 8-bit integers in eighths of a step. Squared differences
/// are taken apart: (8 x - q)^2 = 16 x (4 x - q) + q^2, whose last term is the query's alone, so that both kinds of sum
/// are one multiplication of unsigned by signed bytes, and sums of 16 bits hold 256 components. A vector register
/// takes 64 components: the query's even ones first, which meet the lower halves, then its odd ones.
template <>
struct integer_codes<4> {
    using query_type = std::int8_t;
    static constexpr int per_step = 8;
    static constexpr int lowest = -67;  // 4 * 15 + 67 is the largest byte
    static constexpr int highest = 127;
    static constexpr float largest_weight = 127.0F;
    static constexpr float total_weight = 0x1p30F;  // no limit: 8192 * 15 * 127 < 2^31
    static constexpr int of_sum = 16;

    [[nodiscard]] static constexpr std::size_t bytes(std::size_t dim) noexcept { return (dim + 1) / 2; }
    [[nodiscard]] static std::int64_t add_squares(const query_type* q, std::size_t dim) noexcept {
        std::int64_t sum = 0;
        for (std::size_t from = 0; from < dim; from += integer_block) {
            std::int32_t block = 0;
            for (std::size_t i = from; i < from + integer_block && i < round_up(dim); ++i) block += q[i] * q[i];
            sum += block;
        }
        return sum;
    }

    static VICINAL_INLINE void arrange(const std::int16_t* group, query_type* out) noexcept {
        for (std::size_t i = 0; i < integer_group / 2; ++i) {
            out[i] = static_cast<query_type>(group[2 * i]);
            out[i + integer_group / 2] = static_cast<query_type>(group[2 * i + 1]);
        }
    }
    static VICINAL_INLINE void from_code(const std::byte* code, std::size_t dim, query_type* out) noexcept {
        constexpr std::size_t half = integer_group / 2;
        for (std::size_t from = 0; from < dim; from += integer_group, code += half, out += integer_group) {
            for (std::size_t i = 0; i < half; ++i) {
                const auto pair = static_cast<unsigned>(code[i]);
                out[i] = static_cast<query_type>((pair & 15U) * 8);
                out[i + half] = static_cast<query_type>((pair >> 4) * 8);
            }
            for (std::size_t i = dim - from; i < integer_group; ++i) out[i % 2 * half + i / 2] = 0;
        }
    }

    template <class Isa, integer_sum What>
    static VICINAL_INLINE void sums_4(const query_type* q, const std::byte* const* rows, std::size_t dim,
                                      std::int32_t* out) noexcept {
        per_isa::sums_of_nibbles_4<What>(tag_of<Isa>{}, q, rows, dim, out);
    }

  private:
    [[nodiscard]] static constexpr std::size_t round_up(std::size_t dim) noexcept {
        return (dim + integer_group - 1) / integer_group * integer_group;
    }
};

}  // namespace simd

VICINAL_NAMESPACE_END
