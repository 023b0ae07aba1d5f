// SPDX-License-Identifier: MIT
// How the codecs of an index are trained, and how its rows follow when codecs learn anew.
#pragma once

#include <algorithm>    // for min
#include <atomic>       // for atomic
#include <cstddef>      // for size_t
#include <span>         // for span
#include <string>       // for to_string
#include <type_traits>  // for conditional_t
#include <utility>      // for move
#include <vector>       // for vector

#include "vicinal/core/executor.hpp"
#include "vicinal/core/progress.hpp"
#include "vicinal/core/rows_view.hpp"
#include "vicinal/index/common/index_rows.hpp"
#include "vicinal/index/common/learner.hpp"
#include "vicinal/index/common/writing.hpp"
#include "vicinal/params.hpp"
#include "vicinal/storage/validation.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

// ---- samples -------------------------------------------------------------------------------------------------------

/// The rows of a checked batch as the metric wants them, for training: at most `limit`, evenly spaced.
template <class Metric>
[[nodiscard]] std::vector<float> prepared_sample(const Metric& metric, rows_view rows, std::size_t limit) {
    const std::size_t count = (std::min)(rows.rows(), limit);
    std::vector<float> sample(count * rows.dim());
    for (std::size_t i = 0; i < count; ++i)
        prepare_validated(metric, rows[i * rows.rows() / count], std::span(sample).subspan(i * rows.dim(), rows.dim()));
    return sample;
}
/// How a learning_step gets at rows of a checked batch.
template <class State>
[[nodiscard]] auto sample_of(const State& index, rows_view vectors) {
    return [&index, vectors](std::size_t most) { return prepared_sample(index.metric, vectors, most); };
}
/// The same for the one prepared row in buffers.query.
[[nodiscard]] inline auto sample_of(const row_scratch& buffers) {
    return [&buffers](std::size_t) {
        const std::span<const float> row = buffers.query.span();
        return std::vector<float>(row.begin(), row.end());
    };
}
/// The rows given to a call of train, prepared, or why that call cannot be.
template <class State>
[[nodiscard]] std::vector<float> training_sample(const State& index, rows_view vectors) {
    if (vectors.empty()) fail(errc::invalid_argument, "train: there are no sample rows");
    if (vectors.dim() != index.dim) fail_dimension("train: each row", vectors.dim(), index.dim);
    if (index.directory.live() + index.directory.retired() != 0)
        fail(errc::invalid_argument, "train: the index holds " + std::to_string(index.directory.live()) +
                                         " rows encoded with what was learned before; train before adding");
    std::vector<float> sample(vectors.rows() * index.dim);
    for (std::size_t r = 0; r < vectors.rows(); ++r)
        validate_and_prepare<typename State::codec_type>(index.metric, "vector", vectors[r],
                                                         std::span(sample).subspan(r * index.dim, index.dim));
    return sample;
}

// ---- training before the first row ---------------------------------------------------------------------------------

/// The codecs of a store, apart from it: taught beside readers, then exchanged, and exchanged again to go back.
template <class Store>
class codecs_of {
  public:
    explicit codecs_of(const Store& store) : coarse_(store.coarse().coder()), fine_(store) {}

    /// Teaches those that learn from prepared sample rows.
    void train(matrix_view<const float> prepared) {
        teach(coarse_, prepared);
        if constexpr (Store::two_levels) teach(fine_.codec, prepared);
    }
    void exchange(Store& store) noexcept {
        exchange(coarse_, store.coarse().coder());
        if constexpr (Store::two_levels) exchange(fine_.codec, store.fine().coder());
    }

