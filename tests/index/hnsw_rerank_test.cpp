// SPDX-License-Identifier: MIT
// Which of the beam an hnsw_index scores again: all that could be among the closest, and few more.
#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/reference.hpp"
#include "vicinal/codecs.hpp"
#include "vicinal/hnsw.hpp"

namespace {

using namespace vicinal_test;

struct outcome {
    double same = 0;      // shares of all results: no farther than those of the whole beam's rerank
    double reranked = 0;  // rows a query
};

/// The default against a rerank of the whole beam.
template <class Coarse>
outcome compare(const dataset& rows, const dataset& queries, std::size_t k, std::size_t ef) {
    vicinal::hnsw_index<vicinal::l2, vicinal::two_level<Coarse, vicinal::f32>> index(rows.dim);
    REQUIRE(index.add(numbered<std::uint64_t>(rows.rows()), rows.view(), {.threads = 2}) == rows.rows());
    outcome sum;
    vicinal::search_stats stats;
    for (std::size_t q = 0; q < queries.rows(); ++q) {
        const auto whole = index.search(queries[q], k, {.ef = ef, .rerank = ef});
        const auto chosen = index.search(queries[q], k, {.ef = ef, .stats = &stats});
        REQUIRE(chosen.size() == k);
        for (std::size_t i = 0; i < k; ++i)  // closer only where it looked again, by vectors
            sum.same += chosen[i].distance <= whole[i].distance ? 1 / static_cast<double>(k) : 0;
    }
    const auto n = static_cast<double>(queries.rows());
    return {sum.same / n, static_cast<double>(stats.reranks) / n};
}

}  // namespace

TEST_CASE("hnsw rerank: fine codes leave few rows in doubt, and none is missed") {
    const auto seen = compare<vicinal::sq8>(gaussian(4000, 24), gaussian(200, 24, 71), 10, 120);
    REQUIRE(seen.same >= 0.9995);
    REQUIRE(seen.reranked >= 10);
    REQUIRE(seen.reranked <= 40);
}

TEST_CASE("hnsw rerank: coarse codes leave many in doubt, and hardly any is missed") {
    for (const dataset& rows : {gaussian(4000, 24), clustered(4000, 24, 40)}) {
        const auto seen = compare<vicinal::sq4>(rows, gaussian(200, 24, 72), 10, 120);
        REQUIRE(seen.same >= 0.995);
        REQUIRE(seen.reranked > 20);
    }
}

TEST_CASE("hnsw rerank: codes that an outlier stretches until all in the beam look alike hide hardly any row") {
    const auto seen = compare<vicinal::sq4>(with_outlier(3000, 16), gaussian(150, 16, 73), 10, 100);
    REQUIRE(seen.same >= 0.99);
}
