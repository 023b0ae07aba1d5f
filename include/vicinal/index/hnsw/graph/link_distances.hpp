// SPDX-License-Identifier: MIT
// A graph's links are chosen by the distances defined here.
//
// These distances are those of the metric, but for plain inner products. The rows that a query's product ranks first
// stay the same when one point m is taken off all rows, as <q, y - m> = <q, y> - <q, m>; the links that products among
// rows choose do not. If rows share a mean, products among them rank every row's candidates by their share of that
// mean, and the pruning leaves one or two links a row. So candidates are found and pruned by <x - m, y - m>, with m the
// mean. Nothing is stored centred: of one row x, <x - m, y - m> orders all y as <x - m, y> does, which is a query that
// m was taken off.
//
// Queries that share the rows' mean are served best by products as they are, so these choose first, and what they leave
// of a row's places goes to the centred ones. Where there is no mean to speak of, the two are the same and only the
// former are taken. Rows of several groups, each with a mean of its own, have no point that centres them all. A row
// that products leave with less than a quarter of its places has them filled with links to its nearest rows, by squared
// distance, which no shift of rows changes.
#pragma once

#include <algorithm>  // for count, fill, max, min, none_of, nth_element, partial_sort, sort
#include <array>      // for array
#include <cstddef>    // for size_t, ptrdiff_t
#include <cstdint>    // for uint64_t
#include <span>       // for span
#include <utility>    // for pair
#include <vector>     // for vector

#include "vicinal/concepts.hpp"
#include "vicinal/core/math.hpp"
#include "vicinal/index/hnsw/graph/near_duplicates.hpp"
#include "vicinal/metric/l2.hpp"
#include "vicinal/scoring/normalized_products.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Says whether a metric orders rows by their products with a query, whatever the rows' lengths. Only there what the
/// rows have in common makes a difference to links but none to results.
template <class Metric>
inline constexpr bool has_free_origin = product_bound_metric<Metric> && !preparing_metric<Metric>;

// ---- the mean -------------------------------------------------------------------------------------------------------

/// Holds the point that rows are centred on while links are chosen. It follows the rows: it is taken anew whenever a
/// quarter of them has changed, from a sample. Rows far out, which would pull it away from all others, are left out.
///
/// If rows were only ever added, the point depends on how many there are and on their codes alone, so an index from a
/// file goes on as the one that was saved.
class shared_mean {
    static constexpr std::size_t sample_rows = 1024;

  public:
    /// Returns the point; empty if there is none worth taking off.
    [[nodiscard]] std::span<const float> point() const noexcept { return point_; }
    [[nodiscard]] std::size_t memory() const noexcept { return point_.capacity() * sizeof(float); }

    /// Returns what this becomes once `count` more rows have come or gone. Changes nothing here.
    /// before  how many rows there were, which stands for the changes of an index from a file
    /// live    how many there are then
    /// rows    how many rows of `store` may be sampled
    /// is_sample(row)  whether a row is one to learn from
    template <class Codec, class IsSample>
    [[nodiscard]] shared_mean after(std::size_t count, std::size_t before, std::size_t live,
                                    const code_store<Codec>& store, std::size_t rows, const IsSample& is_sample) const {
        shared_mean next(*this);
        next.changes_ = (changes_ == 0 ? before : changes_) + count;
        if (next.advance(live)) next.learn(store, std::min<std::uint64_t>(rows, next.learned_at_), is_sample);
        return next;
    }

  private:
    /// Moves learned_at_ on, in steps of a quarter; returns false if it stays.
    [[nodiscard]] bool advance(std::uint64_t live) noexcept {
        const std::uint64_t was = learned_at_;
        for (;;) {
            const std::uint64_t step = std::max<std::uint64_t>(1, (std::min)(learned_at_, live) / 4);
            const std::uint64_t ahead = changes_ - learned_at_;
            if (ahead < step) return learned_at_ != was;
            learned_at_ += learned_at_ < live ? step : ahead / step * step;
        }
    }

