// SPDX-License-Identifier: MIT
// How the codecs of an index go on learning while it grows, and how its rows follow.
//
// While an index is small, each doubling of its rows teaches its codecs again, from all rows, of which the exact
// vectors are kept until then. Later the rows that come are watched: when codecs cost these far more than they should,
// as ranges do that the data has left, codecs learn from old and new rows. Every row is then encoded again beside
// readers, and all is put in place at once. A call that fails goes back to the codecs and codes of before.
#pragma once

#include <algorithm>  // for max, min
#include <cstddef>    // for size_t
#include <optional>   // for optional
#include <span>       // for span
#include <utility>    // for move
#include <vector>     // for vector

#include "vicinal/codec/ordinary_rows.hpp"
#include "vicinal/core/executor.hpp"
#include "vicinal/index/common/learner.hpp"
#include "vicinal/storage/code_store.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// The part of one call that brings rows in: before they are encoded, codecs learn if it is time to. Takes everything
/// back when it goes out of scope, unless rows were kept; rows that came in must be out by then.
///
/// State     an index's
/// Recoding  says what else of such an index changes when codecs do, and how: as store_recoding (training.hpp)
template <class State, class Recoding>
class learning_step {
    using id_type = typename State::id_type;
    using store_type = typename State::store_type;
    using recoded_type = typename Recoding::recoded_type;
    using source_type = exact_source<State, Recoding>;

  public:
    /// ids     of the rows to come
    /// sample  sample(most): prepared ones of them, evenly spaced, of at most so many all
    template <class Sample>
    learning_step(State& of, std::span<const id_type> ids, const Sample& sample, executor_ref executor)
        : of_(of), ids_(ids), executor_(executor) {
        if constexpr (learns<store_type>) {
            next_ = of.learner.now;
            was_growing_ = next_.growing;
            of.learner.pending = {};
            of.learner.exact.unstage();
            if (needs_training(of.rows))
                learn_first(sample(codec_training_rows));
            else if (next_.growing)
                grow(sample);
            else
                watch(sample);
            if (keeps_rows()) stage(sample(ids.size()));
            publish();
        }
    }
    learning_step(const learning_step&) = delete;
    learning_step& operator=(const learning_step&) = delete;
    ~learning_step() {
        if constexpr (learns<store_type>) {
            if (kept_ || !exchanged_) return;
            {
                const auto exclusive = of_.locks.exclusive();
                Recoding::exchange(of_, *recoded_);
            }
            Recoding::fit(of_);
        }
    }

    /// The first `count` of the rows are in. Readers are out.
    void keep([[maybe_unused]] std::size_t count) noexcept {
        if constexpr (learns<store_type>) {
            auto& learner = of_.learner;
            if (count == 0) return;
            kept_ = true;
            next_.encoded += count;
            next_.since += count;
            next_.clipped += learner.pending;
            learner.now = next_;
            if (was_growing_ && !next_.growing)
                learner.exact.release();
            else if (looked_at_)
                learner.exact.clear();
            else
                learner.exact.commit(count);
            learner.exact_memory = learner.exact.memory();
        }
    }
    /// The same with readers still in.
    void finish([[maybe_unused]] std::size_t count) noexcept {
        if constexpr (learns<store_type>) {
            const auto exclusive = of_.locks.exclusive();
            keep(count);
        }
    }

  private:
    /// Whether the rows to come are to be kept as they are: to learn from, or until they are looked at.
    [[nodiscard]] bool keeps_rows() const noexcept {
        if (next_.growing) return !fine_is_exact<store_type>;
        return !was_growing_ && of_.learner.exact.size() + ids_.size() < watched_rows(of_.dim);
    }
    void stage(const std::vector<float>& rows) {
        auto& exact = of_.learner.exact;
        if (exact.size() > 2 * of_.directory.live() + 64)
            exact.compact([&](id_type id) { return of_.directory.find(id) != no_slot; });
        exact.stage(ids_, rows);
    }
    [[nodiscard]] std::size_t to_be() const noexcept { return next_.encoded + ids_.size(); }

