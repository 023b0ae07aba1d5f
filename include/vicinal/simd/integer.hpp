// Sums over codes of a few bits per component in integer arithmetic: the loops under walks of sq8 and sq4 graphs.
#pragma once

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int8_t, int16_t, int32_t, uint8_t

#include "vicinal/simd/intrinsics.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

/// What is added up over the components of a code x and a query q in integers.
///   weighted_difference   (w x - q)^2 with a weight w of 1 to 64 for each component; each two components' squares are
///                         shifted right by `weighted_shift` before they are added
enum class integer_sum : unsigned char { product, squared_difference, weighted_difference };

/// How many components 32-bit sums hold for sure, whatever the codes' bits.
inline constexpr std::size_t integer_block = 8192;

/// What becomes of a sum: (multiple * sum + plus) * factor + offset, where the first part is still exact.
struct integer_scale {
    std::int32_t multiple = 1;
    std::int64_t plus = 0;
    float factor = 1;
    float offset = 0;

    template <class Integer>
    [[nodiscard]] VICINAL_INLINE float operator()(Integer sum) const noexcept {
        return static_cast<float>(multiple * sum + static_cast<Integer>(plus)) * factor + offset;
    }
    /// The same for four sums at once.
    VICINAL_INLINE void apply_4(const std::int32_t* sums, float* out) const noexcept {
#if defined(__AVX2__)
        const __m128i raw = _mm_loadu_si128(reinterpret_cast<const __m128i*>(sums));
        const __m128i whole = _mm_add_epi32(_mm_mullo_epi32(raw, _mm_set1_epi32(multiple)),
                                            _mm_set1_epi32(static_cast<std::int32_t>(plus)));
        _mm_storeu_ps(out, _mm_add_ps(_mm_mul_ps(_mm_cvtepi32_ps(whole), _mm_set1_ps(factor)), _mm_set1_ps(offset)));
#else
        for (std::size_t row = 0; row < 4; ++row) out[row] = (*this)(sums[row]);
#endif
    }
};

/// Queries are put into the order that kernels want this many components at a time.
inline constexpr std::size_t integer_group = 64;

/// By how much pairs of weighted squares, which are below 2^31, must be shifted for sums over `dim` components.
[[nodiscard]] constexpr unsigned weighted_shift(std::size_t dim) noexcept {
    const std::size_t pairs = ((dim < integer_block ? dim : integer_block) + 1) / 2;
    unsigned shift = 0;
    while ((std::size_t{1} << shift) < pairs) ++shift;
    return shift;
}

/// How codes of `Bits` bits are added up.
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

namespace detail {

#if defined(__AVX2__)
/// The first `count` < 32 bytes of v, zeros behind.
[[nodiscard]] VICINAL_INLINE __m256i first_bytes(std::size_t count, __m256i v) noexcept {
    const __m256i number = _mm256_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
                                            21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31);
    return _mm256_and_si256(v, _mm256_cmpgt_epi8(_mm256_set1_epi8(static_cast<char>(count)), number));
}
[[nodiscard]] VICINAL_INLINE __m256i load_256(const void* p) noexcept {
    return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
/// The sums of the lanes of each of four vectors.
VICINAL_INLINE void sum_integers_4(const __m256i* sums, std::int32_t* out) noexcept {
    const __m256i ab = _mm256_hadd_epi32(sums[0], sums[1]);
    const __m256i cd = _mm256_hadd_epi32(sums[2], sums[3]);
    const __m256i abcd = _mm256_hadd_epi32(ab, cd);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out),
                     _mm_add_epi32(_mm256_castsi256_si128(abcd), _mm256_extracti128_si256(abcd, 1)));
}
#endif

/// sum(row, i) over components and rows, one by one.
template <class Term>
VICINAL_INLINE void plain_sums_4(std::size_t dim, std::int32_t* out, Term term) noexcept {
    for (std::size_t row = 0; row < 4; ++row) {
        std::int32_t sum = 0;
        for (std::size_t i = 0; i < dim; ++i) sum += term(row, i);
        out[row] = sum;
    }
}

}  // namespace detail

