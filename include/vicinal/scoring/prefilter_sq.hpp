// SPDX-License-Identifier: MIT
// sq8 and sq4 codes are scanned in integers for rows that could be close. That is several times as fast as in floats,
// and rules out for sure. What is left is scored as ever, so results are the same, bit for bit.
//
// Let x be a row's exact components low + step c, X the largest length a row can have, u = 2^-24. The scorer decodes
// each component with one rounding, by at most u |x|, and adds up with a relative error of at most g = 1.125 (dim + 16)
// u, as scoring/query_tiles.hpp has it; T is what its distance must not exceed.
//
//   squared differences  With q' the query rounded to integers, in the units of the codes, and e = q - q', the scorer's
//                        distance is at least (1 - g) |q - xf|^2 for a row xf within u X of x. If it is at most T,
//                            |q' - x| <= sqrt(T (1 + 1.25 g)) + |e| + u X,
//                        and unit^-2 times the square of that is what the integers' sum must not exceed.
//   products             With w the query's integers, f what one is worth and e = q step - w f, the products' sum is
//                            q.x = sum q low + f (sum w c) + sum e c,
//                        whose last term is within top / 2 sum |e| of top / 2 sum e, as c is in [0, top]. The scorer's
//                        is within (1.1 g + u) |q| X of q.x. finish(s) <= T only if s >= least_sum(T).
//
// Integers and limits are exact; what is computed here is in double, and widened by 2^-40.
#pragma once

#include <algorithm>  // for clamp, max
#include <bit>        // for countr_zero
#include <cmath>      // for abs, ceil, floor, sqrt
#include <cstddef>    // for size_t, byte
#include <cstdint>    // for int32_t, uint64_t
#include <limits>     // for numeric_limits

#include "vicinal/core/math.hpp"
#include "vicinal/scoring/component_tables.hpp"
#include "vicinal/scoring/query_tiles.hpp"
#include "vicinal/simd/kernels.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// A scorer for scans of many rows. Where `query_algorithm` says that something rules rows out, a specialisation does.
template <class Metric, class Codec, class Isa>
class scan_scorer : public scorer<Metric, Codec, Isa> {
  public:
    /// made_of_query  keeps the query's bits as long as this lives, if it has any
    scan_scorer(const Metric& metric, const code_store<Codec>& store, const float* query, padded_vector& row_buffer,
                [[maybe_unused]] padded_vector& made_of_query)
        : scorer<Metric, Codec, Isa>(metric, store, query, counts_bits<Metric, Codec> ? made_of_query : row_buffer) {}
};

template <class Metric, class Codec, class Isa>
requires scans_by<Metric, Codec, Isa, scan_algorithm::integer_prefilter>
class scan_scorer<Metric, Codec, Isa> : public scorer<Metric, Codec, Isa> {
    static constexpr bool differences = Metric::form == sum_form::squared_difference;
    static constexpr double top = Codec::bits == 8 ? 255 : 15;
    static constexpr std::size_t group = simd::integer_scan_query<Codec::bits>::group;
    using integers = simd::integer_codes<Codec::bits>;
    using query_type = typename integers::query_type;

  public:
    /// integers  keeps the query's as long as this lives
    scan_scorer(const Metric& metric, const code_store<Codec>& store, const float* query, padded_vector& row_buffer,
                padded_vector& integers_buffer)
        : scorer<Metric, Codec, Isa>(metric, store, query, row_buffer),
          metric_(metric),
          coder_(store.coder()),
          dim_(store.components()) {
        const bool weighted = differences && !coder_.uniform();
        by_tables_ = weighted && Codec::bits == 4;
        able_ = Isa::scans_integers() && dim_ <= simd::integer_block &&
                !(weighted && !weighted_codec<Codec> && !by_tables_);
        if (!able_) return;
        if (by_tables_) {
            tables_.make(store, query, integers_buffer);
            return;
        }
        const std::size_t count = round_up(dim_, group) * (weighted ? 2 : 1);
        integers_buffer.resize((count * sizeof(query_type) + sizeof(float) - 1) / sizeof(float));
        query_ = reinterpret_cast<query_type*>(integers_buffer.data());
        for (std::size_t i = 0; i < count; ++i) query_[i] = 0;
        error_ = sum_error(dim_);
        longest_ = std::sqrt(coder_.largest_squares());
        if constexpr (differences)
            round_query(query);
        else
            weigh_query(query);
    }

    /// Bit i is set if row i of `count` <= 64 could be at most at distance `threshold`. Rows as in score_block.
    [[nodiscard]] std::uint64_t close_rows(const std::byte* first, std::size_t stride, std::size_t count,
                                           float threshold) const noexcept {
        constexpr std::uint64_t all = ~std::uint64_t{0};
        if (!able_) return all;
        if (by_tables_) return tables_.close_rows(first, stride, count, threshold);
        if (threshold != asked_) {
            asked_ = threshold;
            limit_ = limit_of(threshold);
        }
        if (limit_ == nothing_ruled_out) return all;
        using simd::integer_sum;
        if constexpr (!differences)
            return Isa::template integer_scan<Codec::bits, integer_sum::product>(query_, dim_, 0, first, stride, count,
                                                                                 limit_, this->ahead());
        else if constexpr (weighted_codec<Codec>)
            if (!coder_.uniform())
                return Isa::template integer_scan<8, integer_sum::weighted_difference>(
                    query_, dim_, simd::weighted_shift(dim_), first, stride, count, limit_, this->ahead());
        if constexpr (differences)
            return Isa::template integer_scan<Codec::bits, integer_sum::squared_difference>(
                query_, dim_, 0, first, stride, count, limit_, this->ahead());
    }

