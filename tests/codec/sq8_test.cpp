// SPDX-License-Identifier: MIT
// What codec/sq8.hpp promises.
#include "vicinal/codec/sq/sq8.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "simd/reference.hpp"
#include "support/catch.hpp"
#include "vicinal/codec/two_level.hpp"

namespace {

using vicinal::matrix_view;
using vicinal::sq8;
using vicinal_test::same_bits;
namespace simd = vicinal::simd;

sq8 trained(const std::vector<float>& data, std::size_t dim) {
    sq8 codec(dim);
    codec.train(matrix_view<const float>(data.data(), data.size() / dim, dim));
    return codec;
}
std::vector<std::byte> encoded(const sq8& codec, const std::vector<float>& v) {
    std::vector<std::byte> code(codec.code_size() + simd::over_read, std::byte{0xEE});
    codec.encode(v, {code.data(), codec.code_size()});
    for (std::size_t i = codec.code_size(); i < code.size(); ++i) CHECK(code[i] == std::byte{0xEE});
    return code;
}
std::vector<float> there_and_back(const sq8& codec, const std::vector<float>& v) {
    std::vector<float> back(v.size());
    codec.decode({encoded(codec, v).data(), codec.code_size()}, back);
    return back;
}
std::vector<std::byte> state_of(std::uint32_t low, std::uint32_t step) {
    std::vector<std::byte> bytes;
    for (const std::uint32_t word : {low, step})
        for (unsigned i = 0; i < 4; ++i) bytes.push_back(static_cast<std::byte>(word >> (8 * i)));
    return bytes;
}
std::vector<std::byte> state_of(float low, float step) {
    return state_of(std::bit_cast<std::uint32_t>(low), std::bit_cast<std::uint32_t>(step));
}

TEST_CASE("sq8: is one byte a component and untrained until it saw data") {
    CHECK(sq8(384).code_size() == 384);
    CHECK_FALSE(sq8(4).trained());
    CHECK(trained({1, 2, 3, 4}, 4).trained());
}

TEST_CASE("sq8: inside the learned range the error is at most half a step") {
    std::mt19937 random(15);
    for (const float scale : {1e-30F, 1e-3F, 1.0F, 1e4F, 1e17F}) {
        const auto data = vicinal_test::random_vector(64 * 20, random, scale);
        const sq8 codec = trained(data, 64);
        const auto [low, high] = std::minmax_element(data.begin(), data.end());
        CAPTURE(scale, codec.low(0), codec.step(0));
        CHECK(codec.low(0) == *low);
        CHECK(codec.step(0) >= (*high - *low) / 255 * 0.9999F);
        CHECK(codec.step(0) <= (*high - *low) / 255 * 1.0001F);  // no range is wasted
        double worst = 0;
        for (std::size_t r = 0; r < 20; ++r) {
            const std::vector<float> row(data.begin() + static_cast<std::ptrdiff_t>(64 * r),
                                         data.begin() + static_cast<std::ptrdiff_t>(64 * (r + 1)));
            const auto back = there_and_back(codec, row);
            for (std::size_t i = 0; i < 64; ++i) worst = std::max(worst, std::fabs(double{back[i]} - row[i]));
        }
        CHECK(worst <= double{codec.step(0)} * (0.5 + 1e-4));
        CHECK(worst >= double{codec.step(0)} * 0.4);  // the test would see a finer range than was learned
    }
}

TEST_CASE("sq8: whole numbers that fit 256 steps are exact") {
    for (const float low : {0.0F, -128.0F, 1000.0F, -8388608.0F}) {
        std::vector<float> all(256);
        for (std::size_t i = 0; i < 256; ++i) all[i] = low + static_cast<float>(i);
        const sq8 codec = trained(all, 256);
        CHECK(codec.step(0) == 1.0F);
        CHECK(codec.low(0) == low);
        CHECK(there_and_back(codec, all) == all);
    }
    CHECK(trained({0, 3, 7, 7}, 2).step(0) == 1.0F);  // a smaller range, too
    CHECK(trained({0, 256}, 2).step(0) > 1.0F);       // 257 values do not fit
    CHECK(trained({0, 0.5F}, 2).step(0) < 1.0F);      // not whole
    CHECK(trained({0x1p24F, 0x1p24F + 4}, 2).step(0) < 1.0F);
}

TEST_CASE("sq8: constant data is exact, whatever the constant") {
    for (const float value : {0.0F, 3.0F, -0.3F, 1e-40F, 1e18F}) {
        const std::vector<float> row(5, value);
        const sq8 codec = trained(row, 5);
        CAPTURE(value);
        CHECK(codec.trained());
        CHECK(there_and_back(codec, row) == row);
    }
}

TEST_CASE("sq8: components outside the range take its nearest end") {
    const sq8 codec = trained({-1.0F, 1.5F}, 2);
    const auto back = there_and_back(codec, {-1e18F, 1e18F});
    CHECK(back[0] == codec.low(0));
    CHECK(back[1] == there_and_back(codec, {0, 1.5F})[1]);
    CHECK(encoded(codec, {-50.0F, 50.0F})[0] == std::byte{0});
    CHECK(encoded(codec, {-50.0F, 50.0F})[1] == std::byte{255});
}

TEST_CASE("sq8: numbers so small that a step's reciprocal is infinite still get finite codes") {
    for (const float high : {1e-36F, 1e-37F, 1e-39F, 1e-44F, std::numeric_limits<float>::denorm_min()}) {
        const sq8 codec = trained({0.0F, high, high / 2}, 3);
        const auto back = there_and_back(codec, {0.0F, high, -high});
        CAPTURE(high, codec.step(0));
        CHECK(codec.trained());
        CHECK(back[0] == 0.0F);
        CHECK(back[2] == 0.0F);
        CHECK(std::fabs(back[1] - high) <= std::max(codec.step(0) * 0.501F, std::numeric_limits<float>::min()));
        CHECK(sq8(3).restore(codec.state()));
    }
}

TEST_CASE("sq8: learns from the evenly spaced rows of a large batch, the last part of it included") {
    std::vector<float> data(150000, 0.25F);
    data[0] = -1.0F;
    data[149999 / 3 * 3] = 4.0F;  // rows 0, 3, 6, ... are looked at
    const sq8 codec = trained(data, 1);
    CHECK(codec.low(0) == -1.0F);
    CHECK(codec.low(0) + 255 * codec.step(0) >= 4.0F);
}

/// How many components load<V> decodes to other bits than decode does.
template <class V>
std::size_t load_differences(const sq8& codec, const std::vector<std::byte>& code, const std::vector<float>& want) {
    constexpr std::size_t width = sizeof(V) / sizeof(float);
    std::size_t different = 0;
    for (std::size_t i = 0; i < want.size(); ++i) {
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

TEST_CASE("sq8: load gives the bits that decode gives, in vectors of any set and one by one") {
    std::mt19937 random(16);
    for (int round = 0; round < 50; ++round) {
        sq8 codec = trained(vicinal_test::random_vector(99, random, std::exp2(static_cast<float>(round - 25))), 99);
        sq8 all(256);
        REQUIRE(all.restore(codec.state()));
        std::vector<std::byte> code(256 + simd::over_read);
        for (std::size_t i = 0; i < 256; ++i) code[i] = static_cast<std::byte>(i);
        std::vector<float> want(256);
        all.decode({code.data(), 256}, want);
        REQUIRE(load_differences<simd::lanes<simd::native_isa>>(all, code, want) == 0);
        REQUIRE(load_differences<float>(all, code, want) == 0);
#if defined(__SSE2__)
        REQUIRE(load_differences<simd::lanes<xsimd::sse2>>(all, code, want) == 0);
#endif
    }
}

TEST_CASE("sq8: a state restores the codec that wrote it, also with a negative low") {
    std::mt19937 random(17);
    const sq8 codec = trained(vicinal_test::random_vector(40, random), 8);
    REQUIRE(codec.low(0) < 0);
    sq8 back(8);
    REQUIRE(back.restore(codec.state()));
    CHECK(same_bits(back.low(0), codec.low(0)));
    CHECK(same_bits(back.step(0), codec.step(0)));
    const auto v = vicinal_test::random_vector(8, random);
    CHECK(encoded(back, v) == encoded(codec, v));
    CHECK(back.state() == codec.state());
}

TEST_CASE("sq8: components of unlike spread get ranges of their own, once there are rows to show them") {
    std::mt19937 random(18);
    std::vector<float> data;
    for (int row = 0; row < 300; ++row)
        for (int i = 0; i < 8; ++i) data.push_back(std::ldexp(vicinal_test::random_vector(1, random)[0], -2 * i));
    const sq8 codec = trained(data, 8);
    REQUIRE_FALSE(codec.uniform());
    CHECK(codec.step(7) * 60 < codec.step(0));
    for (std::size_t i = 0; i < 8; ++i) {
        CHECK(codec.weight(i) >= 1);
        CHECK(codec.weight(i) <= 64);
        CHECK(codec.step(i) == static_cast<float>(codec.weight(i)) * codec.unit());
        CHECK(codec.step(i) * 255 >= std::ldexp(1.99F, -2 * static_cast<int>(i)));  // none is cut off
    }
    CHECK(codec.weight(0) == 64);
    CHECK(codec.state().size() == 8 * 8);
    sq8 back(8);
    REQUIRE(back.restore(codec.state()));
    CHECK_FALSE(back.uniform());
    CHECK(back.state() == codec.state());
    for (int row = 0; row < 300; ++row) {
        const std::vector<float> v(data.begin() + row * 8, data.begin() + row * 8 + 8);
        const auto out = there_and_back(back, v);
        for (std::size_t i = 0; i < 8; ++i) REQUIRE(std::fabs(out[i] - v[i]) <= back.step(i) * 0.501F);
    }
    for (std::size_t i = 0; i < 8; ++i) CHECK(back.weight(i) == codec.weight(i));
    auto other_unit = codec.state();  // a step that is no multiple of the largest one's 64th
    other_unit[8 * 4 + 5 * 4 + 1] ^= std::byte{0x01};
    CHECK_FALSE(back.restore(other_unit));
    CHECK(back.state() == codec.state());
    data.resize(8 * 10);
    CHECK(trained(data, 8).uniform());
}

TEST_CASE("sq8: a state is two little-endian floats") {
    sq8 codec(1);
    REQUIRE(codec.restore(state_of(-1.5F, 0.25F)));
    CHECK(codec.low(0) == -1.5F);
    CHECK(codec.step(0) == 0.25F);
    CHECK(state_of(1.0F, 2.0F)[3] == std::byte{0x3F});
}

TEST_CASE("sq8: bytes that are no state are refused and change nothing") {
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    constexpr float infinity = std::numeric_limits<float>::infinity();
    sq8 codec(4);
    REQUIRE(codec.restore(state_of(-2.0F, 0.5F)));
    auto longer = state_of(0.0F, 1.0F);
    longer.push_back(std::byte{0});
    const std::vector<std::vector<std::byte>> bad{
        {},
        std::vector<std::byte>(7),
        longer,
        state_of(nan, 1.0F),
        state_of(-nan, 1.0F),
        state_of(infinity, 1.0F),
        state_of(-infinity, 1.0F),
        state_of(1e30F, 1.0F),
        state_of(0.0F, nan),
        state_of(0.0F, -nan),
        state_of(0.0F, infinity),
        state_of(0.0F, 1e30F),
        state_of(0.0F, 0x1p56F),      // the range ends beyond 2^63
        state_of(-0x1p63F, 0x1p57F),  // here, too
        state_of(0.0F, 0.0F),
        state_of(0.0F, -0.0F),
        state_of(0.0F, -1.0F),
        state_of(0U, 0x00010000U),  // 9e-41: its reciprocal is infinite
        state_of(0.0F, 0.1F),       // more than 16 significant bits
    };
    for (std::size_t i = 0; i < bad.size(); ++i) {
        CAPTURE(i);
        CHECK_FALSE(codec.restore(bad[i]));
        CHECK(codec.low(0) == -2.0F);
        CHECK(codec.step(0) == 0.5F);
    }
}

TEST_CASE("sq8: is bounded by its range, not by a magnitude; two_level names its halves") {
    STATIC_REQUIRE_FALSE(vicinal::bounded_codec<sq8>);
    STATIC_REQUIRE(vicinal::trainable_codec<sq8>);
    STATIC_REQUIRE(std::is_same_v<vicinal::two_level<sq8, vicinal::f32>::coarse, sq8>);
    STATIC_REQUIRE(std::is_same_v<vicinal::two_level<sq8, vicinal::f32>::fine, vicinal::f32>);
    CHECK(sq8::name == "sq8");
}

}  // namespace
