# SPDX-License-Identifier: MIT
"""Which rows codecs learn from, and how they learn on while an index grows."""
GROUPS = {
    "ordinary": ["codec/ordinary_rows_test.cpp"],
    "learning": ["index/learning_test.cpp"],
    "default": ["index/hnsw_default_test.cpp"],
}
LEARNING = "index/common/learning.hpp"
BUGS = [
    ("wild rows have a say", "ordinary", "codec/ordinary_rows.hpp", "if (off[i] <= most) kept_", "kept_"),
    ("any number of rows may be wild", "ordinary", "codec/ordinary_rows.hpp", "std::max<std::size_t>(1, size_ / 64)", "size_ / 8"),
    ("few rows are judged as many", "ordinary", "codec/ordinary_rows.hpp", "size_ < few ? 16.0F : 2.0F", "2.0F"),
    ("components are off in common units", "ordinary", "codec/ordinary_rows.hpp", "(std::max)(widest / 2,", "(std::max)(widest,"),
    ("what is below a range is not clipped", "ordinary", "codec/sq/affine_ranges.hpp", "static_cast<std::int32_t>(vector[i] < least_[i]) +", "0 +"),
    ("ranges creep", "ordinary", "codec/sq/sq8.hpp", "seen.whole ? 0.0F : high / 2 - low(i) / 2", "0.0F"),
    ("a wider range forgets the one before", "ordinary", "codec/sq/sq8.hpp", "seen.smallest[i] = low(i);", ";"),
    ("the first batch decides", "learning", LEARNING, "next_.growing = to_be() < Recoding::enough_rows(of_);\n        next_.learned_rows", "next_.growing = false;\n        next_.learned_rows"),
    ("rows are encoded again as decoded", "learning", "index/common/learner.hpp", "if (of_.directory.is_live(slot))\n            if", "if (false)\n            if"),
    ("nobody watches", "learning", LEARNING, "        if (!is_strained(all)) return;", "        return;"),
    ("a failed batch has taught", "learning", LEARNING, "            {\n                const auto exclusive = of_.locks.exclusive();\n                Recoding::exchange(of_, *recoded_);\n            }\n", ""),
    ("clipped rows are not counted", "learning", LEARNING, "            next_.clipped += learner.pending;\n", ""),
    ("exact vectors are kept for ever", "learning", LEARNING, "                learner.exact.release();\n            else", "                learner.exact.clear();\n            else"),
    ("lists keep the centroids of their first rows", "learning", "index/ivf/lists/training.hpp", "if (about_centroids(index)) fresh.centroids = means_of_lists", "if (false) fresh.centroids = means_of_lists"),
    ("equal codes make duplicates", "learning", "index/hnsw/graph/upcoming_rows.hpp",
     "return id != other_id && !tells_apart(exact.staged(id), leaves ? exact.kept(other_id) : exact.staged(other_id));",
     "return id != other_id && exact.size() + 1 > 0 && !(leaves && false);"),
    ("rows stay known by their codes of before", "learning", "index/hnsw/graph/recoding.hpp",
     "        index.known.exchange(with.known);\n", ""),
    ("an update to equal codes is none", "learning", "index/hnsw/changes.hpp",
     "!tells_apart(exact.kept(id), exact.staged(id))", "exact.size() + 1 > 0"),
    ("an order by codes is always trusted", "default", "index/common/search.hpp", "return inverted <= (std::max<std::size_t>)(1, pairs / 16);",
     "return inverted <= pairs;"),
    ("no order by codes is trusted", "default", "index/common/search.hpp", "return inverted <= (std::max<std::size_t>)(1, pairs / 16);",
     "return inverted > pairs;"),
    ("a beam of codes ends at k", "default", "index/hnsw/graph/walks.hpp", "near_only ? k + k / 4 : k", "k"),
    ("long rows are cut off where they count", "default", "hnsw.hpp",
     "return Metric::form == sum_form::squared_difference || preparing_metric<Metric>;", "return true;"),
]
