// Who may be inside an index at once, and the scratch memory that searches lease.
#pragma once

#include <algorithm>     // for clamp, min
#include <atomic>        // for atomic
#include <cstddef>       // for size_t
#include <cstdint>       // for uint64_t
#include <memory>        // for unique_ptr
#include <mutex>         // for mutex, lock_guard, unique_lock, once_flag, call_once
#include <optional>      // for optional
#include <shared_mutex>  // for shared_mutex, shared_lock
#include <thread>        // for thread
#include <utility>       // for forward, move
#include <vector>        // for vector

#include "vicinal/core/error.hpp"
#include "vicinal/core/executor.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Readers together, or one writer publishing. Writers prepare under `writing()` while readers go on, and enter
/// `publishing()` only to put finished work in place. A writer that waits holds back later readers, so neither side
/// starves. Who only wants the index to stay as it is for a long time, as a save does, keeps it `frozen()`: writers wait,
/// and readers need not.
///
/// Callbacks come back: a filter runs while its thread reads, a progress listener while its thread writes. Each thread
/// therefore knows the gates it is inside of. One that reads may read again, without a lock; one that reads or writes is
/// refused when it wants to write, because it would wait for itself.
class access_gate {
    /// One thread's stay inside a gate, in a list of all of its stays.
    class stay {
      public:
        stay(const access_gate& gate, bool reads) noexcept : gate_(&gate), reads_(reads), outer_(innermost) {
            enter(this);
        }
        stay(const stay&) = delete;
        stay& operator=(const stay&) = delete;
        ~stay() { leave(); }
        void leave() noexcept {
            if (gate_ == nullptr) return;
            const stay** at = &innermost;
            while (*at != this) at = &(*at)->outer_;
            *at = outer_;
            gate_ = nullptr;
        }
        [[nodiscard]] static bool reading(const access_gate& gate) noexcept {
            return any([&](const stay& s) { return s.gate_ == &gate && s.reads_; });
        }
        [[nodiscard]] static bool inside(const access_gate& gate) noexcept {
            return any([&](const stay& s) { return s.gate_ == &gate; });
        }

      private:
        /// Not inlined: g++ 12 would warn of a pointer to a local object that leave() takes out again.
        VICINAL_NOINLINE static void enter(const stay* here) noexcept { innermost = here; }
        template <class Is>
        [[nodiscard]] static bool any(const Is& is) noexcept {
            for (const stay* s = innermost; s != nullptr; s = s->outer_)
                if (is(*s)) return true;
            return false;
        }
        const access_gate* gate_;
        bool reads_;
        mutable const stay* outer_;
        inline static thread_local constinit const stay* innermost = nullptr;
    };

  public:
    class [[nodiscard]] reading_lock {
      public:
        explicit reading_lock(access_gate& gate) : lock_(gate.lock_of_reader()), stay_(gate, true) {}
        /// Leaves the gate before the end of the scope.
        void unlock() noexcept {
            stay_.leave();
            if (lock_.owns_lock()) lock_.unlock();
        }

      private:
        std::shared_lock<std::shared_mutex> lock_;
        stay stay_;
    };
    class [[nodiscard]] writing_lock {
      public:
        template <class First>
        writing_lock(access_gate& gate, const First& first) : lock_(gate.lock_of_writer()), stay_(gate, false) {
            first();
        }

      private:
        std::unique_lock<std::shared_mutex> lock_;
        stay stay_;
    };
    class [[nodiscard]] frozen_lock {
      public:
        explicit frozen_lock(access_gate& gate) : lock_(gate.lock_of_keeper()), stay_(gate, false) {}

      private:
        std::shared_lock<std::shared_mutex> lock_;
        stay stay_;
    };

    /// One writer at a time, beside any readers. first()  what it does before all else
    /// throws  error{reentrant_call} if this thread is inside already; what `first` throws
    template <class First>
    [[nodiscard]] writing_lock writing(const First& first) {
        return writing_lock(*this, first);
    }
    [[nodiscard]] writing_lock writing() {
        return writing([] {});
    }
    /// Nobody else at all. Only while `writing()`.
    [[nodiscard]] std::unique_lock<std::shared_mutex> publishing() {
        const std::lock_guard turn(turnstile_);
        std::unique_lock lock(readers_);
        ++publications_;
        return lock;
    }
    [[nodiscard]] reading_lock reading() { return reading_lock(*this); }
    /// No writers, any readers.
    [[nodiscard]] frozen_lock frozen() { return frozen_lock(*this); }

    /// How often anything was published. While reading or writing.
    [[nodiscard]] std::uint64_t publications() const noexcept { return publications_; }

  private:
    [[nodiscard]] std::shared_lock<std::shared_mutex> lock_of_reader() {
        // Behind a writer that waits for this thread's first lock, a second would wait for ever.
        if (stay::reading(*this)) return {};
        const std::lock_guard turn(turnstile_);
        return std::shared_lock(readers_);
    }
    [[nodiscard]] std::shared_lock<std::shared_mutex> lock_of_keeper() {
        // Whoever reads or writes on this thread keeps the index as it is while the callback runs that came here. And a
        // writer that waits until this thread has read would be waited for.
        if (stay::inside(*this)) return {};
        return std::shared_lock(writer_);
    }
    [[nodiscard]] std::unique_lock<std::shared_mutex> lock_of_writer() {
        if (stay::inside(*this))
            fail(errc::reentrant_call,
                 "a callback of a call on this index (a filter, a progress listener) may search it, not change it");
        return std::unique_lock(writer_);
    }

    std::shared_mutex writer_;
    std::mutex turnstile_;
    std::shared_mutex readers_;
    std::uint64_t publications_ = 0;
};

/// What a const call makes when it is first needed, for all threads. Others may ask meanwhile whether it is there.
class lazy_part {
  public:
    /// Calls make(), unless that was done before. It may throw; the next call then tries again.
    template <class Make>
    void make(const Make& make) const {
        if (is_made()) return;
        std::call_once(once_, [&] {
            make();
            made_.store(true, std::memory_order_release);
        });
    }
    [[nodiscard]] bool is_made() const noexcept { return made_.load(std::memory_order_acquire); }

  private:
    mutable std::once_flag once_;
    mutable std::atomic<bool> made_{false};
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

/// How many threads a call works with that asked for `threads`, 0 being all of the machine's.
[[nodiscard]] inline std::size_t threads_of(executor_ref given, std::size_t threads) {
    const std::size_t asked = given          ? static_cast<std::size_t>(given.concurrency())
                              : threads != 0 ? threads
                                             : std::size_t{std::thread::hardware_concurrency()};
    return std::clamp<std::size_t>(asked, 1, thread_pool::max_threads);
}

/// The executor a call asked for: its own, or `threads` of a pool made for the call, no more than it has tasks.
class call_executor {
  public:
    call_executor(executor_ref given, std::size_t threads, std::size_t tasks) : executor_(given) {
        if (given || threads == 1 || tasks <= 1) return;
        executor_ = pool_.emplace(std::min(threads_of({}, threads), tasks));
    }
    operator executor_ref() const noexcept { return executor_; }  // NOLINT: implicit by design

  private:
    std::optional<thread_pool> pool_;
    executor_ref executor_;
};

}  // namespace detail

VICINAL_NAMESPACE_END
