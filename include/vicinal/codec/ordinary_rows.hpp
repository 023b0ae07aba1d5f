// SPDX-License-Identifier: MIT
// Which rows of a sample tell what vectors are like, and which few lie so far off that codecs must not follow them.
#pragma once

#include <algorithm>  // for max, nth_element
#include <array>      // for array
#include <cmath>      // for abs
#include <concepts>   // for same_as
#include <cstddef>    // for ptrdiff_t, size_t
#include <cstdint>    // for uint32_t
#include <limits>     // for numeric_limits
#include <span>       // for span
#include <vector>     // for vector

#include "vicinal/core/math.hpp"
#include "vicinal/core/matrix_view.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Evenly spaced rows of a matrix without the wild ones: those, at most one in 64, that have a component more than
/// twice as far off as all other rows have. How far off a component is counts in spreads of its own, the distance from
/// the median within which 15 of 16 rows lie. A codec's error is that of most rows; a range that reaches to a few wild
/// ones would cost all others their precision, while these are far from everything by any code. Of fewer than 64 rows
/// one may be wild, if it is 16 times as far off, of fewer than 8 none: too few to say.
///
/// Everything is decided by the order of single numbers, none of which is a sum, so every machine finds the same.
class ordinary_rows {
  public:
    /// every  of so many rows one is looked at
    ordinary_rows(matrix_view<const float> rows, std::size_t every) : rows_(rows), every_(every) {
        size_ = (rows.rows() + every - 1) / every;
        if (most_wild() != 0) leave_out();
    }

    [[nodiscard]] std::size_t rows() const noexcept { return size_; }
    [[nodiscard]] std::size_t dim() const noexcept { return rows_.dim(); }
    [[nodiscard]] std::span<const float> operator[](std::size_t i) const noexcept {
        return rows_[(kept_.empty() ? i : kept_[i]) * every_];
    }
    /// Whether there were wild ones.
    [[nodiscard]] bool left_out() const noexcept { return !kept_.empty(); }

  private:
    static constexpr std::size_t few = 64;
    static constexpr std::size_t looked_at = 512;  // rows by which spreads are judged

    [[nodiscard]] std::size_t most_wild() const noexcept {
        return size_ < 8 ? 0 : std::max<std::size_t>(1, size_ / 64);
    }

    void leave_out() {
        find_spreads();
        std::vector<float> off(size_);
        for (std::size_t i = 0; i < size_; ++i) off[i] = farthest(rows_[i * every_]);
        std::vector<float> sorted = off;
        const auto last = sorted.end() - 1 - static_cast<std::ptrdiff_t>(most_wild());
        std::nth_element(sorted.begin(), last, sorted.end(), plain_less{});
        const float most = *last * (size_ < few ? 16.0F : 2.0F);
        if (!(most > 0.0F) || *std::max_element(last, sorted.end()) <= most) return;
        kept_.reserve(size_);
        for (std::size_t i = 0; i < size_; ++i)
            if (off[i] <= most) kept_.push_back(static_cast<std::uint32_t>(i));
        size_ = kept_.size();
    }

    /// The median of each component and its spread, at least half the widest: what varies little is off by little.
    void find_spreads() {
        middle_.resize(dim());
        spread_.resize(dim());
        const std::size_t step = (size_ + looked_at - 1) / looked_at * every_;
        std::vector<float> column((rows_.rows() + step - 1) / step);
        const auto ranked = [&](std::size_t rank) {
            const auto at = column.begin() + static_cast<std::ptrdiff_t>(rank);
            std::nth_element(column.begin(), at, column.end(), plain_less{});
            return *at;
        };
        float widest = 0;
        for (std::size_t i = 0; i < dim(); ++i) {
            for (std::size_t r = 0; r < column.size(); ++r) column[r] = rows_[r * step][i];
            middle_[i] = ranked(column.size() / 2);
            for (float& x : column) x = std::abs(x - middle_[i]);
            spread_[i] = ranked(column.size() - 1 - std::max<std::size_t>(1, column.size() / 16));
            widest = (std::max)(widest, spread_[i]);
        }
        const float least = widest > 0.0F ? (std::max)(widest / 2, (std::numeric_limits<float>::min)()) : 1.0F;
        for (float& x : spread_) x = (std::max)(x, least);
    }
    /// How many spreads the farthest component of a row is off.
    [[nodiscard]] float farthest(std::span<const float> row) const noexcept {
        constexpr std::size_t together = 16;  // apart, so that compilers vectorise without reordering
        std::array<float, together> most{};
        std::size_t i = 0;
        for (; i + together <= row.size(); i += together)
            for (std::size_t j = 0; j < together; ++j) most[j] = farther(most[j], row, i + j);
        for (std::size_t j = 0; i < row.size(); ++i, ++j) most[j] = farther(most[j], row, i);
        return *std::max_element(most.begin(), most.end());
    }
    [[nodiscard]] float farther(float so_far, std::span<const float> row, std::size_t i) const noexcept {
        const float off = std::abs(row[i] - middle_[i]) / spread_[i];
        return off > so_far ? off : so_far;
    }

    matrix_view<const float> rows_;
    std::size_t every_;
    std::size_t size_;
    std::vector<std::uint32_t> kept_;  // which of the rows looked at; all if empty
    std::vector<float> middle_;
    std::vector<float> spread_;
};

/// Rows of one sample behind those of another. Refers to both.
template <class First, class Second>
class joined_rows {
  public:
    joined_rows(const First& first, const Second& second) : first_(first), second_(second) {}
    [[nodiscard]] std::size_t rows() const noexcept { return first_.rows() + second_.rows(); }
    [[nodiscard]] std::size_t dim() const noexcept { return second_.dim(); }
    [[nodiscard]] std::span<const float> operator[](std::size_t i) const noexcept {
        return i < first_.rows() ? first_[i] : second_[i - first_.rows()];
    }

  private:
    const First& first_;
    const Second& second_;
};

/// Rows of which wild ones may have been left out, and that say so.
template <class R>
concept selected_rows = requires(const R& rows) {
    { rows.left_out() } -> std::same_as<bool>;
};

}  // namespace detail

VICINAL_NAMESPACE_END
