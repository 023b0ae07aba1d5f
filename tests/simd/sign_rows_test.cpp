// SPDX-License-Identifier: MIT
// What fast_scan.hpp promises of signs that lie row by row, and rotation.hpp of the way back.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "simd/reference.hpp"
#include "support/catch.hpp"
#include "vicinal/simd/fast_scan.hpp"
#include "vicinal/simd/rotation.hpp"

namespace {

namespace simd = vicinal::simd;
using vicinal_test::random_vector;

/// The sum of the table entries that a row of signs names.
double sum_of_entries(const std::byte* signs, const std::vector<std::uint8_t>& tables, std::size_t dim) {
    double sum = 0;
    for (std::size_t p = 0; p < dim / 8; ++p) {
        const auto both = std::to_integer<unsigned>(signs[p]);
        sum += tables[p * 32 + (both & 15U)] + tables[p * 32 + 16 + (both >> 4U)];
    }
    return sum;
}

/// Sums of some rows of signs, one after the other.
template <class Isa>
void check_rows() {
    using V = simd::lanes<Isa>;
    std::mt19937 random(8);
    for (const std::size_t dim : std::vector<std::size_t>{16, 48, 128, 144, 256, 1000 / 16 * 16, 8192, 8208}) {
        const auto query = random_vector(dim, random);
        std::vector<std::uint8_t> tables(4 * dim + 64);
        const auto scale = simd::make_tables<V>(query.data(), dim, tables.data());
        const std::size_t stride = dim / 8 + 7;
        for (const std::size_t count : std::vector<std::size_t>{1, 2, 7, 31, 32}) {
            std::vector<std::byte> rows(count * stride + 16);
            for (std::byte& b : rows) b = static_cast<std::byte>(random());
            std::vector<float> got(33, -7.0F);
            simd::scan_rows_32<V>(rows.data(), stride, count, tables.data(), dim, scale, got.data());
            for (std::size_t r = 0; r < count; ++r) {
                const double sum = sum_of_entries(rows.data() + r * stride, tables, dim);
                const double want = sum * double{scale.step} + double{scale.low};
                if (!(std::abs(double{got[r]} - want) <= 1e-5 * (std::abs(want) + std::abs(double{scale.low}))))
                    FAIL("dim " << dim << ", row " << r << " of " << count << ": " << got[r] << ", not " << want);
            }
            REQUIRE(got[32] == -7.0F);
        }
    }
}

template <class Isa, bool Squares>
void check_factors() {
    std::mt19937 random(9);
    const simd::factor_terms terms{3.0F, 0.7F, 64.0F};
    const std::size_t stride = 29;
    for (const std::size_t count : std::vector<std::size_t>{1, 5, 8, 9, 32}) {
        std::vector<std::byte> factors(count * stride + 16);
        const auto numbers = random_vector(4 * count, random);
        const auto sums = random_vector(32, random);
        for (std::size_t r = 0; r < count; ++r)
            for (std::size_t i = 0; i < 4; ++i) {
                const float x = std::abs(numbers[4 * r + i]);
                std::uint32_t bits = 0;
                std::memcpy(&bits, &x, sizeof bits);
                for (unsigned b = 0; b < 4; ++b)
                    factors[r * stride + 4 * i + b] = static_cast<std::byte>(bits >> (8 * b));
            }
        std::vector<float> got(32);
        simd::factor_bounds<simd::lanes<Isa>, Squares>(factors.data(), stride, count, sums.data(), terms, got.data());
        for (std::size_t r = 0; r < count; ++r) {
            const double factor = std::abs(double{numbers[4 * r + 1]});
            const double squares = std::abs(double{numbers[4 * r + 2]});
            const double cross = std::abs(double{numbers[4 * r + 3]});
            const double least = 3.0 - double{0.7F} * std::sqrt(std::fmax(0.0, 64 * factor * factor - squares));
            const double product = factor * double{sums[r]};
            const double want = Squares ? least + squares - 2 * product : least - cross - product;
            if (!(std::abs(double{got[r]} - want) <= 1e-4)) FAIL("row " << r << ": " << got[r] << ", not " << want);
        }
    }
}

template <class Isa>
void check_way_back() {
    std::mt19937 random(10);
    for (const std::size_t dim : std::vector<std::size_t>{1, 2, 15, 16, 17, 48, 100, 128, 300, 960}) {
        const simd::rotation by(dim);
        const auto v = random_vector(dim, random);
        std::vector<float> rotated(by.size()), spare(by.size()), back(dim), plain(by.size()), plainly(dim);
        by.template apply<Isa>(v.data(), rotated.data(), spare.data());
        plain = rotated;
        by.template invert<Isa>(rotated.data(), back.data(), spare.data());
        by.template invert<simd::scalar_isa>(plain.data(), plainly.data(), spare.data());
        CHECK(back == plainly);
        for (std::size_t i = 0; i < dim; ++i)
            if (!(std::abs(back[i] - v[i]) < 1e-4F)) FAIL("dim " << dim << ": " << back[i] << ", not " << v[i]);
    }
}

template <class Isa>
void check_all() {
    check_rows<Isa>();
    check_factors<Isa, true>();
    check_factors<Isa, false>();
    check_way_back<Isa>();
}

}  // namespace

TEST_CASE("sign rows: sums, bounds and the way back, on every instruction set") {
    check_all<simd::scalar_isa>();
    check_all<simd::native_isa>();
#if defined(__SSE2__)
    check_all<xsimd::sse2>();
#endif
}
