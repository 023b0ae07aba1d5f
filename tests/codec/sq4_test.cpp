// SPDX-License-Identifier: MIT
// What codec/sq4.hpp and codec/grid_fit.hpp promise.
#include "vicinal/codec/sq/sq4.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "simd/reference.hpp"
#include "support/catch.hpp"

namespace {

using vicinal::matrix_view;
using vicinal::sq4;
using vicinal_test::same_bits;
namespace simd = vicinal::simd;

sq4 trained(const std::vector<float>& data, std::size_t dim) {
    sq4 codec(dim);
    codec.train(matrix_view<const float>(data.data(), data.size() / dim, dim));
    return codec;
}
std::vector<std::byte> encoded(const sq4& codec, const std::vector<float>& v) {
    std::vector<std::byte> code(codec.code_size() + simd::over_read, std::byte{0xEE});
    codec.encode(v, {code.data(), codec.code_size()});
    for (std::size_t i = codec.code_size(); i < code.size(); ++i) CHECK(code[i] == std::byte{0xEE});
    return code;
}
std::vector<float> there_and_back(const sq4& codec, const std::vector<float>& v) {
    std::vector<float> back(v.size());
    codec.decode({encoded(codec, v).data(), codec.code_size()}, back);
    return back;
}
double squared_error(const sq4& codec, const std::vector<float>& data) {
    double sum = 0;
    for (std::size_t r = 0; r < data.size(); r += codec.dim()) {
        const std::vector<float> row(data.begin() + static_cast<std::ptrdiff_t>(r),
                                     data.begin() + static_cast<std::ptrdiff_t>(r + codec.dim()));
        const auto back = there_and_back(codec, row);
        for (std::size_t i = 0; i < row.size(); ++i) sum += std::pow(double{back[i]} - row[i], 2);
    }
    return sum;
}

TEST_CASE("sq4: is two components a byte, the first in the lower half, and untrained until it saw data") {
    CHECK(sq4(128).code_size() == 64);
    CHECK(sq4(3).code_size() == 2);
    CHECK(sq4(1).code_size() == 1);
    CHECK_FALSE(sq4(4).trained());
    const sq4 codec = trained({0, 1, 2, 15, 7}, 5);
    CHECK(codec.trained());
    const auto code = encoded(codec, {1, 2, 3, 15, 9});
    CHECK(code[0] == std::byte{0x21});
    CHECK(code[1] == std::byte{0xF3});
    CHECK(code[2] == std::byte{0x09});  // nothing in the last half
}

TEST_CASE("sq4: inside the learned range the error is at most half a step, and the range holds almost all") {
    std::mt19937 random(15);
    for (const float scale : {1e-30F, 1e-3F, 1.0F, 1e4F, 1e17F}) {
        const auto data = vicinal_test::random_vector(std::size_t{64} * 400, random, scale);
        const sq4 codec = trained(data, 64);
        REQUIRE(codec.uniform());
        const float low = codec.low(0);
        const float high = low + 15 * codec.step(0);
        CAPTURE(scale, low, high);
        CHECK(low < -2.5F * scale);
        CHECK(low > -3.7F * scale);  // extremes lie beyond 4
        CHECK(high > 2.5F * scale);
        CHECK(high < 3.7F * scale);
        double worst = 0;
        for (std::size_t r = 0; r < data.size(); r += 64) {
            const std::vector<float> row(data.begin() + static_cast<std::ptrdiff_t>(r),
                                         data.begin() + static_cast<std::ptrdiff_t>(r + 64));
            const auto back = there_and_back(codec, row);
            for (std::size_t i = 0; i < 64; ++i)
                if (row[i] >= low && row[i] <= high) worst = std::max(worst, std::fabs(double{back[i]} - row[i]));
        }
        CHECK(worst <= double{codec.step(0)} * (0.5 + 1e-4));
        CHECK(worst >= double{codec.step(0)} * 0.4);
    }
}

TEST_CASE("sq4: the range it learns beats the extremes', also where a few numbers are wild") {
    std::mt19937 random(16);
    for (const float wild : {1.0F, 1e3F, 1e7F}) {
        auto data = vicinal_test::random_vector(std::size_t{16} * 4000, random);
        data[1000] = 5 * wild;
        const sq4 codec = trained(data, 16);
        data[1000] = 0;  // what the codec makes of that one is its own affair
        const auto [low, high] = std::minmax_element(data.begin(), data.end());
        sq4 extremes(16);
        extremes.set_all(*low, (double{*high} - double{*low}) / 15);
        CAPTURE(wild, codec.low(0), codec.step(0), codec.uniform());
        CHECK(squared_error(codec, data) < 0.75 * squared_error(extremes, data));
    }
}

TEST_CASE("sq4: whole numbers that fit 16 steps are exact") {
    for (const float low : {0.0F, -8.0F, 1000.0F, -8388608.0F}) {
        std::vector<float> all(16);
        for (std::size_t i = 0; i < 16; ++i) all[i] = low + static_cast<float>(i);
        const sq4 codec = trained(all, 16);
        CHECK(codec.step(0) == 1.0F);
        CHECK(codec.low(0) == low);
        CHECK(there_and_back(codec, all) == all);
    }
    CHECK(trained({0, 16}, 2).step(0) > 1.0F);    // 17 values do not fit
    CHECK(trained({0, 0.5F}, 2).step(0) < 1.0F);  // not whole
}

TEST_CASE("sq4: constant data is exact, whatever the constant, also in single components") {
    for (const float value : {0.0F, 3.0F, -0.3F, 1e-40F, 1e18F}) {
        const std::vector<float> row(5, value);
        const sq4 codec = trained(row, 5);
        CAPTURE(value);
        CHECK(codec.trained());
        CHECK(there_and_back(codec, row) == row);
    }
    std::mt19937 random(17);
    std::vector<float> data;
    for (int row = 0; row < 300; ++row) {
        const auto v = vicinal_test::random_vector(2, random);
        data.insert(data.end(), {v[0], 1e4F, v[1]});
    }
    const sq4 codec = trained(data, 3);
    REQUIRE_FALSE(codec.uniform());
    CHECK(there_and_back(codec, {0.0F, 1e4F, 0.0F})[1] == 1e4F);
}

TEST_CASE("sq4: components outside the range take its nearest end") {
    const sq4 codec = trained({-1.0F, 1.5F, 0.25F}, 3);
    CHECK(encoded(codec, {-1e18F, 1e18F, -1e18F})[0] == std::byte{0xF0});
    CHECK(encoded(codec, {1e18F, -1e18F, 1e18F})[0] == std::byte{0x0F});
    CHECK(encoded(codec, {1e18F, -1e18F, 1e18F})[1] == std::byte{0x0F});
    CHECK(there_and_back(codec, {-1e18F, 0, 0})[0] == codec.low(0));
}

TEST_CASE("sq4: numbers so small that a step's reciprocal is infinite still get finite codes") {
    for (const float high : {1e-36F, 1e-37F, 1e-39F, 1e-44F, std::numeric_limits<float>::denorm_min()}) {
        const sq4 codec = trained({0.0F, high, high / 2}, 3);
        const auto back = there_and_back(codec, {0.0F, high, -high});
        CAPTURE(high, codec.step(0));
        CHECK(codec.trained());
        for (const float x : back) CHECK(std::fabs(x) <= std::max(2 * high, 64 * std::numeric_limits<float>::min()));
        CHECK(sq4(3).restore(codec.state()));
    }
}

/// How many components load<V> decodes to other bits than decode does.
template <class V>
std::size_t load_differences(const sq4& codec, const std::vector<std::byte>& code, const std::vector<float>& want) {
    constexpr std::size_t width = sizeof(V) / sizeof(float);
    std::size_t different = 0;
    for (std::size_t i = 0; i < want.size(); i += width) {
        const V vector = codec.template load<V>(code.data(), i);
        float lanes[width];
        if constexpr (simd::is_float<V>)
            lanes[0] = vector;
        else
            vector.store_unaligned(lanes);
        for (std::size_t lane = 0; lane < width && i + lane < want.size(); ++lane)
            different += !same_bits(lanes[lane], want[i + lane]);
    }
    return different;
}

TEST_CASE("sq4: load gives the bits that decode gives, in vectors of any set and one by one") {
    std::mt19937 random(18);
    for (int round = 0; round < 50; ++round) {
        const std::size_t dim = 480 + static_cast<std::size_t>(round);
        const sq4 few = trained(vicinal_test::random_vector(99, random, std::exp2(static_cast<float>(round - 25))), 99);
        sq4 all(dim);
        REQUIRE(all.restore(few.state()));
        std::vector<std::byte> code(256 + simd::over_read, std::byte{0xEE});
        for (std::size_t i = 0; i < 256; ++i) code[i] = static_cast<std::byte>(i);
        std::vector<float> want(dim);
        all.decode({code.data(), all.code_size()}, want);
        REQUIRE(want[7] == all.low(0));  // byte 3 is 0x03: 3, then 0
        REQUIRE(want[6] == all.low(0) + all.step(0) * 3.0F);
        REQUIRE(load_differences<simd::lanes<simd::native_isa>>(all, code, want) == 0);
        REQUIRE(load_differences<float>(all, code, want) == 0);
#if defined(__SSE2__)
        REQUIRE(load_differences<simd::lanes<xsimd::sse2>>(all, code, want) == 0);
#endif
    }
}

TEST_CASE("sq4: a state restores the codec that wrote it, with one range or many") {
    std::mt19937 random(19);
    std::vector<float> data;
    for (int row = 0; row < 300; ++row)
        for (int i = 0; i < 7; ++i) data.push_back(std::ldexp(vicinal_test::random_vector(1, random)[0], -2 * i));
    const sq4 many = trained(data, 7);
    REQUIRE_FALSE(many.uniform());
    CHECK(many.step(6) * 60 < many.step(0));
    CHECK(many.state().size() == 7 * 8);
    const sq4 one = trained(vicinal_test::random_vector(700, random), 7);
    REQUIRE(one.uniform());
    CHECK(one.state().size() == 8);
    const auto v = vicinal_test::random_vector(7, random);
    for (const sq4* codec : {&many, &one}) {
        sq4 back(7);
        REQUIRE(back.restore(codec->state()));
        CHECK(back.uniform() == codec->uniform());
        CHECK(back.state() == codec->state());
        CHECK(encoded(back, v) == encoded(*codec, v));
    }
    data.resize(7 * 10);
    CHECK(trained(data, 7).uniform());  // too few rows to know the ranges of single components
}

TEST_CASE("sq4: bytes that are no state are refused and change nothing") {
    sq4 codec = trained({0, 1, 2, 3}, 4);
    const auto state = codec.state();
    auto longer = state;
    longer.push_back(std::byte{0});
    auto negative = state;
    negative[7] = std::byte{0xBF};  // the step's sign and exponent
    auto fine = state;
    fine[4] = std::byte{1};  // more than 16 significant bits
    for (const auto& bad : {std::vector<std::byte>{}, std::vector<std::byte>(8), longer, negative, fine}) {
        CHECK_FALSE(codec.restore(bad));
        CHECK(codec.state() == state);
    }
}

TEST_CASE("sq4: a code whose unused half byte is not zero is not well formed") {
    const std::vector<std::byte> clean{std::byte{0xFF}, std::byte{0x0F}};
    const std::vector<std::byte> dirty{std::byte{0xFF}, std::byte{0x1F}};
    CHECK(sq4(3).well_formed(clean));
    CHECK_FALSE(sq4(3).well_formed(dirty));
    CHECK(sq4(4).well_formed(dirty));
}

TEST_CASE("sq4: training sees the last part of a large batch, too") {
    std::vector<float> data(100000, 0.25F);
    for (std::size_t i = 50000; i < 100000; ++i) data[i] = 4.0F + static_cast<float>(i % 7) / 7;
    const sq4 codec = trained(data, 1);
    CHECK(codec.low(0) <= 0.3F);
    CHECK(codec.low(0) + 15 * codec.step(0) >= 4.5F);
}

TEST_CASE("sq4: is an affine codec of four bits that learns") {
    STATIC_REQUIRE(vicinal::affine_codec<sq4>);
    STATIC_REQUIRE(vicinal::trainable_codec<sq4>);
    STATIC_REQUIRE_FALSE(vicinal::bounded_codec<sq4>);
    STATIC_REQUIRE(sq4::bits == 4);
    CHECK(sq4::name == "sq4");
}

}  // namespace
