// SPDX-License-Identifier: MIT
// k-means starts from random numbers by counter, samples of rows, and k-means++ (Arthur, Vassilvitskii 2007).
#pragma once

#include <algorithm>  // for copy_n, min
#include <cstddef>    // for size_t
#include <cstdint>    // for uint32_t, uint64_t
#include <limits>     // for numeric_limits
#include <span>       // for span
#include <utility>    // for move
#include <vector>     // for vector

#include "vicinal/core/stop_token.hpp"
#include "vicinal/linalg/nearest_centroids.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Makes random numbers by counter (splitmix64's finaliser over a keyed counter): any one can be had without those
/// before it.
class kmeans_random {
  public:
    enum class purpose : std::uint64_t { sample = 1, seeding_pool, seeding, filling, splitting };

    kmeans_random(std::uint64_t seed, purpose use) noexcept : key_(mix(seed ^ mix(static_cast<std::uint64_t>(use)))) {}

    /// Returns a number in [0, 1).
    [[nodiscard]] double uniform(std::uint64_t counter) const noexcept {
        return static_cast<double>(mix(key_ + counter) >> 11) * 0x1p-53;
    }
    /// Returns a number in [0, n), n >= 1.
    [[nodiscard]] std::size_t below(std::size_t n, std::uint64_t counter) const noexcept {
        return (std::min)(n - 1, static_cast<std::size_t>(uniform(counter) * static_cast<double>(n)));
    }

  private:
    [[nodiscard]] static constexpr std::uint64_t mix(std::uint64_t x) noexcept {
        x = (x + 1) * 0x9E3779B97F4A7C15U;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
        return x ^ (x >> 31);
    }

    std::uint64_t key_;
};

/// Chooses `want` of the numbers below n, in ascending order, every subset equally likely. want <= n.
[[nodiscard]] inline std::vector<std::size_t> choose_rows(std::size_t n, std::size_t want,
                                                          const kmeans_random& random) {
    std::vector<std::size_t> chosen;
    chosen.reserve(want);
    for (std::size_t i = 0; i < n && chosen.size() < want; ++i)  // the last rows are taken without asking
        if (n - i == want - chosen.size() ||
            random.uniform(i) * static_cast<double>(n - i) < static_cast<double>(want - chosen.size()))
            chosen.push_back(i);
    return chosen;
}

/// Draws centroids as k-means++ does: each next one is a row drawn with probability proportional to its squared
/// distance from those drawn.
///
/// Several rows are drawn before the distances of all rows are brought up to date, by one matrix product. A row drawn
/// by an old distance is kept with probability new / old, where the new one counts those drawn since: rejection, so the
/// odds are those of drawing one by one.
class kmeans_seeding {
  public:
    /// rows  at least one; must outlive this
    kmeans_seeding(const row_set& rows, std::uint64_t seed, executor_ref on, stop_token stop)
        : rows_(rows),
          seeding_(seed, kmeans_random::purpose::seeding),
          filling_(seed, kmeans_random::purpose::filling),
          executor_(on),
          stop_(std::move(stop)),
          weights_(rows.size(), (std::numeric_limits<float>::max)()),
          block_sums_((rows.size() + block - 1) / block),
          closest_(rows.size()),
          distance_(rows.size()) {}

    /// Writes centroids.size() / dim of them.
    void run(std::span<float> centroids) {
        const std::size_t dim = rows_.dim();
        const std::size_t clusters = centroids.size() / dim;
        std::vector<std::size_t> drawn{seeding_.below(rows_.size(), draws_++)};
        for (std::size_t made = 0;;) {
            if (stop_.stop_requested()) fail_cancelled("kmeans");
            float* const next = centroids.data() + made * dim;
            for (std::size_t i = 0; i < drawn.size(); ++i) std::copy_n(rows_[drawn[i]], dim, next + i * dim);
            made += drawn.size();
            if (made == clusters) return;
            lower_weights({next, drawn.size(), dim});
            drawn = draw_some((std::min)({made, most_at_once, clusters - made}));
        }
    }

  private:
    static constexpr std::size_t block = 1024;
    static constexpr std::size_t most_at_once = 32;

    /// Lowers each weight to its row's squared distance from the closest of `centroids`, if that is less.
    void lower_weights(matrix_view<const float> centroids) {
        assign_rows(rows_, centroids, closest_, distance_, executor_, stop_, "kmeans");
        total_ = 0;
        for (std::size_t b = 0; b < block_sums_.size(); ++b) {
            double sum = 0;
            for (std::size_t i = b * block; i < (std::min)(rows_.size(), (b + 1) * block); ++i) {
                weights_[i] = (std::min)(weights_[i], distance_[i]);
                sum += static_cast<double>(weights_[i]);
            }
            block_sums_[b] = sum;
            total_ += sum;
        }
    }

    /// Draws at least one row and at most `want`.
    [[nodiscard]] std::vector<std::size_t> draw_some(std::size_t want) {
        std::vector<std::size_t> drawn;
        if (total_ <= 0) {  // fewer distinct rows than clusters, and any row is as good as another
            while (drawn.size() < want) drawn.push_back(filling_.below(rows_.size(), draws_++));
            return drawn;
        }
        for (std::size_t tries = 0; tries < 2 * want && drawn.size() < want; ++tries) {
            const std::size_t row = row_at(seeding_.uniform(draws_++) * total_);
            double left = static_cast<double>(weights_[row]);
            for (const std::size_t other : drawn)
                left = (std::min)(left, exact_squared_distance(rows_[row], rows_[other], rows_.dim()));
            const double odds = seeding_.uniform(draws_++) * static_cast<double>(weights_[row]);
            if (drawn.empty() || odds < left) drawn.push_back(row);
        }
        return drawn;
    }

    /// Returns the row at which the running sum of weights exceeds `target`; not one of weight 0, unless all are.
    [[nodiscard]] std::size_t row_at(double target) const {
        std::size_t b = 0;
        while (b + 1 < block_sums_.size() && target >= block_sums_[b]) target -= block_sums_[b++];
        std::size_t last = 0;
        for (std::size_t i = b * block; i < (std::min)(rows_.size(), (b + 1) * block); ++i) {
            if (weights_[i] <= 0) continue;
            last = i;
            target -= static_cast<double>(weights_[i]);
            if (target < 0) return i;
        }
        if (weights_[last] > 0) return last;
        // Rounding carried the target past a last block of zeros.
        for (std::size_t i = weights_.size(); i-- > 0;)
            if (weights_[i] > 0) return i;
        return 0;
    }

    const row_set& rows_;
    kmeans_random seeding_;
    kmeans_random filling_;
    executor_ref executor_;
    stop_token stop_;
    std::uint64_t draws_ = 0;
    std::vector<float> weights_;  ///< squared distance from the closest centroid so far
    std::vector<double> block_sums_;
    double total_ = 0;
    std::vector<std::uint32_t> closest_;
    std::vector<float> distance_;
};

}  // namespace detail

VICINAL_NAMESPACE_END
