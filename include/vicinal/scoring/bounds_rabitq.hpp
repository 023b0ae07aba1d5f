// SPDX-License-Identifier: MIT
// rabitq codes are scanned by their signs. Those of 32 rows at once say how far each row is, within an error known of
// each, and only rows that could be close are looked at again.
//
// With o = R (x - c) the row's rotated vector, v any vector, s the signs of o and n the width,
//     <v, o>  is about  factor <v, s>,   factor = |o|^2 / |o|_1,
// without bias over R, and the error is about |v| sqrt((n factor^2 - |o|^2) / (n - 1)) (Gao, Long 2024, theorem 3.2).
// A row is passed over if its distance would still be too large were that `rabitq::reach` times as much off.
//     |q - x|^2 = |q - c|^2 + |o|^2 - 2 <v, o>         v = R (q - c), short where lists are close
//     <q, x>    = <q, c> + <v, o> + <R m, o>           v = R (q - m), m being the codec's mean: the same for all lists
#pragma once

#include <algorithm>  // for max, min
#include <cmath>      // for sqrt
#include <cstddef>    // for size_t, byte
#include <cstdint>    // for uint8_t, uint32_t, uint64_t
#include <limits>     // for numeric_limits

#include "vicinal/codec/rabitq.hpp"
#include "vicinal/core/bit_cast.hpp"
#include "vicinal/core/math.hpp"
#include "vicinal/metric/sums.hpp"
#include "vicinal/scoring/prefilter_sq.hpp"
#include "vicinal/simd/kernels.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// A rabitq code's rotated vector, relative to the center, as kernels load it.
template <class Codec>
struct rotated_code {
    const Codec& coder;

    template <class V>
    [[nodiscard]] VICINAL_INLINE V load(const std::byte* code, std::size_t i) const noexcept {
        return simd::centered_levels<V, Codec::bits>(coder.levels(code, i / 8 * 8), i, Codec::factors(code).scale);
    }
    [[nodiscard]] std::size_t code_size() const noexcept { return coder.code_size(); }
};

template <class Metric, class Codec, class Isa>
requires scans_by<Metric, Codec, Isa, scan_algorithm::sign_bounds>
class scan_scorer<Metric, Codec, Isa> : public scorer<Metric, Codec, Isa> {
    static constexpr bool differences = Metric::form == sum_form::squared_difference;

  public:
    /// buffer  keeps what is made of the query as long as this lives
    scan_scorer(const Metric& metric, const code_store<Codec>& store, const float* query, padded_vector& row_buffer,
                padded_vector& buffer)
        : scorer<Metric, Codec, Isa>(metric, store, query, row_buffer),
          metric_(metric),
          coder_(store.coder()),
          ahead_(store.rows().ahead_of_groups()) {
        const std::size_t n = coder_.width();
        // Of fewer components the error is no bell curve. Nothing is stored before the codec is trained.
        if (n < 64 || !coder_.trained()) return;
        buffer.resize(4 * n);
        rotated_ = buffer.data();
        relative_ = buffer.data() + n;
        lut_ = reinterpret_cast<std::uint8_t*>(buffer.data() + 2 * n);
        Isa::rotate(coder_.rotation(), query, rotated_, buffer.data() + 3 * n);
        length_ = std::sqrt(product(rotated_, rotated_));
        signs_.factors_size = Codec::factors_size;
        signs_.tables = lut_;
        signs_.width = n;
        signs_.terms.width = static_cast<float>(n);
        if constexpr (!differences) make_luts(coder_.own_center());
        relative_to(coder_.own_center());
    }

    /// From now on codes are relative to `center` instead of the codec's own. Squared differences have new tables then,
    /// which cost as much as a scan of some tens of rows.
    void relative_to(const code_center& center) noexcept {
        scorer<Metric, Codec, Isa>::relative_to(center);
        if (rotated_ == nullptr) return;
        lengths_ = length_ + std::sqrt(product(center.derived, center.derived));
        if constexpr (differences) {
            make_luts(center);
            signs_.terms.base = static_cast<float>(distance_);
        } else {
            with_center_ = product(rotated_, center.derived);
            signs_.terms.base = static_cast<float>(-with_center_);
        }
    }

