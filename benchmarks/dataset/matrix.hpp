// SPDX-License-Identifier: MIT
// Rows of numbers the harness owns.
#pragma once

#include <cstddef>  // for size_t
#include <span>     // for span
#include <vector>   // for vector

namespace bench {

/// A dense row-major matrix; values.size() is rows * dim.
template <class T>
struct matrix {
    std::size_t rows = 0;
    std::size_t dim = 0;
    std::vector<T> values;

    [[nodiscard]] std::span<const T> operator[](std::size_t row) const noexcept {
        return std::span<const T>(values).subspan(row * dim, dim);
    }
    [[nodiscard]] std::span<T> operator[](std::size_t row) noexcept {
        return std::span<T>(values).subspan(row * dim, dim);
    }
};

}  // namespace bench
