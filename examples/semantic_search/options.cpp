// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <charconv>   // for from_chars
#include <cstdlib>    // for getenv
#include <stdexcept>  // for invalid_argument

namespace demo {

const std::string_view help_text =
    R"(semantic_search: finds texts by what they are about

usage: semantic_search [options] [query ...]

Each query is one argument, so quote it:  semantic_search "program that draws graphs"
A query of - reads queries from standard input, one a line. Without queries a prompt opens on a terminal,
and elsewhere a few sample queries are answered.

  --corpus PATH   what to search: a folder of text files, .txt (a document a line), .tsv (title, text),
                  .jsonl or .ndjson (an object a line), or a file of Debian package descriptions.
                  Default: the package descriptions of this machine, from /var/lib/dpkg/status and,
                  where apt-get update has been run, /var/lib/apt/lists
  --cache DIR     where to keep the index; default: vicinal in your cache folder
  --rebuild       make the index anew even if it is up to date
  --count N       how many results to show, 1 to 1000 (5)
  --ef N          how widely to search, 1 to 100000 (100): more finds more and takes longer
  --dims N        dimensions of the vectors, 2 to 2048 (256)
  --help          this text
)";

namespace {

std::size_t to_number(const std::string& name, std::string_view text, std::size_t low, std::size_t high) {
    std::size_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc{} || end != text.data() + text.size() || value < low || value > high)
        throw std::invalid_argument(name + " is \"" + std::string(text) + "\", it must be a number from " +
                                    std::to_string(low) + " to " + std::to_string(high));
    return value;
}

}  // namespace

options parse_options(int argc, const char* const* argv) {
    options out;
    bool only_queries = false;
    for (int i = 1; i < argc; ++i) {
        const std::string argument = argv[i];
        const auto next = [&]() -> std::string {
            if (i + 1 >= argc) throw std::invalid_argument(argument + " needs a value");
            return argv[++i];
        };
        if (argument == "-")
            out.from_stdin = true;
        else if (only_queries || !argument.starts_with('-'))
            out.queries.push_back(argument);
        else if (argument == "--")
            only_queries = true;
        else if (argument == "--help" || argument == "-h")
            out.help = true;
        else if (argument == "--rebuild")
            out.rebuild = true;
        else if (argument == "--corpus")
            out.corpus = next();
        else if (argument == "--cache")
            out.cache = next();
        else if (argument == "--count")
            out.count = to_number(argument, next(), 1, 1000);
        else if (argument == "--ef")
            out.ef = to_number(argument, next(), 1, 100000);
        else if (argument == "--dims")
            out.dims = to_number(argument, next(), 2, 2048);
        else
            throw std::invalid_argument("unknown option " + argument + "; see --help");
    }
    return out;
}

std::filesystem::path default_cache() {
    const auto variable = [](const char* name) -> std::filesystem::path {
        const char* value = std::getenv(name);
        return value == nullptr ? "" : value;
    };
    if (const auto cache = variable("XDG_CACHE_HOME"); cache.is_absolute()) return cache / "vicinal";
    if (const auto home = variable("HOME"); !home.empty()) return home / ".cache" / "vicinal";
    if (const auto local = variable("LOCALAPPDATA"); !local.empty()) return local / "vicinal";
    return std::filesystem::temp_directory_path() / "vicinal";
}

}  // namespace demo
