// SPDX-License-Identifier: MIT
// How long calls are stopped, and how they report their progress.
#pragma once

#include <cstddef>  // for size_t

#include "vicinal/core/error.hpp"
#include "vicinal/core/function_ref.hpp"
#include "vicinal/core/stop_token.hpp"

VICINAL_NAMESPACE_BEGIN

/// A callable that a long call tells its progress. It is called now and then on the thread that made the long call, and
/// once at the end, with done == total. It may search the index that is being changed or saved, on that thread; a call
/// that would change the index throws error{reentrant_call}. It must not wait for another thread that uses the index.
using progress_ref = function_ref<void(std::size_t done, std::size_t total)>;

namespace detail {

/// throws  error{cancelled}
inline void throw_if_stopped(const stop_token& stop) {
    if (stop.stop_requested()) fail(errc::cancelled, "the call's stop token was triggered");
}

/// Counts bytes that are read or written. At least every `stride` bytes it looks at the stop token and reports
/// progress.
class byte_progress {
  public:
    static constexpr std::size_t stride = std::size_t{1} << 22;

    byte_progress(const stop_token& stop, progress_ref progress, std::size_t total)
        : stop_(stop), progress_(progress), total_(total) {
        throw_if_stopped(stop_);
    }

    /// To be called after every piece of at most `stride` bytes.
    /// throws  error{cancelled}; what the progress callable throws
    void moved(std::size_t bytes) {
        if (bytes == 0) return;
        done_ += bytes;
        if (done_ - told_ < stride && done_ != total_) return;
        told_ = done_;
        throw_if_stopped(stop_);
        if (progress_) progress_(done_, total_);
    }

  private:
    const stop_token& stop_;
    progress_ref progress_;
    std::size_t total_;
    std::size_t done_ = 0;
    std::size_t told_ = 0;
};

}  // namespace detail

VICINAL_NAMESPACE_END
