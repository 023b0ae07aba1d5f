// SPDX-License-Identifier: MIT
// Debian's package descriptions, as dpkg and apt keep them.
#pragma once

#include <filesystem>   // for path
#include <map>          // for map
#include <string>       // for string
#include <string_view>  // for string_view
#include <vector>       // for vector

#include "document.hpp"

namespace demo {

/// Collects stanzas ("Package: ...", "Description: ...") from any number of files. A package met twice keeps its
/// longest description: apt's package lists have one line, dpkg's status and apt's translations have all of it.
class package_reader {
  public:
    void read(std::string_view stanzas);
    /// A document per program, in order of name: packages that differ only in what part they hold (library, headers,
    /// documentation) are one, under the best of their names. Transitional and debugging packages are left out.
    [[nodiscard]] std::vector<document> documents() const;

    [[nodiscard]] static bool recognises(std::string_view text) { return text.starts_with("Package: "); }

  private:
    struct package {
        std::string synopsis;
        std::string description;
        std::string tags;
    };
    std::map<std::string, package> packages_;
};

/// dpkg's status file and apt's lists, those that exist and can be read.
std::vector<std::filesystem::path> debian_files();

/// The text of one of `debian_files()`; apt's own helper unpacks those that apt keeps compressed.
std::string read_debian_file(const std::filesystem::path& path);

}  // namespace demo
