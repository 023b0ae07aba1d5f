// SPDX-License-Identifier: MIT
#include "vicinal/io/checked.hpp"

#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "vicinal/io/format.hpp"

using namespace vicinal::detail;

namespace {
constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
}  // namespace

TEST_CASE("checked: sums, products and roundings that 64 bits do not hold give nothing") {
    CHECK(checked_add(most - 1, 1) == most);
    CHECK_FALSE(checked_add(most, 1));
    CHECK_FALSE(checked_add(1, most));
    CHECK(checked_mul(most, 1) == most);
    CHECK(checked_mul(0, most) == 0);
    CHECK(checked_mul(1ULL << 32, 0xFFFFFFFFULL) == 0xFFFFFFFF00000000ULL);
    CHECK_FALSE(checked_mul(1ULL << 32, 1ULL << 32));
    CHECK_FALSE(checked_mul(most, 2));
    CHECK(checked_round_up(65, 64) == 128);
    CHECK(checked_round_up(64, 64) == 64);
    CHECK_FALSE(checked_round_up(most - 62, 64));
}

TEST_CASE("checked: sections that wrap around 64 bits have no layout") {
    // After the first, the second would begin inside the header.
    std::vector<section_entry> entries = {{1, 1, 0, most - 200, 0}, {2, 1, 0, 8, 0}};
    CHECK_FALSE(lay_out(entries));
    entries[0].length = most;
    CHECK_FALSE(lay_out(entries));
    entries[0].length = (most & ~std::uint64_t{63}) - 192;
    entries.pop_back();
    CHECK_FALSE(lay_out(entries));
    entries[0].length -= 64;
    CHECK(lay_out(entries) == (most & ~std::uint64_t{63}));
}
