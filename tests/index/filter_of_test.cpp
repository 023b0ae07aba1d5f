// SPDX-License-Identifier: MIT
// A filter for each query of a batch, beside loops over all rows in double precision and beside single searches.
#include <algorithm>   // for find, sort
#include <functional>  // for function
#include <random>      // for mt19937
#include <set>         // for set
#include <stdexcept>   // for runtime_error

#include "support/catch.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/ivf.hpp"
#include "vicinal/joins.hpp"

namespace {

using namespace vicinal;
constexpr std::size_t count = 3000, dim = 8, users = 70, k = 10, seen_by_each = 20;
using id_type = std::uint64_t;

std::vector<float> numbers(std::size_t n, std::uint32_t seed) {
    std::mt19937 random(seed);
    std::vector<float> made(n);
    for (float& x : made) x = static_cast<float>(random() >> 8) * 0x1p-24F;
    return made;
}
const std::vector<float>& values() {
    static const std::vector<float> made = numbers(count * dim, 11);
    return made;
}
const std::vector<float>& query_values() {
    static const std::vector<float> made = numbers(users * dim, 12);
    return made;
}
rows_view queries() { return {query_values().data(), users, dim}; }
double apart(std::size_t user, id_type id) {
    double sum = 0;
    for (std::size_t c = 0; c < dim; ++c) {
        const double d = double{query_values()[user * dim + c]} - double{values()[(id / 3) * dim + c]};
        sum += d * d;
    }
    return sum;
}
/// All ids in the order of their distances to a user's query.
const std::vector<id_type>& order_of(std::size_t user) {
    static const std::vector<std::vector<id_type>> orders = [] {
        std::vector<std::vector<id_type>> made(users);
        for (std::size_t u = 0; u < users; ++u) {
            for (id_type row = 0; row < count; ++row) made[u].push_back(3 * row);
            std::sort(made[u].begin(), made[u].end(), [&](id_type a, id_type b) { return apart(u, a) < apart(u, b); });
        }
        return made;
    }();
    return orders[user];
}
template <class Admits>
std::vector<id_type> closest_of(std::size_t user, const Admits& admits) {
    std::vector<id_type> ids;
    for (const id_type id : order_of(user))
        if (ids.size() < k && admits(id)) ids.push_back(id);
    return ids;
}
/// What each user has seen: the rows closest to the query, so that a filter that is forgotten shows at once.
const std::vector<id_set<id_type>>& seen() {
    static const std::vector<id_set<id_type>> made = [] {
        std::vector<id_set<id_type>> sets;
        for (std::size_t u = 0; u < users; ++u)
            sets.emplace_back(std::vector<id_type>(order_of(u).begin(), order_of(u).begin() + seen_by_each));
        return sets;
    }();
    return made;
}
template <class Index>
Index filled() {
    Index index(dim);
    std::vector<id_type> ids(count);
    for (std::size_t row = 0; row < count; ++row) ids[row] = 3 * row;
    index.add(ids, matrix_view<const float>(values().data(), count, dim));
    return index;
}
template <class Hits>
std::vector<id_type> ids_of(const Hits& hits) {
    std::vector<id_type> ids;
    for (const auto& hit : hits) ids.push_back(hit.id);
    return ids;
}
/// How many of what a loop finds are found, of 1, for every user.
template <class Admits>
double recall(const search_table<id_type>& table, const Admits& admits) {
    std::size_t found = 0, all = 0;
    for (std::size_t u = 0; u < users; ++u) {
        const auto hits = ids_of(table[u]);
        const auto expected = closest_of(u, [&](id_type id) { return admits(u, id); });
        CHECK(hits.size() == expected.size());
        for (const id_type id : hits) CHECK(admits(u, id));
        for (const id_type id : expected)
            found += static_cast<std::size_t>(std::find(hits.begin(), hits.end(), id) != hits.end());
        all += expected.size();
    }
    return static_cast<double>(found) / static_cast<double>(all);
}

using plain_flat = flat_index<l2, f32>;
using coarse_flat = flat_index<l2, two_level<rabitq<4>, f32>>;
using lists = ivf_index<l2, f32>;
using graph = hnsw_index<l2, f32>;

/// Filters of all kinds in turn, as an application with users of several kinds has them.
struct mixed_filters {
    std::vector<id_set<id_type>> few;
    std::vector<std::function<bool(id_type)>> predicates;
    std::vector<id_complement<id_type>> complements;