/// Bytes against a query of 16-bit integers in steps of the code.
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
        for (std::size_t i = 0; i < dim; ++i) out[i] = std::to_integer<std::uint8_t>(code[i]);
        for (std::size_t i = dim; i % integer_group != 0; ++i) out[i] = 0;
    }

    /// A row as the query of weighted differences; weights are readable to the next multiple of 16 and zero there.
    static VICINAL_INLINE void from_weighted_code(const std::byte* code, const std::int16_t* weights, std::size_t dim,
                                                  query_type* out) noexcept {
        for (std::size_t i = 0; i < dim; i += 16, out += 32)
            for (std::size_t j = 0; j < 16; ++j) {
                out[j] = static_cast<query_type>(std::to_integer<int>(code[i + j]) * weights[i + j]);
                out[j + 16] = weights[i + j];
            }
    }

    /// sums_4 for weighted differences.
    template <class V>
    static VICINAL_INLINE void weighted_sums_4(const query_type* q, const std::byte* const* rows, std::size_t dim,
                                               unsigned shift, std::int32_t* out) noexcept {
#if defined(__AVX2__)
        if constexpr (is_256_bit<V>) {
            __m256i sums[4] = {};
            const __m128i places = _mm_cvtsi32_si128(static_cast<int>(shift));
            for (std::size_t i = 0; i < dim; i += 16) {
                const __m256i query = detail::load_256(q + 2 * i);
                const __m256i weight = detail::load_256(q + 2 * i + 16);
                for (std::size_t row = 0; row < 4; ++row) {
                    const __m128i codes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[row] + i));
                    const __m256i x = _mm256_mullo_epi16(_mm256_cvtepu8_epi16(codes), weight);
                    const __m256i y = _mm256_sub_epi16(x, query);
                    sums[row] = _mm256_add_epi32(sums[row], _mm256_srl_epi32(_mm256_madd_epi16(y, y), places));
                }
            }
            detail::sum_integers_4(sums, out);
            return;
        }
#endif
        for (std::size_t row = 0; row < 4; ++row) {
            std::int32_t sum = 0;
            for (std::size_t i = 0; i < dim; i += 2) {
                std::int32_t squares = 0;
                for (std::size_t j = i; j < dim && j < i + 2; ++j) {
                    const query_type* const at = q + j / 16 * 32 + j % 16;
                    const std::int32_t y = std::to_integer<std::int32_t>(rows[row][j]) * at[16] - at[0];
                    squares += y * y;
                }
                sum += squares >> shift;
            }
            out[row] = sum;
        }
    }

    template <class V, integer_sum What>
    static VICINAL_INLINE void sums_4(const query_type* q, const std::byte* const* rows, std::size_t dim,
                                      std::int32_t* out) noexcept {
#if defined(__AVX2__)
        if constexpr (is_256_bit<V>) {
            __m256i sums[4] = {};
            const auto add = [&](std::size_t i, __m256i wanted) VICINAL_LAMBDA_INLINE {
                const __m256i query = detail::load_256(q + i);
                for (std::size_t row = 0; row < 4; ++row) {
                    const __m128i codes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[row] + i));
                    __m256i x = _mm256_and_si256(_mm256_cvtepu8_epi16(codes), wanted);
                    __m256i y = query;
                    if constexpr (What == integer_sum::squared_difference) x = y = _mm256_sub_epi16(x, query);
                    sums[row] = _mm256_add_epi32(sums[row], _mm256_madd_epi16(x, y));
                }
            };
            std::size_t i = 0;
            for (; i + 16 <= dim; i += 16) add(i, _mm256_set1_epi16(-1));
            if (i < dim) {
                const __m256i number = _mm256_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
                add(i, _mm256_cmpgt_epi16(_mm256_set1_epi16(static_cast<short>(dim - i)), number));
            }
            detail::sum_integers_4(sums, out);
            return;
        }
