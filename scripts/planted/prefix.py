# SPDX-License-Identifier: MIT
"""The first components of vectors that can be truncated."""
GROUPS = {
    "prefix": ["codec/prefix_test.cpp"],
}
BUGS = [
    ("truncated rows keep the length they had", "prefix", "codec/prefix.hpp",
     "if (prepare_ != nullptr) static_cast<void>(prepare_(metric_, out));", ""),
    ("an index does not tell a codec its metric", "prefix", "index/common/index_rows.hpp",
     "if constexpr (preparing_metric<Metric> && truncating_codec<coarse_codec>)", "if constexpr (false)"),
    ("distances go on past what is kept", "prefix", "storage/code_store.hpp", "return Codec::components;", "return dim_;"),
    ("a prefix learns of whole rows", "prefix", "codec/prefix.hpp",
     "[this](std::span<const float> row, std::span<float> out) { cut(row, out); }",
     "[](std::span<const float> row, std::span<float> out) { std::copy(row.end() - N, row.end(), out.begin()); }"),
    ("metrics of whole vectors see zeros past what is kept", "prefix", "scoring/scorer.hpp",
     "const std::span<float> decoded = all.first(store_.components());", "const std::span<float> decoded = all;"),
    ("what is not kept is decoded to what was there", "prefix", "codec/prefix.hpp",
     "std::fill(vector.begin() + N, vector.end(), 0.0F);", ""),
    ("a file of fewer components than are kept is taken for a call's mistake", "prefix", "io/index_io.hpp",
     "image.header().dim < State::min_dimension", "false"),
    ("fewer components than are kept are taken", "prefix", "codec/prefix.hpp", "if (of < N)", "if (of + 1 < N)"),
]
