// SPDX-License-Identifier: MIT
// The lists of an inverted file are learned from its first rows, and anew while it grows: who came first does not decide.
//
// Lists are learned again whenever the rows have doubled, until each list was learned from 128 rows; if their number was
// left open, there are then as many as that many rows make, so that this never ends. Later they are learned again when
// they have become uneven, as they do when rows come that are unlike those before. All rows are put into the new lists
// beside readers, and all is exchanged at once. A call that fails goes back to the lists of before.
#pragma once

#include <algorithm>  // for min, max
#include <atomic>     // for atomic
#include <cstddef>    // for size_t, byte
#include <cstdint>    // for uint32_t
#include <optional>   // for optional
#include <span>       // for span
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

/// Lists are learned anew when they have become so many times as uneven as they were.
inline constexpr double uneven_by = 1.5;

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

/// Returns whether rows that came or changed since lists were learned have made them uneven. It looks once in a while:
/// when a sixteenth as many rows as there are have come since, and not before a quarter have in all.
template <class State>
[[nodiscard]] bool have_become_uneven(State& index) noexcept {
    list_history& history = index.learner.lists;
    const std::size_t live = index.directory.live();
    const std::size_t since = history.since;
    if (history.usual == 0) {
        history.usual = unevenness(index.lists, live);
        history.looked_at = since;
    }
    if (since < live / 4 + rows_for_a_list || since - history.looked_at < live / 16) return false;
    history.looked_at = since;
    return unevenness(index.lists, live) > uneven_by * history.usual;
}

/// Returns how many lists to learn before a call brings rows in, or 0 to leave those there are.
/// rows  how many there will be
template <class State>
[[nodiscard]] std::size_t lists_due(State& index, std::size_t rows) noexcept {
    const list_history& history = index.learner.lists;
    const std::size_t lists = index.lists.size();
    const std::size_t wanted = lists_of_rows(index.asked, rows);
    if (lists == 0) return wanted;
    if (history.decided || !can_move_rows(index)) return 0;
    if (wanted == 1 && lists == 1) return 0;
    if (rows >= 2 * history.learned_at &&
        (wanted >= 2 * lists || history.learned_at < lists * training_rows_per_list))
        return wanted;
    return have_become_uneven(index) ? wanted : 0;
}

// ---- rows in new lists ----------------------------------------------------------------------------------------------

/// Puts all rows of an index into lists that were learned, apart from it. Returns whether all can be decoded there.
template <class State, class Source>
[[nodiscard]] bool move_rows(const State& index, learned_lists& to, const Source& source, executor_ref executor) {
    constexpr std::size_t together = 4096;
    constexpr std::size_t block = 256;
    const std::size_t dim = index.dim;
    const std::size_t stride = index.lists.stride();
    const std::size_t all = index.directory.high_water();
    const auto& coder = index.rows.coarse().coder();
    std::vector<float> rows((std::min)(all, together) * dim + simd::over_read / sizeof(float));
    std::vector<std::byte> codes((std::min)(all, together) * stride);
    std::vector<std::uint32_t> list_of;
    std::atomic<bool> good{true};
    chunked_array<ivf_place>& places = to.places.emplace();
    places.reserve(index.directory.rows_to_hold());
    places.touch(all);
    for (std::size_t first = 0; first < all; first += together) {
        const std::size_t count = (std::min)(together, all - first);
        const auto for_each_row = [&](const auto& f) {
            parallel_for(executor, (count + block - 1) / block, [&](std::size_t b) {
                for (std::size_t r = b * block; r < (std::min)(count, (b + 1) * block); ++r)
                    f(r, std::span(rows).subspan(r * dim, dim));
            });
        };
        for_each_row([&](std::size_t r, std::span<float> row) { source.read(static_cast<slot_t>(first + r), row); });
        list_of.resize(count);
        assign_lists<typename State::metric_type, typename State::isa_type>(
            to.centroids, matrix_view<const float>(rows.data(), count, dim), list_of, executor);
        for_each_row([&](std::size_t r, std::span<const float> row) {
            const auto center = center_of_list(coder, to.centroids, list_of[r]);
            std::byte* const code = codes.data() + r * stride;
            encode_coarse(index, coder, center, row, code);
            if constexpr (State::centered) {
                std::vector<float> decoded(dim);
                decode_coarse(index, coder, center, code, decoded);
                if (!admissible_when_stored(sum_of_squares(decoded))) good = false;
            }
        });
        for (std::size_t r = 0; r < count; ++r) {
            to.lists.reserve(list_of[r], to.lists[list_of[r]].size + 1);
            const auto slot = static_cast<slot_t>(first + r);
            places[slot] = {list_of[r], to.lists.append(list_of[r], slot, codes.data() + r * stride)};
        }
    }
    return good;
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

/// The part of one call that brings rows in: before they are encoded, lists are learned if it is time to. Takes that back
/// when it goes out of scope, unless rows were kept; rows that came in must be out by then, and what codecs learned
/// forgotten.
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
            if (const std::size_t count = lists_due(of, rows); count != 0) learn(count, rows, sample, params, executor);
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
    template <class Sample>
    void learn(std::size_t count, std::size_t rows, const Sample& sample, const add_params& params,
               executor_ref executor) {
        add_params quiet = params;
        quiet.progress = {};  // the caller counts rows added, not iterations
        of_.learner.lists = {false, rows, 0, 0, 0};
        {
            const exact_source<State, recoding<State>> source(of_);
            const std::vector<float> from = list_sample(of_, source, sample, count, rows);
            learned_.emplace(learn_lists(of_, from, count, quiet, executor));
            if (of_.directory.live() != 0 && !move_rows(of_, *learned_, source, executor)) return;
        }
        const auto exclusive = of_.locks.exclusive();
        learned_->exchange(of_);
        exchanged_ = true;
    }

    State& of_;
    list_history before_;
    std::optional<learned_lists> learned_;  // what is to come, then what was before
    bool exchanged_ = false;
    bool kept_ = false;
};

}  // namespace detail::ivf

VICINAL_NAMESPACE_END
