// SPDX-License-Identifier: MIT
// Codes by columns: what scans by look-up tables make of 32 rows before they look anything up. A scan for one query
// makes them as it goes; for many queries they are made once, and each query's scorer reads them.
#pragma once

#include <algorithm>  // for min
#include <bit>        // for bit_floor
#include <concepts>   // for same_as
#include <cstddef>    // for size_t, byte
#include <cstdint>    // for uint8_t, uint32_t, uint64_t
#include <vector>     // for vector

#include "vicinal/scoring/scan.hpp"
#include "vicinal/scoring/scorer.hpp"
#include "vicinal/scoring/scorer_concepts.hpp"
#include "vicinal/simd/kernels.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Holds the columns of some rows. It refers to the rows. Not for two threads at once.
template <class Isa>
class code_columns {
  public:
    explicit code_columns(looked_up_bytes bytes) noexcept : bytes_(bytes), of_a_row_(simd::column_count(bytes.count)) {}

    /// How many rows to take at once, scan_block times a power of two: so many that their columns stay in the
    /// first-level cache while query after query reads them.
    [[nodiscard]] std::size_t rows_together() const noexcept {
        constexpr std::size_t cached = std::size_t{16} << 10;
        return scan_block * std::bit_floor(cached / (scan_block * of_a_row_) | 1U);
    }
    /// Takes rows [begin, end) of a table in place of those before. begin is a multiple of scan_block. May throw
    /// bad_alloc.
    void take(const simd::row_table& rows, std::size_t begin, std::size_t end) {
        const std::size_t floats = round_up(end - begin, scan_block) * of_a_row_ / sizeof(float);
        if (memory_.span().size() < floats) memory_.resize(floats);
        pieces_.clear();
        stride_ = rows.stride;
        for (std::size_t row = begin, n = 0; row < end; row += n) {
            n = (std::min)(rows_in_line(row, bounded_together), end - row);
            const std::byte* const first = rows[static_cast<slot_t>(row)];
            auto* const columns = reinterpret_cast<std::uint8_t*>(memory_.data()) + (row - begin) * of_a_row_;
            pieces_.push_back({first, first + n * stride_, columns});
            Isa::make_columns(first + bytes_.offset, stride_, n, bytes_.count, columns);
        }
    }
    /// Columns of the rows from `row` on, whose number is a multiple of 32.
    [[nodiscard]] const std::uint8_t* operator[](const std::byte* row) const noexcept {
        const piece* of = pieces_.data();
        while (row < of->first || row >= of->end) ++of;
        return of->columns + static_cast<std::size_t>(row - of->first) / stride_ * of_a_row_;
    }

  private:
    /// Rows that lie one after the other.
    struct piece {
        const std::byte* first;
        const std::byte* end;
        const std::uint8_t* columns;
    };
    looked_up_bytes bytes_;
    std::size_t of_a_row_;
    std::size_t stride_ = 1;
    padded_vector memory_;
    std::vector<piece> pieces_;
};

/// Scans as `Scorer` does, by the columns of the rows. It refers to both.
template <column_reading_scorer Scorer, class Columns>
class column_scorer {
  public:
    column_scorer(const Scorer& scorer, const Columns& columns) noexcept : scorer_(scorer), columns_(columns) {}

    void score_block(const std::byte* first, std::size_t stride, std::size_t count,
                     float* out) const requires block_scorer<Scorer> {
        scorer_.score_block(first, stride, count, out);
    }
    [[nodiscard]] std::uint64_t close_rows(const std::byte* first, std::size_t stride, std::size_t count,
                                           float threshold) const requires prefilter_scorer<Scorer> {
        return scorer_.close_rows(first, stride, count, threshold, columns_[first]);
    }
    void score_some(const std::byte* first, std::size_t stride, const slot_t* which, std::size_t count,
                    float* out) const requires prefilter_scorer<Scorer> {
        scorer_.score_some(first, stride, which, count, out);
    }
    [[nodiscard]] std::uint64_t estimate(const std::byte* first, std::size_t stride, std::size_t count, float threshold,
                                         float* out) const requires estimate_scorer<Scorer> {
        return scorer_.estimate(first, stride, count, threshold, out, columns_[first]);
    }
    [[nodiscard]] float limit_of(float threshold) const noexcept requires bound_scorer<Scorer> {
        return scorer_.limit_of(threshold);
    }
    void lower_bounds(const std::byte* first, std::size_t stride, std::size_t count,
                      float* out) const noexcept requires bound_scorer<Scorer> {
        scorer_.lower_bounds(first, stride, count, out, columns_[first]);
    }
    [[nodiscard]] static VICINAL_INLINE std::uint32_t not_above(const float* bounds,
                                                                float limit) noexcept requires bound_scorer<Scorer> {
        return Scorer::not_above(bounds, limit);
    }
    void measure(const simd::row_table& rows, const slot_t* which, const slot_t* slots, std::size_t count,
                 float threshold, float* out) const requires bound_scorer<Scorer> {
        scorer_.measure(rows, which, slots, count, threshold, out);
    }

  private:
    const Scorer& scorer_;
    const Columns& columns_;
};

}  // namespace detail

VICINAL_NAMESPACE_END