  private:
    static constexpr std::int32_t nothing_ruled_out =
        differences ? (std::numeric_limits<std::int32_t>::max)() : (std::numeric_limits<std::int32_t>::min)();

    [[nodiscard]] static std::size_t place(std::size_t i) noexcept {
        return i / group * group + simd::integer_scan_place(i % group, group);
    }

    void round_query(const float* query) noexcept {
        const bool weighted = !coder_.uniform();
        unit_ = double{coder_.step(0)} / integers::per_step;
        int lowest = integers::lowest;
        int highest = integers::highest;
        if constexpr (weighted_codec<Codec>)
            if (weighted) {
                unit_ = double{coder_.unit()};
                lowest = integers::weighted_lowest;
                highest = integers::weighted_highest;
            }
        double off = 0;
        double squares = 0;
        for (std::size_t i = 0; i < dim_; ++i) {
            const double position = (double{query[i]} - double{coder_.low(i)}) / unit_;
            const double whole = std::floor(std::clamp<double>(position, lowest, highest) + 0.5);
            const double e = (position - whole) * unit_;
            off += e * e;
            squares += whole * whole;
            if constexpr (weighted_codec<Codec>)
                if (weighted) {
                    query_type* const at = query_ + i / group * group * 2 + simd::integer_scan_place(i % group, group);
                    at[0] = static_cast<query_type>(whole);
                    at[group] = static_cast<query_type>(simd::integer_scan_weight(i, coder_.weight(i)));
                    continue;
                }
            query_[place(i)] = static_cast<query_type>(whole);
        }
        off_ = std::sqrt(off) + 0x1p-24 * longest_;
        scale_ = unit_ * unit_ * (weighted ? static_cast<double>(1U << simd::weighted_shift(dim_)) : 1.0);
        // What sums_4 gives is, of 4 bits, a part of the sum.
        scale_ *= integers::of_sum;
        plus_ = integers::of_sum == 1 ? 0.0 : squares / integers::of_sum;
    }

    void weigh_query(const float* query) noexcept {
        double sum = 0;
        double most = 0;
        double squares = 0;
        double with_low = 0;
        for (std::size_t i = 0; i < dim_; ++i) {
            const double weight = std::abs(double{query[i]} * double{coder_.step(i)});
            sum += weight;
            most = (std::max)(most, weight);
            squares += double{query[i]} * double{query[i]};
            with_low += double{query[i]} * double{coder_.low(i)};
        }
        if (!(most > 0)) {
            able_ = false;
            return;
        }
        const double scale = (std::min)(double{integers::total_weight} / sum, double{integers::largest_weight} / most);
        double errors = 0;
        double magnitudes = 0;
        double lows = 0;
        for (std::size_t i = 0; i < dim_; ++i) {
            const double weight = double{query[i]} * double{coder_.step(i)};
            const double whole = std::floor(weight * scale + 0.5);
            const double e = weight - whole / scale;
            errors += e;
            magnitudes += std::abs(e);
            lows += std::abs(double{query[i]} * double{coder_.low(i)});
            query_[place(i)] = static_cast<query_type>(whole);
        }
        scale_ = 1.0 / scale;
        plus_ = with_low + top / 2 * errors;
        off_ = top / 2 * magnitudes + (1.1 * error_ + 0x1p-24) * std::sqrt(squares) * longest_ +
               0x1p-40 * (lows + top * sum) + 4 * (static_cast<double>(dim_) + 16) * 0x1p-126;
    }

    /// What the integers' sum must not exceed (differences) or be below (products) for a distance up to `threshold`.
    [[nodiscard]] std::int32_t limit_of(float threshold) const noexcept {
        constexpr double least = (std::numeric_limits<std::int32_t>::min)();
        constexpr double most = (std::numeric_limits<std::int32_t>::max)();
        if constexpr (differences) {
            const double lost = 4 * (static_cast<double>(dim_) + 16) * 0x1p-126;
            const double square = double{threshold} > 0 ? double{threshold} * (1 + 1.25 * error_) + lost : lost;
            if (!(square < double{(std::numeric_limits<float>::max)()})) return nothing_ruled_out;
            const double reach = (std::sqrt(square) + off_) * (1 + 0x1p-40);
            const double limit = std::floor(reach * reach / scale_ - plus_) + 1;
            return limit < most ? static_cast<std::int32_t>((std::max)(limit, least)) : nothing_ruled_out;
        } else {
            const double limit = std::ceil((metric_.least_sum(threshold) - off_ - plus_) / scale_) - 1;
            return limit > least ? static_cast<std::int32_t>((std::min)(limit, most)) : nothing_ruled_out;
        }
    }

    const Metric& metric_;
    const Codec& coder_;
    std::size_t dim_;
    bool able_ = false;
    bool by_tables_ = false;  // squared differences of sq4's codes that have a range for each component
    mutable component_tables<Isa> tables_;
    query_type* query_ = nullptr;
    double unit_ = 0;
    double error_ = 0;    // g above
    double longest_ = 0;  // X above
    double off_ = 0;
    double scale_ = 1;  // what one of the integers' sum is worth
    double plus_ = 0;
    mutable float asked_ = detail::infinite();
    mutable std::int32_t limit_ = nothing_ruled_out;
};

}  // namespace detail

VICINAL_NAMESPACE_END
