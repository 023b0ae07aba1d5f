// SPDX-License-Identifier: MIT
// query_tiles are many queries bound to one store: tiles of simd/tile.hpp choose rows, kernels measure them.
//
// A tile's dot products are no distances: they are added in another order, and squared distances are taken by norms,
// which cancels. So a tile only rules out. What it cannot rule out is scored as a single query scores it, and the
// results of a batch are those of its queries one by one, bit for bit.
//
// How far a product may be off. Let n = dim, u = 2^-24, and g = 1.125 (n + 16) u, which is at least the relative error
// of any sum of n rounded products in any order, with or without fused multiply-add, and of a few roundings more
// (Higham, "Accuracy and Stability of Numerical Algorithms", 2002, lemma 3.1; n u <= 1/16). Q and X are the computed
// squared norms, p a tile's product, T what the scorer's distance must not exceed.
//
//   squared differences   The scorer's distance is within g of the true one, D. If it is at most T, then
//                         D <= T (1 + 1.25 g).
//                         2 q.x = |q|^2 + |x|^2 - D, |q|^2 >= Q (1 - g), likewise X, and |p - q.x| <= g |q||x|
//                         <= g (1 + 1.1 g) (Q + X) / 2. Hence 2 p >= (Q + X) (1 - 2.1 g) - T (1 + 1.25 g). Rounding
//                         that to a float per query and a float per row and adding them costs at most 4 u (Q + X + T),
//                         which is less than 0.4 g of it: we demand
//                             p >= (Q (1 - 2.5 g) - T (1 + 1.75 g)) / 2  +  X (1 - 2.5 g) / 2
//   products              finish(s) <= T only if s >= L, says the metric. s and p are each within g |q||x| of q.x, and
//                         |q||x| <= sqrt(Q X) (1 + 1.1 g): we demand
//                             p >= L - 8 u |L|  -  2.5 g sqrt(Q) sqrt(X)
//
// Each of the products may also lose 2^-126 to underflow, where denormals are flushed to zero: 4 (n + 16) of these are
// taken off. A row whose norm is no admissible number, which only a damaged mapped file can hold, is never ruled out.
#pragma once

#include <algorithm>  // for max, min
#include <cmath>      // for sqrt, abs
#include <concepts>   // for same_as
#include <cstddef>    // for size_t, byte
#include <cstdint>    // for uint16_t, uint32_t
#include <span>       // for span
#include <vector>     // for vector

#include "vicinal/core/math.hpp"
#include "vicinal/metric/sums.hpp"
#include "vicinal/scoring/scorer.hpp"
#include "vicinal/simd/kernels.hpp"
#include "vicinal/storage/validation.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Prepared queries, one behind the other, each readable as kernels want it.
class query_table {
  public:
    query_table(std::size_t count, std::size_t dim)
        : dim_(dim), stride_(round_up(dim, cache_line / sizeof(float))), size_(count) {
        values_.resize(count * stride_);
    }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::span<float> operator[](std::size_t i) noexcept { return {values_.data() + i * stride_, dim_}; }
    [[nodiscard]] std::span<const float> operator[](std::size_t i) const noexcept {
        return {values_.data() + i * stride_, dim_};
    }

  private:
    std::size_t dim_;
    std::size_t stride_;
    std::size_t size_;
    padded_vector values_;
};

/// Scores blocks of rows against panels of queries. It refers to the metric, the store and the queries, none of which
/// may move while it lives. Not for two threads at once.
template <class Metric, class Codec, class Isa>
class query_tiles {
    using kernels = kernels_for<Metric, Codec, Isa>;
    using row_kernels = kernels_for<squares_of_row, Codec, Isa>;
    static constexpr bool differences = Metric::form == sum_form::squared_difference;
    static constexpr bool in_place = stores_floats<Codec>;

  public:
    /// How many queries a panel has at most, and how many fit into any.
    [[nodiscard]] static constexpr std::size_t panel_size() noexcept { return Isa::panel_size(); }
    static constexpr std::size_t most_of_panel = Isa::most_of_panel;
    /// Rows that `load` takes at most.
    static constexpr std::size_t most_rows = simd::tile_most_rows;

    query_tiles(const Metric& metric, const code_store<Codec>& store, const query_table& queries)
        : metric_(metric),
          store_(store),
          queries_(queries),
          dim_(store.components()),
          error_(sum_error(dim_)),
          underflow_(4 * (static_cast<double>(dim_) + 16) * 0x1p-126),
          norms_(queries.size()) {
        const f32 floats{dim_};
        for (std::size_t i = 0; i < queries.size(); ++i)
            kernels_for<squares_of_row, f32, Isa>::score_block(squares_of_row{}, floats, queries[i].data(), dim_,
                                                               reinterpret_cast<const std::byte*>(queries[i].data()), 0,
                                                               1, &norms_[i]);
        if constexpr (!in_place) {
            decoded_stride_ = round_up(dim_, cache_line / sizeof(float));
            decoded_.resize(decoded_stride_ * most_rows);
        }
    }

    /// Rows worth loading at once: whole tiles, few enough to stay in the second-level cache beside a panel.
    [[nodiscard]] static std::size_t rows_together(std::size_t dim) noexcept {
        constexpr std::size_t cached = std::size_t{128} << 10;
        const std::size_t rows = (std::min)(most_rows, cached / (dim * sizeof(float)));
        return std::max<std::size_t>(rows / simd::tile_rows * simd::tile_rows, 8 * simd::tile_rows);
    }

