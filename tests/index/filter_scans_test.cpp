// SPDX-License-Identifier: MIT
// Filtered searches that scan, by rows or by lists, beside loops over all rows in double precision: filters that admit
// most rows to none, anywhere, near the query or far from it.
#include <algorithm>  // for min, reverse, shuffle, sort
#include <random>     // for mt19937

#include "support/catch.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/ivf.hpp"

namespace {

using namespace vicinal;
constexpr std::size_t count = 6000, dim = 12, clumps = 60, asked = 12, k = 10;
using id_type = std::uint64_t;

/// Rows in clumps, and behind them the queries, in the same clumps; ids are thrice the row numbers.
const std::vector<float>& values() {
    static const std::vector<float> made = [] {
        std::mt19937 random(7);
        const auto number = [&] { return static_cast<float>(random() >> 8) * 0x1p-24F; };
        std::vector<float> centers(clumps * dim), rows((count + asked) * dim);
        for (float& x : centers) x = number();
        for (std::size_t row = 0; row < count + asked; ++row) {
            const std::size_t clump = random() % clumps;
            for (std::size_t c = 0; c < dim; ++c) rows[row * dim + c] = centers[clump * dim + c] + 0.3F * number();
        }
        return rows;
    }();
    return made;
}
std::span<const float> query_of(std::size_t query) { return std::span(values()).subspan((count + query) * dim, dim); }
double apart(std::size_t query, id_type id) {
    double sum = 0;
    for (std::size_t c = 0; c < dim; ++c) {
        const double d = double{query_of(query)[c]} - double{values()[id / 3 * dim + c]};
        sum += d * d;
    }
    return sum;
}
/// All ids, closest to a query first.
const std::vector<id_type>& order_of(std::size_t query) {
    static const std::vector<std::vector<id_type>> orders = [] {
        std::vector<std::vector<id_type>> made(asked);
        for (std::size_t q = 0; q < asked; ++q) {
            for (id_type row = 0; row < count; ++row) made[q].push_back(3 * row);
            std::sort(made[q].begin(), made[q].end(), [&](id_type a, id_type b) { return apart(q, a) < apart(q, b); });
        }
        return made;
    }();
    return orders[query];
}

enum class relation { random, correlated, anti_correlated };
/// The ids that a filter admits for a query: so many, the closest, the farthest or any.
id_set<id_type> admitted(relation how, std::size_t query, std::size_t many) {
    std::vector<id_type> ids = order_of(how == relation::random ? 0 : query);
    if (how == relation::random) std::shuffle(ids.begin(), ids.end(), std::mt19937(9));
    if (how == relation::anti_correlated) std::reverse(ids.begin(), ids.end());
    ids.resize(many);
    return id_set<id_type>(ids);
}
template <class Index>
const Index& filled() {
    static const Index index = [] {
        Index made(dim);
        std::vector<id_type> ids(count);
        for (std::size_t row = 0; row < count; ++row) ids[row] = 3 * row;
        made.add(ids, matrix_view<const float>(values().data(), count, dim));
        return made;
    }();
    return index;
}
template <class Hits>
std::size_t found_of(const Hits& hits, std::size_t query, const id_set<id_type>& ids) {
    std::size_t expected = 0, found = 0;
    for (const id_type id : order_of(query)) {
        if (expected == k) break;
        if (!ids.contains(id)) continue;
        ++expected;
        for (const auto& hit : hits) found += hit.id == id ? 1U : 0U;
    }
    CHECK(hits.size() == expected);  // never short
    for (const auto& hit : hits) CHECK(ids.contains(hit.id));
    return found;
}

using exact = flat_index<l2, f32>;
using coarse = flat_index<l2, two_level<sq8, f32>>;
using lists = ivf_index<l2, f32>;
using coarse_lists = ivf_index<l2, two_level<rabitq<4>, f32>>;

}  // namespace

TEMPLATE_TEST_CASE("scans find the closest rows that a filter admits, whichever and how many these are", "[filter]",
                   exact, coarse, lists, coarse_lists) {
    const auto& index = filled<TestType>();
    for (const auto how : {relation::random, relation::correlated, relation::anti_correlated})
        for (const std::size_t many : {5400UL, 3000UL, 600UL, 300UL, 60UL, 10UL, 6UL, 1UL, 0UL}) {
            std::size_t found = 0;
            for (std::size_t q = 0; q < asked; ++q) {
                const auto ids = admitted(how, q, many);
                const auto asks = [&](id_type id) { return ids.contains(id); };
                std::vector<id_type> others;
                for (const id_type id : order_of(q))
                    if (!ids.contains(id)) others.push_back(id);
                const auto excluded = id_set<id_type>(others);
                found += found_of(index.search(query_of(q), k, {.filter = asks}), q, ids);
                found += found_of(index.search(query_of(q), k, {.filter = ids}), q, ids);
                found += found_of(index.search(query_of(q), k, {.filter = except(excluded)}), q, ids);
            }
            INFO("relation " << static_cast<int>(how) << ", " << many << " rows");
            const std::size_t all = 3 * asked * (std::min)(k, many);
            CHECK(found * 100 >= all * (std::same_as<TestType, exact> ? 100 : 95));
        }
}

TEMPLATE_TEST_CASE("lists asked for by number are not all that a filtered search looks into", "[filter]", lists,
                   coarse_lists) {
    const auto& index = filled<TestType>();
    for (const auto how : {relation::random, relation::anti_correlated})
        for (const std::size_t many : {3000UL, 60UL, 10UL, 3UL})
            for (std::size_t q = 0; q < asked; ++q) {
                const auto ids = admitted(how, q, many);
                const auto asks = [&](id_type id) { return ids.contains(id); };
                (void)found_of(index.search(query_of(q), k, {.nprobe = 1, .filter = asks}), q, ids);
                (void)found_of(index.search(query_of(q), k, {.nprobe = 1, .filter = ids}), q, ids);
                const auto table =
                    index.search(rows_view(query_of(q).data(), 1, dim), k, {.nprobe = 1, .filter = asks});
                (void)found_of(table[0], q, ids);
            }
}

TEMPLATE_TEST_CASE("few admitted rows are measured, and nothing else", "[filter]", exact, lists) {
    const auto& index = filled<TestType>();
    const auto ids = admitted(relation::random, 0, 60);
    search_stats stats;
    (void)index.search(query_of(0), k, {.filter = ids, .stats = &stats});
    CHECK(stats.exact_scans == 1);
    CHECK(stats.distances == 60);
}
