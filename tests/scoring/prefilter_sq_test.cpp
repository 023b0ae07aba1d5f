// SPDX-License-Identifier: MIT
// What scoring/prefilter_sq.hpp promises: no row that a scan asks for is ruled out, and most others are.
#include "vicinal/scoring/prefilter_sq.hpp"

#include "scoring/prefilter_support.hpp"
#include "vicinal/codec/byte.hpp"
#include "vicinal/codec/sq/sq4.hpp"
#include "vicinal/codec/sq/sq8.hpp"

using namespace prefilter_test;

TEST_CASE("prefilter_sq: no row of sq8 within the threshold is ruled out") { check_all<vicinal::sq8>(); }
TEST_CASE("prefilter_sq: no row of sq4 within the threshold is ruled out") { check_all<vicinal::sq4>(); }

TEST_CASE("prefilter_sq: no row of i8 or u8 within the threshold is ruled out") {
    check_all<vicinal::i8>();
    check_all<vicinal::u8>();
}

TEST_CASE("prefilter_sq: rows beyond the threshold mostly are") {
    if constexpr (query_algorithm<vicinal::l2, vicinal::sq8, kernels> != scan_algorithm::integer_prefilter)
        return;  // no such instructions
    const shape even{"gaussian", gaussian(640, 128), gaussian(3, 128, 60)};
    const shape own{"uneven", uneven(gaussian(640, 128)), uneven(gaussian(3, 128, 61))};
    CHECK(check<vicinal::l2, vicinal::sq8>(even) < 0.02);
    CHECK(check<vicinal::l2, vicinal::sq8>(own) < 0.02);
    CHECK(check<vicinal::cosine, vicinal::sq8>(even) < 0.02);
    CHECK(check<vicinal::inner_product, vicinal::sq8>(own) < 0.02);
    CHECK(check<vicinal::l2, vicinal::i8>(even) < 0.02);
    CHECK(check<vicinal::cosine, vicinal::i8>(even) < 0.02);
    CHECK(check<vicinal::cosine, vicinal::i8>(own) < 0.02);
    CHECK(check<vicinal::l2, vicinal::sq4>(even) < 0.05);
    CHECK(check<vicinal::l2, vicinal::sq4>(own) < 0.05);
    CHECK(check<vicinal::cosine, vicinal::sq4>(even) < 0.3);
}
