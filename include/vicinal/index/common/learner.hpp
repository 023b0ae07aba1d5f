// SPDX-License-Identifier: MIT
// What indexes know of what their codecs learned besides the codecs, and what changes when these learn anew.
#pragma once

#include <algorithm>      // for clamp, copy, equal, max, min
#include <array>          // for array
#include <atomic>         // for atomic, memory_order_relaxed
#include <cstddef>        // for size_t
#include <cstdint>        // for uint64_t
#include <span>           // for span
#include <type_traits>    // for conditional_t
#include <unordered_map>  // for unordered_map
#include <utility>        // for move
#include <vector>         // for vector

#include "vicinal/concepts.hpp"
#include "vicinal/core/executor.hpp"
#include "vicinal/params.hpp"
#include "vicinal/storage/code_store.hpp"
#include "vicinal/storage/id_map.hpp"
#include "vicinal/storage/validation.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

inline constexpr std::size_t codec_training_rows = 65536;

/// So many exact vectors take 32 MiB, which is what indexes keep of them at most.
[[nodiscard]] inline std::size_t most_exact_rows(std::size_t dim) noexcept {
    return (std::max)((std::size_t{8} << 20) / dim, std::size_t{16});
}
/// From so many rows on codecs have learned enough. Of long vectors fewer, so that the exact ones can be kept.
[[nodiscard]] inline std::size_t learning_rows(std::size_t dim) noexcept {
    return (std::min)(most_exact_rows(dim), std::size_t{4096});
}
/// So many rows of an index that has learned are looked at together.
[[nodiscard]] inline std::size_t watched_rows(std::size_t dim) noexcept {
    return std::clamp<std::size_t>((std::size_t{1} << 20) / dim, 16, 256);
}
/// At most `most` of these rows, evenly spaced, one behind the other.
[[nodiscard]] inline std::vector<float> some_of(matrix_view<const float> rows, std::size_t most) {
    const std::size_t count = (std::min)(rows.rows(), most);
    std::vector<float> some;
    some.reserve(count * rows.dim());
    for (std::size_t i = 0; i < count; ++i) {
        const std::span<const float> row = rows[i * rows.rows() / count];
        some.insert(some.end(), row.begin(), row.end());
    }
    return some;
}
/// The mean squared error of codes of these rows.
template <class Codec, class Rows>
[[nodiscard]] double coding_error(const Codec& codec, const Rows& rows) {
    std::vector<std::byte> code(codec.code_size());
    std::vector<float> decoded(rows.rows() == 0 ? 0 : rows[0].size());
    double sum = 0;
    for (std::size_t r = 0; r < rows.rows(); ++r) {
        codec.encode(rows[r], code);
        codec.decode(code, decoded);
        for (std::size_t i = 0; i < decoded.size(); ++i) {
            const float d = rows[r][i] - decoded[i];
            sum += double{d} * double{d};  // exact products: the same fused or not
        }
    }
    return rows.rows() == 0 ? 0 : sum / static_cast<double>(rows.rows());
}
/// How many times as many rows as before a small index must have for its codec to learn again.
template <class Codec>
inline constexpr std::size_t learning_growth = [] {
    if constexpr (slowly_learning_codec<Codec>) return std::size_t{Codec::learning_growth};
    return std::size_t{2};
}();

template <class Store>
inline constexpr bool learns =
    trainable_codec<typename Store::coarse_codec> || trainable_codec<typename Store::fine_codec>;
/// Whether the fine half holds rows exactly enough to learn from, so that none need be kept beside it.
template <class Store>
inline constexpr bool fine_is_exact = Store::two_levels && !trainable_codec<typename Store::fine_codec>;

/// Has a codec learn from rows among which no wild ones are left.
template <class Codec, class Rows>
void teach_ordinary(Codec& codec, const Rows& rows) {
    if constexpr (widening_codec<Codec, Rows>) {
        codec.widen(rows);
    } else if constexpr (learning_codec<Codec, Rows>) {
        codec.learn(rows);
    } else {
        std::vector<float> copied;
        for (std::size_t r = 0; r < rows.rows(); ++r) copied.insert(copied.end(), rows[r].begin(), rows[r].end());
        codec.train(matrix_view<const float>(std::span<const float>(copied), rows.dim()));
    }
}

