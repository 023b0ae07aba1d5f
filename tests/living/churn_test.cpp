// SPDX-License-Identifier: MIT
// Rows that come and go leave a graph as good as one built anew. The long form is churn_bench
// (scripts/living_campaign.sh).
#include "../../benchmarks/churn/churn.hpp"

#include <algorithm>

#include "support/catch.hpp"
#include "support/data.hpp"

namespace {
using namespace vicinal_test;
}

TEST_CASE("living: a graph whose rows come and go finds as much as a fresh one and takes no more memory") {
    const dataset pool = clustered(1000, 12, 25);
    const dataset queries = clustered(200, 12, 25, 3, 77);
    std::size_t most =
        0;  // rows there ever were: the places of those that went stay between the others until rows come
    const auto check = [&](const char* kind, std::size_t cycle, const auto& index) {
        const churn::state now = index.look();
        most = std::max(most, now.live);
        INFO(kind << ", cycle " << cycle);
        CHECK(now.ok);
        CHECK(now.unreachable == 0);
        CHECK(now.recall >= now.fresh_recall - 0.002);
        CHECK(now.memory_ratio <= std::max(1.2, static_cast<double>(most) / static_cast<double>(now.live)));
    };
    churn::for_each_cycle<vicinal::hnsw_index<vicinal::l2, vicinal::f32>>(pool.view(), queries.view(), {8, 60, 1}, 9,
                                                                          check);
}
