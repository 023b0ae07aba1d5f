// SPDX-License-Identifier: MIT
// Filtered searches of hnsw_index beside a loop over all rows in double precision: rows admitted anywhere, close to the
// query or far from it, from nearly all to none, in every way that can be asked for.
#include <algorithm>  // for sort
#include <random>     // for mt19937, shuffle
#include <stdexcept>  // for runtime_error
#include <utility>    // for pair

#include "support/catch.hpp"
#include "vicinal/hnsw.hpp"

namespace {

using namespace vicinal;
constexpr std::size_t count = 6000, dim = 16, clusters = 40, asked = 12, k = 10;
using ids_type = std::vector<std::uint64_t>;

/// Rows in clusters that overlap, and behind them queries.
const std::vector<float>& values() {
    static const std::vector<float> made = [] {
        std::mt19937 random(11);
        std::normal_distribution<float> normal;
        std::vector<float> centers(clusters * dim), rows;
        for (float& x : centers) x = normal(random);
        for (std::size_t i = 0; i < count + asked; ++i)
            for (std::size_t c = 0; c < dim; ++c)
                rows.push_back(centers[i % clusters * dim + c] + 0.5F * normal(random));
        return rows;
    }();
    return made;
}
std::span<const float> query(std::size_t q) { return {values().data() + (count + q) * dim, dim}; }

/// All rows in the order of their distances to a query.
using order_type = std::vector<std::pair<double, std::uint64_t>>;
const order_type& order_of(std::size_t q) {
    static const std::vector<order_type> made = [] {
        std::vector<order_type> orders(asked, order_type(count));
        for (std::size_t of = 0; of < asked; ++of) {
            for (std::size_t i = 0; i < count; ++i) {
                double sum = 0;
                for (std::size_t c = 0; c < dim; ++c) {
                    const double apart = double{values()[i * dim + c]} - double{query(of)[c]};
                    sum += apart * apart;
                }
                orders[of][i] = {sum, i};
            }
            std::sort(orders[of].begin(), orders[of].end());
        }
        return orders;
    }();
    return made[q];
}

enum class relation { random, correlated, anti };
ids_type admitted_ids(relation kind, std::size_t matches, std::size_t q) {
    ids_type ids;
    if (kind == relation::random) {
        for (std::size_t i = 0; i < count; ++i) ids.push_back(i);
        std::shuffle(ids.begin(), ids.end(), std::mt19937(5));
        ids.resize(matches);
    } else {
        for (std::size_t i = 0; i < matches; ++i)
            ids.push_back(order_of(q)[kind == relation::correlated ? i : count - 1 - i].second);
    }
    return ids;
}

template <class Index>
Index filled() {
    Index index(dim);
    ids_type ids(count);
    for (std::size_t i = 0; i < count; ++i) ids[i] = i;
    index.add(ids, matrix_view<const float>(values().data(), count, dim));
    return index;
}

struct outcome {
    double recall = 0;  ///< the mean over queries
    search_stats stats;
};
/// Searches for all queries of a cell, checks all that must hold of each result, and returns how good they are.
template <class Index>
outcome search_cell(const Index& index, relation kind, std::size_t matches, filter_strategy how, bool as_set,
                    std::size_t ef = 32) {
    outcome all;
    for (std::size_t q = 0; q < asked; ++q) {
        std::vector<char> admitted(count, 0);
        const ids_type ids = admitted_ids(kind, matches, q);
        for (const auto id : ids) admitted[id] = 1;
        const id_set<std::uint64_t> set(ids);
        const auto admits = [&](std::uint64_t id) { return admitted.at(id) != 0; };
        search_stats stats;
        typename Index::search_params params{.ef = ef, .filter_strategy = how, .stats = &stats};
        if (as_set)
            params.filter = set;
        else
            params.filter = admits;
        const auto hits = index.search(query(q), k, params);
        order_type right;
        for (const auto& row : order_of(q))
            if (admitted[row.second] != 0 && right.size() < k) right.push_back(row);
        REQUIRE(hits.size() == right.size());
        std::size_t good = 0;
        for (std::size_t i = 0; i < hits.size(); ++i) {
            REQUIRE(admitted[hits[i].id] != 0);
            REQUIRE((i == 0 || closer<std::uint64_t>(hits[i - 1], hits[i])));
            good += hits[i].distance <= right.back().first * (1 + 1e-5) ? 1U : 0U;
        }
        all.recall += right.empty() ? 1 : static_cast<double>(good) / static_cast<double>(right.size());
        REQUIRE(stats.plain_walks + stats.two_hop_walks + stats.exact_scans == 1);
        REQUIRE(stats.turned_exact <= stats.exact_scans);
        all.stats += stats;
    }
    all.recall /= asked;
    return all;
}

constexpr std::size_t most_to_none[] = {count * 9 / 10, count / 2, count / 10, count / 50, count / 1000, 1, 0};
constexpr relation relations[] = {relation::random, relation::correlated, relation::anti};

template <class Index>
void check_cells() {
    const Index index = filled<Index>();
    for (const relation kind : relations)
        for (const std::size_t matches : most_to_none)
            for (const bool as_set : {false, true}) {
                CAPTURE(static_cast<int>(kind), matches, as_set);
                const outcome found = search_cell(index, kind, matches, filter_strategy::automatic, as_set);
                CHECK(found.recall >= 0.95);
                // No walk goes on beyond half of what it costs to measure all admitted rows.
                if (matches >= count / 10) CHECK(found.stats.distances <= asked * (matches + matches / 2));
            }
}

}  // namespace

