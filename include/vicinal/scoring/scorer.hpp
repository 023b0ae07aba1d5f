// One query bound to one store: row numbers in, distances out. The only thing an index strategy ever asks.
#pragma once

#include <cstddef>      // for size_t, byte
#include <cstdint>      // for int16_t, int32_t, uintptr_t
#include <span>         // for span
#include <type_traits>  // for conditional_t
#include <vector>       // for vector

#include "vicinal/codec/f32.hpp"
#include "vicinal/concepts.hpp"
#include "vicinal/storage/code_store.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Floats on a cache line's boundary, followed by readable zeros: what kernels take as a query.
class padded_vector {
  public:
    void resize(std::size_t dim) {
        if (dim == dim_) return;
        storage_ = aligned_block(dim * sizeof(float));
        dim_ = dim;
        const std::size_t padded = (round_up(dim * sizeof(float), cache_line) + simd::over_read) / sizeof(float);
        for (std::size_t i = 0; i < padded; ++i) data()[i] = 0.0F;
    }
    [[nodiscard]] float* data() noexcept { return reinterpret_cast<float*>(storage_.get()); }
    [[nodiscard]] const float* data() const noexcept { return reinterpret_cast<const float*>(storage_.get()); }
    [[nodiscard]] std::span<float> span() noexcept { return {data(), dim_}; }
    [[nodiscard]] std::span<const float> span() const noexcept { return {data(), dim_}; }

  private:
    aligned_block storage_;
    std::size_t dim_ = 0;
};

/// The point that codes are relative to; empty for codecs without one.
struct no_center {};
template <class Codec>
using center_of = std::conditional_t<residual_codec<Codec>, code_center, no_center>;
template <class Codec>
[[nodiscard]] center_of<Codec> own_center(const Codec& coder) noexcept {
    if constexpr (residual_codec<Codec>)
        return coder.own_center();
    else
        return {};
}

/// At least the relative error of what a scorer adds up over `dim` components: g of storage/query_tiles.hpp.
[[nodiscard]] constexpr double sum_error(std::size_t dim) noexcept {
    return (static_cast<double>(dim) + 16) * 1.125 * 0x1p-24;
}

template <class Metric, class Codec>
inline constexpr bool is_fused = pointwise_metric<Metric>&& elementwise_codec<Codec>;

/// Scores rows of a code_store against a prepared query, on the highest rung that metric and codec share:
///   fused    pointwise metric, elementwise codec: one vectorised loop over codes
///   decoded  anything else: each row is decoded into `row_buffer`, then measured there
/// It refers to the query, the store and the buffer; none may move while it lives. Not for two threads at once.
template <class Metric, class Codec, class Isa>
class scorer {
  public:
    scorer(const Metric& metric, const code_store<Codec>& store, const float* query, padded_vector& row_buffer)
        : metric_(metric),
          store_(store),
          rows_(store.rows().table()),
          query_(query),
          row_buffer_(&row_buffer),
          center_(own_center(store.coder())) {
        if constexpr (!is_fused<Metric, Codec>) row_buffer.resize(store.dim());
    }

    /// From now on codes are relative to `center` instead of the codec's own.
    void relative_to(const center_of<Codec>& center) noexcept { center_ = center; }

    /// Distances to the rows in `slots`, into out[0 .. count).
    VICINAL_INLINE void score(const slot_t* slots, std::size_t count, float* out) const {
        if constexpr (is_fused<Metric, Codec>)
            Isa::score_list(metric_, store_.coder(), query_, store_.dim(), rows_, slots, count, out);
        else
            for (std::size_t i = 0; i < count; ++i) out[i] = score_decoded(rows_[slots[i]]);
    }
    [[nodiscard]] float score(slot_t slot) const {
        float distance;
        score(&slot, 1, &distance);
        return distance;
    }
    /// Distances to rows [first, first + count), which lie in one chunk.
    void score_block(slot_t first, std::size_t count, float* out) const {
        score_block(rows_[first], rows_.stride, count, out);
    }
    /// Distances to `count` rows lying `stride` bytes apart from `first` on.
    void score_block(const std::byte* first, std::size_t stride, std::size_t count, float* out) const {
        if constexpr (is_fused<Metric, Codec>)
            Isa::score_block(metric_, store_.coder(), query_, store_.dim(), first, stride, count, out);
        else
            for (std::size_t i = 0; i < count; ++i) out[i] = score_decoded(first + i * stride);
    }

    /// Distances to those of the rows lying `stride` bytes apart from `first` on whose numbers are in `which`.
    void score_some(const std::byte* first, std::size_t stride, const slot_t* which, std::size_t count,
                    float* out) const {
        if constexpr (is_fused<Metric, Codec>) {
            const auto origin = reinterpret_cast<std::uintptr_t>(first);
            Isa::score_list(metric_, store_.coder(), query_, store_.dim(), simd::row_table{&origin, stride, 31},
                                which, count, out);
        } else {
            for (std::size_t i = 0; i < count; ++i) out[i] = score_decoded(first + which[i] * stride);
        }
    }

