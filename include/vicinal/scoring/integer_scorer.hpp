// SPDX-License-Identifier: MIT
// An integer_scorer scores rows of a graph in integer arithmetic, where codes are numbers of evenly spaced steps.
#pragma once

#include <cstddef>  // for size_t
#include <cstdint>  // for int16_t, int32_t

#include "vicinal/scoring/scorer.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Scores rows by integer arithmetic against a query rounded to integers: less than half the work of the exact scorer,
/// and distances close enough to walk a graph by. Results are then scored exactly.
///   squared_difference   the query in steps of the codec, or fractions of one: sum of (q - x)^2, times step^2. If the
///                        codec is not uniform: in its unit, codes times their weights; codecs without weights are
///                        scored exactly after all
///   product              q step, scaled to use the bits that the sums leave: sum of (q step x), plus sum of (q low)
template <class Metric, class Codec, class Isa>
class integer_scorer {
    static constexpr bool differences = Metric::form == sum_form::squared_difference;
    static constexpr simd::integer_sum what =
        differences ? simd::integer_sum::squared_difference : simd::integer_sum::product;
    using kernels = kernels_for<Metric, Codec, Isa>;
    using codes = simd::integer_codes<Codec::bits>;
    using query_type = typename codes::query_type;
    static constexpr std::size_t group = simd::integer_group;

  public:
    /// query   dim prepared floats, readable like a kernel's query, alive as long as the scorer
    /// buffer  keeps the query's integers as long as the scorer lives
    integer_scorer(const Metric& metric, const code_store<Codec>& store, const float* query, padded_vector& buffer)
        : integer_scorer(query, metric, store, buffer) {
        if constexpr (!differences)
            weigh(f32{dim_}, reinterpret_cast<const std::byte*>(query));
        else if (coder_.uniform())
            round_to_steps();
        else if constexpr (weighted_codec<Codec>)
            round_to_units();
    }
    /// The same with row `slot` of the store as the query; `decoded` keeps it if it must be decoded.
    integer_scorer(const Metric& metric, const code_store<Codec>& store, slot_t slot, padded_vector& decoded,
                   padded_vector& buffer)
        : integer_scorer(nullptr, metric, store, buffer) {
        if constexpr (!differences) {
            weigh(coder_, rows_[slot]);
        } else if (coder_.uniform()) {
            Isa::template query_from_code<Codec::bits>(rows_[slot], dim_, query_);
            measure_by_steps();
        } else if constexpr (weighted_codec<Codec>) {
            Isa::query_from_weighted_code(rows_[slot], coder_.weights(), dim_, query_);
            measure_by_units();
        } else {
            decoded.resize(dim_);
            store.read(slot, decoded.span());
            exact_query_ = decoded.data();
        }
    }

    VICINAL_INLINE void score(const slot_t* slots, std::size_t count, float* out) const noexcept {
        if constexpr (!differences) {
            Isa::template integer_list<Codec::bits, what>(
                scale_, [this](float sum) VICINAL_LAMBDA_INLINE { return metric_.finish(sum); }, query_, dim_, rows_,
                slots, count, out);
        } else if (coder_.uniform()) {
            Isa::template integer_list<Codec::bits, what>(
                scale_, [](float sum) VICINAL_LAMBDA_INLINE { return sum; }, query_, dim_, rows_, slots, count, out);
        } else if constexpr (weighted_codec<Codec>) {
            Isa::template integer_list<8, simd::integer_sum::weighted_difference>(
                scale_, [](float sum) VICINAL_LAMBDA_INLINE { return sum; }, query_, dim_, rows_, slots, count, out);
        } else {
            kernels::score_list(metric_, coder_, exact_query_, dim_, rows_, slots, count, out);
        }
    }
    [[nodiscard]] float score(slot_t slot) const noexcept {
        float distance;
        score(&slot, 1, &distance);
        return distance;
    }

    void prefetch(const slot_t* slots, std::size_t count) const noexcept {
        for (std::size_t i = 0; i < count; ++i) simd::prefetch_lines(rows_[slots[i]], codes::bytes(dim_));
    }

  private:
    integer_scorer(const float* query, const Metric& metric, const code_store<Codec>& store, padded_vector& buffer)
        : metric_(metric),
          coder_(store.coder()),
          exact_query_(query),
          dim_(store.components()),
          rows_(store.rows().table()) {
        buffer.resize(dim_);  // with the zeros behind, as many floats hold the 16-bit integers of whole groups
        static_assert(simd::over_read >= group && sizeof(query_type) <= 2);
        query_ = reinterpret_cast<query_type*>(buffer.data());
    }

    void round_to_steps() noexcept {
        Isa::template round_query<Codec::bits>(exact_query_, dim_, coder_.low(0), 1.0F / coder_.step(0), query_);
        measure_by_steps();
    }
    void measure_by_steps() noexcept {
        const float unit = coder_.step(0) / static_cast<float>(codes::per_step);
        scale_ = {codes::of_sum, codes::add_squares(query_, dim_), unit * unit, 0.0F};
    }

    /// Puts the query in units, and the weights, where weighted differences want them.
    void round_to_units() noexcept {
        constexpr float lowest = codes::weighted_lowest, highest = codes::weighted_highest;
        const float scale = 1.0F / coder_.unit();
        for (std::size_t i = 0; i < dim_; ++i) {
            const float position = (exact_query_[i] - coder_.low(i)) * scale;
            const float within = position < lowest ? lowest : position > highest ? highest : position;
            query_type* const out = query_ + i / 16 * 32 + i % 16;
            out[0] = static_cast<query_type>(static_cast<std::int32_t>(within + 32768.5F) - 32768);
            out[16] = coder_.weights()[i];
        }
        for (std::size_t i = dim_; i % 16 != 0; ++i)
            query_[i / 16 * 32 + i % 16] = query_[i / 16 * 32 + i % 16 + 16] = 0;
        measure_by_units();
    }
    void measure_by_units() noexcept {
        const auto places = static_cast<float>(1U << simd::weighted_shift(dim_));
        scale_ = {1, 0, coder_.unit() * coder_.unit() * places, 0.0F};
    }

    /// The query is `row`, a code of `source`.
    template <class Source>
    void weigh(const Source& source, const std::byte* row) noexcept {
        scale_ = kernels::template weigh_query<Codec::bits>(source, row, coder_.lows(), coder_.steps(), dim_, query_);
    }

    const Metric& metric_;
    const Codec& coder_;
    const float* exact_query_;
    std::size_t dim_;
    simd::row_table rows_;
    query_type* query_;
    simd::integer_scale scale_;
};

/// What graphs are walked by: integers where there is a way, else the exact scorer.
template <class Metric, class Codec, class Isa>
inline constexpr bool walks_by_integers =
    algorithm_of<Metric, Codec, Isa>(scan_use::walk) == scan_algorithm::integer_sums;
template <class Metric, class Codec, class Isa>
struct walk_scorer_of {
    using type = scorer<Metric, Codec, Isa>;
};
template <class Metric, class Codec, class Isa>
requires(walks_by_integers<Metric, Codec, Isa> && !keeps_as_given<Metric, Codec>)  // see normalized_products.hpp
    struct walk_scorer_of<Metric, Codec, Isa> {
    using type = integer_scorer<Metric, Codec, Isa>;
};
template <class Metric, class Codec, class Isa>
using walk_scorer = typename walk_scorer_of<Metric, Codec, Isa>::type;

}  // namespace detail

VICINAL_NAMESPACE_END
