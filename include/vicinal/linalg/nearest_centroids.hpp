// SPDX-License-Identifier: MIT
// A blocked matrix product proposes which centroid is closest to each row, and double precision decides.
//
// The product gives |c|^2 / 2 - x.c in single precision, which orders the centroids of one row up to a known rounding
// error. Every centroid that error cannot rule out is measured again from direct differences in double precision, so
// the answer is that of a double-precision scan: it depends neither on the size of the blocks, nor on how Eigen sums,
// nor on the number of threads. Rows and centroids are first moved by the centroids' mean; on data far from the origin
// the error bound would otherwise rule out nothing.
//
// Eigen starts no threads here unless the program is compiled with -fopenmp; there, call Eigen::setNbThreads(1) when
// passing an executor, or each of its threads starts its own. The results are the same.
#pragma once

#include "vicinal/core/target.hpp"

// GCC 12 takes its own AVX-512 intrinsics for uses of uninitialised values wherever Eigen inlines them.
#if defined(VICINAL_GCC) && defined(VICINAL_HAS_AVX512)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <Eigen/Core>  // for Map, Matrix
#if defined(VICINAL_GCC) && defined(VICINAL_HAS_AVX512)
#pragma GCC diagnostic pop
#endif
#include <algorithm>    // for min, max, clamp
#include <array>        // for array
#include <cmath>        // for sqrt
#include <cstddef>      // for ptrdiff_t, size_t
#include <cstdint>      // for uint32_t
#include <limits>       // for numeric_limits
#include <numeric>      // for iota
#include <span>         // for span
#include <string>       // for string, to_string
#include <string_view>  // for string_view
#include <utility>      // for pair
#include <vector>       // for vector

#include "vicinal/core/executor.hpp"
#include "vicinal/core/math.hpp"
#include "vicinal/core/matrix_view.hpp"
#include "vicinal/core/stop_token.hpp"
#include "vicinal/linalg/row_set.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

using float_matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

[[nodiscard]] constexpr Eigen::Index eigen_size(std::size_t n) noexcept { return static_cast<Eigen::Index>(n); }

[[noreturn]] VICINAL_COLD inline void fail_cancelled(std::string_view what) {
    fail(errc::cancelled, std::string(what) + " was cancelled by its stop token");
}

/// Holds centroids made ready for the product: moved by their mean, with half their squared norms. Many threads may
/// read it. Ties go to the lower number everywhere.
class centroid_table {
  public:
    /// So many rows are multiplied at once; `stop` is looked at in between.
    static constexpr std::size_t tile_rows = 256;
    /// So many centroids are multiplied at once: tile_rows x panel scores stay in the second-level cache.
    static constexpr std::size_t panel = 256;
    /// Of so many centroids the smallest score decides whether any of them is looked at.
    static constexpr std::size_t group = 64;
    static_assert(panel % group == 0);

    /// Holds what one thread needs; reused from tile to tile.
    struct scratch {
        struct candidate {
            std::uint32_t centroid;
            float lower;  ///< no smaller than this is its true score
        };
        struct row_state {
            float norm;
            float upper;  ///< the best true score is at most this
            std::vector<candidate> candidates;
        };
        float_matrix rows;
        float_matrix products;
        std::vector<row_state> states;
        std::vector<std::size_t> which;
        std::vector<float> scores;
        std::vector<std::pair<double, std::uint32_t>> doubtful;
    };

    /// centroids  at least one; must stay unchanged while the table is in use
    explicit centroid_table(matrix_view<const float> centroids)
        : original_(centroids),
          moved_(eigen_size(centroids.rows()), eigen_size(centroids.dim())),
          half_norms_(centroids.rows()),
          group_norms_((centroids.rows() + group - 1) / group, 0.0F) {
        find_mean();
        for (std::size_t c = 0; c < centroids.rows(); ++c) {
            float* const row = moved_.data() + c * centroids.dim();
            double norm = 0;
            for (std::size_t i = 0; i < centroids.dim(); ++i) {
                row[i] = centroids[c][i] - mean_[i];
                norm += static_cast<double>(row[i]) * static_cast<double>(row[i]);
            }
            half_norms_[c] = static_cast<float>(norm / 2);
            float& largest = group_norms_[c / group];
            largest = (std::max)(largest, static_cast<float>(std::sqrt(norm)));
        }
        pass_over_repeats();
    }

