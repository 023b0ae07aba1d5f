// Who may be inside an index at once, and the scratch memory that searches lease.
#pragma once

#include <memory>        // for unique_ptr
#include <mutex>         // for mutex, lock_guard, unique_lock
#include <optional>      // for optional
#include <shared_mutex>  // for shared_mutex, shared_lock
#include <utility>       // for forward, move
#include <vector>        // for vector

#include "vicinal/core/executor.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Readers together, or one writer publishing. Writers prepare under `writing()` while readers go on, and enter
/// `publishing()` only to put finished work in place. A writer that waits holds back later readers, so neither side
/// starves.
class access_gate {
  public:
    /// One writer at a time, beside any readers.
    [[nodiscard]] std::unique_lock<std::mutex> writing() { return std::unique_lock(writer_); }
    /// Nobody else at all. Only while `writing()`.
    [[nodiscard]] std::unique_lock<std::shared_mutex> publishing() {
        const std::lock_guard turn(turnstile_);
        return std::unique_lock(readers_);
    }
    [[nodiscard]] std::shared_lock<std::shared_mutex> reading() {
        const std::lock_guard turn(turnstile_);
        return std::shared_lock(readers_);
    }

  private:
    std::mutex writer_;
    std::mutex turnstile_;
    std::shared_mutex readers_;
};

/// Scratch objects that calls lease and give back, so that a warmed-up search allocates nothing. The pool grows to the
/// largest number of leases ever held at once.
template <class Scratch>
class scratch_pool {
  public:
    class lease {
      public:
        lease(scratch_pool& pool, std::unique_ptr<Scratch> scratch) noexcept
            : pool_(&pool), scratch_(std::move(scratch)) {}
        lease(lease&&) noexcept = default;
        lease& operator=(lease&&) = delete;
        ~lease() {
            if (scratch_) pool_->put_back(std::move(scratch_));
        }
        [[nodiscard]] Scratch& operator*() const noexcept { return *scratch_; }
        [[nodiscard]] Scratch* operator->() const noexcept { return scratch_.get(); }

      private:
        scratch_pool* pool_;
        std::unique_ptr<Scratch> scratch_;
    };

    [[nodiscard]] lease take() {
        {
            const std::lock_guard lock(mutex_);
            if (!idle_.empty()) {
                std::unique_ptr<Scratch> scratch = std::move(idle_.back());
                idle_.pop_back();
                return {*this, std::move(scratch)};
            }
            ++made_;
            if (idle_.capacity() < made_) idle_.reserve(made_ * 2);
        }
        return {*this, std::make_unique<Scratch>()};
    }

    /// Calls f(scratch) for each one not in use.
    template <class F>
    void for_each_idle(F&& f) const {
        const std::lock_guard lock(mutex_);
        for (const auto& scratch : idle_) f(*scratch);
    }

  private:
    void put_back(std::unique_ptr<Scratch> scratch) noexcept {
        const std::lock_guard lock(mutex_);
        if (idle_.size() < idle_.capacity()) idle_.push_back(std::move(scratch));
    }

    mutable std::mutex mutex_;
    std::vector<std::unique_ptr<Scratch>> idle_;
    std::size_t made_ = 0;
};

/// The executor a call asked for: its own, or `threads` of a pool made for the call.
class call_executor {
  public:
    call_executor(executor_ref given, std::size_t threads) : executor_(given) {
        if (given || threads == 1) return;
        executor_ = pool_.emplace(threads);
    }
    operator executor_ref() const noexcept { return executor_; }  // NOLINT: implicit by design

  private:
    std::optional<thread_pool> pool_;
    executor_ref executor_;
};

}  // namespace detail

VICINAL_NAMESPACE_END
