// SPDX-License-Identifier: MIT
// What the table of scoring/algorithm.hpp says: which algorithm a metric, a codec and a use get.
#include "vicinal/scoring/algorithm.hpp"

#include "support/catch.hpp"
#include "support/user_types.hpp"
#include "vicinal/codec/pca8/pca8.hpp"
#include "vicinal/codecs.hpp"
#include "vicinal/metrics.hpp"

namespace {

using namespace vicinal::detail;
using namespace vicinal_test;
using enum scan_algorithm;
using vicinal::f32, vicinal::f16, vicinal::sq8, vicinal::sq4, vicinal::pq, vicinal::pca8, vicinal::rabitq;
using vicinal::l2, vicinal::inner_product, vicinal::cosine, vicinal::two_level;
using kernels = vicinal::simd::native_kernels;
using scalar_kernels = vicinal::simd::static_kernels<vicinal::simd::scalar_isa>;

template <class Metric, class Codec, class Isa = kernels>
void check(scan_algorithm query, scan_algorithm batch, scan_algorithm walk, scan_algorithm rerank) {
    CHECK(algorithm_of<Metric, Codec, Isa>(scan_use::query) == query);
    CHECK(algorithm_of<Metric, Codec, Isa>(scan_use::batch) == batch);
    CHECK(algorithm_of<Metric, Codec, Isa>(scan_use::walk) == walk);
    CHECK(algorithm_of<Metric, Codec, Isa>(scan_use::rerank) == rerank);
}

/// The best that sq8 and sq4 get from the instructions there are.
constexpr scan_algorithm by_integers =
    vicinal::simd::has_integer_scan<vicinal::simd::lanes<kernels::isa>> ? integer_prefilter : fuse;

}  // namespace

TEST_CASE("algorithm: floats are fused, by products in batches") {
    check<l2, f32>(fuse, dot_products, fuse, fuse);
    check<cosine, f16>(fuse, dot_products, fuse, fuse);
    check<manhattan, f32>(fuse, fuse, fuse, fuse);
    check<chebyshev, f32>(decode, decode, decode, decode);
    check<l2, eighths>(decode, decode, decode, decode);
}
TEST_CASE("algorithm: steps are compared in integers, where there are instructions for it") {
    check<l2, sq8>(by_integers, dot_products, integer_sums, fuse);
    check<inner_product, sq4>(by_integers, dot_products, integer_sums, fuse);
    check<l2, sq8, scalar_kernels>(fuse, dot_products, integer_sums, fuse);
    check<manhattan, sq8>(fuse, fuse, fuse, fuse);
    check<l2, two_level<sq8, eighths>>(by_integers, dot_products, integer_sums, decode);
}
TEST_CASE("algorithm: tables decide for pq alone, and find candidates for a finer codec") {
    check<l2, pq>(table_prefilter, table_prefilter, fuse, fuse);
    check<l2, two_level<pq, f32>>(table_estimates, table_estimates, fuse, fuse);
    check<manhattan, two_level<pq, f32>>(fuse, fuse, fuse, fuse);
}
TEST_CASE("algorithm: signs and axes bound distances") {
    check<l2, rabitq<1>>(sign_bounds, sign_bounds, decode, decode);
    check<cosine, two_level<rabitq<4>, f32>>(sign_bounds, sign_bounds, decode, fuse);
    check<manhattan, rabitq<1>>(decode, decode, decode, decode);
    check<l2, pca8>(decode, decode, decode, decode);
    check<l2, two_level<pca8, f32>>(distance_bounds, distance_bounds, decode, fuse);
    STATIC_REQUIRE(bounds_coarse<two_level<pca8, f32>>);
    STATIC_REQUIRE_FALSE(bounds_coarse<two_level<sq8, f32>>);
}
TEST_CASE("algorithm: zeros and ones are counted where both sides know them") {
    using vicinal::bits, vicinal::hamming, vicinal::jaccard;
    check<hamming, bits>(count_bits, count_bits, count_bits, count_bits);
    check<jaccard, bits>(count_bits, count_bits, count_bits, count_bits);
    check<jaccard, two_level<bits, f32>>(count_bits, count_bits, count_bits, decode);
    check<jaccard, f32>(decode, decode, decode, decode);
    check<hamming, f32>(fuse, dot_products, fuse, fuse);
    check<hamming, sq8>(by_integers, dot_products, integer_sums, fuse);
    check<l2, bits>(decode, decode, decode, decode);
    CHECK(is_exact(count_bits));
}
TEST_CASE("algorithm: whole numbers are compared in integers, and normalized where they are measured") {
    using vicinal::i8, vicinal::u8, vicinal::hamming;
    check<l2, i8>(by_integers, dot_products, integer_sums, fuse);
    check<inner_product, u8>(by_integers, dot_products, integer_sums, fuse);
    check<cosine, i8>(normalize, normalize, integer_sums, normalize);
    check<l2, two_level<rabitq<1>, i8>>(sign_bounds, sign_bounds, decode, fuse);
    CHECK(is_exact(normalize));
    CHECK(is_joint(normalize));
}
TEST_CASE("algorithm: only what paces itself is not searched jointly") {
    CHECK(is_joint(decode));
    CHECK(is_joint(fuse));
    CHECK(is_joint(integer_prefilter));
    CHECK(is_joint(table_prefilter));
    CHECK(is_exact(distance_bounds));
    CHECK_FALSE(is_joint(distance_bounds));
    CHECK(is_joint(table_estimates));
    CHECK(is_joint(sign_bounds));
    CHECK_FALSE(is_exact(sign_bounds));
    CHECK_FALSE(is_exact(table_estimates));
    CHECK_FALSE(is_exact(integer_sums));
}
