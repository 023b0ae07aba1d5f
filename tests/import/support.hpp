// SPDX-License-Identifier: MIT
// What the tests of importers share.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/reference.hpp"
#include "vicinal/import.hpp"

namespace import_test {

using namespace vicinal_test;
using bytes_t = std::vector<std::byte>;
using vicinal::errc;

#if !defined(VICINAL_IMPORT_SAMPLES)  // compiled by hand
#define VICINAL_IMPORT_SAMPLES std::filesystem::path(__FILE__).parent_path() / "samples"
#endif

inline std::filesystem::path sample(const std::string& name) {
    return std::filesystem::path(VICINAL_IMPORT_SAMPLES) / (name + ".bin");
}
inline bytes_t slurp(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

/// The refusal, if there is one. Whatever is let in must be whole and answer.
template <class Import>
std::optional<errc> refusal(const Import& import) {
    try {
        const auto index = import();
        if (!index.check().ok()) FAIL("what was let in is not whole");
        const std::vector<float> query(index.dim(), 0.5F);
        if (index.search(query, 5).size() > index.size()) FAIL("a search found more than there is");
    } catch (const vicinal::error& e) {
        return e.code();
    }
    return std::nullopt;
}

/// Every truncation is refused; every byte changed is refused or gives an index that is whole. Import(bytes) makes one.
template <class Import>
void require_judged(const bytes_t& bytes, const Import& import) {
    for (std::size_t n = 0; n < bytes.size(); ++n) {
        const bytes_t cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
        const auto code = refusal([&] { return import(cut); });
        if (code != errc::corrupt_file) FAIL("cut to " << n << " bytes it was not refused");
    }
    bytes_t longer = bytes;
    longer.push_back(std::byte{0});
    REQUIRE(refusal([&] { return import(longer); }) == errc::corrupt_file);
    std::map<errc, std::size_t> refused;
    bytes_t bad = bytes;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        for (const unsigned change : {1U, 128U, 255U, 2U, 4U, 8U, 16U, 32U, 64U}) {
            if (change == 2 && std::getenv("VICINAL_TEST_LONG") == nullptr) break;
            bad[at] = bytes[at] ^ static_cast<std::byte>(change);
            if (const auto code = refusal([&] { return import(bad); })) ++refused[*code];
        }
        bad[at] = bytes[at];
    }
    REQUIRE(refused[errc::corrupt_file] > 100);
    REQUIRE(refused[errc::io] == 0);
}

}  // namespace import_test