    /// Where the store's rows lie.
    [[nodiscard]] const simd::row_table& rows() const noexcept { return rows_; }

    /// Asks for the lines of rows that are scored soon.
    void prefetch(const slot_t* slots, std::size_t count) const noexcept {
        for (std::size_t i = 0; i < count; ++i) simd::prefetch_lines(rows_[slots[i]], store_.rows().row_bytes());
    }

  private:
    [[nodiscard]] float score_decoded(const std::byte* row) const {
        const std::span<float> decoded = row_buffer_->span();
        if constexpr (residual_codec<Codec>)
            decode_centered(row, decoded);
        else
            store_.coder().decode({row, store_.rows().row_bytes()}, decoded);
        // A codec need not keep lengths; what the metric asks of every row holds for decoded ones, too, unless the
        // codec says that its vectors are best as they are.
        if constexpr (preparing_metric<Metric> && !requires { Codec::best_as_decoded; }) (void)metric_.prepare(decoded);
        if constexpr (pointwise_metric<Metric>) {
            float distance;
            const f32 floats{store_.dim()};
            Isa::score_block(metric_, floats, query_, store_.dim(),
                                 reinterpret_cast<const std::byte*>(decoded.data()), 0, 1, &distance);
            return distance;
        } else {
            return static_cast<float>(
                metric_(std::span<const float>(query_, store_.dim()), std::span<const float>(decoded)));
        }
    }

    void decode_centered(const std::byte* row, std::span<float> decoded) const {
        using isa = typename Isa::isa;
        if constexpr (requires { store_.coder().template decode_about_by<isa>(center_, row, decoded.data()); })
            store_.coder().template decode_about_by<isa>(center_, row, decoded.data());
        else
            store_.coder().decode_about(center_, {row, store_.rows().row_bytes()}, decoded);
    }

    const Metric& metric_;
    const code_store<Codec>& store_;
    simd::row_table rows_;
    const float* query_;
    padded_vector* row_buffer_;
    [[no_unique_address]] center_of<Codec> center_;
};

/// Whether rows can be compared in integer arithmetic: affine codes, and a metric that says what it adds up.
template <class Metric, class Codec>
inline constexpr bool is_integer = formed_metric<Metric>&& affine_codec<Codec>;

/// Scores rows by integer arithmetic against a query rounded to integers: less than half the work of the exact scorer,
/// and distances close enough to walk a graph by. Results are then scored exactly.
///   squared_difference   the query in steps of the codec, or fractions of one: sum of (q - x)^2, times step^2. If the
///                        codec is not uniform: in its unit, codes times their weights; 4-bit codes have no such
///                        kernel, and are scored exactly after all
///   product              q step, scaled to use the bits that the sums leave: sum of (q step x), plus sum of (q low)
template <class Metric, class Codec, class Isa>
class integer_scorer {
    static constexpr bool differences = Metric::form == sum_form::squared_difference;
    static constexpr simd::integer_sum what =
        differences ? simd::integer_sum::squared_difference : simd::integer_sum::product;
    using codes = simd::integer_codes<Codec::bits>;
    using query_type = typename codes::query_type;
    static constexpr std::size_t group = simd::integer_group;

