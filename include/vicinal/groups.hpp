// SPDX-License-Identifier: MIT
// search_groups finds the closest groups of rows, each with its best: documents by their chunks, articles by their
// variants, shops by what they sell.
#pragma once

#include <algorithm>      // for max, min, sort, stable_sort
#include <concepts>       // for equality_comparable, invocable
#include <cstddef>        // for size_t
#include <functional>     // for hash
#include <span>           // for span
#include <type_traits>    // for decay_t, invoke_result_t
#include <unordered_map>  // for unordered_map
#include <unordered_set>  // for unordered_set
#include <utility>        // for move
#include <vector>         // for vector

#include "vicinal/core/error.hpp"
#include "vicinal/core/math.hpp"
#include "vicinal/core/types.hpp"
#include "vicinal/core/vector_view.hpp"

VICINAL_NAMESPACE_BEGIN

/// Says which group an id belongs to: a number, an enum, a string or anything else that std::hash takes. It is asked
/// about ids that come into question, as a filter is, under the index's shared lock: it must give one id one group for
/// as long as the call runs.
template <class F, class Id>
concept group_function = std::invocable<const F&, Id> &&
    requires(const std::decay_t<std::invoke_result_t<F, Id>>& key) {
    std::hash<std::decay_t<std::invoke_result_t<F, Id>>>()(key);
    key == key;
};

/// How search_groups works. Every member is optional.
template <class Index>
struct group_params {
    std::size_t per_group = 1;               ///< how many rows of each group are returned, at most
    typename Index::search_params search{};  ///< of the searches that are made: ef or nprobe, filter, stop, stats
};

/// A group that was found, and its closest rows, closest first, ties by lower id.
template <class Key, class Id = std::uint64_t>
struct result_group {
    Key key;
    std::vector<neighbor<Id>> hits;
};

namespace detail {

/// The groups found so far, at most k, and what is still looked for.
template <class Key, class Id>
class group_collector {
  public:
    group_collector(std::size_t k, std::size_t per_group) : k_(k), per_group_(per_group) {}

    /// Whether rows of a group could change the result. Reads only, so a filter may ask while a search runs.
    [[nodiscard]] bool wants(const Key& key) const {
        const auto known = places_.find(key);
        return known == places_.end() ? groups_.size() < k_ : !full(known->second);
    }
    /// Whether there is nothing left to look for but in case that groups have further rows.
    [[nodiscard]] bool done() const noexcept { return groups_.size() == k_ && full_ == k_; }
    /// So many rows that are wanted fill at least one group, or bring a new one.
    [[nodiscard]] std::size_t enough() const noexcept {
        const std::size_t open = k_ - full_;
        return open > max_slots / per_group_ ? max_slots : open * per_group_;
    }
    /// Returns whether the row was wanted and new.
    bool take(const neighbor<Id>& hit, const Key& key) {
        if (!wants(key) || !seen_.insert(hit.id).second) return false;
        const auto [known, added] = places_.try_emplace(key, groups_.size());
        if (added) groups_.push_back({key, {}});
        groups_[known->second].hits.push_back(hit);
        full_ += full(known->second) ? 1 : 0;
        return true;
    }
    /// The closest group first, of equally close ones that with the lower id.
    [[nodiscard]] std::vector<result_group<Key, Id>> finish() {
        for (auto& group : groups_) std::sort(group.hits.begin(), group.hits.end(), closer<Id>);
        std::sort(groups_.begin(), groups_.end(),
                  [](const auto& a, const auto& b) { return closer(a.hits.front(), b.hits.front()); });
        return std::move(groups_);
    }

  private:
    struct id_hash {
        [[nodiscard]] std::size_t operator()(Id id) const noexcept { return static_cast<std::size_t>(mix_id(id)); }
    };
    [[nodiscard]] bool full(std::size_t place) const noexcept { return groups_[place].hits.size() == per_group_; }

    std::size_t k_;
    std::size_t per_group_;
    std::size_t full_ = 0;
    std::vector<result_group<Key, Id>> groups_;
    std::unordered_map<Key, std::size_t> places_;
    std::unordered_set<Id, id_hash> seen_;
};

}  // namespace detail

/// The k groups with the closest rows, the closest group first, each with its `per_group` closest rows: exactly k where
/// there are that many, and each with as many rows as it has up to that.
///
///     auto documents = search_groups(index, query, 5, [&](auto id) { return document_of[id]; }, {.per_group = 2});
///
/// index  any index of vicinal, an any_index too. The result is exact where its search is
/// group  says which group an id belongs to
/// Costs a search for 4 k per_group rows. Where these do not suffice, further searches follow, at most one for each
/// group, of rows whose groups are not full: those are filtered searches. Each sees the index of one moment. Any number
/// of threads may call it.
/// throws  error{invalid_argument} if per_group is 0; as search; what `group` throws
template <class Index, group_function<typename Index::id_type> Group>
[[nodiscard]] auto search_groups(const Index& index, vector_view query, std::size_t k, const Group& group,
                                 const group_params<Index>& params = {}) {
    using id_type = typename Index::id_type;
    using key_type = std::decay_t<std::invoke_result_t<const Group&, id_type>>;
    if (params.per_group == 0)
        detail::fail(errc::invalid_argument, "search_groups: per_group is 0, it must be at least 1");
    detail::group_collector<key_type, id_type> groups(k, params.per_group);
    const auto wanted = [&](id_type id) {
        return groups.wants(group(id)) && (!params.search.filter || params.search.filter(id));
    };
    auto how = params.search;
    std::size_t count = groups.enough() > detail::max_slots / 4 ? detail::max_slots : 4 * groups.enough();
    while (!groups.done()) {
        const auto hits = index.search(query, count, how);
        bool any = false;
        for (const auto& hit : hits) any = groups.take(hit, group(hit.id)) || any;
        if (hits.size() < count || !any) break;  // none: rows are changed faster than they are found
        how.filter = wanted;
        count = (std::max)(count, groups.enough());
    }
    return groups.finish();
}

VICINAL_NAMESPACE_END
