# SPDX-License-Identifier: MIT
# Bugs of filtered searches of graphs.
GROUPS = {"hnsw_filter": ["index/hnsw_filter_test.cpp"]}
BUGS = [
    ("what a walk found stands, however few", "hnsw_filter", "index/hnsw/graph/filtered.hpp", "(over && (found == out.size() || done.end == walk_end::everything))", "over"),
    ("a region without admitted rows is walked through", "hnsw_filter", "index/hnsw/graph/filtered.hpp", "return 2.5 * near_ < rate;", "return near_ > 2 + rate;"),
    ("walks have no budget", "hnsw_filter", "index/hnsw/graph/filtered_walk.hpp", "if (met_ >= most || spent_ >= budget) return false;", "if (met_ >= most) return false;"),
    ("two hops take rows that are not admitted", "hnsw_filter", "index/hnsw/graph/filtered_walk.hpp", "count += admitted ? 1U : 0U;", "count += 1U;"),
    ("two hops are one", "hnsw_filter", "index/hnsw/graph/filtered_walk.hpp", "looked_through < walk_.bridges.size() && count < most;", "looked_through < 0;"),
    ("nobody can choose two hops", "hnsw_filter", "index/hnsw/graph/filtered.hpp", "if (params.filter_strategy == filter_strategy::two_hop) return planned.only_by_two_hops();", ""),
    ("all is measured", "hnsw_filter", "index/hnsw/graph/filtered.hpp", "return plan.exact(most) < 7 * plan.looking();", "return plan.exact(most) >= 0;"),
    ("coarse codes decide", "hnsw_filter", "index/hnsw/graph/filtered.hpp", "if (!good && !ended) {", "if (!good && !ended && width == 0) {"),
    ("a filter is asked again about listed rows", "hnsw_filter", "index/hnsw/graph/filtered.hpp", "const row_selector<Id> selector(index.directory, any);", "const row_selector<Id> selector(index.directory, params.filter);"),
    ("removed rows are measured", "hnsw_filter", "index/common/admitted.hpp", "std::uint64_t live = directory.live_bits(slot, count);", "std::uint64_t live = count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;"),
]
