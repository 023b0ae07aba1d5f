// SPDX-License-Identifier: MIT
// Made-up vectors, the same on every machine, of the shapes that trip similarity searches.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "vicinal/core/math.hpp"
#include "vicinal/core/matrix_view.hpp"

namespace vicinal_test {

using vicinal::matrix_view;

/// Random numbers that depend on the seed and on nothing else (those of <random> differ between libraries).
class numbers {
  public:
    explicit numbers(std::uint64_t seed) : state_(vicinal::detail::mix(seed)) {}
    std::uint64_t bits() { return vicinal::detail::mix(state_++); }
    double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
    std::size_t below(std::size_t n) { return static_cast<std::size_t>(bits() % n); }
    /// Close enough to a normal distribution of variance 1: twelve uniform numbers.
    double normal() {
        double sum = -6;
        for (int i = 0; i < 12; ++i) sum += uniform();
        return sum;
    }

  private:
    std::uint64_t state_;
};

/// Vectors of one length, one after the other.
struct dataset {
    std::size_t dim = 0;
    std::vector<float> values;

    [[nodiscard]] std::size_t rows() const { return values.size() / dim; }
    [[nodiscard]] std::span<const float> operator[](std::size_t row) const { return {values.data() + row * dim, dim}; }
    [[nodiscard]] std::span<float> operator[](std::size_t row) { return {values.data() + row * dim, dim}; }
    [[nodiscard]] matrix_view<const float> view() const { return {std::span<const float>(values), dim}; }
    [[nodiscard]] matrix_view<const float> view(std::size_t first, std::size_t count) const {
        return view().rows(first, count);
    }
};

template <class Value>
dataset make_rows(std::size_t rows, std::size_t dim, Value value) {
    dataset made{dim, std::vector<float>(rows * dim)};
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t d = 0; d < dim; ++d) made.values[r * dim + d] = static_cast<float>(value(r, d));
    return made;
}

inline dataset gaussian(std::size_t rows, std::size_t dim, std::uint64_t seed = 1) {
    numbers random(seed);
    return make_rows(rows, dim, [&](auto, auto) { return random.normal(); });
}

/// Row r lies around centre r % clusters; `gap` is how far apart centres are, in widths of a cluster.
inline dataset clustered(std::size_t rows, std::size_t dim, std::size_t clusters, double gap = 3,
                         std::uint64_t seed = 2) {
    numbers random(seed);
    const dataset centres = gaussian(clusters, dim, 900);  // shared by all seeds: queries fall where the rows do
    return make_rows(rows, dim, [&](std::size_t r, std::size_t d) {
        return gap * static_cast<double>(centres[r % clusters][d]) + random.normal();
    });
}

/// Gaussian rows, of which every `every`-th is a copy of the first.
inline dataset duplicates(std::size_t rows, std::size_t dim, std::size_t every, std::uint64_t seed = 3) {
    dataset made = gaussian(rows, dim, seed);
    for (std::size_t r = 0; r < rows; r += every) std::copy_n(made.values.begin(), dim, made[r].begin());
    return made;
}

inline dataset all_equal(std::size_t rows, std::size_t dim, double value = 0.5) {
    return make_rows(rows, dim, [&](auto, auto) { return value; });
}

/// Points on one line, in no order.
inline dataset collinear(std::size_t rows, std::size_t dim, std::uint64_t seed = 4) {
    numbers random(seed);
    const dataset direction = gaussian(1, dim, 901);
    std::vector<double> at(rows);
    for (double& t : at) t = 10 * random.uniform();
    return make_rows(rows, dim,
                     [&](std::size_t r, std::size_t d) { return at[r] * static_cast<double>(direction[0][d]); });
}

/// Gaussian rows and one a thousand times as far out, added first.
inline dataset with_outlier(std::size_t rows, std::size_t dim, std::uint64_t seed = 5) {
    dataset made = gaussian(rows, dim, seed);
    for (float& x : made[0]) x *= 1000;
    return made;
}

/// Clustered rows, sorted by their first component: the order of an export rather than of a shuffle.
inline dataset ordered(std::size_t rows, std::size_t dim, std::uint64_t seed = 6) {
    const dataset from = clustered(rows, dim, 20, 3, seed);
    std::vector<std::size_t> order(rows);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return from[a][0] < from[b][0]; });
    return make_rows(rows, dim, [&](std::size_t r, std::size_t d) { return from[order[r]][d]; });
}

/// Whole numbers from 1 to `side`: squared distances are exact in single precision, and many are equal.
inline dataset lattice(std::size_t rows, std::size_t dim, std::size_t side = 3, std::uint64_t seed = 7) {
    numbers random(seed);
    return make_rows(rows, dim, [&](auto, auto) { return 1 + random.below(side); });
}

/// first, first + step, ...
template <class Id = std::uint64_t>
std::vector<Id> numbered(std::size_t count, Id first = 0, Id step = 1) {
    std::vector<Id> ids(count);
    Id id = first;
    for (Id& each : ids) {
        each = id;
        id = static_cast<Id>(id + step);
    }
    return ids;
}

}  // namespace vicinal_test
