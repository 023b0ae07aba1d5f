// What `nearest` returns: neighbours that are found as they are asked for.
#pragma once

#include <cstddef>   // for ptrdiff_t
#include <cstdint>   // for uint64_t
#include <iterator>  // for default_sentinel_t, input_iterator_tag
#include <memory>    // for unique_ptr
#include <utility>   // for move

#include "vicinal/core/types.hpp"

VICINAL_NAMESPACE_BEGIN

/// The neighbours of one query, found as they are asked for, closest first: what `nearest` returns. An input range, to
/// be read once, by one thread; it must not outlive the index. Rows removed meanwhile are left out, rows added
/// meanwhile may or may not appear.
template <identifier Id = std::uint64_t>
class neighbor_stream {
  public:
    /// Finds the next neighbour; returns false at the end. One per search.
    class source {
      public:
        source() = default;
        source(const source&) = delete;
        source& operator=(const source&) = delete;
        virtual ~source() = default;
        virtual bool next(neighbor<Id>& out) = 0;
    };

    class iterator {
      public:
        using value_type = neighbor<Id>;
        using difference_type = std::ptrdiff_t;
        using iterator_concept = std::input_iterator_tag;

        iterator() = default;
        explicit iterator(source* from) : from_(from) { ++*this; }
        [[nodiscard]] const neighbor<Id>& operator*() const noexcept { return current_; }
        [[nodiscard]] const neighbor<Id>* operator->() const noexcept { return &current_; }
        iterator& operator++() {
            if (!from_->next(current_)) from_ = nullptr;
            return *this;
        }
        void operator++(int) { ++*this; }
        [[nodiscard]] bool operator==(std::default_sentinel_t) const noexcept { return from_ == nullptr; }

      private:
        source* from_ = nullptr;
        neighbor<Id> current_{};
    };

    explicit neighbor_stream(std::unique_ptr<source> from) noexcept : source_(std::move(from)) {}
    [[nodiscard]] iterator begin() { return iterator(source_.get()); }
    [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

  private:
    std::unique_ptr<source> source_;
};

VICINAL_NAMESPACE_END
