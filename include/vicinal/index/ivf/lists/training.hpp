// SPDX-License-Identifier: MIT
// An inverted file learns its lists from a sample of rows, and they follow when codecs learn anew.
#pragma once

#include <algorithm>    // for copy_n, max, min
#include <atomic>       // for atomic
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint32_t
#include <optional>     // for optional
#include <span>         // for span
#include <type_traits>  // for remove_cvref_t
#include <utility>      // for move, swap
#include <vector>       // for vector

#include "vicinal/codec/ordinary_rows.hpp"
#include "vicinal/core/executor.hpp"
#include "vicinal/core/progress.hpp"
#include "vicinal/core/rows_view.hpp"
#include "vicinal/index/common/call_executor.hpp"
#include "vicinal/index/common/training.hpp"
#include "vicinal/index/ivf/lists/clustering.hpp"
#include "vicinal/index/ivf/lists/codes.hpp"
#include "vicinal/index/ivf/lists/lists.hpp"
#include "vicinal/index/ivf/state.hpp"
#include "vicinal/params.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::ivf {

/// Holds centroids, their lists and where in these rows lie, apart from an index that may get them.
struct learned_lists {
    ivf_centroids centroids;
    ivf_lists lists;
    std::optional<chunked_array<ivf_place>> places;  // if there are rows

    /// Swaps them with those of `index`. Readers are out.
    template <class State>
    void exchange(State& index) noexcept {
        std::swap(index.centroids, centroids);
        std::swap(index.lists, lists);
        if (places) std::swap(index.places, *places);
        ++index.list_generation;
    }
};

/// Rows as lists are learned from them: unit vectors also where an index stores rows as they come.
template <class State>
[[nodiscard]] decltype(auto) directions_of(const State& index, const std::vector<float>& sample) {
    if constexpr (keeps_as_given<typename State::metric_type, typename State::coarse_codec>) {
        std::vector<float> rows = sample;
        for (std::size_t first = 0; first < rows.size(); first += index.dim)
            static_cast<void>(index.metric.prepare(std::span(rows).subspan(first, index.dim)));
        return rows;
    } else {
        return (sample);
    }
}

/// Learns the centroids of `count` lists from prepared sample rows; the lists have no rows yet.
template <class State>
[[nodiscard]] learned_lists learn_lists(const State& index, const std::vector<float>& sample, std::size_t count,
                                        const add_params& params, executor_ref executor) {
    const auto& rows = directions_of(index, sample);
    const matrix_view<const float> prepared(std::span<const float>(rows), index.dim);
    learned_lists learned{learn_centroids(index.metric, prepared, count, index.asked.seed, params, executor),
                          ivf_lists(index.lists.stride()),
                          {}};
    derive(index, learned.centroids);
    learned.lists.reset(count);
    return learned;
}

/// Trains the lists and codecs of an empty index. The caller is the writer.
template <class State>
void train_lists(State& index, rows_view vectors, const add_params& params) {
    const std::vector<float> sample = training_sample(index, vectors);
    const call_executor executor(params.executor, params.threads, vectors.rows());
    const std::size_t count = lists_for(index.asked, vectors.rows());
    learned_lists learned = learn_lists(index, sample, count, params, executor);
    throw_if_stopped(params.stop);
    codecs_of<typename State::store_type> taught(index.rows);
    taught.train(matrix_view<const float>(std::span<const float>(sample), index.dim));
    throw_if_stopped(params.stop);
    const auto exclusive = index.locks.exclusive();
    taught.exchange(index.rows);
    index.learner.decided(vectors.rows());
    index.learner.lists = {};
    index.learner.lists.decided = true;
    learned.exchange(index);
}

/// Returns for each list which of the prepared rows it takes.
template <class State>
[[nodiscard]] std::vector<std::vector<std::uint32_t>> rows_of_lists(const State& index,
                                                                    matrix_view<const float> prepared,
                                                                    executor_ref executor) {
    std::vector<float> padded(prepared.data(), prepared.data() + prepared.rows() * index.dim);
    padded.resize(padded.size() + simd::over_read / sizeof(float));
    std::vector<std::uint32_t> list_of(prepared.rows());
    assign_lists<typename State::metric_type, typename State::isa_type>(
        index.metric, index.centroids, matrix_view<const float>(padded.data(), prepared.rows(), index.dim), list_of,
        executor);
    std::vector<std::vector<std::uint32_t>> rows_of(index.lists.size());
    for (std::uint32_t r = 0; r < list_of.size(); ++r) rows_of[list_of[r]].push_back(r);
    return rows_of;
}

/// Reads at most `most` of a list's rows and of those to come into it, evenly spaced, one behind the other.
template <class State, class Source>
[[nodiscard]] std::vector<float> members_of_list(const State& index, std::size_t list, const Source& source,
                                                 matrix_view<const float> to_come,
                                                 std::span<const std::uint32_t> arriving, std::size_t most) {
    const ivf_rows held = index.lists[list];
    const std::size_t all = held.size + arriving.size();
    const std::size_t count = (std::min)(all, most);
    std::vector<float> members(count * index.dim);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t member = i * all / count;
        const std::span<float> row = std::span(members).subspan(i * index.dim, index.dim);
        if (member < held.size)
            source.read(held.slots[member], row);
        else
            std::copy_n(to_come[arriving[member - held.size]].data(), index.dim, row.data());
    }
    return members;
}

