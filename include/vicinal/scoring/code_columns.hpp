// SPDX-License-Identifier: MIT
// Codes by columns: what scans by look-up tables make of 32 rows before they look anything up. A scan for one query
// makes them as it goes; for many queries they are made once, and each query's scorer reads them.
#pragma once

#include <bit>      // for bit_floor
#include <concepts>  // for same_as
#include <cstddef>  // for size_t, byte
#include <cstdint>  // for uint8_t, uint64_t

#include "vicinal/scoring/collectors.hpp"
#include "vicinal/scoring/scorer.hpp"
#include "vicinal/scoring/scorer_concepts.hpp"
#include "vicinal/simd/kernels.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Which bytes of a row's code are looked up.
struct looked_up_bytes {
    std::size_t offset = 0;
    std::size_t count = 0;
};

/// Holds the columns of rows that lie one after the other. It refers to the rows.
template <class Isa>
class code_columns {
  public:
    explicit code_columns(looked_up_bytes bytes) noexcept
        : bytes_(bytes), of_a_row_(simd::column_count(bytes.count)) {}

    /// How many rows to take at once, scan_block times a power of two: so many that their columns stay in the first-level
    /// cache while query after query reads them.
    [[nodiscard]] std::size_t rows_together() const noexcept {
        constexpr std::size_t cached = std::size_t{16} << 10;
        const std::size_t blocks = cached / (scan_block * of_a_row_);
        return scan_block * std::bit_floor(blocks | 1U);
    }
    /// Takes `count` rows from `first` on, `stride` bytes apart, in place of those before. May throw bad_alloc.
    void take(const std::byte* first, std::size_t stride, std::size_t count) {
        const std::size_t floats = round_up(count, scan_block) * of_a_row_ / sizeof(float);
        if (memory_.span().size() < floats) memory_.resize(floats);
        first_ = first;
        stride_ = stride;
        Isa::make_columns(first + bytes_.offset, stride, count, bytes_.count, data());
    }
    /// Columns of the rows from `row` on, whose place among those taken is a multiple of 32.
    [[nodiscard]] const std::uint8_t* operator[](const std::byte* row) const noexcept {
        return data() + static_cast<std::size_t>(row - first_) / stride_ * of_a_row_;
    }

  private:
    [[nodiscard]] std::uint8_t* data() noexcept { return reinterpret_cast<std::uint8_t*>(memory_.data()); }
    [[nodiscard]] const std::uint8_t* data() const noexcept {
        return reinterpret_cast<const std::uint8_t*>(memory_.data());
    }

    looked_up_bytes bytes_;
    std::size_t of_a_row_;
    padded_vector memory_;
    const std::byte* first_ = nullptr;
    std::size_t stride_ = 1;
};

/// Scans as `Scorer` does, by the columns of the rows. It refers to both.
template <class Scorer, class Columns>
class column_scorer {
  public:
    column_scorer(const Scorer& scorer, const Columns& columns) noexcept : scorer_(scorer), columns_(columns) {}

    [[nodiscard]] std::uint64_t estimate(const std::byte* first, std::size_t stride, std::size_t count, float threshold,
                                         float* out) const requires estimate_scorer<Scorer> {
        return scorer_.estimate(first, stride, count, threshold, out, columns_[first]);
    }
    [[nodiscard]] std::uint64_t close_rows(const std::byte* first, std::size_t stride, std::size_t count,
                                           float threshold) const requires prefilter_scorer<Scorer> {
        return scorer_.close_rows(first, stride, count, threshold, columns_[first]);
    }
    void score_some(const std::byte* first, std::size_t stride, const slot_t* which, std::size_t count,
                    float* out) const requires prefilter_scorer<Scorer> {
        scorer_.score_some(first, stride, which, count, out);
    }
    void score_block(const std::byte* first, std::size_t stride, std::size_t count,
                     float* out) const requires block_scorer<Scorer> {
        scorer_.score_block(first, stride, count, out);
    }

  private:
    const Scorer& scorer_;
    const Columns& columns_;
};

/// A scorer whose scans can read columns.
template <class S>
concept column_reading_scorer = requires(const S& s) {
    { s.looked_up() } -> std::same_as<looked_up_bytes>;
};

}  // namespace detail

VICINAL_NAMESPACE_END
