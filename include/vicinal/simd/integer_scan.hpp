// Which of a block of rows of 8- or 4-bit codes can be close, in integer arithmetic: what lets exact scans of such
// codes run at the speed of memory.
#pragma once

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int8_t, int16_t, int32_t, uint64_t

#include "vicinal/simd/integer.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

/// Whether `integer_scan` exists for vectors V. Without instructions that multiply and add pairs of integers it would
/// be slower than floats.
template <class V>
inline constexpr bool has_integer_scan =
#if defined(__AVX2__)
    is_256_bit<V>;
#else
    false;
#endif

/// So many rows are looked at in one call, at most.
inline constexpr std::size_t integer_scan_rows = 64;

/// The query of a scan of `Bits`-bit codes. A register takes `group` components, the even ones first. Of weighted
/// differences, each group's integers are followed by its weights in the same order, as integer_scan_weight has them.
template <unsigned Bits>
struct integer_scan_query;
template <>
struct integer_scan_query<8> {
    using type = std::int16_t;
    static constexpr std::size_t group = 32;
};
template <>
struct integer_scan_query<4> {
    using type = std::int8_t;
    static constexpr std::size_t group = 64;
};
/// Where component i of a group lies.
[[nodiscard]] constexpr std::size_t integer_scan_place(std::size_t i, std::size_t group) noexcept {
    return i % 2 * (group / 2) + i / 2;
}

/// The weight of component i where a scan wants it: in the byte that meets the component's code, beside a zero for the
/// neighbour's. weight <= 64
[[nodiscard]] constexpr std::int16_t integer_scan_weight(std::size_t i, int weight) noexcept {
    return static_cast<std::int16_t>(i % 2 == 0 ? weight : weight * 256);
}

namespace detail {

#if defined(__AVX2__)
template <unsigned Bits, integer_sum What>
struct integer_scan_row;

template <integer_sum What>
struct integer_scan_row<8, What> {
    /// The lanes' sums over one row, of which 32 bytes past the end are readable.
    static VICINAL_INLINE __m256i add_up(const std::int16_t* q, const std::byte* row, std::size_t dim,
                                         __m128i places) noexcept {
        __m256i sum = _mm256_setzero_si256();
        const auto add = [&](__m256i codes) VICINAL_LAMBDA_INLINE {
            const __m256i even = share(part(codes, 0, q), q);
            const __m256i odd = share(part(codes, 1, q), q + 16);
            if constexpr (weighted)  // two pairs of squares are below 2^32
                sum = _mm256_add_epi32(sum, _mm256_srl_epi32(_mm256_add_epi32(even, odd), places));
            else
                sum = _mm256_add_epi32(sum, _mm256_add_epi32(even, odd));
            q += weighted ? 64 : 32;
        };
        std::size_t i = 0;
        for (; i + 32 <= dim; i += 32) add(load_256(row + i));
        if (i < dim) add(first_bytes(dim - i, load_256(row + i)));
        return sum;
    }

  private:
    static constexpr bool weighted = What == integer_sum::weighted_difference;

    /// The even or the odd codes in 16 bits, times their weights if they have any.
    [[nodiscard]] static VICINAL_INLINE __m256i part(__m256i codes, int odd, const std::int16_t* q) noexcept {
        if constexpr (weighted) return _mm256_maddubs_epi16(codes, load_256(q + 32 + 16 * odd));
        return odd != 0 ? _mm256_srli_epi16(codes, 8) : _mm256_and_si256(codes, _mm256_set1_epi16(255));
    }
    [[nodiscard]] static VICINAL_INLINE __m256i share(__m256i x, const std::int16_t* q) noexcept {
        const __m256i query = load_256(q);
        if constexpr (What == integer_sum::product) return _mm256_madd_epi16(x, query);
        const __m256i y = _mm256_sub_epi16(x, query);
        return _mm256_madd_epi16(y, y);
    }
};

template <integer_sum What>
struct integer_scan_row<4, What> {
    static VICINAL_INLINE __m256i add_up(const std::int8_t* q, const std::byte* row, std::size_t dim,
                                         __m128i) noexcept {
        const __m256i fifteen = _mm256_set1_epi8(15);
        const __m256i ones = _mm256_set1_epi16(1);
        __m256i sum = _mm256_setzero_si256();
        __m256i even_sum = sum;
        __m256i odd_sum = sum;
        const auto add = [&](std::size_t i, __m256i evens, __m256i odds) VICINAL_LAMBDA_INLINE {
            const auto share = [&](__m256i x, std::size_t half) VICINAL_LAMBDA_INLINE {
                __m256i y = load_256(q + i + half);
                if constexpr (What != integer_sum::product) y = _mm256_sub_epi8(_mm256_slli_epi16(x, 2), y);
                return _mm256_maddubs_epi16(x, y);
            };
            even_sum = _mm256_add_epi16(even_sum, share(_mm256_and_si256(evens, fifteen), 0));
            odd_sum = _mm256_add_epi16(odd_sum, share(_mm256_and_si256(_mm256_srli_epi16(odds, 4), fifteen), 32));
        };
        // Sums of 16 bits hold eight pairs of products of at most 15 * 128.
        for (std::size_t i = 0; i < dim;) {
            const std::size_t end = dim - i < 512 ? dim : i + 512;
            for (; i + 64 <= end; i += 64) {
                const __m256i pairs = load_256(row + i / 2);
                add(i, pairs, pairs);
            }
            if (i < end) {
                const __m256i pairs = load_256(row + i / 2);
                add(i, first_bytes((end - i + 1) / 2, pairs), first_bytes((end - i) / 2, pairs));
                i = end;
            }
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(even_sum, ones));
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(odd_sum, ones));
            even_sum = odd_sum = _mm256_setzero_si256();
        }
        return sum;
    }
};
#endif

}  // namespace detail

