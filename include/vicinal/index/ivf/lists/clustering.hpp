// SPDX-License-Identifier: MIT
// Clustering decides how many lists an inverted file has, where their centroids lie, and which list a row belongs to.
#pragma once

#include <algorithm>    // for copy, min, max
#include <bit>          // for bit_floor
#include <cmath>        // for sqrt
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint32_t, uint64_t
#include <span>         // for span
#include <string>       // for string, to_string
#include <type_traits>  // for is_same_v
#include <vector>       // for vector

#include "vicinal/core/math.hpp"
#include "vicinal/index/ivf/lists/probes.hpp"
#include "vicinal/linalg/hierarchical_kmeans.hpp"
#include "vicinal/metric/l2.hpp"
#include "vicinal/params.hpp"
#include "vicinal/scoring/scorer.hpp"
#include "vicinal/storage/validation.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

inline constexpr std::size_t max_lists = std::size_t{1} << 20;
inline const ivf_params& checked_lists(const ivf_params& params) {
    require_range("lists", params.lists, 0, max_lists);
    return params;
}

/// Training rows beyond this many per list are left out: they hardly change the centroids.
inline constexpr std::size_t training_rows_per_list = 128;

/// With fewer rows a list than this, lists say little of where rows lie.
inline constexpr std::size_t rows_for_a_list = 39;

/// More lists than this are trained in two levels: minutes where one would take hours.
inline constexpr std::size_t most_lists_at_once = 10'000;

/// Chooses how many lists to train on `rows` rows when the caller left it open: a power of two up to 4 sqrt(rows),
/// where scanning the centroids costs about as much as scanning the lists, but no fewer than 39 rows a list.
[[nodiscard]] inline std::size_t choose_lists(std::size_t rows) noexcept {
    std::size_t lists = 1;
    while (lists < max_lists && lists * lists * 4 <= rows * 16) lists *= 2;
    return (std::min)(lists, std::max<std::size_t>(rows / rows_for_a_list, 1));
}

/// Chooses how many lists `rows` rows make: those that were asked for, or while there are fewer rows than these, one
/// for each 39 rows; as choose_lists if none were asked for.
[[nodiscard]] inline std::size_t lists_of_rows(const ivf_params& params, std::size_t rows) noexcept {
    if (params.lists == 0) return choose_lists(rows);
    return rows >= params.lists ? params.lists : std::max<std::size_t>(rows / rows_for_a_list, 1);
}
/// Returns the fewest rows of which choose_lists makes `lists` lists or more.
[[nodiscard]] inline std::size_t fewest_rows_for(std::size_t lists) noexcept {
    return lists <= 1 ? 1 : (std::max)(lists * rows_for_a_list, lists * lists / 16);
}

/// Returns how many lists to train on `rows` rows.
/// throws  error{invalid_argument} if lists were asked for and there are fewer rows
[[nodiscard]] inline std::size_t lists_for(const ivf_params& params, std::size_t rows) {
    if (rows < params.lists)
        fail(errc::invalid_argument, "training " + std::to_string(params.lists) +
                                         " lists needs as many rows, there are " + std::to_string(rows));
    return lists_of_rows(params, rows);
}

/// Names the metric that assigns rows to lists.
template <class Metric>
struct clustering_of {
    using type = Metric;
};
template <clustering_metric Metric>
struct clustering_of<Metric> {
    using type = typename Metric::clustering;
};
template <class Metric>
inline constexpr bool clusters_by_l2 = std::is_same_v<typename clustering_of<Metric>::type, l2>;

/// The metric that assigns rows to lists: the index's own, with its state, or one without.
template <class Metric>
[[nodiscard]] decltype(auto) clustering_by(const Metric& metric) noexcept {
    using clustering = typename clustering_of<Metric>::type;
    if constexpr (std::is_same_v<clustering, Metric>) {
        return (metric);
    } else {
        static_assert(!stateful_metric<clustering>,
                      "vicinal: Metric names a clustering with a state, which nobody could give it: name a metric "
                      "without one, or none, so that it is the metric itself");
        return clustering{};
    }
}

/// Says whether rows go to lists by distance while queries rank lists by inner product.
template <class Metric>
inline constexpr bool ranks_by_product = clusters_by_l2<Metric>&& [] {
    if constexpr (formed_metric<Metric>) return Metric::form == sum_form::product && !preparing_metric<Metric>;
    return false;
}();

