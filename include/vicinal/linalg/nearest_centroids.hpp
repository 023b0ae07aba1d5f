// SPDX-License-Identifier: MIT
// A blocked matrix product proposes which centroid is closest to each row, and double precision decides.
//
// The product gives |c|^2 / 2 - x.c in single precision, which orders the centroids of one row up to a known rounding
// error. Every centroid that error cannot rule out is measured again from direct differences in double precision, so
// the answer is that of a double-precision scan: it depends neither on the size of the blocks, nor on the instructions
// that sum, nor on the number of threads. Rows and centroids are first moved by the centroids' mean; on data far from
// the origin the error bound would otherwise rule out nothing.
#pragma once

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
#include "vicinal/simd/isa.hpp"
#include "vicinal/simd/score_tile.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

[[noreturn]] VICINAL_COLD inline void fail_cancelled(std::string_view what) {
    fail(errc::cancelled, std::string(what) + " was cancelled by its stop token");
}

/// Holds centroids made ready for the product: moved by their mean, with half their squared norms. Many threads may
/// read it. Ties go to the lower number everywhere.
class centroid_table {
  public:
    /// So many rows are assigned at once; `stop` is looked at in between.
    static constexpr std::size_t tile_rows = 256;

  private:
    using tile = simd::tile<simd::wide_isa<simd::native_isa>>;
    using scores_of = simd::score_tile<simd::wide_isa<simd::native_isa>>;
    /// Of so many centroids the smallest score decides whether any of them is looked at.
    static constexpr std::size_t group = scores_of::most_centroids;
    static constexpr std::size_t panel_rows = tile::queries;
    /// So many floats of rows are loaded at once, which leaves room for centroids in the second-level cache.
    static constexpr std::size_t loaded_floats = std::size_t{1} << 16;

    struct candidate {
        std::uint32_t centroid;
        float lower;  ///< no smaller than this is its true score
    };
    /// Holds up to panel_rows rows, packed. Those missing are copies of the first, and nobody asks about them.
    struct panel {
        std::size_t count;
        std::size_t pitch;
        std::vector<float> floats;
        std::array<float, panel_rows> norm;
        std::array<float, panel_rows> upper;  ///< the best true score is at most this
        std::array<std::vector<candidate>, panel_rows> candidates;
    };

  public:
    /// Holds what one thread needs; reused from tile to tile.
    class scratch {
        friend centroid_table;
        std::vector<panel> panels_;
        std::vector<float> table_;  ///< the scores of one panel and all centroids
        std::vector<float> scores_;
        std::array<float, group * panel_rows> group_scores_;
        std::array<float, panel_rows> least_;
        scores_of::hits hits_;
        std::vector<std::pair<double, std::uint32_t>> doubtful_;
    };

    /// centroids  at least one; must stay unchanged while the table is in use
    explicit centroid_table(matrix_view<const float> centroids)
        : original_(centroids),
          moved_(centroids.rows() * centroids.dim()),
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
          moved_(chosen.size() * all.original_.dim()),
          half_norms_(chosen.size()),
          group_norms_((chosen.size() + group - 1) / group, 0.0F) {
        for (std::size_t c = 0; c < chosen.size(); ++c) {
            std::copy_n(all.moved_.data() + chosen[c] * original_.dim(), original_.dim(),
                        moved_.data() + c * original_.dim());
            half_norms_[c] = all.half_norms_[chosen[c]];
            float& largest = group_norms_[c / group];
            largest = (std::max)(largest, all.group_norms_[chosen[c] / group]);
        }
    }

    /// Assigns the rows of these numbers, at most tile_rows of them, to the closest centroids. `distance` is empty or
    /// receives the exact distances.
    void assign(const row_set& rows, std::span<const std::size_t> which, scratch& work,
                std::span<std::uint32_t> assignment, std::span<float> distance) const {
        const std::size_t block =
            (std::max)(loaded_floats / (panel_rows * original_.dim()), std::size_t{1}) * panel_rows;
        for (std::size_t i = 0; i < which.size(); i += block)
            assign_block(rows, which.subspan(i, (std::min)(block, which.size() - i)), work, assignment, distance);
    }

