// SPDX-License-Identifier: MIT
// What every index promises with every metric and codec: searches and changes. Files are in file_contract_test.cpp,
// refusals in refusals_test.cpp.
#include "contract/index_contract.hpp"

#include <cmath>
#include <iterator>
#include <limits>
#include <set>

namespace vicinal_test {
std::vector<const subject*>& subjects() {
    static std::vector<const subject*> all;
    return all;
}
}  // namespace vicinal_test

namespace {

using namespace vicinal_test;

const float infinity = std::numeric_limits<float>::infinity();

/// How far a component may be from what was given, by the codec.
double codec_error(const subject& s, double x, double range) {
    const double rounding = 1e-7 * std::abs(x) + 1e-30;
    if (s.codec == "f32") return rounding;
    if (s.codec == "f16") return std::abs(x) * 0x1p-11 + 0x1p-25 + rounding;
    if (s.codec == "bf16") return std::abs(x) * 0x1p-8 + rounding;
    if (s.codec == "sq8") return range / 255 * 0.5001 + 1e-6 * range;
    if (s.codec == "sq4") return range / 2;  // what lies outside its range is cut off; see codec/sq4_test.cpp
    if (s.codec == "i8") return 0.5 + rounding + std::max(0.0, std::abs(x) - 127);  // see given_rows
    if (s.codec == "u8") return 0.5 + rounding + std::max(0.0, -x);
    if (s.codec == "bits") return rounding;  // of zeros and ones, which hamming and jaccard store
    if (s.codec == "eighths") return 0.0625 + rounding;
    if (s.codec == "pq") return range;  // of few rows; see codec/pq_test.cpp
    // The error is spread over all components, as a bell curve; see codec/rabitq_test.cpp.
    if (s.codec.starts_with("rabitq")) return 1.5 * range / static_cast<double>(1U << (s.codec.back() - '0'));
    throw std::logic_error("no error bound for codec " + s.codec);
}

/// Rows as the metric has them stored.
dataset prepared(const subject& s, dataset rows) {
    if (is_binary(s)) {
        dataset ones = rows;
        for (float& x : ones.values) x = x > 0 ? 1.0F : 0.0F;
        return ones;
    }
    if (s.metric != "cosine" || stores_whole(s)) return rows;
    for (std::size_t r = 0; r < rows.rows(); ++r) {
        double norm = 0;
        for (const float x : rows[r]) norm += double{x} * double{x};
        for (float& x : rows[r]) x = static_cast<float>(x / std::sqrt(norm));
    }
    return rows;
}

dataset queries_for(const dataset& rows, std::size_t count = 5, std::uint64_t seed = 77) {
    dataset made = gaussian(count, rows.dim, seed);
    std::copy_n(rows.values.begin(), rows.dim, made.values.begin());  // the first is a row itself
    return made;
}

std::vector<dataset> hard_sets(std::size_t dim) {
    return {gaussian(150, dim),  clustered(150, dim, 7, 20), duplicates(150, dim, 3), all_equal(100, dim),
            collinear(120, dim), with_outlier(120, dim),     ordered(120, dim),       lattice(150, dim)};
}
const char* const hard_names[] = {"gaussian",  "clustered",    "duplicates", "all equal",
                                  "collinear", "with outlier", "ordered",    "lattice"};

}  // namespace

// ---- what goes in
// ----------------------------------------------------------------------------------------------------

TEST_CASE("index contract: a new index is empty and finds nothing") {
    FOR_EVERY_INDEX(s);
    const index_ptr index = s.make(5);
    const vector_t query(5, 1.0F);
    REQUIRE(index->size() == 0);
    REQUIRE(index->empty());
    REQUIRE(index->dim() == 5);
    REQUIRE_FALSE(index->contains(0));
    REQUIRE_FALSE(index->remove(0));
    for (const bool all : {false, true}) {
        asking how;
        how.everything = all;
        REQUIRE(index->search(query, 10, how).empty());
        REQUIRE(index->search_within(query, infinity, how).empty());
        auto stream = index->nearest(query, how);
        REQUIRE(stream.begin() == stream.end());
        const dataset queries = gaussian(3, 5);
        const auto table = index->search(queries.view(), 4, how);
        REQUIRE(table.size() == 3);
        for (std::size_t i = 0; i < 3; ++i) REQUIRE(table[i].empty());
    }
    REQUIRE(index->check().ok());
    REQUIRE(index->memory().total > 0);
    REQUIRE(index->add({}, matrix_view<const float>{}) == 0);
}