    /// Takes some of the centroids of another table, which keep their numbers.
    /// chosen  ascending; must stay unchanged while the table is in use, as must the centroids of `all`
    centroid_table(const centroid_table& all, std::span<const std::uint32_t> chosen VICINAL_LIFETIMEBOUND)
        : original_(all.original_),
          chosen_(chosen),
          mean_(all.mean_),
          moved_(eigen_size(chosen.size()), all.moved_.cols()),
          half_norms_(chosen.size()),
          group_norms_((chosen.size() + group - 1) / group, 0.0F) {
        for (std::size_t c = 0; c < chosen.size(); ++c) {
            moved_.row(eigen_size(c)) = all.moved_.row(eigen_size(chosen[c]));
            half_norms_[c] = all.half_norms_[chosen[c]];
            float& largest = group_norms_[c / group];
            largest = (std::max)(largest, all.group_norms_[chosen[c] / group]);
        }
    }

    /// Assigns the rows of these numbers, at most tile_rows of them, to the closest centroids. `distance` is empty or
    /// receives the exact distances.
    void assign(const row_set& rows, std::span<const std::size_t> which, scratch& work,
                std::span<std::uint32_t> assignment, std::span<float> distance) const {
        load(rows, which, work);
        for (std::size_t c = 0; c < half_norms_.size(); c += panel) {
            const std::size_t width = (std::min)(panel, half_norms_.size() - c);
            multiply(c, width, work);
            for (std::size_t i = 0; i < which.size(); ++i)
                collect(work.states[i], work.products.data() + i * width, c, width);
        }
        for (std::size_t i = 0; i < which.size(); ++i)
            decide(work.states[i], rows[which[i]], assignment[which[i]],
                   distance.empty() ? nullptr : &distance[which[i]]);
    }

    /// Writes the numbers of the `want` closest centroids of each row in ascending order, rows.size() x want of them;
    /// those equal to one of a lower number, which no row is assigned to, only where there are no others left.
    /// rows  so few that their products with all centroids fit the second-level cache
    void closest(const row_set& rows, std::size_t want, scratch& work, std::span<std::uint32_t> numbers) const {
        work.which.resize(rows.size());
        std::iota(work.which.begin(), work.which.end(), std::size_t{0});
        load(rows, work.which, work);
        multiply(0, half_norms_.size(), work);
        for (std::size_t i = 0; i < rows.size(); ++i)
            choose(rows[i], work.states[i].norm, work.products.data() + i * half_norms_.size(), work,
                   numbers.subspan(i * want, want));
    }

  private:
    void find_mean() {
        std::vector<double> sum(original_.dim(), 0.0);
        for (std::size_t c = 0; c < original_.rows(); ++c)
            for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += static_cast<double>(original_[c][i]);
        mean_.resize(sum.size());
        for (std::size_t i = 0; i < sum.size(); ++i)
            mean_[i] = static_cast<float>(sum[i] / static_cast<double>(original_.rows()));
    }

