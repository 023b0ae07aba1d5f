// SPDX-License-Identifier: MIT
// Where documents come from.
#pragma once

#include <cstdint>     // for uint64_t
#include <filesystem>  // for path
#include <string>      // for string
#include <vector>      // for vector

#include "console.hpp"
#include "document.hpp"

namespace demo {

/// The files to read and what to call them together.
struct source {
    std::string name;
    std::vector<std::filesystem::path> files;
    bool is_folder = false;
    bool is_default = false;
};

/// The package descriptions of a Debian-like machine: dpkg's status file and what apt has downloaded.
/// throws  std::runtime_error if the machine has none
source debian_packages();

/// `path` is a folder (each text file a document), .txt (each line a document), .tsv (first column is the title),
/// .jsonl or .ndjson (an object a line), or a file of Debian package stanzas.
/// throws  std::runtime_error if it is none of these
source source_at(const std::filesystem::path& path);

/// Changes when a file is added, removed, or has another size or modification time.
std::uint64_t fingerprint(const source& from);

/// Reads every document.     throws  std::runtime_error naming file and line
std::vector<document> read_documents(const source& from, const progress_fn& progress);

}  // namespace demo