TEST_CASE("index contract: get gives back what was added within the codec's error") {
    FOR_EVERY_INDEX(s);
    const filled f(s, gaussian(200, 33));
    const dataset stored = prepared(s, f.rows);
    const auto [low, high] = std::minmax_element(stored.values.begin(), stored.values.end());
    const double range = double{*high} - double{*low};
    REQUIRE(f.index->size() == 200);
    for (std::size_t r = 0; r < f.rows.rows(); ++r) {
        if (!f.index->contains(f.ids[r])) FAIL("id " << f.ids[r] << " is not there");
        const vector_t& got = f.held.at(f.ids[r]);
        REQUIRE(got.size() == 33);
        for (std::size_t d = 0; d < 33; ++d)
            if (!(std::abs(double{got[d]} - double{stored[r][d]}) <= codec_error(s, stored[r][d], range)))
                FAIL("component " << d << " of row " << r << " is " << got[d] << ", was " << stored[r][d]);
    }
    for (const std::uint64_t absent : {std::uint64_t{0}, std::uint64_t{99}, std::uint64_t{101}, ~std::uint64_t{0}})
        REQUIRE_FALSE(f.index->contains(absent));
}

TEST_CASE("index contract: a vector added alone is stored as one of a batch is") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(100, 17));
    f.index->add(7, f.rows[3]);
    REQUIRE(f.index->size() == 101);
    REQUIRE(f.index->get(7) == f.index->get(f.ids[3]));
    REQUIRE(f.index->check().ok());
}

TEST_CASE("index contract: a trained index takes vectors one by one") {
    FOR_EVERY_INDEX(s);
    const dataset rows = gaussian(120, 9);
    const index_ptr index = s.make(9);
    index->train(rows.view());
    REQUIRE(index->empty());
    vectors_t held;
    for (std::size_t r = 0; r < rows.rows(); ++r) {
        index->add(r, rows[r]);
        held.emplace(r, index->get(r));
    }
    REQUIRE(index->check().ok());
    const expectation expected = expect(s, held);
    for (std::size_t r = 0; r < rows.rows(); r += 13)
        expected.require_closest(rows[r], 7, index->search(rows[r], 7, exhaustive()));
}

// ---- searches
// --------------------------------------------------------------------------------------------------------

TEST_CASE("index contract: looking everywhere finds the same as a naive search in double precision") {
    FOR_EVERY_INDEX(s);
    for (const std::size_t dim : {1U, 3U, 7U, 33U, 100U, 223U}) {
        INFO("dim " << dim);
        const filled f(s, gaussian(dim > 50 ? 60 : 150, dim));
        const dataset queries = queries_for(f.rows, 3);
        for (std::size_t q = 0; q < queries.rows(); ++q)
            for (const std::size_t k : {std::size_t{1}, std::size_t{10}, f.rows.rows()})
                f.expect(s).require_closest(queries[q], k, f.index->search(queries[q], k, exhaustive()));
    }
}

TEST_CASE("index contract: 1025 dimensions are searched as few are") {
    FOR_EVERY_INDEX(s);
    const filled f(s, gaussian(20, 1025));
    f.expect(s).require_closest(f.rows[4], 20, f.index->search(f.rows[4], 20, exhaustive()));
    REQUIRE(f.index->check().ok());
}

TEST_CASE("index contract: looking everywhere is exact on hard data") {
    FOR_EVERY_INDEX(s);
    const auto sets = hard_sets(12);
    for (std::size_t i = 0; i < sets.size(); ++i) {
        INFO(hard_names[i]);
        const filled f(s, sets[i]);
        REQUIRE(f.index->check().ok());
        const dataset queries = queries_for(f.rows, 3);
        for (std::size_t q = 0; q < queries.rows(); ++q)
            f.expect(s).require_closest(queries[q], 10, f.index->search(queries[q], 10, exhaustive()));
    }
}

