// SPDX-License-Identifier: MIT
// The stop tokens of libraries that have none, with the calls of the standard's but for callbacks.
#pragma once

#include <atomic>   // for atomic
#include <memory>   // for make_shared, shared_ptr
#include <utility>  // for move

#include "vicinal/core/config.hpp"

VICINAL_NAMESPACE_BEGIN
namespace detail::own {

/// What a source and its tokens share.
struct stop_state {
    std::atomic<bool> requested{false};
    std::atomic<bool> has_source{true};
};

/// Tells a call, on any thread, that it shall end early. A default-constructed one never does.
class stop_token {
  public:
    stop_token() noexcept = default;

    [[nodiscard]] bool stop_requested() const noexcept {
        return state_ != nullptr && state_->requested.load(std::memory_order_acquire);
    }
    /// Whether a stop was requested or still can be.
    [[nodiscard]] bool stop_possible() const noexcept {
        // In this order: a source whose request is its last act must not be missed between the two.
        return state_ != nullptr && (state_->has_source.load(std::memory_order_acquire) || stop_requested());
    }
    void swap(stop_token& other) noexcept { state_.swap(other.state_); }
    friend void swap(stop_token& a, stop_token& b) noexcept { a.swap(b); }
    [[nodiscard]] friend bool operator==(const stop_token& a, const stop_token& b) noexcept {
        return a.state_ == b.state_;
    }

  private:
    friend class stop_source;
    explicit stop_token(std::shared_ptr<const stop_state> state) noexcept : state_(std::move(state)) {}

    std::shared_ptr<const stop_state> state_;
};

/// Requests the stop that its tokens tell of. Copies request the same stop, each from any thread.
class stop_source {
  public:
    /// throws  std::bad_alloc
    stop_source() : shared_(std::make_shared<sources>()) {}

    /// Whether this call was the first to request the stop.
    bool request_stop() noexcept {  // NOLINT: not const, as the standard's before C++26 is
        return shared_ != nullptr && !shared_->state->requested.exchange(true, std::memory_order_acq_rel);
    }
    [[nodiscard]] stop_token get_token() const noexcept {
        return shared_ == nullptr ? stop_token() : stop_token(shared_->state);
    }
    [[nodiscard]] bool stop_requested() const noexcept { return get_token().stop_requested(); }
    /// False of a source that was moved from.
    [[nodiscard]] bool stop_possible() const noexcept { return shared_ != nullptr; }
    void swap(stop_source& other) noexcept { shared_.swap(other.shared_); }
    friend void swap(stop_source& a, stop_source& b) noexcept { a.swap(b); }
    [[nodiscard]] friend bool operator==(const stop_source& a, const stop_source& b) noexcept {
        return a.shared_ == b.shared_;
    }

  private:
    /// The sources of one state. The last of them to go tells the tokens so.
    struct sources {
        sources() = default;
        ~sources() { state->has_source.store(false, std::memory_order_release); }
        sources(const sources&) = delete;
        sources& operator=(const sources&) = delete;

        std::shared_ptr<stop_state> state = std::make_shared<stop_state>();
    };

    std::shared_ptr<sources> shared_;
};

}  // namespace detail::own
VICINAL_NAMESPACE_END