/// Computes the centroids anew from the rows that are in their lists or will be, of which at most 1024 evenly spaced
/// ones a list count. Lists without any keep theirs.
template <class State, class Source>
[[nodiscard]] ivf_centroids means_of_lists(const State& index, const Source& source, matrix_view<const float> to_come,
                                           executor_ref executor) {
    constexpr std::size_t most = 1024;
    const std::vector<std::vector<std::uint32_t>> arriving = rows_of_lists(index, to_come, executor);
    const matrix_view<const float> now = index.centroids.matrix();
    std::vector<float> values(now.data(), now.data() + now.rows() * index.dim);
    parallel_for(executor, index.lists.size(), [&](std::size_t l) {
        const std::vector<float> members = members_of_list(index, l, source, to_come, arriving[l], most);
        if (members.empty()) return;
        const ordinary_rows ordinary(matrix_view<const float>(std::span<const float>(members), index.dim), 1);
        const std::span<float> centroid = std::span(values).subspan(l * index.dim, index.dim);
        const double spread = mean_and_spread(ordinary, centroid);
        finish_centroid(index.metric, centroid, spread);
    });
    ivf_centroids made = ivf_centroids::copy_of(values, index.dim);
    derive(index, made);
    return made;
}

/// Says what changes when codecs do, for a learning_step. Besides codecs and the fine store, which store_recoding
/// changes, these are the codes in lists and what they are relative to.
template <class State>
struct recoding {
    using base = store_recoding<State>;
    using coarse_codec = typename State::coarse_codec;
    static constexpr bool fine_learns = State::two_levels && trainable_codec<typename State::fine_codec>;

    struct recoded_type : base::recoded_type {
        std::optional<ivf_lists> lists;          // if there are rows to encode again
        std::optional<ivf_centroids> centroids;  // if codes are relative to them
        explicit recoded_type(const State& of) : base::recoded_type(of) {}
        void reserve([[maybe_unused]] std::size_t count) {
            if constexpr (fine_learns) this->fine.store.reserve(count);
        }
    };
    template <class Source>
    [[nodiscard]] static bool recode(const State& index, recoded_type& fresh, const Source& source,
                                     [[maybe_unused]] matrix_view<const float> to_come, executor_ref executor,
                                     clip_counts* clipped) {
        if constexpr (trainable_codec<coarse_codec>) fresh.lists = index.lists.owned();
        if constexpr (State::centered)
            if (about_centroids(index)) fresh.centroids = means_of_lists(index, source, to_come, executor);
        fresh.reserve(index.directory.high_water());
        if constexpr (fine_learns) fresh.fine.store.rows().touch(index.directory.high_water());
        std::atomic<bool> good{true};
        source.for_each(executor, [&](slot_t slot, std::span<const float> row) {
            if (!recode_row(index, fresh, slot, row, clipped)) good = false;
        });
        return good;
    }
    static void exchange(State& index, recoded_type& with) noexcept {
        base::exchange(index, with);
        if (with.lists) std::swap(index.lists, *with.lists);
        if (with.centroids) std::swap(index.centroids, *with.centroids);
    }
    static void reserve([[maybe_unused]] State& index, [[maybe_unused]] std::size_t extra) {
        if constexpr (State::two_levels) index.rows.fine().reserve(index.directory.rows_to_hold(extra));
    }
    static void fit(State& index) noexcept { base::fit(index); }
    /// Codes about centroids fit their lists, which are learned anew when rows come that do not.
    static constexpr bool looks_ahead = base::looks_ahead && !State::centered;
    /// Codes about centroids are made anew when lists are, for which exact vectors are kept while that goes on, if no
    /// fine half holds them: at most 32 MiB.
    [[nodiscard]] static std::size_t enough_rows(const State& index) noexcept {
        const std::size_t rows = base::enough_rows(index);
        if (!State::centered || State::two_levels || index.learner.lists.decided) return rows;
        const std::size_t most = most_exact_rows(index.dim);
        const std::size_t lists = index.asked.lists;
        return lists == 0 || lists > most / training_rows_per_list
                   ? most
                   : std::clamp(lists * training_rows_per_list, rows, most);
    }
    static void read_row(const State& index, slot_t slot, std::span<float> out) {
        if constexpr (State::two_levels)
            index.rows.fine().read(slot, out);
        else
            decode_coarse(index, index.places[slot].list, index.lists.code(index.places[slot]), out);
    }

  private:
    /// Encodes a row of the index by the codecs in `fresh`, in the list it is in, and returns whether it can be
    /// decoded.
    static bool recode_row(const State& index, recoded_type& fresh, slot_t slot, std::span<const float> row,
                           clip_counts* clipped) {
        bool good = true;
        if constexpr (trainable_codec<coarse_codec>) {
            const ivf_place place = index.places[slot];
            std::vector<std::byte> code(index.lists.stride());
            const coarse_codec& coder = fresh.coarse.store.coder();
            const auto center = center_of_list(coder, fresh.centroids ? *fresh.centroids : index.centroids, place.list);
            encode_coarse(index, coder, center, row, code.data());
            fresh.lists->rewrite(place, code.data());
            std::vector<float> decoded(index.dim);
            decode_coarse(index, coder, center, code.data(), decoded);
            good = admissible_when_stored(sum_of_squares(decoded));
        }
        if constexpr (fine_learns) good = write_decodable(fresh.fine.store, slot, row) && good;
        if (clipped != nullptr)
            fresh.for_each([&](auto& codes, std::size_t half) { clipped->count(codes.coder(), half, row); });
        return good;
    }
};

}  // namespace detail::ivf

VICINAL_NAMESPACE_END
