// SPDX-License-Identifier: MIT
// Files of hnswlib's and faiss's, which have no checksums: what is let in must be whole.
#include <string_view>

#include "subjects.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace vicinal_fuzz;
    const bytes_view file(reinterpret_cast<const std::byte*>(data), size);
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    auto kind = vicinal::index_kind::hnsw;
    // Of faiss's, the type is in the first four bytes, or in those behind the header of a map of ids.
    const std::string_view type =
        text.size() > 41 && text.substr(0, 3) == "IxM" ? text.substr(37, 4) : text.substr(0, 4);
    if (type.substr(0, 3) == "IxF") kind = vicinal::index_kind::flat;
    if (type.substr(0, 3) == "IwF") kind = vicinal::index_kind::ivf;
    for (const subject& one : all_subjects())
        if (one.import != nullptr && one.holds.kind == kind) one.import(file);
    return 0;
}
