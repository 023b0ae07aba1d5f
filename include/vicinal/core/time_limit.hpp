// SPDX-License-Identifier: MIT
// When a search has to be over, and what else ends a call early.
#pragma once

#include <chrono>       // for duration, duration_cast, steady_clock
#include <type_traits>  // for is_arithmetic_v

#include "vicinal/core/progress.hpp"
#include "vicinal/core/stop_token.hpp"
#include "vicinal/core/target.hpp"

VICINAL_NAMESPACE_BEGIN

/// A moment: a time point of std::chrono::steady_clock, or a duration from when this object is made, as in
/// `{.deadline = 5ms}`. Made of nothing it never comes.
class time_limit {
  public:
    using clock = std::chrono::steady_clock;

    constexpr time_limit() noexcept = default;
    constexpr time_limit(clock::time_point at) noexcept : at_(at) {}  // NOLINT: implicit, as users write it
    template <class Rep, class Period>
    time_limit(std::chrono::duration<Rep, Period> from_now)  // NOLINT: implicit, as users write it
        : at_(after(std::chrono::duration<double>(from_now))) {}

    /// Refuses a plain number, and says why.
    template <class T>
    requires(std::is_arithmetic_v<T>) time_limit(T) {  // NOLINT: implicit, to be refused
        static_assert(!std::is_arithmetic_v<T>,
                      "vicinal: a deadline is a duration, such as std::chrono::milliseconds(5), or a time point of "
                      "std::chrono::steady_clock: a number does not say of what");
    }

    /// Whether there is a limit at all.
    [[nodiscard]] constexpr explicit operator bool() const noexcept { return at_ != (clock::time_point::max)(); }
    [[nodiscard]] bool passed() const { return clock::now() >= at_; }

  private:
    [[nodiscard]] static clock::time_point after(std::chrono::duration<double> wait) {
        const auto now = clock::now();
        if (!(wait < std::chrono::duration<double>((clock::time_point::max)() - now) / 2))
            return (clock::time_point::max)();
        return now + (wait.count() < 0 ? clock::duration(-1) : std::chrono::duration_cast<clock::duration>(wait));
    }
    clock::time_point at_ = (clock::time_point::max)();
};

namespace detail {

/// Thrown where a search looks whether it is to end, and caught by the search, which returns what it has.
struct deadline_passed {};

/// What may end a call before it is done. Refers to the token.
class call_limits {
  public:
    call_limits() = default;
    call_limits(const stop_token& stop, const time_limit& deadline = {}) noexcept  // NOLINT: implicit by design
        : stop_(&stop), deadline_(deadline), any_(stop.stop_possible() || deadline) {}

    /// throws  error{cancelled}, deadline_passed
    void check() const {
        if (any_) look();
    }

  private:
    VICINAL_NOINLINE void look() const {
        throw_if_stopped(*stop_);
        if (deadline_ && deadline_.passed()) throw deadline_passed();
    }
    const stop_token* stop_ = nullptr;
    time_limit deadline_;
    bool any_ = false;
};
/// Those of a search's parameters, which must outlive the result.
template <class Params>
[[nodiscard]] call_limits limits_of(const Params& params) noexcept {
    return {params.stop, params.deadline};
}

/// Calls f() and returns whether a deadline ended it.
template <class F>
[[nodiscard]] bool ends_early(const F& f) {
    try {
        f();
        return false;
    } catch (const deadline_passed&) {
        return true;
    }
}

}  // namespace detail

VICINAL_NAMESPACE_END
