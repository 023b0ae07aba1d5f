// SPDX-License-Identifier: MIT
// A scorer is one query bound to one store: it turns row numbers into distances. An index strategy asks nothing else.
#pragma once

#include <algorithm>    // for min
#include <concepts>     // for same_as
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint32_t, uintptr_t
#include <span>         // for span
#include <type_traits>  // for conditional_t

#include "vicinal/codec/f32.hpp"
#include "vicinal/concepts.hpp"
#include "vicinal/metric/sums.hpp"
#include "vicinal/scoring/algorithm.hpp"
#include "vicinal/scoring/member_checks.hpp"
#include "vicinal/scoring/scorer_concepts.hpp"
#include "vicinal/storage/code_store.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// A padded_vector has floats from a cache line's boundary on, followed by readable zeros: what kernels take as a
/// query. Behind them is room for one bit a component.
class padded_vector {
  public:
    void resize(std::size_t dim) {
        if (dim == dim_) return;
        const std::size_t size = round_up(dim * sizeof(float), cache_line) + simd::over_read + (dim + 7) / 8;
        storage_ = aligned_block(size);
        dim_ = dim;
        const std::size_t padded = (round_up(size, cache_line) + simd::over_read) / sizeof(float);
        for (std::size_t i = 0; i < padded; ++i) data()[i] = 0.0F;
    }
    /// Returns where the (dim + 7) / 8 bytes for bits are.
    [[nodiscard]] std::byte* packed_bits() noexcept {
        return storage_.get() + round_up(dim_ * sizeof(float), cache_line) + simd::over_read;
    }
    [[nodiscard]] float* data() noexcept { return reinterpret_cast<float*>(storage_.get()); }
    [[nodiscard]] const float* data() const noexcept { return reinterpret_cast<const float*>(storage_.get()); }
    [[nodiscard]] std::span<float> span() noexcept { return {data(), dim_}; }
    [[nodiscard]] std::span<const float> span() const noexcept { return {data(), dim_}; }

  private:
    aligned_block storage_;
    std::size_t dim_ = 0;
};

/// Makes distances by a normalizing_metric of the products of a query and rows in `out`.
/// query_squares  the query's product with itself
/// squares        squares(from, n, to) writes those of rows [from, from + n), at most 64
template <class Metric, class Squares>
VICINAL_INLINE void normalize_products(const Metric& metric, float query_squares, std::size_t count, float* out,
                                       const Squares& squares) {
    constexpr std::size_t at_once = 64;
    float of_rows[at_once];
    for (std::size_t i = 0; i < count; i += at_once) {
        const std::size_t n = (std::min)(at_once, count - i);
        squares(i, n, of_rows);
        for (std::size_t j = 0; j < n; ++j) out[i + j] = metric.of_products(out[i + j], query_squares, of_rows[j]);
    }
}

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

/// At least the relative error of what a scorer adds up over `dim` components: g of scoring/query_tiles.hpp.
[[nodiscard]] constexpr double sum_error(std::size_t dim) noexcept {
    return (static_cast<double>(dim) + 16) * 1.125 * 0x1p-24;
}

/// Scores rows of a code_store against a prepared query, on the highest rung that metric and codec share:
///   fused    pointwise metric, elementwise codec: one vectorised loop over codes
///   counted  metric and codec of zeros and ones: the query is packed once, then bits are counted
///   normalized  rows that the metric did not prepare: one loop for products, one for squares, divided afterwards
///   decoded  anything else: each row is decoded into `row_buffer`, then measured there
/// It refers to the query, the store and the buffer; none may move while it lives. Not for two threads at once.
template <class Metric, class Codec, class Isa>
class scorer {
    static_assert(check_metric<Metric>() && check_codec<Codec>());
    static constexpr scan_algorithm algorithm = algorithm_of<Metric, Codec, Isa>(scan_use::rerank);
    static constexpr bool is_fused = algorithm == scan_algorithm::fuse;
    static constexpr bool is_counted = algorithm == scan_algorithm::count_bits;
    static constexpr bool is_normalized = algorithm == scan_algorithm::normalize;
    using kernels = kernels_for<Metric, Codec, Isa>;