    /// Gives each centroid that is equal to one of a lower number, and so can never win, a large half norm, which
    /// spares every row its exact distance.
    void pass_over_repeats() {
        std::vector<std::size_t> order(original_.rows());
        std::iota(order.begin(), order.end(), std::size_t{0});
        const auto compare = [&](std::size_t a, std::size_t b) {
            if (half_norms_[a] != half_norms_[b]) return half_norms_[a] < half_norms_[b] ? -1 : 1;
            const auto x = original_[a], y = original_[b];
            const auto [i, j] = std::mismatch(x.begin(), x.end(), y.begin());
            return i == x.end() ? 0 : *i < *j ? -1 : 1;
        };
        std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            const int sign = compare(a, b);
            return sign != 0 ? sign < 0 : a < b;
        });
        std::vector<std::size_t> repeats;
        for (std::size_t i = 1; i < order.size(); ++i)
            if (compare(order[i - 1], order[i]) == 0) repeats.push_back(order[i]);
        for (const std::size_t c : repeats) half_norms_[c] = (std::numeric_limits<float>::max)() / 2;
    }

    void load(const row_set& rows, std::span<const std::size_t> which, scratch& work) const {
        const std::size_t dim = original_.dim();
        work.rows.resize(eigen_size(which.size()), eigen_size(dim));
        if (work.states.size() < which.size()) work.states.resize(which.size());
        const Eigen::Map<const Eigen::RowVectorXf> mean(mean_.data(), eigen_size(dim));
        for (std::size_t i = 0; i < which.size(); ++i) {
            auto row = work.rows.row(eigen_size(i));
            row = Eigen::Map<const Eigen::RowVectorXf>(rows[which[i]], eigen_size(dim)) - mean;
            work.states[i].norm = row.norm();
            work.states[i].upper = (std::numeric_limits<float>::max)();
            work.states[i].candidates.clear();
        }
    }

    /// Computes the products of the loaded rows with the centroids [first, first + width).
    void multiply(std::size_t first, std::size_t width, scratch& work) const {
        work.products.resize(work.rows.rows(), eigen_size(width));
        work.products.noalias() = work.rows * moved_.middleRows(eigen_size(first), eigen_size(width)).transpose();
    }

    /// Returns how far a score may be from its true value, for a row and a centroid of at most these norms: the
    /// roundings of the product (one per term), of the subtraction, of the norm and of the move by the mean, each at
    /// most 2^-24 of the Cauchy-Schwarz bound; the last term covers products that underflow.
    [[nodiscard]] float score_error(float row_norm, float centroid_norm) const noexcept {
        constexpr float rounding = std::numeric_limits<float>::epsilon() / 2;
        const float terms = static_cast<float>(original_.dim() + 8);
        return rounding * centroid_norm * (terms * row_norm + 4 * centroid_norm) +
               terms * (std::numeric_limits<float>::min)();
    }

    /// Notes the centroids [first, first + width) that may be the closest, judged by their products with the row.
    void collect(scratch::row_state& state, const float* products, std::size_t first, std::size_t width) const {
        using values = Eigen::Map<const Eigen::ArrayXf>;
        for (std::size_t g = 0; g < width; g += group) {
            const std::size_t size = (std::min)(group, width - g);
            const float* const halves = half_norms_.data() + first + g;
            const float smallest =
                (values(halves, eigen_size(size)) - values(products + g, eigen_size(size))).minCoeff();
            const float error = score_error(state.norm, group_norms_[(first + g) / group]);
            state.upper = (std::min)(state.upper, smallest + error);
            if (smallest - error > state.upper) continue;
            for (std::size_t j = 0; j < size; ++j) {
                const float lower = halves[j] - products[g + j] - error;
                if (lower <= state.upper)
                    state.candidates.push_back({static_cast<std::uint32_t>(first + g + j), lower});
            }
        }
    }

    /// Takes the closest of the candidates that are still possible; they are in ascending order, so ties go to the
    /// lower.
    void decide(scratch::row_state& state, const float* row, std::uint32_t& assignment, float* distance) const {
        std::erase_if(state.candidates, [&](const auto& candidate) { return candidate.lower > state.upper; });
        assignment = number(state.candidates.empty() ? 0 : state.candidates.front().centroid);
        if (state.candidates.size() < 2 && distance == nullptr) return;
        double best = exact_distance(row, assignment);
        for (std::size_t i = 1; i < state.candidates.size(); ++i) {
            const std::uint32_t other = number(state.candidates[i].centroid);
            const double d = exact_distance(row, other);
            if (d < best) {
                best = d;
                assignment = other;
            }
        }
        if (distance != nullptr) *distance = static_cast<float>(best);
    }

    /// Chooses the centroids whose scores are below the want-th for certain, and of the doubtful ones the closest by
    /// exact distance; chosen.size() in all.
    void choose(const float* row, float norm, const float* products, scratch& work,
                std::span<std::uint32_t> chosen) const {
        using values = Eigen::Map<const Eigen::ArrayXf>;
        const std::size_t size = half_norms_.size();
        work.scores.resize(2 * size);
        const std::span<float> scores(work.scores.data(), size), ordered(work.scores.data() + size, size);
        Eigen::Map<Eigen::ArrayXf>(scores.data(), eigen_size(size)) =
            values(half_norms_.data(), eigen_size(size)) - values(products, eigen_size(size));
        std::copy(scores.begin(), scores.end(), ordered.begin());
        const auto last = ordered.begin() + static_cast<std::ptrdiff_t>(chosen.size() - 1);
        std::nth_element(ordered.begin(), last, ordered.end(), plain_less{});
        // The want-th true score is this far off at most; and so is each other.
        const double doubt =
            2 * static_cast<double>(score_error(norm, *std::max_element(group_norms_.begin(), group_norms_.end())));
        std::size_t found = 0;
        work.doubtful.clear();
        for (std::size_t c = 0; c < size; ++c) {
            const double over = static_cast<double>(scores[c]) - static_cast<double>(*last);
            const std::uint32_t numbered = number(static_cast<std::uint32_t>(c));
            if (over < -doubt)
                chosen[found++] = numbered;
            else if (over <= doubt)
                work.doubtful.emplace_back(exact_distance(row, numbered), numbered);
        }
        std::sort(work.doubtful.begin(), work.doubtful.end());
        // Vectors that nobody validated may hold NaN, and too few centroids be found; then some are named twice.
        for (std::size_t i = 0; found < chosen.size(); ++i)
            chosen[found++] = i < work.doubtful.size() ? work.doubtful[i].second : number(0);
        std::sort(chosen.begin(), chosen.end());
    }

    [[nodiscard]] std::uint32_t number(std::uint32_t c) const noexcept { return chosen_.empty() ? c : chosen_[c]; }
    [[nodiscard]] double exact_distance(const float* row, std::uint32_t numbered) const noexcept {
        return exact_squared_distance(row, original_[numbered].data(), original_.dim());
    }

    matrix_view<const float> original_;
    std::span<const std::uint32_t> chosen_;
    std::vector<float> mean_;
    float_matrix moved_;
    std::vector<float> half_norms_;
    std::vector<float> group_norms_;
};

