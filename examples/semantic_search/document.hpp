// SPDX-License-Identifier: MIT
// One thing that can be found.
#pragma once

#include <string>       // for string
#include <string_view>  // for string_view

namespace demo {

struct document {
    std::string title;
    std::string text;
    std::string keywords = {};  // searched but not shown
};

/// The beginning of `text` on one line, cut between words (and so never inside a UTF-8 character).
std::string snippet(std::string_view text);

}  // namespace demo
