// SPDX-License-Identifier: MIT
// pq codes are scanned for rows that could be close by look-up tables of 8-bit numbers, 32 rows at once (FastScan:
// Andre, Kermarrec, Le Scouarnec 2015). That rules out for sure. What is left is scored as ever, so results are the
// same, bit for bit.
//
// With x a row's decoded vector, pair p of its components one of 16 centroids c_p, and E_p what that pair adds to
//     squared differences  |q - x|^2 = sum E_p,  E_p = |q_p - c_p|^2
//     products             -q.x      = sum E_p,  E_p = -q_p.c_p
// the tables hold floor((E_p - m_p) / step), cut off at the largest entry, with m_p the least of the pair's 16. So
// their sum times step is at most sum (E_p - m_p), and a row may be passed over if it exceeds what T, which the
// scorer's distance must not, leaves:
//     squared differences  sum E_p <= T (1 + 1.25 g)
//     products             sum E_p <= -least_sum(T) + 1.1 g |q| X
// with g as in scoring/query_tiles.hpp and X the largest length a decoded vector has. E_p are computed in single
// precision, u = 2^-24: of squared differences the error of all is within 9 u of their sum, of products within 10 u |q|
// X; 16 u are taken. All of these may lose 2^-126 to underflow.
//
// The step is chosen by what T leaves: a row that is close has E_p of few times the mean of that, and what the rest are
// cut off at matters little, while a step twice as large loses twice as much. So tables are made when the first
// threshold is known (what Andre et al. call qmax), and again when it has fallen a good deal.
#pragma once

#include <cmath>    // for floor, sqrt
#include <cstddef>  // for size_t, byte
#include <cstdint>  // for uint8_t, uint64_t
#include <limits>   // for numeric_limits

#include "vicinal/codec/pq/pq.hpp"
#include "vicinal/core/math.hpp"
#include "vicinal/scoring/prefilter_sq.hpp"
#include "vicinal/simd/kernels.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Look-up tables (LUT) of what each centroid adds to a query's distance: in floats, and quantised to bytes.
template <class Codec, class Isa, bool Differences>
class lookup_tables {
    static constexpr std::size_t entries = Codec::centroids;
    static constexpr std::size_t together = 4;  // table entries up to 63

  public:
    /// buffer  keeps all that grows with the dimension as long as this lives
    lookup_tables(const code_store<Codec>& store, const float* query, padded_vector& buffer)
        : pairs_(store.coder().pairs()),
          bytes_(round_up(store.coder().code_size(), 2)),
          ahead_(store.rows().ahead_of_groups()) {
        const Codec& coder = store.coder();
        // Sums of more pairs are no whole numbers as floats. Nothing is stored before the codec is trained.
        able_ = pairs_ <= std::size_t{1} << 16 && coder.trained();
        if (!able_) return;
        const std::size_t floats = pairs_ * entries;
        buffer.resize(floats + bytes_ * 2 * entries / sizeof(float));
        float_lut_ = buffer.data();
        byte_lut_ = reinterpret_cast<std::uint8_t*>(buffer.data() + floats);
        for (std::size_t p = 0; p < pairs_; ++p) {
            const float second = 2 * p + 1 < coder.dim() ? query[2 * p + 1] : 0.0F;
            least_ += double{Isa::template plane_lookup<Differences>(coder.codebook(p).data(), query[2 * p], second,
                                                                     float_lut_ + p * entries, most_)};
        }
    }

    [[nodiscard]] bool able() const noexcept { return able_; }
    [[nodiscard]] looked_up_bytes looked_up() const noexcept { return {0, bytes_}; }
    /// The sum of m_p above.
    [[nodiscard]] double least() const noexcept { return least_; }
    /// The sum of the pairs' mean E_p above m_p: about that of any row.
    [[nodiscard]] double mean() const noexcept {
        double sum = 0;
        for (std::size_t i = 0; i < pairs_ * entries; ++i) sum += double{float_lut_[i]};
        return sum / static_cast<double>(entries);
    }
    /// What an entry is worth.
    [[nodiscard]] double step() const noexcept { return double{step_}; }

