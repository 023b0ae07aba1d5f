// SPDX-License-Identifier: MIT
// The command line of ann_bench.
#pragma once

#include <filesystem>  // for path
#include <iosfwd>      // for ostream
#include <optional>    // for optional
#include <stdexcept>   // for runtime_error
#include <string>      // for string
#include <vector>      // for vector

#include "../dataset/generate.hpp"
#include "system.hpp"

namespace bench {

/// A command line that cannot be followed; the message says why.
struct usage_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct options {
    std::filesystem::path base;
    std::filesystem::path query;
    std::filesystem::path truth;
    generate_params generated;
    std::size_t widen = 0;  ///< components to make of the vectors', see widen.hpp; 0: as they are
    std::size_t rows = 0;   ///< how many of the base's to keep; 0: all
    std::size_t k = 10;
    std::vector<std::string> systems;  ///< empty: the default selection
    build_params build;                ///< .lists 0: chosen from the number of rows
    std::vector<std::size_t> ef{10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512};
    std::vector<std::size_t> nprobe{1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 128};
    std::size_t rounds = 5;
    double min_seconds = 0.2;  ///< a setting is measured for at least this long in each round
    std::optional<int> pin;    ///< the CPU to stay on; nothing: the one the program finds itself on
    bool pinned = true;
    std::filesystem::path json;
    std::filesystem::path svg;
    bool help = false;
    bool list = false;
};

/// throws  usage_error
[[nodiscard]] options parse_options(int argc, const char* const* argv);

void print_help(std::ostream& out);

}  // namespace bench
