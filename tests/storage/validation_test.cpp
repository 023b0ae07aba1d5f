// SPDX-License-Identifier: MIT
// What storage/validation.hpp promises: what a vector must be to get in, and what is said if it is not.
#include "vicinal/storage/validation.hpp"

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "vicinal/codec/f32.hpp"
#include "vicinal/codec/half.hpp"
#include "vicinal/codec/sq/sq8.hpp"
#include "vicinal/metric/cosine.hpp"
#include "vicinal/metric/l2.hpp"

namespace {

using vicinal::cosine;
using vicinal::errc;
using vicinal::f16;
using vicinal::f32;
using vicinal::l2;
using namespace vicinal::detail;
using vicinal_test::contains;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float limit = std::numeric_limits<float>::max() / 8;
const float largest_alone = std::sqrt(limit) * (1 - 0x1p-23F);

/// What admitting says, or "" if it lets `vector` in.
template <class Metric, class Codec>
std::string refusal(const std::vector<float>& vector, errc& code, std::size_t dim = 0) {
    std::vector<float> out(dim == 0 ? vector.size() : dim, 42.0F);
    try {
        validate_and_prepare<Codec>(Metric{}, "query", vector, out);
    } catch (const vicinal::error& e) {
        code = e.code();
        return e.what();
    }
    if constexpr (!vicinal::preparing_metric<Metric>) CHECK(out == vector);
    return "";
}
template <class Metric = l2, class Codec = f32>
errc code_of(const std::vector<float>& vector, std::size_t dim = 0) {
    errc code = errc::cancelled;
    CHECK(refusal<Metric, Codec>(vector, code, dim) != "");
    return code;
}
template <class Metric = l2, class Codec = f32>
std::string message_of(const std::vector<float>& vector, std::size_t dim = 0) {
    errc code;
    return refusal<Metric, Codec>(vector, code, dim);
}

TEST_CASE("validation: ordinary vectors are let in as they are") {
    CHECK(message_of({1, -2, 3}) == "");
    CHECK(message_of({0, 0}) == "");
    CHECK(message_of({-0.0F, 1e-45F}) == "");
    CHECK(message_of({largest_alone}) == "");
    CHECK(message_of({65504.0F}) == "");
    CHECK((message_of<l2, f16>({65504.0F, -65504.0F}) == ""));
}

TEST_CASE("validation: a wrong dimension is refused with both") {
    CHECK(code_of({1, 2, 3}, 4) == errc::dimension_mismatch);
    CHECK_THAT(message_of({1, 2, 3}, 4), contains("query has 3") && contains("the index has 4"));
}

TEST_CASE("validation: NaN and infinity are refused at every place of vectors of every length") {
    for (std::size_t dim = 1; dim <= 40; ++dim)
        for (std::size_t at = 0; at < dim; ++at)
            for (const float bad : {nan, -nan, infinity, -infinity, std::numeric_limits<float>::signaling_NaN()}) {
                std::vector<float> v(dim, 0.5F);
                v[at] = bad;
                REQUIRE(code_of(v) == errc::non_finite);
                REQUIRE(code_of<cosine>(v) == errc::non_finite);
            }
    CHECK_THAT(message_of({1, nan}), contains("query: component 1 is NaN"));
    CHECK_THAT(message_of({1, 2, -infinity}), contains("component 2 is infinite"));
    CHECK_THAT(message_of({infinity, nan}), contains("component 0 is infinite"));
}

TEST_CASE("validation: a sum of squares above FLT_MAX/8 is refused with both numbers") {
    for (const auto& v : {std::vector<float>{std::sqrt(limit) * (1 + 0x1p-22F)}, std::vector<float>{1e19F, 0},
                          std::vector<float>{3.4e38F, -3.4e38F}, std::vector<float>(100, largest_alone / 9)})
        CHECK(code_of(v) == errc::magnitude);
    const std::string said = message_of({0, 1e19F});
    CHECK_THAT(said, contains("sum of squares is 99999999") && contains("FLT_MAX/8, 4253529"));
}

TEST_CASE("admissible: accepts exactly the sums from 0 to FLT_MAX/8") {
    CHECK(admissible(0.0F));
    CHECK(admissible(std::numeric_limits<float>::denorm_min()));
    CHECK(admissible(limit));
    CHECK_FALSE(admissible(std::nextafter(limit, infinity)));
    CHECK_FALSE(admissible(infinity));
    CHECK_FALSE(admissible(nan));
    CHECK_FALSE(admissible(-nan));
    CHECK_FALSE(admissible(-1.0F));  // no sum of squares is negative
}

TEST_CASE("has_finite_bits: is false for NaN and infinity only") {
    for (const float x : {0.0F, -0.0F, 1e-45F, -3.4e38F}) CHECK(has_finite_bits(x));
    for (const float x : {nan, -nan, infinity, -infinity}) CHECK_FALSE(has_finite_bits(x));
}

TEST_CASE("sum_of_squares: is within rounding of the exact sum at every length") {
    std::mt19937 random(18);
    std::normal_distribution<float> normal;
    for (std::size_t dim = 0; dim <= 100; ++dim) {
        std::vector<float> v(dim);
        long double exact = 0;
        for (float& x : v) {
            x = normal(random);
            exact += static_cast<long double>(x) * x;
        }
        REQUIRE(std::fabs(sum_of_squares(v) - exact) <= (static_cast<long double>(dim) / 8 + 4) * 0x1p-24L * exact);
    }
}

TEST_CASE("validation: a zero vector is refused where the metric needs a direction, and only there") {
    CHECK(code_of<cosine>({0, -0.0F, 0}) == errc::zero_norm);
    CHECK_THAT((message_of<cosine>({0, 0})), contains("query has norm 0") && contains("cosine"));
    CHECK(message_of<l2>({0, 0}) == "");
}

TEST_CASE("validation: a component the codec cannot hold is refused with its place, value and limit") {
    const float beyond = std::nextafter(65504.0F, infinity);
    CHECK((code_of<l2, f16>({0, beyond}) == errc::magnitude));
    CHECK((code_of<l2, f16>({-beyond, 0}) == errc::magnitude));
    CHECK_THAT((message_of<l2, f16>({0, 0, 70000})),
               contains("component 2 is 70000") && contains("f16") && contains("65504"));
    CHECK(message_of<l2, f32>({70000}) == "");
    CHECK((message_of<l2, vicinal::bf16>({70000}) == ""));
    CHECK((message_of<cosine, f16>({70000, 1}) == ""));  // what is stored is the unit vector
}

TEST_CASE("validation: of a two-level codec both halves must hold the vector") {
    using f16_first = vicinal::two_level<f16, f32>;
    using f16_last = vicinal::two_level<vicinal::sq8, f16>;
    CHECK((code_of<l2, f16_first>({70000}) == errc::magnitude));
    CHECK((code_of<l2, f16_last>({70000}) == errc::magnitude));
    CHECK((message_of<l2, f16_first>({60000}) == ""));
}

TEST_CASE("validation: a metric that prepares gets its vector prepared") {
    std::vector<float> out(2);
    validate_and_prepare<f32>(cosine{}, "vector", std::vector<float>{3, 4}, out);
    CHECK(out[0] == 0.6F);
    CHECK(out[1] == 0.8F);
}

TEST_CASE("validation: reasons are checked in order: dimension, numbers, direction, codec") {
    CHECK(code_of({nan}, 2) == errc::dimension_mismatch);
    CHECK((code_of<l2, f16>({1e30F, nan}) == errc::non_finite));
    CHECK((code_of<l2, f16>({1e30F}) == errc::magnitude));
}

}  // namespace

