// SPDX-License-Identifier: MIT
// What core/error.hpp promises.
#include "vicinal/core/error.hpp"

#include <set>
#include <string>

#include "support/catch.hpp"

namespace {

using vicinal::errc;
using vicinal_test::contains;

TEST_CASE("error: carries its code and says it is vicinal's") {
    const vicinal::error e(errc::duplicate_id, "add: id 7 is in the index");
    CHECK(e.code() == errc::duplicate_id);
    CHECK(std::string(e.what()) == "vicinal: add: id 7 is in the index");
    CHECK_THROWS_AS(throw e, std::runtime_error);  // catchable without knowing vicinal
}

TEST_CASE("error: every code has a name of its own, and a number that is no code has none") {
    std::set<std::string> names;
    for (unsigned i = 0; i <= static_cast<unsigned>(errc::reentrant_call); ++i)
        names.insert(std::string(to_string(static_cast<errc>(i))));
    CHECK(names.size() == static_cast<std::size_t>(errc::reentrant_call) + 1);
    CHECK(names.count("unknown") == 0);
    CHECK(to_string(static_cast<errc>(200)) == "unknown");
    CHECK(to_string(errc::zero_norm) == "zero_norm");
}

TEST_CASE("error: a wrong dimension is refused with both lengths") {
    try {
        vicinal::detail::fail_dimension("query", 96, 128);
    } catch (const vicinal::error& e) {
        CHECK(e.code() == errc::dimension_mismatch);
        CHECK(std::string(e.what()) == "vicinal: query has 96 components, the index has 128");
    }
}

TEST_CASE("error: a range includes its ends; outside it, value and ends are named") {
    CHECK_NOTHROW(vicinal::detail::require_range("degree", 2, 2, 512));
    CHECK_NOTHROW(vicinal::detail::require_range("degree", 512, 2, 512));
    CHECK_THROWS_WITH(vicinal::detail::require_range("degree", 1, 2, 512),
                      contains("degree is 1") && contains("from 2 to 512"));
    CHECK_THROWS_WITH(vicinal::detail::require_range("degree", 513, 2, 512), contains("degree is 513"));
}

}  // namespace
