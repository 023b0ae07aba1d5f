// SPDX-License-Identifier: MIT
// pca8 codes bound distances for sure, so an exact search passes rows over by them and measures the rest as ever.
//
// Let B's columns be the directions as they are stored, |B^T B - I| <= k (the skew), u = v - mean a vector from the
// mean, exactly, and P the projection onto what B's columns span. The map
//     F(u) = (B^T u / sqrt(1 + k),  |(I - P) u|)
// shortens distances: |B^T w|^2 <= (1 + k) |P w|^2, lengths of the rest differ by at most the length of the rests'
// difference, and |P w|^2 + |(I - P) w|^2 = |w|^2. If B is square the rest is 0. A code is a point z within `error` of
// F: of its coordinates, what quantising them lost, measured when the code was made, and
//     rounding  32 products at a time are added in single precision, the sums in double. Each is within 34 u of the sum
//               of their absolute values (u = 2^-24), so that all together are within 34 u |B|_F |u|, where |B|_F is
//               the square root of width; rounding u itself costs u |u|
//     skew      |B^T u| (1 - 1 / sqrt(1 + k)) <= k |u|
//     the rest  |(I - P) u|^2 = |u|^2 - |P u|^2, and |P u|^2 is from |B^T u|^2 / (1 + k) to |B^T u|^2 / (1 - k). The
//               middle of the two ends is stored, half of what lies between is the error
// all of which `pca8::project` adds up in double. A query's point likewise, without quantising. So
//     |q - x| >= |z_q - z_x| - error_q - error_x
// and |z_q - z_x|^2 is taken by its three terms: the squares are known, the product is a sum of integers: with w the
// query's coordinates times the steps, W = round(w / f), and codes c from -128 to 127
//     sum w c  <=  f sum W c  +  128 sum |w - f W|
// Sums of integers are exact, and roundings in single precision of what follows cost at most 2^-19 (`pca8::margin`) of
// the squares, which is taken off both, and of the lengths, which is in both errors.
//
// The scorer's distance to x is at most T only if, with g as in scoring/query_tiles.hpp,
//     squared differences  |q - x|^2 <= T (1 + 1.25 g)
//     products             q.x >= least_sum(T) - 1.1 g |q||x|, so that
//                          |q - x|^2 - |x|^2 (1 + 1.1 g) <= |q|^2 (1 + 1.1 g) - 2 least_sum(T)
// and the roundings of the last line in single precision are in `length_margin`.
#pragma once

#include <algorithm>  // for max, min
#include <cmath>      // for abs, floor, sqrt
#include <cstddef>    // for size_t, byte
#include <cstdint>    // for int16_t, int32_t, uint32_t
#include <limits>     // for numeric_limits
#include <span>       // for span

#include "vicinal/codec/pca8/projected_point.hpp"
#include "vicinal/core/math.hpp"
#include "vicinal/scoring/query_tiles.hpp"
#include "vicinal/simd/kernels.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// A pruning_pace says of which rows bounds are computed and which are all measured. While bounds rule out too few rows
/// to pay, ever longer stretches are measured, so that bounds cost little where they never pay.
class pruning_pace {
  public:
    /// For how many of the next rows bounds should be computed: none while they do not pay, a few to try, or all.
    [[nodiscard]] std::size_t worth_bounding() const noexcept { return rest_ != 0 ? 0 : trying_ ? shortest : all; }
    /// `measured` of `rows` had to be measured after all.
    void bounded(std::size_t rows, std::size_t measured) noexcept {
        trying_ = measured * 4 > rows;
        if (trying_) {
            rest_ = pause_;
            pause_ = (std::min)(2 * pause_, longest);
        } else {
            pause_ = shortest;
        }
    }
    /// `rows` were measured without bounds.
    void passed(std::size_t rows) noexcept { rest_ -= (std::min)(rest_, rows); }

  private:
    static constexpr std::size_t shortest = 4096;
    static constexpr std::size_t longest = 131072;
    static constexpr std::size_t all = (std::numeric_limits<std::size_t>::max)();
    std::size_t rest_ = 0;  // rows until the next try
    std::size_t pause_ = shortest;
    bool trying_ = false;
};

/// Bounds rows by their coarse codes, measures them by the fine ones, which hold the vectors exactly. Refers to the
/// query, the stores and the buffer; none may move while it lives. Not for two threads at once.
template <class Metric, class Coarse, class Fine, class Isa>
class bounding_scorer {
    static_assert(std::same_as<Fine, f32>,
                  "vicinal: pca8 bounds the distances of exact vectors; write two_level<pca8, f32>");
    static constexpr bool able = sum_bounded_metric<Metric>;
    static constexpr bool products = [] {
        if constexpr (able) return Metric::form == sum_form::product;
        return false;
    }();
    using integers = simd::integer_codes<8>;
    static constexpr std::size_t group = simd::integer_scan_query<8>::group;

  public:
    /// buffer  keeps what is made of the query as long as this lives
    bounding_scorer(const Metric& metric, const code_store<Coarse>& store, const scorer<Metric, Fine, Isa>& fine,
                    const float* query, padded_vector& buffer)
        : metric_(metric),
          coder_(store.coder()),
          rows_(store.rows().table()),
          ahead_(store.rows().ahead_in_turn()),
          fine_(fine) {
        if constexpr (able)
            if (coder_.trained()) prepare(query, buffer);
    }

    [[nodiscard]] const simd::row_table& rows() const noexcept { return rows_; }
    /// As of a scorer.
    void ask_ahead(simd::scan_ahead ahead) noexcept { ahead_ = ahead; }
    /// How many of the next rows should be bounded, not just measured.
    [[nodiscard]] std::size_t worth_bounding() const noexcept { return able_ ? pace_.worth_bounding() : 0; }
    void bounded(std::size_t rows, std::size_t measured) const noexcept { pace_.bounded(rows, measured); }