    template <class Codec, class IsSample>
    void learn(const code_store<Codec>& store, std::uint64_t rows, const IsSample& is_sample) {
        std::vector<slot_t> sample;
        for (std::uint64_t i = 0; i < std::min<std::uint64_t>(rows, sample_rows); ++i) {
            const auto slot = static_cast<slot_t>(rows <= sample_rows ? i : mix(i) % rows);
            if (is_sample(slot)) sample.push_back(slot);
        }
        std::vector<double> mean(store.dim(), 0.0);
        std::vector<double> next(store.dim());
        (void)move_to_mean(store, sample, mean, next);
        const double spread = move_to_mean(store, sample, mean, next);
        double squares = 0;
        for (const double x : mean) squares += x * x;
        // A mean of a sample is that far from the origin by chance. Shorter than an eighth of the rows' distance from
        // it, it makes no difference to links.
        const double negligible =
            spread * (1.0 / 64 + 4.0 / static_cast<double>(std::max<std::size_t>(1, sample.size())));
        point_.clear();
        if (spread > 0 && squares > negligible) point_.assign(mean.begin(), mean.end());
    }
    /// Puts in place of `mean` that of the sampled rows within four times the median distance from it, and returns
    /// their mean squared distance from there.
    template <class Codec>
    [[nodiscard]] static double move_to_mean(const code_store<Codec>& store, std::span<const slot_t> sample,
                                             std::vector<double>& mean, std::vector<double>& next) {
        if (sample.empty()) return 0;
        row_as_query<Codec> decoded;
        std::vector<double> distances;
        distances.reserve(sample.size());
        for (const slot_t slot : sample) distances.push_back(squared_distance(decoded(store, slot), mean));
        std::vector<double> sorted(distances);
        const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
        std::nth_element(sorted.begin(), middle, sorted.end(), plain_less{});
        std::fill(next.begin(), next.end(), 0.0);
        double count = 0;
        double total = 0;
        for (std::size_t s = 0; s < sample.size(); ++s) {
            if (distances[s] > 16 * *middle) continue;
            const float* const row = decoded(store, sample[s]);
            for (std::size_t i = 0; i < next.size(); ++i) next[i] += double{row[i]};
            total += distances[s];
            ++count;
        }
        double moved = 0;
        for (std::size_t i = 0; i < next.size(); ++i) {
            next[i] /= count;
            moved += (next[i] - mean[i]) * (next[i] - mean[i]);
        }
        mean.swap(next);
        return total / count - moved;
    }
    [[nodiscard]] static double squared_distance(const float* row, const std::vector<double>& from) noexcept {
        double sum = 0;
        for (std::size_t i = 0; i < from.size(); ++i) sum += (double{row[i]} - from[i]) * (double{row[i]} - from[i]);
        return sum;
    }

    std::vector<float> point_;
    std::uint64_t changes_ = 0;     // how many rows ever came and went
    std::uint64_t learned_at_ = 0;  // after how many of these
};

/// Takes the place of shared_mean for metrics that have no use for it.
struct no_shared_mean {
    [[nodiscard]] static std::span<const float> point() noexcept { return {}; }
    [[nodiscard]] static std::size_t memory() noexcept { return 0; }
    template <class... T>
    [[nodiscard]] no_shared_mean after(const T&...) const noexcept {
        return {};
    }
};

// ---- distances ------------------------------------------------------------------------------------------------------

/// Makes scorers of the distances between stored rows by which a graph is built: one row becomes the query.
template <class Metric, class Codec, class Isa>
class row_distances {
  public:
    /// Says whether rows may have a mean to be taken off. Then d(a, b) and d(b, a) order rows alike, but differ.
    static constexpr bool may_center = has_free_origin<Metric>;

    /// mean  what is taken off a row that becomes the query; alive as long as this, nothing if empty
    row_distances(const Metric& metric, const code_store<Codec>& store, std::span<const float> mean = {})
        : metric_(metric), store_(store), mean_(mean) {}

    [[nodiscard]] bool centers() const noexcept { return may_center && !mean_.empty(); }

    /// Returns a scorer whose query is row `slot`, less the mean; good until the next call.
    [[nodiscard]] walk_scorer<Metric, Codec, Isa> from(slot_t slot) {
        if constexpr (may_center)
            if (!mean_.empty()) return from_centered(slot);
        return from_as_it_is(slot);
    }
    /// Returns a scorer whose query is row `slot` as it is; good until the next call.
    [[nodiscard]] walk_scorer<Metric, Codec, Isa> from_as_it_is(slot_t slot) {
        if constexpr (walks_by_integers<Metric, Codec, Isa>)
            return {metric_, store_, slot, decoded_, integers_};
        else if constexpr (counts_bits<Metric, Codec>)
            return {metric_, store_, slot};
        else
            return {metric_, store_, as_query_(store_, slot), decoded_};
    }

    /// Returns a scorer of squared distances from row `slot`; good until the next call.
    [[nodiscard]] walk_scorer<l2, Codec, Isa> squares_from(slot_t slot) {
        if constexpr (walks_by_integers<l2, Codec, Isa>)
            return {squares_, store_, slot, decoded_, integers_};
        else
            return {squares_, store_, as_query_(store_, slot), decoded_};
    }

  private:
    [[nodiscard]] walk_scorer<Metric, Codec, Isa> from_centered(slot_t slot) {
        const float* const row = as_query_(store_, slot);
        centered_.resize(store_.dim());
        for (std::size_t i = 0; i < mean_.size(); ++i) centered_.data()[i] = row[i] - mean_[i];
        if constexpr (walks_by_integers<Metric, Codec, Isa>)
            return {metric_, store_, centered_.data(), integers_};
        else
            return {metric_, store_, centered_.data(), decoded_};
    }

    static constexpr l2 squares_{};

    const Metric& metric_;
    const code_store<Codec>& store_;
    std::span<const float> mean_;
    row_as_query<Codec, Isa> as_query_;
    padded_vector centered_;
    padded_vector decoded_;
    padded_vector integers_;
};

// ---- choosing among candidates --------------------------------------------------------------------------------------

