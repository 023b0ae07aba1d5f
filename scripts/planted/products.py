# SPDX-License-Identifier: MIT
"""By what distances the links of an inner product's graph are chosen."""
GROUPS = {
    "shared_means": ["index/hnsw_products_test.cpp"],
    "reverse_links": ["index/hnsw_reverse_links_test.cpp"],
}
BUGS = [
    ("rows are linked as they are", "shared_means", "index/hnsw/graph/link_distances.hpp",
     "if (!mean_.empty()) return from_centered(slot);", "if (false) return from_centered(slot);"),
    ("products as they are choose nothing", "shared_means", "index/hnsw/graph/link_distances.hpp",
     "std::size_t places = (limit - (std::min)(limit, kept)) * 7 / 8;", "std::size_t places = 0;"),
    ("rows with few links are left so", "shared_means", "index/hnsw/graph/link_distances.hpp", "return 4 * count < limit;",
     "return count > limit;"),
    ("far rows pull the mean", "shared_means", "index/hnsw/graph/link_distances.hpp", "if (distances[s] > 16 * *middle) continue;", ""),
    ("any mean is worth taking off", "shared_means", "index/hnsw/graph/link_distances.hpp", "squares > negligible)", "squares > 0)"),
    ("the mean follows growth alone", "shared_means", "index/hnsw/graph/link_distances.hpp",
     "(std::min)(learned_at_, live) / 4)", "learned_at_)"),
    ("a file's mean is learned from other rows", "shared_means", "index/hnsw/graph/link_distances.hpp",
     "(changes_ == 0 ? before : changes_) + count", "changes_ + count"),
    ("a batch taken back leaves its mean", "shared_means", "index/hnsw/graph/take_back.hpp",
     "        std::swap(index.mean, mean_before);\n", "        (void)mean_before;\n"),
    ("repairs choose links by rows as they are", "shared_means", "index/hnsw/graph/consolidate.hpp",
     "          own_(metric, store, mean),\n          between_(metric, store, mean) {}",
     "          own_(metric, store),\n          between_(metric, store) { (void)mean; }"),
    ("reverse links are sorted by the other side's distances", "reverse_links", "index/hnsw/graph/build.hpp",
     "own.centers() ? distances[had + i] : u.sources[i].source.distance", "u.sources[i].source.distance"),
]
