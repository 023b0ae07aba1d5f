// SPDX-License-Identifier: MIT
// The lists of an inverted file are learned from its first rows, and anew while it grows: who came first does not
// decide.
//
// Lists are learned again whenever the rows have doubled, until each list was learned from 128 rows; if their number
// was left open, there are then as many as that many rows make, so that this never ends. Later they are learned again
// when they have become uneven, as they do when rows come that are unlike those before. All rows are put into the new
// lists beside readers, and all is exchanged at once. A call that fails goes back to the lists of before.
#pragma once

#include <algorithm>  // for min, max
#include <atomic>     // for atomic
#include <cstddef>    // for size_t, byte
#include <cstdint>    // for uint32_t
#include <optional>   // for optional
#include <span>       // for span
#include <utility>    // for move
#include <vector>     // for vector

#include "vicinal/core/executor.hpp"
#include "vicinal/core/progress.hpp"
#include "vicinal/index/common/learner.hpp"
#include "vicinal/index/ivf/lists/clustering.hpp"
#include "vicinal/index/ivf/lists/codes.hpp"
#include "vicinal/index/ivf/lists/training.hpp"
#include "vicinal/index/ivf/state.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::ivf {

// ---- whether it is time ---------------------------------------------------------------------------------------------

/// Lists are learned anew when they have become so many times as uneven as they were, or when rows come so many times
/// as far off the centroids, squared, as those that lists were learned from.
inline constexpr double uneven_by = 1.5;
inline constexpr double farther_by = 1.3;
/// So many rows tell how far off rows are.
inline constexpr std::size_t rows_looked_at = 512;

/// Returns how uneven lists are: how many times as many rows as in even lists a search meets in a list that holds a row
/// chosen by chance. 1 for even lists.
[[nodiscard]] inline double unevenness(const ivf_lists& lists, std::size_t rows) noexcept {
    double squares = 0;
    for (std::size_t l = 0; l < lists.size(); ++l) {
        const auto size = static_cast<double>(lists[l].size);
        squares += size * size;
    }
    const auto all = static_cast<double>(rows);
    return rows == 0 ? 0 : squares * static_cast<double>(lists.size()) / (all * all);
}

/// Says whether rows can be encoded about other centroids without losing more: by codes that are about none, by a fine
/// half, or by exact vectors that are kept.
template <class State>
[[nodiscard]] bool can_move_rows(const State& index) noexcept {
    if constexpr (!State::centered || State::two_levels) return true;
    return index.learner.now.growing;
}

/// Returns the mean squared distance of prepared rows from the closest of these centroids; 0 under a metric that
/// clusters by another distance, or without rows.
template <class State>
[[nodiscard]] double mean_distance([[maybe_unused]] const State& index, const ivf_centroids& centroids,
                                   std::vector<float> rows, executor_ref executor) {
    if constexpr (!clusters_by_l2<typename State::metric_type>) return 0;
    const std::size_t dim = centroids.matrix().dim();
    const std::size_t count = rows.size() / dim;
    if (count == 0) return 0;
    if constexpr (keeps_as_given<typename State::metric_type, typename State::coarse_codec>)
        rows = directions_of(index, rows);
    rows.resize(rows.size() + simd::over_read / sizeof(float));
    std::vector<std::uint32_t> list_of(count);
    assign_lists<typename State::metric_type, typename State::isa_type>(
        index.metric, centroids, matrix_view<const float>(rows.data(), count, dim), list_of, executor);
    double sum = 0;
    for (std::size_t r = 0; r < count; ++r)
        sum += exact_squared_distance(rows.data() + r * dim, centroids.matrix()[list_of[r]].data(), dim);
    return sum / static_cast<double>(count);
}

/// Returns how far off the centroids the rows are that came since lists were learned, and those to come.
template <class State, class Sample>
[[nodiscard]] double recent_distance(const State& index, std::size_t coming, const Sample& sample,
                                     executor_ref executor) {
    const list_history& history = index.learner.lists;
    const auto more = static_cast<double>(coming);
    return (history.distances + more * mean_distance(index, index.centroids, sample(rows_looked_at), executor)) /
           (static_cast<double>(history.since) + more);
}

/// Returns whether rows that came or changed since lists were learned, or are to come, do not fit into these: they are
/// farther off the centroids than others were, or crowd into few lists. It looks once in a while.
template <class State, class Sample>
[[nodiscard]] bool no_longer_fit(State& index, std::size_t coming, const Sample& sample, executor_ref executor) {
    list_history& history = index.learner.lists;
    const std::size_t live = index.directory.live();
    if (history.usual_evenness == 0) history.usual_evenness = unevenness(index.lists, live);
    // Rows far off the centroids have coarse codes about them, too.
    const std::size_t pause = live / (State::centered ? 32 : 16) * history.patience + rows_for_a_list;
    if (history.since + coming < history.looked_at + pause) return false;
    history.looked_at = history.since + coming;
    if (unevenness(index.lists, live) > uneven_by * history.usual_evenness) return true;
    return history.usual_distance > 0 &&
           recent_distance(index, coming, sample, executor) > farther_by * history.usual_distance;
}

