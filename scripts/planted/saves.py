# SPDX-License-Identifier: MIT
"""Who waits for a save."""
GROUPS = {"beside": ["index/save_beside_test.cpp"]}
BUGS = [
    ("a save reads as a search does", "beside", "io/index_io.hpp", "const auto frozen = state.locks.frozen();", "const auto frozen = state.locks.shared();"),
    ("nothing keeps changes out of a save", "beside", "io/index_io.hpp", "const auto frozen = state.locks.frozen();", ""),
]