    /// Quantises the tables for rows whose E_p above m_p add up to `room`: rounded down, or to the nearest.
    void quantize(double room, bool nearest) noexcept {
        constexpr unsigned highest = simd::highest_entry<together>;
        constexpr double smallest = 0x1p-120;
        // Ten times the mean E_p of such a row: 4 times lets several times as many rows through on SIFT and on text
        // embeddings, 30 times a third more.
        double most = room * 10 / static_cast<double>(pairs_);
        if (most > room) most = room;
        if (most > double{most_}) most = double{most_};
        step_ = static_cast<float>(most / highest > smallest ? most / highest : smallest);
        Isa::round_to_bytes(float_lut_, pairs_ * entries, 1.0F / step_, nearest ? 0.5F : 0.0F, highest, byte_lut_);
        // Half bytes that hold no pair.
        for (std::size_t i = pairs_ * entries; i < bytes_ * 2 * entries; ++i) byte_lut_[i] = 0;
    }
    /// The sums of rows' entries into out, which has 64 places; bit i is set if row i's is at most `limit`. Rows as in
    /// score_block, count <= 64.
    VICINAL_INLINE std::uint64_t sums(const std::byte* first, std::size_t stride, std::size_t count, float limit,
                                      float* out) const noexcept {
        return Isa::template table_sums<together>(first, stride, count, byte_lut_, 8 * bytes_, ahead_, limit, out);
    }
    /// The same by the rows' columns.
    VICINAL_INLINE std::uint64_t sums(const std::uint8_t* columns, std::size_t count, float limit,
                                      float* out) const noexcept {
        return Isa::template column_sums<together>(columns, count, byte_lut_, 8 * bytes_, limit, out);
    }

  private:
    std::size_t pairs_;
    std::size_t bytes_;
    simd::scan_ahead ahead_;
    bool able_ = false;
    float* float_lut_ = nullptr;
    std::uint8_t* byte_lut_ = nullptr;
    double least_ = 0;
    float most_ = 0;  // the largest E_p above m_p
    float step_ = 1;
};

template <class Metric, class Codec, class Isa>
requires scans_by<Metric, Codec, Isa, scan_algorithm::table_prefilter>
class scan_scorer<Metric, Codec, Isa> : public scorer<Metric, Codec, Isa> {
    static constexpr bool differences = Metric::form == sum_form::squared_difference;

  public:
    /// buffer  keeps the query's tables as long as this lives
    scan_scorer(const Metric& metric, const code_store<Codec>& store, const float* query, padded_vector& row_buffer,
                padded_vector& buffer)
        : scorer<Metric, Codec, Isa>(metric, store, query, row_buffer), metric_(metric), luts_(store, query, buffer) {
        error_ = sum_error(store.components());
        lost_ = 8 * (static_cast<double>(store.components()) + 16) * 0x1p-126;
        if constexpr (!differences) {
            const double squares = squared_norm({query, store.components()});
            off_ = (1.1 * error_ + 0x1p-20) * std::sqrt(squares * store.coder().largest_squares());
        }
    }

    [[nodiscard]] looked_up_bytes looked_up() const noexcept { return luts_.looked_up(); }
    /// Bit i is set if row i of `count` <= 64 could be at most at distance `threshold`. Rows as in score_block.
    [[nodiscard]] std::uint64_t close_rows(const std::byte* first, std::size_t stride, std::size_t count,
                                           float threshold) const noexcept {
        alignas(32) float sums[64];
        if (!sets_limit(threshold)) return ~std::uint64_t{0} >> (64 - count);
        return luts_.sums(first, stride, count, limit_, sums);
    }
    [[nodiscard]] std::uint64_t close_rows(const std::byte*, std::size_t, std::size_t count, float threshold,
                                           const std::uint8_t* columns) const noexcept {
        alignas(32) float sums[64];
        if (!sets_limit(threshold)) return ~std::uint64_t{0} >> (64 - count);
        return luts_.sums(columns, count, limit_, sums);
    }

