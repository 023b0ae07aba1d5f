// SPDX-License-Identifier: MIT
// The threads that a call works with.
#pragma once

#include <algorithm>  // for clamp, min
#include <cstddef>    // for size_t
#include <optional>   // for optional
#include <thread>     // for thread

#include "vicinal/core/executor.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// How many threads a call works with that asked for `threads`, 0 being all of the machine's.
[[nodiscard]] inline std::size_t threads_of(executor_ref given, std::size_t threads) {
    const std::size_t asked = given          ? given.concurrency()
                              : threads != 0 ? threads
                                             : std::size_t{std::thread::hardware_concurrency()};
    return std::clamp<std::size_t>(asked, 1, thread_pool::max_threads);
}

/// The executor a call asked for: its own, or `threads` of a pool made for the call, no more than it has tasks.
class call_executor {
  public:
    call_executor(executor_ref given, std::size_t threads, std::size_t tasks) : executor_(given) {
        if (given || threads == 1 || tasks <= 1) return;
        executor_ = pool_.emplace((std::min)(threads_of({}, threads), tasks));
    }
    operator executor_ref() const noexcept { return executor_; }  // NOLINT: implicit by design

  private:
    std::optional<thread_pool> pool_;
    executor_ref executor_;
};

}  // namespace detail

VICINAL_NAMESPACE_END
