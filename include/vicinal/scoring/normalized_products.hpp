// SPDX-License-Identifier: MIT
// Rows of whole numbers that their metric did not prepare are met in integers: by graphs, whose results are scored
// exactly afterwards, and by scans for rows that could be close, as prefilter_sq.hpp has it.
//
// Let w be the query's integers, f what one is worth, e = q - w f, x = low + c a row, X its squares. Then
//     q.x = sum q low + f (sum w c) + sum e c,
// whose last term is within 127.5 sum |e| of 127.5 sum e, as c is in [0, 255]. The scorer's product is within
// g |q| sqrt(X) of q.x, g being that of query_tiles.hpp, and X and what it divides by are rounded by at most 2^-22. So
// its distance is at most T only if s >= least_sum(T), hence
//     q.x >= (least_sum(T) - g - 2^-20) |q| sqrt(X).
// Where that is above 0, both sides are squared. Sums of integers are exact, and rounded once to a float.
#pragma once

#include <cmath>    // for abs, sqrt
#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int16_t, uint32_t, uint64_t, uintptr_t

#include "vicinal/scoring/integer_scorer.hpp"
#include "vicinal/scoring/prefilter_sq.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// A query's integers for products with codes of a whole_codec, and those for the squares of rows.
template <class Metric, class Codec, class Isa>
class whole_products {
    using kernels = kernels_for<Metric, Codec, Isa>;
    using integer = typename simd::integer_codes<8>::query_type;

  public:
    /// buffer  keeps the integers as long as this lives
    whole_products(const code_store<Codec>& store, padded_vector& buffer) : coder_(store.coder()), dim_(store.dim()) {
        const std::size_t padded = round_up(dim_, simd::integer_group);
        buffer.resize(padded);  // whose floats have room for twice as many integers
        query_ = reinterpret_cast<integer*>(buffer.data());
        zero_ = query_ + padded;
        for (std::size_t i = 0; i < padded; ++i) zero_[i] = i < dim_ ? -Codec::least : 0;
    }
    /// Takes `row`, a code of `source`, as the query.
    template <class Source>
    void take(const Source& source, const std::byte* row) noexcept {
        scale_ = kernels::template weigh_query<8>(source, row, coder_.lows(), coder_.steps(), dim_, query_);
    }
    /// Products of the query with rows, nearly.
    void products(const simd::row_table& rows, const slot_t* slots, std::size_t count, float* out) const noexcept {
        add_up<simd::integer_sum::product>(scale_, query_, rows, slots, count, out);
    }
    /// The sums of products of the integers with codes.
    void sums(const simd::row_table& rows, const slot_t* slots, std::size_t count, float* out) const noexcept {
        add_up<simd::integer_sum::product>({}, query_, rows, slots, count, out);
    }
    /// The sums of the squares of rows.
    void squares(const simd::row_table& rows, const slot_t* slots, std::size_t count, float* out) const noexcept {
        add_up<simd::integer_sum::squared_difference>({}, zero_, rows, slots, count, out);
    }
    [[nodiscard]] int operator[](std::size_t i) const noexcept { return query_[i]; }
    /// What one of the integers is worth.
    [[nodiscard]] double worth() const noexcept { return double{scale_.factor}; }

  private:
    template <simd::integer_sum What>
    void add_up(const simd::integer_scale& scale, const integer* query, const simd::row_table& rows,
                const slot_t* slots, std::size_t count, float* out) const noexcept {
        Isa::template integer_list<8, What>(
            scale, [](float sum) VICINAL_LAMBDA_INLINE { return sum; }, query, dim_, rows, slots, count, out);
    }

    const Codec& coder_;
    std::size_t dim_;
    integer* query_;
    integer* zero_;
    simd::integer_scale scale_;
};

/// Scores rows of a graph by such integers. As integer_scorer.
template <class Metric, class Codec, class Isa>
class whole_scorer {
  public:
    whole_scorer(const Metric& metric, const code_store<Codec>& store, const float* query, padded_vector& buffer)
        : metric_(metric), rows_(store.rows().table()), row_bytes_(store.rows().row_bytes()), by_(store, buffer) {
        by_.take(f32{store.dim()}, reinterpret_cast<const std::byte*>(query));
        query_squares_ = static_cast<float>(squared_norm({query, store.dim()}));
    }
    whole_scorer(const Metric& metric, const code_store<Codec>& store, slot_t slot, padded_vector&,
                 padded_vector& buffer)
        : metric_(metric), rows_(store.rows().table()), row_bytes_(store.rows().row_bytes()), by_(store, buffer) {
        by_.take(store.coder(), rows_[slot]);
        by_.squares(rows_, &slot, 1, &query_squares_);
    }

