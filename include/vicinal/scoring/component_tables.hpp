// SPDX-License-Identifier: MIT
// Codes of 4 bits with a range for each component are scanned for squared differences by look-up tables of 8-bit
// numbers, one a component, as pq's codes are (scoring/prefilter_pq.hpp): integer sums would need a weight for each
// component, and products of bytes are too coarse for those. It rules rows out for sure.
//
// With x_i one of the 16 values of component i and E_i = (q_i - x_i)^2, a table holds floor((E_i - m_i) / step), cut
// off at the largest entry, with m_i the least of the 16. So a row's sum times step is at most sum (E_i - m_i), and it
// may be passed over if that exceeds what T, which the scorer's distance must not, leaves:
//     sum E_i <= (sqrt(T (1 + 1.25 g)) + 8 u X)^2
// with g, u and X as in scoring/prefilter_sq.hpp: how x_i are rounded here and by the scorer may differ by 6 u X. What
// E_i, their differences and quotients lose in single precision is within 9 u of their sum, of which 16 u are taken; to
// underflow each may lose 2^-126.
//
// All tables share one step. What an entry loses by rounding grows with it, what is cut off shrinks with it, and which
// is more depends on how unlike the components are. So the step is what loses least for a row whose distance is spread
// over its components as that of all codes is. With ten times the mean E_i as the largest entry, as pq has it, scans of
// rows with a spectrum of 1 / i took up to three times as long.
#pragma once

#include <cmath>    // for floor, sqrt
#include <cstddef>  // for size_t, byte
#include <cstdint>  // for uint8_t, uint64_t
#include <limits>   // for numeric_limits

#include "vicinal/core/math.hpp"
#include "vicinal/scoring/query_tiles.hpp"
#include "vicinal/simd/kernels.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Says which rows could be close to a query by a table for each component. Not for two threads at once.
template <class Isa>
class component_tables {
    static constexpr std::size_t entries = 16;
    static constexpr std::size_t together = 2;
    static constexpr unsigned highest = simd::highest_entry<together>;

  public:
    /// Makes the tables of a query; there is no asking before.
    /// buffer  keeps all that grows with the dimension as long as this lives
    template <class Codec>
    void make(const code_store<Codec>& store, const float* query, padded_vector& buffer) {
        const Codec& coder = store.coder();
        components_ = store.components();
        bytes_ = coder.code_size();
        ahead_ = store.rows().ahead_of_groups();
        const std::size_t floats = components_ * entries;
        buffer.resize(floats + components_ + bytes_ * 2 * entries / sizeof(float));
        float_lut_ = buffer.data();
        byte_lut_ = reinterpret_cast<std::uint8_t*>(buffer.data() + floats);
        float* const shares = buffer.data() + floats + bytes_ * 2 * entries / sizeof(float);
        for (std::size_t i = 0; i < components_; ++i)
            least_ += double{fill(query[i], coder.low(i), coder.step(i), float_lut_ + i * entries, shares[i])};
        choose_cut(shares);
        error_ = sum_error(components_);
        off_ = 0x1p-21 * std::sqrt(coder.largest_squares());
        lost_ = 8 * (static_cast<double>(components_) + 16) * 0x1p-126;
    }

    /// Bit i is set if row i of `count` <= 64 could be at most at distance `threshold`. Rows as in score_block.
    [[nodiscard]] std::uint64_t close_rows(const std::byte* first, std::size_t stride, std::size_t count,
                                           float threshold) noexcept {
        if (threshold != asked_) {
            asked_ = threshold;
            limit_ = limit_of(threshold);
        }
        if (limit_ == nothing_ruled_out) return ~std::uint64_t{0} >> (64 - count);
        if (limit_ < 0) return 0;
        alignas(32) float sums[64];
        return Isa::template table_sums<together>(first, stride, count, byte_lut_, 8 * bytes_, ahead_, limit_, sums);
    }

  private:
    static constexpr float nothing_ruled_out = (std::numeric_limits<float>::max)();

