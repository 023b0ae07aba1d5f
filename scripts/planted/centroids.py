# SPDX-License-Identifier: MIT
# Rows meet centroids in tiles that write what they compare.
GROUPS = {
    "score_tile": ["simd/score_tile_test.cpp"],
    "centroids": ["linalg/kmeans_test.cpp"],
}
TILE = "simd/score_tile.hpp"
NEAREST = "linalg/nearest_centroids.hpp"
BUGS = [
    ("the first of a part stands for all", "score_tile", TILE, "(j < n ? j : n - 1) * dim", "(j < 4 ? j : n - 1) * dim"),
    ("a part is taken for a whole tile", "score_tile", TILE, "const std::size_t n = left < Rows ? left : Rows;", "const std::size_t n = Rows;"),
    ("the least forgets a vector", "score_tile", TILE, "lowest[v] = smaller_lanes(lowest[v], score);", "lowest[0] = smaller_lanes(lowest[0], score);"),
    ("norms are of rows where they were", "score_tile", TILE, "sum = mul_add(moved, moved, sum);",
     "sum = mul_add(load<V>(panel + i * pitch + v) + V(mean[i]), moved, sum);"),
    ("what meets the limit is not listed", "score_tile", TILE, "not_less_lanes(most, load<V>(scores + c * pitch + v))",
     "~not_less_lanes(load<V>(scores + c * pitch + v), most) & ((1U << (width - 1) << 1) - 1)"),
    ("only the first rows of a block are loaded", "centroids", NEAREST, "load(rows, members(p), work.panels_[p]", "load(rows, members(0), work.panels_[p]"),
    ("a group has the norms of the first", "centroids", NEAREST, "group_norms_[first / group]", "group_norms_[0]"),
    ("the limit is the best score as rounded", "centroids", NEAREST, "limit[i] = rows.upper[i] + error[i];", "limit[i] = work.least_[i];"),
    ("centroids of a group are numbered from the first", "centroids", NEAREST, "static_cast<std::uint32_t>(first + c)", "static_cast<std::uint32_t>(c)"),
    ("a best score of another group is forgotten", "centroids", NEAREST, "(std::min)(rows.upper[i], work.least_[i] + error[i])", "work.least_[i] + error[i]"),
    ("the last rows are left out", "centroids", NEAREST, "i < which.size(); i += block", "i + block <= which.size() || i == 0; i += block"),
]
