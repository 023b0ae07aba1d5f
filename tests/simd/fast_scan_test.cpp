// SPDX-License-Identifier: MIT
// What rotation.hpp and fast_scan.hpp promise, on every instruction set of this build.
#include "vicinal/simd/fast_scan.hpp"

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "simd/reference.hpp"
#include "support/catch.hpp"
#include "vicinal/simd/rotation.hpp"

namespace {

namespace simd = vicinal::simd;
using vicinal_test::random_vector;

double inner(const std::vector<float>& a, const std::vector<float>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * double{b[i]};
    return sum;
}

template <class Isa>
std::vector<float> rotated(const simd::rotation& by, const std::vector<float>& v) {
    std::vector<float> out(by.size());
    std::vector<float> spare(by.size());
    by.apply<Isa>(v.data(), out.data(), spare.data());
    return out;
}

template <class Isa>
void check_rotation() {
    std::mt19937 random(3);
    for (const std::size_t dim : {1U, 2U, 7U, 16U, 17U, 48U, 100U, 128U, 223U, 384U, 960U, 1024U}) {
        INFO("dim " << dim);
        const simd::rotation by(dim);
        REQUIRE(by.size() % 16 == 0);
        REQUIRE(by.size() - dim < 16);
        const auto a = random_vector(dim, random);
        const auto b = random_vector(dim, random);
        const auto ra = rotated<Isa>(by, a);
        const auto rb = rotated<Isa>(by, b);
        const double bound = 1e-5 * std::sqrt(inner(a, a) * inner(b, b));
        CHECK(std::abs(inner(ra, rb) - inner(a, b)) <= bound);
        CHECK(std::abs(inner(ra, ra) - inner(a, a)) <= 1e-5 * inner(a, a));
        CHECK(rotated<simd::scalar_isa>(simd::rotation(dim), a) == ra);  // by another object, on plain C++
        if (dim >= 16) CHECK(rotated<Isa>(simd::rotation(dim, 5), a) != ra);
    }
}

/// 32 vectors of random signs, and their codes row by row.
struct signs {
    std::size_t dim;
    std::vector<std::vector<float>> values;
    std::vector<std::byte> codes;

    signs(std::size_t d, std::mt19937& random) : dim(d), codes(d / 8 * simd::scan_lanes + 16) {
        for (std::size_t row = 0; row < simd::scan_lanes; ++row) {
            values.push_back(random_vector(d, random));
            for (std::size_t i = 0; i < d; ++i)
                if (values[row][i] >= 0.0F) codes[row * (d / 8) + i / 8] |= std::byte{1} << (i % 8);
        }
    }
};

template <class Isa>
void check_scan() {
    std::mt19937 random(4);
    using V = simd::lanes<Isa>;
    for (const std::size_t dim : {16U, 32U, 48U, 128U, 240U, 1024U, 8192U, 8208U, 20000U}) {
        INFO("dim " << dim);
        const signs s(dim, random);
        const auto query = random_vector(dim, random);
        std::vector<std::uint8_t> tables(4 * dim + 64);
        const auto scale = simd::make_lookup_tables<V>(query.data(), dim, tables.data());
        std::vector<float> out(33, -7.0F);
        simd::scan_rows_32<V>(s.codes.data(), dim / 8, 32, tables.data(), dim, scale, out.data());
        CHECK(out[32] == -7.0F);
        std::size_t wrong = 0;
        std::size_t far = 0;
        for (std::size_t lane = 0; lane < 32; ++lane) {
            double sum = 0;      // of the table entries
            double product = 0;  // of query and signs
            for (std::size_t g = 0; g < dim / 4; ++g) {
                unsigned index = 0;
                for (unsigned j = 0; j < 4; ++j) {
                    const bool positive = s.values[lane][4 * g + j] >= 0.0F;
                    index |= (positive ? 1U : 0U) << j;
                    product += positive ? double{query[4 * g + j]} : -double{query[4 * g + j]};
                }
                sum += tables[16 * g + index];
                if (tables[16 * g + index] > simd::scan_highest) ++wrong;
            }
            const double estimate = sum * double{scale.step} + double{scale.low};
            const double size = std::abs(estimate) + std::abs(double{scale.low});
            if (!(std::abs(double{out[lane]} - estimate) <= 1e-5 * size)) ++wrong;
            // Each entry is rounded by at most half a step; as they are independent, eight deviations bound their sum.
            const double deviation = double{scale.step} / std::sqrt(12.0) * std::sqrt(static_cast<double>(dim / 4));
            if (!(std::abs(estimate - product) <= 8 * deviation)) ++far;
        }
        CHECK(wrong == 0);
        CHECK(far == 0);
    }
}

}  // namespace

TEST_CASE("rotation: lengths and inner products are kept, the same on every instruction set") {
    check_rotation<simd::scalar_isa>();
    check_rotation<simd::native_isa>();
#if defined(__SSE2__)
    check_rotation<xsimd::sse2>();
#endif
}

TEST_CASE("rotation: one large component is spread over all") {
    for (const std::size_t dim : {64U, 100U, 384U}) {
        INFO("dim " << dim);
        const simd::rotation by(dim);
        std::vector<float> v(dim, 0.0F);
        v[dim / 3] = 1.0F;
        const auto r = rotated<simd::native_isa>(by, v);
        double largest = 0;
        for (const float x : r) largest = std::fmax(largest, std::abs(double{x}));
        CHECK(largest < 6.0 / std::sqrt(static_cast<double>(by.size())));
    }
}

TEST_CASE("fast scan: 32 sums are those of the tables' entries, and near the exact products") {
    check_scan<simd::scalar_isa>();
    check_scan<simd::native_isa>();
#if defined(__SSE2__)
    check_scan<xsimd::sse2>();
#endif
#if defined(VICINAL_HAS_SSSE3)
    check_scan<xsimd::ssse3>();
#endif
}

TEST_CASE("fast scan: a query of zeros has no steps") {
    const std::vector<float> zeros(32, 0.0F);
    std::vector<std::uint8_t> tables(4 * 32 + 64);
    const auto scale = simd::make_lookup_tables<simd::lanes<simd::native_isa>>(zeros.data(), 32, tables.data());
    CHECK(scale.step == 0.0F);
    CHECK(scale.low == 0.0F);
}
