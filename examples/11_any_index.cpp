// SPDX-License-Identifier: MIT
// The kind of index comes from the settings, and a file is opened whatever it holds: any_index.
#include <cstdio>
#include <filesystem>
#include <string>
#include <vicinal/flat.hpp>
#include <vicinal/index_types.hpp>

#include "support.hpp"

// The types that this program has. A larger one names them in one file: all others need any_index.hpp alone.
using types = vicinal::index_types<vicinal::flat_index<vicinal::l2>, vicinal::flat_index<vicinal::l2, vicinal::sq8>>;

int main() {
    const std::string setting = "flat, l2, sq8";
    vicinal::any_index index = vicinal::make_index<types>(setting, 3);
    index.add(1, {0.0F, 0.0F, 0.0F});
    index.add(2, {1.0F, 0.0F, 0.0F});
    index.add(3, {0.0F, 5.0F, 0.0F});
    for (const auto& [id, distance] : index.search({0.9F, 0.0F, 0.0F}, 2))
        std::printf("%d at %.2f\n", static_cast<int>(id), static_cast<double>(distance));

    const auto path = std::filesystem::temp_directory_path() / "vicinal_example_11.vic";
    index.save(path);
    const vicinal::any_index opened = vicinal::open<types>(path);
    std::printf("the file holds %s\n", opened.type().c_str());
    std::filesystem::remove(path);

    try {
        static_cast<void>(vicinal::make_index<types>("hnsw, cosine", 3));
        expect(false, "a type that the program does not have is refused");
    } catch (const vicinal::error& e) {
        std::printf("%s\n", e.what());
    }
    expect(opened.type() == "flat,l2,sq8", "a file is opened as what it holds");
    expect(opened.search({0.9F, 0.0F, 0.0F}, 1)[0].id == 2, "and finds the same");
}