/// One half of an index's store as it could be: another codec, and all rows by it. Exchanged with that of the index.
template <class Codec>
struct recoded_half {
    static constexpr bool used = trainable_codec<Codec>;
    code_store<Codec> store;

    recoded_half(const code_store<Codec>& now, row_spacing spacing) : store(now.dim(), spacing) {
        store.coder() = now.coder();
    }
    void exchange(code_store<Codec>& with) noexcept {
        code_store<Codec> kept = std::move(with);
        with = std::move(store);
        store = std::move(kept);
    }
};
/// Of a codec that does not learn nothing changes.
struct unchanged_half {
    static constexpr bool used = false;
    template <class Store>
    unchanged_half(const Store&, row_spacing) noexcept {}
};
template <class Codec>
using half_of = std::conditional_t<trainable_codec<Codec>, recoded_half<Codec>, unchanged_half>;

/// Both halves of a store, of a plain codec the one.
template <class Store>
struct recoded_store {
    half_of<typename Store::coarse_codec> coarse;
    [[no_unique_address]] std::conditional_t<Store::two_levels, half_of<typename Store::fine_codec>, unchanged_half>
        fine;

    recoded_store(const Store& now, row_spacing spacing) : coarse(now.coarse(), spacing), fine(now.fine(), spacing) {}
    /// Calls f(store, number of the half) for each that learns.
    template <class F>
    void for_each(F&& f) {
        if constexpr (decltype(coarse)::used) f(coarse.store, std::size_t{0});
        if constexpr (decltype(fine)::used) f(fine.store, std::size_t{1});
    }
    /// Calls f(store) for all halves as they would be; one that does not learn is that of `now`.
    template <class F>
    void for_each_store(const Store& now, F&& f) const {
        if constexpr (decltype(coarse)::used)
            f(coarse.store);
        else
            f(now.coarse());
        if constexpr (decltype(fine)::used)
            f(fine.store);
        else if constexpr (Store::two_levels)
            f(now.fine());
    }
    void exchange(Store& with) noexcept {
        if constexpr (decltype(coarse)::used) coarse.exchange(with.coarse());
        if constexpr (decltype(fine)::used) fine.exchange(with.fine());
    }
};

/// Encodes a prepared vector into a row of `codes`; returns false if it would be decoded to one too long.
template <class Codec>
[[nodiscard]] bool write_decodable(code_store<Codec>& codes, slot_t slot, std::span<const float> row) {
    codes.write(slot, row);
    if (keeps_admissible(codes.coder())) return true;
    std::vector<float> decoded(codes.dim());
    codes.read(slot, decoded);
    return admissible_when_stored(sum_of_squares(decoded));
}

/// Rows and components that codecs had to clip, of each half. Counted by many threads at once.
class clip_counts {
  public:
    clip_counts() = default;
    clip_counts(const clip_counts& other) noexcept { *this = other; }
    clip_counts& operator=(const clip_counts& other) noexcept {
        for (std::size_t half = 0; half < 2; ++half) {
            rows_[half] = other.rows(half);
            components_[half] = other.components(half);
        }
        return *this;
    }
    template <class Codec>
    void count(const Codec& codec, std::size_t half, std::span<const float> row) noexcept {
        if constexpr (clipping_codec<Codec>) {
            const std::size_t outside = codec.clipped(row);
            if (outside == 0) return;
            rows_[half].fetch_add(1, std::memory_order_relaxed);
            components_[half].fetch_add(outside, std::memory_order_relaxed);
        }
    }
    clip_counts& operator+=(const clip_counts& more) noexcept {
        for (std::size_t half = 0; half < 2; ++half) {
            rows_[half] += more.rows(half);
            components_[half] += more.components(half);
        }
        return *this;
    }
    [[nodiscard]] std::uint64_t rows(std::size_t half) const noexcept {
        return rows_[half].load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t components(std::size_t half) const noexcept {
        return components_[half].load(std::memory_order_relaxed);
    }

  private:
    std::array<std::atomic<std::uint64_t>, 2> rows_{};
    std::array<std::atomic<std::uint64_t>, 2> components_{};
};

/// A hash of ids of any width, of which the standard library knows none of 128 bits.
template <class Id>
struct id_hash {
    [[nodiscard]] std::size_t operator()(Id id) const noexcept { return static_cast<std::size_t>(mix_id(id)); }
};
template <class Id>
using places_of_ids = std::unordered_map<Id, std::size_t, id_hash<Id>>;

/// Exact vectors of rows by their ids, each under the last that was given. What is staged counts from `commit` on.
template <class Id>
class exact_rows {
  public:
    explicit exact_rows(std::size_t dim) : dim_(dim) {}