TEST_CASE("index contract: a search by default returns k sorted neighbours at their true distances") {
    FOR_EVERY_INDEX(s);
    const auto sets = hard_sets(12);
    for (std::size_t i = 0; i < sets.size(); ++i) {
        INFO(hard_names[i]);
        const filled f(s, sets[i]);
        const dataset queries = queries_for(f.rows, 3);
        for (std::size_t q = 0; q < queries.rows(); ++q) {
            const hits_t hits = f.index->search(queries[q], 10);
            REQUIRE(hits.size() == 10);
            f.expect(s).require_sound(queries[q], hits);
        }
    }
}

TEST_CASE("index contract: k of 0 returns nothing") {
    FOR_EVERY_INDEX(s);
    const filled f(s, gaussian(50, 4));
    for (const bool all : {false, true}) {
        asking how;
        how.everything = all;
        REQUIRE(f.index->search(f.rows[0], 0, how).empty());
        REQUIRE(f.index->search(f.rows[0], std::span<neighbor<>>{}, how) == 0);
        const auto table = f.index->search(f.rows.view(0, 3), 0, how);
        REQUIRE(table.size() == 3);
        REQUIRE(table[2].empty());
    }
}

TEST_CASE("index contract: k larger than size returns size") {
    FOR_EVERY_INDEX(s);
    const filled f(s, gaussian(70, 6));
    for (const std::size_t k : {std::size_t{70}, std::size_t{71}, std::size_t{1000}, ~std::size_t{0}}) {
        INFO("k " << k);
        f.expect(s).require_closest(f.rows[0], k, f.index->search(f.rows[0], k));
        f.expect(s).require_closest(f.rows[1], k, f.index->search(f.rows.view(), k)[1]);
    }
}

TEST_CASE("index contract: an index of one row finds it") {
    FOR_EVERY_INDEX(s);
    const filled f(s, gaussian(1, 8));
    const dataset queries = gaussian(1, 8, 5);
    for (const std::size_t k : {1U, 2U, 100U})
        f.expect(s).require_closest(queries[0], k, f.index->search(queries[0], k));
    REQUIRE(f.index->check().ok());
    REQUIRE(f.index->remove(f.ids[0]));
    REQUIRE(f.index->search(queries[0], 3).empty());
}

TEST_CASE("index contract: equal distances are ordered by id and the lower ids are kept") {
    FOR_EVERY_INDEX(s);
    filled f(s, all_equal(90, 10));
    const hits_t all = f.index->search(f.rows[0], 90, exhaustive());
    REQUIRE(all.size() == 90);
    for (std::size_t i = 0; i < all.size(); ++i) REQUIRE(all[i].id == f.ids[i]);
    const hits_t few = f.index->search(f.rows[0], 10, exhaustive());
    REQUIRE(std::equal(few.begin(), few.end(), all.begin()));
    // A row that came later, in a place of its own or a used one, has no less right to a low id.
    f.index->remove(f.ids[50]);
    f.index->add(1, f.rows[0]);
    f.index->add(0, f.rows[0]);
    const hits_t now = f.index->search(f.rows[0], 3, exhaustive());
    REQUIRE(now.size() == 3);
    REQUIRE(now[0].id == 0);
    REQUIRE(now[1].id == 1);
    REQUIRE(now[2].id == f.ids[0]);
}

TEST_CASE("index contract: a copy of a row under another id is found beside it") {
    FOR_EVERY_INDEX(s);
    const filled f(s, duplicates(200, 11, 4));
    const hits_t hits = f.index->search(f.rows[0], 50, exhaustive());
    f.expect(s).require_closest(f.rows[0], 50, hits);
    for (std::size_t i = 1; i < hits.size(); ++i)
        if (f.held.at(hits[i].id) == f.held.at(hits[0].id)) REQUIRE(hits[i].distance == hits[0].distance);
}