/// Holds the centroids as rows that both the kernels and a matrix product can read; owned, or in a mapped file.
class ivf_centroids {
  public:
    explicit ivf_centroids(std::size_t dim) : store_(dim, row_spacing::dense) {}

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] const code_store<f32>& store() const noexcept { return store_; }
    [[nodiscard]] matrix_view<const float> matrix() const noexcept {
        return {size_ == 0 ? nullptr : reinterpret_cast<const float*>(store_.rows()[0]), size_, store_.dim()};
    }
    [[nodiscard]] std::size_t memory() const noexcept {
        return (block_ ? size_ * store_.rows().stride() : 0) + own_derived_.capacity() * sizeof(float);
    }

    /// Returns what a codec derives from each centroid, one after the other; empty if codes are not relative to
    /// centroids.
    [[nodiscard]] std::span<const float> derived() const noexcept { return derived_; }
    /// Derives from each centroid what `coder` needs of it. From now on codes are relative to centroids.
    template <residual_codec Codec>
    void derive(const Codec& coder) {
        own_derived_.resize(size_ * coder.derived_size());
        for (std::size_t c = 0; c < size_; ++c)
            coder.derive(matrix()[c], std::span(own_derived_).subspan(c * coder.derived_size(), coder.derived_size()));
        derived_ = own_derived_;
    }
    /// Refers to `numbers` that were derived before, as those of a mapped file were.
    void derived_at(std::span<const float> numbers) noexcept { derived_ = numbers; }
    /// Returns what the codes of a list are relative to, if they are relative to centroids.
    [[nodiscard]] code_center center(std::size_t list) const noexcept {
        return {matrix()[list].data(), derived_.data() + derived_.size() / size_ * list};
    }

    /// Makes centroids of `dim` components from a copy of `values`.
    [[nodiscard]] static ivf_centroids copy_of(std::span<const float> values, std::size_t dim) {
        ivf_centroids made(dim);
        made.block_ = aligned_block(values.size_bytes());
        std::copy(values.begin(), values.end(), reinterpret_cast<float*>(made.block_.get()));
        made.use(made.block_.get(), values.size() / dim);
        return made;
    }
    /// Copies these centroids into memory of their own.
    [[nodiscard]] ivf_centroids owned() const {
        ivf_centroids copy = copy_of({size_ == 0 ? nullptr : matrix().data(), size_ * store_.dim()}, store_.dim());
        copy.own_derived_.assign(derived_.begin(), derived_.end());
        copy.derived_ = copy.own_derived_;
        return copy;
    }
    /// Makes centroids of `dim` components that refer to `values`, which must outlive them.
    [[nodiscard]] static ivf_centroids at(std::span<const float> values, std::size_t dim) {
        ivf_centroids made(dim);
        made.use(reinterpret_cast<const std::byte*>(values.data()), values.size() / dim);
        return made;
    }

  private:
    void use(const std::byte* data, std::size_t count) noexcept {
        store_.rows().borrow(data);
        size_ = count;
    }

    code_store<f32> store_;
    aligned_block block_;
    std::size_t size_ = 0;
    std::vector<float> own_derived_;
    std::span<const float> derived_;
};

/// Shortens a centroid that is too long for the kernels. A mean of admitted rows may become so by rounding, a split
/// centroid by stepping aside.
inline void draw_in(std::span<float> centroid) noexcept {
    // 2^20 components of FLT_MAX are halved 76 times.
    for (int halvings = 0; halvings < 80 && !admissible(sum_of_squares(centroid)); ++halvings)
        for (float& x : centroid) x *= 0.5F;
}

/// Lengthens a centroid where lists are ranked by its product with the query. A mean is shorter than its rows, the more
/// so the farther apart they are: by the mean alone a list of close rows comes before a wide one that holds closer
/// ones.
/// spread   mean squared distance of the rows from `centroid`, their mean
/// effect   the centroid is as long as the rows are in root mean square, as in spherical k-means; a mean so short
///          beside them that it is what rounding left of zero has no direction and stays as it is
inline void lengthen(std::span<float> centroid, double spread) noexcept {
    double squares = 0;
    for (const float x : centroid) squares += static_cast<double>(x) * static_cast<double>(x);
    if (squares * 0x1p48 <= spread) return;
    const auto factor = static_cast<float>(std::sqrt(1 + spread / squares));
    for (float& x : centroid) x *= factor;
}

/// Makes a mean of prepared rows fit to be scored: prepared, too, where the metric prepares.
/// spread  mean squared distance of the rows from it
template <class Metric>
void finish_centroid(const Metric& metric, std::span<float> centroid, double spread) {
    if constexpr (ranks_by_product<Metric>) lengthen(centroid, spread);
    draw_in(centroid);
    // A mean of zero has no direction: it stays where it is.
    if constexpr (preparing_metric<Metric>) static_cast<void>(metric.prepare(centroid));
}

/// Computes the mean of rows, and returns their mean squared distance from it.
template <class Rows>
[[nodiscard]] double mean_and_spread(const Rows& rows, std::span<float> mean) {
    const auto count = static_cast<double>(rows.rows());
    for (std::size_t i = 0; i < mean.size(); ++i) {
        double sum = 0;
        for (std::size_t r = 0; r < rows.rows(); ++r) sum += double{rows[r][i]};
        mean[i] = static_cast<float>(sum / count);
    }
    double squares = 0;
    for (std::size_t r = 0; r < rows.rows(); ++r)
        for (std::size_t i = 0; i < mean.size(); ++i) {
            const float d = rows[r][i] - mean[i];
            squares += double{d} * double{d};
        }
    return squares / count;
}

