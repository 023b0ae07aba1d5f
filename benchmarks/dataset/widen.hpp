// SPDX-License-Identifier: MIT
// Wide vectors made of narrower ones: few directions hold nearly all of them, and every component holds some of it.
#pragma once

#include "generate.hpp"

namespace bench {

namespace detail {

/// Row i of the result is the product of row i and a random matrix of signs, scaled so that lengths stay about the
/// same, plus 1/16 of a component's root mean square of noise.
[[nodiscard]] inline matrix<float> widened(const matrix<float>& rows, const matrix<float>& signs,
                                           random_stream& random) {
    const std::size_t dim = signs.dim;
    const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(dim)));
    matrix<float> result{rows.rows, dim, std::vector<float>(rows.rows * dim)};
    for (std::size_t row = 0; row < rows.rows; ++row) {
        const std::span<float> wide = result[row];
        for (std::size_t i = 0; i < rows.dim; ++i) {
            const float x = rows[row][i];
            const std::span<const float> sign = signs[i];
            for (std::size_t j = 0; j < dim; ++j) wide[j] += sign[j] * x;
        }
        double squares = 0;
        for (float& x : wide) {
            x *= scale;
            squares += static_cast<double>(x) * static_cast<double>(x);
        }
        const double noise = std::sqrt(squares / static_cast<double>(dim)) / 16;
        for (float& x : wide) x += static_cast<float>(noise * random.normal());
    }
    return result;
}

}  // namespace detail

/// Makes the vectors of `data` `dim` components wide, whose distances are nearly those of before. Forgets its truth.
inline void widen(dataset& data, std::size_t dim, std::uint64_t seed) {
    detail::random_stream random(seed);
    matrix<float> signs{data.base.dim, dim, std::vector<float>(data.base.dim * dim)};
    for (float& sign : signs.values) sign = (random.next() >> 63) != 0 ? 1.0F : -1.0F;
    data.base = detail::widened(data.base, signs, random);
    data.queries = detail::widened(data.queries, signs, random);
    data.truth = {};
    data.name += " widened to " + std::to_string(dim);
}

/// Keeps the first `rows` rows of the base, and forgets the truth.
inline void shorten(dataset& data, std::size_t rows) {
    if (rows >= data.base.rows) return;
    data.base.values.resize(rows * data.base.dim);
    data.base.rows = rows;
    data.truth = {};
    data.name += ", first " + std::to_string(rows) + " rows";
}

}  // namespace bench