    void learn_first(const std::vector<float>& sample) {
        const matrix_view<const float> rows(std::span<const float>(sample), of_.dim);
        recoded_type& fresh = recoded_.emplace(of_);
        fresh.for_each([&](auto& codes, std::size_t) { codes.coder().train(rows); });
        next_ = {};
        next_.growing = to_be() < Recoding::enough_rows(of_);
        next_.learned_rows = rows.rows();
        next_.learned_at = to_be();
        next_.doubled_at = to_be();
        next_.looked_at = to_be();
        if (next_.growing) note_errors(fresh, rows);
    }
    /// Learns from all rows, those to come among them, if they have become enough or are unlike those before.
    template <class Sample>
    void grow(const Sample& sample) {
        constexpr std::size_t growth = (std::max)(learning_growth<typename store_type::coarse_codec>,
                                                  learning_growth<typename store_type::fine_codec>);
        const std::size_t enough = Recoding::enough_rows(of_);
        const std::size_t next = next_.doubled_at * growth;
        if (to_be() >= (next_.doubled_at < enough ? (std::min)(next, enough) : next) ||
            to_be() >= most_exact_rows(of_.dim))
            learn_again(sample);
        else if (Recoding::looks_ahead && next_.learned_at >= 512 &&
                 to_be() - next_.looked_at >= next_.learned_at / 8 * next_.patience + 16)
            look(sample);
    }
    /// Learns from all rows. It is the last time if they are enough and have hardly changed while they doubled, so that
    /// they can be expected to stay as they are, or if no more are kept exactly.
    template <class Sample>
    void learn_again(const Sample& sample) {
        const std::size_t enough = Recoding::enough_rows(of_);
        const bool doubled = to_be() < 4 * next_.doubled_at;  // else codecs knew too little to say
        next_.doubled_at = to_be();
        const std::vector<float> recent = recent_rows(sample);
        const double gain = learn_from_all(sample, matrix_view<const float>(std::span<const float>(recent), of_.dim));
        const bool moving = doubled && (next_.moving || gain > 1.05);
        next_.growing = to_be() < (moving ? most_exact_rows(of_.dim) : enough);
        next_.moving = false;
    }
    /// Learns from all rows before it is time if codes of those that came last have large errors. If that helps little,
    /// it looks less often.
    template <class Sample>
    void look(const Sample& sample) {
        next_.looked_at = to_be();
        const std::vector<float> rows = recent_rows(sample);
        const matrix_view<const float> recent(std::span<const float>(rows), of_.dim);
        bool large = false;
        for_each_codec([&](const auto& codec, std::size_t half) {
            large = large || coding_error(codec, recent) > 1.2 * next_.error[half];
        });
        if (!large) return;
        const double gain = learn_from_all(sample, recent);
        next_.patience = gain > 1.1 ? 1 : (std::min)(next_.patience * 2, 8U);
        next_.moving = next_.moving || gain > 1.1;
    }
    /// Returns how many times as large as now errors of codes of the `recent` rows were before.
    template <class Sample>
    double learn_from_all(const Sample& sample, matrix_view<const float> recent) {
        next_.learned_at = to_be();
        next_.looked_at = to_be();
        const std::vector<float> more = sample(codec_training_rows);
        std::vector<float> rows = source_type(of_).sample(codec_training_rows);
        rows.insert(rows.end(), more.begin(), more.end());
        const matrix_view<const float> all(std::span<const float>(rows), of_.dim);
        recoded_type& fresh = recoded_.emplace(of_);
        double gain = 1;
        fresh.for_each([&](auto& codes, std::size_t) {
            const double before = coding_error(codes.coder(), recent);
            codes.coder().train(all);
            const double now = coding_error(codes.coder(), recent);
            if (before > now) gain = (std::max)(gain, now > 0 ? before / now : 2.0);
        });
        note_errors(fresh, all);
        clip_counts clipped;
        const matrix_view<const float> to_come(std::span<const float>(more), of_.dim);
        if (learned(fresh, all.rows(), to_come, &clipped)) next_.clipped = clipped;
        return gain;
    }
    /// Remembers the errors of codecs that have just learned from `rows`.
    void note_errors(recoded_type& of, matrix_view<const float> rows) {
        const std::vector<float> some = some_of(rows, rows_looked_at);
        const matrix_view<const float> from(std::span<const float>(some), of_.dim);
        of.for_each([&](auto& codes, std::size_t half) { next_.error[half] = coding_error(codes.coder(), from); });
    }
    /// Calls f(codec, number of the half) for each that learns.
    template <class F>
    void for_each_codec(const F& f) const {
        std::size_t half = 0;
        of_.rows.for_each_store([&](const auto& codes) {
            if constexpr (trainable_codec<std::remove_cvref_t<decltype(codes.coder())>>) f(codes.coder(), half);
            ++half;
        });
    }
    /// Some of the rows that came since codecs learned last, if they still have the highest numbers, and of those to
    /// come.
    template <class Sample>
    [[nodiscard]] std::vector<float> recent_rows(const Sample& sample) const {
        std::vector<float> rows = sample(rows_looked_at);
        const std::size_t since = next_.encoded - (std::min)(next_.learned_at, next_.encoded);
        if (since != 0) source_type(of_).append_latest(since, rows_looked_at, rows);
        return rows;
    }
    /// Looks at the rows that came since the last look and those to come, if they are enough.
    template <class Sample>
    void watch(const Sample& sample) {
        constexpr std::size_t most = 1024;
        auto& exact = of_.learner.exact;
        if (exact.size() + ids_.size() < watched_rows(of_.dim)) return;
        const std::vector<float> more = sample(most);
        const matrix_view<const float> to_come(std::span<const float>(more), of_.dim);
        const matrix_view<const float> waiting = exact.matrix();
        const joined_rows all(waiting, to_come);
        looked_at_ = true;
        if (!is_strained(all)) return;
        std::vector<float> copied;
        for (std::size_t r = 0; r < all.rows(); ++r) copied.insert(copied.end(), all[r].begin(), all[r].end());
        const ordinary_rows ordinary(matrix_view<const float>(std::span<const float>(copied), of_.dim), 1);
        if (is_strained(ordinary) && may_recode()) relearn(ordinary, to_come);
    }
    template <class Rows>
    [[nodiscard]] bool is_strained(const Rows& rows) const {
        bool any = false;
        std::size_t half = 0;
        of_.rows.for_each_store([&](const auto& codes) {
            if constexpr (strained_codec<std::remove_cvref_t<decltype(codes.coder())>, Rows>)
                any = any || is_strained(codes.coder(), half, rows);
            ++half;
        });
        return any;
    }
    /// Whether codes of the rows have far larger errors than others, and for what the codec learned.
    template <class Codec, class Rows>
    [[nodiscard]] bool is_strained(const Codec& codec, std::size_t half, const Rows& rows) const {
        return codec.strain(rows) > 2 * next_.usual[half] &&
               (next_.error[half] == 0 || coding_error(codec, rows) > 3 * next_.error[half]);
    }
    /// All rows may be encoded again when a sixteenth as many have come since, and a few times before that.
    [[nodiscard]] bool may_recode() noexcept {
        if (next_.since + ids_.size() >= of_.directory.live() / 16) {
            next_.at_once = state_type().at_once;
            return true;
        }
        if (next_.at_once == 0) return false;
        --next_.at_once;
        return true;
    }
    /// Learns from these rows and, of those that are in, up to twice as many.
    template <class Rows>
    void relearn(const Rows& recent, matrix_view<const float> to_come) {
        const std::vector<float> old = source_type(of_).sample(2 * recent.rows());
        const ordinary_rows before(matrix_view<const float>(std::span<const float>(old), of_.dim), 1);
        const joined_rows all(before, recent);
        recoded_type& fresh = recoded_.emplace(of_);
        bool better = false;
        fresh.for_each([&](auto& codes, std::size_t half) {
            if constexpr (strained_codec<std::remove_cvref_t<decltype(codes.coder())>, Rows>) {
                if (!is_strained(codes.coder(), half, recent)) return;
                const double strain = codes.coder().strain(recent);
                auto wider = codes.coder();
                teach_ordinary(wider, all);
                if (wider.strain(recent) < strain / 2 &&
                    2 * coding_error(wider, recent) < coding_error(codes.coder(), recent)) {
                    codes.coder() = std::move(wider);
                    better = true;
                } else {
                    next_.usual[half] = strain;
                }
            }
        });
        if (better)
            learned(fresh, all.rows(), to_come, nullptr);
        else
            recoded_.reset();
    }
    /// What follows when codecs in `fresh` have learned: all rows by them. Not if that made a vector too long, as
    /// coarse steps near the limit of validation can; all then stays as it is.
    /// rows     that codecs learned from
    /// to_come  of the rows to come
    /// clipped  counts what they clip of those that are in, if given
    bool learned(recoded_type& fresh, std::size_t rows, matrix_view<const float> to_come, clip_counts* clipped) {
        if (!Recoding::recode(of_, fresh, source_type(of_), to_come, executor_, clipped)) {
            recoded_.reset();
            return false;
        }
        next_.learned_rows = rows;
        ++next_.times;
        next_.since = 0;
        return true;
    }

    void publish() {
        if (!recoded_) return;
        recoded_->reserve(of_.directory.rows_to_hold(ids_.size()));
        Recoding::reserve(of_, ids_.size());  // what was there must bear going back to it
        const auto exclusive = of_.locks.exclusive();
        Recoding::exchange(of_, *recoded_);
        exchanged_ = true;
    }

    using state_type = typename learner<id_type>::state;
    static constexpr std::size_t rows_looked_at = 256;
    State& of_;
    std::span<const id_type> ids_;
    executor_ref executor_;
    state_type next_;
    bool was_growing_ = false;
    std::optional<recoded_type> recoded_;  // what is to come, then what was before
    bool exchanged_ = false;
    bool looked_at_ = false;
    bool kept_ = false;
};

}  // namespace detail

VICINAL_NAMESPACE_END