/// The sums over `count` <= integer_scan_rows rows, `stride` bytes apart, as integer_codes<Bits> has them. 1 <= count,
/// dim <= integer_block; out has room for count rounded up to a multiple of 4. 32 bytes past the last row are readable,
/// what is there has no effect.
template <class V, unsigned Bits, integer_sum What>
VICINAL_INLINE void integer_scan_sums(const typename integer_scan_query<Bits>::type* query, std::size_t dim,
                                      unsigned shift, const std::byte* first, std::size_t stride, std::size_t count,
                                      std::int32_t* out) noexcept {
    static_assert(has_integer_scan<V>);
#if defined(__AVX2__)
    using row = detail::integer_scan_row<Bits, What>;
    const __m128i places = _mm_cvtsi32_si128(static_cast<int>(shift));
    for (std::size_t r = 0; r < count; r += 4) {
        const std::size_t last = count - 1 - r;
        const std::byte* const at = first + r * stride;
        // One row after the other, by one loop: one ascending stream, as in kernels.hpp.
        __m256i four[4];
        VICINAL_NO_UNROLL
        for (std::size_t i = 0; i < 4; ++i)
            four[i] = row::add_up(query, at + (last < i ? last : i) * stride, dim, places);
        detail::sum_integers_4(four, out + r);
    }
#else
    (void)query, (void)dim, (void)shift, (void)first, (void)stride, (void)count, (void)out;
#endif
}

/// Products of the query with `count` <= integer_scan_rows rows of bytes, each less `zero`, on any machine; the rest as
/// above, and the query in its order.
template <class V>
VICINAL_INLINE void byte_products(const std::int16_t* query, std::size_t dim, std::int32_t zero,
                                  const std::byte* first, std::size_t stride, std::size_t count,
                                  std::int32_t* out) noexcept {
    if constexpr (has_integer_scan<V>) {
        integer_scan_sums<V, 8, integer_sum::product>(query, dim, 0, first, stride, count, out);
    } else {
        constexpr std::size_t group = integer_scan_query<8>::group;
        for (std::size_t r = 0; r < count; ++r) {
            out[r] = 0;
            for (std::size_t i = 0; i < dim; ++i)
                out[r] += query[i / group * group + integer_scan_place(i % group, group)] *
                          std::to_integer<std::int32_t>(first[r * stride + i]);
        }
    }
    for (std::size_t r = 0; r < count; ++r) out[r] -= zero;
}

/// Bit r is set where the sum S over row r, as integer_codes<Bits> has it, is not ruled out: S <= limit for
/// differences, S >= limit for products. The rest as above.
template <class V, unsigned Bits, integer_sum What>
[[nodiscard]] VICINAL_INLINE std::uint64_t integer_scan(const typename integer_scan_query<Bits>::type* query,
                                                        std::size_t dim, unsigned shift, const std::byte* first,
                                                        std::size_t stride, std::size_t count,
                                                        std::int32_t limit) noexcept {
    static_assert(has_integer_scan<V>);
#if defined(__AVX2__)
    alignas(32) std::int32_t sums[integer_scan_rows] = {};
    integer_scan_sums<V, Bits, What>(query, dim, shift, first, stride, count, sums);
    const __m256i bound = _mm256_set1_epi32(limit);
    std::uint64_t out = 0;
    for (std::size_t r = 0; r < count; r += 8) {
        const __m256i eight = _mm256_load_si256(reinterpret_cast<const __m256i*>(sums + r));
        out |=
            std::uint64_t{static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(
                What == integer_sum::product ? _mm256_cmpgt_epi32(bound, eight) : _mm256_cmpgt_epi32(eight, bound))))}
            << r;
    }
    out = ~out;
    return count == integer_scan_rows ? out : out & ((std::uint64_t{1} << count) - 1);
#else
    return (void)query, (void)dim, (void)shift, (void)first, (void)stride, (void)count, (void)limit, ~std::uint64_t{0};
#endif
}

}  // namespace simd

VICINAL_NAMESPACE_END
