// SPDX-License-Identifier: MIT
// An id_filter is what `.filter` of a search takes: a predicate of the caller's, a set of ids, or all but a set.
#pragma once

#include <concepts>     // for convertible_to, invocable, same_as
#include <cstddef>      // for size_t
#include <cstdint>      // for uint64_t
#include <memory>       // for addressof
#include <ranges>       // for input_range, range_reference_t
#include <type_traits>  // for remove_cvref_t, remove_reference_t, is_function_v

#include "vicinal/concepts.hpp"
#include "vicinal/core/function_ref.hpp"
#include "vicinal/filter/id_set.hpp"

VICINAL_NAMESPACE_BEGIN

template <identifier Id>
class id_filter;

namespace detail {

/// Two filters, of which both have to admit an id. Where the first lists ids, so do both.
template <class Id>
struct filter_pair {
    id_filter<Id> first;
    id_filter<Id> second;
};

/// Whether a set of somebody's can be read id by id.
template <class S, class Id>
concept listed_ids = id_collection<S, Id> && std::ranges::input_range<const S> &&
    std::convertible_to<std::ranges::range_reference_t<const S>, Id>;

}  // namespace detail

/// What `.filter` takes: any callable `bool(Id)` that says which ids may be returned; an id_set, or except(set); any
/// other set that has `contains(id)` and `size()` (id_collection), such as a std::unordered_set or a Roaring bitmap. It
/// refers to what it was made from, which must live until the call returns; a lambda or a set written in the call does.
/// `nearest`, whose result outlives the call, asks a predicate about every row within the call, and copies a set
/// (neighbor_stream). An empty filter admits every id.
template <identifier Id>
class id_filter {
  public:
    id_filter() = default;
    template <id_predicate<Id> F>
    requires(!std::same_as<std::remove_cvref_t<F>, id_filter> && !id_collection<std::remove_cvref_t<F>, Id>)
        id_filter(F&& predicate VICINAL_LIFETIMEBOUND)
    noexcept  // NOLINT: a lambda converts
        : asked_(detail::address_of_callable(predicate)), calls_(&of_predicate<std::remove_reference_t<F>>) {}
    template <id_collection<Id> S>
    requires(!std::same_as<S, id_filter>) id_filter(const S& ids VICINAL_LIFETIMEBOUND)  // NOLINT
        : asked_(const_cast<S*>(std::addressof(ids))),
          calls_(&of_collection<S>),
          size_(static_cast<std::size_t>(ids.size())) {}
    id_filter(const id_complement<Id>& ids VICINAL_LIFETIMEBOUND) : id_filter(ids.excluded()) {  // NOLINT
        excludes_ = true;
    }
    /// What both of two filters admit.
    explicit id_filter(const detail::filter_pair<Id>& both VICINAL_LIFETIMEBOUND) noexcept
        : asked_(const_cast<detail::filter_pair<Id>*>(&both)),
          calls_(both.first.lists() && !both.first.excludes() ? &of_pair<true> : &of_pair<false>),
          size_(both.first.size()) {}
    /// Refuses what is called with an id and answers neither yes nor no, and says why.
    template <std::invocable<Id> F>
    requires(!id_predicate<F, Id> && !std::same_as<std::remove_cvref_t<F>, id_filter>) id_filter(F&&) {  // NOLINT
        static_assert(id_predicate<F, Id>,
                      "vicinal: a filter must be callable as bool(Id), or a vicinal::id_set (see vicinal/filter.hpp)");
    }
    /// Refuses ids that are no set: it would take as long to look one up as there are ids.
    template <class F>
    requires(!std::invocable<F, Id> && requires(const F& ids) {
        ids.begin();
        ids.size();
    } && !id_collection<std::remove_cvref_t<F>, Id>) id_filter(F&&) {  // NOLINT
        static_assert(
            std::invocable<F, Id>,
            "vicinal: a filter is no list of ids: make a vicinal::id_set<Id> of it and pass that, or a callable "
            "bool(Id)");
    }