TEST_CASE("a filtered search finds nearly all and never too few, whatever the filter admits, at a bounded cost") {
    check_cells<hnsw_index<l2, f32>>();
}
TEST_CASE("a filtered search by coarse codes finds what one by floats does") {
    check_cells<hnsw_index<l2, two_level<sq8, f32>>>();
    check_cells<hnsw_index<l2, two_level<rabitq<1>, f32>>>();
}

TEST_CASE("how a filtered search goes can be asked for") {
    const auto index = filled<hnsw_index<l2, f32>>();
    for (const relation kind : relations)
        for (const std::size_t matches : most_to_none) {
            CAPTURE(static_cast<int>(kind), matches);
            const outcome exact = search_cell(index, kind, matches, filter_strategy::exact, false);
            CHECK(exact.recall == 1);
            CHECK(exact.stats.exact_scans == asked);
            CHECK(exact.stats.turned_exact == 0);
            CHECK(exact.stats.distances == asked * matches);
            const outcome plain = search_cell(index, kind, matches, filter_strategy::plain, false);
            CHECK(plain.recall >= 0.95);
            CHECK(plain.stats.plain_walks == asked);
            (void)search_cell(index, kind, matches, filter_strategy::two_hop, true);
        }
    const outcome half = search_cell(index, relation::random, count / 2, filter_strategy::two_hop, false);
    CHECK(half.stats.two_hop_walks == asked);
    CHECK(half.recall >= 0.9);
    const outcome tenth = search_cell(index, relation::random, count / 10, filter_strategy::two_hop, false);
    CHECK(tenth.recall >= 0.9);
    CHECK(tenth.stats.distances <= asked * count / 10);  // admitted rows only
}

TEST_CASE("a filtered search chooses a walk where most is admitted, and a scan where little is or it lies elsewhere") {
    const auto index = filled<hnsw_index<l2, f32>>();
    using enum filter_strategy;
    CHECK(search_cell(index, relation::random, count * 9 / 10, automatic, false).stats.plain_walks == asked);
    CHECK(search_cell(index, relation::correlated, count / 2, automatic, true).stats.plain_walks == asked);
    CHECK(search_cell(index, relation::random, count / 1000, automatic, true).stats.exact_scans == asked);
    CHECK(search_cell(index, relation::anti, count * 9 / 10, automatic, false).stats.turned_exact == asked);
}

TEST_CASE("a batch with a filter returns what searches one by one do, for every number of threads") {
    const auto index = filled<hnsw_index<l2, f32>>();
    const matrix_view<const float> queries(values().data() + count * dim, asked, dim);
    for (const std::size_t modulus : {2U, 10U, 300U}) {
        std::size_t calls = 0;
        const auto admits = [&](std::uint64_t id) { return id % modulus == 0; };
        const auto counts = [&](std::uint64_t id) { return ++calls, admits(id); };
        const auto batch = index.search(queries, k, {.filter = admits, .threads = 1});
        const auto shared = index.search(queries, k, {.filter = admits, .threads = 3});
        (void)index.search(queries, k, {.filter = counts, .filter_strategy = filter_strategy::exact, .threads = 1});
        CHECK(calls == count);  // its answers serve all queries of a task
        for (std::size_t q = 0; q < asked; ++q) {
            const auto alone = index.search(query(q), k, {.filter = admits});
            REQUIRE(std::ranges::equal(batch[q], alone));
            REQUIRE(std::ranges::equal(shared[q], alone));
        }
    }
}

TEST_CASE("a filter that throws ends the search and leaves nothing behind") {
    const auto index = filled<hnsw_index<l2, f32>>();
    const auto before = index.search(query(0), k);
    for (const auto how :
         {filter_strategy::automatic, filter_strategy::plain, filter_strategy::two_hop, filter_strategy::exact})
        for (const std::size_t after : {0U, 5U, 70U, 200U}) {
            std::size_t calls = 0;
            const auto throws = [&](std::uint64_t id) {
                if (calls++ == after) throw std::runtime_error("no answer");
                return id % 3 == 0;
            };
            CHECK_THROWS_AS(index.search(query(0), k, {.filter = throws, .filter_strategy = how}), std::runtime_error);
            REQUIRE(std::ranges::equal(index.search(query(0), k), before));
        }
}

TEST_CASE("rows that were removed are no rows that a filter admits") {
    auto index = filled<hnsw_index<l2, f32>>();
    for (std::uint64_t id = 0; id < count; id += 3) index.remove(id);
    const auto admits = [](std::uint64_t id) { return id % 100 < 2; };
    for (const auto how :
         {filter_strategy::automatic, filter_strategy::plain, filter_strategy::two_hop, filter_strategy::exact})
        for (std::size_t q = 0; q < asked; ++q) {
            const auto hits = index.search(query(q), 100, {.filter = admits, .filter_strategy = how});
            std::size_t live = 0;
            for (std::uint64_t id = 0; id < count; ++id) live += admits(id) && id % 3 != 0 ? 1U : 0U;
            REQUIRE(hits.size() == (std::min<std::size_t>)(100, live));
            for (const auto& hit : hits) REQUIRE((hit.id % 3 != 0 && admits(hit.id)));
        }
}
