// SPDX-License-Identifier: MIT
// Queries of a batch that have filters of their own, `.filter_of`, beside that of the whole batch, `.filter`.
#pragma once

#include <cstddef>  // for size_t
#include <span>     // for span
#include <string>   // for string
#include <vector>   // for vector

#include "vicinal/core/error.hpp"
#include "vicinal/filter.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Refuses filters of many queries where there is one.
template <class Params>
void require_no_filter_of(const char* call, const Params& params) {
    if (params.filter_of)
        fail(errc::invalid_argument,
             std::string(call) + ": .filter_of is for the queries of a batch, a single one takes .filter");
}

/// Two filters in the order in which a search asks them: one that lists ids first, of two the shorter.
template <class Id>
[[nodiscard]] filter_pair<Id> ordered_pair(const id_filter<Id>& a, const id_filter<Id>& b) noexcept {
    const bool lists_a = a.lists() && !a.excludes();
    const bool lists_b = b.lists() && !b.excludes();
    const bool b_first = lists_b && (!lists_a || b.size() < a.size());
    return b_first ? filter_pair<Id>{b, a} : filter_pair<Id>{a, b};
}

/// Calls use(filters) with what each of the first `count` queries may return: what its own filter and that of all
/// admit.
template <class Id, class Use>
void with_own_filters(const query_filters<Id>& filter_of, const id_filter<Id>& all, std::size_t count, Use use) {
    filter_of.visit(count, [&](std::span<const id_filter<Id>> own) {
        if (!all) return use(own);
        std::vector<filter_pair<Id>> pairs;
        pairs.reserve(count);
        std::vector<id_filter<Id>> both;
        for (const id_filter<Id>& one : own) {
            pairs.push_back(ordered_pair(one, all));
            both.push_back(one ? id_filter<Id>(pairs.back()) : all);
        }
        use(std::span<const id_filter<Id>>(both));
    });
}

/// Calls use(params) with the first query's filter in `.filter`.
template <class Params, class Use>
void with_own_filter(const Params& params, Use use) {
    if (!params.filter_of) return use(params);
    with_own_filters(params.filter_of, params.filter, 1, [&](const auto& filters) {
        Params own = params;
        own.filter = filters[0];
        own.filter_of = {};
        use(own);
    });
}

}  // namespace detail

VICINAL_NAMESPACE_END