namespace {

/// The message that refuses to store `vector`, or "".
template <class Codec = f32>
std::string not_stored(const std::vector<float>& vector) {
    try {
        require_resolvable<Codec>("vector", vector);
    } catch (const vicinal::error& e) {
        CHECK(e.code() == errc::magnitude);
        return e.what();
    }
    return "";
}

}  // namespace

TEST_CASE("validation: a vector whose squares would underflow is not stored, zero is") {
    for (const std::size_t dim : {1U, 7U, 8U, 9U, 300U}) {
        std::vector<float> v(dim, 0.0F);
        CHECK(not_stored(v) == "");
        v[dim - 1] = -0.0F;
        CHECK(not_stored(v) == "");
        for (const float small : {1e-45F, 1e-38F, 1e-24F, 0x1p-51F}) {
            v[dim - 1] = small;
            CHECK_THAT(not_stored(v), contains("2^-100"));
        }
        v[dim - 1] = -0x1p-50F;
        CHECK(not_stored(v) == "");
    }
    CHECK_THAT(not_stored({3e-24F, 4e-24F}), contains("2.5e-47"));
    CHECK(not_stored({1, 1e-30F}) == "");
}

TEST_CASE("validation: a vector that f16 would round away is not stored, alone or as a half of two levels") {
    CHECK_THAT(not_stored<f16>({1e-8F, -2e-8F}), contains("f16"));
    CHECK_THAT(not_stored<f16>({1e-8F, -2e-8F}), contains("2e-08"));
    CHECK_THAT((not_stored<vicinal::two_level<vicinal::sq8, f16>>({0, 3e-6F})), contains("3.81e-06"));
    CHECK_THAT((not_stored<vicinal::two_level<f16, f32>>({0, 3e-6F})), contains("f16"));
    CHECK(not_stored<f16>({0, 4e-6F}) == "");
    CHECK(not_stored<f16>({0, 0}) == "");
    CHECK(not_stored<vicinal::bf16>({1e-8F, -2e-8F}) == "");
}
