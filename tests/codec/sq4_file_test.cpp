// SPDX-License-Identifier: MIT
// A file's sq4 codes are what sq4 writes, to the last half byte.
#include <algorithm>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "vicinal/codec/sq/sq4.hpp"
#include "vicinal/flat.hpp"

namespace {

using vicinal::l2;
using vicinal::sq4;

/// Leaves something where sq4 leaves zeros.
struct untidy : sq4 {
    using sq4::sq4;
    void encode(std::span<const float> vector, std::span<std::byte> code) const noexcept {
        sq4::encode(vector, code);
        code.back() |= std::byte{0x50};
    }
};

template <class Codec>
std::vector<std::byte> saved(std::size_t dim) {
    vicinal::flat_index<l2, Codec> index(dim);
    const auto rows = vicinal_test::gaussian(20, dim);
    index.add(vicinal_test::numbered<std::uint64_t>(20), rows.view());
    std::vector<std::byte> bytes;
    index.save(bytes);
    return bytes;
}

TEST_CASE("sq4: a file whose codes have something in the unused half byte is refused") {
    using index = vicinal::flat_index<l2, sq4>;
    CHECK(index::load(std::span<const std::byte>(saved<sq4>(5))).size() == 20);
    CHECK(index::load(std::span<const std::byte>(saved<untidy>(6))).size() == 20);  // there it is a component
    const auto bytes = saved<untidy>(5);
    try {
        (void)index::load(std::span<const std::byte>(bytes));
        FAIL("it was not refused");
    } catch (const vicinal::error& error) {
        CHECK(error.code() == vicinal::errc::corrupt_file);
    }
}

}  // namespace
