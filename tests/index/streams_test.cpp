// SPDX-License-Identifier: MIT
// What the streams of `nearest` promise besides finding rows: an order by (distance, id), and to own what they use.
#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/ivf.hpp"

namespace {

using namespace vicinal_test;
using hits = std::vector<vicinal::neighbor<std::uint64_t>>;

/// How many different vectors there are.
std::size_t distinct(const dataset& rows) {
    std::set<std::vector<float>> vectors;
    for (std::size_t r = 0; r < rows.rows(); ++r) vectors.emplace(rows[r].begin(), rows[r].end());
    return vectors.size();
}

using flat = vicinal::flat_index<>;
using ivf = vicinal::ivf_index<>;
using hnsw = vicinal::hnsw_index<vicinal::l2, vicinal::f32>;

constexpr std::size_t dim = 2;

/// Small whole numbers: many rows are at one distance from any of them.
dataset grid(std::size_t rows) {
    return make_rows(rows, dim, [](std::size_t r, std::size_t d) { return d == 0 ? r % 13 : r / 13 % 13; });
}
/// Ids whose order is none of the rows'.
std::vector<std::uint64_t> shuffled(std::size_t count) {
    std::vector<std::uint64_t> ids(count);
    for (std::size_t i = 0; i < count; ++i) ids[i] = (i * 7919 + 11) % 100'003;
    return ids;
}
template <class Index>
Index filled(const dataset& rows) {
    Index index(dim);
    index.add(shuffled(rows.rows()), rows.view());
    return index;
}
/// Parameters by which an index looks everywhere before it gives anything.
template <class Index>
typename Index::search_params everywhere(std::size_t rows) {
    typename Index::search_params how;
    if constexpr (requires { how.nprobe; }) how.nprobe = rows;
    if constexpr (requires { how.ef; }) how.ef = rows;
    return how;
}
template <class Stream>
hits all_of(Stream&& stream) {
    hits found;
    for (const auto& hit : stream) found.push_back(hit);
    return found;
}
/// All rows, as a scan in double orders them.
hits sorted(const dataset& rows, std::span<const float> query) {
    std::vector<std::pair<double, std::uint64_t>> order;
    const auto ids = shuffled(rows.rows());
    for (std::size_t r = 0; r < rows.rows(); ++r) {
        double sum = 0;
        for (std::size_t d = 0; d < dim; ++d) {
            const double difference = double{query[d]} - double{rows[r][d]};
            sum += difference * difference;
        }
        order.emplace_back(sum, ids[r]);
    }
    std::sort(order.begin(), order.end());
    hits expected;
    for (const auto& [distance, id] : order) expected.push_back({id, static_cast<float>(distance)});
    return expected;
}

TEMPLATE_TEST_CASE("stream: rows come by distance, those at one distance by id", "", flat, ivf, hnsw) {
    const dataset rows = grid(600);
    const auto index = filled<TestType>(rows);
    for (const std::size_t q : {0U, 84U, 300U}) {
        CAPTURE(q);
        CHECK(all_of(index.nearest(rows[q], everywhere<TestType>(600))) == sorted(rows, rows[q]));
    }
}

TEST_CASE("stream: rows at one distance come by id though they are more than the window holds") {
    const dataset rows = make_rows(500, dim, [](std::size_t r, std::size_t) { return r < 350 ? 1 : 3 + r % 2; });
    const auto index = filled<hnsw>(rows);
    const hits expected = sorted(rows, rows[0]);
    for (const std::size_t ef : {1U, 2U, 64U, 400U}) {
        CAPTURE(ef);
        CHECK(all_of(index.nearest(rows[0], {.ef = ef})) == expected);
    }
}

TEST_CASE("stream: 0 and -0 are the same distance") {
    vicinal::hnsw_index<vicinal::inner_product, vicinal::f32> index(dim);
    const float minus[2] = {-1, 0}, plus[2] = {1, 0}, across[2] = {0, 1};
    index.add(9, minus);
    index.add(4, plus);
    index.add(7, minus);
    index.add(5, plus);
    std::vector<std::uint64_t> ids;
    for (const auto& hit : index.nearest(across)) ids.push_back(hit.id);
    CHECK(ids == std::vector<std::uint64_t>{4, 5, 7, 9});
}

TEMPLATE_TEST_CASE("stream: a window wider than the index gives what a window of all rows gives", "", flat, ivf, hnsw) {
    const dataset rows = grid(300);
    const auto index = filled<TestType>(rows);
    const hits expected = sorted(rows, rows[5]);
    constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
    for (const std::size_t number : {std::size_t{301}, most / 2, most - 1, most}) {
        CAPTURE(number);
        auto how = everywhere<TestType>(number);
        how.rerank = number;
        how.threads = number;
        CHECK(all_of(index.nearest(rows[5], how)) == expected);
    }
    const TestType empty(dim);
    CHECK(all_of(empty.nearest(rows[5], everywhere<TestType>(most))).empty());
}

/// Cannot be copied, and counts what it is asked once it is closed.
struct probe {
    std::shared_ptr<bool> open = std::make_shared<bool>(true);
    std::shared_ptr<int> late = std::make_shared<int>(0);
    probe() = default;
    probe(const probe&) = delete;
    probe& operator=(const probe&) = delete;
    bool operator()(std::uint64_t id) const {
        if (!*open) ++*late;
        return id % 2 == 0;
    }
};

TEMPLATE_TEST_CASE("stream: a filter, and what it refers to, need not outlive the call", "", flat, ivf, hnsw) {
    const dataset rows = grid(400);
    const auto index = filled<TestType>(rows);
    hits expected = sorted(rows, rows[3]);
    std::erase_if(expected, [](const auto& hit) { return hit.id % 2 != 0; });
    auto how = everywhere<TestType>(400);
    SECTION("one that cannot be copied") {
        std::optional<probe> filter(std::in_place);
        const auto open = filter->open;
        const auto late = filter->late;
        how.filter = *filter;
        auto stream = index.nearest(rows[3], how);
        filter.reset();
        *open = false;
        CHECK(all_of(stream) == expected);
        CHECK(*late == 0);
    }
    SECTION("one that refers to what is gone") {
        auto wanted = std::make_unique<std::set<std::uint64_t>>();
        for (const auto& hit : expected) wanted->insert(hit.id);
        auto stream = [&] {
            const auto holds = [&set = *wanted](std::uint64_t id) { return set.count(id) != 0; };
            how.filter = holds;
            return index.nearest(rows[3], how);
        }();
        wanted.reset();
        CHECK(all_of(stream) == expected);
    }
    SECTION("a set") {
        std::vector<std::uint64_t> ids;
        for (const auto& hit : expected) ids.push_back(hit.id);
        auto set = std::make_unique<vicinal::id_set<std::uint64_t>>(ids);
        how.filter = *set;
        auto stream = index.nearest(rows[3], how);
        set.reset();
        CHECK(all_of(stream) == expected);
    }
}

TEMPLATE_TEST_CASE("stream: statistics need not outlive the call; what is done later the stream itself says", "", flat,
                   ivf, hnsw) {
    const dataset rows = grid(400);
    const auto index = filled<TestType>(rows);
    const auto before = index.counters();
    auto gone = std::make_unique<vicinal::search_stats>();
    typename TestType::search_params how;
    how.stats = gone.get();
    {
        auto stream = index.nearest(rows[0], how);
        CHECK(stream.stats().distances == gone->distances);
        CHECK(stream.stats().hops == gone->hops);
        gone.reset();
        CHECK(all_of(stream).size() == 400);
        CHECK(stream.stats().distances >= distinct(rows));  // a graph measures copies of one vector once
        const auto moved = std::move(stream);
        CHECK(stream.stats().distances == 0);  // NOLINT: what a stream that was moved from says is promised
        CHECK(all_of(stream).empty());         // NOLINT
        CHECK(index.counters().searches == before.searches + (std::is_same_v<TestType, flat> ? 1 : 0));
    }
    CHECK(index.counters().searches == before.searches + 1);
}

TEMPLATE_TEST_CASE("stream: no id comes twice, whatever changes, and each at a distance it had", "", flat, ivf, hnsw) {
    const dataset rows = grid(400);
    auto index = filled<TestType>(rows);
    const auto ids = shuffled(400);
    std::map<std::uint64_t, std::set<float>> had;
    for (const auto& hit : sorted(rows, rows[0])) had[hit.id].insert(hit.distance);
    std::set<std::uint64_t> seen;
    std::set<std::uint64_t> moved;  // closer than what had been given by then: they may be missed
    std::size_t given = 0;
    for (const auto& hit : index.nearest(rows[0], everywhere<TestType>(1))) {  // places not seen yet are left
        REQUIRE(seen.insert(hit.id).second);
        CHECK(had[hit.id].count(hit.distance) == 1);
        if (++given != 100) continue;
        const float far[2] = {30, 30}, near[2] = {0.5F, 0};
        for (const std::uint64_t id : std::vector<std::uint64_t>(seen.begin(), seen.end())) {
            if (id % 2 == 0) {
                index.update(id, far);
            } else {  // gone, and back in another place
                index.remove(id);
                index.remove(90'000);
                index.add(90'000, near);
                index.add(id, far);
            }
            had[id].insert(1800);
        }
        had[90'000].insert(0.25F);
        for (std::size_t i = 0; i < 400; i += 3)
            if (seen.count(ids[i]) == 0) {
                index.update(ids[i], near);
                had[ids[i]].insert(0.25F);
                moved.insert(ids[i]);
            }
        for (std::size_t r = 0; r < 1500; ++r) {  // places of rows that were removed are used again
            index.add(95'000, near);
            index.remove(95'000);
        }
        had[95'000].insert(0.25F);
        for (const std::uint64_t id : std::vector<std::uint64_t>(seen.begin(), seen.end())) {  // some take such places
            index.update(id, far);
            had[id].insert(1800);
        }
    }
    for (const std::uint64_t id : ids) CHECK(seen.count(id) + moved.count(id) > 0);
}

TEMPLATE_TEST_CASE("stream: a filter is asked again about a place that another id has taken", "", flat, ivf, hnsw) {
    const dataset rows = grid(300);
    auto index = filled<TestType>(rows);
    const auto ids = shuffled(300);
    auto how = everywhere<TestType>(1);
    const auto filter = [](std::uint64_t id) { return id < 200'000; };
    how.filter = filter;
    auto stream = index.nearest(rows[0], how);
    auto at = stream.begin();
    for (std::size_t i = 50; i < 300; ++i) index.remove(ids[i]);
    for (std::size_t i = 0; i < 2000; ++i) {
        index.add(200'000 + i, rows[i % 300]);
        if (i >= 250) index.remove(200'000 + i - 250);
    }
    for (; at != stream.end(); ++at) REQUIRE(at->id < 200'000);
}

TEMPLATE_TEST_CASE("stream: it goes on while the index is emptied and filled again", "", flat, ivf, hnsw) {
    const dataset rows = grid(300);
    auto index = filled<TestType>(rows);
    auto stream = index.nearest(rows[0], everywhere<TestType>(1));
    auto at = stream.begin();
    for (int i = 0; i < 10; ++i) ++at;
    for (const std::uint64_t id : shuffled(300)) index.remove(id);
    index.add(1, rows[0]);
    std::size_t left = 0;
    for (++at; at != stream.end(); ++at) left += at->id == 1 ? 1 : 2;
    CHECK(left <= 1);
}

}  // namespace