/// Does what nearest_centroids does, over any row set. `what` names the caller in the message of a cancelled call.
inline void assign_rows(const row_set& rows, matrix_view<const float> centroids, std::span<std::uint32_t> assignment,
                        std::span<float> distance, executor_ref on, const stop_token& stop, std::string_view what) {
    constexpr std::size_t task_rows = 4 * centroid_table::tile_rows;  // one scratch serves several tiles
    const centroid_table table(centroids);
    parallel_for(on, (rows.size() + task_rows - 1) / task_rows, [&](std::size_t task) {
        centroid_table::scratch work;
        const std::size_t begin = task * task_rows;
        std::vector<std::size_t> which((std::min)(task_rows, rows.size() - begin));
        std::iota(which.begin(), which.end(), begin);
        for (std::size_t i = 0; i < which.size(); i += centroid_table::tile_rows) {
            if (stop.stop_requested()) fail_cancelled(what);
            const std::size_t count = (std::min)(centroid_table::tile_rows, which.size() - i);
            table.assign(rows, std::span(which).subspan(i, count), work, assignment, distance);
        }
    });
}

}  // namespace detail

/// Finds the number of the closest centroid of each row by squared Euclidean distance, ties to the lower number; it is
/// the one that a scan in double precision finds.
/// rows        finite, each with a sum of squares <= FLT_MAX/8; so too the centroids, of which there is at least one
/// assignment  receives rows.rows() numbers
/// distance    empty, or receives rows.rows() squared distances, rounded once from double
/// throws      error{dimension_mismatch}, error{invalid_argument} if a span has another length; error{non_finite},
///             error{magnitude} if a centroid is not as said (rows are not looked at); error{cancelled}
/// cost        one matrix product, rows x dim x centroids
/// threads     the same result for every executor
inline void nearest_centroids(matrix_view<const float> rows, matrix_view<const float> centroids,
                              std::span<std::uint32_t> assignment, std::span<float> distance = {},
                              executor_ref executor = {}, const stop_token& stop = {}) {
    using std::to_string;
    if (rows.dim() != centroids.dim())
        detail::fail(errc::dimension_mismatch, "nearest_centroids: rows have " + to_string(rows.dim()) +
                                                   " components, centroids " + to_string(centroids.dim()));
    detail::require_range("nearest_centroids: the number of centroids", centroids.rows(), 1,
                          (std::numeric_limits<std::uint32_t>::max)());
    if (assignment.size() != rows.rows() || (!distance.empty() && distance.size() != rows.rows()))
        detail::fail(errc::invalid_argument, "nearest_centroids: " + to_string(rows.rows()) + " rows, but room for " +
                                                 to_string(assignment.size()) + " assignments and " +
                                                 to_string(distance.size()) + " distances");
    detail::require_measurable("nearest_centroids", detail::row_set(centroids));
    detail::assign_rows(detail::row_set(rows), centroids, assignment, distance, executor, stop, "nearest_centroids");
}

VICINAL_NAMESPACE_END