TEST_CASE("index contract: a search into the caller's memory writes what the other returns") {
    FOR_EVERY_INDEX(s);
    const filled f(s, gaussian(120, 21));
    for (const bool all : {false, true})
        for (const std::size_t k : {1U, 13U, 120U, 150U}) {
            asking how;
            how.everything = all;
            const hits_t hits = f.index->search(f.rows[5], k, how);
            hits_t room(k, neighbor<>{4711, -1.0F});
            REQUIRE(f.index->search(f.rows[5], std::span(room), how) == hits.size());
            REQUIRE(std::equal(hits.begin(), hits.end(), room.begin()));
            for (std::size_t i = hits.size(); i < k; ++i) REQUIRE(room[i] == neighbor<>{4711, -1.0F});
        }
}

TEST_CASE("index contract: a batch search finds what single searches find with any number of threads") {
    FOR_EVERY_INDEX(s);
    const filled f(s, clustered(250, 15, 9));
    const dataset queries = queries_for(f.rows, 23);
    for (const std::size_t threads : {1U, 2U, 3U, 8U}) {
        asking how;
        how.threads = threads;
        const auto table = f.index->search(queries.view(), 9, how);
        REQUIRE(table.size() == queries.rows());
        for (std::size_t q = 0; q < queries.rows(); ++q) {
            const hits_t alone = f.index->search(queries[q], 9);
            if (!std::equal(alone.begin(), alone.end(), table[q].begin(), table[q].end()))
                FAIL("query " << q << " differs with " << threads << " threads");
        }
    }
}

TEST_CASE("index contract: a batch of queries may have a stride") {
    FOR_EVERY_INDEX(s);
    const filled f(s, gaussian(60, 6));
    const dataset wide = gaussian(8, 10, 9);
    const matrix_view<const float> queries(wide.values.data(), 8, 6, 10);
    const auto table = f.index->search(queries, 5, exhaustive());
    for (std::size_t q = 0; q < 8; ++q) f.expect(s).require_closest(queries[q], 5, table[q]);
}

TEST_CASE("index contract: rerank of fewer than k still returns k") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(80, 6));
    asking how;
    how.rerank = 1;
    REQUIRE(f.index->search(f.rows[0], 10, how).size() == 10);
    for (std::size_t i = 0; i < 80; i += 2)
        f.index->remove(f.ids[i]);  // those just removed may still be walked through
    for (std::size_t q = 0; q < 80; ++q) REQUIRE(f.index->search(f.rows[q], 10, how).size() == 10);
}

TEST_CASE("index contract: statistics are added to the caller's") {
    FOR_EVERY_INDEX(s);
    const filled f(s, gaussian(200, 33));
    vicinal::search_stats stats;
    asking how = exhaustive();
    how.stats = &stats;
    static_cast<void>(f.index->search(f.rows[0], 10, how));
    REQUIRE(stats.distances >= 200);
    REQUIRE(stats.seconds > 0);
    REQUIRE((stats.hops > 0) == (s.kind == "hnsw"));
    REQUIRE((stats.lists > 0) == (s.kind == "ivf"));
    if (s.two_level) REQUIRE(stats.reranks > 0);
    const vicinal::search_stats once = stats;
    static_cast<void>(f.index->search(f.rows[0], 10, how));
    REQUIRE(stats.distances == 2 * once.distances);
    REQUIRE(stats.hops == 2 * once.hops);
    REQUIRE(stats.reranks == 2 * once.reranks);
    vicinal::search_stats batch;
    how.stats = &batch;
    how.threads = 2;
    const std::vector<float> same = [&] {
        std::vector<float> values;
        for (int i = 0; i < 4; ++i) values.insert(values.end(), f.rows[0].begin(), f.rows[0].end());
        return values;
    }();
    static_cast<void>(f.index->search(matrix_view<const float>(std::span<const float>(same), 33), 10, how));
    REQUIRE(batch.distances == 4 * once.distances);
    vicinal::search_stats within;
    how.stats = &within;
    static_cast<void>(f.index->search_within(f.rows[0], infinity, how));
    REQUIRE(within.distances >= 200);
}

// ---- filters
// ---------------------------------------------------------------------------------------------------------