    [[nodiscard]] explicit operator bool() const noexcept { return calls_ != nullptr; }
    [[nodiscard]] bool operator()(Id id) const { return calls_->admits(asked_, id) != excludes_; }
    /// Which of `count` <= 64 ids are admitted, as bits. Faster than one by one, as the predicate is inlined.
    [[nodiscard]] std::uint64_t operator()(const Id* ids, std::size_t count) const {
        const std::uint64_t bits = calls_->admits_many(asked_, ids, count);
        return excludes_ ? bits ^ (count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1) : bits;
    }
    /// Whether it was made from a set: it knows how many ids that has, size(), which need not be in the index.
    [[nodiscard]] bool counted() const noexcept { return calls_ != nullptr && calls_->counted; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// Whether it was made from a set whose ids it can list.
    [[nodiscard]] bool lists() const noexcept { return calls_ != nullptr && calls_->for_each != nullptr; }
    /// Calls f(id) for each id of the set it lists.
    void for_each(function_ref<void(Id)> f) const { calls_->for_each(asked_, f); }
    /// Whether the ids of the set are those that are not admitted, while all others are.
    [[nodiscard]] bool excludes() const noexcept { return excludes_; }

  private:
    /// What is done with the object that the filter was made from, whose type it forgets.
    struct calls {
        bool counted;
        bool (*admits)(void*, Id);
        std::uint64_t (*admits_many)(void*, const Id*, std::size_t);
        void (*for_each)(void*, function_ref<void(Id)>);
    };
    template <class Admits>
    [[nodiscard]] static std::uint64_t bits_of(const Id* ids, std::size_t count, const Admits& admits) {
        std::uint64_t bits = 0;
        for (std::size_t i = 0; i < count; ++i) bits |= std::uint64_t{admits(ids[i]) ? 1U : 0U} << i;
        return bits;
    }
    template <class F>
    static bool ask(void* predicate, Id id) {
        if constexpr (std::is_function_v<F>)
            return static_cast<bool>(reinterpret_cast<F*>(predicate)(id));
        else
            return static_cast<bool>((*static_cast<F*>(predicate))(id));
    }
    template <class S>
    static bool holds(void* ids, Id id) {
        return static_cast<bool>(static_cast<const S*>(ids)->contains(id));
    }
    template <class S>
    static void list(void* ids, function_ref<void(Id)> f) {
        const S& set = *static_cast<const S*>(ids);
        if constexpr (requires { set.for_each(f); })  // id_set, whose iterators look for the next id each time
            set.for_each(f);
        else
            for (const auto& id : set) f(static_cast<Id>(id));
    }
    template <class S>
    [[nodiscard]] static constexpr auto lister() noexcept -> void (*)(void*, function_ref<void(Id)>) {
        if constexpr (detail::listed_ids<S, Id>)
            return &list<S>;
        else
            return nullptr;
    }
    template <class F>
    static constexpr calls of_predicate{false, &ask<F>,
                                        [](void* predicate, const Id* ids, std::size_t count) {
                                            return bits_of(ids, count, [&](Id id) { return ask<F>(predicate, id); });
                                        },
                                        nullptr};
    template <class S>
    static constexpr calls of_collection{true, &holds<S>,
                                         [](void* set, const Id* ids, std::size_t count) {
                                             return bits_of(ids, count, [&](Id id) { return holds<S>(set, id); });
                                         },
                                         lister<S>()};
    using pair = detail::filter_pair<Id>;
    static void list_pair(void* both, function_ref<void(Id)> f) {
        const pair& of = *static_cast<const pair*>(both);
        of.first.for_each([&](Id id) {
            if (of.second(id)) f(id);
        });
    }
    template <bool Lists>
    static constexpr calls of_pair{Lists,
                                   [](void* both, Id id) {
                                       const pair& of = *static_cast<const pair*>(both);
                                       return of.first(id) && of.second(id);
                                   },
                                   [](void* both, const Id* ids, std::size_t count) {
                                       const pair& of = *static_cast<const pair*>(both);
                                       return bits_of(ids, count, [&](Id id) { return of.first(id) && of.second(id); });
                                   },
                                   Lists ? &list_pair : nullptr};

    void* asked_ = nullptr;
    const calls* calls_ = nullptr;
    std::size_t size_ = 0;
    bool excludes_ = false;
};

VICINAL_NAMESPACE_END
