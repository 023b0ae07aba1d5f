# SPDX-License-Identifier: MIT
"""What a batch finds its links by, and vectors too short to store."""
GROUPS = {
    "batches": ["index/hnsw_batch_test.cpp"],
    "short": ["storage/validation_test.cpp"],
}
BUGS = [
    ("copies that order nothing are believed", "batches", "index/hnsw/graph/build.hpp", "&& !ordered_alike(found)) return false", "&& false) return false"),
    ("a row found by useless copies keeps its links", "batches", "index/hnsw/graph/build.hpp",
     "if (pick(i, exact, coarse.from(slots_[i]), rows, any_retired, is_live)) return;",
     "(void)pick(i, exact, coarse.from(slots_[i]), rows, any_retired, is_live); return;"),
    ("rows whose squares underflow are stored", "short", "storage/validation.hpp", "if (is_vanishing(vector, squares)) {", "if (false) {"),
    ("denormal components count as zero", "short", "storage/validation.hpp", "& 0x7FFFFFFFU) != 0) return true", "& 0x7F800000U) != 0) return true"),
    ("a half of two levels rounds rows away", "short", "storage/validation.hpp",
     "        require_resolvable<typename Codec::coarse>(what, vector, squares);\n", ""),
]
