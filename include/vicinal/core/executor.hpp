// SPDX-License-Identifier: MIT
// How work is spread over threads: a concept any pool can meet, a reference to one, and the default pool.
#pragma once

#include <algorithm>           // for max, min
#include <atomic>              // for atomic
#include <concepts>            // for convertible_to
#include <condition_variable>  // for condition_variable
#include <cstddef>             // for size_t
#include <exception>           // for exception, exception_ptr
#include <mutex>               // for mutex
#include <thread>              // for thread
#include <type_traits>         // for is_class, remove_cv
#include <vector>              // for vector

#include "vicinal/core/function_ref.hpp"

VICINAL_NAMESPACE_BEGIN

/// One unit of parallel work, called with its number.
using task_ref = function_ref<void(std::size_t)>;

/// Something that runs tasks. `run(count, task)` must call task(i) exactly once for every i < count, on any threads and
/// in any order, and return when all have returned; what the tasks wrote is then visible to the caller. The tasks it
/// gets from vicinal never throw. `concurrency()` is a hint: how many run at once.
///
/// A task may come back to the executor that runs it: a filter that searches another index on the same one does.
/// thread_pool and serial_executor answer such a call; one of yours that is used so must not wait for a thread that is
/// itself inside a task. While a caller waits it should run tasks of its own call only: vicinal calls `run` with an
/// index's lock held, and a change to that index on the same thread is refused (errc::reentrant_call).
template <class E>
concept executor = requires(E& e, std::size_t count, task_ref task) {
    e.run(count, task);
    { e.concurrency() } -> std::convertible_to<std::size_t>;
};

/// Runs everything on the calling thread, in order.
struct serial_executor {
    void run(std::size_t count, task_ref task) {
        for (std::size_t i = 0; i < count; ++i) task(i);
    }
    [[nodiscard]] std::size_t concurrency() const noexcept { return 1; }
};
static_assert(executor<serial_executor>);

/// A small pool of threads. The thread that calls `run` works, too. Tasks are handed out one by one.
///
/// Several runs may be under way at once, begun by one thread or by many. Workers help the run that began first and has
/// tasks left. A caller works on its own run only, then waits for those of its tasks that workers have taken. So a task
/// may itself call `run`, of this pool or of another whose tasks call this one: no run ever waits for a free worker.
class thread_pool {
  public:
    /// More threads than this are never started.
    static constexpr std::size_t max_threads = 1024;