/// Says whether lists may be learned anew.
template <class State>
[[nodiscard]] bool may_learn_lists(const State& index) noexcept {
    return index.lists.size() != 0 && !index.learner.lists.decided && can_move_rows(index);
}
/// Returns whether there are so many rows that there are to be more lists, or better ones.
/// rows  how many there will be
template <class State>
[[nodiscard]] bool have_outgrown_lists(const State& index, std::size_t rows) noexcept {
    const list_history& history = index.learner.lists;
    const std::size_t lists = index.lists.size();
    const std::size_t wanted = lists_of_rows(index.asked, rows);
    const bool few_learned = history.learned_at < lists * training_rows_per_list;
    // Codes about centroids are the finer the more of these there are.
    const std::size_t more = State::centered ? lists / 16 : lists / 8;
    return wanted > lists + more || (few_learned && rows >= 2 * history.learned_at && wanted > 1);
}

// ---- rows in new lists ----------------------------------------------------------------------------------------------

/// Some rows of an index on their way into other lists.
struct moving_rows {
    std::vector<float> rows;  // as exactly as they are known
    std::vector<std::byte> codes;
    std::vector<std::uint32_t> list_of;
};

/// Reads `count` rows from number `first` on, and finds their lists and codes there. Returns whether all can be
/// decoded.
template <class State, class Source>
[[nodiscard]] bool encode_for_lists(const State& index, const learned_lists& to, const Source& source,
                                    std::size_t first, std::size_t count, moving_rows& moving, executor_ref executor) {
    constexpr std::size_t block = 256;
    const std::size_t dim = index.dim;
    const std::size_t stride = index.lists.stride();
    const auto& coder = index.rows.coarse().coder();
    moving.rows.resize(count * dim + simd::over_read / sizeof(float));
    moving.codes.resize(count * stride);
    moving.list_of.resize(count);
    std::atomic<bool> good{true};
    const auto for_each_row = [&](const auto& f) {
        parallel_for(executor, (count + block - 1) / block, [&](std::size_t b) {
            for (std::size_t r = b * block; r < (std::min)(count, (b + 1) * block); ++r)
                f(r, std::span(moving.rows).subspan(r * dim, dim));
        });
    };
    for_each_row([&](std::size_t r, std::span<float> row) { source.read(static_cast<slot_t>(first + r), row); });
    assign_lists<typename State::metric_type, typename State::isa_type>(
        index.metric, to.centroids, matrix_view<const float>(moving.rows.data(), count, dim), moving.list_of, executor);
    for_each_row([&](std::size_t r, std::span<const float> row) {
        const auto center = center_of_list(coder, to.centroids, moving.list_of[r]);
        std::byte* const code = moving.codes.data() + r * stride;
        encode_coarse(index, coder, center, row, code);
        if constexpr (State::centered) {
            std::vector<float> decoded(dim);
            decode_coarse(index, coder, center, code, decoded);
            if (!admissible_when_stored(sum_of_squares(decoded))) good = false;
        }
    });
    return good;
}
/// Puts all rows of an index into lists that were learned, apart from it. Returns whether all can be decoded there.
template <class State, class Source>
[[nodiscard]] bool move_rows(const State& index, learned_lists& to, const Source& source, executor_ref executor) {
    constexpr std::size_t together = 4096;
    const std::size_t all = index.directory.high_water();
    chunked_array<ivf_place>& places = to.places.emplace();
    places.reserve(index.directory.rows_to_hold());
    places.touch(all);
    moving_rows moving;
    for (std::size_t first = 0; first < all; first += together) {
        const std::size_t count = (std::min)(together, all - first);
        if (!encode_for_lists(index, to, source, first, count, moving, executor)) return false;
        for (std::size_t r = 0; r < count; ++r) {
            const std::uint32_t list = moving.list_of[r];
            const auto slot = static_cast<slot_t>(first + r);
            to.lists.reserve(list, to.lists[list].size + 1);
            places[slot] = {list, to.lists.append(list, slot, moving.codes.data() + r * index.lists.stride())};
        }
    }
    return true;
}

