// SPDX-License-Identifier: MIT
// The scratch memory that searches lease.
#pragma once

#include <cstddef>  // for size_t
#include <memory>   // for make_unique, unique_ptr
#include <mutex>    // for lock_guard
#include <utility>  // for move
#include <vector>   // for vector

#include "vicinal/index/common/forks.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Scratch objects that calls lease and give back, so that a warmed-up search allocates nothing. The pool grows to the
/// largest number of leases ever held at once.
template <class Scratch>
class scratch_pool {
  public:
    class lease {
      public:
        lease(scratch_pool& pool, std::unique_ptr<Scratch> scratch) noexcept
            : pool_(&pool), scratch_(std::move(scratch)) {}
        lease(lease&&) noexcept = default;
        lease& operator=(lease&&) = delete;
        ~lease() {
            if (scratch_) pool_->put_back(std::move(scratch_));
        }
        [[nodiscard]] Scratch& operator*() const noexcept { return *scratch_; }
        [[nodiscard]] Scratch* operator->() const noexcept { return scratch_.get(); }

      private:
        scratch_pool* pool_;
        std::unique_ptr<Scratch> scratch_;
    };

    [[nodiscard]] lease take() {
        {
            const std::lock_guard lock(mutex_);
            if (!idle_.empty()) {
                std::unique_ptr<Scratch> scratch = std::move(idle_.back());
                idle_.pop_back();
                return {*this, std::move(scratch)};
            }
            ++made_;
            if (idle_.capacity() < made_) idle_.reserve(made_ * 2);
        }
        return {*this, std::make_unique<Scratch>()};
    }

    /// Calls f(scratch) for each one not in use.
    template <class F>
    void for_each_idle(F&& f) const {
        const std::lock_guard lock(mutex_);
        for (const auto& scratch : idle_) f(*scratch);
    }

  private:
    void put_back(std::unique_ptr<Scratch> scratch) noexcept {
        const std::lock_guard lock(mutex_);
        if (idle_.size() < idle_.capacity()) idle_.push_back(std::move(scratch));
    }

    mutable forked_mutex mutex_;
    std::vector<std::unique_ptr<Scratch>> idle_;
    std::size_t made_ = 0;
};

}  // namespace detail

VICINAL_NAMESPACE_END
