// SPDX-License-Identifier: MIT
// make_seeds DIRECTORY: writes the seeds of fuzz/corpus anew. Run it when the file format changes.
#include <filesystem>
#include <fstream>

#include "subjects.hpp"
#include "vicinal/core/math.hpp"

namespace {

void write(const std::filesystem::path& path, vicinal_fuzz::bytes_view bytes) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream out(path, std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

vicinal_fuzz::bytes_t random_bytes(std::uint64_t seed, std::size_t size) {
    vicinal_fuzz::bytes_t bytes(size);
    for (std::byte& b : bytes) b = static_cast<std::byte>(vicinal::detail::mix(seed++) & 255U);
    return bytes;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    const std::filesystem::path to = argv[1];
    // One seed of files for the three targets that read files: they differ in what they do, not in what they take.
    for (const auto& subject : vicinal_fuzz::all_subjects())
        for (const std::size_t rows : {0U, 9U})
            write(to / "files" / (std::string(subject.name) + "_" + std::to_string(rows)), subject.sample(rows));
    for (std::size_t i = 0; i < vicinal_fuzz::all_subjects().size(); ++i) {
        auto bytes = random_bytes(1000 * i, 192);
        bytes[0] = static_cast<std::byte>(i);
        write(to / "operations" / vicinal_fuzz::all_subjects()[i].name, bytes);
    }
    for (std::size_t i = 0; i < 9; ++i) {
        auto bytes = random_bytes(7000 + 100 * i, 400);
        bytes[0] = static_cast<std::byte>(i);
        write(to / "kernels" / std::to_string(i), bytes);
    }
}
