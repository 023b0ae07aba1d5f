// SPDX-License-Identifier: MIT
// Scalar quantisation to one byte per component.
#pragma once

#include <algorithm>    // for clamp, max, min
#include <cmath>        // for floor
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint8_t
#include <span>         // for span
#include <string_view>  // for string_view

#include "vicinal/codec/ordinary_rows.hpp"
#include "vicinal/codec/sq/affine_ranges.hpp"
#include "vicinal/core/math.hpp"
#include "vicinal/simd/intrinsics.hpp"

VICINAL_NAMESPACE_BEGIN

/// One byte per component: 256 even steps over a range learned from the first rows, of which a few wild ones have no
/// say. Components outside their range take its nearest end, which indexes count (`codec_report`). One range serves all
/// components where theirs are much alike, else each has its own; with one range the codes are an integer image of the
/// vector, and squared distances can be taken on the bytes themselves.
class sq8 : public detail::affine_ranges {
  public:
    static constexpr std::string_view name = "sq8";
    static constexpr unsigned bits = 8;

    explicit sq8(std::size_t dim = 0) : affine_ranges(dim, 255) {}

    [[nodiscard]] std::size_t code_size() const noexcept { return dim(); }

    /// Learns the ranges from at most 65536 evenly spaced rows: smallest and largest of each component, or of all where
    /// that costs at most twice the error. If all are whole numbers and one range of 256 holds them, the code is exact.
    /// Rows far off the rest, at most one in 64, have no say (codec/ordinary_rows.hpp).
    void train(matrix_view<const float> rows) { learn(detail::ordinary_rows(rows, rows.rows() / 65536 + 1)); }
    /// The same from all of these rows, wild or not.
    template <class Rows>
    void learn(const Rows& rows) {
        bool uneven = false;
        if constexpr (detail::selected_rows<Rows>) uneven = rows.left_out();
        set(detail::extremes(rows), rows.rows() < 256, uneven ? 2.0 : 4.0);
    }
    /// Widens the ranges to hold these rows, too, by at least half their width at the end that moves: ranges that grow
    /// with the data grow a number of times that is logarithmic. Where whole numbers are exact it takes no more than it
    /// needs, so that they may stay so.
    template <class Rows>
    void widen(const Rows& rows) {
        constexpr float most = 6e18F;  // no admitted component is larger
        detail::extremes seen(rows);
        seen.whole = seen.whole && uniform() && step(0) == 1.0F && low(0) == std::floor(low(0));
        for (std::size_t i = 0; i < dim(); ++i) {
            const float high = range_high(i);
            const float half = seen.whole ? 0.0F : high / 2 - low(i) / 2;
            if (seen.smallest[i] >= low(i))
                seen.smallest[i] = low(i);
            else
                seen.smallest[i] = (std::min)(seen.smallest[i], (std::max)(low(i) - half, -most));
            if (seen.largest[i] <= high)
                seen.largest[i] = high;
            else
                seen.largest[i] = (std::max)(seen.largest[i], (std::min)(high + half, most));
        }
        set(seen, false, 4.0);
    }

    void encode(std::span<const float> vector, std::span<std::byte> code) const noexcept {
        for (std::size_t i = 0; i < dim(); ++i) {
            const float position = std::clamp((vector[i] - low(i)) / step(i), 0.0F, 255.0F);
            code[i] = static_cast<std::byte>(static_cast<std::uint8_t>(position + 0.5F));
        }
    }
    void decode(std::span<const std::byte> code, std::span<float> vector) const noexcept {
        for (std::size_t i = 0; i < dim(); ++i) vector[i] = load<float>(code.data(), i);
    }
    template <class V>
    [[nodiscard]] VICINAL_INLINE V load(const std::byte* code, std::size_t i) const noexcept {
        return mul_add(simd::widen_u8<V>(code + i), simd::load<V>(steps() + i), simd::load<V>(lows() + i));
    }

  private:
    /// few        the ranges of single components are only known once there are rows enough to show them
    /// tolerated  how many times the squared error one range for all may cost: less where wild rows were left out, as
    ///            tails that make rows wild differ between components, too
    void set(const detail::extremes& seen, bool few, double tolerated) {
        const double all = seen.range();
        const bool exact = seen.whole && all <= 255.0;
        double own = 0;
        for (std::size_t i = 0; i < dim(); ++i) own += seen.range(i) * seen.range(i);
        if (exact || few || all * all <= tolerated * own / static_cast<double>(dim()))
            set_all(seen.low(), exact ? 1.0 : all / 255.0);
        else
            set_each([&](std::size_t i) { return seen.smallest[i]; },
                     [&](std::size_t i) { return seen.range(i) / 255.0; });
    }
};
static_assert(weighted_codec<sq8> && norm_bounded_codec<sq8> && clipping_codec<sq8>);
static_assert(strained_codec<sq8> && learning_codec<sq8> && widening_codec<sq8>);

VICINAL_NAMESPACE_END