  public:
    /// query   dim prepared floats, readable like a kernel's query, alive as long as the scorer
    /// buffer  keeps the query's integers as long as the scorer lives
    integer_scorer(const Metric& metric, const code_store<Codec>& store, const float* query, padded_vector& buffer)
        : integer_scorer(query, metric, store, buffer) {
        if constexpr (!differences)
            weigh([query](std::size_t i, auto one)
                      VICINAL_LAMBDA_INLINE { return simd::load<decltype(one)>(query + i); });
        else if (coder_.uniform())
            round_to_steps();
        else if constexpr (Codec::bits == 8)
            round_to_units();
    }
    /// The same with row `slot` of the store as the query; `decoded` keeps it if it must be decoded.
    integer_scorer(const Metric& metric, const code_store<Codec>& store, slot_t slot, padded_vector& decoded,
                   padded_vector& buffer)
        : integer_scorer(nullptr, metric, store, buffer) {
        if constexpr (!differences) {
            weigh([row = rows_[slot], this](std::size_t i, auto one)
                      VICINAL_LAMBDA_INLINE { return coder_.template load<decltype(one)>(row, i); });
        } else if (coder_.uniform()) {
            codes::from_code(rows_[slot], dim_, query_);
            measure_by_steps();
        } else if constexpr (Codec::bits == 8) {
            codes::from_weighted_code(rows_[slot], coder_.weights(), dim_, query_);
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
        } else if constexpr (Codec::bits == 8) {
            Isa::template integer_list<8, simd::integer_sum::weighted_difference>(
                scale_, [](float sum) VICINAL_LAMBDA_INLINE { return sum; }, query_, dim_, rows_, slots, count, out);
        } else {
            Isa::score_list(metric_, coder_, exact_query_, dim_, rows_, slots, count, out);
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
        : metric_(metric), coder_(store.coder()), exact_query_(query), dim_(store.dim()), rows_(store.rows().table()) {
        buffer.resize(dim_);  // with the zeros behind, as many floats hold the 16-bit integers of whole groups
        static_assert(simd::over_read >= group && sizeof(query_type) <= 2);
        query_ = reinterpret_cast<query_type*>(buffer.data());
    }

    /// Calls fill(first, count, integers) for the components group by group.
    template <class Fill>
    void for_each_group(const Fill& fill) noexcept {
        for (std::size_t first = 0; first < dim_; first += group) {
            alignas(64) std::int16_t integers[group] = {};
            fill(first, dim_ - first < group ? dim_ - first : group, integers);
            codes::arrange(integers, query_ + first);
        }
    }

    void round_to_steps() noexcept {
        const float low = coder_.low(0);
        const float scale = 1.0F / coder_.step(0);
        for_each_group([&](std::size_t first, std::size_t count, std::int16_t* integers) VICINAL_LAMBDA_INLINE {
            for (std::size_t i = 0; i < count; ++i) {
                constexpr float units = codes::per_step, lowest = codes::lowest, highest = codes::highest;
                const float position = (exact_query_[first + i] - low) * scale * units;
                const float within = position < lowest ? lowest : position > highest ? highest : position;
                integers[i] = static_cast<std::int16_t>(static_cast<std::int32_t>(within + 256.5F) - 256);
            }
        });
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

    using V = simd::lanes<typename Isa::isa>;
    static constexpr std::size_t width = simd::lane_count<typename Isa::isa>;

    /// query = component * step * scale, for the largest scale that the codes' sums bear; offset = sum of
    /// component * low. load(i, V{}) gives components i and on, of a query or straight from a row's code.
    template <class Load>
    void weigh(const Load& load) noexcept {
        const float scale = scale_for(load);
        V offset(0.0F);
        float rest = 0;
        for_each_group([&](std::size_t first, std::size_t count, std::int16_t* integers) VICINAL_LAMBDA_INLINE {
            std::size_t i = 0;
            for (; i + width <= count; i += width) {
                const V x = load(first + i, V(0.0F));
                offset = mul_add(x, simd::load<V>(coder_.lows() + first + i), offset);
                simd::store_rounded(V(x * simd::load<V>(coder_.steps() + first + i) * V(scale)), integers + i);
            }
            for (; i < count; ++i) {
                const float x = load(first + i, 0.0F);
                rest += x * coder_.low(first + i);
                simd::store_rounded(x * coder_.step(first + i) * scale, integers + i);
            }
        });
        scale_ = {1, 0, scale > 0 ? 1.0F / scale : 0.0F, simd::sum_lanes(offset) + rest};
    }
    template <class Load>
    [[nodiscard]] float scale_for(const Load& load) const noexcept {
        V sums(0.0F);
        V tops(0.0F);
        std::size_t i = 0;
        for (; i + width <= dim_; i += width) {
            const V size = simd::absolute(V(load(i, V(0.0F)) * simd::load<V>(coder_.steps() + i)));
            sums = sums + size;
            tops = simd::larger(tops, size);
        }
        float sum = simd::sum_lanes(sums);
        float top = simd::largest_lane(tops);
        for (; i < dim_; ++i) {
            const float size = simd::absolute(load(i, 0.0F) * coder_.step(i));
            sum += size;
            top = simd::larger(top, size);
        }
        float scale = sum > 0 ? codes::total_weight / sum : 0.0F;
        if (top * scale > codes::largest_weight) scale = codes::largest_weight / top;
        return scale <= 0x1p100F ? scale : 0x1p100F;
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
struct walk_scorer_of {
    using type = scorer<Metric, Codec, Isa>;
};
template <class Metric, class Codec, class Isa>
requires is_integer<Metric, Codec>
struct walk_scorer_of<Metric, Codec, Isa> {
    using type = integer_scorer<Metric, Codec, Isa>;
};
template <class Metric, class Codec, class Isa>
using walk_scorer = typename walk_scorer_of<Metric, Codec, Isa>::type;

/// A stored row as a query: in place where the codec is f32, else decoded into a buffer.
template <class Codec>
class row_as_query {
  public:
    /// `row`, readable as floats until the next call.
    [[nodiscard]] const float* operator()(const code_store<Codec>& store, slot_t slot) {
        if constexpr (std::same_as<Codec, f32>) {
            return reinterpret_cast<const float*>(store.rows()[slot]);
        } else {
            buffer_.resize(store.dim());
            store.read(slot, buffer_.span());
            return buffer_.data();
        }
    }

  private:
    padded_vector buffer_;
};

}  // namespace detail

VICINAL_NAMESPACE_END