    void stage(std::span<const Id> ids, std::span<const float> rows) {
        unstage();
        ids_.insert(ids_.end(), ids.begin(), ids.end());
        rows_.insert(rows_.end(), rows.begin(), rows.end());
    }
    /// Forgets vectors that a later one of the same id replaced, and those of ids that are not held.
    template <class IsHeld>
    void compact(const IsHeld& is_held) {
        exact_rows kept(dim_);
        const places_of_ids<Id> last = places();
        for (std::size_t i = 0; i < committed_; ++i)
            if (last.at(ids_[i]) == i && is_held(ids_[i])) {
                kept.stage(std::span(&ids_[i], 1), matrix()[i]);
                kept.commit(1);
            }
        *this = std::move(kept);
    }
    /// Forgets what was staged and did not count in the end.
    void unstage() noexcept {
        ids_.resize(committed_);
        rows_.resize(committed_ * dim_);
    }
    void commit(std::size_t count) noexcept { committed_ = (std::min)(committed_ + count, ids_.size()); }
    void clear() noexcept {
        committed_ = 0;
        ids_.clear();
        rows_.clear();
    }
    /// Gives the memory back, too.
    void release() noexcept {
        committed_ = 0;
        std::vector<Id>().swap(ids_);
        std::vector<float>().swap(rows_);
    }

    [[nodiscard]] std::size_t size() const noexcept { return committed_; }
    [[nodiscard]] matrix_view<const float> matrix() const noexcept { return {rows_.data(), committed_, dim_}; }
    /// The vector that counts for `id`, or the last one staged if there is one; empty if none is known. O(size).
    [[nodiscard]] std::span<const float> kept(Id id) const noexcept { return find(id, committed_); }
    [[nodiscard]] std::span<const float> staged(Id id) const noexcept { return find(id, ids_.size()); }
    [[nodiscard]] places_of_ids<Id> places() const {
        places_of_ids<Id> places;
        for (std::size_t i = 0; i < committed_; ++i) places[ids_[i]] = i;
        return places;
    }
    [[nodiscard]] std::size_t memory() const noexcept {
        return ids_.capacity() * sizeof(Id) + rows_.capacity() * sizeof(float);
    }

  private:
    [[nodiscard]] std::span<const float> find(Id id, std::size_t end) const noexcept {
        for (std::size_t i = end; i-- > 0;)
            if (ids_[i] == id) return std::span(rows_).subspan(i * dim_, dim_);
        return {};
    }
    std::size_t dim_;
    std::vector<Id> ids_;
    std::vector<float> rows_;
    std::size_t committed_ = 0;
};

/// Whether two rows with equal codes are known to differ, and so may have different ones when codecs learn.
[[nodiscard]] inline bool tells_apart(std::span<const float> a, std::span<const float> b) noexcept {
    return !a.empty() && !b.empty() && !std::equal(a.begin(), a.end(), b.begin());
}

/// Rows of a store as exactly as they are known: by `exact` where that has their ids, else as decoded.
/// Recoding  as of a learning_step: read_row(index, slot, out) decodes one
template <class State, class Recoding>
class exact_source {
  public:
    explicit exact_source(const State& of) : of_(of) {
        if constexpr (!fine_is_exact<typename State::store_type>) places_ = of.learner.exact.places();
    }
    void read(slot_t slot, std::span<float> out) const {
        if (of_.directory.is_live(slot))
            if (const auto found = places_.find(of_.directory.id(slot)); found != places_.end()) {
                const std::span<const float> row = of_.learner.exact.matrix()[found->second];
                std::copy(row.begin(), row.end(), out.begin());
                return;
            }
        Recoding::read_row(of_, slot, out);
    }
    /// At most `most` live rows, evenly spaced, one behind the other.
    [[nodiscard]] std::vector<float> sample(std::size_t most) const {
        std::vector<slot_t> slots;
        slots.reserve(of_.directory.live());
        of_.directory.for_each_live([&](slot_t slot) { slots.push_back(slot); });
        const std::size_t count = (std::min)(slots.size(), most);
        std::vector<float> rows(count * of_.dim);
        for (std::size_t i = 0; i < count; ++i)
            read(slots[i * slots.size() / count], std::span(rows).subspan(i * of_.dim, of_.dim));
        return rows;
    }
    /// Appends at most `most` of the rows with the `count` highest numbers, evenly spaced, if they are live.
    void append_latest(std::size_t count, std::size_t most, std::vector<float>& rows) const {
        const std::size_t end = of_.directory.high_water();
        const std::size_t latest = (std::min)(count, end);
        const std::size_t some = (std::min)(latest, most);
        std::vector<float> row(of_.dim);
        for (std::size_t i = 0; i < some; ++i) {
            const auto slot = static_cast<slot_t>(end - latest + i * latest / some);
            if (!of_.directory.is_live(slot)) continue;
            read(slot, row);
            rows.insert(rows.end(), row.begin(), row.end());
        }
    }
    /// Calls f(slot, row) for every row in use, on the executor.
    template <class F>
    void for_each(executor_ref executor, const F& f) const {
        constexpr std::size_t block = 256;
        const std::size_t rows = of_.directory.high_water();
        parallel_for(executor, (rows + block - 1) / block, [&](std::size_t b) {
            std::vector<float> row(of_.dim);
            for (std::size_t i = b * block; i < (std::min)(rows, (b + 1) * block); ++i) {
                const auto slot = static_cast<slot_t>(i);
                if (of_.directory.state(slot) == row_state::free) continue;
                read(slot, row);
                f(slot, std::span<const float>(row));
            }
        });
    }

