// SPDX-License-Identifier: MIT
// From text to terms: lower case, no stop words, light stemming.
#pragma once

#include <string>       // for string
#include <string_view>  // for string_view
#include <vector>       // for vector

namespace demo {

/// The terms of `text` in order, stemmed. A word is a run of letters and digits (bytes of UTF-8 count as letters), with
/// a trailing "++" or "#" kept, so that c++ and c# are words. Stop words, numbers and single letters are dropped.
std::vector<std::string> tokenize(std::string_view text);

/// The stem of one lower-case English word by a few suffix rules: drawing, draws, drawer -> draw. Not a dictionary:
/// it only has to map the forms of a word to one string.
std::string stem(std::string word);

}  // namespace demo
