// What the calls of all three indexes have in common: checking batches, timing, stopping, batch search, lazy results.
#pragma once

#include <algorithm>   // for sort, adjacent_find, min
#include <atomic>      // for atomic, memory_order_relaxed
#include <chrono>      // for steady_clock
#include <cstddef>     // for size_t
#include <cstdint>     // for uint64_t
#include <mutex>       // for mutex
#include <stop_token>  // for stop_token
#include <string>      // for string
#include <vector>      // for vector

#include "vicinal/concepts.hpp"
#include "vicinal/core/error.hpp"
#include "vicinal/core/progress.hpp"
#include "vicinal/index/common/call_executor.hpp"
#include "vicinal/index/common/locks.hpp"
#include "vicinal/params.hpp"
#include "vicinal/scoring/scorer.hpp"
#include "vicinal/storage/id_map.hpp"
#include "vicinal/storage/validation.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

inline constexpr std::size_t max_dim = std::size_t{1} << 20;

inline std::size_t checked_dim(std::size_t dim) {
    require_range("dim", dim, 1, max_dim);
    return dim;
}

/// What the searches that leased one scratch object did: counted where no other thread writes.
struct search_counts {
    std::uint64_t searches = 0;
    search_stats stats;
};

/// Collects what one call does, and when it returns adds it to the statistics the caller asked for, if it did, and to
/// the counts of the scratch it leased.
class call_stats {
  public:
    call_stats(search_stats* out, search_counts& counts, std::size_t queries = 1) noexcept
        : out_(out), counts_(counts), queries_(queries) {
        if (out_ != nullptr) start_ = std::chrono::steady_clock::now();
    }
    call_stats(const call_stats&) = delete;
    call_stats& operator=(const call_stats&) = delete;
    ~call_stats() {
        counts_.searches += queries_;
        counts_.stats += now;
        if (out_ == nullptr) return;
        now.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
        *out_ += now;
    }

    search_stats now;

  private:
    search_stats* out_;
    search_counts& counts_;
    std::size_t queries_;
    std::chrono::steady_clock::time_point start_;
};

/// How often an index was changed. Written by one writer at a time, read by anyone.
class change_counts {
  public:
    void add(std::size_t n) noexcept { grow(added_, n); }
    void update() noexcept { grow(updated_, 1); }
    void remove() noexcept { grow(removed_, 1); }
    [[nodiscard]] index_counters read() const noexcept {
        index_counters counters;
        counters.added = added_.load(std::memory_order_relaxed);
        counters.updated = updated_.load(std::memory_order_relaxed);
        counters.removed = removed_.load(std::memory_order_relaxed);
        return counters;
    }

  private:
    static void grow(std::atomic<std::uint64_t>& count, std::size_t n) noexcept {
        count.fetch_add(n, std::memory_order_relaxed);
    }
    std::atomic<std::uint64_t> added_ = 0;
    std::atomic<std::uint64_t> updated_ = 0;
    std::atomic<std::uint64_t> removed_ = 0;
};

template <class Id>
[[noreturn]] VICINAL_COLD void fail_duplicate(Id id, std::string_view where) {
    fail(errc::duplicate_id, "id " + text_of(id) + std::string(where));
}
template <class Id>
[[noreturn]] VICINAL_COLD void fail_missing(Id id, std::string_view call) {
    fail(errc::not_found, std::string(call) + ": the index holds no id " + text_of(id));
}

/// Throws what refused row `r` of a batch again, naming the row.
[[noreturn]] VICINAL_COLD inline void fail_in_batch(const error& e, std::size_t r) {
    // strip the "vicinal: " that error itself puts in front
    fail(e.code(), "row " + std::to_string(r) + " of the batch: " + std::string(e.what()).substr(9));
}

