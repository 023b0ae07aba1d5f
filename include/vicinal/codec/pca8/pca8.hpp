// SPDX-License-Identifier: MIT
// One byte for each of the directions in which vectors vary most, and a bound of the error, by which exact searches
// pass over rows.
#pragma once

#include <algorithm>    // for clamp, max, min
#include <cmath>        // for abs, floor, nextafter, sqrt
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint32_t
#include <limits>       // for numeric_limits
#include <span>         // for span
#include <string_view>  // for string_view
#include <utility>      // for move
#include <vector>       // for vector

#include "vicinal/codec/ordinary_rows.hpp"
#include "vicinal/codec/pca8/projected_point.hpp"
#include "vicinal/concepts.hpp"
#include "vicinal/core/little_endian.hpp"
#include "vicinal/core/math.hpp"
#include "vicinal/linalg/principal_axes.hpp"
#include "vicinal/simd/kernels.hpp"

VICINAL_NAMESPACE_BEGIN

/// Coordinates of 8 bits along the directions in which the first batch varies most (its principal axes), for exact
/// search: with two_level<pca8, f32>, flat_index and ivf_index return what they return with f32, ids and distances bit
/// for bit, and read a quarter to an eighth of the memory. A row is passed over if its code proves that it is farther
/// than the k closest so far; the error of each code is measured when it is made, and kept with it. Where so few rows
/// are passed over that it does not pay, which is measured during searches, all vectors are looked at instead. This is
/// so under l2, inner_product and cosine; under other metrics vectors are scanned. pca8 without f32 is a codec like
/// others, which is decoded row by row, slowly.
///
/// The number of directions, width(), is two fifths of the components, but at least 192 and at most 384; with fewer
/// components, it is all of them. Cost: width() + 16 bytes a row beside f32's, and 4 * dim * width() bytes for the
/// directions, in memory and in files. Encoding takes O(dim * width()), and so does each query; training takes
/// O(dim * width()^2), about a second for 960 components. Codes may differ between instruction sets and between
/// versions of Eigen, as sums do; results of searches do not.
///
/// Bounds for parts of a rotated vector: Weber, Schek, Blott 1998 (the certain bound), Cui et al. 2002 and Gao, Long
/// 2023 (principal axes, partial distances).
class pca8 {
  public:
    static constexpr std::string_view name = "pca8";
    static constexpr bool bounds_distances = true;     // distances of vectors encoded by it have certain lower bounds
    static constexpr bool any_code_decodes = true;     // every code that is well formed is of an admissible vector
    static constexpr std::size_t learning_growth = 8;  // takes so long that small indexes do not at each doubling
    static constexpr std::size_t factors_size = 16;

    explicit pca8(std::size_t dim = 0)
        : dim_(dim), width_((std::min)(dim, std::clamp<std::size_t>(dim / 5 * 2, 192, 384))) {}

    [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
    /// How many directions there are.
    [[nodiscard]] std::size_t width() const noexcept { return width_; }
    /// The same, rounded up to how many numbers `project` writes.
    [[nodiscard]] std::size_t padded_width() const noexcept { return (width_ + tile - 1) / tile * tile; }
    [[nodiscard]] std::size_t code_size() const noexcept { return factors_size + width_; }
    [[nodiscard]] double step(std::size_t j) const noexcept { return steps_[j]; }

    static constexpr std::size_t most_learned = std::size_t{1} << 16;

    /// Learns from at most 8192 evenly spaced rows, of which those far off the rest, at most one in 64, have no say
    /// (codec/ordinary_rows.hpp).  throws  error{invalid_argument} if these have more than 65536 components; the codec
    /// is then as it was. A template, as is `restore`, so that only programs that have a pca8 compile Eigen's products,
    /// a third of what vicinal.hpp would cost all others.
    template <int = 0>
    void train(matrix_view<const float> rows) {
        // Beyond, the directions alone are gigabytes, and learning them takes minutes.
        detail::require_range("pca8: the dimension of what it learns from", dim_, 1, most_learned);
        const detail::ordinary_rows ordinary(rows, rows.rows() / 8192 + 1);
        std::vector<float> usable;
        for (std::size_t r = 0; r < ordinary.rows(); ++r) {
            const std::span<const float> row = ordinary[r];
            if (detail::squared_norm(row) <= largest_squared) usable.insert(usable.end(), row.begin(), row.end());
        }
        if (usable.empty()) usable.resize(dim_);
        const matrix_view<const float> sample(std::span<const float>(usable), dim_);
        pca8 taught(dim_);
        const std::vector<float> mean = mean_of(sample);
        taught.set(mean, detail::principal_axes(sample, mean, width_));
        taught.steps_ = taught.steps_for(sample);
        *this = std::move(taught);
    }
    [[nodiscard]] bool trained() const noexcept { return !steps_.empty(); }

    /// The mean, the steps and the directions, one after the other, as little-endian floats.
    [[nodiscard]] std::vector<std::byte> state() const {
        std::vector<std::byte> bytes;
        const auto append = [&](std::span<const float> numbers) {
            const std::size_t at = bytes.size();
            bytes.resize(at + 4 * numbers.size());
            for (std::size_t i = 0; i < numbers.size(); ++i) detail::store_le(bytes.data() + at + 4 * i, numbers[i]);
        };
        append(center_);
        append(steps_);
        append(columns());
        return bytes;
    }
    template <int = 0>
    [[nodiscard]] bool restore(std::span<const std::byte> bytes) {
        if (dim_ == 0 || bytes.size() != 4 * (dim_ + width_ + dim_ * width_)) return false;
        std::vector<float> numbers(bytes.size() / 4);
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            numbers[i] = detail::load_le<float>(bytes.data() + 4 * i);
            if (!detail::has_finite_bits(numbers[i])) return false;
        }
        const auto steps = numbers.begin() + static_cast<std::ptrdiff_t>(dim_);
        const auto directions = steps + static_cast<std::ptrdiff_t>(width_);
        pca8 read(dim_);
        // As that of a mean of vectors that were looked at, and steps as train makes them.
        if (!(detail::squared_norm({numbers.data(), dim_}) <= 2 * largest_squared)) return false;
        for (auto step = steps; step != directions; ++step)
            if (!(*step >= smallest_step && *step <= largest_step)) return false;
        for (auto x = directions; x != numbers.end(); ++x)
            if (!(std::abs(*x) <= 1.01F)) return false;
        read.set({numbers.begin(), steps}, {directions, numbers.end()});
        if (!(read.skew_ <= most_skew)) return false;
        read.steps_.assign(steps, directions);
        *this = std::move(read);
        return true;
    }
    /// An upper bound of the squared norm of a decoded vector.
    [[nodiscard]] static double largest_squares() noexcept { return 0x1p113; }