    /// What rows' lower bounds must not exceed for a distance of `threshold`.
    [[nodiscard]] float limit_of(float threshold) const noexcept {
        if constexpr (differences)
            return threshold;
        else
            return static_cast<float>((std::min)(-metric_.least_sum(threshold), double{largest}));
    }
    [[nodiscard]] looked_up_bytes looked_up() const noexcept { return {Codec::factors_size, coder_.width() / 8}; }
    /// The rows' bounds, by their signs, into out, which has places for whole 32. Rows as in score_block, any number:
    /// by hundreds they take two thirds of the time.
    void lower_bounds(const std::byte* first, std::size_t stride, std::size_t count, float* out) const noexcept {
        if (!able_) {
            for (std::size_t r = 0; r < count; ++r) out[r] = -largest;
            return;
        }
        Isa::template sign_bounds<differences>(first, stride, count, signs_, ahead_, largest, out);
    }
    /// The same by the columns of their signs.
    void lower_bounds(const std::byte* first, std::size_t stride, std::size_t count, float* out,
                      const std::uint8_t* columns) const noexcept {
        if (able_)
            Isa::template column_bounds<differences>(columns, first, stride, count, signs_, largest, out);
        else
            lower_bounds(first, stride, count, out);
    }
    /// Which of 32 bounds are not above `limit`, as bits.
    [[nodiscard]] static VICINAL_INLINE std::uint32_t not_above(const float* bounds, float limit) noexcept {
        return Isa::not_above_32(bounds, limit);
    }
    /// Distances to the rows `which` of `rows`; what by all its bits is certainly beyond `threshold` may be at
    /// infinity. count <= 64
    void measure(const simd::row_table& rows, const slot_t* which, const slot_t*, std::size_t count, float threshold,
                 float* out) const {
        std::uint64_t close = ~std::uint64_t{0};
        if (able_ && limit_of(threshold) < largest) close = close_by_all_bits(rows, which, count, threshold);
        for (std::size_t i = 0; i < count; ++i) {
            out[i] = detail::infinite();
            if ((close >> i & 1U) != 0) this->score_block(rows[which[i]], rows.stride, 1, out + i);
        }
    }

  private:
    static constexpr float largest = (std::numeric_limits<float>::max)();

    /// Of two rotated vectors.
    [[nodiscard]] double product(const float* a, const float* b) const noexcept {
        return double{Isa::dot(a, b, coder_.width())};
    }

    /// Makes the look-up tables of R (q - point), by which products with o are estimated.
    void make_luts(const code_center& point) noexcept {
        const std::size_t n = coder_.width();
        // By its bits, which numbers that are none, of a damaged mapped file, do not pass whatever the compiler is
        // told.
        constexpr auto least = detail::bit_cast<std::uint32_t>(0x1p-90F);
        constexpr auto most = detail::bit_cast<std::uint32_t>(0x1p100F);
        const float distance = Isa::subtract(rotated_, point.derived, n, relative_);
        const auto bits = detail::bit_cast<std::uint32_t>(distance);
        able_ = bits > least && bits < most;
        if (!able_) return;
        distance_ = double{distance};
        signs_.scale = Isa::make_lookup_tables(relative_, n, lut_);
        signs_.terms.slack = static_cast<float>((differences ? 2.0 : 1.0) * double{Codec::reach} *
                                                std::sqrt(distance_ / static_cast<double>(n - 1)));
    }

