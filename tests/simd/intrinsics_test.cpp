// SPDX-License-Identifier: MIT
// What simd/intrinsics.hpp, compat.hpp and isa.hpp promise: vectors compute what single floats do.
#include "vicinal/simd/intrinsics.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

#include "simd/reference.hpp"
#include "support/catch.hpp"

namespace {

using vicinal_test::same_bits;
namespace simd = vicinal::simd;

template <class V>
std::array<float, 16> lanes_of(const V& v) {
    std::array<float, 16> out{};
    if constexpr (simd::is_float<V>)
        out[0] = v;
    else
        v.store_unaligned(out.data());
    return out;
}

/// Widens all 65536 codes of two bytes with vectors of V and one by one, at an odd address.
template <class V, class Wide, class One>
std::size_t differences(Wide wide, One one) {
    constexpr std::size_t width = sizeof(V) / sizeof(float);
    std::vector<std::byte> bytes(1 + 65536 * 2 + simd::over_read);
    for (std::uint32_t i = 0; i < 65536; ++i) {
        const auto code = static_cast<std::uint16_t>(i);
        std::memcpy(bytes.data() + 1 + i * 2, &code, 2);
    }
    std::size_t different = 0;
    for (std::size_t i = 0; i < 65536; i += width) {
        const auto got = lanes_of(wide(bytes.data() + 1 + i * 2));
        for (std::size_t lane = 0; lane < width; ++lane) {
            const float want = one(static_cast<std::uint16_t>(i + lane));
            // An instruction may set a NaN's quiet bit; all else is the same to the last bit.
            different += std::isnan(want) ? !std::isnan(got[lane]) : !same_bits(got[lane], want);
        }
    }
    return different;
}

template <class V>
void check_widening() {
    CHECK(differences<V>([](const std::byte* p) { return simd::widen_f16<V>(p); },
                         [](std::uint16_t x) { return vicinal::detail::half_to_float(x); }) == 0);
    CHECK(differences<V>([](const std::byte* p) { return simd::widen_bf16<V>(p); },
                         [](std::uint16_t x) { return vicinal::detail::bfloat_to_float(x); }) == 0);
    constexpr std::size_t width = sizeof(V) / sizeof(float);
    std::vector<std::byte> bytes(256 + simd::over_read);
    for (std::size_t i = 0; i < 256; ++i) bytes[i] = static_cast<std::byte>(i);
    for (std::size_t i = 0; i + width <= 256; ++i) {
        const auto got = lanes_of(simd::widen_u8<V>(bytes.data() + i));
        for (std::size_t lane = 0; lane < width; ++lane) REQUIRE(got[lane] == static_cast<float>(i + lane));
    }
    for (std::size_t i = 0; i + width <= 512; i += width) {
        const auto got = lanes_of(simd::widen_u4<V>(bytes.data(), i));
        for (std::size_t lane = 0; lane < width; ++lane)
            REQUIRE(got[lane] == static_cast<float>((i + lane) / 2 >> ((i + lane) % 2 * 4) & 15U));
    }
}

/// Codes of 4 bits choose among 16 pairs of floats, all of which differ.
template <class V>
void check_pairs() {
    constexpr std::size_t width = sizeof(V) / sizeof(float);
    std::mt19937 random(6);
    std::vector<float> codebook(64 * 16);
    for (std::size_t i = 0; i < codebook.size(); ++i) codebook[i] = static_cast<float>(i);
    std::vector<std::byte> codes(16 + simd::over_read);
    for (std::byte& code : codes) code = static_cast<std::byte>(random() & 255U);
    for (std::size_t i = 0; i < 64; i += width) {
        const auto got = lanes_of(simd::look_up_pairs<V>(codebook.data(), codes.data(), i));
        for (std::size_t lane = 0; lane < width; ++lane)
            REQUIRE(got[lane] == simd::look_up_pairs<float>(codebook.data(), codes.data(), i + lane));
    }
}

template <class V>
void check_stores() {
    constexpr std::size_t width = sizeof(V) / sizeof(float);
    std::vector<float> values(2 * width);
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = (i % 2 == 0 ? 1.0F : -1.0F) * (static_cast<float>(i * 2000) + (i % 3 == 0 ? 0.6F : 0.4F));
    const V a = simd::load<V>(values.data()), b = simd::load<V>(values.data() + width);
    std::vector<std::int16_t> rounded(width + 1, 7);
    simd::store_rounded(a, rounded.data());
    for (std::size_t i = 0; i < width; ++i) CHECK(rounded[i] == std::lround(values[i]));
    CHECK(rounded[width] == 7);
    if constexpr (!simd::is_float<V>) {
        std::vector<float> mixed(2 * width + 1, 7.0F);
        simd::store_interleaved(a, b, mixed.data());
        for (std::size_t i = 0; i < 2 * width; ++i) CHECK(mixed[i] == values[i % 2 * width + i / 2]);
        CHECK(mixed[2 * width] == 7.0F);
    }
}

/// As many vectors as transpose_whole takes, of dims that are no multiple of what registers hold.
template <class V>
void check_transposing() {
    constexpr std::size_t n = 2 * sizeof(V) / sizeof(float);
    for (std::size_t dim = 1; dim < 20; ++dim) {
        std::vector<std::vector<float>> rows(n, std::vector<float>(dim));
        std::vector<const float*> at;
        for (std::size_t v = 0; v < n; ++v) {
            for (std::size_t i = 0; i < dim; ++i) rows[v][i] = static_cast<float>(100 * v + i);
            at.push_back(rows[v].data());
        }
        std::vector<float> out(n * dim, -1.0F);
        const std::size_t written = simd::transpose_whole<V>(at.data(), dim, out.data());
        REQUIRE(written <= dim);
        for (std::size_t i = 0; i < dim; ++i)
            for (std::size_t v = 0; v < n; ++v) REQUIRE(out[i * n + v] == (i < written ? rows[v][i] : -1.0F));
    }
}

template <class V>
void check_comparing() {
    constexpr std::size_t width = sizeof(V) / sizeof(float);
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    const std::array<float, 4> some{1.0F, 2.0F, -1.0F, nan};
    for (const float x : some)
        for (const float y : some)
            for (std::size_t lane = 0; lane < width; ++lane) {  // one lane differs from the others, which are less
                std::vector<float> a(width, 0.0F), b(width, 1.0F);
                a[lane] = x;
                b[lane] = y;
                CHECK(simd::not_less_lanes(simd::load<V>(a.data()), simd::load<V>(b.data())) ==
                      (x < y ? 0U : 1U << lane));
            }
}

template <class Isa>
void check_moves() {
    check_pairs<simd::lanes<Isa>>();
    check_stores<simd::lanes<Isa>>();
    check_transposing<simd::lanes<Isa>>();
    check_comparing<simd::lanes<Isa>>();
}

template <class V>
void check_lane_functions() {
    constexpr std::size_t width = sizeof(V) / sizeof(float);
    std::mt19937 random(4);
    for (int round = 0; round < 200; ++round) {
        std::array<std::vector<float>, 4> values;
        for (auto& v : values) v = vicinal_test::random_vector(width, random);
        const V a = simd::load<V>(values[0].data()), b = simd::load<V>(values[1].data());
        const V c = simd::load<V>(values[2].data()), d = simd::load<V>(values[3].data());
        std::array<float, 4> sums{}, turned{}, single{};
        simd::sum_lanes_4(a, b, c, d, sums.data());
        simd::sum_lanes_4(d, a, b, c, turned.data());
        simd::sum_lanes_4(a, V(0.0F), V(0.0F), V(0.0F), single.data());
        for (std::size_t r = 0; r < 4; ++r) {
            REQUIRE(same_bits(sums[r], turned[(r + 1) % 4]));
            long double exact = 0, magnitude = 0;
            for (const float x : values[r]) exact += x, magnitude += std::fabs(x);
            REQUIRE(std::fabs(sums[r] - exact) <= 4 * 0x1p-24L * magnitude);
        }
        REQUIRE(same_bits(sums[0], single[0]));
        for (std::size_t count = 1; count < width; ++count) {
            const auto mixed = lanes_of(simd::first_lanes(count, a, b));
            for (std::size_t lane = 0; lane < width; ++lane)
                REQUIRE(same_bits(mixed[lane], values[lane < count ? 0 : 1][lane]));
        }
    }
}

template <class Isa>
void check_not_above() {
    std::mt19937 random(5);
    std::vector<float> values = vicinal_test::random_vector(32, random);
    values[9] = std::numeric_limits<float>::quiet_NaN();
    std::uint32_t want = 0;
    for (unsigned i = 0; i < 32; ++i) want |= (i == 9 || values[i] <= values[20] ? 1U : 0U) << i;
    CHECK(simd::not_above_32<Isa>(values.data(), values[20]) == want);
    CHECK(simd::not_above_32<simd::lanes<Isa>>(values.data(), values[20]) == want);
}

TEST_CASE("intrinsics: f16, bf16, bytes and half bytes widen to the same floats in vectors as one by one") {
    check_widening<simd::lanes<simd::native_isa>>();
    check_widening<float>();
#if defined(__SSE2__)
    check_widening<simd::lanes<xsimd::sse2>>();
#endif
}

TEST_CASE("intrinsics: four sums at once have the bits of each alone, in any place") {
    check_lane_functions<simd::lanes<simd::native_isa>>();
    check_lane_functions<float>();
#if defined(__SSE2__)
    check_lane_functions<simd::lanes<xsimd::sse2>>();
#endif
}

TEST_CASE("intrinsics: look-ups, stores, transposing and comparing do with vectors what they do one by one") {
    check_moves<simd::native_isa>();
    check_moves<simd::scalar_isa>();
#if defined(__SSE2__)
    check_moves<xsimd::sse2>();
#endif
}

TEST_CASE("intrinsics: lanes that were not chosen do not leak, be they NaN") {
    using V = simd::lanes<simd::native_isa>;
    constexpr std::size_t width = simd::lane_count<simd::native_isa>;
    const std::vector<float> nan(width, std::numeric_limits<float>::quiet_NaN());
    const std::vector<float> one(width, 1.0F);
    for (std::size_t count = 1; count < width; ++count) {
        const auto mixed = lanes_of(simd::first_lanes(count, simd::load<V>(one.data()), simd::load<V>(nan.data())));
        for (std::size_t lane = 0; lane < width; ++lane) CHECK(std::isnan(mixed[lane]) == (lane >= count));
    }
}

TEST_CASE("intrinsics: not_above_32 finds values at a limit and NaN, none above it") {
    check_not_above<simd::native_isa>();
    check_not_above<simd::scalar_isa>();
#if defined(__SSE2__)
    check_not_above<xsimd::sse2>();
#endif
}

TEST_CASE(
    "isa: a vector has the tag of its instruction set, and sets without files of their own that of what they come "
    "from") {
    namespace tag = simd::tag;
    using std::is_same_v;
    STATIC_REQUIRE(is_same_v<simd::tag_of<simd::lanes<simd::native_isa>>, simd::tag_of<simd::native_isa>>);
    STATIC_REQUIRE(is_same_v<simd::tag_of<float>, tag::generic>);
    STATIC_REQUIRE(is_same_v<simd::tag_of<simd::scalar_isa>, tag::generic>);
    STATIC_REQUIRE(is_same_v<simd::tag_of<simd::avx512_isa>, tag::avx512>);
    STATIC_REQUIRE(is_same_v<simd::tag_of<xsimd::avx2>, tag::avx2>);
    STATIC_REQUIRE(is_same_v<simd::tag_of<xsimd::avx>, tag::avx>);
    STATIC_REQUIRE(is_same_v<simd::tag_of<xsimd::sse4_2>, tag::ssse3>);
    STATIC_REQUIRE(is_same_v<simd::tag_of<xsimd::sse3>, tag::sse2>);
    STATIC_REQUIRE(is_same_v<simd::tag_of<xsimd::neon>, tag::neon>);
    STATIC_REQUIRE(is_same_v<simd::tag_of<xsimd::neon64>, tag::neon64>);
    STATIC_REQUIRE(is_same_v<simd::tag_of<xsimd::avx512f>, tag::generic>);
}

#if defined(__AVX2__) && defined(__FMA__)
TEST_CASE("isa: code for AVX2 and more takes the files for AVX2") {
    STATIC_REQUIRE(std::is_base_of_v<simd::tag::avx2, simd::tag_of<simd::native_isa>>);
#if defined(__AVX512VL__) && defined(__AVX512BW__) && defined(__AVX512DQ__)
    STATIC_REQUIRE(std::is_base_of_v<simd::tag::avx512vl, simd::tag_of<simd::native_isa>>);
    STATIC_REQUIRE(std::is_same_v<simd::tag_of<simd::wide_isa<simd::native_isa>>, simd::tag::avx512>);
#else
    STATIC_REQUIRE(std::is_same_v<simd::wide_isa<simd::native_isa>, simd::native_isa>);
#endif
}
#endif

TEST_CASE("isa: the scalar set has one lane, and the over-read covers a vector of any set") {
    STATIC_REQUIRE(simd::lane_count<simd::scalar_isa> == 1);
    STATIC_REQUIRE(simd::lane_count<simd::native_isa> * sizeof(float) <= simd::over_read);
    STATIC_REQUIRE(simd::over_read == 64);
}

TEST_CASE("prefetch_lines: any range is fine, also none and one that is not there") {
    simd::prefetch_lines(nullptr, 0);
    simd::prefetch_lines(reinterpret_cast<const std::byte*>(std::uintptr_t{64}), 1 << 20);
    SUCCEED();
}

}  // namespace