/// Returns prepared rows to learn `count` lists from, of those there are and those to come.
/// sample  sample(most): of the rows to come
/// rows    how many there will be
template <class State, class Source, class Sample>
[[nodiscard]] std::vector<float> list_sample(const State& index, const Source& source, const Sample& sample,
                                             std::size_t count, std::size_t rows) {
    const std::size_t most = (std::max)(codec_training_rows, count * training_rows_per_list);
    const std::size_t live = index.directory.live();
    const std::size_t old = rows <= most ? live : most * live / rows;
    std::vector<float> all = source.sample(old);
    const std::vector<float> more = sample(most - (std::min)(old, most));
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

// ---- in a call ------------------------------------------------------------------------------------------------------

/// The part of one call that brings rows in: before they are encoded, lists are learned if it is time to. Takes that
/// back when it goes out of scope, unless rows were kept; rows that came in must be out by then, and what codecs
/// learned forgotten.
template <class State>
class list_step {
  public:
    /// coming   how many rows there are to come, or to change
    /// added    how many of them are new
    /// sample   as of a learning_step
    /// throws   error{cancelled} if params.stop was triggered while lists were learned; nothing has changed then
    template <class Sample>
    list_step(State& of, std::size_t coming, std::size_t added, const Sample& sample, const add_params& params,
              executor_ref executor)
        : of_(of), before_(of.learner.lists) {
        const std::size_t rows = of.directory.live() + added;
        try {
            if (of.lists.size() == 0 || (may_learn_lists(of) && have_outgrown_lists(of, rows)))
                learn(false, coming, rows, sample, params, executor);
            else if (may_learn_lists(of) && no_longer_fit(of, coming, sample, executor))
                learn(true, coming, rows, sample, params, executor);
        } catch (...) {
            of.learner.lists = before_;
            throw;
        }
        of.learner.lists.since += coming;
    }
    list_step(const list_step&) = delete;
    list_step& operator=(const list_step&) = delete;
    ~list_step() {
        if (kept_) return;
        of_.learner.lists = before_;
        if (!exchanged_) return;
        const auto exclusive = of_.locks.exclusive();
        learned_->exchange(of_);
    }
    /// Rows are in.
    void keep() noexcept { kept_ = true; }

  private:
    /// early  because rows do not fit the lists, and not because they are many
    template <class Sample>
    void learn(bool early, std::size_t coming, std::size_t rows, const Sample& sample, const add_params& params,
               executor_ref executor) {
        add_params quiet = params;
        quiet.progress = {};  // the caller counts rows added, not iterations
        {
            const exact_source<State, recoding<State>> source(of_);
            const std::size_t count = lists_of_rows(of_.asked, rows);
            const std::vector<float> from = list_sample(of_, source, sample, count, rows);
            learned_.emplace(learn_lists(of_, from, count, quiet, executor));
            list_history made = history_of_new(from, rows, executor);
            if (early && !brings_closer(coming, sample, executor))
                made.patience = (std::min)(of_.learner.lists.patience * 2, 8U);
            of_.learner.lists = made;
            if (of_.directory.live() != 0 && !move_rows(of_, *learned_, source, executor)) return;
        }
        const auto exclusive = of_.locks.exclusive();
        learned_->exchange(of_);
        exchanged_ = true;
    }
    /// What is known of lists that have just been learned from rows.
    [[nodiscard]] list_history history_of_new(const std::vector<float>& from, std::size_t rows,
                                              executor_ref executor) const {
        list_history made;
        made.learned_at = rows;
        const matrix_view<const float> rows_learned(std::span<const float>(from), of_.dim);
        const std::size_t count = rows_learned.rows();
        std::vector<float> some = some_of(rows_learned, rows_looked_at);
        // Rows that centroids are means of are closer to these than others like them.
        const auto each = static_cast<double>((std::max)(count / learned_->lists.size(), std::size_t{2}));
        made.usual_distance =
            mean_distance(of_, learned_->centroids, std::move(some), executor) * (each + 1) / (each - 1);
        return made;
    }
    /// Whether centroids that have been learned are closer to the rows that they were learned for.
    template <class Sample>
    [[nodiscard]] bool brings_closer(std::size_t coming, const Sample& sample, executor_ref executor) const {
        return mean_distance(of_, learned_->centroids, recent_rows(sample), executor) <
               0.8 * recent_distance(of_, coming, sample, executor);
    }
    /// Some of the rows that came since lists were learned last, and of those to come.
    template <class Sample>
    [[nodiscard]] std::vector<float> recent_rows(const Sample& sample) const {
        std::vector<float> rows = sample(rows_looked_at);
        exact_source<State, recoding<State>>(of_).append_latest(of_.learner.lists.since, rows_looked_at, rows);
        return rows;
    }

    State& of_;
    list_history before_;
    std::optional<learned_lists> learned_;  // what is to come, then what was before
    bool exchanged_ = false;
    bool kept_ = false;
};

}  // namespace detail::ivf

VICINAL_NAMESPACE_END
