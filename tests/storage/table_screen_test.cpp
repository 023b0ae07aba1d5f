// What storage/table_screen.hpp promises: no row that a scan asks for is ruled out, and most others are.
#include "vicinal/storage/table_screen.hpp"

#include "storage/screen_support.hpp"

using namespace screen_test;
using vicinal::pq;

TEST_CASE("table_screen: no row of pq within the threshold is ruled out") { check_all<pq>(); }

TEST_CASE("table_screen: nor in any dimension from 1 to 70, or in wide ones") {
    for (std::size_t dim = 1; dim <= 70; ++dim) {
        const shape data{"gaussian", gaussian(150, dim, dim), gaussian(2, dim, 60 + dim)};
        check<vicinal::l2, pq>(data);
        check<vicinal::inner_product, pq>(data);
        check<vicinal::cosine, pq>(data);
    }
    for (const std::size_t dim : {2047U, 2049U, 4100U}) {  // more than add up within 16 bits
        const shape data{"gaussian", gaussian(150, dim, dim), gaussian(1, dim, 60 + dim)};
        check<vicinal::l2, pq>(data);
        check<vicinal::inner_product, pq>(data);
    }
}

TEST_CASE("table_screen: rows beyond the threshold mostly are") {
    const shape even{"gaussian", gaussian(640, 128), gaussian(3, 128, 60)};
    const shape own{"uneven", uneven(gaussian(640, 128)), uneven(gaussian(3, 128, 61))};
    const shape far{"far off", moved(gaussian(640, 128), 30, 1), moved(gaussian(3, 128, 62), 30, 1)};
    CHECK(check<vicinal::l2, pq>(even) < 0.03);
    CHECK(check<vicinal::l2, pq>(own) < 0.03);
    CHECK(check<vicinal::l2, pq>(far) < 0.03);
    CHECK(check<vicinal::cosine, pq>(even) < 0.05);
    CHECK(check<vicinal::inner_product, pq>(own) < 0.05);
}
