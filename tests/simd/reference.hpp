// SPDX-License-Identifier: MIT
// Distances in long double over what a codec decodes, and the error that vicinal allows itself.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "vicinal/codec/f32.hpp"
#include "vicinal/codec/half.hpp"
#include "vicinal/codec/sq/sq4.hpp"
#include "vicinal/codec/sq/sq8.hpp"
#include "vicinal/metric/cosine.hpp"
#include "vicinal/metric/inner_product.hpp"
#include "vicinal/metric/l2.hpp"
#include "vicinal/simd/kernels.hpp"

namespace vicinal_test {

struct exact {
    long double distance;
    long double magnitude;  // the sum of absolute products or squares: S in the bound
};

inline exact reference(const vicinal::l2&, const float* q, const float* x, std::size_t dim) {
    long double sum = 0;
    for (std::size_t i = 0; i < dim; ++i) {
        const long double difference = static_cast<long double>(q[i]) - x[i];
        sum += difference * difference;
    }
    return {sum, sum};
}
inline exact product(const float* q, const float* x, std::size_t dim) {
    exact sum{0, 0};
    for (std::size_t i = 0; i < dim; ++i) {
        const long double term = static_cast<long double>(q[i]) * x[i];
        sum.distance += term;
        sum.magnitude += std::fabs(term);
    }
    return sum;
}
inline exact reference(const vicinal::inner_product&, const float* q, const float* x, std::size_t dim) {
    const exact dot = product(q, x, dim);
    return {-dot.distance, dot.magnitude};
}
inline exact reference(const vicinal::cosine&, const float* q, const float* x, std::size_t dim) {
    const exact dot = product(q, x, dim);  // of unit vectors
    return {std::fmin(std::fmax(1 - dot.distance, 0.0L), 2.0L), dot.magnitude};
}

/// The promise of docs: |computed - exact| <= (ceil(dim / lanes) + log2 lanes + 3) * 2^-24 * S. Cosine subtracts from 1
/// at the end, which rounds once more; denormal products may each lose 2^-150.
inline long double allowed(std::size_t dim, std::size_t lanes, long double magnitude, bool cosine = false) {
    const auto steps = static_cast<long double>((dim + lanes - 1) / lanes + std::bit_width(lanes) - 1 + 3);
    return steps * 0x1p-24L * magnitude + static_cast<long double>(dim) * 0x1p-150L + (cosine ? 0x1p-24L : 0.0L);
}

inline std::vector<float> random_vector(std::size_t dim, std::mt19937& random, float scale = 1) {
    std::normal_distribution<float> normal;
    std::vector<float> v(dim);
    for (float& x : v) x = scale * normal(random);
    return v;
}

/// A codec that can encode `dim` components of this size.
template <class Codec>
Codec make_codec(std::size_t dim, const std::vector<float>& sample) {
    Codec codec{dim};
    if constexpr (vicinal::trainable_codec<Codec>) {
        std::vector<float> rows((sample.size() + dim - 1) / dim * dim);  // whole rows, the sample over and over
        for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = sample[i % sample.size()];
        codec.train(vicinal::matrix_view<const float>(std::span<const float>(rows), dim));
    }
    return codec;
}

inline bool same_bits(float a, float b) { return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b); }

}  // namespace vicinal_test
