// SPDX-License-Identifier: MIT
// Clustered vectors from a seed: the same on every machine and compiler. So there are no calls of log or cos, and every
// product that a sum follows is exact or rounded to float first: fusing the two into one FMA then changes nothing.
#pragma once

#include <cmath>    // for sqrt
#include <cstdint>  // for uint64_t

#include "dataset.hpp"

namespace bench {

struct generate_params {
    std::size_t rows = 100000;
    std::size_t dim = 64;
    std::size_t clusters = 1000;
    std::size_t queries = 1000;
    std::uint64_t seed = 7;
};

namespace detail {

/// splitmix64: one multiplication chain a number, any seed is good.
class random_stream {
  public:
    explicit random_stream(std::uint64_t seed) noexcept : state_(seed) {}

    std::uint64_t next() noexcept {
        std::uint64_t z = state_ += 0x9E3779B97F4A7C15U;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
        return z ^ (z >> 31);
    }
    /// In [0, 1), a multiple of 2^-24.
    double uniform() noexcept { return static_cast<double>(next() >> 40) * 0x1p-24; }
    /// Nearly normal, mean 0 and variance 1: a sum of uniforms.
    double normal() noexcept {
        double sum = -6.0;
        for (int i = 0; i < 12; ++i) sum += uniform();
        return sum;
    }

  private:
    std::uint64_t state_;
};

}  // namespace detail

/// Clusters of unequal size and width whose variance falls off along the components, as it does in embeddings after
/// PCA: the intrinsic dimension is far below `dim`. Queries come from the same distribution and are not base rows.
[[nodiscard]] inline dataset generate(const generate_params& params) {
    if (params.rows == 0 || params.dim == 0 || params.clusters == 0 || params.queries == 0)
        throw std::runtime_error("generate: rows, dimension, clusters and queries must all be positive");
    const auto scale = [](std::size_t component) {
        return 1.0 / std::sqrt(1.0 + static_cast<double>(component) / 4.0);
    };
    detail::random_stream random(params.seed);

    matrix<float> centres{params.clusters, params.dim, std::vector<float>(params.clusters * params.dim)};
    std::vector<double> widths(params.clusters);
    for (std::size_t c = 0; c < params.clusters; ++c) {
        widths[c] = 0.1875 + 0.625 * random.uniform();
        for (std::size_t i = 0; i < params.dim; ++i) centres[c][i] = static_cast<float>(scale(i) * random.normal());
    }
    const auto sample = [&](std::size_t rows) {
        matrix<float> result{rows, params.dim, std::vector<float>(rows * params.dim)};
        for (std::size_t row = 0; row < rows; ++row) {
            const double skewed = random.uniform() * random.uniform();
            const auto c = static_cast<std::size_t>(skewed * static_cast<double>(params.clusters));
            for (std::size_t i = 0; i < params.dim; ++i)
                result[row][i] = centres[c][i] + static_cast<float>(widths[c] * scale(i) * random.normal());
        }
        return result;
    };
    dataset result;
    result.name = "generated " + std::to_string(params.rows) + " x " + std::to_string(params.dim) + ", " +
                  std::to_string(params.clusters) + " clusters, seed " + std::to_string(params.seed);
    result.base = sample(params.rows);
    result.queries = sample(params.queries);
    return result;
}

}  // namespace bench