    /// Distances by decoded vectors differ from those of rotated ones by the rounding of both.
    [[nodiscard]] std::uint64_t close_by_all_bits(const simd::row_table& rows, const slot_t* which, std::size_t count,
                                                  float threshold) const noexcept {
        float values[64];
        std::uint64_t close = 0;
        const rotated_code<Codec> rotated{coder_};
        if constexpr (differences) {
            kernels_for<Metric, rotated_code<Codec>, Isa>::score_list(metric_, rotated, relative_, coder_.width(), rows,
                                                                      which, count, values);
            const double reach = std::sqrt((std::max)(double{threshold}, 0.0)) + 0x1p-18 * lengths_;
            const double limit = reach * reach * (1 + 0x1p-14);
            for (std::size_t i = 0; i < count; ++i) close |= std::uint64_t{double{values[i]} > limit ? 0U : 1U} << i;
        } else {
            kernels_for<plain_sum, rotated_code<Codec>, Isa>::score_list(plain_sum{}, rotated, rotated_, coder_.width(),
                                                                         rows, which, count, values);
            const double least = metric_.least_sum(threshold) - with_center_;
            for (std::size_t i = 0; i < count; ++i) {
                const double row = lengths_ + std::sqrt(double{Codec::factors(rows[which[i]]).squares});
                close |= std::uint64_t{double{values[i]} < least - 0x1p-16 * length_ * row ? 0U : 1U} << i;
            }
        }
        return close;
    }

    const Metric& metric_;
    const Codec& coder_;
    simd::scan_ahead ahead_;
    bool able_ = false;
    float* rotated_ = nullptr;   // R q
    float* relative_ = nullptr;  // what the tables are made of
    std::uint8_t* lut_ = nullptr;
    simd::sign_query signs_;
    double with_center_ = 0;  // <q, c>, of products
    double distance_ = 0;     // |q - c|^2, of products |q - m|^2
    double length_ = 0;       // |q|
    double lengths_ = 0;      // |q| + |c|
};

/// Scans the signs of a coarse rabitq code and measures what could be close by the fine codec at once.
template <class Metric, class Coarse, class Fine, class Isa>
class sketch_scorer {
  public:
    sketch_scorer(const scan_scorer<Metric, Coarse, Isa>& coarse, const scorer<Metric, Fine, Isa>& fine)
        : coarse_(coarse), fine_(fine) {}

    void relative_to(const code_center& center) noexcept { coarse_.relative_to(center); }
    [[nodiscard]] const simd::row_table& rows() const noexcept { return coarse_.rows(); }
    [[nodiscard]] float limit_of(float threshold) const noexcept { return coarse_.limit_of(threshold); }
    [[nodiscard]] looked_up_bytes looked_up() const noexcept { return coarse_.looked_up(); }
    void lower_bounds(const std::byte* first, std::size_t stride, std::size_t count, float* out) const noexcept {
        coarse_.lower_bounds(first, stride, count, out);
    }
    void lower_bounds(const std::byte* first, std::size_t stride, std::size_t count, float* out,
                      const std::uint8_t* columns) const noexcept {
        coarse_.lower_bounds(first, stride, count, out, columns);
    }
    [[nodiscard]] static VICINAL_INLINE std::uint32_t not_above(const float* bounds, float limit) noexcept {
        return scan_scorer<Metric, Coarse, Isa>::not_above(bounds, limit);
    }
    /// Distances by the fine codec.
    void score(const slot_t* slots, std::size_t count, float* out) const { fine_.score(slots, count, out); }
    void measure(const simd::row_table&, const slot_t*, const slot_t* slots, std::size_t count, float,
                 float* out) const {
        measured_ += count;
        fine_.score(slots, count, out);
    }
    /// How many rows were measured.
    [[nodiscard]] std::size_t measured() const noexcept { return measured_; }

  private:
    scan_scorer<Metric, Coarse, Isa> coarse_;
    scorer<Metric, Fine, Isa> fine_;
    mutable std::size_t measured_ = 0;
};

}  // namespace detail

VICINAL_NAMESPACE_END