  private:
    template <class Codec>
    static void teach(Codec& codec, matrix_view<const float> prepared) {
        if constexpr (trainable_codec<Codec>) codec.train(prepared);
    }
    template <class Codec>
    static void exchange(Codec& a, Codec& b) noexcept {
        if constexpr (trainable_codec<Codec>) {
            Codec kept = std::move(a);
            a = std::move(b);
            b = std::move(kept);
        }
    }
    struct fine_of_two {
        explicit fine_of_two(const Store& store) : codec(store.fine().coder()) {}
        typename Store::fine_codec codec;
    };
    struct no_fine {
        explicit no_fine(const Store&) {}
    };

    typename Store::coarse_codec coarse_;
    [[no_unique_address]] std::conditional_t<Store::two_levels, fine_of_two, no_fine> fine_;
};

/// Trains the codecs of an empty index. While writing.
template <class State>
void train_codecs(State& index, rows_view vectors, const add_params& params) {
    const auto sample = training_sample(index, vectors);
    throw_if_stopped(params.stop);
    codecs_of<typename State::store_type> taught(index.rows);
    taught.train(matrix_view<const float>(std::span<const float>(sample), index.dim));
    if (params.progress) params.progress(vectors.rows(), vectors.rows());  // what it throws must change nothing
    const auto exclusive = index.locks.exclusive();
    taught.exchange(index.rows);
    index.learner.decided(vectors.rows());
}

// ---- training again, beside readers --------------------------------------------------------------------------------

/// How rows follow when codecs learn, for a learning_step (learning.hpp): what changes is made beside readers, then
/// exchanged. This one is for indexes whose rows are the codes in their stores and no more. An index that has more
/// gives a type of its own with the same members.
template <class State>
struct store_recoding {
    /// What changes when codecs do: made of the index as it is, then exchanged with it.
    struct recoded_type : recoded_store<typename State::store_type> {
        explicit recoded_type(const State& of) : recoded_store<typename State::store_type>(of.rows, of.spacing) {}
        void reserve(std::size_t count) {
            this->for_each([&](auto& codes, std::size_t) { codes.reserve(count); });
        }
    };
    /// All rows by the codecs in `fresh`. Returns whether all can be decoded.
    /// source   an exact_source of the index
    /// to_come  prepared rows that the call brings in
    /// clipped  counts what codecs clip of live rows, if given
    template <class Source>
    [[nodiscard]] static bool recode(const State& index, recoded_type& fresh, const Source& source,
                                     [[maybe_unused]] matrix_view<const float> to_come, executor_ref executor,
                                     clip_counts* clipped) {
        const std::size_t rows = index.directory.high_water();
        fresh.reserve(rows);
        fresh.for_each([&](auto& codes, std::size_t) { codes.rows().touch(rows); });
        std::atomic<bool> good{true};
        source.for_each(executor, [&](slot_t slot, std::span<const float> row) {
            fresh.for_each([&](auto& codes, std::size_t half) {
                if (!write_decodable(codes, slot, row)) good = false;
                if (clipped != nullptr && index.directory.is_live(slot)) clipped->count(codes.coder(), half, row);
            });
        });
        return good;
    }
    /// Readers are out.
    static void exchange(State& index, recoded_type& with) noexcept { with.exchange(index.rows); }
    /// Room in the codes for `extra` more rows.
    static void reserve(State& index, std::size_t extra) { reserve_codes(index, extra); }
    /// Gives back what that made room for.
    static void fit(State& index) noexcept { fit_codes(index); }
    /// Whether codecs learn before it is time when rows come whose codes have large errors.
    static constexpr bool looks_ahead =
        !slowly_learning_codec<typename State::coarse_codec> && !slowly_learning_codec<typename State::fine_codec>;
    /// From so many rows on codecs have learned enough, unless rows keep changing, and no exact vectors are kept.
    [[nodiscard]] static std::size_t enough_rows(const State& index) noexcept { return learning_rows(index.dim); }
    /// Decodes a row.
    static void read_row(const State& index, slot_t slot, std::span<float> out) { index.rows.fine().read(slot, out); }
};

}  // namespace detail

VICINAL_NAMESPACE_END