    /// Up to panel_size() queries, packed for the tiles.
    class panel {
      public:
        /// members  numbers of queries
        void pack(const query_tiles& owner, std::span<const std::uint32_t> members) {
            size_ = members.size();
            values_.resize(owner.dim_ * panel_size());
            const float* at[most_of_panel] = {};
            for (std::size_t i = 0; i < size_; ++i) {
                members_[i] = members[i];
                at[i] = owner.queries_[members[i]].data();
            }
            Isa::pack(at, size_, owner.dim_, values_.data());
        }
        [[nodiscard]] std::size_t size() const noexcept { return size_; }
        [[nodiscard]] std::uint32_t operator[](std::size_t i) const noexcept { return members_[i]; }
        [[nodiscard]] const float* data() const noexcept { return values_.data(); }

      private:
        padded_vector values_;
        std::size_t size_ = 0;
        std::uint32_t members_[most_of_panel] = {};
    };

    /// Takes the rows [first, first + count) of `table` for the scans to come.
    void load(const simd::row_table& table, slot_t first, std::size_t count) {
        table_ = table;
        first_ = first;
        count_ = count;
        slot_t slots[most_rows];
        for (std::size_t r = 0; r < count; ++r) {
            slots[r] = static_cast<slot_t>(first + r);
            rows_[r] = floats_of(r, table[slots[r]]);
        }
        row_kernels::score_list(squares_of_row{}, store_.coder(), queries_[0].data(), dim_, table, slots, count,
                                terms_);
        const auto lost = static_cast<float>(static_cast<double>(dim_) * 0x1p-126);  // by squares that underflow
        for (std::size_t r = 0; r < count; ++r) {
            const bool usable = admissible_when_decoded(terms_[r]);
            if constexpr (differences)
                terms_[r] =
                    usable ? static_cast<float>((1 - 2.5 * error_) / 2 * double{terms_[r]}) : -detail::infinite();
            else
                terms_[r] = usable ? std::sqrt(terms_[r] + lost) : detail::infinite();
        }
    }

    /// Pushes to collector_of(query) the loaded rows that could be closer than it asks for, row i as slot_of(i), unless
    /// that is no_slot. Every row whose distance is at most the collector's threshold is among them, with the distance
    /// a single query finds.
    template <class CollectorOf, class SlotOf>
    void scan(const panel& queries, CollectorOf collector_of, SlotOf slot_of) {
        float least[most_of_panel];
        float slope[most_of_panel];
        for (std::size_t i = 0; i < panel_size(); ++i) {
            least[i] = detail::infinite();
            slope[i] = differences ? 1.0F : 0.0F;
            if (i < queries.size()) demand(queries[i], collector_of(queries[i]).threshold(), least[i], slope[i]);
        }
        Isa::collect(queries.data(), queries.size(), dim_, rows_, count_, least, slope, terms_, reached_);
        for (std::size_t i = 0; i < queries.size(); ++i)
            if (reached_.count[i] != 0) score(queries[i], reached_.row[i], reached_.count[i], collector_of, slot_of);
    }

  private:
    const float* floats_of(std::size_t r, const std::byte* code) {
        if constexpr (in_place) {
            return reinterpret_cast<const float*>(code);
        } else {
            float* const row = decoded_.data() + r * decoded_stride_;
            row_kernels::decode(store_.coder(), code, dim_, row);
            return row;
        }
    }

    void demand(std::size_t query, float threshold, float& least, float& slope) const noexcept {
        const double norm = double{norms_[query]} + static_cast<double>(dim_) * 0x1p-126;
        if constexpr (differences) {
            const double sum = (norm * (1 - 2.5 * error_) - double{threshold} * (1 + 1.75 * error_)) / 2;
            least = static_cast<float>(sum - underflow_);
        } else {
            const double sum = metric_.least_sum(threshold);
            least = static_cast<float>(sum - 0x1p-21 * std::abs(sum) - underflow_);
            slope = static_cast<float>(-2.5 * error_ * std::sqrt(norm) - 0x1p-126);
        }
    }

    template <class CollectorOf, class SlotOf>
    void score(std::uint32_t query, const std::uint16_t* reached, std::size_t count, CollectorOf& collector_of,
               SlotOf& slot_of) {
        slot_t slots[most_rows];
        float distances[most_rows];
        for (std::size_t i = 0; i < count; ++i) slots[i] = first_ + reached[i];
        kernels::score_list(metric_, store_.coder(), queries_[query].data(), dim_, table_, slots, count, distances);
        auto& collector = collector_of(query);
        float threshold = collector.threshold();
        for (std::size_t i = 0; i < count; ++i) {
            if (!(distances[i] <= threshold)) continue;
            const slot_t slot = slot_of(reached[i]);
            if (slot == no_slot) continue;
            collector.push(slot, distances[i]);
            threshold = collector.threshold();
        }
    }

    const Metric& metric_;
    const code_store<Codec>& store_;
    const query_table& queries_;
    std::size_t dim_;
    double error_;      // g above
    double underflow_;  // what all products of a sum lose to it
    std::vector<float> norms_;
    padded_vector decoded_;
    std::size_t decoded_stride_ = 0;
    simd::row_table table_;
    slot_t first_ = 0;
    std::size_t count_ = 0;
    const float* rows_[most_rows] = {};
    float terms_[most_rows] = {};
    simd::tile_hits<most_of_panel> reached_;
};

}  // namespace detail

VICINAL_NAMESPACE_END
