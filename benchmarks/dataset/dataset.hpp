// SPDX-License-Identifier: MIT
// What a run is about: base rows, queries, and the true neighbours if they are known.
#pragma once

#include <string>  // for string

#include "bin.hpp"
#include "npy.hpp"
#include "vecs.hpp"

namespace bench {

struct dataset {
    std::string name;
    matrix<float> base;
    matrix<float> queries;
    matrix<std::uint32_t> truth;  ///< row i: the base rows closest to query i, closest first; empty if unknown
};

/// Vectors from .npy, .fvecs, .bvecs, .fbin or .u8bin, by the file's extension.
/// throws  input_error, before any allocation that the file's size does not justify
[[nodiscard]] inline matrix<float> read_vectors(const std::filesystem::path& path) {
    const std::string extension = path.extension().string();
    if (extension == ".npy") return read_npy<float>(path);
    if (extension == ".fvecs") return read_vecs<float>(path, element::f4);
    if (extension == ".bvecs") return read_vecs<float>(path, element::u1);
    if (extension == ".fbin") return read_bin<float>(path, element::f4);
    if (extension == ".u8bin") return read_bin<float>(path, element::u1);
    throw input_error(path, "vectors are read from .npy, .fvecs, .bvecs, .fbin and .u8bin");
}

/// Row numbers from .npy, .ivecs or .ibin, by the file's extension.
/// throws  input_error, before any allocation that the file's size does not justify
[[nodiscard]] inline matrix<std::uint32_t> read_row_numbers(const std::filesystem::path& path) {
    const std::string extension = path.extension().string();
    if (extension == ".npy") return read_npy<std::uint32_t>(path);
    if (extension == ".ivecs") return read_vecs<std::uint32_t>(path, element::i4);
    if (extension == ".ibin") return read_bin<std::uint32_t>(path, element::i4);
    throw input_error(path, "row numbers are read from .npy, .ivecs and .ibin");
}

/// Refuses queries of another dimension than the base, and a truth that is not k rows of the base for each query.
inline void require_consistent(const dataset& data, std::size_t k) {
    const auto require = [](std::size_t got, std::size_t want, const char* what) {
        if (got != want)
            throw std::runtime_error(std::string(what) + " (" + std::to_string(got) + " against " +
                                     std::to_string(want) + ")");
    };
    require(data.queries.dim, data.base.dim, "queries and base differ in dimension");
    if (k == 0 || k > data.base.rows)
        throw std::runtime_error("k is " + std::to_string(k) + ", it must be from 1 to the number of base rows, " +
                                 std::to_string(data.base.rows));
    if (data.truth.rows == 0) return;
    require(data.truth.rows, data.queries.rows, "truth and queries differ in rows");
    if (data.truth.dim < k)
        throw std::runtime_error("truth has " + std::to_string(data.truth.dim) + " neighbours a query, k is " +
                                 std::to_string(k));
    for (const std::uint32_t row : data.truth.values)
        if (row >= data.base.rows)
            throw std::runtime_error("truth names base row " + std::to_string(row) + ", the base has " +
                                     std::to_string(data.base.rows) + " rows");
}

}  // namespace bench