  private:
    const State& of_;
    places_of_ids<typename State::id_type> places_;
};

/// What an inverted file knows of how its lists were learned, besides their centroids.
struct list_history {
    bool decided = false;        ///< by a call of train: they stay as they are
    std::size_t learned_at = 0;  ///< how many rows the index had, or got by that call, when they were learned last
    std::size_t since = 0;       ///< rows that came into lists since, or changed
    double distances = 0;        ///< their squared distances from the centroids, added up
    std::size_t looked_at = 0;   ///< how many these were when somebody last looked whether lists still fit
    unsigned patience = 1;       ///< how many sixteenths of the rows come until somebody looks again
    double usual_distance = 0;   ///< of a row like those that lists were learned from; 0 = nobody knows
    double usual_evenness = 0;   ///< how uneven lists were when they had been learned; 0 = nobody knows
};

/// What an index knows of what its codecs learned, besides the codecs. Of one that was loaded: nothing, so that it only
/// watches.
template <class Id>
struct learner {
    explicit learner(std::size_t dim) : exact(dim) {}

    /// What a call that fails puts back.
    struct state {
        bool growing = false;          ///< learns again when rows have doubled
        std::size_t learned_rows = 0;  ///< that codecs learned from last
        std::size_t times = 0;         ///< codecs learned after the first
        std::size_t encoded = 0;       ///< rows since the first time they learned
        std::size_t learned_at = 0;    ///< how many these were when codecs learned last
        std::size_t doubled_at = 0;    ///< how many these were when codecs learned because rows had doubled
        std::size_t since = 0;         ///< rows encoded since all rows were, last
        unsigned at_once = 3;          ///< times that all rows may be encoded again before as many were as a sixteenth
        std::array<double, 2> usual{2.0, 2.0};  ///< strain of each half that nothing was to be gained from
        std::array<double, 2> error{};          ///< squared, of each half, of rows like those it learned from
        std::size_t looked_at = 0;              ///< how many rows had come when somebody last looked at these errors
        unsigned patience = 1;                  ///< by how many eighths rows grow until somebody looks again
        bool moving = false;                    ///< whether errors were large since rows had doubled last
        clip_counts clipped;
    };
    state now;
    exact_rows<Id> exact;          ///< while growing all, later those not yet looked at
    std::size_t exact_memory = 0;  ///< bytes of these when the last call was over, for readers
    clip_counts pending;           ///< of rows encoded by a call that is not over
    list_history lists;            ///< of an inverted file

    [[nodiscard]] learning_report report(std::size_t half, bool trained) const noexcept {
        return {trained, now.learned_rows, now.times, now.clipped.rows(half), now.clipped.components(half)};
    }
    /// After a call of train.
    void decided(std::size_t rows) noexcept {
        now = state();
        now.learned_rows = rows;
        exact.release();
        exact_memory = 0;
    }
};

}  // namespace detail

VICINAL_NAMESPACE_END
