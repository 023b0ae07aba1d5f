// SPDX-License-Identifier: MIT
// To a file and back; and used in place, without loading.
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>
#include <vicinal/flat.hpp>
#include <vicinal/hnsw.hpp>

#include "support.hpp"

int main() {
    using index_type = vicinal::hnsw_index<vicinal::cosine, vicinal::sq8>;
    constexpr std::size_t count = 1000, dim = 32;
    const auto values = some_vectors(count, dim);
    const vicinal::matrix_view rows(values, dim);
    index_type index(dim);
    index.add(first_ids(count), rows);
    const auto answer = index.search(rows[5], 3);

    // Atomic: whoever reads the path, also after a crash, sees the old file or the new one, whole.
    const std::string path = "example_04.vic";
    index.save(path);
    std::printf("%s: %ju bytes\n", path.c_str(), std::uintmax_t{std::filesystem::file_size(path)});

    auto loaded = index_type::load(path);  // a copy in memory, can be changed
    expect(loaded.search(rows[5], 3) == answer, "the loaded index answers the same");
    expect(loaded.remove(5), "and can be changed");

    {
        const auto viewed = index_type::view(path);  // memory-mapped and read-only: many processes share one copy
        expect(viewed.search(rows[5], 3) == answer, "the viewed index answers the same");
    }

    std::stringstream stream;  // any stream does, or a vector of bytes
    index.save(stream);
    expect(index_type::load(stream).size() == count, "a stream works too");

    // A file of another kind is refused, not misread.
    try {
        (void)vicinal::flat_index<vicinal::l2>::load(path);
        expect(false, "another type must be refused");
    } catch (const vicinal::error& e) {
        std::printf("refused: %s\n", e.what());
        expect(e.code() == vicinal::errc::wrong_type, "by its type");
    }
    std::filesystem::remove(path);
}
