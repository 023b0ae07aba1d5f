// SPDX-License-Identifier: MIT
// Which ids a search may return: those that a predicate of the caller admits, or those of a set.
#pragma once

#include <concepts>          // for convertible_to, invocable, same_as
#include <cstddef>           // for size_t
#include <initializer_list>  // for initializer_list
#include <ranges>            // for input_range
#include <vector>            // for vector

#include "vicinal/concepts.hpp"
#include "vicinal/core/function_ref.hpp"
#include "vicinal/core/math.hpp"

VICINAL_NAMESPACE_BEGIN

/// A set of ids. It knows how many ids it holds, so a search can measure just these rows if they are few, and skip the
/// others if they are many. Open addressing with linear probing; contains is O(1). A set does not change once it is
/// built, so any number of threads may use it.
template <identifier Id>
class id_set {
  public:
    id_set() = default;
    id_set(std::initializer_list<Id> ids) { assign(ids); }
    /// Any range of ids; repeated ones count once.
    template <std::ranges::input_range R>
    requires(std::convertible_to<std::ranges::range_reference_t<R>, Id> &&
             !std::same_as<std::remove_cvref_t<R>, id_set>) explicit id_set(R&& ids) {
        assign(ids);
    }

    [[nodiscard]] bool contains(Id id) const noexcept {
        if (order_.empty()) return false;
        for (std::size_t i = home(id); used_[i]; i = (i + 1) & mask())
            if (table_[i] == id) return true;
        return false;
    }
    [[nodiscard]] std::size_t size() const noexcept { return order_.size(); }
    [[nodiscard]] bool empty() const noexcept { return order_.empty(); }
    /// The ids, in the order they first appeared.
    [[nodiscard]] auto begin() const noexcept { return order_.begin(); }
    [[nodiscard]] auto end() const noexcept { return order_.end(); }

  private:
    template <class R>
    void assign(R&& ids) {
        for (const auto& id : ids) order_.push_back(static_cast<Id>(id));
        std::size_t size = 16;
        while (size < order_.size() * 2) size *= 2;
        table_.resize(size);
        used_.resize(size, 0);
        std::size_t kept = 0;
        for (const Id id : order_) {
            std::size_t i = home(id);
            while (used_[i] && table_[i] != id) i = (i + 1) & mask();
            if (used_[i]) continue;
            used_[i] = 1;
            table_[i] = id;
            order_[kept++] = id;
        }
        order_.resize(kept);
    }
    [[nodiscard]] std::size_t mask() const noexcept { return table_.size() - 1; }
    [[nodiscard]] std::size_t home(Id id) const noexcept {
        return static_cast<std::size_t>(detail::mix_id(id)) & mask();
    }

    std::vector<Id> order_;
    std::vector<Id> table_;
    std::vector<unsigned char> used_;
};

/// What `.filter` takes: any callable `bool(Id)` that says which ids may be returned, or an id_set of them. It refers
/// to what it was made from, which must live until the call returns; a lambda written in the call does. `nearest`,
/// whose result outlives the call, asks a predicate about every row within the call, and copies an id_set
/// (neighbor_stream). An empty filter admits every id.
template <identifier Id>
class id_filter {
  public:
    id_filter() = default;
    template <id_predicate<Id> F>
    requires(!std::same_as<std::remove_cvref_t<F>, id_filter>) id_filter(F&& predicate VICINAL_LIFETIMEBOUND)
    noexcept : admits_(predicate) {}  // NOLINT: a lambda converts
    /// Refuses what is called with an id and answers neither yes nor no, and says why.
    template <std::invocable<Id> F>
    requires(!id_predicate<F, Id> && !std::same_as<std::remove_cvref_t<F>, id_filter>) id_filter(F&&) {  // NOLINT
        static_assert(id_predicate<F, Id>,
                      "vicinal: a filter must be callable as bool(Id), or a vicinal::id_set (see vicinal/filter.hpp)");
    }
    /// Refuses ids that are no id_set: it would take as long to look one up as there are ids.
    template <class F>
    requires(!std::invocable<F, Id> && requires(const F& ids) {
        ids.begin();
        ids.size();
    } && !std::same_as<std::remove_cvref_t<F>, id_set<Id>>) id_filter(F&&) {  // NOLINT
        static_assert(
            std::invocable<F, Id>,
            "vicinal: a filter is no list of ids: make a vicinal::id_set<Id> of it and pass that, or a callable "
            "bool(Id)");
    }
    id_filter(const id_set<Id>& ids VICINAL_LIFETIMEBOUND) noexcept : ids_(&ids) {}  // NOLINT

    [[nodiscard]] explicit operator bool() const noexcept { return ids_ != nullptr || static_cast<bool>(admits_); }
    [[nodiscard]] bool operator()(Id id) const { return ids_ != nullptr ? ids_->contains(id) : admits_(id); }
    /// The set this filter was made from, or null if it is a predicate.
    [[nodiscard]] const id_set<Id>* ids() const noexcept { return ids_; }

  private:
    function_ref<bool(Id)> admits_;
    const id_set<Id>* ids_ = nullptr;
};

VICINAL_NAMESPACE_END
