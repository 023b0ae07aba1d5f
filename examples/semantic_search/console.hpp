// SPDX-License-Identifier: MIT
// Progress on standard error: a moving line on a terminal, one line per finished stage elsewhere.
#pragma once

#include <chrono>       // for steady_clock
#include <cstddef>      // for size_t
#include <functional>   // for function
#include <string>       // for string
#include <string_view>  // for string_view

namespace demo {

/// Called with how much is done of how much.
using progress_fn = std::function<void(std::size_t done, std::size_t total)>;

bool stdin_is_terminal();
bool stderr_is_terminal();

/// One stage of the work. Prints when it moves and, with the time it took, when it ends.
class stage {
  public:
    explicit stage(std::string_view name);
    ~stage();
    stage(const stage&) = delete;
    stage& operator=(const stage&) = delete;

    void update(std::size_t done, std::size_t total);
    /// What came of it, for the last line.
    void result(std::string text) { result_ = std::move(text); }
    [[nodiscard]] progress_fn callback() {
        return [this](std::size_t done, std::size_t total) { update(done, total); };
    }

  private:
    using clock = std::chrono::steady_clock;
    std::string name_;
    std::string result_;
    clock::time_point begin_ = clock::now();
    clock::time_point shown_{};
};

/// Milliseconds since `begin`.
double milliseconds_since(std::chrono::steady_clock::time_point begin);

}  // namespace demo
