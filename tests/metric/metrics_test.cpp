// SPDX-License-Identifier: MIT
// What the metrics promise, on every path that computes them.
#include "vicinal/metrics.hpp"

#include <cmath>
#include <limits>
#include <random>
#include <string_view>
#include <vector>

#include "simd/reference.hpp"
#include "support/catch.hpp"

namespace {

using sizes = std::vector<std::size_t>;
using namespace vicinal_test;
using vicinal::cosine;
using vicinal::inner_product;
using vicinal::l2;
namespace simd = vicinal::simd;

/// The distance as an index computes it; `q` and `x` are as the metric prepared them.
template <class Isa, class Metric>
float distance(std::vector<float> q, std::vector<float> x) {
    const std::size_t dim = q.size();
    q.resize(dim + simd::over_read / sizeof(float));
    x.resize(q.size());
    float out;
    simd::static_kernels<Isa>::score_block(Metric{}, vicinal::f32{dim}, q.data(), dim,
                                           reinterpret_cast<const std::byte*>(x.data()), 0, 1, &out);
    return out;
}

/// The same as any user would compute it from the metric alone.
template <class Metric>
float plain(const std::vector<float>& q, const std::vector<float>& x) {
    float sum = 0;
    for (std::size_t i = 0; i < q.size(); ++i) sum = Metric::accumulate(sum, q[i], x[i]);
    return Metric::finish(sum);
}

std::vector<float> unit(std::vector<float> v) {
    REQUIRE(cosine::prepare(v));
    return v;
}
long double norm(const std::vector<float>& v) {
    long double squares = 0;
    for (const float x : v) squares += static_cast<long double>(x) * x;
    return std::sqrt(squares);
}

const std::vector<std::size_t> dims{1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 127, 128, 300, 1025};

template <class Isa, class Metric>
std::size_t asymmetries() {
    std::mt19937 random(7);
    std::size_t count = 0;
    for (const std::size_t dim : dims)
        for (int pair = 0; pair < 20; ++pair) {
            auto a = random_vector(dim, random, 3.0F), b = random_vector(dim, random);
            if constexpr (vicinal::preparing_metric<Metric>) a = unit(a), b = unit(b);
            count += !same_bits(distance<Isa, Metric>(a, b), distance<Isa, Metric>(b, a));
            count += !same_bits(plain<Metric>(a, b), plain<Metric>(b, a));
        }
    return count;
}

TEST_CASE("metrics: d(a, b) and d(b, a) have the same bits") {
    CHECK(asymmetries<simd::native_isa, l2>() == 0);
    CHECK(asymmetries<simd::native_isa, inner_product>() == 0);
    CHECK(asymmetries<simd::native_isa, cosine>() == 0);
    CHECK(asymmetries<simd::scalar_isa, l2>() == 0);
    CHECK(asymmetries<simd::scalar_isa, inner_product>() == 0);
    CHECK(asymmetries<simd::scalar_isa, cosine>() == 0);
}

TEST_CASE("l2: is the square, 0 between equal rows, never negative") {
    CHECK(plain<l2>({1, 2}, {4, 6}) == 25.0F);
    std::mt19937 random(8);
    for (const std::size_t dim : dims) {
        const auto a = random_vector(dim, random, 1e15F), b = random_vector(dim, random, 1e-15F);
        CHECK(distance<simd::native_isa, l2>(a, a) == 0.0F);
        CHECK(distance<simd::scalar_isa, l2>(b, b) == 0.0F);
        CHECK(distance<simd::native_isa, l2>(a, b) > 0.0F);
    }
    CHECK(distance<simd::native_isa, l2>({0.0F}, {-0.0F}) == 0.0F);
}

TEST_CASE("inner_product: is negated, so that the largest product is the closest") {
    CHECK(plain<inner_product>({1, 2}, {3, 4}) == -11.0F);
    CHECK(distance<simd::native_isa, inner_product>({1, 2, 0}, {3, 4, 5}) == -11.0F);
    CHECK(distance<simd::native_isa, inner_product>({1, 0}, {0, 1}) == 0.0F);
}

TEST_CASE("metrics: no distance of two admitted vectors is NaN or infinite") {
    const float big =
        std::sqrt(std::numeric_limits<float>::max() / 8) * (1 - 0x1p-22F);  // alone, it just passes the gate
    std::vector<float> spread(64, big / 8);
    for (const auto& a : {std::vector<float>(64, 0.0F), spread}) {
        auto b = spread;
        for (float& x : b) x = -x;
        CHECK(std::isfinite(distance<simd::native_isa, l2>(a, b)));
        CHECK(std::isfinite(distance<simd::native_isa, inner_product>(a, b)));
        CHECK(std::isfinite(distance<simd::scalar_isa, l2>(a, b)));
    }
    CHECK(std::isfinite(distance<simd::native_isa, l2>({big}, {-big})));
}

TEST_CASE("cosine: is 0 along, 1 across and 2 against, whatever the lengths") {
    const auto d = [](std::vector<float> a, std::vector<float> b) {
        return distance<simd::native_isa, cosine>(unit(std::move(a)), unit(std::move(b)));
    };
    CHECK(d({3, 0, 0}, {0.001F, 0, 0}) == 0.0F);
    CHECK(d({3, 0, 0}, {0, 7, 0}) == 1.0F);
    CHECK(d({3, 0, 0}, {-5, 0, 0}) == 2.0F);
    CHECK(d({1, 1}, {1, 0}) == Approx(1 - std::sqrt(0.5)).margin(1e-7));
}

TEST_CASE("cosine: stays in [0, 2] and d(x, x) within its bound, for any direction") {
    std::mt19937 random(9);
    std::size_t outside = 0;
    for (const std::size_t dim : dims)
        for (int i = 0; i < 100; ++i) {
            const auto a = unit(random_vector(dim, random));
            auto b = a;
            for (float& x : b) x = -x;
            const float same = distance<simd::native_isa, cosine>(a, a);
            const float opposite = distance<simd::native_isa, cosine>(a, b);
            outside += !(same >= 0.0F && static_cast<long double>(same) <= allowed(dim, 1, 1, true));
            outside += !(opposite <= 2.0F && static_cast<long double>(opposite) >= 2 - allowed(dim, 1, 1, true));
        }
    CHECK(outside == 0);
    CHECK(cosine::finish(1.0000002F) == 0.0F);
    CHECK(cosine::finish(-1.0000002F) == 2.0F);
}

TEST_CASE("cosine: prepare makes a unit vector, from the largest admitted to the smallest denormal") {
    std::mt19937 random(10);
    for (const std::size_t dim : dims) {
        const auto direction = random_vector(dim, random);
        const auto want = unit(direction);
        for (const float scale : {1e17F, 1.0F, 1e-20F, 1e-30F, 1e-36F}) {
            auto v = direction;
            for (float& x : v) x *= scale;
            v = unit(v);
            CAPTURE(dim, scale);
            CHECK(std::fabs(norm(v) - 1) < 1e-6L);
            CHECK(plain<l2>(v, want) < 1e-11F);
        }
    }
    const float smallest = std::numeric_limits<float>::denorm_min();
    CHECK(unit({0, smallest, 0}) == std::vector<float>{0, 1, 0});
    CHECK(unit({-smallest}) == std::vector<float>{-1});
    CHECK(unit(std::vector<float>(4, smallest)) == std::vector<float>(4, 0.5F));
    const float big = std::sqrt(std::numeric_limits<float>::max() / 8);
    CHECK(unit({big, 0, 0}) == std::vector<float>{1, 0, 0});
}

TEST_CASE("cosine: prepare refuses the zero vector, of any length and sign") {
    for (const std::size_t dim : sizes{0, 1, 4, 5, 100}) {
        std::vector<float> zero(dim, 0.0F), negative(dim, -0.0F);
        CHECK_FALSE(cosine::prepare(zero));
        CHECK_FALSE(cosine::prepare(negative));
    }
}

TEST_CASE("cosine: prepare accepts what it returned, and hardly changes it") {
    std::mt19937 random(11);
    for (const std::size_t dim : dims) {
        const auto once = unit(random_vector(dim, random));
        const auto twice = unit(once);
        for (std::size_t i = 0; i < dim; ++i) REQUIRE(std::fabs(once[i] - twice[i]) <= 0x1p-22F * std::fabs(once[i]));
    }
}

TEST_CASE("metrics: names are distinct and fit a file's header") {
    CHECK(l2::name == "l2");
    CHECK(inner_product::name == "inner_product");
    CHECK(cosine::name == "cosine");
    for (const std::string_view name : {l2::name, inner_product::name, cosine::name}) CHECK(name.size() <= 31);
}

}  // namespace
