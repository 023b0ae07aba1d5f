// SPDX-License-Identifier: MIT
// What codec/half.hpp and codec/f32.hpp promise.
#include "vicinal/codec/half.hpp"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "simd/reference.hpp"
#include "support/catch.hpp"

namespace {

using sizes = std::vector<std::size_t>;
using vicinal::bf16;
using vicinal::f16;
using vicinal::f32;
using vicinal_test::same_bits;
namespace simd = vicinal::simd;

template <class Codec>
std::vector<std::byte> encoded(const Codec& codec, const std::vector<float>& v) {
    std::vector<std::byte> code(codec.code_size() + simd::over_read, std::byte{0xEE});
    codec.encode(v, {code.data(), codec.code_size()});
    for (std::size_t i = codec.code_size(); i < code.size(); ++i) CHECK(code[i] == std::byte{0xEE});
    return code;
}
template <class Codec>
std::vector<float> decoded(const Codec& codec, const std::vector<std::byte>& code, std::size_t dim) {
    std::vector<float> v(dim);
    codec.decode({code.data(), codec.code_size()}, v);
    return v;
}
template <class Codec>
std::vector<float> there_and_back(const std::vector<float>& v) {
    const Codec codec{v.size()};
    return decoded(codec, encoded(codec, v), v.size());
}

/// How many components load<V> decodes to other bits than decode does.
template <class V, class Codec>
std::size_t load_differences(std::size_t dim) {
    constexpr std::size_t width = sizeof(V) / sizeof(float);
    std::mt19937 random(12);
    const Codec codec{dim};
    const auto code = encoded(codec, vicinal_test::random_vector(dim, random, 1e-3F));
    const auto want = decoded(codec, code, dim);
    std::size_t different = 0;
    for (std::size_t i = 0; i < dim; ++i) {
        const V vector = codec.template load<V>(code.data(), i);
        float lanes[width];
        if constexpr (simd::is_float<V>)
            lanes[0] = vector;
        else
            vector.store_unaligned(lanes);
        for (std::size_t lane = 0; lane < width && i + lane < dim; ++lane)
            different += !same_bits(lanes[lane], want[i + lane]);
    }
    return different;
}

/// |there and back - x| <= relative * |x| + absolute for numbers of all sizes up to `largest`.
template <class Codec>
void check_error(float largest, double relative, double absolute) {
    std::mt19937 random(13);
    std::uniform_real_distribution<float> exponent(-140, std::log2(largest));
    std::vector<float> v(4000);
    for (float& x : v) x = std::min(std::exp2(exponent(random)), largest) * (random() % 2 == 0 ? 1.0F : -1.0F);
    v.push_back(largest);
    v.push_back(-largest);
    v.push_back(0.0F);
    const auto back = there_and_back<Codec>(v);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < v.size(); ++i)
        wrong += !(std::fabs(double{back[i]} - v[i]) <= relative * std::fabs(double{v[i]}) + absolute);
    CHECK(wrong == 0);
}

TEST_CASE("f32: is exact, in every bit") {
    const std::vector<float> v{0.0F, -0.0F, 1e-45F, -3.4e38F, 0.1F};
    const auto back = there_and_back<f32>(v);
    for (std::size_t i = 0; i < v.size(); ++i) CHECK(same_bits(back[i], v[i]));
    CHECK(f32{7}.code_size() == 28);
}

TEST_CASE("f16: errs by at most 2^-11 of a component, or 2^-25 below the normal range") {
    check_error<f16>(f16::max_magnitude, 0x1p-11, 0x1p-25);
    CHECK(f16{7}.code_size() == 14);
}

TEST_CASE("bf16: errs by at most 2^-8 of a component, over the range of a float") {
    check_error<bf16>(bf16::max_magnitude, 0x1p-8, 0x1p-134);
    CHECK(bf16{7}.code_size() == 14);
}

TEST_CASE("f16, bf16: what they decode they encode to the same code") {
    for (const std::size_t dim : sizes{1, 33}) {
        std::mt19937 random(14);
        const auto v = vicinal_test::random_vector(dim, random);
        const auto once = there_and_back<f16>(v);
        CHECK(there_and_back<f16>(once) == once);
        const auto rough = there_and_back<bf16>(v);
        CHECK(there_and_back<bf16>(rough) == rough);
    }
}

TEST_CASE("f16, bf16: max_magnitude is the largest that stays finite, the next float does not fit") {
    CHECK(there_and_back<f16>({f16::max_magnitude, -f16::max_magnitude}) ==
          std::vector<float>{f16::max_magnitude, -f16::max_magnitude});
    CHECK(there_and_back<bf16>({bf16::max_magnitude}) == std::vector<float>{bf16::max_magnitude});
    CHECK(vicinal::detail::half_to_float(0x7BFF) == f16::max_magnitude);
    CHECK(vicinal::detail::bfloat_to_float(0x7F7F) == bf16::max_magnitude);
}

TEST_CASE("f32, f16, bf16: load gives the bits that decode gives, in vectors of any set and one by one") {
    using native = simd::lanes<simd::native_isa>;
    for (const std::size_t dim : sizes{1, 5, 16, 100}) {
        CHECK(load_differences<native, f32>(dim) == 0);
        CHECK(load_differences<native, f16>(dim) == 0);
        CHECK(load_differences<native, bf16>(dim) == 0);
        CHECK(load_differences<float, f16>(dim) == 0);
        CHECK(load_differences<float, bf16>(dim) == 0);
#if defined(__SSE2__)
        CHECK(load_differences<simd::lanes<xsimd::sse2>, f16>(dim) == 0);
        CHECK(load_differences<simd::lanes<xsimd::sse2>, bf16>(dim) == 0);
#endif
    }
}

TEST_CASE("f32, f16, bf16: names are distinct, words are what a big-endian machine must swap") {
    CHECK(f32::name == "f32");
    CHECK(f16::name == "f16");
    CHECK(bf16::name == "bf16");
    STATIC_REQUIRE(f32::word_size == 4);
    STATIC_REQUIRE(f16::word_size == 2);
    STATIC_REQUIRE(bf16::word_size == 2);
}

}  // namespace
