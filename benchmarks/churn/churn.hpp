// SPDX-License-Identifier: MIT
// An hnsw index whose rows come and go, beside one built anew of the same rows. churn_bench prints what the test
// asserts.
#pragma once

#include <algorithm>  // for count_if, min, sort
#include <chrono>     // for steady_clock
#include <cstdint>    // for uint64_t
#include <deque>      // for deque
#include <string>     // for string
#include <vector>     // for vector

#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"

namespace churn {

using rows_view = vicinal::matrix_view<const float>;

/// An index after some changes.
struct state {
    double recall = 0;        ///< recall@10
    double fresh_recall = 0;  ///< the same of an index built of the same rows at once
    double memory_ratio = 0;  ///< its memory().total, in those of the other
    std::size_t live = 0;
    std::size_t unreachable = 0;
    bool ok = false;  ///< check().ok()
};

/// Seconds that calls have taken.
struct costs {
    double adding = 0;
    std::size_t added = 0;
    double removing = 0;
    std::size_t removed = 0;

    /// What a removal costs, in additions.
    [[nodiscard]] double ratio() const {
        if (added == 0 || removed == 0 || adding == 0) return 0;
        return removing / static_cast<double>(removed) / (adding / static_cast<double>(added));
    }
};

/// Rows of `pool` in an index, the oldest first. Ids count up from 0 and are never used again.
template <class Index>
class living {
  public:
    living(rows_view pool, rows_view queries, const vicinal::hnsw_params& params)
        : pool_(pool), queries_(queries), params_(params), in_(pool.rows(), false), index_(pool.dim(), params) {}

    /// Adds so many rows, at once.
    void fill(std::size_t count) {
        std::vector<std::uint64_t> ids;
        std::vector<float> values;
        for (std::size_t i = 0; i < count; ++i) {
            ids.push_back(enter());
            const auto point = pool_[rows_.back().at];
            values.insert(values.end(), point.begin(), point.end());
        }
        vicinal::add_params how;
        how.threads = 2;
        index_.add(ids, rows_view(std::span<const float>(values), pool_.dim()), how);
    }
    /// Adds so many rows one by one.
    void add(std::size_t count) {
        const auto start = now();
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint64_t id = enter();
            index_.add(id, pool_[rows_.back().at]);
        }
        costs_.adding += since(start);
        costs_.added += count;
    }
    void remove_oldest(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) leave(0);
        take_out_left();
    }
    void remove_any(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) leave(static_cast<std::size_t>(random() % rows_.size()));
        take_out_left();
    }
    /// Removes the row where searches begin. Only while rows were added and none removed but by this: an id is then its
    /// row's number, and the entry the oldest row of the highest level.
    void remove_entry() {
        const vicinal::detail::hnsw_graph levels(params_.degree);
        const auto level = [&](std::size_t i) {
            return levels.draw_level(params_.seed, static_cast<vicinal::detail::slot_t>(rows_[i].id));
        };
        std::size_t best = 0;
        for (std::size_t i = 1; i < rows_.size(); ++i)
            if (level(i) > level(best)) best = i;
        leave(best);
        take_out_left();
    }

    [[nodiscard]] std::size_t live() const { return rows_.size(); }
    [[nodiscard]] const Index& index() const { return index_; }
    [[nodiscard]] const costs& cost() const { return costs_; }

    [[nodiscard]] state look() const {
        std::vector<std::uint64_t> ids;
        std::vector<float> values;
        for (const row& each : rows_) {
            ids.push_back(each.id);
            values.insert(values.end(), pool_[each.at].begin(), pool_[each.at].end());
        }
        const rows_view all(std::span<const float>(values), pool_.dim());
        vicinal::flat_index<vicinal::l2> exact(pool_.dim());
        exact.add(ids, all);
        Index fresh(pool_.dim(), params_);
        vicinal::add_params how;
        how.threads = 2;
        fresh.add(ids, all, how);
        const auto truth = exact.search(queries_, 10);
        const auto report = index_.check();
        return {recall(index_, truth),
                recall(fresh, truth),
                static_cast<double>(index_.memory().total) / static_cast<double>(fresh.memory().total),
                report.live,
                report.unreachable,
                report.ok() && report.live == rows_.size()};
    }

  private:
    struct row {
        std::uint64_t id;
        std::size_t at;  // in the pool
    };
    using clock = std::chrono::steady_clock;
    static clock::time_point now() { return clock::now(); }
    static double since(clock::time_point start) { return std::chrono::duration<double>(now() - start).count(); }
    std::uint64_t random() { return vicinal::detail::mix(seed_++); }

    /// The next row of the pool that is not in.
    std::uint64_t enter() {
        while (in_[next_]) next_ = (next_ + 1) % in_.size();
        in_[next_] = true;
        rows_.push_back({next_id_, next_});
        return next_id_++;
    }
    void leave(std::size_t which) {
        const auto gone = rows_.begin() + static_cast<std::ptrdiff_t>(which);
        in_[gone->at] = false;
        left_.push_back(gone->id);
        rows_.erase(gone);
    }
    void take_out_left() {
        const auto start = now();
        for (const std::uint64_t id : left_) index_.remove(id);
        costs_.removing += since(start);
        costs_.removed += left_.size();
        left_.clear();
    }

    [[nodiscard]] double recall(const Index& of, const vicinal::search_table<std::uint64_t>& truth) const {
        std::size_t found = 0;
        std::size_t wanted = 0;
        std::vector<vicinal::neighbor<>> hits(10);
        for (std::size_t q = 0; q < queries_.rows(); ++q) {
            const std::size_t n = of.search(queries_[q], std::span(hits));
            const float last = truth[q].back().distance;
            wanted += truth[q].size();
            found += static_cast<std::size_t>(
                std::count_if(hits.begin(), hits.begin() + static_cast<std::ptrdiff_t>(n), [&](const auto& hit) {
                    return hit.distance <= last * (1 + 1e-5F);  // another codec, another rounding
                }));
        }
        return static_cast<double>(std::min(found, wanted)) / static_cast<double>(wanted);
    }

    rows_view pool_;
    rows_view queries_;
    vicinal::hnsw_params params_;
    std::vector<bool> in_;  // which rows of the pool are in the index
    std::size_t next_ = 0;
    std::uint64_t next_id_ = 0;
    std::uint64_t seed_ = 1;
    std::deque<row> rows_;
    std::vector<std::uint64_t> left_;
    Index index_;
    costs costs_;
};

