// How work is spread over threads: a concept any pool can meet, a reference to one, and the default pool.
#pragma once

#include <algorithm>           // for max, min
#include <atomic>              // for atomic
#include <concepts>            // for convertible_to
#include <condition_variable>  // for condition_variable
#include <cstddef>             // for size_t
#include <exception>           // for exception_ptr
#include <mutex>               // for mutex
#include <thread>              // for thread
#include <vector>              // for vector

#include "vicinal/core/function_ref.hpp"

VICINAL_NAMESPACE_BEGIN

/// One unit of parallel work, called with its number.
using task_ref = function_ref<void(std::size_t)>;

/// Something that runs tasks. `run(count, task)` must call task(i) exactly once for every i < count, on any threads and
/// in any order, and return when all have returned; what the tasks wrote is then visible to the caller. The tasks it
/// gets from vicinal never throw. `concurrency()` is a hint: how many run at once.
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

/// A small pool of threads; the calling thread takes part. One `run` at a time uses the workers; a second caller's
/// waits for the first. Tasks are handed out one by one through an atomic counter.
class thread_pool {
  public:
    /// threads  how many tasks run at once, the caller included; 0 = all of the machine's
    explicit thread_pool(std::size_t threads = 0) {
        if (threads == 0) threads = std::max(1U, std::thread::hardware_concurrency());
        workers_.reserve(threads - 1);
        try {
            for (std::size_t i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
        } catch (...) {
            stop();
            throw;
        }
    }
    thread_pool(const thread_pool&) = delete;
    thread_pool& operator=(const thread_pool&) = delete;
    ~thread_pool() { stop(); }

    [[nodiscard]] std::size_t concurrency() const noexcept { return workers_.size() + 1; }

    void run(std::size_t count, task_ref task) {
        if (count == 0) return;
        const std::lock_guard one_at_a_time(run_mutex_);
        {
            const std::lock_guard lock(mutex_);
            task_ = task;
            count_ = count;
            next_.store(0, std::memory_order_relaxed);
            busy_ = workers_.size();
            ++generation_;
        }
        wake_.notify_all();
        drain(task, count);
        std::unique_lock lock(mutex_);
        idle_.wait(lock, [this] { return busy_ == 0; });
    }

  private:
    void drain(task_ref task, std::size_t count) {
        for (std::size_t i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < count;) task(i);
    }

    void work() {
        std::size_t seen = 0;
        for (;;) {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [&] { return stopping_ || generation_ != seen; });
            if (stopping_) return;
            seen = generation_;
            const task_ref task = task_;
            const std::size_t count = count_;
            lock.unlock();
            drain(task, count);
            lock.lock();
            if (--busy_ == 0) idle_.notify_one();
        }
    }

    void stop() noexcept {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        wake_.notify_all();
        for (auto& worker : workers_) worker.join();
    }

    std::mutex run_mutex_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable idle_;
    std::vector<std::thread> workers_;
    task_ref task_;
    std::size_t count_ = 0;
    std::atomic<std::size_t> next_{0};
    std::size_t busy_ = 0;
    std::size_t generation_ = 0;
    bool stopping_ = false;
};
static_assert(executor<thread_pool>);

/// Refers to an executor of any type, which must outlive the call it is passed to. Empty by default.
class executor_ref {
  public:
    executor_ref() = default;
    template <executor E>
    requires(!std::same_as<std::remove_cv_t<E>, executor_ref>) executor_ref(E& e VICINAL_LIFETIMEBOUND)
    noexcept  // NOLINT: implicit, as users write it
        : object_(&e),
          run_([](void* object, std::size_t count, task_ref task) { static_cast<E*>(object)->run(count, task); }),
          concurrency_([](void* object) { return static_cast<std::size_t>(static_cast<E*>(object)->concurrency()); }) {}

    void run(std::size_t count, task_ref task) const { run_(object_, count, task); }
    [[nodiscard]] std::size_t concurrency() const { return concurrency_(object_); }
    [[nodiscard]] explicit operator bool() const noexcept { return object_ != nullptr; }

  private:
    void* object_ = nullptr;
    void (*run_)(void*, std::size_t, task_ref) = nullptr;
    std::size_t (*concurrency_)(void*) = nullptr;
};

namespace detail {

/// Calls body(i) for every i < count on `on`. An exception of any body is rethrown here after all running bodies have
/// returned, the one of the lowest i if several threw; bodies not yet begun are skipped.
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
