// SPDX-License-Identifier: MIT
// Product quantisation: half a byte for two components.
#pragma once

#include <algorithm>    // for max, min
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint32_t
#include <limits>       // for numeric_limits
#include <span>         // for span
#include <string_view>  // for string_view
#include <utility>      // for move
#include <vector>       // for vector

#include "vicinal/codec/ordinary_rows.hpp"
#include "vicinal/codec/pq/plane_clusters.hpp"
#include "vicinal/concepts.hpp"
#include "vicinal/core/bit_cast.hpp"
#include "vicinal/core/little_endian.hpp"
#include "vicinal/core/math.hpp"
#include "vicinal/simd/intrinsics.hpp"

VICINAL_NAMESPACE_BEGIN

/// Product quantisation (Jegou, Douze, Schmid 2011) with 4 bits for two components, 2 bits a component: each pair is
/// replaced by the closest of 16 centroids, which are learned for every pair from the first batch. Codes are a
/// sixteenth as long as f32's: cheap to scan, too coarse to rank by. Searches of flat_index and ivf_index under l2,
/// inner_product and cosine look up the distances of 32 rows at once in tables that fit a register (FastScan: Andre,
/// Kermarrec, Le Scouarnec 2015), and measure the few rows that could be close by their decoded vectors; results are
/// the same as if all rows were measured. two_level<pq, f32> ranks by the vectors themselves.
///
/// Cost: (dim + 3) / 4 bytes a row, and 64 bytes a component once. Training looks at no more than 8192 rows and takes
/// about 3 ms for each pair of components; encoding measures 16 distances a pair. The last component of an odd
/// dimension is paired with zero. Pairs of components that vary together lose least; a rotation does not help.
class pq {
  public:
    static constexpr std::string_view name = "pq";
    static constexpr bool has_tables = true;  // scans look up what a half byte adds to a distance
    /// How many centroids each pair of components has: half a byte names one.
    static constexpr std::size_t centroids = detail::plane_centroids;

    explicit pq(std::size_t dim = 0) : dim_(dim) {}