    /// What rows' bounds must not exceed for a distance of `threshold`.
    [[nodiscard]] float limit_of(float threshold) const noexcept {
        if constexpr (able) {
            double limit = 0;
            if constexpr (products) {
                limit = length_ - 2 * metric_.least_sum(threshold) + lost_;
            } else {
                const double square = double{threshold} > 0 ? double{threshold} * (1 + 1.25 * error_) + lost_ : lost_;
                limit = std::sqrt(square) + off_;
            }
            if (limit < double{largest}) return static_cast<float>(limit + std::abs(limit) * 0x1p-22);
        }
        return largest;
    }
    /// The rows' bounds into out, which has places for whole 32. Rows as in score_block, any number.
    void lower_bounds(const std::byte* first, std::size_t stride, std::size_t count, float* out) const noexcept {
        if constexpr (able) Isa::template pca_bounds<products>(first, stride, count, codes_, -largest, out, ahead_);
    }
    /// Which of 32 bounds are not above `limit`, as bits.
    [[nodiscard]] static VICINAL_INLINE std::uint32_t not_above(const float* bounds, float limit) noexcept {
        return Isa::not_above_32(bounds, limit);
    }
    /// Exact distances.
    void score(const slot_t* slots, std::size_t count, float* out) const { fine_.score(slots, count, out); }
    void measure(const simd::row_table&, const slot_t*, const slot_t* slots, std::size_t count, float,
                 float* out) const {
        measured_ += count;
        fine_.prefetch(slots, count);
        fine_.score(slots, count, out);
    }
    /// The same of up to 64 rows that were not bounded; in order, and all of one block, fastest.
    void measure_all(const slot_t* slots, std::size_t count, float* out) const {
        measured_ += count;
        pace_.passed(count);
        bool in_order = count != 0 && slots[0] / 64 == slots[count - 1] / 64;
        for (std::size_t i = 1; i < count; ++i) in_order = in_order && slots[i] == slots[i - 1] + 1;
        if (in_order)
            fine_.score_block(slots[0], count, out);
        else
            fine_.score(slots, count, out);
    }
    /// How many rows were measured.
    [[nodiscard]] std::size_t measured() const noexcept { return measured_; }

  private:
    static constexpr float largest = (std::numeric_limits<float>::max)();

    void prepare(const float* query, padded_vector& buffer) {
        const std::size_t dim = coder_.dim();
        const std::size_t width = coder_.padded_width();
        // Coordinates in double, integers, the query from the mean.
        buffer.resize(2 * width + width / 2 + dim);
        auto* const coordinates = reinterpret_cast<double*>(buffer.data());
        auto* const weights = reinterpret_cast<std::int16_t*>(buffer.data() + 2 * width);
        const projected_point point =
            coder_.template project<Isa>({query, dim}, buffer.data() + 2 * width + width / 2, coordinates);
        const double all = point.squares + double{point.rest} * double{point.rest};
        if (!(all <= 4 * Coarse::largest_squared)) return;
        able_ = true;
        error_ = sum_error(dim);
        lost_ = 8 * (static_cast<double>(dim) + 16) * 0x1p-126;
        off_ = std::sqrt(point.off * point.off + point.rest_off * point.rest_off) + Coarse::margin * std::sqrt(all) +
               0x1p-100;
        length_ = squared_norm({query, dim}) * (1 + coder_.length_margin());
        const double inexact = weigh(coordinates, weights);
        codes_.factors_size = Coarse::factors_size;
        codes_.width = coder_.width();
        codes_.terms.base = rounded_down(all * (1 - Coarse::margin) - 2 * inexact - 0x1p-100);
        codes_.terms.along = 2 * point.rest;
        codes_.terms.off = rounded_up(off_);
    }
    /// Rounds the coordinates times the steps to integers, and returns how far that may put a product off.
    double weigh(const double* coordinates, std::int16_t* weights) noexcept {
        const std::size_t width = coder_.width();
        double sum = 0;
        double most = 0;
        for (std::size_t j = 0; j < width; ++j) {
            const double weight = std::abs(coordinates[j] * coder_.step(j));
            sum += weight;
            most = (std::max)(most, weight);
        }
        const double unit = rounded_up(
            (std::max)({sum / double{integers::total_weight}, most / double{integers::largest_weight}, 0x1p-100}));
        double lost = 0;
        for (std::size_t j = 0; j < coder_.padded_width(); ++j) weights[j] = 0;
        for (std::size_t j = 0; j < width; ++j) {
            const double weight = coordinates[j] * coder_.step(j);
            const double whole = std::floor(weight / unit + 0.5);
            lost += std::abs(weight - whole * unit);
            codes_.zero += static_cast<std::int32_t>(whole) * 128;
            weights[j / group * group + simd::integer_scan_place(j % group, group)] = static_cast<std::int16_t>(whole);
        }
        codes_.weights = weights;
        codes_.terms.scale = static_cast<float>(2 * unit);
        return 128 * lost;
    }

    const Metric& metric_;
    const Coarse& coder_;
    simd::row_table rows_;
    simd::scan_ahead ahead_;
    scorer<Metric, Fine, Isa> fine_;
    bool able_ = false;
    simd::pca_query codes_;
    double error_ = 0;   // g above
    double off_ = 0;     // error_q above
    double length_ = 0;  // |q|^2, and what the scorer may be off
    double lost_ = 0;    // to underflow
    mutable pruning_pace pace_;
    mutable std::size_t measured_ = 0;
};

}  // namespace detail

VICINAL_NAMESPACE_END
