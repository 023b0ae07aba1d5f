# SPDX-License-Identifier: MIT
# Bugs of filtered searches that scan.
GROUPS = {"filter_scans": ["index/filter_scans_test.cpp"]}
BUGS = [
    ("far rows are looked for near the query", "filter_scans", "index/ivf/search.hpp", "static_cast<double>(met) < 0.7 * rate *", "static_cast<double>(met) < 0 * rate *"),
    ("a row of a list is taken for its neighbour", "filter_scans", "index/ivf/search.hpp", "return list.slots[positions[i]]; });", "return list.slots[positions[0]]; });"),
    ("lists that hold enough rows are too few", "filter_scans", "index/ivf/search.hpp", "met >= budget && collector.size() >= k) return;", "met >= 0) return;"),
]