namespace {

struct admitted_case {
    const char* name;
    std::vector<std::uint64_t> ids;
};

std::vector<admitted_case> admitted_cases(const filled& f) {
    std::vector<std::uint64_t> half;
    std::vector<std::uint64_t> few;
    for (std::size_t i = 0; i < f.ids.size(); i += 2) half.push_back(f.ids[i]);
    for (std::size_t i = 0; i < f.ids.size(); i += 29) few.push_back(f.ids[i]);
    return {{"none", {}}, {"one", {f.ids[17]}}, {"few", few}, {"half", half}, {"all", f.ids}, {"strangers", {1, 2, 5}}};
}

}  // namespace

TEST_CASE("index contract: a filter leaves exactly the admitted and as many as there are") {
    FOR_EVERY_INDEX(s);
    for (const dataset& rows : {gaussian(240, 9), clustered(240, 9, 6, 30), duplicates(240, 9, 2)}) {
        const filled f(s, rows);
        const dataset queries = queries_for(f.rows, 2);
        for (const auto& [name, ids] : admitted_cases(f)) {
            INFO("admitting " << name);
            const std::set<std::uint64_t> admitted(ids.begin(), ids.end());
            const vicinal::id_set<std::uint64_t> set(ids);
            REQUIRE(set.size() == ids.size());
            expectation expected = f.expect(s);
            expected.admits = [&](std::uint64_t id) { return admitted.count(id) != 0; };
            const auto predicate = [&](std::uint64_t id) { return admitted.count(id) != 0; };
            for (const bool as_set : {false, true}) {
                INFO("as a set: " << as_set);
                for (const bool all : {false, true}) {
                    asking how;
                    how.everything = all;
                    if (as_set)
                        how.filter = set;
                    else
                        how.filter = predicate;
                    for (std::size_t q = 0; q < queries.rows(); ++q)
                        for (const std::size_t k : {std::size_t{1}, std::size_t{10}, std::size_t{300}}) {
                            const hits_t hits = f.index->search(queries[q], k, how);
                            if (all) {
                                expected.require_closest(queries[q], k, hits);
                            } else {
                                REQUIRE(hits.size() == std::min(k, expected.admitted()));
                                expected.require_sound(queries[q], hits);
                            }
                        }
                    const hits_t within = f.index->search_within(queries[0], infinity, how);
                    expected.require_sound(queries[0], within);
                    REQUIRE(within.size() == expected.admitted());
                    std::size_t streamed = 0;
                    for (const auto& hit : f.index->nearest(queries[0], how)) {
                        if (admitted.count(hit.id) == 0) FAIL("id " << hit.id << " is not admitted");
                        ++streamed;
                    }
                    REQUIRE(streamed == expected.admitted());
                }
            }
        }
    }
}

TEST_CASE("index contract: filtering is the same as searching for all and filtering then") {
    FOR_EVERY_INDEX(s);
    const filled f(s, lattice(200, 8));
    asking how = exhaustive();
    const auto odd = [](std::uint64_t id) { return id % 2 == 1; };
    for (std::size_t q = 0; q < 5; ++q) {
        hits_t then = f.index->search(f.rows[q], 200, exhaustive());
        std::erase_if(then, [&](const auto& hit) { return !odd(hit.id); });
        how.filter = odd;
        REQUIRE(f.index->search(f.rows[q], 200, how) == then);
        then.resize(12);
        REQUIRE(f.index->search(f.rows[q], 12, how) == then);
    }
}

// ---- ranges and streams
// ----------------------------------------------------------------------------------------------

TEST_CASE("index contract: search_within returns rows within the radius and flat and ivf all of them") {
    FOR_EVERY_INDEX(s);
    for (const dataset& rows : {gaussian(200, 7), lattice(200, 7), clustered(200, 7, 5, 25)}) {
        const filled f(s, rows);
        const dataset queries = queries_for(f.rows, 4);
        for (std::size_t q = 0; q < queries.rows(); ++q) {
            const hits_t all = f.index->search(queries[q], 200, exhaustive());
            REQUIRE(all.size() == 200);
            for (const float radius : {all[0].distance, all[20].distance, all[150].distance, infinity, -infinity}) {
                INFO("radius " << radius);
                const hits_t within = f.index->search_within(queries[q], radius);
                if (s.kind == "hnsw")
                    f.expect(s).require_within_only(queries[q], radius, within);
                else
                    f.expect(s).require_within(queries[q], radius, within);
                const hits_t exhaustively = f.index->search_within(queries[q], radius, exhaustive());
                f.expect(s).require_within(queries[q], radius, exhaustively);
                if (radius == infinity) REQUIRE(within.size() == 200);
                if (radius == -infinity) REQUIRE(within.empty());
            }
        }
    }
}

