// SPDX-License-Identifier: MIT
// replay [--mutations N] FILE_OR_DIRECTORY...
//
// Runs a target over stored inputs without libFuzzer, and over N damaged copies of each: flipped bits, other bytes, cut
// or repeated stretches, the same on every machine. Any compiler builds it, so the normal tests do.
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "support.hpp"
#include "vicinal/core/math.hpp"

namespace {

std::uint64_t state = 1;
std::size_t below(std::size_t n) { return static_cast<std::size_t>(vicinal::detail::mix(state++) % n); }

std::vector<std::uint8_t> damaged(std::vector<std::uint8_t> bytes) {
    for (std::size_t times = 1 + below(3); times > 0 && !bytes.empty(); --times) {
        const auto at = static_cast<std::ptrdiff_t>(below(bytes.size()));
        const auto n =
            static_cast<std::ptrdiff_t>(below(std::min<std::size_t>(64, bytes.size() - below(bytes.size())) + 1));
        switch (below(5)) {
            case 0: bytes[static_cast<std::size_t>(at)] ^= static_cast<std::uint8_t>(1U << below(8)); break;
            case 1: bytes[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(below(256)); break;
            case 2: bytes[static_cast<std::size_t>(at)] = below(2) == 0 ? 0xFF : 0; break;
            case 3:
                bytes.erase(bytes.begin() + at, bytes.begin() + std::min<std::ptrdiff_t>(at + n, std::ssize(bytes)));
                break;
            default: {
                const std::vector<std::uint8_t> copy(
                    bytes.begin() + at, bytes.begin() + std::min<std::ptrdiff_t>(at + n, std::ssize(bytes)));
                bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(below(bytes.size())), copy.begin(),
                             copy.end());
            }
        }
    }
    return bytes;
}

}  // namespace

int main(int argc, char** argv) {
    std::size_t mutations = 0;
    std::vector<std::filesystem::path> files;
    for (int i = 1; i < argc; ++i) {
        if (std::strcmp(argv[i], "--mutations") == 0 && i + 1 < argc) {
            mutations = std::strtoul(argv[++i], nullptr, 10);
        } else if (std::filesystem::is_directory(argv[i])) {
            for (const auto& entry : std::filesystem::directory_iterator(argv[i])) files.push_back(entry.path());
        } else {
            files.emplace_back(argv[i]);
        }
    }
    std::sort(files.begin(), files.end());
    std::size_t runs = 0;
    for (const auto& path : files) {
        std::ifstream in(path, std::ios::binary);
        const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
        const auto run = [&](const std::vector<std::uint8_t>& input) {
            LLVMFuzzerTestOneInput(input.data(), input.size());
            ++runs;
        };
        run(bytes);
        for (std::size_t i = 0; i < mutations; ++i) run(damaged(bytes));
    }
    std::printf("%zu inputs from %zu files\n", runs, files.size());
    return files.empty() ? 1 : 0;  // a corpus that is not found must not pass
}
