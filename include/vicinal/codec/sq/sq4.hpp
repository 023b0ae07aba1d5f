// SPDX-License-Identifier: MIT
// Scalar quantisation to half a byte per component.
#pragma once

#include <algorithm>    // for clamp
#include <cstddef>      // for size_t, byte
#include <span>         // for span
#include <string_view>  // for string_view
#include <vector>       // for vector

#include "vicinal/codec/ordinary_rows.hpp"
#include "vicinal/codec/sq/affine_ranges.hpp"
#include "vicinal/codec/sq/grid_fit.hpp"
#include "vicinal/core/math.hpp"
#include "vicinal/simd/intrinsics.hpp"

VICINAL_NAMESPACE_BEGIN

/// Four bits per component, two components a byte: 16 even steps over a range learned from the first batch. Too coarse
/// to decide by, good to travel by: two_level<sq4, f32> walks over an eighth of the bytes and decides by all of them.
/// Ranges are chosen for the least error (codec/grid_fit.hpp), which cuts off the far tails of most data; a few wild
/// rows have no say. Components outside their range take its nearest end, which indexes count (`codec_report`).
class sq4 : public detail::affine_ranges {
  public:
    static constexpr std::string_view name = "sq4";
    static constexpr unsigned bits = 4;

    explicit sq4(std::size_t dim = 0) : affine_ranges(dim, 15) {}

    [[nodiscard]] std::size_t code_size() const noexcept { return (dim() + 1) / 2; }

    /// Learns a range for each component, or one for all where that at most doubles the squared error, from at most
    /// 8192 evenly spaced rows. If all are whole numbers and one range of 16 holds them, the code is exact. Rows far
    /// off the rest, at most one in 64, have no say (codec/ordinary_rows.hpp).
    void train(matrix_view<const float> rows) { learn(detail::ordinary_rows(rows, rows.rows() / 65536 + 1)); }
    /// The same from all of these rows, wild or not.
    template <class Rows>
    void learn(const Rows& rows) {
        const detail::extremes seen(rows);
        if (seen.range() == 0.0 || (seen.whole && seen.range() <= 15.0)) return set_all(seen.low(), 1.0);
        const std::size_t every = rows.rows() / 8192 + 1;
        const detail::grid all = fit::fit(seen.low(), seen.high(), [&](const auto& f) {
            for (std::size_t r = 0; r < rows.rows(); r += every)
                for (std::size_t i = 0; i < dim(); ++i) f(rows[r][i]);
        });
        // The ranges of single components are only known once there are rows enough to show them.
        if (rows.rows() < 256) return set_all(all.low, all.step);
        std::vector<detail::grid> own(dim());
        double error = 0;
        for (std::size_t i = 0; i < dim(); ++i) {
            if (seen.range(i) == 0.0) {
                own[i].low = seen.smallest[i];
                continue;
            }
            own[i] = fit::fit(seen.smallest[i], seen.largest[i], [&](const auto& f) {
                for (std::size_t r = 0; r < rows.rows(); r += every) f(rows[r][i]);
            });
            error += own[i].error;
        }
        if (all.error <= 2.0 * error)
            set_all(all.low, all.step);
        else
            set_each([&](std::size_t i) { return own[i].low; }, [&](std::size_t i) { return own[i].step; });
    }

    void encode(std::span<const float> vector, std::span<std::byte> code) const noexcept {
        for (std::size_t i = 0; i < dim(); i += 2) {
            const unsigned second = i + 1 < dim() ? level(vector[i + 1], i + 1) : 0;
            code[i / 2] = static_cast<std::byte>(level(vector[i], i) | second << 4);
        }
    }
    void decode(std::span<const std::byte> code, std::span<float> vector) const noexcept {
        for (std::size_t i = 0; i < dim(); ++i) vector[i] = load<float>(code.data(), i);
    }
    template <class V>
    [[nodiscard]] VICINAL_INLINE V load(const std::byte* code, std::size_t i) const noexcept {
        return mul_add(simd::widen_u4<V>(code, i), simd::load<V>(steps() + i), simd::load<V>(lows() + i));
    }
    /// Whether `encode` can have made `code`: the last half byte of an odd dimension must be zero.
    [[nodiscard]] bool well_formed(std::span<const std::byte> code) const noexcept {
        return dim() % 2 == 0 || std::to_integer<unsigned>(code.back()) < 16;
    }

  private:
    using fit = detail::grid_fit<16>;

    [[nodiscard]] unsigned level(float x, std::size_t i) const noexcept {
        return static_cast<unsigned>(std::clamp((x - low(i)) / step(i), 0.0F, 15.0F) + 0.5F);
    }
};
static_assert(affine_codec<sq4> && norm_bounded_codec<sq4> && clipping_codec<sq4> && checked_codec<sq4>);
static_assert(strained_codec<sq4> && learning_codec<sq4>);

VICINAL_NAMESPACE_END