/// Multiplies components by the roots of their weights in parts of the largest, so that l2 between rows goes with what
/// the weighted metric measures; `back` does the reverse, where a weight of 0 leaves 0.
template <weighted_metric Metric>
void scale_by_weights(const Metric& metric, std::span<float> rows, std::size_t dim, bool back) {
    float largest = 0;
    for (std::size_t i = 0; i < dim; ++i) largest = (std::max)(largest, std::abs(metric.weights()[i]));
    if (largest == 0) return;
    for (std::size_t at = 0; at < rows.size(); ++at) {
        const float scale = std::sqrt(std::abs(metric.weights()[at % dim]) / largest);
        rows[at] = !back ? rows[at] * scale : scale > 0 ? rows[at] / scale : 0.0F;
    }
}

/// Learns the centroids of `count` lists from prepared rows, fit to be scored.
template <class Metric>
[[nodiscard]] ivf_centroids learn_centroids(const Metric& metric, matrix_view<const float> prepared, std::size_t count,
                                            std::uint64_t seed, const add_params& params, executor_ref executor) {
    kmeans_params how;
    how.clusters = count;
    how.seed = seed;
    how.sample_per_cluster = training_rows_per_list;
    how.balance = 3;  // no query meets a giant; benchmarks/RESULTS.md has what it does to recall
    how.executor = executor;
    how.stop = params.stop;
    how.progress = params.progress;
    const auto learn = [&](matrix_view<const float> rows) {
        return count > most_lists_at_once ? hierarchical_kmeans(rows, how) : kmeans(rows, how);
    };
    kmeans_result found;
    if constexpr (weighted_metric<Metric>) {
        std::vector<float> scaled(prepared.data(), prepared.data() + prepared.rows() * prepared.dim());
        scale_by_weights(metric, scaled, prepared.dim(), false);
        found = learn({scaled.data(), prepared.rows(), prepared.dim()});
        scale_by_weights(metric, found.centroids, prepared.dim(), true);
    } else {
        found = learn(prepared);
    }
    std::vector<float>& values = found.centroids;
    for (std::size_t c = 0; c < count; ++c) {
        const std::span<float> centroid = std::span(values).subspan(c * prepared.dim(), prepared.dim());
        finish_centroid(metric, centroid, ranks_by_product<Metric> ? found.spreads[c] : 0.0);
    }
    return ivf_centroids::copy_of(values, prepared.dim());
}

/// Returns the list of one prepared row, readable to `over_read` bytes past its end: that of the closest centroid, ties
/// to the lower number. It is the list that assign_lists finds.
template <class Metric, class Isa>
[[nodiscard]] std::uint32_t assign_list([[maybe_unused]] const Metric& metric, const ivf_centroids& centroids,
                                        const float* row, [[maybe_unused]] padded_vector& buffer) {
    const matrix_view<const float> all = centroids.matrix();
    if constexpr (clusters_by_l2<Metric>) {
        std::uint32_t best = 0;
        double smallest = detail::infinite();
        for (std::size_t c = 0; c < all.rows(); ++c) {
            const double distance = exact_squared_distance(row, all[c].data(), all.dim());
            if (distance >= smallest) continue;
            smallest = distance;
            best = static_cast<std::uint32_t>(c);
        }
        return best;
    } else {
        using clustering = typename clustering_of<Metric>::type;
        const clustering& by = clustering_by(metric);
        std::uint64_t memory[2];
        std::uint32_t best = 0;
        const scorer<clustering, f32, Isa> score(by, centroids.store(), row, buffer);
        closest_lists(score, all.rows(), memory, std::span(&best, 1));
        return best;
    }
}

/// Finds the lists of all rows of `prepared`, the last of which is readable to `over_read` bytes past its end.
template <class Metric, class Isa>
void assign_lists([[maybe_unused]] const Metric& metric, const ivf_centroids& centroids,
                  matrix_view<const float> prepared, std::span<std::uint32_t> lists, executor_ref executor) {
    if constexpr (clusters_by_l2<Metric>) {
        nearest_centroids(prepared, centroids.matrix(), lists, {}, executor);
    } else {
        constexpr std::size_t block = 64;
        parallel_for(executor, (prepared.rows() + block - 1) / block, [&](std::size_t b) {
            padded_vector buffer;
            for (std::size_t r = b * block; r < (std::min)(prepared.rows(), (b + 1) * block); ++r)
                lists[r] = assign_list<Metric, Isa>(metric, centroids, prepared[r].data(), buffer);
        });
    }
}

}  // namespace detail

VICINAL_NAMESPACE_END
