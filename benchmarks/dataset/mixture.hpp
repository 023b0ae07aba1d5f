// SPDX-License-Identifier: MIT
// Any number of rows made of real ones: each lies between two of them, with some noise. A row is a function of its
// number and the seed, so that a set may be made a part at a time.
#pragma once

#include <algorithm>  // for max, min
#include <cmath>      // for sqrt

#include "generate.hpp"

namespace bench {

class mixture {
  public:
    /// dim  components taken of each real row, the first ones; all if there are fewer
    mixture(matrix<float> real, std::size_t dim, std::uint64_t seed = 7)
        : real_(std::move(real)), dim_(std::min(dim, real_.dim)), seed_(seed) {
        double squares = 0;
        for (std::size_t i = 1; i < real_.rows; i += 97)
            for (std::size_t c = 0; c < dim_; ++c) {
                const double apart = real_[i][c] - real_[i - 1][c];
                squares += apart * apart;
            }
        spread_ = std::sqrt(squares / (2.0 * static_cast<double>(std::max<std::size_t>(1, real_.rows / 97) * dim_)));
    }
    [[nodiscard]] std::size_t dim() const noexcept { return dim_; }

    /// Rows [first, first + count): up to halfway from one real row to another, then moved by an eighth of what
    /// components spread.
    [[nodiscard]] matrix<float> rows(std::size_t first, std::size_t count) const {
        matrix<float> made{count, dim_, std::vector<float>(count * dim_)};
        for (std::size_t i = 0; i < count; ++i) {
            detail::random_stream random(seed_ + 1000003 * (first + i));
            const auto a = real_[random.next() % real_.rows];
            const auto b = real_[random.next() % real_.rows];
            const double part = 0.5 * random.uniform();
            for (std::size_t c = 0; c < dim_; ++c)
                made[i][c] = static_cast<float>(a[c] + part * (b[c] - a[c]) + 0.125 * spread_ * random.normal());
        }
        return made;
    }

  private:
    matrix<float> real_;
    std::size_t dim_;
    std::uint64_t seed_;
    double spread_ = 0;
};

}  // namespace bench
