// SPDX-License-Identifier: MIT
// What scoring/prefilter_pq.hpp promises: no row that a scan asks for is ruled out, and most others are.
#include "vicinal/scoring/prefilter_pq.hpp"

#include <algorithm>
#include <bit>
#include <utility>
#include <vector>

#include "scoring/prefilter_support.hpp"
#include "support/reduced.hpp"

using namespace prefilter_test;
using vicinal::pq;

namespace {

/// The closest rows are among those of the lowest estimates.
template <class Metric>
void check_estimates(const shape& data) {
    INFO(data.name << ", " << Metric::name << ", dim " << data.rows.dim);
    const prefiltered<Metric, pq> s(data);
    const std::size_t n = data.rows.rows();
    std::size_t found = 0;
    for (std::size_t q = 0; q < s.queries.rows(); ++q) {
        padded_vector query, decoded, buffer;
        query.resize(data.rows.dim);
        std::copy_n(s.queries[q].data(), data.rows.dim, query.data());
        const estimating_scorer<Metric, pq, kernels> scorer(s.metric, s.store, query.data(), decoded, buffer);
        std::vector<std::pair<float, std::size_t>> exact, estimated;
        for (std::size_t first = 0; first < n; first += 64) {
            const std::size_t count = std::min<std::size_t>(64, n - first);
            float out[64];
            const std::byte* const row = scorer.rows()[static_cast<slot_t>(first)];
            const auto all = scorer.estimate(row, scorer.rows().stride, count, 1e30F, out);
            REQUIRE(std::popcount(all) == static_cast<int>(count));
            REQUIRE((count == 64 || all >> count == 0));
            const float middle = out[count / 2];
            float again[64];
            const auto close = scorer.estimate(row, scorer.rows().stride, count, middle, again);
            for (std::size_t i = 0; i < count; ++i) {
                REQUIRE(again[i] == out[i]);
                REQUIRE((close >> i & 1U) == (out[i] <= middle ? 1U : 0U));
                estimated.emplace_back(out[i], first + i);
                exact.emplace_back(scorer.score(static_cast<slot_t>(first + i)), first + i);
            }
        }
        std::sort(exact.begin(), exact.end());
        std::sort(estimated.begin(), estimated.end());
        for (std::size_t i = 0; i < 10; ++i)
            for (std::size_t j = 0; j < 16; ++j) found += exact[i].second == estimated[j].second ? 1 : 0;
    }
    CHECK(found >= 10 * s.queries.rows() * 90 / 100);
}

}  // namespace

TEST_CASE("prefilter_pq: estimates order rows nearly as their distances do") {
    for (const std::size_t dim : {7U, 32U, 65U, 128U, 514U}) {
        const shape even{"gaussian", gaussian(650, dim), gaussian(10, dim, 60)};
        const shape own{"uneven", uneven(gaussian(650, dim)), uneven(gaussian(10, dim, 61))};
        const shape far{"far off", moved(gaussian(650, dim), 30, 1), moved(gaussian(10, dim, 62), 30, 1)};
        for (const shape* data : {&even, &own, &far}) {
            check_estimates<vicinal::l2>(*data);
            check_estimates<vicinal::inner_product>(*data);
            if (data != &far) check_estimates<vicinal::cosine>(*data);  // there all are as far as each other
        }
    }
}

TEST_CASE("prefilter_pq: no row of pq within the threshold is ruled out") { check_all<pq>(); }

TEST_CASE("prefilter_pq: nor in any dimension from 1 to 70, or in wide ones") {
#if defined(VICINAL_TEST_REDUCED)
    constexpr std::size_t step = 3;  // every rest by the vectors' lengths is met
#else
    constexpr std::size_t step = 1;
#endif
    for (std::size_t dim = 1; dim <= 70; dim += step) {
        const shape data{"gaussian", gaussian(150, dim, dim), gaussian(2, dim, 60 + dim)};
        check<vicinal::l2, pq>(data);
        check<vicinal::inner_product, pq>(data);
        check<vicinal::cosine, pq>(data);
    }
    const shape widest{"widest", gaussian(130, 131100), gaussian(1, 131100, 6)};  // no tables
    CHECK(check<vicinal::l2, pq>(widest) == 1);
    for (const std::size_t dim : {2047U, 2049U, 4100U}) {  // more than add up within 16 bits
        const shape data{"gaussian", gaussian(150, dim, dim), gaussian(1, dim, 60 + dim)};
        check<vicinal::l2, pq>(data);
        check<vicinal::inner_product, pq>(data);
    }
}

TEST_CASE("prefilter_pq: rows beyond the threshold mostly are") {
    const shape even{"gaussian", gaussian(640, 128), gaussian(3, 128, 60)};
    const shape own{"uneven", uneven(gaussian(640, 128)), uneven(gaussian(3, 128, 61))};
    const shape far{"far off", moved(gaussian(640, 128), 30, 1), moved(gaussian(3, 128, 62), 30, 1)};
    CHECK(check<vicinal::l2, pq>(even) < 0.03);
    CHECK(check<vicinal::l2, pq>(own) < 0.03);
    CHECK(check<vicinal::l2, pq>(far) < 0.03);
    CHECK(check<vicinal::cosine, pq>(even) < 0.05);
    CHECK(check<vicinal::inner_product, pq>(own) < 0.05);
}
