// SPDX-License-Identifier: MIT
// What a call leaves: the bytes of a file, or what it was refused with.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "vicinal/core/error.hpp"

namespace vicinal_test {

/// The bytes of a file of an index or of anything else that has such a `save`.
template <class Saving>
std::vector<std::byte> saved(const Saving& of) {
    std::vector<std::byte> bytes;
    of.save(bytes);
    return bytes;
}

/// The error that a call throws, as its code and what it says; "nothing" if it throws none.
template <class Call>
std::string refusal(const Call& call) {
    try {
        call();
    } catch (const vicinal::error& e) {
        return std::string(vicinal::to_string(e.code())) + ": " + e.what();
    }
    return "nothing";
}
/// What the error says that a call throws, which must have this code.
template <class Call>
std::string refusal(vicinal::errc code, const Call& call) {
    try {
        call();
    } catch (const vicinal::error& e) {
        CHECK(vicinal::to_string(e.code()) == vicinal::to_string(code));
        return e.what();
    }
    FAIL("nothing was refused");
    return {};
}

}  // namespace vicinal_test