TEST_CASE("index contract: nearest yields every row once and in order when it looks everywhere") {
    FOR_EVERY_INDEX(s);
    for (const dataset& rows : {gaussian(180, 7), duplicates(180, 7, 3), clustered(180, 7, 5, 25)}) {
        const filled f(s, rows);
        for (const bool all : {true, false}) {
            asking how;
            how.everything = all;
            hits_t streamed;
            for (const auto& hit : f.index->nearest(f.rows[8], how)) streamed.push_back(hit);
            REQUIRE(streamed.size() == 180);
            if (all) {
                const hits_t sorted = f.index->search(f.rows[8], 180, how);
                for (std::size_t i = 0; i < 180; ++i) REQUIRE(streamed[i].distance == sorted[i].distance);
                if (s.kind == "flat") REQUIRE(streamed == sorted);
            }
            std::sort(streamed.begin(), streamed.end(), vicinal::closer<std::uint64_t>);
            f.expect(s).require_closest(f.rows[8], 180, streamed);
        }
    }
}

TEST_CASE("index contract: a stream may be left early and asked twice at once") {
    FOR_EVERY_INDEX(s);
    const filled f(s, gaussian(100, 7));
    auto one = f.index->nearest(f.rows[1], exhaustive());
    auto two = f.index->nearest(f.rows[2], exhaustive());
    auto a = one.begin();
    auto b = two.begin();
    for (int i = 0; i < 5; ++i) {
        REQUIRE(a != one.end());
        REQUIRE(b != two.end());
        REQUIRE(a->distance <= std::next(f.index->search(f.rows[1], 6, exhaustive()).begin(), i)->distance);
        ++a;
        ++b;
    }
}

// ---- changes
// ---------------------------------------------------------------------------------------------------------

TEST_CASE("index contract: removed rows are gone and the others stay") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(200, 8));
    for (std::size_t i = 0; i < f.ids.size(); i += 2) {
        REQUIRE(f.index->remove(f.ids[i]));
        REQUIRE_FALSE(f.index->remove(f.ids[i]));
        REQUIRE_FALSE(f.index->contains(f.ids[i]));
        f.held.erase(f.ids[i]);
    }
    REQUIRE(f.index->size() == 100);
    REQUIRE(f.index->check().ok());
    REQUIRE(f.index->check().live == 100);
    for (std::size_t q = 0; q < 10; ++q) {
        f.expect(s).require_closest(f.rows[q], 12, f.index->search(f.rows[q], 12, exhaustive()));
        const hits_t hits = f.index->search(f.rows[q], 100);
        REQUIRE(hits.size() == 100);
        f.expect(s).require_sound(f.rows[q], hits);
        std::size_t streamed = 0;
        for (const auto& hit : f.index->nearest(f.rows[q])) streamed += f.held.count(hit.id);
        REQUIRE(streamed == 100);
        REQUIRE(f.index->search_within(f.rows[q], infinity).size() == 100);
    }
}

TEST_CASE("index contract: an updated row is found where it now is") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(150, 8));
    const dataset moved = gaussian(150, 8, 55);
    for (std::size_t i = 0; i < f.ids.size(); i += 3) {
        f.index->update(f.ids[i], moved[i]);
        f.held[f.ids[i]] = f.index->get(f.ids[i]);
    }
    REQUIRE(f.index->size() == 150);
    REQUIRE(f.index->check().ok());
    f.index->add(1, moved[30]);
    REQUIRE(f.index->get(1) == f.held[f.ids[30]]);
    REQUIRE(f.index->remove(1));
    for (std::size_t i = 0; i < 30; ++i)
        f.expect(s).require_closest(moved[i], 10, f.index->search(moved[i], 10, exhaustive()));
}

