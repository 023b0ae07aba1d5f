// SPDX-License-Identifier: MIT
// A row_set is the rows that k-means looks at; a distance in double precision decides between centroids.
#pragma once

#include <array>        // for array
#include <cstddef>      // for size_t
#include <limits>       // for numeric_limits
#include <span>         // for span
#include <string>       // for string, to_string
#include <string_view>  // for string_view

#include "vicinal/core/math.hpp"
#include "vicinal/core/matrix_view.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Shows all rows of a matrix, or the chosen ones in the order chosen: a sample that is never copied.
class row_set {
  public:
    explicit row_set(matrix_view<const float> rows) noexcept : rows_(rows), size_(rows.rows()) {}
    /// chosen  row numbers of `rows`; must outlive the set
    row_set(matrix_view<const float> rows, std::span<const std::size_t> chosen VICINAL_LIFETIMEBOUND) noexcept
        : rows_(rows), chosen_(chosen.data()), size_(chosen.size()) {}

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t dim() const noexcept { return rows_.dim(); }
    [[nodiscard]] const float* operator[](std::size_t i) const noexcept {
        return rows_.data() + (chosen_ != nullptr ? chosen_[i] : i) * rows_.stride();
    }

  private:
    matrix_view<const float> rows_;
    const std::size_t* chosen_ = nullptr;
    std::size_t size_;
};

/// Computes the squared distance, in double from the first subtraction on. It has eight running sums in a fixed order,
/// so the result does not depend on the vector length of the machine.
[[nodiscard]] inline double exact_squared_distance(const float* a, const float* b, std::size_t dim) noexcept {
    std::array<double, 8> sum{};
    std::size_t i = 0;
    for (; i + 8 <= dim; i += 8)
        for (std::size_t lane = 0; lane < 8; ++lane) {
            const double difference = static_cast<double>(a[i + lane]) - static_cast<double>(b[i + lane]);
            sum[lane] += difference * difference;
        }
    for (std::size_t lane = 0; i < dim; ++i, ++lane) {
        const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
        sum[lane] += difference * difference;
    }
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

/// Refuses rows that are not finite, or so long that distances between them could overflow.
/// throws  error: non_finite, magnitude
inline void require_measurable(std::string_view what, const row_set& rows) {
    for (std::size_t r = 0; r < rows.size(); ++r) {
        double squares = 0;
        bool finite = true;
        for (std::size_t i = 0; i < rows.dim(); ++i) {
            const float x = rows[r][i];
            finite = finite && has_finite_bits(x);
            squares += static_cast<double>(x) * static_cast<double>(x);
        }
        if (!finite) fail(errc::non_finite, std::string(what) + ": a row holds NaN or infinity");
        // The limit is FLT_MAX/8, and what floats round when they add that up.
        if (squares > static_cast<double>((std::numeric_limits<float>::max)()) / 7)
            fail(errc::magnitude, std::string(what) + ": the squares of a row add up to " + std::to_string(squares) +
                                      ", that must not exceed FLT_MAX/8");
    }
}

}  // namespace detail

VICINAL_NAMESPACE_END