    mixed_filters() {
        for (std::size_t u = 0; u < users; ++u) {
            few.emplace_back(std::vector<id_type>{3 * u, 3 * u + 1, 300 + 3 * u});
            predicates.emplace_back([u](id_type id) { return id % 7 == u % 7; });
            complements.push_back(except(seen()[u]));
        }
    }
    [[nodiscard]] id_filter<id_type> operator()(std::size_t user) const {
        switch (user % 5) {
            case 0: return {};
            case 1: return few[user];
            case 2: return predicates[user];
            default: return complements[user];
        }
    }
};

}  // namespace

TEMPLATE_TEST_CASE("each user excludes what was seen, in one call", "[filter_of]", plain_flat, coarse_flat, lists,
                   graph) {
    const auto index = filled<TestType>();
    const auto unseen = [](std::size_t user, id_type id) { return !seen()[user].contains(id); };
    // What a search for k + seen_by_each rows without a filter finds behind those that were seen.
    const double least = std::same_as<TestType, lists> ? 0.82 : std::same_as<TestType, plain_flat> ? 1.0 : 0.93;
    for (const std::size_t threads : {1, 3}) {
        search_stats stats;
        const auto table = index.search(
            queries(), k,
            {.filter_of = [](std::size_t user) { return except(seen()[user]); }, .stats = &stats, .threads = threads});
        CHECK(recall(table, unseen) >= least);
        if constexpr (std::same_as<TestType, plain_flat>) {  // a scan for all together, which nothing was listed for
            CHECK(stats.exact_scans == 0);
            CHECK(stats.distances == users * count);
        }
    }
}

TEMPLATE_TEST_CASE("a batch with a filter for each query is its queries one by one", "[filter_of]", plain_flat,
                   coarse_flat, lists, graph) {
    const auto index = filled<TestType>();
    const mixed_filters filters;
    for (const std::size_t threads : {1, 3}) {
        const auto table = index.search(queries(), k, {.filter_of = filters, .threads = threads});
        REQUIRE(table.size() == users);
        for (std::size_t u = 0; u < users; ++u) {
            const auto alone = index.search(queries()[u], k, {.filter = filters(u)});
            REQUIRE(ids_of(table[u]) == ids_of(alone));
        }
    }
}

TEMPLATE_TEST_CASE("the filter of all and that of a query must both admit an id", "[filter_of]", plain_flat, lists,
                   graph) {
    const auto index = filled<TestType>();
    std::vector<id_type> thirds;
    for (id_type row = 0; row < count; row += 3) thirds.push_back(3 * row);
    const id_set<id_type> in_stock(thirds);
    const auto admits = [&](std::size_t user, id_type id) {
        return in_stock.contains(id) && !seen()[user].contains(id);
    };
    const auto unseen = [](std::size_t user) { return except(seen()[user]); };
    CHECK(recall(index.search(queries(), k, {.filter = in_stock, .filter_of = unseen}), admits) >= 0.93);
    const auto predicate = [&](id_type id) { return in_stock.contains(id); };
    CHECK(recall(index.search(queries(), k, {.filter = predicate, .filter_of = unseen}), admits) >= 0.93);
    const auto both_lists = index.search(queries(), k, {.filter = in_stock, .filter_of = [](std::size_t user) -> auto& {
                                                            return seen()[user];
}
});
CHECK(recall(both_lists,
             [&](std::size_t user, id_type id) { return in_stock.contains(id) && seen()[user].contains(id); }) == 1.0);
const auto no_own = [](std::size_t) { return id_filter<id_type>(); };
CHECK(recall(index.search(queries(), k, {.filter = in_stock, .filter_of = no_own}),
             [&](std::size_t, id_type id) { return in_stock.contains(id); }) >= 0.93);
}