    /// Writes what each value of a component adds to the distance less what the nearest one does, which is returned;
    /// `share` is the sum.
    [[nodiscard]] float fill(float component, float low, float step, float* out, float& share) noexcept {
        for (std::size_t c = 0; c < entries; ++c) {
            const float off = static_cast<float>(c) * step + low - component;
            out[c] = off * off;
        }
        float least = out[0];
        for (std::size_t c = 1; c < entries; ++c) least = out[c] < least ? out[c] : least;
        share = 0;
        for (std::size_t c = 0; c < entries; ++c) {
            out[c] = simd::larger(out[c] - least, 0.0F);
            share += out[c];
            most_ = simd::larger(most_, out[c]);
        }
        return least;
    }

    /// Chooses which part of the room the largest entry is worth. A component's E_i is taken to be a squared gaussian
    /// of mean r: above `top` lies about r exp(-top / 2 r), of whose inverse the first terms do.
    void choose_cut(const float* shares) noexcept {
        float sum = 0;
        for (std::size_t i = 0; i < components_; ++i) sum += shares[i];
        if (!(sum > 0)) return;
        float least = (std::numeric_limits<float>::max)();
        for (float top = 1; top * static_cast<float>(components_) > 2; top /= 2) {
            float loss = 0;
            for (std::size_t i = 0; i < components_; ++i) {
                const float r = shares[i] / sum;
                const float x = top / (2 * r + 1e-20F);
                const float rounded = top / (2 * static_cast<float>(highest));
                loss += (rounded < r ? rounded : r) + r / (1 + x * (1 + x * (1 + x * (1 + x / 4) / 3) / 2));
            }
            if (!(loss < least)) continue;
            least = loss;
            cut_ = double{top};
        }
    }

    /// What the sums of a row's entries must not exceed for a distance up to `threshold`.
    [[nodiscard]] float limit_of(float threshold) noexcept {
        const double reach =
            std::sqrt(double{threshold} > 0 ? double{threshold} * (1 + 1.25 * error_) + lost_ : lost_) + off_;
        double room = reach * reach * (1 + 0x1p-20) + lost_;
        if (!(room < double{(std::numeric_limits<float>::max)()})) return nothing_ruled_out;
        room -= least_ * (1 - 0x1p-40);
        if (!(room >= 0)) return -1;
        if (!(room >= 0.7 * made_for_ && room <= 1.4 * made_for_)) {
            made_for_ = room;
            quantize(room);
        }
        const double limit = std::floor(room / double{step_} * (1 + 0x1p-40));
        return limit < 0x1p24 ? static_cast<float>(limit) : 0x1p24F;
    }

    /// Rounds the tables down for rows whose E_i above m_i add up to `room`.
    void quantize(double room) noexcept {
        constexpr double smallest = 0x1p-120;
        double most = room * cut_;
        if (most > double{most_}) most = double{most_};
        step_ = static_cast<float>(most / highest > smallest ? most / highest : smallest);
        Isa::round_to_bytes(float_lut_, components_ * entries, 1.0F / step_, 0.0F, highest, byte_lut_);
        // The half byte behind an odd dimension.
        for (std::size_t i = components_ * entries; i < bytes_ * 2 * entries; ++i) byte_lut_[i] = 0;
    }

    std::size_t components_ = 0;
    std::size_t bytes_ = 0;
    simd::scan_ahead ahead_;
    float* float_lut_ = nullptr;
    std::uint8_t* byte_lut_ = nullptr;
    double least_ = 0;  // the sum of m_i above
    float most_ = 0;    // the largest E_i above m_i
    double cut_ = 1;
    float step_ = 1;    // what an entry is worth
    double error_ = 0;  // g above
    double off_ = 0;    // by roundings of x_i
    double lost_ = 0;   // to underflow
    double made_for_ = -1;
    float asked_ = infinite();
    float limit_ = nothing_ruled_out;
};

}  // namespace detail

VICINAL_NAMESPACE_END