#endif
        detail::plain_sums_4(dim, out, [&](std::size_t row, std::size_t i) VICINAL_LAMBDA_INLINE {
            const auto x = std::to_integer<std::int32_t>(rows[row][i]);
            return What == integer_sum::squared_difference ? (x - q[i]) * (x - q[i]) : x * q[i];
        });
    }
};

/// Two codes a byte, the lower half first, against a query of 8-bit integers in eighths of a step. Squared differences
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
                const auto pair = std::to_integer<unsigned>(code[i]);
                out[i] = static_cast<query_type>((pair & 15U) * 8);
                out[i + half] = static_cast<query_type>((pair >> 4) * 8);
            }
            for (std::size_t i = dim - from; i < integer_group; ++i) out[i % 2 * half + i / 2] = 0;
        }
    }

    template <class V, integer_sum What>
    static VICINAL_INLINE void sums_4(const query_type* q, const std::byte* const* rows, std::size_t dim,
                                      std::int32_t* out) noexcept {
#if defined(__AVX2__)
        if constexpr (is_256_bit<V>) {
            __m256i sums[4] = {};
            __m256i short_sums[4];
            const __m256i ones = _mm256_set1_epi16(1);
            const auto add = [&](std::size_t i, __m256i even_wanted, __m256i odd_wanted) VICINAL_LAMBDA_INLINE {
                const __m256i even = detail::load_256(q + i);
                const __m256i odd = detail::load_256(q + i + 32);
                for (std::size_t row = 0; row < 4; ++row) {
                    const __m256i pairs = detail::load_256(rows[row] + i / 2);
                    const __m256i x = _mm256_and_si256(pairs, even_wanted);
                    const __m256i y = _mm256_and_si256(_mm256_srli_epi16(pairs, 4), odd_wanted);
                    short_sums[row] = _mm256_add_epi16(short_sums[row], _mm256_maddubs_epi16(x, factor<What>(x, even)));
                    short_sums[row] = _mm256_add_epi16(short_sums[row], _mm256_maddubs_epi16(y, factor<What>(y, odd)));
                }
            };
            const __m256i fifteen = _mm256_set1_epi8(15);
            for (std::size_t i = 0; i < dim;) {
                for (__m256i& sum : short_sums) sum = _mm256_setzero_si256();
                const std::size_t end = dim - i < 256 ? dim : i + 256;
                for (; i + 64 <= end; i += 64) add(i, fifteen, fifteen);
                if (i < end) {
                    add(i, detail::first_bytes((end - i + 1) / 2, fifteen),
                        detail::first_bytes((end - i) / 2, fifteen));
                    i = end;
                }
                for (std::size_t row = 0; row < 4; ++row)
                    sums[row] = _mm256_add_epi32(sums[row], _mm256_madd_epi16(short_sums[row], ones));
            }
            detail::sum_integers_4(sums, out);
            return;
        }
#endif
        detail::plain_sums_4(dim, out, [&](std::size_t row, std::size_t i) VICINAL_LAMBDA_INLINE {
            const auto pair = std::to_integer<std::int32_t>(rows[row][i / 2]);
            const std::int32_t x = i % 2 == 0 ? pair & 15 : pair >> 4;
            const std::int32_t component = q[i / 64 * 64 + i % 2 * 32 + i % 64 / 2];
            return x * (What == integer_sum::squared_difference ? 4 * x - component : component);
        });
    }

  private:
    [[nodiscard]] static constexpr std::size_t round_up(std::size_t dim) noexcept {
        return (dim + integer_group - 1) / integer_group * integer_group;
    }
#if defined(__AVX2__)
    /// What x is multiplied by. Twice 15 * 128 is the most a pair of products comes to, and 2^15 holds eight of those.
    template <integer_sum What>
    [[nodiscard]] static VICINAL_INLINE __m256i factor(__m256i x, __m256i q) noexcept {
        if constexpr (What == integer_sum::product) return q;
        return _mm256_sub_epi8(_mm256_slli_epi16(x, 2), q);
    }
#endif
};

}  // namespace simd

VICINAL_NAMESPACE_END
