// SPDX-License-Identifier: MIT
// The big-ann-benchmarks formats .fbin, .u8bin and .ibin: number of rows and row length as 32-bit integers, then rows.
#pragma once

#include <array>  // for array

#include "element.hpp"

namespace bench {

template <class T>
[[nodiscard]] matrix<T> read_bin(const std::filesystem::path& path, element type) {
    input_file file(path);
    std::array<std::byte, 8> header{};
    file.read(header);
    return read_matrix<T>(file, type, detail::load_little<std::uint32_t>(header.data()),
                          detail::load_little<std::uint32_t>(header.data() + 4));
}

}  // namespace bench
