// SPDX-License-Identifier: MIT
// A query_filters is what `.filter_of` of a batch takes: a callable that says for each query which ids it may return.
#pragma once

#include <concepts>     // for constructible_from, invocable, same_as
#include <cstddef>      // for size_t
#include <span>         // for span
#include <type_traits>  // for invoke_result_t, is_function_v, is_reference_v, remove_cv_t, remove_cvref_t
#include <vector>       // for vector

#include "vicinal/core/function_ref.hpp"
#include "vicinal/core/types.hpp"
#include "vicinal/filter/id_filter.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Whether f(query) is something that `.filter` takes.
template <class F, class Id>
concept makes_filters = std::invocable<F&, std::size_t> && std::constructible_from < id_filter<Id>,
        std::remove_reference_t<std::invoke_result_t<F&, std::size_t>>
& > ;

}  // namespace detail

/// What `.filter_of` takes: a callable that returns for the number of a query, the first being 0, whatever `.filter`
/// takes: a set by reference, as `[&](std::size_t query) -> const auto& { return sets[query]; }`, or all but a set, as
/// `[&](std::size_t query) { return except(seen[query]); }`, or a predicate. What it returns by value is kept for as
/// long as that query is searched for. It is called once a query, before the index is locked; where `.threads` share
/// the work, by several of them at once. It refers to the callable, which must live until the call returns.
template <identifier Id>
class query_filters {
    using use_of_filters = function_ref<void(std::span<const id_filter<Id>>)>;

  public:
    query_filters() = default;
    template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, query_filters> && detail::makes_filters<F, Id>)
        query_filters(F&& filter_of VICINAL_LIFETIMEBOUND)
    noexcept  // NOLINT: a lambda converts
        : asked_(detail::address_of_callable(filter_of)), visit_(&visit_made<std::remove_reference_t<F>>) {}
    /// Refuses what is called with a query's number and returns no filter, and says why.
    template <std::invocable<std::size_t> F>
    requires(!std::same_as<std::remove_cvref_t<F>, query_filters> && !detail::makes_filters<F, Id>)  // NOLINTNEXTLINE
        query_filters(F&&) {
        static_assert(detail::makes_filters<F, Id>,
                      "vicinal: filter_of must return for a query's number what .filter takes: a vicinal::id_set, "
                      "except(set) or a callable bool(Id) (see vicinal/filter.hpp)");
    }

    [[nodiscard]] explicit operator bool() const noexcept { return visit_ != nullptr; }
    /// The same for a part of the batch that begins with query `first`.
    [[nodiscard]] query_filters from(std::size_t first) const noexcept {
        query_filters rest = *this;
        rest.first_ += first;
        return rest;
    }
    /// Calls use(filters) with those of queries [0, count), which are valid until it returns.
    /// throws  what the callable and `use` throw
    void visit(std::size_t count, use_of_filters use) const { visit_(asked_, first_, count, use); }

  private:
    template <class F>
    static decltype(auto) ask(void* filter_of, std::size_t query) {
        if constexpr (std::is_function_v<F>)
            return reinterpret_cast<F*>(filter_of)(query);
        else
            return (*static_cast<F*>(filter_of))(query);
    }
    template <class F>
    static void visit_made(void* filter_of, std::size_t first, std::size_t count, use_of_filters use) {
        using made = std::invoke_result_t<F&, std::size_t>;
        std::vector<id_filter<Id>> filters;
        filters.reserve(count);
        if constexpr (std::is_reference_v<made> || std::same_as<std::remove_cv_t<made>, id_filter<Id>>) {
            for (std::size_t i = 0; i < count; ++i) filters.emplace_back(ask<F>(filter_of, first + i));
            use(filters);
        } else {
            std::vector<std::remove_cv_t<made>> kept;
            kept.reserve(count);  // filters refer to what is in it
            for (std::size_t i = 0; i < count; ++i) {
                kept.push_back(ask<F>(filter_of, first + i));
                filters.emplace_back(kept.back());
            }
            use(filters);
        }
    }

    void* asked_ = nullptr;
    void (*visit_)(void*, std::size_t, std::size_t, use_of_filters) = nullptr;
    std::size_t first_ = 0;
};

VICINAL_NAMESPACE_END