    /// threads  how many tasks run at once, the caller's thread included; 0 = all of the machine's. There are fewer if
    ///          this exceeds max_threads or the system starts no further thread: concurrency() says how many
    explicit thread_pool(std::size_t threads = 0) {
        if (threads == 0) threads = (std::max)(1U, std::thread::hardware_concurrency());
        threads = (std::min)(threads, max_threads);
        workers_.reserve(threads - 1);
        try {
            for (std::size_t i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
        } catch (const std::exception&) {  // system_error or bad_alloc: with the caller there is one thread at least
        }
    }
    thread_pool(const thread_pool&) = delete;
    thread_pool& operator=(const thread_pool&) = delete;
    ~thread_pool() {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        wake_.notify_all();
        for (auto& worker : workers_) worker.join();
    }

    [[nodiscard]] std::size_t concurrency() const noexcept { return workers_.size() + 1; }

    void run(std::size_t count, task_ref task) {
        if (count == 0) return;
        if (count == 1 || workers_.empty()) return serial_executor().run(count, task);
        job mine(task, count);
        const listing listed(*this, mine);
        for (std::size_t i = 0; i < (std::min)(count - 1, workers_.size()); ++i) wake_.notify_one();
        mine.drain();
    }

  private:
    /// One call of `run`, on the stack of its caller.
    struct job {
        job(task_ref what, std::size_t how_many) : task(what), count(how_many) {}
        void drain() {
            for (std::size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < count;) task(i);
        }
        task_ref task;
        std::size_t count;
        std::atomic<std::size_t> next{0};
        // Under the pool's mutex:
        std::size_t helpers = 0;  ///< workers inside
        bool listed = false;
        job* later = nullptr;
    };

    /// Has workers come to a job, and in the end waits for those inside: they use what is on the caller's stack.
    class listing {
      public:
        listing(thread_pool& pool, job& mine) : pool_(pool), mine_(mine) {
            const std::lock_guard lock(pool_.mutex_);
            pool_.append(mine_);
        }
        listing(const listing&) = delete;
        listing& operator=(const listing&) = delete;
        ~listing() {
            std::unique_lock lock(pool_.mutex_);
            pool_.withdraw(mine_);
            pool_.idle_.wait(lock, [&] { return mine_.helpers == 0; });
        }

      private:
        thread_pool& pool_;
        job& mine_;
    };

    void append(job& added) noexcept {
        job** end = &first_;
        while (*end != nullptr) end = &(*end)->later;
        *end = &added;
        added.listed = true;
    }
    /// Takes a job from the list, whose tasks are all given out. No worker comes to it afterwards.
    void withdraw(job& done) noexcept {
        if (!done.listed) return;
        job** at = &first_;
        while (*at != &done) at = &(*at)->later;
        *at = done.later;
        done.listed = false;
    }

    void work() {
        std::unique_lock lock(mutex_);
        for (;;) {
            wake_.wait(lock, [&] { return stopping_ || first_ != nullptr; });
            if (first_ == nullptr) return;
            job& helped = *first_;
            ++helped.helpers;
            lock.unlock();
            helped.drain();
            lock.lock();
            withdraw(helped);
            if (--helped.helpers == 0) idle_.notify_all();
        }
    }

    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable idle_;
    std::vector<std::thread> workers_;
    job* first_ = nullptr;  ///< jobs with tasks left, the oldest first
    bool stopping_ = false;
};
static_assert(executor<thread_pool>);

/// A reference to an executor of any type, which must outlive the call that the reference is passed to. Empty by
/// default.
class executor_ref {
  public:
    executor_ref() = default;
    template <executor E>
    requires(!std::same_as<std::remove_cv_t<E>, executor_ref>) executor_ref(E& e VICINAL_LIFETIMEBOUND)
    noexcept  // NOLINT: implicit, as users write it
        : object_(&e),
          run_([](void* object, std::size_t count, task_ref task) { static_cast<E*>(object)->run(count, task); }),
          concurrency_([](void* object) { return static_cast<std::size_t>(static_cast<E*>(object)->concurrency()); }) {}

    /// Refuses what is no executor, and says why.
    template <class E>
    requires(std::is_class_v<E> && !executor<E> && !std::same_as<std::remove_cv_t<E>, executor_ref>)  // NOLINT
        executor_ref(E&) {
        static_assert(executor<E>,
                      "vicinal: an executor must model vicinal::executor: run(count, task) and concurrency() (see "
                      "vicinal/core/executor.hpp)");
    }

    void run(std::size_t count, task_ref task) const { run_(object_, count, task); }
    [[nodiscard]] std::size_t concurrency() const { return concurrency_(object_); }
    [[nodiscard]] explicit operator bool() const noexcept { return object_ != nullptr; }

  private:
    void* object_ = nullptr;
    void (*run_)(void*, std::size_t, task_ref) = nullptr;
    std::size_t (*concurrency_)(void*) = nullptr;
};

namespace detail {

/// Calls body(i) for every i < count on the executor `on`. If bodies throw, those that have not begun are skipped, and
/// the exception of the lowest i is rethrown when all running bodies have returned.
template <class Body>
void parallel_for(executor_ref on, std::size_t count, Body&& body) {
    if (count == 0) return;
    if (!on || count == 1 || on.concurrency() == 1) {
        for (std::size_t i = 0; i < count; ++i) body(i);
        return;
    }
    std::mutex mutex;
    std::exception_ptr first;
    std::size_t first_index = count;
    std::atomic<bool> failed{false};
    auto guarded = [&](std::size_t i) {
        if (failed.load(std::memory_order_relaxed)) return;
        try {
            body(i);
        } catch (...) {
            const std::lock_guard lock(mutex);
            failed.store(true, std::memory_order_relaxed);
            if (i < first_index) {
                first_index = i;
                first = std::current_exception();
            }
        }
    };
    on.run(count, guarded);
    if (first) std::rethrow_exception(first);
}

}  // namespace detail

VICINAL_NAMESPACE_END
