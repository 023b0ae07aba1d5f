// SPDX-License-Identifier: MIT
// The TEXMEX formats .fvecs, .bvecs and .ivecs: each row is its length as a 32-bit integer, then its values.
#pragma once

#include <array>  // for array

#include "element.hpp"

namespace bench {

/// All rows of the file; each must announce the same length, and together they must be the whole file.
template <class T>
[[nodiscard]] matrix<T> read_vecs(const std::filesystem::path& path, element type) {
    const auto row_length = [](input_file& file) {
        std::array<std::byte, 4> bytes{};
        file.read(bytes);
        return detail::load_little<std::uint32_t>(bytes.data());
    };
    input_file file(path);
    if (file.size() == 0) file.refuse("is empty");
    const std::uint64_t dim = row_length(file);
    const std::uint64_t row_bytes = 4 + dim * size_of(type);
    if (dim == 0 || file.size() % row_bytes != 0)
        file.refuse("has " + std::to_string(file.size()) + " bytes, no whole number of rows of " + std::to_string(dim) +
                    " values");
    matrix<T> result{static_cast<std::size_t>(file.size() / row_bytes), static_cast<std::size_t>(dim), {}};
    result.values.resize(result.rows * result.dim);
    for (std::size_t row = 0; row < result.rows; ++row) {
        const std::uint64_t length = row == 0 ? dim : row_length(file);
        if (length != dim)
            file.refuse("row " + std::to_string(row) + " has " + std::to_string(length) + " values, the first has " +
                        std::to_string(dim));
        read_values(file, type, result[row]);
    }
    return result;
}

}  // namespace bench