  public:
    scorer(const Metric& metric, const code_store<Codec>& store, const float* query, padded_vector& row_buffer)
        : metric_(metric),
          store_(store),
          rows_(store.rows().table()),
          ahead_(store.rows().ahead_in_turn()),
          query_(query),
          row_buffer_(&row_buffer),
          center_(own_center(store.coder())) {
        if constexpr (!is_fused) row_buffer.resize(store.dim());
        if constexpr (is_normalized) query_squares_ = static_cast<float>(squared_norm({query, store.dim()}));
        if constexpr (is_counted) {
            store.coder().encode(std::span(query, store.dim()), {row_buffer.packed_bits(), store.rows().row_bytes()});
            query_bits_ = row_buffer.packed_bits();
        }
    }
    /// The query is row `slot`, whose bits are counted where they lie.
    scorer(const Metric& metric, const code_store<Codec>& store, slot_t slot) requires is_counted
        : metric_(metric),
          store_(store),
          rows_(store.rows().table()),
          query_bits_(store.rows()[slot]) {}

    /// From now on codes are relative to `center` instead of the codec's own.
    void relative_to(const center_of<Codec>& center) noexcept { center_ = center; }

    /// Distances to the rows in `slots`, into out[0 .. count).
    VICINAL_INLINE void score(const slot_t* slots, std::size_t count, float* out) const {
        if constexpr (is_fused)
            kernels::score_list(metric_, store_.coder(), query_, store_.components(), rows_, slots, count, out);
        else if constexpr (is_counted)
            count_list(rows_, slots, count, out);
        else if constexpr (is_normalized)
            normalize_list(rows_, slots, count, out);
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
        if constexpr (is_fused)
            kernels::score_block(metric_, store_.coder(), query_, store_.components(), first, stride, count, out,
                                 ahead_);
        else if constexpr (is_counted)
            count_block(first, stride, count, out);
        else if constexpr (is_normalized)
            normalize_block(first, stride, count, out);
        else
            for (std::size_t i = 0; i < count; ++i) out[i] = score_decoded(first + i * stride);
    }

    /// Distances to those of the rows lying `stride` bytes apart from `first` on whose numbers are in `which`.
    void score_some(const std::byte* first, std::size_t stride, const slot_t* which, std::size_t count,
                    float* out) const {
        if constexpr (is_fused || is_counted || is_normalized) {
            const auto origin = reinterpret_cast<std::uintptr_t>(first);
            const simd::row_table rows{&origin, stride, 31};
            if constexpr (is_counted)
                count_list(rows, which, count, out);
            else if constexpr (is_normalized)
                normalize_list(rows, which, count, out);
            else
                kernels::score_list(metric_, store_.coder(), query_, store_.components(), rows, which, count, out);
        } else {
            for (std::size_t i = 0; i < count; ++i) out[i] = score_decoded(first + which[i] * stride);
        }
    }

    /// Says as bits which of 32 distances are not above a limit.
    [[nodiscard]] static VICINAL_INLINE std::uint32_t not_above(const float* distances, float limit) noexcept {
        return Isa::not_above_32(distances, limit);
    }

    /// Where the store's rows lie.
    [[nodiscard]] const simd::row_table& rows() const noexcept { return rows_; }
    /// How far ahead scans ask; ask_ahead() changes it where rows are not the store's.
    [[nodiscard]] simd::scan_ahead ahead() const noexcept { return ahead_; }
    void ask_ahead(simd::scan_ahead ahead) noexcept { ahead_ = ahead; }

    /// Asks for the lines of rows that are scored soon.
    void prefetch(const slot_t* slots, std::size_t count) const noexcept {
        for (std::size_t i = 0; i < count; ++i) simd::prefetch_lines(rows_[slots[i]], store_.rows().row_bytes());
    }

