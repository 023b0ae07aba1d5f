// SPDX-License-Identifier: MIT
// One thing that can be found.
#pragma once

#include <string>  // for string

namespace demo {

struct document {
    std::string title;
    std::string text;
    std::string keywords = {};  // searched but not shown
};

}  // namespace demo
