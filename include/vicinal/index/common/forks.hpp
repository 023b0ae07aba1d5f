// SPDX-License-Identifier: MIT
// What fork() finds: locks that no other thread holds, so that the child, whose only thread is the caller's, can go on.
#pragma once

#include <atomic>  // for atomic
#include <mutex>   // for lock_guard, mutex

#if !defined(_WIN32) && !defined(__EMSCRIPTEN__)
#include <pthread.h>  // for pthread_atfork

#include <chrono>  // for milliseconds, steady_clock
#include <thread>  // for yield
#endif

#include "vicinal/core/config.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// A lock that is held while its process forks.
class forked_lock {
  public:
    /// Takes the lock if it can be had at once. patient  whether a change under way is worth waiting for
    [[nodiscard]] virtual bool hold(bool patient) noexcept = 0;
    /// Lets go of what was held: in the parent, and before another try.
    virtual void release() noexcept = 0;
    /// Makes it new in the child, whose only thread is the one that called fork.
    virtual void renew() noexcept = 0;

  protected:
    virtual ~forked_lock() = default;
};

/// Has a lock held in every fork. The last member of its class, so that the lock is whole as long as it is listed.
class fork_registration {
  public:
    fork_registration(const fork_registration&) = delete;
    fork_registration& operator=(const fork_registration&) = delete;
#if !defined(_WIN32) && !defined(__EMSCRIPTEN__)
    explicit fork_registration(forked_lock& lock) noexcept : lock_(lock), previous_(&all.first) {
        const std::lock_guard guard(all.mutex);
        if (!all.prepared) all.prepared = ::pthread_atfork(hold_all, release_all, renew_all) == 0;
        next_ = all.first;
        if (next_ != nullptr) next_->previous_ = &next_;
        all.first = this;
    }
    ~fork_registration() {
        const std::lock_guard guard(all.mutex);
        *previous_ = next_;
        if (next_ != nullptr) next_->previous_ = previous_;
    }
    /// For who is about to lock for long: fork() would never find a lock free that one thread takes again and again.
    static void let_forks_go_first() noexcept {
        if (!all.forking.load(std::memory_order_relaxed)) return;
        const std::lock_guard guard(all.mutex);
    }

  private:
    /// All there are.
    struct list {
        std::mutex mutex;
        std::atomic<bool> forking;
        fork_registration* first;
        bool prepared;
    };

    /// Takes all locks or none: whoever holds one may wait for another.
    [[nodiscard]] static bool hold_each(bool patient) noexcept {
        for (fork_registration* at = all.first; at != nullptr; at = at->next_) {
            if (at->lock_.hold(patient)) continue;
            for (fork_registration* held = all.first; held != at; held = held->next_) held->lock_.release();
            return false;
        }
        return true;
    }
    /// Waits at most a tenth of a second for changes under way. Whatever else is locked is free after a moment.
    static void hold_all() noexcept {
        all.mutex.lock();
        all.forking.store(true, std::memory_order_relaxed);
        const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
        while (!hold_each(std::chrono::steady_clock::now() < until)) std::this_thread::yield();
    }
    static void release_all() noexcept {
        for (fork_registration* at = all.first; at != nullptr; at = at->next_) at->lock_.release();
        finish();
    }
    static void renew_all() noexcept {
        for (fork_registration* at = all.first; at != nullptr; at = at->next_) at->lock_.renew();
        finish();
    }
    static void finish() noexcept {
        all.forking.store(false, std::memory_order_relaxed);
        all.mutex.unlock();
    }

    inline static constinit list all{};
    forked_lock& lock_;
    fork_registration* next_ = nullptr;
    fork_registration** previous_;
#else
    explicit fork_registration(forked_lock&) noexcept {}
    static void let_forks_go_first() noexcept {}
#endif
};

/// A mutex that the child of a fork finds free. For short moments in which nothing else is locked.
class forked_mutex final : forked_lock {
  public:
    void lock() { mutex_.lock(); }
    void unlock() noexcept { mutex_.unlock(); }

  private:
    bool hold(bool) noexcept override { return mutex_.try_lock(); }
    void release() noexcept override { mutex_.unlock(); }
    void renew() noexcept override { mutex_.unlock(); }

    std::mutex mutex_;
    fork_registration registration_{*this};
};

}  // namespace detail

VICINAL_NAMESPACE_END
