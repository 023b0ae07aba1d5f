// SPDX-License-Identifier: MIT
// Who may be inside an index at once: readers, a writer beside them, and a writer alone.
#pragma once

#include <atomic>        // for atomic
#include <cstdint>       // for uint64_t
#include <memory>        // for construct_at
#include <mutex>         // for mutex, lock_guard, unique_lock, once_flag, call_once
#include <shared_mutex>  // for shared_mutex, shared_lock

#include "vicinal/core/error.hpp"
#include "vicinal/index/common/forks.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// The locks of an index: many hold it `shared()`, or one `exclusive()`. The one `writer()` prepares beside those that
/// read, and locks them out only to put finished work in place. A writer that waits holds back later readers, so
/// neither side starves. Who only wants the index to stay as it is for a long time, as a save does, keeps it
/// `frozen()`: writers wait, and readers need not.
///
/// Callbacks come back: a filter runs while its thread reads, a progress listener while its thread writes. Each thread
/// therefore knows the indexes it is inside of. One that reads may read again, without a lock; one that reads or writes
/// is refused when it wants to write, because it would wait for itself.
///
/// The child of a fork goes on with an index that nobody was changing. One that another thread was changing for longer
/// than fork waits (forks.hpp) is as its readers saw it: the child may search it, and may not change or save it.
class index_locks : forked_lock {
    enum class use { reading, changing, keeping, nested };  // nested: inside another, without a lock of its own

    /// One thread's stay inside an index, in a list of all of its stays.
    class stay {
      public:
        stay(const index_locks& locks, use what) noexcept : locks_(&locks), use_(what), outer_(innermost) {
            enter(this);
        }
        stay(const stay&) = delete;
        stay& operator=(const stay&) = delete;
        ~stay() { leave(); }
        void leave() noexcept {
            if (locks_ == nullptr) return;
            const stay** at = &innermost;
            while (*at != this) at = &(*at)->outer_;
            *at = outer_;
            locks_ = nullptr;
        }
        [[nodiscard]] static bool inside(const index_locks& locks, use what) noexcept {
            return any([&](const stay& s) { return s.locks_ == &locks && s.use_ == what; });
        }
        [[nodiscard]] static bool inside(const index_locks& locks) noexcept {
            return any([&](const stay& s) { return s.locks_ == &locks; });
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
        const index_locks* locks_;
        use use_;
        mutable const stay* outer_;
        inline static thread_local constinit const stay* innermost = nullptr;
    };

  public:
    class [[nodiscard]] shared_lock {
      public:
        explicit shared_lock(index_locks& locks) : lock_(locks.lock_of_reader()), stay_(locks, use::reading) {}
        /// Lets go before the end of the scope.
        void unlock() noexcept {
            stay_.leave();
            if (lock_.owns_lock()) lock_.unlock();
        }

      private:
        std::shared_lock<std::shared_mutex> lock_;
        stay stay_;
    };
    class [[nodiscard]] writer_lock {
      public:
        template <class First>
        writer_lock(index_locks& locks, const First& first)
            : lock_(locks.lock_of_writer()), stay_(locks, use::changing) {
            first();
        }

      private:
        std::unique_lock<std::shared_mutex> lock_;
        stay stay_;
    };
    class [[nodiscard]] frozen_lock {
      public:
        explicit frozen_lock(index_locks& locks)
            : lock_(locks.lock_of_keeper()), stay_(locks, lock_.owns_lock() ? use::keeping : use::nested) {}

      private:
        std::shared_lock<std::shared_mutex> lock_;
        stay stay_;
    };

    /// One writer at a time, beside any readers. first()  what it does before all else
    /// throws  error{reentrant_call} if this thread is inside already; what `first` throws
    template <class First>
    [[nodiscard]] writer_lock writer(const First& first) {
        return writer_lock(*this, first);
    }
    [[nodiscard]] writer_lock writer() {
        return writer([] {});
    }
    /// Nobody else at all. Only while `writer()`.
    [[nodiscard]] std::unique_lock<std::shared_mutex> exclusive() {
        const std::lock_guard turn(turnstile_);
        std::unique_lock lock(readers_);
        ++publications_;
        return lock;
    }
    [[nodiscard]] shared_lock shared() { return shared_lock(*this); }
    /// No writers, any readers.
    [[nodiscard]] frozen_lock frozen() { return frozen_lock(*this); }

    /// How often anything was published. While reading or writing.
    [[nodiscard]] std::uint64_t publications() const noexcept { return publications_; }

  private:
    [[nodiscard]] std::shared_lock<std::shared_mutex> lock_of_reader() {
        // Behind a writer that waits for this thread's first lock, a second would wait for ever.
        if (stay::inside(*this, use::reading)) return {};
        const std::lock_guard turn(turnstile_);
        return std::shared_lock(readers_);
    }
    [[nodiscard]] std::shared_lock<std::shared_mutex> lock_of_keeper() {
        // Whoever reads or writes on this thread keeps the index as it is while the callback runs that came here. And a
        // writer that waits until this thread has read would be waited for.
        if (stay::inside(*this)) return {};
        require_whole();
        return std::shared_lock(writer_);
    }
    [[nodiscard]] std::unique_lock<std::shared_mutex> lock_of_writer() {
        if (stay::inside(*this))
            fail(errc::reentrant_call,
                 "a callback of a call on this index (a filter, a progress listener) may search it, not change it");
        require_whole();
        fork_registration::let_forks_go_first();
        return std::unique_lock(writer_);
    }
    void require_whole() const {
        if (abandoned_)
            fail(
                errc::read_only,
                "fork() made this process while a thread of its parent changed the index: here it can be searched, not "
                "changed or saved");
    }

    // No change begins, ends or is being published while this holds both locks shared. A thread that forks in a call
    // on the index has some of them already, and goes on with that call in the child.
    bool hold(bool patient) noexcept override {
        reads_here_ = stay::inside(*this, use::reading);
        changes_here_ = stay::inside(*this, use::changing);
        keeps_here_ = stay::inside(*this, use::keeping);
        held_writer_ = !changes_here_ && !keeps_here_ && writer_.try_lock_shared();
        changed_elsewhere_ = !changes_here_ && !keeps_here_ && !held_writer_;
        if ((!changed_elsewhere_ || !patient) && (reads_here_ || readers_.try_lock_shared())) return true;
        if (held_writer_) writer_.unlock_shared();
        return false;
    }
    void release() noexcept override {
        if (!reads_here_) readers_.unlock_shared();
        if (held_writer_) writer_.unlock_shared();
    }
    void renew() noexcept override {
        // Not destroyed first: threads that are no more hold them.
        std::construct_at(&writer_);
        std::construct_at(&turnstile_);
        std::construct_at(&readers_);
        if (changes_here_) writer_.lock();
        if (keeps_here_) writer_.lock_shared();
        if (reads_here_) readers_.lock_shared();
        abandoned_ = abandoned_ || changed_elsewhere_;
    }

    std::shared_mutex writer_;
    std::mutex turnstile_;
    std::shared_mutex readers_;
    std::uint64_t publications_ = 0;
    // While forking, what the thread that forks does here, and what another does:
    bool reads_here_ = false;
    bool changes_here_ = false;
    bool keeps_here_ = false;
    bool held_writer_ = false;
    bool changed_elsewhere_ = false;
    bool abandoned_ = false;  ///< whether another thread was changing the index when this process was made
    fork_registration registration_{*this};
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

}  // namespace detail

VICINAL_NAMESPACE_END