TEST_CASE("index contract: any order of changes leaves a sound index with what was put in") {
    FOR_EVERY_INDEX(s);
    numbers random(31);
    const dataset pool = clustered(400, 6, 10, 4);
    const index_ptr index = s.make(6);
    index->train(pool.view());
    vectors_t held;
    for (int step = 0; step < 60; ++step) {
        const std::uint64_t action = random.below(10);
        if (action < 3) {  // a batch
            std::vector<std::uint64_t> ids;
            std::vector<float> values;
            for (std::size_t i = 0; i < 1 + random.below(20); ++i) {
                const std::uint64_t id = random.below(300);
                if (held.count(id) != 0 || std::find(ids.begin(), ids.end(), id) != ids.end()) continue;
                ids.push_back(id);
                const auto row = pool[random.below(400)];
                values.insert(values.end(), row.begin(), row.end());
            }
            REQUIRE(index->add(ids, matrix_view<const float>(std::span<const float>(values), 6)) == ids.size());
            for (const std::uint64_t id : ids) held[id] = index->get(id);
        } else {
            const std::uint64_t id = random.below(300);
            const auto row = pool[random.below(400)];
            const bool present = held.count(id) != 0;
            REQUIRE(index->contains(id) == present);
            if (action < 5) {
                if (!present) index->add(id, row);
                held[id] = index->get(id);
            } else if (action < 7) {
                if (present) {
                    index->update(id, row);
                    held[id] = index->get(id);
                }
            } else {
                for (int i = 0; i < 6; ++i) {
                    const std::uint64_t victim = random.below(300);
                    REQUIRE(index->remove(victim) == (held.erase(victim) != 0));
                }
            }
        }
        REQUIRE(index->size() == held.size());
        const auto report = index->check();
        INFO("unreachable " << report.unreachable << ", dangling " << report.dangling << ", duplicate "
                            << report.duplicate << ", misplaced " << report.misplaced);
        REQUIRE(report.ok());
        REQUIRE(report.live == held.size());
        const expectation expected = expect(s, held);
        const auto query = pool[random.below(400)];
        expected.require_closest(query, 8, index->search(query, 8, exhaustive()));
        REQUIRE(index->search(query, 8).size() == std::min<std::size_t>(8, held.size()));
    }
}

TEST_CASE("index contract: an index can be drained and filled again and again") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(90, 5));
    for (int round = 0; round < 3; ++round) {
        INFO("round " << round);
        for (std::size_t i = 0; i < f.ids.size(); ++i) {
            REQUIRE(f.index->remove(f.ids[round == 1 ? f.ids.size() - 1 - i : i]));
            if (i % 20 == 0) REQUIRE(f.index->check().ok());
        }
        REQUIRE(f.index->empty());
        REQUIRE(f.index->search(f.rows[0], 3).empty());
        REQUIRE(f.index->check().ok());
        if (round == 1)
            for (std::size_t i = 0; i < f.ids.size(); ++i) f.index->add(f.ids[i], f.rows[i]);
        else
            REQUIRE(f.index->add(f.ids, f.rows.view()) == 90);
        REQUIRE(f.index->check().ok());
        f.expect(s).require_closest(f.rows[0], 10, f.index->search(f.rows[0], 10, exhaustive()));
    }
}

TEST_CASE("index contract: room that is made and given back changes no row and no answer") {
    FOR_EVERY_INDEX(s);
    const dataset rows = clustered(600, 12, 10);
    const auto ids = numbered<std::uint64_t>(600);
    const auto ordinary = s.make(12);
    const auto index = s.make(12);
    index->reserve(1000);
    for (const std::size_t first : {0U, 300U}) {
        REQUIRE(ordinary->add(std::span(ids).subspan(first, 300), rows.view(first, 300)) == 300);
        REQUIRE(index->add(std::span(ids).subspan(first, 300), rows.view(first, 300)) == 300);
        first == 0 ? index->reserve(700) : index->shrink_to_fit();
    }
    REQUIRE(difference(index->save(), ordinary->save()) == "none");
    for (std::uint64_t id = 0; id < 600; id += 1 + id % 3) {
        ordinary->remove(id);
        index->remove(id);
    }
    index->shrink_to_fit();
    REQUIRE(index->check().ok());
    REQUIRE(index->check().retired == 0);
    REQUIRE(index->search(rows[1], 10, exhaustive()) == ordinary->search(rows[1], 10, exhaustive()));
    ordinary->add(1000, rows[0]);
    index->add(1000, rows[0]);
    if (s.kind != "hnsw")  // links to removed rows were repaired
        REQUIRE(difference(index->save(), ordinary->save()) == "none");
}