/// Says whether of all `others` the first, which is the row that would link to a candidate, is closest to that
/// candidate. The candidate is the query of `from`.
template <class Scorer>
[[nodiscard]] bool closest_is_first(const Scorer& from, std::span<const slot_t> others) {
    std::array<float, 4> distances;
    float own = 0;
    for (std::size_t j = 0; j < others.size(); j += distances.size()) {
        const std::size_t n = (std::min)(distances.size(), others.size() - j);
        from.score(others.data() + j, n, distances.data());
        if (j == 0) own = distances[0];
        for (std::size_t t = j == 0 ? 1 : 0; t < n; ++t)
            if (!(distances[t] > own)) return false;
    }
    return true;
}

/// Marks those of sorted[kept..] that are chosen by products as they are, as select_neighbors would, for rows with a
/// mean. They are looked for among the 2 * limit closest by these, and take up to seven eighths of the places.
template <class Distances>
[[nodiscard]] std::vector<bool> choose_uncentered(slot_t row, std::span<const candidate> sorted, std::size_t limit,
                                                  std::size_t kept, Distances& between) {
    std::vector<slot_t> slots;
    for (const candidate& c : sorted) slots.push_back(c.slot);
    std::vector<float> distances(slots.size());
    between.from_as_it_is(row).score(slots.data(), slots.size(), distances.data());
    std::vector<std::pair<row_key, std::size_t>> order;
    for (std::size_t i = kept; i < slots.size(); ++i) order.push_back({make_key(distances[i], slots[i]), i});
    const std::size_t closest = (std::min)(order.size(), 2 * limit);
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(closest), order.end());
    std::vector<bool> chosen(slots.size(), false);
    std::vector<slot_t> others{row};
    for (std::size_t i = 0; i < kept; ++i) others.push_back(slots[i]);
    std::size_t places = (limit - (std::min)(limit, kept)) * 7 / 8;
    for (std::size_t o = 0; o < closest && places > 0; ++o) {
        const std::size_t i = order[o].second;
        if (others.size() > 1 && !closest_is_first(between.from_as_it_is(slots[i]), others)) continue;
        chosen[i] = true;
        others.push_back(slots[i]);
        --places;
    }
    return chosen;
}

/// Does what select_neighbors does, for a `row` of an index with a mean: products as they are choose first, and the
/// rest of `limit` is for centred ones.
template <class Distances>
std::size_t choose_links_by_both(slot_t row, std::span<candidate> sorted, std::size_t limit, std::size_t kept,
                                 Distances& between) {
    const std::vector<bool> chosen = choose_uncentered(row, sorted, limit, kept, between);
    auto reserved = static_cast<std::size_t>(std::count(chosen.begin(), chosen.end(), true));
    std::vector<slot_t> others{row};
    std::size_t count = 0;
    for (std::size_t i = 0; i < sorted.size() && count < limit; ++i) {
        const candidate c = sorted[i];
        if (chosen[i])
            --reserved;
        else if (i >= kept &&
                 (count + reserved >= limit || (others.size() > 1 && !closest_is_first(between.from(c.slot), others))))
            continue;
        others.push_back(c.slot);
        sorted[count++] = c;
    }
    return count;
}

/// Says whether products filled so few of a row's `limit` places that its nearest rows take the others.
[[nodiscard]] constexpr bool leaves_room(std::size_t count, std::size_t limit) noexcept { return 4 * count < limit; }

/// Adds to the links of `row`, which are sorted, those of `close` that are closer to it than to each other by squared
/// distance, up to `limit` in all. The first `kept` links stay in front.
template <class Distances>
void fill_by_squares(slot_t row, std::vector<candidate>& links, std::size_t kept, std::vector<slot_t> close,
                     std::size_t limit, Distances& between) {
    std::vector<float> distances(close.size());
    between.squares_from(row).score(close.data(), close.size(), distances.data());
    std::vector<candidate> sorted;
    for (std::size_t i = 0; i < close.size(); ++i) sorted.push_back({distances[i], close[i]});
    std::sort(sorted.begin(), sorted.end());
    const std::size_t had = links.size();
    std::vector<slot_t> others{row};
    for (std::size_t i = 0; i < sorted.size() && links.size() < limit; ++i) {
        const slot_t slot = sorted[i].slot;
        if (i > 0 && slot == sorted[i - 1].slot) continue;
        if (others.size() > 1 && !closest_is_first(between.squares_from(slot), others)) continue;
        others.push_back(slot);
        const auto is_it = [slot](const candidate& c) { return c.slot == slot; };
        if (std::none_of(links.begin(), links.begin() + static_cast<std::ptrdiff_t>(had), is_it))
            links.push_back({0.0F, slot});
    }
    const auto from_row = between.from(row);
    for (std::size_t i = had; i < links.size(); ++i) links[i].distance = from_row.score(links[i].slot);
    std::sort(links.begin() + static_cast<std::ptrdiff_t>((std::min)(kept, had)), links.end());
}

}  // namespace detail

VICINAL_NAMESPACE_END
