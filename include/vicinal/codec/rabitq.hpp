// SPDX-License-Identifier: MIT
// A few bits per component of a randomly rotated vector, and numbers by which its distance is estimated.
#pragma once

#include <algorithm>    // for clamp, copy_n, max
#include <array>        // for array
#include <cmath>        // for abs, floor, sqrt
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint64_t
#include <limits>       // for numeric_limits
#include <span>         // for span
#include <string_view>  // for string_view
#include <utility>      // for move
#include <vector>       // for vector

#include "vicinal/codec/ordinary_rows.hpp"
#include "vicinal/concepts.hpp"
#include "vicinal/core/little_endian.hpp"
#include "vicinal/core/math.hpp"
#include "vicinal/simd/bit_planes.hpp"
#include "vicinal/simd/kernels.hpp"
#include "vicinal/simd/rotation.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// The four numbers at the factors of a code. R is the rotation, o = R (vector - center), y the code's steps from their
/// middle.
struct rabitq_factors {
    float scale = 0;    ///< the width of a step: <y, o> / |y|^2
    float factor = 0;   ///< |o|^2 / (sum of |components of o|); times <v, signs of o> it estimates <v, o>
    float squares = 0;  ///< |o|^2
    float cross = 0;    ///< <o, R mean>, whatever the center is
};

}  // namespace detail

/// RaBitQ codes of `Bits` bits per component, 1 to 8 (Gao, Long 2024; with several bits: Gao, Gou, Xu, Yang, Long, Wong
/// 2025). A code is made from the difference between the vector and a point, which is the centroid of its list in
/// ivf_index and else the mean of the first batch. The difference is rotated at random, and each component is rounded
/// to one of 2^Bits even steps around zero, on the scale that keeps the direction best. The signs alone give an
/// estimate of the distance with a known error, so scans read the other bits of few rows. Scans of flat_index and
/// ivf_index under l2, inner_product and cosine are fast; everything else decodes each row, which takes a rotation.
///
/// A search misses a row if its estimate is off by more than `reach` times the expected error, which happens to less
/// than one in 200 of the true neighbours. A batch is searched one query after the other. Range searches and `nearest`
/// look at every row, and miss none.
///
/// Cost: Bits * n / 8 + 16 bytes a row, n being dim rounded up to a multiple of 16. The error of a component is about
/// 2^-Bits of the largest. On 256-dimensional embeddings recall@10 is 0.64, 0.79, 0.85, 0.89, 0.92, 0.95, 0.96 and 0.98
/// for 1 to 8 bits. two_level<rabitq<1>, f32> scans the signs, and measures the vectors that could be close by them.
template <unsigned Bits>
class rabitq {
    static_assert(Bits >= 1 && Bits <= 8, "vicinal: rabitq<Bits> takes 1 to 8 bits");

  public:
    static constexpr std::string_view name = std::array<std::string_view, 8>{
        "rabitq1", "rabitq2", "rabitq3", "rabitq4", "rabitq5", "rabitq6", "rabitq7", "rabitq8"}[Bits - 1];
    static constexpr unsigned bits = Bits;
    static constexpr bool best_as_decoded = true;  // a product with the decoded vector is an estimate without bias
    static constexpr std::size_t factors_size = 16;
    /// A row is missed if its estimate is off by more than this many times the expected error.
    static constexpr float reach = 1.9F;

    explicit rabitq(std::size_t dim = 0) : rotation_(dim) {}

    [[nodiscard]] std::size_t dim() const noexcept { return rotation_.dim(); }
    /// How many components a rotated vector has.
    [[nodiscard]] std::size_t width() const noexcept { return rotation_.size(); }
    [[nodiscard]] std::size_t code_size() const noexcept { return factors_size + Bits * width() / 8; }
    [[nodiscard]] const simd::rotation& rotation() const noexcept { return rotation_; }
    [[nodiscard]] std::span<const float> center() const noexcept { return center_; }