TEST_CASE("index contract: memory is accounted for and does not grow by replacing rows") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(256, 16));
    const auto memory = f.index->memory();
    REQUIRE(memory.total > 0);
    REQUIRE(memory.vectors > 0);
    REQUIRE(memory.ids > 0);
    REQUIRE(memory.total >= memory.vectors + memory.ids + memory.links + memory.scratch);
    for (int round = 0; round < 12; ++round)
        for (std::size_t i = 0; i < f.ids.size(); ++i) f.index->update(f.ids[i], f.rows[(i + 1) % 256]);
    REQUIRE(f.index->memory().total <= 3 * memory.total);
}

// ---- threads
// ---------------------------------------------------------------------------------------------------------

TEST_CASE("index contract: the number of threads that add a batch changes no byte") {
    FOR_EVERY_INDEX(s);
    const dataset rows = clustered(700, 10, 12);
    const auto ids = numbered<std::uint64_t>(700);
    bytes_t one;
    for (const std::size_t threads : {1U, 2U, 3U, 8U}) {
        const index_ptr index = s.make(10);
        vicinal::add_params how;
        how.threads = threads;
        REQUIRE(index->add(std::span(ids).first(300), rows.view(0, 300), how) == 300);
        REQUIRE(index->add(std::span(ids).subspan(300), rows.view(300, 400), how) == 400);
        if (threads == 1)
            one = index->save();
        else
            REQUIRE(difference(index->save(), one) == "none");
    }
}

TEST_CASE("index contract: the number of threads that train, and that add where rows have gone, changes no byte") {
    FOR_EVERY_INDEX(s);
    const dataset rows = clustered(600, 10, 12);
    const auto ids = numbered<std::uint64_t>(600);
    bytes_t trained_by_one;
    bytes_t one;
    for (const std::size_t threads : {1U, 2U, 3U, 8U}) {
        const index_ptr index = s.make(10);
        vicinal::add_params how;
        how.threads = threads;
        index->train(rows.view(), how);
        const bytes_t trained = index->save();
        index->add(std::span(ids).first(200), rows.view(0, 200), how);
        for (std::size_t i = 0; i < 200; i += 5) index->remove(i);
        for (std::size_t i = 1; i < 200; i += 20) index->update(i, rows[400 + i]);
        index->add(std::span(ids).subspan(300), rows.view(300, 300), how);
        if (threads == 1) {
            trained_by_one = trained;
            one = index->save();
        }
        REQUIRE(difference(trained, trained_by_one) == "none");
        REQUIRE(difference(index->save(), one) == "none");
    }
}

TEST_CASE(
    "index contract: the number of threads that add a batch so large that a graph makes a guide changes no byte") {
    FOR_EVERY_INDEX(s);
    if (s.kind != "hnsw" || s.codec != "f32") return;
    const dataset rows = clustered(1100, 6, 12);
    const auto ids = numbered<std::uint64_t>(1100);
    bytes_t one;
    for (const std::size_t threads : {1U, 3U, 8U}) {
        const index_ptr index = s.make(6);
        vicinal::add_params how;
        how.threads = threads;
        REQUIRE(index->add(ids, rows.view(), how) == 1100);
        if (threads == 1) one = index->save();
        REQUIRE(difference(index->save(), one) == "none");
    }
}

TEST_CASE("index contract: an executor of the user's adds and searches as own threads do") {
    FOR_EVERY_INDEX(s);
    const dataset rows = gaussian(300, 6);
    const auto ids = numbered<std::uint64_t>(300);
    vicinal::thread_pool pool(3);
    const index_ptr own = s.make(6);
    const index_ptr users = s.make(6);
    vicinal::add_params how;
    REQUIRE(own->add(ids, rows.view(), how) == 300);
    how.executor = pool;
    REQUIRE(users->add(ids, rows.view(), how) == 300);
    REQUIRE(difference(own->save(), users->save()) == "none");
}