    [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
    /// How many pairs of components there are.
    [[nodiscard]] std::size_t pairs() const noexcept { return (dim_ + 1) / 2; }
    [[nodiscard]] std::size_t code_size() const noexcept { return (pairs() + 1) / 2; }
    /// The centroids of a pair: 16 times two floats.
    [[nodiscard]] std::span<const float> codebook(std::size_t pair) const noexcept {
        return {codebook_.data() + pair * 2 * centroids, 2 * centroids};
    }

    /// Learns from at most 8192 evenly spaced rows; the same of the same rows, whatever the number of threads. Rows far
    /// off the rest, at most one in 64, have no say (codec/ordinary_rows.hpp).
    void train(matrix_view<const float> rows) {
        constexpr std::size_t most = 8192;
        learn(detail::ordinary_rows(rows, (rows.rows() + most - 1) / most));
    }
    /// The same from all of these rows, wild or not.
    template <class Rows>
    void learn(const Rows& rows) {
        const std::size_t count = rows.rows();
        detail::plane_clusters points(count);
        std::vector<float> codebook(padded_size());
        for (std::size_t p = 0; p < pairs(); ++p) {
            const bool whole = 2 * p + 1 < dim_;
            for (std::size_t i = 0; i < count; ++i) {
                const float* const row = rows[i].data();
                points.set(i, row[2 * p], whole ? row[2 * p + 1] : 0.0F);
            }
            const detail::plane_codebook found = points.run(p);
            for (std::size_t c = 0; c < centroids; ++c) {
                codebook[(p * centroids + c) * 2] = static_cast<float>(found.x[c]);
                codebook[(p * centroids + c) * 2 + 1] = static_cast<float>(found.y[c]);
            }
        }
        set_codebook(std::move(codebook));
    }
    [[nodiscard]] bool trained() const noexcept { return !codebook_.empty(); }
    /// The centroids, pair by pair, as little-endian floats.
    [[nodiscard]] std::vector<std::byte> state() const {
        const std::size_t numbers = trained() ? pairs() * 2 * centroids : 0;
        std::vector<std::byte> bytes(4 * numbers);
        for (std::size_t i = 0; i < numbers; ++i) detail::store_le(bytes.data() + 4 * i, codebook_[i]);
        return bytes;
    }
    [[nodiscard]] bool restore(std::span<const std::byte> bytes) {
        const std::size_t numbers = pairs() * 2 * centroids;
        if (bytes.size() != 4 * numbers || bytes.empty()) return false;
        std::vector<float> codebook(padded_size());
        for (std::size_t i = 0; i < numbers; ++i) codebook[i] = detail::load_le<float>(bytes.data() + 4 * i);
        for (std::size_t i = 0; i < numbers; i += 2) {
            for (const float x : {codebook[i], codebook[i + 1]})
                if (!detail::has_finite_bits(x)) return false;
            const double squares =
                double{codebook[i]} * double{codebook[i]} + double{codebook[i + 1]} * double{codebook[i + 1]};
            // A centroid is a mean of admitted vectors, which is no longer than they are but for rounding.
            if (!(squares <= double{(std::numeric_limits<float>::max)()} / 7)) return false;
            if (dim_ % 2 != 0 && i / (2 * centroids) + 1 == pairs() &&
                detail::bit_cast<std::uint32_t>(codebook[i + 1]) != 0)
                return false;
        }
        set_codebook(std::move(codebook));
        return true;
    }
    /// What the squares of a decoded vector add up to at most.
    [[nodiscard]] double largest_squares() const noexcept { return largest_squares_; }

    /// How many components of `vector` lie farther from the span of their pair's centroids than half its width.
    [[nodiscard]] std::size_t clipped(std::span<const float> vector) const noexcept {
        std::size_t outside = 0;
        for (std::size_t i = 0; i < dim_; ++i) outside += beyond(vector[i], i) > width(i) / 2 ? 1U : 0U;
        return outside;
    }
    /// The squares of how far rows lie outside the span of the centroids, by what 16 centroids, four by four, would
    /// lose of points spread evenly over it.
    template <class Rows>
    [[nodiscard]] double strain(const Rows& rows) const noexcept {
        double widths = 0;
        for (std::size_t i = 0; i < dim_; ++i) widths += double{width(i)} * double{width(i)};
        double outside = 0;
        for (std::size_t r = 0; r < rows.rows(); ++r)
            for (std::size_t i = 0; i < dim_; ++i) {
                const float off = beyond(rows[r][i], i);
                outside += double{off} * double{off};
            }
        return outside == 0 ? 0.0 : 192 * outside / (widths * static_cast<double>(rows.rows()));
    }

    /// Ties go to the centroid of the lower number.
    void encode(std::span<const float> vector, std::span<std::byte> code) const noexcept {
        for (std::byte& b : code) b = std::byte{0};
        for (std::size_t p = 0; p < pairs(); ++p) {
            detail::plane_codebook codebook;
            for (std::size_t c = 0; c < centroids; ++c) {
                codebook.x[c] = double{codebook_[(p * centroids + c) * 2]};
                codebook.y[c] = double{codebook_[(p * centroids + c) * 2 + 1]};
            }
            const float second = 2 * p + 1 < dim_ ? vector[2 * p + 1] : 0.0F;
            const std::size_t closest = detail::closest_in_plane(codebook, double{vector[2 * p]}, double{second});
            code[p / 2] |= static_cast<std::byte>(closest << (p % 2 * 4));
        }
    }
    void decode(std::span<const std::byte> code, std::span<float> vector) const noexcept {
        for (std::size_t i = 0; i < dim_; ++i) vector[i] = load<float>(code.data(), i);
    }
    template <class V>
    [[nodiscard]] VICINAL_INLINE V load(const std::byte* code, std::size_t i) const noexcept {
        return simd::look_up_pairs<V>(codebook_.data(), code, i);
    }
    /// Whether `encode` can have made `code`: a last half byte that names no centroid must be zero.
    [[nodiscard]] bool well_formed(std::span<const std::byte> code) const noexcept {
        return pairs() % 2 == 0 || std::to_integer<unsigned>(code.back()) < 16;
    }

  private:
    /// Kernels load whole vectors of up to 16 components.
    [[nodiscard]] std::size_t padded_size() const noexcept { return (pairs() + 7) / 8 * 8 * 2 * centroids; }

    [[nodiscard]] float width(std::size_t i) const noexcept { return most_[i] - least_[i]; }
    /// How far outside the span of centroids a component lies.
    [[nodiscard]] float beyond(float x, std::size_t i) const noexcept {
        return (std::max)({least_[i] - x, x - most_[i], 0.0F});
    }

    void set_codebook(std::vector<float> codebook) {
        std::vector<float> lowest(dim_), highest(dim_);
        for (std::size_t i = 0; i < dim_; ++i) {
            const float* const first = codebook.data() + (i / 2 * 2 * centroids) + i % 2;
            lowest[i] = highest[i] = *first;
            for (std::size_t c = 1; c < centroids; ++c) {
                lowest[i] = (std::min)(lowest[i], first[2 * c]);
                highest[i] = (std::max)(highest[i], first[2 * c]);
            }
        }
        least_ = std::move(lowest);
        most_ = std::move(highest);
        double sum = 0;
        for (std::size_t p = 0; p < pairs(); ++p) {
            double most = 0;
            for (std::size_t i = p * 2 * centroids; i < (p + 1) * 2 * centroids; i += 2) {
                const double squares =
                    double{codebook[i]} * double{codebook[i]} + double{codebook[i + 1]} * double{codebook[i + 1]};
                if (squares > most) most = squares;
            }
            sum += most;
        }
        codebook_ = std::move(codebook);
        largest_squares_ = sum;
    }

    std::size_t dim_;
    std::vector<float> codebook_;  // pairs x centroids x 2, and zeros
    std::vector<float> least_;     // of each component, of all centroids
    std::vector<float> most_;
    double largest_squares_ = 0;
};
static_assert(product_codec<pq> && clipping_codec<pq> && checked_codec<pq>);
static_assert(strained_codec<pq> && learning_codec<pq>);

VICINAL_NAMESPACE_END