  private:
    static constexpr float nothing_ruled_out = (std::numeric_limits<float>::max)();

    /// Makes limit_ the limit for a threshold. False: nothing is ruled out.
    [[nodiscard]] VICINAL_INLINE bool sets_limit(float threshold) const noexcept {
        if (!luts_.able()) return false;
        if (threshold != asked_) {
            asked_ = threshold;
            limit_ = limit_of(threshold);
        }
        return limit_ != nothing_ruled_out;
    }
    /// What the sums of a row's entries must not exceed for a distance up to `threshold`.
    [[nodiscard]] float limit_of(float threshold) const noexcept {
        double room = 0;
        if constexpr (differences) {
            room = double{threshold} > 0 ? double{threshold} * (1 + 1.25 * error_) * (1 + 0x1p-20) + lost_ : lost_;
        } else {
            room = off_ - metric_.least_sum(threshold) + lost_;
        }
        if (!(room < double{(std::numeric_limits<float>::max)()})) return nothing_ruled_out;
        const double least = luts_.least();
        room -= least - 0x1p-40 * (least < 0 ? -least : least);
        if (!(room >= 0)) return -1;
        if (!(room >= 0.7 * made_for_ && room <= 1.4 * made_for_)) {
            made_for_ = room;
            luts_.quantize(room, false);
        }
        const double limit = std::floor(room / luts_.step() * (1 + 0x1p-40));
        return limit < 0x1p24 ? static_cast<float>(limit) : 0x1p24F;
    }

    const Metric& metric_;
    mutable lookup_tables<Codec, Isa, differences> luts_;
    double error_ = 0;  // g above
    double lost_ = 0;   // to underflow
    double off_ = 0;    // by roundings, of products
    mutable double made_for_ = -1;
    mutable float asked_ = detail::infinite();
    mutable float limit_ = nothing_ruled_out;
};

/// Scores rows of scans by the sums of their entries alone, for a finer codec to decide: they order rows but for what
/// rounding to 6 bits changes, about a hundredth of a close row's distance. The tables depend on the query alone.
template <class Metric, class Codec, class Isa>
class estimating_scorer : public scorer<Metric, Codec, Isa> {
    using tables_type = lookup_tables<Codec, Isa, Metric::form == sum_form::squared_difference>;

  public:
    estimating_scorer(const Metric& metric, const code_store<Codec>& store, const float* query,
                      padded_vector& row_buffer, padded_vector& buffer)
        : scorer<Metric, Codec, Isa>(metric, store, query, row_buffer), luts_(store, query, buffer) {
        if (luts_.able()) luts_.quantize(luts_.mean() * 1.5, true);
    }

    [[nodiscard]] looked_up_bytes looked_up() const noexcept { return luts_.looked_up(); }
    /// Estimates of `count` <= 64 rows into out, which has 64 places; bit i is set if row i's is at most `threshold`.
    [[nodiscard]] std::uint64_t estimate(const std::byte* first, std::size_t stride, std::size_t count, float threshold,
                                         float* out) const {
        if (luts_.able()) return luts_.sums(first, stride, count, threshold, out);
        this->score_block(first, stride, count, out);
        return ~std::uint64_t{0} >> (64 - count);
    }
    [[nodiscard]] std::uint64_t estimate(const std::byte* first, std::size_t stride, std::size_t count, float threshold,
                                         float* out, const std::uint8_t* columns) const {
        if (luts_.able()) return luts_.sums(columns, count, threshold, out);
        return estimate(first, stride, count, threshold, out);
    }

  private:
    tables_type luts_;
};

}  // namespace detail

VICINAL_NAMESPACE_END
