// SPDX-License-Identifier: MIT
// FastScan of rows by registers of 16 bytes, on any instruction set that looks 16 bytes up in a table of 16.
#pragma once

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for uint8_t

#include "vicinal/simd/generic/fast_scan.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd::per_isa {

/// Makes vectors of the bytes of 16 rows, one byte of each: byte i of all rows in x[i]. Row r is in lane 2 r or, from
/// 8 on, 2 r - 15: so the even lanes are rows 0 to 7, the odd ones rows 8 to 15. row(r) says where a row's bytes are.
template <class Bytes, class Row>
VICINAL_INLINE void transpose_16x16(const Row& row, Bytes* x) noexcept {
    Bytes y[16];
    // Four perfect shuffles transpose; the first is done as vectors are loaded, so that few wait in memory.
    repeat<8>([&](std::size_t i) VICINAL_LAMBDA_INLINE {
        const Bytes a = Bytes::load(row(i / 2 + i % 2 * 8));
        const Bytes b = Bytes::load(row(i / 2 + 4 + i % 2 * 8));
        Bytes::interleave(a, b, y[2 * i], y[2 * i + 1]);
    });
    const auto shuffle = [](const Bytes* from, Bytes* to) VICINAL_LAMBDA_INLINE {
        repeat<8>([&](std::size_t i)
                      VICINAL_LAMBDA_INLINE { Bytes::interleave(from[i], from[i + 8], to[2 * i], to[2 * i + 1]); });
    };
    shuffle(y, x);
    shuffle(x, y);
    shuffle(y, x);
}

/// Adds up the entries that `count` bytes of each row name, each in two tables.
template <class Bytes>
[[nodiscard]] VICINAL_INLINE Bytes sum_of_entries(const Bytes* x, std::size_t count,
                                                  const std::uint8_t* tables) noexcept {
    Bytes sum = x[0].lower_halves().look_up(tables).plus(x[0].upper_halves().look_up(tables + 16));
    for (std::size_t i = 1; i < count; ++i) {
        sum = sum.plus(x[i].lower_halves().look_up(tables + 32 * i));
        sum = sum.plus(x[i].upper_halves().look_up(tables + 32 * i + 16));
    }
    return sum;
}

/// Adds up the entries of 16 rows.
///   Bytes        is a vector of 16 bytes: load, store, interleave, lower_halves, upper_halves, look_up and plus
///   Bytes::sums  holds sums of its lanes in 16 bits: add, and add_to, which adds them to floats in the rows' order
/// take(p, x) puts bytes p to p + 15 of their codes into x as transpose_16x16 does.
template <class V, class Bytes, std::size_t Together, class Take>
VICINAL_INLINE void sum_columns_16(const Take& take, const std::uint8_t* tables, std::size_t pairs, scan_scale scale,
                                   float* out) noexcept {
    constexpr std::size_t most = scan_block_of<Together> / 2;
    constexpr std::size_t step = Together / 2;  // bytes whose entries add up within a byte
    constexpr std::size_t step_at_end = step < 2 ? step : 2;
    V totals[4] = {V(0.0F), V(0.0F), V(0.0F), V(0.0F)};
    for (std::size_t begin = 0; begin < pairs; begin += most) {
        const std::size_t end = pairs - begin < most ? pairs : begin + most;
        typename Bytes::sums sums;
        for (std::size_t p = begin; p < end; p += 16) {
            Bytes x[16];
            take(p, x);
            const std::uint8_t* const table = tables + p * 32;
            if (p + 16 <= end)
                repeat<16 / step>([&](std::size_t i) VICINAL_LAMBDA_INLINE {
                    sums.add(sum_of_entries(x + i * step, step, table + 32 * i * step));
                });
            else
                for (std::size_t i = 0; p + i < end; i += step_at_end)
                    sums.add(sum_of_entries(x + i, step_at_end, table + 32 * i));
        }
        sums.add_to(totals);
    }
    for (std::size_t i = 0; i < 4; ++i) store(V(totals[i] * V(scale.step) + V(scale.low)), out + 4 * i);
}

/// Calls use(half, take) for rows 0 and 16 as `half`, with a `take` of sum_columns_16 for 16 of `count` <= 32 rows.
template <class Bytes, class Use>
VICINAL_INLINE void with_transposed_halves(const std::byte* first, std::size_t stride, std::size_t count,
                                           const Use& use) noexcept {
    const std::byte* rows[scan_lanes];
    for (std::size_t r = 0; r < scan_lanes; ++r) rows[r] = first + (r < count ? r : count - 1) * stride;
    for (std::size_t half = 0; half < scan_lanes; half += 16)
        use(half, [&](std::size_t p, Bytes* x) VICINAL_LAMBDA_INLINE {
            transpose_16x16([&](std::size_t r) VICINAL_LAMBDA_INLINE { return rows[half + r] + p; }, x);
        });
}

/// Is scan_rows_32 by registers of 16 bytes.
template <class V, class Bytes, std::size_t Together>
VICINAL_INLINE void scan_rows_by_16(const std::byte* first, std::size_t stride, std::size_t count,
                                    const std::uint8_t* tables, std::size_t dim, scan_scale scale,
                                    float* out) noexcept {
    with_transposed_halves<Bytes>(first, stride, count, [&](std::size_t half, const auto& take) VICINAL_LAMBDA_INLINE {
        sum_columns_16<V, Bytes, Together>(take, tables, dim / 8, scale, out + half);
    });
}

/// Is make_columns_32 by registers of 16 bytes: the columns of 16 rows, then those of the others.
template <class Bytes>
VICINAL_INLINE void make_columns_by_16(const std::byte* first, std::size_t stride, std::size_t count, std::size_t bytes,
                                       std::uint8_t* columns) noexcept {
    with_transposed_halves<Bytes>(first, stride, count, [&](std::size_t half, const auto& take) VICINAL_LAMBDA_INLINE {
        std::uint8_t* const to = columns + half * column_count(bytes);
        for (std::size_t p = 0; p < bytes; p += 16) {
            Bytes x[16];
            take(p, x);
            for (std::size_t i = 0; i < 16; ++i) x[i].store(to + 16 * (p + i));
        }
    });
}

/// Is scan_columns_32 by registers of 16 bytes.
template <class V, class Bytes, std::size_t Together>
VICINAL_INLINE void scan_columns_by_16(const std::uint8_t* columns, const std::uint8_t* tables, std::size_t dim,
                                       scan_scale scale, float* out) noexcept {
    for (std::size_t half = 0; half < scan_lanes; half += 16) {
        const std::uint8_t* const from = columns + half * column_count(dim / 8);
        const auto take = [&](std::size_t p, Bytes* x) VICINAL_LAMBDA_INLINE {
            for (std::size_t i = 0; i < 16; ++i)
                x[i] = Bytes::load(reinterpret_cast<const std::byte*>(from + 16 * (p + i)));
        };
        sum_columns_16<V, Bytes, Together>(take, tables, dim / 8, scale, out + half);
    }
}

}  // namespace simd::per_isa

VICINAL_NAMESPACE_END
