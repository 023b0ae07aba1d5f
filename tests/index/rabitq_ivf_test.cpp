// ivf_index over rabitq.
#include "index/rabitq_support.hpp"
#include "vicinal/ivf.hpp"

using namespace rabitq_test;

TEST_CASE("rabitq: ivf") {
    vicinal::ivf_index<vicinal::inner_product, rabitq<5>> index(dim, {.lists = 20});
    check(index);
    check_files(index);
}
TEST_CASE("rabitq: ivf by signs and vectors") {
    vicinal::ivf_index<vicinal::cosine, two_level<rabitq<1>, f32>> index(dim, {.lists = 20});
    check(index);
    check_files(index);
}
