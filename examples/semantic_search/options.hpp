// SPDX-License-Identifier: MIT
// The command line.
#pragma once

#include <cstddef>      // for size_t
#include <filesystem>   // for path
#include <string>       // for string
#include <string_view>  // for string_view
#include <vector>       // for vector

namespace demo {

struct options {
    std::filesystem::path corpus;  // empty: the machine's package descriptions
    std::filesystem::path cache;   // empty: the user's cache folder
    std::size_t dims = 256;
    std::size_t count = 5;
    std::size_t ef = 100;
    bool rebuild = false;
    bool from_stdin = false;
    bool help = false;
    std::vector<std::string> queries;
};

extern const std::string_view help_text;

/// throws  std::invalid_argument, in words for the user
options parse_options(int argc, const char* const* argv);

/// Where this user's programs keep what they can make again, with a folder for vicinal in it.
std::filesystem::path default_cache();

}  // namespace demo
