// One thing that can be found.
#pragma once

#include <string>  // for string

namespace demo {

struct document {
    std::string title;
    std::string text;
};

}  // namespace demo