/// Calls step(name, cycle, living) after every cycle of each way in which rows come and go; `cycles` of those that
/// repeat.
template <class Index, class Step>
void for_each_cycle(rows_view pool, rows_view queries, const vicinal::hnsw_params& params, std::size_t cycles,
                    Step&& step) {
    const std::size_t n = pool.rows() * 4 / 5;
    {
        living<Index> index(pool, queries, params);
        index.fill(n);
        for (std::size_t cycle = 1; cycle <= cycles; ++cycle) {
            index.remove_any(n / 5);
            index.add(n / 5);
            step("replace a fifth", cycle, index);
        }
    }
    {
        living<Index> index(pool, queries, params);
        index.fill(n);
        for (std::size_t cycle = 1; cycle <= cycles / 3; ++cycle) {
            index.remove_oldest(n / 5);
            index.add(n / 5);
            step("sliding window", cycle, index);
        }
    }
    {
        living<Index> index(pool, queries, params);
        index.fill(n);
        for (std::size_t cycle = 1; cycle <= 3; ++cycle) {
            index.remove_any(n * 9 / 10);
            if (!index.index().check().ok()) step("nine tenths removed", cycle, index);
            index.fill(n - index.live());
            step("nine tenths removed, filled up", cycle, index);
        }
    }
    {
        living<Index> index(pool, queries, params);
        index.fill(n);
        const std::size_t entries = std::min<std::size_t>(1000, n / 4);
        for (std::size_t i = 1; i <= entries; ++i) {
            index.remove_entry();
            if (!index.index().check().ok()) step("an entry removed", i, index);
        }
        step("entries removed", entries, index);
        index.fill(n - index.live());
        step("entries removed, filled up", entries, index);
    }
}

}  // namespace churn