    /// Where `vector` lies: its padded_width() coordinates to `coordinates`. relative: room for dim() floats.
    template <class Kernels>
    [[nodiscard]] detail::projected_point project(std::span<const float> vector, float* relative,
                                                  double* coordinates) const noexcept {
        double squares = 0;
        for (std::size_t i = 0; i < dim_; ++i) {
            const double x = double{vector[i]} - double{center_[i]};
            squares += x * x;
            relative[i] = vector[i] - center_[i];
        }
        for (std::size_t first = 0; first < padded_width(); first += tile)
            Kernels::project_tile(relative, tiles_.data() + first * dim_, dim_, coordinates + first);
        return point_of(squares, coordinates);
    }

    void encode(std::span<const float> vector, std::span<std::byte> code) const {
        std::vector<float> relative(dim_);
        std::vector<double> coordinates(padded_width());
        const detail::projected_point point =
            project<simd::native_kernels>(vector, relative.data(), coordinates.data());
        const double squares = detail::squared_norm(vector);
        detail::pca_factors factors;
        factors.length = detail::rounded_up(squares * (1 + length_margin()));
        double kept = double{point.rest} * double{point.rest};
        double lost = 0;
        const bool within = point.squares + kept <= 4 * largest_squared;
        for (std::size_t j = 0; j < width_; ++j) {
            const double level =
                within ? std::clamp(std::floor(coordinates[j] / double{steps_[j]} + 0.5), -127.0, 127.0) : 0.0;
            const double coordinate = level * double{steps_[j]};
            kept += coordinate * coordinate;
            lost += (coordinates[j] - coordinate) * (coordinates[j] - coordinate);
            code[factors_size + j] = static_cast<std::byte>(static_cast<unsigned>(level + 128));
        }
        if (within) {
            factors.squares = detail::rounded_down(kept * (1 - margin));
            factors.rest = point.rest;
            const double off = std::sqrt(lost) + point.off;
            factors.error = detail::rounded_up(std::sqrt(off * off + point.rest_off * point.rest_off) +
                                               margin * std::sqrt(kept) + double{smallest_step});
        } else {
            factors.error = farthest;  // nothing is known of it
        }
        detail::store_le(code.data(), factors.squares);
        detail::store_le(code.data() + 4, factors.rest);
        detail::store_le(code.data() + 8, factors.error);
        detail::store_le(code.data() + 12, factors.length);
    }

    void decode(std::span<const std::byte> code, std::span<float> vector) const {
        for (std::size_t i = 0; i < dim_; ++i) {
            double x = center_[i];
            for (std::size_t j = 0; j < width_; ++j)
                x += (std::to_integer<int>(code[factors_size + j]) - 128) * double{steps_[j]} * double{entry(i, j)};
            vector[i] = static_cast<float>(x);
        }
    }
    /// Whether the factors's numbers are finite and not negative.
    [[nodiscard]] bool well_formed(std::span<const std::byte> code) const noexcept {
        for (std::size_t i = 0; i < factors_size; i += 4)
            if (detail::load_le<std::uint32_t>(code.data() + i) >= 0x7F800000U) return false;
        return true;
    }

    /// What roundings in single precision of a bound may cost, relative to what is added up.
    static constexpr double margin = 0x1p-19;
    /// By how much more than itself a vector's sum of squares counts: what a scorer's sum may be off, and `margin`.
    [[nodiscard]] double length_margin() const noexcept {
        return 1.1 * 1.125 * (static_cast<double>(dim_) + 16) * 0x1p-24 + 2 * margin;
    }
    /// Of vectors farther than this from the mean, squared, nothing is known.
    static constexpr double largest_squared = 0x1p98;

