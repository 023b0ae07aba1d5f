# SPDX-License-Identifier: MIT
"""Scans of codes by columns, which the queries of a batch share."""
GROUPS = {
    "columns": ["simd/columns_test.cpp"],
    "codes_batch": ["index/codes_batch_test.cpp"],
}
PROBES = "index/ivf/lists/column_probes.hpp"
BUGS = [
    ("columns of the second 32 rows lie upon the first", "columns", "simd/fast_scan.hpp",
     "r += scan_lanes, columns += scan_lanes * column_count(bytes))", "r += scan_lanes)"),
    ("columns of missing rows are read", "columns", "simd/fast_scan.hpp",
     "                                 count - r < scan_lanes ? count - r : scan_lanes, bytes, columns);",
     "                                 scan_lanes, bytes, columns);"),
    ("sums of missing rows are close", "columns", "simd/fast_scan.hpp",
     "per_isa::scan_columns_32<Together>(tag_of<Isa>{}, columns, tables, dim, {1.0F, 0.0F}, out + r);\n"
     "        close |= std::uint64_t{not_above_32<Isa>(out + r, limit)} << r;\n    }\n"
     "    return close & ~std::uint64_t{0} >> (64 - count);",
     "per_isa::scan_columns_32<Together>(tag_of<Isa>{}, columns, tables, dim, {1.0F, 0.0F}, out + r);\n"
     "        close |= std::uint64_t{not_above_32<Isa>(out + r, limit)} << r;\n    }\n    return close;"),
    ("the second half's columns are the first's", "columns", "simd/generic/scan_by_16.hpp",
     "columns + half * column_count(dim / 8)", "columns"),
    ("a query meets its lists in the order of lists", "codes_batch", PROBES, "if (first != 0) {", "if (false) {"),
    ("a query measures its lists in another order", "codes_batch", PROBES,
     "const std::uint32_t list = probes_[query][first_probe + i];\n            const piece& of = pieces_[query * probes + i];",
     "const std::size_t back = (std::min)(probes, probes_[query].size() - first_probe) - 1 - i;\n"
     "            const std::uint32_t list = probes_[query][first_probe + back];\n"
     "            const piece& of = pieces_[query * probes + back];"),
    ("what there was no room for is not looked at", "codes_batch", PROBES,
     "            if (!of.kept)\n                scan_alone(query, list, before_block);\n            else if (", "            if ("),
    ("a query keeps by the limit of its neighbour", "codes_batch", PROBES,
     "limit_of(collectors_[queries[i]].threshold())", "limit_of(collectors_[queries[0]].threshold())"),
    ("codes are measured about the last list scanned", "codes_batch", PROBES,
     "        if constexpr (block_scorer<scorer_type>) set_list(index_, scorers_[query], list);\n", ""),
    ("the limit is asked for once", "codes_batch", PROBES,
     "if (row / simd::scan_lanes != asked_for) most = limit();", "if (most == 0) most = limit();"),
    ("a chunk's columns are the last one's", "codes_batch", "index/common/joint_scan.hpp",
     "        columns.take(rows, begin, end);\n", "        if (begin == 0) columns.take(rows, begin, end);\n"),
    ("what is measured is not counted", "codes_batch", "index/ivf/batch.hpp", "        scorers.count_measured(stats);\n", ""),
]