  private:
    /// Makes distances of the counts of bits that counted<What>(from, n, out) writes, for some rows at a time.
    template <class Counted>
    void count_bits(std::size_t count, float* out, const Counted& counted) const {
        constexpr std::size_t at_once = 64;
        float common[at_once] = {};
        for (std::size_t i = 0; i < count; i += at_once) {
            const std::size_t n = (std::min)(at_once, count - i);
            counted.template operator()<simd::bit_count::differing>(i, n, out + i);
            if constexpr (Metric::counts_common) counted.template operator()<simd::bit_count::common>(i, n, common);
            for (std::size_t j = 0; j < n; ++j) out[i + j] = metric_.of_counts(out[i + j], common[j]);
        }
    }
    void count_list(const simd::row_table& rows, const slot_t* slots, std::size_t count, float* out) const {
        count_bits(count, out, [&]<simd::bit_count What>(std::size_t from, std::size_t n, float* to) {
            Isa::template bit_list<What>(query_bits_, store_.rows().row_bytes(), rows, slots + from, n, to);
        });
    }
    void count_block(const std::byte* first, std::size_t stride, std::size_t count, float* out) const {
        count_bits(count, out, [&]<simd::bit_count What>(std::size_t from, std::size_t n, float* to) {
            Isa::template bit_block<What>(query_bits_, store_.rows().row_bytes(), first + from * stride, stride, n, to,
                                          ahead_);
        });
    }
    using product_kernels = kernels_for<plain_sum, Codec, Isa>;
    using square_kernels = kernels_for<squares_of_row, Codec, Isa>;
    void normalize_list(const simd::row_table& rows, const slot_t* slots, std::size_t count, float* out) const {
        product_kernels::score_list(plain_sum{}, store_.coder(), query_, store_.dim(), rows, slots, count, out);
        normalize_products(metric_, query_squares_, count, out, [&](std::size_t from, std::size_t n, float* to) {
            square_kernels::score_list(squares_of_row{}, store_.coder(), query_, store_.dim(), rows, slots + from, n,
                                       to);
        });
    }
    void normalize_block(const std::byte* first, std::size_t stride, std::size_t count, float* out) const {
        product_kernels::score_block(plain_sum{}, store_.coder(), query_, store_.dim(), first, stride, count, out,
                                     ahead_);
        normalize_products(metric_, query_squares_, count, out, [&](std::size_t from, std::size_t n, float* to) {
            square_kernels::score_block(squares_of_row{}, store_.coder(), query_, store_.dim(), first + from * stride,
                                        stride, n, to);
        });
    }
    [[nodiscard]] float score_decoded(const std::byte* row) const {
        const std::span<float> all = row_buffer_->span();
        if constexpr (residual_codec<Codec>)
            decode_centered(row, all);
        else
            store_.coder().decode({row, store_.rows().row_bytes()}, all);
        const std::span<float> decoded = all.first(store_.components());
        // A codec need not keep lengths; what the metric asks of every row holds for decoded ones, too.
        if constexpr (preparing_metric<Metric> && !unbiased_codec<Codec>) (void)metric_.prepare(decoded);
        if constexpr (pointwise_metric<Metric>) {
            float distance;
            const f32 floats{decoded.size()};
            kernels_for<Metric, f32, Isa>::score_block(metric_, floats, query_, decoded.size(),
                                                       reinterpret_cast<const std::byte*>(decoded.data()), 0, 1,
                                                       &distance);
            return distance;
        } else {
            return static_cast<float>(
                metric_(std::span<const float>(query_, decoded.size()), std::span<const float>(decoded)));
        }
    }

    void decode_centered(const std::byte* row, std::span<float> decoded) const {
        if constexpr (vector_residual_codec<Codec, Isa>)
            store_.coder().template decode_about_by<Isa>(center_, row, decoded.data());
        else
            store_.coder().decode_about(center_, {row, store_.rows().row_bytes()}, decoded);
    }

    const Metric& metric_;
    const code_store<Codec>& store_;
    simd::row_table rows_;
    simd::scan_ahead ahead_;
    const float* query_ = nullptr;
    const std::byte* query_bits_ = nullptr;
    float query_squares_ = 0;
    padded_vector* row_buffer_ = nullptr;
    [[no_unique_address]] center_of<Codec> center_;
};

/// A stored row as a query: in place where the codec is f32, else decoded into a buffer, by a kernel where there is
/// one. Halves that were decoded one by one took a quarter of the time of building a graph.
template <class Codec, class Isa = simd::native_kernels>
class row_as_query {
  public:
    /// `row`, readable as floats until the next call.
    [[nodiscard]] const float* operator()(const code_store<Codec>& store, slot_t slot) {
        if constexpr (std::same_as<Codec, f32>) {
            return reinterpret_cast<const float*>(store.rows()[slot]);
        } else {
            buffer_.resize(store.dim());
            if constexpr (elementwise_codec<Codec>)
                kernels_for<squares_of_row, Codec, Isa>::decode(store.coder(), store.rows()[slot], store.dim(),
                                                                buffer_.data());
            else
                store.read(slot, buffer_.span());
            return buffer_.data();
        }
    }

  private:
    padded_vector buffer_;
};

}  // namespace detail

VICINAL_NAMESPACE_END