    /// Learns the mean of at most 65536 evenly spaced rows. Rows far off the rest, at most one in 64, have no say
    /// (codec/ordinary_rows.hpp).
    void train(matrix_view<const float> rows) { learn(detail::ordinary_rows(rows, rows.rows() / 65536 + 1)); }
    /// The same from all of these rows, wild or not.
    template <class Rows>
    void learn(const Rows& rows) {
        set_center(mean_of(rows));
    }
    /// How far the mean of rows lies from the one that was learned, squared, by how far rows lie from theirs: what
    /// codes are too coarse by, as their steps reach to the rows from the mean. Times 4, to compare with other codecs.
    template <class Rows>
    [[nodiscard]] double strain(const Rows& rows) const {
        const std::vector<float> mean = mean_of(rows);
        const auto squares = [&](std::span<const float> a, std::span<const float> b) {
            double sum = 0;
            for (std::size_t i = 0; i < dim(); ++i) {
                const float d = a[i] - b[i];
                sum += double{d} * double{d};  // exact products: the same fused or not
            }
            return sum;
        };
        double spread = 0;
        for (std::size_t r = 0; r < rows.rows(); ++r) spread += squares(rows[r], mean);
        const double off = squares(mean, center_) * static_cast<double>(rows.rows());
        return off == 0 ? 0.0 : 4 * off / spread;
    }
    [[nodiscard]] bool trained() const noexcept { return !center_.empty(); }
    /// The mean, as little-endian floats.
    [[nodiscard]] std::vector<std::byte> state() const {
        std::vector<std::byte> bytes(4 * center_.size());
        for (std::size_t i = 0; i < center_.size(); ++i) detail::store_le(bytes.data() + 4 * i, center_[i]);
        return bytes;
    }
    [[nodiscard]] bool restore(std::span<const std::byte> bytes) {
        if (bytes.size() != 4 * dim() || bytes.empty()) return false;
        std::vector<float> mean(dim());
        double squares = 0;
        for (std::size_t i = 0; i < dim(); ++i) {
            mean[i] = detail::load_le<float>(bytes.data() + 4 * i);
            if (!detail::has_finite_bits(mean[i])) return false;
            squares += double{mean[i]} * double{mean[i]};
        }
        // As that of a mean of admitted vectors, but for rounding.
        if (!(squares <= double{(std::numeric_limits<float>::max)()} / 7)) return false;
        set_center(std::move(mean));
        return true;
    }
    /// An upper bound of the squared norm of a decoded vector, if the vector was admitted: rounding makes its
    /// difference from the mean no longer.
    [[nodiscard]] double largest_squares() const noexcept { return largest_squares_about(center_length_); }
    [[nodiscard]] static double largest_squares_about(double length) noexcept {
        const double most = 2 * length + std::sqrt(double{(std::numeric_limits<float>::max)()} / 8);
        return most * most * 1.0001;
    }

    /// The mean and the rotated mean.
    [[nodiscard]] code_center own_center() const noexcept { return {center_.data(), rotated_center_.data()}; }
    [[nodiscard]] std::size_t derived_size() const noexcept { return width(); }
    /// Writes the rotated point to `rotated`.
    void derive(std::span<const float> point, std::span<float> rotated) const {
        std::vector<float> spare(width());
        rotation_.template apply<simd::scalar_isa>(point.data(), rotated.data(), spare.data());
    }

    void encode(std::span<const float> vector, std::span<std::byte> code) const {
        encode_residual(own_center(), vector, code);
    }
    void encode_residual(const code_center& center, std::span<const float> vector, std::span<std::byte> code) const {
        const std::size_t n = width();
        std::vector<float> relative(dim()), rotated(n), spare(n), steps(n), best(n);
        for (std::size_t i = 0; i < dim(); ++i) relative[i] = vector[i] - center.point[i];
        rotation_.template apply<simd::scalar_isa>(relative.data(), rotated.data(), spare.data());
        double squares = 0;
        double total = 0;
        double cross = 0;
        float largest = 0;
        for (std::size_t i = 0; i < n; ++i) {
            squares += double{rotated[i]} * double{rotated[i]};
            total += std::abs(double{rotated[i]});
            cross += double{rotated[i]} * double{rotated_center_[i]};
            largest = (std::max)(largest, std::abs(rotated[i]));
        }
        detail::rabitq_factors factors;
        factors.factor = total > 0 ? limited(squares / total) : 0.0F;
        factors.squares = limited(squares);
        factors.cross = limited(cross);
        // The scale whose rounding keeps most of the direction, of those at which the largest component lies within or
        // up to three times beyond the last step.
        constexpr int scales = Bits == 1 ? 1 : 24;
        double most = -1;
        for (int s = 0; s < scales; ++s) {
            const double share = Bits == 1 ? 1.0 : 0.3 + 0.75 * s / (scales - 1);
            const auto step = static_cast<float>(double{largest} * share / (double{top} / 2.0 + 0.5));
            if (!(step > 0)) break;
            double along = 0;
            double length = 0;
            for (std::size_t i = 0; i < n; ++i) {
                steps[i] = std::clamp(std::floor(rotated[i] / step), -(top + 1) / 2.0F, (top - 1) / 2.0F) + 0.5F;
                along += double{steps[i]} * double{rotated[i]};
                length += double{steps[i]} * double{steps[i]};
            }
            const double kept = along / std::sqrt(length);
            if (kept > most) {
                most = kept;
                best.swap(steps);
                factors.scale = limited(along / length);
            }
        }
        if (most < 0)  // the mean itself
            for (std::size_t i = 0; i < n; ++i) best[i] = 0.5F;
        detail::store_le(code.data(), factors.scale);
        detail::store_le(code.data() + 4, factors.factor);
        detail::store_le(code.data() + 8, factors.squares);
        detail::store_le(code.data() + 12, factors.cross);
        for (unsigned plane = 0; plane < Bits; ++plane)
            for (std::size_t byte = 0; byte < n / 8; ++byte) {
                unsigned eight = 0;
                for (std::size_t j = 0; j < 8; ++j) {
                    const auto level = static_cast<unsigned>(best[8 * byte + j] + top / 2.0F);
                    eight |= (level >> (Bits - 1 - plane) & 1U) << j;
                }
                code[factors_size + plane * (n / 8) + byte] = static_cast<std::byte>(eight);
            }
    }