/// Everything about a batch that could refuse it, checked before anything changes.
/// throws  error: invalid_argument, dimension_mismatch, duplicate_id, or what admit throws, naming the batch's row
template <class Codec, class Metric, class Id>
void check_batch(const Metric& metric, const id_map<Id>& directory, std::size_t dim, std::span<const Id> ids,
                 matrix_view<const float> rows, executor_ref executor) {
    if (ids.size() != rows.rows())
        fail(errc::invalid_argument,
             "add: " + std::to_string(ids.size()) + " ids for " + std::to_string(rows.rows()) + " rows");
    if (rows.rows() == 0) return;
    if (rows.dim() != dim) fail_dimension("add: each row", rows.dim(), dim);
    for (const Id id : ids)
        if (directory.find(id) != no_slot) fail_duplicate(id, " is in the index already; use update to change it");
    std::vector<Id> sorted(ids.begin(), ids.end());
    std::sort(sorted.begin(), sorted.end());
    if (const auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end())
        fail_duplicate(*twice, " stands twice in the batch");
    constexpr std::size_t block = 1024;
    parallel_for(executor, (rows.rows() + block - 1) / block, [&](std::size_t b) {
        std::vector<float> prepared(dim);
        for (std::size_t r = b * block; r < std::min(rows.rows(), (b + 1) * block); ++r) try {
                validate_and_prepare<Codec>(metric, "vector", rows[r], std::span<float>(prepared));
                require_resolvable<Codec>("vector", prepared);
            } catch (const error& e) {
                fail_in_batch(e, r);
            }
    });
}

/// The rows of a batch as the metric wants them, for training: at most `limit`, evenly spaced.
template <class Codec, class Metric>
[[nodiscard]] std::vector<float> prepared_sample(const Metric& metric, matrix_view<const float> rows,
                                                 std::size_t limit) {
    const std::size_t count = std::min(rows.rows(), limit);
    std::vector<float> sample(count * rows.dim());
    for (std::size_t i = 0; i < count; ++i)
        validate_and_prepare<Codec>(metric, "vector", rows[i * rows.rows() / count],
                     std::span(sample).subspan(i * rows.dim(), rows.dim()));
    return sample;
}

/// Runs a batch of queries, `together` of them per task. many(queries, room, found, params) searches for some: the hits
/// of the i-th go to room(i), their number to found[i]; its params carry statistics of its own.
template <class Id, class Params, class Many>
[[nodiscard]] search_table<Id> run_batch(matrix_view<const float> queries, std::size_t dim, std::size_t k,
                                         const Params& params, std::size_t together, Many many) {
    if (!queries.empty() && queries.dim() != dim) fail_dimension("search: each query", queries.dim(), dim);
    search_table<Id> table(queries.rows(), k);
    const std::size_t tasks = (queries.rows() + together - 1) / together;
    const call_executor executor(params.executor, params.threads, tasks);
    std::mutex stats_mutex;
    const auto start = std::chrono::steady_clock::now();
    search_stats total;
    parallel_for(executor, tasks, [&](std::size_t task) {
        const std::size_t first = task * together;
        const std::size_t n = std::min(together, queries.rows() - first);
        search_stats mine;
        Params some = params;
        some.stats = params.stats != nullptr ? &mine : nullptr;
        many(
            queries.rows(first, n), [&](std::size_t i) { return table.room(first + i); }, table.found(first, n), some);
        if (params.stats == nullptr) return;
        const std::lock_guard lock(stats_mutex);
        total += mine;
    });
    if (params.stats != nullptr) {
        total.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        *params.stats += total;
    }
    return table;
}

/// The same with one(query, room for its hits, params), which returns how many it found.
template <class Id, class Params, class One>
[[nodiscard]] search_table<Id> run_batch(matrix_view<const float> queries, std::size_t dim, std::size_t k,
                                         const Params& params, One one) {
    return run_batch<Id>(queries, dim, k, params, 1,
                         [&](matrix_view<const float> query, auto room, std::span<std::size_t> found,
                             const Params& some) { found[0] = one(query[0], room(0), some); });
}

}  // namespace detail

VICINAL_NAMESPACE_END
