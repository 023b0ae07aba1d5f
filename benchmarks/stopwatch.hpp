// SPDX-License-Identifier: MIT
// Wall time since a moment, for benchmarks that measure by hand.
#pragma once

#include <chrono>  // for duration, steady_clock

namespace bench {

class stopwatch {
  public:
    [[nodiscard]] double seconds() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    }

  private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace bench
