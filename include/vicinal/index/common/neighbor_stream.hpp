// SPDX-License-Identifier: MIT
// What `nearest` returns: a range of neighbours that are found as they are asked for.
#pragma once

#include <cstddef>   // for ptrdiff_t
#include <cstdint>   // for uint64_t
#include <iterator>  // for default_sentinel_t, input_iterator_tag
#include <memory>    // for unique_ptr
#include <utility>   // for move

#include "vicinal/core/math.hpp"
#include "vicinal/core/types.hpp"
#include "vicinal/params.hpp"

VICINAL_NAMESPACE_BEGIN

/// The neighbours of one query, closest first, ties by lower id, found as they are asked for: what `nearest` returns.
/// It is an input range, to be read once, by one thread at a time.
///
/// Lifetime: it must not outlive the index, which may be moved but not assigned to. It keeps its own copy of what it
/// needs of the call's arguments: the query, the stop token and the filter's answers. A set is copied. A predicate
/// is asked about every row within the call, and never again; in a large index that takes as long as finding many
/// neighbours, so it may be better to stream without a filter and to skip what you do not want. params.stats gets what
/// the call itself did.
///
/// The index may change between steps. No id comes twice. Rows that were removed are left out. Rows that were added or
/// updated may or may not appear; under a predicate, those whose ids came later do not.
template <identifier Id = std::uint64_t>
class neighbor_stream {
  public:
    /// Finds the neighbours of one search: `next` sets `out` to the next one, or returns false if there is none.
    class source {
      public:
        source() = default;
        source(const source&) = delete;
        source& operator=(const source&) = delete;
        virtual ~source() = default;
        virtual bool next(neighbor<Id>& out) = 0;
        /// What it did so far, its making included.
        [[nodiscard]] virtual search_stats stats() const { return {}; }
    };

    class iterator {
      public:
        using value_type = neighbor<Id>;
        using difference_type = std::ptrdiff_t;
        using iterator_concept = std::input_iterator_tag;

        iterator() = default;
        /// from  null: at the end
        /// most  what is farther, and all that follows, is not given
        explicit iterator(source* from, float most = detail::infinite()) : from_(from), most_(most) {
            if (from_ != nullptr) ++*this;
        }
        [[nodiscard]] const neighbor<Id>& operator*() const noexcept { return current_; }
        [[nodiscard]] const neighbor<Id>* operator->() const noexcept { return &current_; }
        iterator& operator++() {
            if (!from_->next(current_) || current_.distance > most_) from_ = nullptr;
            return *this;
        }
        void operator++(int) { ++*this; }
        [[nodiscard]] bool operator==(std::default_sentinel_t) const noexcept { return from_ == nullptr; }

      private:
        source* from_ = nullptr;
        float most_ = 0;
        neighbor<Id> current_{};
    };

    explicit neighbor_stream(std::unique_ptr<source> from) noexcept : source_(std::move(from)) {}
    [[nodiscard]] iterator begin() { return iterator(source_.get(), most_); }
    [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }
    /// The same stream, which ends where the first would come that is farther than `most`.
    [[nodiscard]] neighbor_stream within(float most) && noexcept {
        most_ = most;
        return std::move(*this);
    }
    /// What was done so far for this stream, the call of `nearest` included, but for its seconds; nothing of one that
    /// was moved from.
    [[nodiscard]] search_stats stats() const { return source_ ? source_->stats() : search_stats{}; }

  private:
    std::unique_ptr<source> source_;
    float most_ = detail::infinite();
};

VICINAL_NAMESPACE_END