  private:
    static constexpr std::size_t tile = simd::projection_tile;
    static_assert(simd::projection_block == 32);  // what the rounding of a product takes for granted
    static constexpr float smallest_step = 0x1p-100F;
    static constexpr float largest_step = 0x1p44F;
    static constexpr double most_skew = 1e-3;
    static constexpr float farthest = 0x1p65F;  // more than any distance

    [[nodiscard]] static std::vector<float> mean_of(matrix_view<const float> rows) {
        std::vector<double> sums(rows.dim());
        for (std::size_t r = 0; r < rows.rows(); ++r)
            for (std::size_t i = 0; i < rows.dim(); ++i) sums[i] += double{rows[r][i]};
        std::vector<float> mean(rows.dim());
        for (std::size_t i = 0; i < mean.size(); ++i)
            mean[i] = static_cast<float>(sums[i] / static_cast<double>(rows.rows()));
        return mean;
    }
    /// The steps that reach as far as the coordinates of any row; none much finer than the
    /// widest, so that directions the sample does not know of are not cut off.
    [[nodiscard]] std::vector<float> steps_for(matrix_view<const float> rows) const {
        std::vector<double> reach(padded_width());
        std::vector<double> coordinates(padded_width());
        std::vector<float> relative(dim_);
        for (std::size_t r = 0; r < rows.rows(); ++r) {
            (void)project<simd::native_kernels>(rows[r], relative.data(), coordinates.data());
            for (std::size_t j = 0; j < width_; ++j) reach[j] = (std::max)(reach[j], std::abs(coordinates[j]));
        }
        double widest = 0x1p-10 * std::sqrt(detail::squared_norm(center_));
        for (std::size_t j = 0; j < width_; ++j) widest = (std::max)(widest, reach[j]);
        std::vector<float> steps(width_);
        for (std::size_t j = 0; j < width_; ++j)
            steps[j] =
                std::clamp(static_cast<float>((std::max)(reach[j], widest / 1024) / 127), smallest_step, largest_step);
        return steps;
    }

    template <int = 0>
    void set(std::vector<float> center, const std::vector<float>& directions) {
        center_ = std::move(center);
        skew_ = detail::orthonormality_error(directions, dim_, width_);
        tiles_.assign(padded_width() * dim_, 0.0F);
        for (std::size_t j = 0; j < width_; ++j)
            for (std::size_t i = 0; i < dim_; ++i) tiles_[place(i, j)] = directions[j * dim_ + i];
    }
    [[nodiscard]] std::vector<float> columns() const {
        std::vector<float> directions(dim_ * width_);
        if (trained())
            for (std::size_t j = 0; j < width_; ++j)
                for (std::size_t i = 0; i < dim_; ++i) directions[j * dim_ + i] = entry(i, j);
        return directions;
    }
    [[nodiscard]] std::size_t place(std::size_t i, std::size_t j) const noexcept {
        return j / tile * tile * dim_ + i * tile + j % tile;
    }
    [[nodiscard]] float entry(std::size_t i, std::size_t j) const noexcept { return tiles_[place(i, j)]; }

    /// What is known of a vector by its coordinates and its sum of squares, both relative to the mean. The derivation
    /// is in storage/distance_bounds.hpp.
    [[nodiscard]] detail::projected_point point_of(double squares, const double* coordinates) const noexcept {
        detail::projected_point point;
        for (std::size_t j = 0; j < width_; ++j) point.squares += coordinates[j] * coordinates[j];
        const double length = std::sqrt(squares);
        const double underflow = (static_cast<double>(dim_) + 16) * std::sqrt(static_cast<double>(width_)) * 0x1p-124;
        const double rounding = (34 * std::sqrt(static_cast<double>(width_)) + 2) * 0x1p-24 * 1.01 * length + underflow;
        point.off = rounding + skew_ * (length + rounding);
        if (width_ == dim_) return point;
        const double most = std::sqrt(point.squares) + rounding;
        const double least = (std::max)(std::sqrt(point.squares) - rounding, 0.0);
        const double doubt = 0x1p-40 * squares;  // all that doubles may round
        const double low = std::sqrt((std::max)(squares - most * most / (1 - skew_) - doubt, 0.0));
        const double high = std::sqrt((std::max)(squares - least * least / (1 + skew_), 0.0) + doubt);
        point.rest = static_cast<float>((low + high) / 2);
        point.rest_off = (std::max)(high - double{point.rest}, double{point.rest} - low);
        return point;
    }

    std::size_t dim_;
    std::size_t width_;
    double skew_ = 0;  // |B^T B - I| at most, B's columns being the directions
    std::vector<float> center_;
    std::vector<float> steps_;
    std::vector<float> tiles_;  // of 32 directions, component by component
};
static_assert(slowly_learning_codec<pca8> && norm_bounded_codec<pca8> && checked_codec<pca8> && total_codec<pca8>);

VICINAL_NAMESPACE_END