    void decode(std::span<const std::byte> code, std::span<float> vector) const {
        decode_about(own_center(), code, vector);
    }
    void decode_about(const code_center& center, std::span<const std::byte> code, std::span<float> vector) const {
        decode_about_by<simd::static_kernels<simd::scalar_isa>>(center, code.data(), vector.data());
    }
    /// The same by the kernels of an instruction set, faster.
    template <class Kernels>
    void decode_about_by(const code_center& center, const std::byte* code, float* vector) const {
        constexpr std::size_t few = 2048;
        float here[2 * few];
        std::vector<float> elsewhere(width() > few ? 2 * width() : 0);
        float* const rotated = elsewhere.empty() ? here : elsewhere.data();
        const float scale = factors(code).scale;
        for (std::size_t i = 0; i < width(); i += 8) {
            const std::uint64_t eight = levels(code, i);
            for (std::size_t j = 0; j < 8; ++j)
                rotated[i + j] = scale * (static_cast<float>(eight >> (8 * j) & 0xFFU) - top / 2.0F);
        }
        Kernels::rotate_back(rotation_, rotated, vector, rotated + width());
        for (std::size_t i = 0; i < dim(); ++i) vector[i] += center.point[i];
    }
    /// Whether the factors's numbers are finite and of the sign they must be.
    [[nodiscard]] bool well_formed(std::span<const std::byte> code) const noexcept {
        const detail::rabitq_factors h = factors(code.data());
        for (const float x : {h.scale, h.factor, h.squares, h.cross})
            if (!detail::has_finite_bits(x)) return false;
        return h.scale >= 0 && h.factor >= 0 && h.squares >= 0;
    }

    [[nodiscard]] static detail::rabitq_factors factors(const std::byte* code) noexcept {
        return {detail::load_le<float>(code), detail::load_le<float>(code + 4), detail::load_le<float>(code + 8),
                detail::load_le<float>(code + 12)};
    }
    /// The levels of components i to i + 7, from 0 to 2^Bits - 1, a byte each; i is a multiple of 8.
    [[nodiscard]] VICINAL_INLINE std::uint64_t levels(const std::byte* code, std::size_t i) const noexcept {
        return simd::levels_of_8<Bits>(code + factors_size, width() / 8, i);
    }
    static constexpr float top = static_cast<float>((1U << Bits) - 1);

  private:
    template <class Rows>
    [[nodiscard]] std::vector<float> mean_of(const Rows& rows) const {
        std::vector<double> sums(dim());
        for (std::size_t r = 0; r < rows.rows(); ++r)
            for (std::size_t i = 0; i < dim(); ++i) sums[i] += double{rows[r][i]};
        std::vector<float> mean(dim());
        for (std::size_t i = 0; i < dim(); ++i)
            mean[i] = static_cast<float>(sums[i] / static_cast<double>(rows.rows()));
        return mean;
    }
    void set_center(std::vector<float> mean) {
        std::vector<float> rotated(width());
        derive(mean, rotated);
        const double squares = detail::squared_norm(mean);
        center_ = std::move(mean);
        rotated_center_ = std::move(rotated);
        center_length_ = std::sqrt(squares);
    }
    [[nodiscard]] static float limited(double x) noexcept {
        constexpr double most = (std::numeric_limits<float>::max)();
        return static_cast<float>(x > most ? most : x < -most ? -most : x);
    }

    simd::rotation rotation_;
    std::vector<float> center_;
    std::vector<float> rotated_center_;
    double center_length_ = 0;
};
static_assert(residual_codec<rabitq<8>> && norm_bounded_codec<rabitq<1>> && checked_codec<rabitq<1>>);
static_assert(strained_codec<rabitq<1>> && learning_codec<rabitq<1>> && unbiased_codec<rabitq<1>>);

VICINAL_NAMESPACE_END