TEMPLATE_TEST_CASE("filters that a call returns by value live as long as their query is searched for", "[filter_of]",
                   plain_flat, lists, graph) {
    const auto index = filled<TestType>();
    const auto sets =
        index.search(queries(), k, {.filter_of = [](std::size_t user) {
                         return id_set<id_type>(std::vector<id_type>{3 * user, 3 * user + 30, 3 * user + 60});
                     }});
    const auto predicates = index.search(
        queries(), k, {.filter_of = [](std::size_t user) {
            return [user](id_type id) { return id >= 3 * user && id <= 3 * user + 60 && (id - 3 * user) % 30 == 0; };
        }});
    for (std::size_t u = 0; u < users; ++u) {
        auto found = ids_of(sets[u]);
        CHECK(found == ids_of(predicates[u]));
        std::sort(found.begin(), found.end());
        CHECK(found == std::vector<id_type>{3 * u, 3 * u + 30, 3 * u + 60});
    }
}

TEMPLATE_TEST_CASE("a user who has seen all but a few rows gets these", "[filter_of]", plain_flat, coarse_flat, lists,
                   graph) {
    const auto index = filled<TestType>();
    std::vector<id_set<id_type>> all_but_three;
    for (std::size_t u = 0; u < users; ++u)
        all_but_three.emplace_back(std::vector<id_type>(order_of(u).begin(), order_of(u).end() - 3));
    const auto left = [&](std::size_t user) { return except(all_but_three[user]); };
    const auto admits = [&](std::size_t user, id_type id) { return !all_but_three[user].contains(id); };
    CHECK(recall(index.search(queries(), k, {.filter_of = left}), admits) == 1.0);
    const auto none = index.search(queries(), k, {.filter_of = [](std::size_t) { return id_set<id_type>(); }});
    for (std::size_t u = 0; u < users; ++u) CHECK(none[u].empty());
    if constexpr (std::same_as<TestType, lists>) {  // also where few lists are asked for
        CHECK(recall(index.search(queries(), k, {.nprobe = 1, .filter_of = left}), admits) == 1.0);
        const auto most_wanted = index.search(
            queries(), count, {.nprobe = 1, .filter_of = [](std::size_t user) { return except(seen()[user]); }});
        for (std::size_t u = 0; u < users; ++u) CHECK(most_wanted[u].size() == count - seen_by_each);
        const auto single = index.search(queries()[0], count, {.nprobe = 1, .filter = except(seen()[0])});
        CHECK(single.size() == count - seen_by_each);
    }
}

TEMPLATE_TEST_CASE("filters of queries that throw lose nothing, and are refused where there is one query",
                   "[filter_of]", plain_flat, lists, graph) {
    auto index = filled<TestType>();
    const auto throws_for_one = [](std::size_t user) {
        if (user == 37) throw std::runtime_error("no such user");
        return except(seen()[user]);
    };
    const auto throws_when_asked = [](std::size_t user) {
        return [user](id_type) -> bool {
            if (user == 37) throw std::runtime_error("not known");
            return true;
        };
    };
    for (const std::size_t threads : {1, 3}) {
        CHECK_THROWS_WITH((void)index.search(queries(), k, {.filter_of = throws_for_one, .threads = threads}),
                          "no such user");
        CHECK_THROWS_WITH((void)index.search(queries(), k, {.filter_of = throws_when_asked, .threads = threads}),
                          "not known");
    }
    const auto any = [](std::size_t) { return [](id_type) { return true; }; };
    CHECK_THROWS_AS((void)index.search(queries()[0], k, {.filter_of = any}), error);
    CHECK_THROWS_AS((void)index.search_within(queries()[0], 1, {.filter_of = any}), error);
    CHECK_THROWS_AS((void)index.nearest(queries()[0], {.filter_of = any}), error);
    index.add(1, queries()[0]);  // no lock was left held
    CHECK(index.search(queries(), 1, {.filter_of = any})[0][0].id == 1);
}

TEST_CASE("searches within a radius take a filter for each query", "[filter_of]") {
    const auto index = filled<plain_flat>();
    const auto table = search_within(index, queries(), 0.1F,
                                     {.search = {.filter_of = [](std::size_t user) { return except(seen()[user]); }}});
    for (std::size_t u = 0; u < users; ++u) {
        std::vector<id_type> expected;
        for (const id_type id : order_of(u))
            if (apart(u, id) <= 0.1 && !seen()[u].contains(id)) expected.push_back(id);
        CHECK(ids_of(table[u]) == expected);
    }
}
