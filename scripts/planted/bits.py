# SPDX-License-Identifier: MIT
"""Codes of one bit a component."""
GROUPS = {
    "bits": ["index/bits_test.cpp"],
    "bit_counts": ["simd/bit_counts_test.cpp"],
}
BUGS = [
    ("bits past a row's end count", "bit_counts", "simd/generic/bit_counts.hpp",
     "((std::uint64_t{1} << 8 * (bytes - at)) - 1)", "~std::uint64_t{0}"),
    ("common bits are those set in one", "bit_counts", "simd/generic/bit_counts.hpp", "? a ^ b : a & b", "? a ^ b : a | b"),
    ("queries of a batch pack into one place", "bits", "index/ivf/batch.hpp",
     "packs_queries ? packed_[q] : buffers.decoded", "buffers.decoded"),
    ("queries of signs pack into one place", "bits", "index/common/index_rows.hpp",
     "!(algorithm == scan_algorithm::sign_bounds && counts_bits<Metric, fine_codec>)", "true"),
    ("a scan's query lies where rows are decoded", "bits", "scoring/prefilter_sq.hpp",
     "counts_bits<Metric, Codec> ? made_of_query : row_buffer", "row_buffer"),
    ("empty sets are not equal", "bits", "metric/jaccard.hpp", "return differing == 0.0F ? 0.0F : ", "return "),
    ("the last components' bits are lost", "bits", "codec/bits.hpp", "return (dim + 7) / 8; }\n    [[nodiscard]] double",
     "return dim < 8 ? 1 : dim / 8; }\n    [[nodiscard]] double"),
    ("common bits are those of the first rows", "bits", "scoring/scorer.hpp",
     "out[i + j] = metric_.of_counts(out[i + j], common[j]);", "out[i + j] = metric_.of_counts(out[i + j], common[0]);"),
    ("a code may have bits past the last component", "bits", "codec/bits.hpp", "return dim % 8 == 0 ||", "return true ||"),
    ("rows far behind in a block are not looked at", "bits", "scoring/collectors.hpp",
     "Scorer::not_above(distances + 32, threshold)} << 32", "Scorer::not_above(distances, threshold)} << 32"),
]