    /// Writes the numbers of the `want` closest centroids of each row in ascending order, rows.size() x want of them;
    /// those equal to one of a lower number, which no row is assigned to, only where there are no others left.
    void closest(const row_set& rows, std::size_t want, scratch& work, std::span<std::uint32_t> numbers) const {
        const std::size_t size = half_norms_.size();
        work.panels_.resize((std::max)(work.panels_.size(), std::size_t{1}));
        panel& loaded = work.panels_.front();
        for (std::size_t first = 0; first < rows.size(); first += panel_rows) {
            std::array<std::size_t, panel_rows> which;
            const std::size_t count = (std::min)(panel_rows, rows.size() - first);
            std::iota(which.begin(), which.end(), first);
            load(rows, std::span(which).first(count), loaded, work.least_);
            work.table_.resize(size * loaded.pitch);
            scores_of::write(loaded.floats.data(), loaded.pitch, original_.dim(), moved_.data(), size,
                             half_norms_.data(), work.table_.data(), work.least_.data());
            for (std::size_t i = 0; i < count; ++i)
                choose(rows[first + i], i, loaded, work, numbers.subspan((first + i) * want, want));
        }
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

    /// Packs at most panel_rows rows, moved by the mean, and measures them.
    void load(const row_set& rows, std::span<const std::size_t> which, panel& out,
              std::array<float, panel_rows>& squares) const {
        std::array<const float*, panel_rows> at;
        for (std::size_t i = 0; i < which.size(); ++i) at[i] = rows[which[i]];
        out.count = which.size();
        out.pitch = tile::room(which.size());
        out.floats.resize(original_.dim() * out.pitch);
        tile::pack(at.data(), out.count, original_.dim(), out.floats.data());
        scores_of::move(out.floats.data(), out.pitch, original_.dim(), mean_.data(), squares.data());
        for (std::size_t i = 0; i < out.pitch; ++i) out.norm[i] = std::sqrt(squares[i]);
        out.upper.fill((std::numeric_limits<float>::max)());
        for (std::vector<candidate>& list : out.candidates) list.clear();
    }

    /// Assigns so many rows as are loaded at once. A group of centroids meets all of them before the next one comes.
    void assign_block(const row_set& rows, std::span<const std::size_t> which, scratch& work,
                      std::span<std::uint32_t> assignment, std::span<float> distance) const {
        const std::size_t panels = (which.size() + panel_rows - 1) / panel_rows;
        const auto members = [&](std::size_t p) {
            return which.subspan(p * panel_rows, (std::min)(panel_rows, which.size() - p * panel_rows));
        };
        if (work.panels_.size() < panels) work.panels_.resize(panels);
        for (std::size_t p = 0; p < panels; ++p) load(rows, members(p), work.panels_[p], work.least_);
        for (std::size_t first = 0; first < half_norms_.size(); first += group)
            for (std::size_t p = 0; p < panels; ++p) collect(work.panels_[p], first, work);
        for (std::size_t p = 0; p < panels; ++p)
            for (std::size_t i = 0; i < members(p).size(); ++i) {
                const std::size_t row = members(p)[i];
                decide(work.panels_[p].candidates[i], work.panels_[p].upper[i], rows[row], assignment[row],
                       distance.empty() ? nullptr : &distance[row]);
            }
    }

    /// Returns how far a score may be from its true value, for a row and a centroid of at most these norms: the
    /// roundings of the product (one per term), of the subtraction, of the norm and of the move by the mean, each at
    /// most 2^-24 of the Cauchy-Schwarz bound; `again` is for what these roundings add to each other and to the norm,
    /// and the last term covers products that underflow.
    [[nodiscard]] float score_error(float row_norm, float centroid_norm) const noexcept {
        constexpr float rounding = std::numeric_limits<float>::epsilon() / 2;
        const float terms = static_cast<float>(original_.dim() + 8);
        const float again = 1 + 4 * rounding * terms;
        return rounding * centroid_norm * (again * terms * row_norm + 4 * centroid_norm) +
               terms * (std::numeric_limits<float>::min)();
    }

    /// Notes which centroids of the group from `first` on may be the closest to the rows of a panel.
    void collect(panel& rows, std::size_t first, scratch& work) const {
        const std::size_t size = (std::min)(group, half_norms_.size() - first);
        const std::size_t dim = original_.dim();
        float* const scores = work.group_scores_.data();
        scores_of::write(rows.floats.data(), rows.pitch, dim, moved_.data() + first * dim, size,
                         half_norms_.data() + first, scores, work.least_.data());
        std::array<float, panel_rows> error, limit;
        bool any = false;
        for (std::size_t i = 0; i < rows.count; ++i) {
            error[i] = score_error(rows.norm[i], group_norms_[first / group]);
            rows.upper[i] = (std::min)(rows.upper[i], work.least_[i] + error[i]);
            limit[i] = rows.upper[i] + error[i];
            any = any || !(limit[i] < work.least_[i]);
        }
        if (!any) return;
        std::fill(limit.begin() + static_cast<std::ptrdiff_t>(rows.count), limit.end(),
                  std::numeric_limits<float>::lowest());
        scores_of::list(scores, rows.pitch, size, limit.data(), work.hits_);
        for (std::size_t i = 0; i < rows.count; ++i)
            for (std::size_t j = 0; j < work.hits_.count[i]; ++j) {
                const std::size_t c = work.hits_.centroid[i][j];
                rows.candidates[i].push_back(
                    {static_cast<std::uint32_t>(first + c), scores[c * rows.pitch + i] - error[i]});
            }
    }

    /// Takes the closest of the candidates that are still possible; they are in ascending order, so ties go to the
    /// lower.
    void decide(std::vector<candidate>& candidates, float upper, const float* row, std::uint32_t& assignment,
                float* distance) const {
        std::erase_if(candidates, [&](const candidate& one) { return one.lower > upper; });
        assignment = number(candidates.empty() ? 0 : candidates.front().centroid);
        if (candidates.size() < 2 && distance == nullptr) return;
        double best = exact_distance(row, assignment);
        for (std::size_t i = 1; i < candidates.size(); ++i) {
            const std::uint32_t other = number(candidates[i].centroid);
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
    void choose(const float* row, std::size_t lane, const panel& loaded, scratch& work,
                std::span<std::uint32_t> chosen) const {
        const std::size_t size = half_norms_.size();
        work.scores_.resize(2 * size);
        const std::span<float> scores(work.scores_.data(), size), ordered(work.scores_.data() + size, size);
        for (std::size_t c = 0; c < size; ++c) scores[c] = work.table_[c * loaded.pitch + lane];
        std::copy(scores.begin(), scores.end(), ordered.begin());
        const auto last = ordered.begin() + static_cast<std::ptrdiff_t>(chosen.size() - 1);
        std::nth_element(ordered.begin(), last, ordered.end(), plain_less{});
        // The want-th true score is this far off at most; and so is each other.
        const double doubt = 2 * static_cast<double>(score_error(
                                     loaded.norm[lane], *std::max_element(group_norms_.begin(), group_norms_.end())));
        std::size_t found = 0;
        work.doubtful_.clear();
        for (std::size_t c = 0; c < size; ++c) {
            const double over = static_cast<double>(scores[c]) - static_cast<double>(*last);
            const std::uint32_t numbered = number(static_cast<std::uint32_t>(c));
            if (over < -doubt)
                chosen[found++] = numbered;
            else if (over <= doubt)
                work.doubtful_.emplace_back(exact_distance(row, numbered), numbered);
        }
        std::sort(work.doubtful_.begin(), work.doubtful_.end());
        // Vectors that nobody validated may hold NaN, and too few centroids be found; then some are named twice.
        for (std::size_t i = 0; found < chosen.size(); ++i)
            chosen[found++] = i < work.doubtful_.size() ? work.doubtful_[i].second : number(0);
        std::sort(chosen.begin(), chosen.end());
    }

    [[nodiscard]] std::uint32_t number(std::uint32_t c) const noexcept { return chosen_.empty() ? c : chosen_[c]; }
    [[nodiscard]] double exact_distance(const float* row, std::uint32_t numbered) const noexcept {
        return exact_squared_distance(row, original_[numbered].data(), original_.dim());
    }

    matrix_view<const float> original_;
    std::span<const std::uint32_t> chosen_;
    std::vector<float> mean_;
    std::vector<float> moved_;  ///< centroids less their mean, side by side
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
/// cost        one matrix product, rows x dim x centroids, by the kernels this file is compiled for
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
