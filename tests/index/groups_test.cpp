// SPDX-License-Identifier: MIT
// search_groups beside a loop over all rows in double precision, for groups of very different sizes.
#include "vicinal/groups.hpp"

#include <map>        // for map
#include <random>     // for mt19937
#include <stdexcept>  // for runtime_error
#include <string>     // for string

#include "support/catch.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/ivf.hpp"

namespace {

using namespace vicinal;
constexpr std::size_t count = 500, dim = 4;

/// Groups of one row to some two hundred, each around a place of its own: the largest fills the first searches alone.
std::uint64_t group_of(std::uint64_t id) { return id < 200 ? 1000 : id < 400 ? 1001 + (id - 200) / 20 : 2000 + id; }
const std::vector<float>& values() {
    static const std::vector<float> made = [] {
        std::mt19937 random(3);
        const auto number = [&] { return static_cast<float>(random() >> 8) * 0x1p-24F; };
        std::map<std::uint64_t, std::vector<float>> places;
        std::vector<float> rows;
        for (std::uint64_t id = 0; id < count; ++id) {
            auto& place = places[group_of(id)];
            while (place.size() < dim) place.push_back(group_of(id) == 1000 ? 0.4F : number());
            for (const float x : place) rows.push_back(x + 0.05F * number());
        }
        return rows;
    }();
    return made;
}
template <class Index>
Index filled() {
    Index index(dim);
    std::vector<std::uint64_t> ids(count);
    for (std::size_t i = 0; i < count; ++i) ids[i] = i;
    index.add(ids, matrix_view<const float>(values().data(), count, dim));
    return index;
}

using groups_type = std::vector<std::pair<std::uint64_t, std::vector<std::uint64_t>>>;
template <class Admits>
groups_type expected(std::span<const float> query, std::size_t k, std::size_t per_group, Admits admits) {
    std::vector<std::pair<double, std::uint64_t>> rows;
    for (std::uint64_t id = 0; id < count; ++id) {
        double sum = 0;
        for (std::size_t c = 0; c < dim; ++c) {
            const double apart = double{values()[id * dim + c]} - double{query[c]};
            sum += apart * apart;
        }
        if (admits(id)) rows.push_back({sum, id});
    }
    std::sort(rows.begin(), rows.end());
    groups_type groups;
    for (const auto& [distance, id] : rows) {
        auto at =
            std::find_if(groups.begin(), groups.end(), [&, id = id](const auto& g) { return g.first == group_of(id); });
        if (at == groups.end()) {
            if (groups.size() == k) continue;
            at = groups.insert(groups.end(), {group_of(id), {}});
        }
        if (at->second.size() < per_group) at->second.push_back(id);
    }
    return groups;
}
template <class Groups>
groups_type ids_of(const Groups& found) {
    groups_type groups;
    for (const auto& group : found) {
        groups.push_back({group.key, {}});
        for (const auto& hit : group.hits) groups.back().second.push_back(hit.id);
    }
    return groups;
}
template <class Index>
void check_groups(typename Index::search_params how = {}) {
    const auto index = filled<Index>();
    const auto all = [](std::uint64_t) { return true; };
    for (std::size_t row = 0; row < count; row += 23) {
        const auto query = std::span(values()).subspan(row * dim, dim);
        for (const std::size_t k : {1U, 5U, 30U, 200U})
            for (const std::size_t per_group : {1U, 3U, 50U}) {
                const auto found = search_groups(index, query, k, group_of, {.per_group = per_group, .search = how});
                CHECK(ids_of(found) == expected(query, k, per_group, all));
            }
    }
}

}  // namespace

TEST_CASE("search_groups: exactly k groups where there are that many, each with its best rows", "[groups]") {
    check_groups<flat_index<l2>>();
    check_groups<ivf_index<l2>>({.nprobe = 1000});
    check_groups<hnsw_index<l2, f32>>({.ef = count});
}

TEST_CASE("search_groups: few searches, though one group has most rows", "[groups]") {
    const auto index = filled<flat_index<l2>>();
    const std::vector<float> close_to_largest(dim, 0.42F);
    search_stats stats;
    const auto found = search_groups(index, close_to_largest, 3, group_of, {.search = {.stats = &stats}});
    REQUIRE(found.size() == 3);
    CHECK(found[0].key == 1000);
    CHECK(index.counters().searches == 3);  // the first finds 12 rows of the largest, the second 12 of the next
    CHECK(stats.distances > 0);
}

TEST_CASE("search_groups: beside a filter", "[groups]") {
    const auto index = filled<flat_index<l2>>();
    const auto odd = [](std::uint64_t id) { return id % 2 == 1; };
    for (std::size_t row = 0; row < count; row += 71) {
        const auto query = std::span(values()).subspan(row * dim, dim);
        const auto found = search_groups(index, query, 20, group_of, {.per_group = 4, .search = {.filter = odd}});
        CHECK(ids_of(found) == expected(query, 20, 4, odd));
    }
    // Rows near this query are of the largest group, so that further searches are made, by both filters.
    const std::vector<float> close_to_largest(dim, 0.42F);
    const auto found =
        search_groups(index, close_to_largest, 20, group_of, {.per_group = 2, .search = {.filter = odd}});
    CHECK(ids_of(found) == expected(close_to_largest, 20, 2, odd));
    CHECK(index.counters().searches > 9);
    const auto none = [](std::uint64_t) { return false; };
    CHECK(search_groups(index, std::vector<float>(dim), 3, group_of, {.search = {.filter = none}}).empty());
}

TEST_CASE("search_groups: groups named by strings, none asked for, what is refused and thrown", "[groups]") {
    const auto index = filled<flat_index<l2>>();
    const std::vector<float> query(dim, 0.42F);
    const auto named = [](std::uint64_t id) { return id < 200 ? std::string("large") : std::string("others"); };
    const auto found = search_groups(index, query, 5, named, {.per_group = 2});
    REQUIRE(found.size() == 2);
    CHECK(found[0].key == "large");
    CHECK(found[1].hits.size() == 2);
    CHECK(search_groups(index, query, 0, group_of).empty());
    CHECK(search_groups(flat_index<l2>(dim), query, 5, group_of).empty());
    CHECK_THROWS_AS(search_groups(index, query, 5, group_of, {.per_group = 0}), error);
    const auto fails = [](std::uint64_t id) -> int { throw std::runtime_error("group of " + std::to_string(id)); };
    CHECK_THROWS_AS(search_groups(index, query, 5, fails), std::runtime_error);
    const auto lies = [n = 0](std::uint64_t) mutable { return ++n; };  // never the same: found, and not for ever
    static_assert(!group_function<decltype(lies), std::uint64_t>);
    static int calls = 0;
    CHECK(search_groups(index, query, 5, [](std::uint64_t) { return ++calls; }, {.per_group = 3}).size() == 5);
}
