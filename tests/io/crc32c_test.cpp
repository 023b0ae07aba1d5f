// SPDX-License-Identifier: MIT
#include "vicinal/io/crc32c.hpp"

#include <numeric>
#include <random>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

using namespace vicinal::detail;

namespace {

std::vector<std::byte> random_bytes(std::size_t size) {
    std::mt19937 random(7);
    std::vector<std::byte> bytes(size);
    for (auto& b : bytes) b = static_cast<std::byte>(random());
    return bytes;
}

template <crc32c_path Path>
void check_known_answers() {
    const auto of = [](const std::vector<int>& values) {
        std::vector<std::byte> bytes;
        for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
        return crc32c_by<Path>(0, bytes);
    };
    std::vector<int> up(32);
    std::iota(up.begin(), up.end(), 0);
    CHECK(of({}) == 0);
    CHECK(of(std::vector<int>(32, 0)) == 0x8A9136AAU);
    CHECK(of(std::vector<int>(32, 0xFF)) == 0x62A8AB43U);
    CHECK(of(up) == 0x46DD794EU);
    CHECK(of({up.rbegin(), up.rend()}) == 0x113FDB5CU);
    CHECK(of({0x01, 0xC0, 0, 0,    0, 0, 0, 0,    0,    0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0,
              0,    0,    0, 0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0,    0}) ==
          0xD9963A56U);
    CHECK(of({'1', '2', '3', '4', '5', '6', '7', '8', '9'}) == 0xE3069283U);
}

}  // namespace

TEST_CASE("crc32c: gives the answers of RFC 3720 on every path") {
    check_known_answers<crc32c_path::bitwise>();
    check_known_answers<crc32c_path::slicing>();
    if (crc32c_has_hardware()) check_known_answers<crc32c_hardware>();
}

TEST_CASE("crc32c: table, instruction and definition agree at every length and alignment") {
    const auto bytes = random_bytes(4 * 3 * crc32c_lane + 100);
    const auto compare = [&](std::size_t from, std::size_t size) {
        const auto part = std::span(bytes).subspan(from, size);
        const auto expected = crc32c_by<crc32c_path::bitwise>(0x1234567, part);
        return crc32c_by<crc32c_path::slicing>(0x1234567, part) == expected && crc32c(0x1234567, part) == expected &&
               (!crc32c_has_hardware() || crc32c_by<crc32c_hardware>(0x1234567, part) == expected);
    };
    for (std::size_t from = 0; from < 9; ++from)
        for (std::size_t size = 0; size < 80; ++size) REQUIRE(compare(from, size));
    for (std::size_t lanes = 1; lanes <= 4; ++lanes)
        for (std::size_t size = lanes * 3 * crc32c_lane - 9; size < lanes * 3 * crc32c_lane + 20; ++size)
            REQUIRE(compare(size % 7, size));
}

TEST_CASE("crc32c: a checksum taken in parts is that of the whole") {
    const auto bytes = random_bytes(3 * crc32c_lane + 77);
    const auto whole = crc32c(0, bytes);
    for (std::size_t cut = 0; cut <= bytes.size(); cut += 13)
        REQUIRE(crc32c(crc32c(0, std::span(bytes).first(cut)), std::span(bytes).subspan(cut)) == whole);
}