    void score(const slot_t* slots, std::size_t count, float* out) const noexcept {
        by_.products(rows_, slots, count, out);
        normalize_products(metric_, query_squares_, count, out, [&](std::size_t from, std::size_t n, float* to) {
            by_.squares(rows_, slots + from, n, to);
        });
    }
    [[nodiscard]] float score(slot_t slot) const noexcept {
        float distance;
        score(&slot, 1, &distance);
        return distance;
    }
    void prefetch(const slot_t* slots, std::size_t count) const noexcept {
        for (std::size_t i = 0; i < count; ++i) simd::prefetch_lines(rows_[slots[i]], row_bytes_);
    }

  private:
    const Metric& metric_;
    simd::row_table rows_;
    std::size_t row_bytes_;
    whole_products<Metric, Codec, Isa> by_;
    float query_squares_ = 0;
};

template <class Metric, class Codec, class Isa>
requires(walks_by_integers<Metric, Codec, Isa>&& keeps_as_given<Metric, Codec>)  //
    struct walk_scorer_of<Metric, Codec, Isa> {
    using type = whole_scorer<Metric, Codec, Isa>;
};

template <class Metric, class Codec, class Isa>
requires(scans_by<Metric, Codec, Isa, scan_algorithm::normalize>&& product_bound_metric<Metric>)  //
    class scan_scorer<Metric, Codec, Isa> : public scorer<Metric, Codec, Isa> {
  public:
    /// integers  keeps the query's as long as this lives
    scan_scorer(const Metric& metric, const code_store<Codec>& store, const float* query, padded_vector& row_buffer,
                padded_vector& integers)
        : scorer<Metric, Codec, Isa>(metric, store, query, row_buffer), metric_(metric), by_(store, integers) {
        able_ = Isa::scans_integers() && store.dim() <= simd::integer_block;
        if (able_) weigh(query, store.dim());
    }

    /// Bit i is set if row i of `count` <= 64 could be at most at distance `threshold`. Rows as in score_block.
    [[nodiscard]] std::uint64_t close_rows(const std::byte* first, std::size_t stride, std::size_t count,
                                           float threshold) const noexcept {
        const double least = metric_.least_sum(threshold) - error_ - 0x1p-20;
        if (!able_ || !(least > 0)) return ~std::uint64_t{0};
        const auto wanted = static_cast<float>(least * least * squares_ * (1 - 0x1p-22));
        const auto origin = reinterpret_cast<std::uintptr_t>(first);
        const simd::row_table rows{&origin, stride, 31};
        alignas(64) float sums[64];
        alignas(64) float lacking[64];
        by_.sums(rows, in_order.slots, count, sums);
        by_.squares(rows, in_order.slots, count, lacking);
        for (std::size_t i = count; i < 64; ++i) sums[i] = lacking[i] = 0;
        for (std::size_t i = 0; i < 64; ++i) {
            const float product = sums[i] * worth_ + plus_;
            lacking[i] = wanted * lacking[i] - product * (product < 0 ? -product : product);
        }
        const std::uint64_t close = std::uint64_t{Isa::not_above_32(lacking, 0.0F)} |
                                    std::uint64_t{Isa::not_above_32(lacking + 32, 0.0F)} << 32;
        return count == 64 ? close : close & ((std::uint64_t{1} << count) - 1);
    }

  private:
    struct ascending {
        slot_t slots[64];
    };
    static constexpr ascending in_order = [] {
        ascending made{};
        for (slot_t i = 0; i < 64; ++i) made.slots[i] = i;
        return made;
    }();

    void weigh(const float* query, std::size_t dim) noexcept {
        by_.take(f32{dim}, reinterpret_cast<const std::byte*>(query));
        const double worth = by_.worth();
        double with_low = 0, errors = 0, magnitudes = 0, weights = 0, lows = 0;
        for (std::size_t i = 0; i < dim; ++i) {
            const double e = double{query[i]} - by_[i] * worth;
            with_low += double{query[i]} * Codec::least;
            lows += std::abs(double{query[i]} * Codec::least);
            errors += e;
            magnitudes += std::abs(e);
            weights += std::abs(by_[i] * worth);
            squares_ += double{query[i]} * double{query[i]};
        }
        error_ = sum_error(dim);
        worth_ = static_cast<float>(worth);
        // What is rounded here is at most so large, and rounded three times.
        const double rounded = 0x1p-21 * (255 * weights + lows + 255 * magnitudes);
        plus_ = static_cast<float>(with_low + 127.5 * (errors + magnitudes) + rounded);
    }

    const Metric& metric_;
    whole_products<Metric, Codec, Isa> by_;
    bool able_ = false;
    double squares_ = 0;  // of the query
    double error_ = 0;    // g above
    float worth_ = 0;
    float plus_ = 0;
};

}  // namespace detail

VICINAL_NAMESPACE_END
