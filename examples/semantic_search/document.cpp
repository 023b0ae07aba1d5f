// SPDX-License-Identifier: MIT
#include "document.hpp"

#include <cstddef>  // for size_t

namespace demo {

std::string snippet(std::string_view text) {
    constexpr std::size_t length = 160;
    std::string out;
    for (const char c : text) {
        const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
        if (space && out.size() >= length) return out + " ...";
        if (!space)
            out += c;
        else if (!out.empty() && out.back() != ' ')
            out += ' ';
    }
    if (out.ends_with(' ')) out.pop_back();
    return out;
}

}  // namespace demo
