// SPDX-License-Identifier: MIT
// What calls count: searches in the scratch they lease, changes in the index.
#pragma once

#include <atomic>   // for atomic, memory_order_relaxed
#include <chrono>   // for steady_clock
#include <cstddef>  // for size_t
#include <cstdint>  // for uint64_t

#include "vicinal/params.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

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
    void update(std::size_t n) noexcept { grow(updated_, n); }
    void remove(std::size_t n) noexcept { grow(removed_, n); }
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

}  // namespace detail

VICINAL_NAMESPACE_END
