# SPDX-License-Identifier: MIT
"""Asking memory ahead: what is asked for, by whom, and how users set it."""
GROUPS = {
    "ahead": ["simd/scan_ahead_test.cpp"],
    "calibrate": ["index/calibrate_test.cpp"],
}
AHEAD = "simd/scan_ahead.hpp"
BUGS = [
    ("the second line of a long step is not asked for", "ahead", AHEAD, "if (step_ > line) Memory::ask(at_ + line);", ""),
    ("a line is asked for by every step in it", "ahead", AHEAD, "% line < step_) Memory", "% line < line) Memory"),
    ("a line is asked for only where a step begins with it", "ahead", AHEAD, "% line < step_) Memory", "% line == 0) Memory"),
    ("a few rows ask ahead as a scan does", "ahead", AHEAD, "bytes_ == 0 || count < fewest", "bytes_ == 0"),
    ("a scan that shall ask does not", "ahead", AHEAD, "bytes_ == 0 || count < fewest", "true"),
    ("rows are read as far ahead as they are asked for", "ahead", "simd/generic/integer_scan.hpp",
     "four[i] = add_up(row, along", "four[i] = add_up(row + ahead.bytes() % 2, along"),
    ("all of Intel's processors ask ahead", "ahead", "simd/memory_policy.hpp", '"GenuineIntel" && p.avx512;', '"GenuineIntel";'),
    ("all makers ask ahead that have AVX-512", "ahead", "simd/memory_policy.hpp",
     'std::string_view(p.maker) == "GenuineIntel" && p.avx512;', "p.avx512;"),
    ("walks ask for as little of a row on every processor", "ahead", "simd/memory_policy.hpp", "? 4 : 16;", "? 4 : 4;"),
    ("walks on Intel ask for all of a row", "ahead", "simd/memory_policy.hpp", "? 4 : 16;", "? 16 : 16;"),
    ("the letters of a maker are read in the order of registers", "ahead", "simd/memory_policy.hpp",
     "{leaf_0[1], leaf_0[3], leaf_0[2]}", "{leaf_0[1], leaf_0[2], leaf_0[3]}"),
    ("any distance may be set", "calibrate", "calibrate.hpp",
     'detail::require_range("scan_ahead", settings.scan_ahead, 0, simd::farthest_scan_ahead);', ""),
    ("measuring sets what it finds", "calibrate", "calibrate.hpp", "    return {trial.best()};",
     "    const memory_settings found{trial.best()};\n    set_memory_settings(found);\n    return found;"),
    ("the processor is asked again after settings were set", "calibrate", "simd/memory_policy.hpp",
     "if (now != unknown_scan_ahead) return now;", "if (now != unknown_scan_ahead && now != 4096) return now;"),
]
