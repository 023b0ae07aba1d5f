// SPDX-License-Identifier: MIT
// Reads the string fields of JSON objects, one object a line.
#pragma once

#include <string>       // for string
#include <string_view>  // for string_view
#include <utility>      // for pair
#include <vector>       // for vector

namespace demo {

using string_fields = std::vector<std::pair<std::string, std::string>>;

/// The string members of the JSON object in `line`, in order; members of other types are checked and skipped.
/// throws  std::runtime_error, naming the column, if `line` is not one JSON object
string_fields parse_json_line(std::string_view line);

}  // namespace demo
