// SPDX-License-Identifier: MIT
// What simd/pca_lower_bounds.hpp promises, on every instruction set of this build.
#include "vicinal/simd/pca_lower_bounds.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "simd/reference.hpp"
#include "support/catch.hpp"

namespace {

namespace simd = vicinal::simd;

/// Rows of four factors, `stride` bytes apart, and a product for each of 32.
struct factor_rows {
    std::size_t stride;
    std::vector<std::byte> bytes;
    std::vector<std::int32_t> products;

    factor_rows(std::size_t count, std::size_t gap, std::mt19937& random)
        : stride(16 + gap), bytes(count * stride), products(32) {
        std::uniform_real_distribution<float> any(0.0F, 4.0F);
        for (std::size_t r = 0; r < count; ++r)
            for (std::size_t i = 0; i < 4; ++i) set(r, i, any(random));
        for (auto& product : products) product = static_cast<std::int32_t>(random() % 2001) - 1000;
    }
    void set(std::size_t row, std::size_t i, float x) { std::memcpy(bytes.data() + row * stride + 4 * i, &x, 4); }
    double at(std::size_t row, std::size_t i) const {
        float x;
        std::memcpy(&x, bytes.data() + row * stride + 4 * i, 4);
        return double{x};
    }
};

/// The bound of one row, in double.
double bound(const factor_rows& rows, std::size_t r, const simd::pca_bound_terms& terms, bool products, double lowest) {
    const double product = rows.products[r];
    const double square =
        double{terms.base} + rows.at(r, 0) - double{terms.scale} * product - double{terms.along} * rows.at(r, 1);
    const double d = std::sqrt(std::fmax(square, 0.0)) - rows.at(r, 2);
    const double within = std::fmax(d - double{terms.off}, 0.0);
    return std::fmax(products ? within * within - rows.at(r, 3) : d, lowest);
}

template <class Isa, bool Products>
void check_bounds() {
    std::mt19937 random(11);
    const simd::pca_bound_terms terms{3.0F, 0.01F, 0.5F, 0.25F};
    for (const std::size_t count : {1U, 7U, 8U, 9U, 31U, 32U})
        for (const std::size_t gap : {0U, 5U}) {
            const factor_rows rows(count, gap, random);
            std::vector<float> out(33, -7.0F);
            simd::pca_lower_bounds<Isa, Products>(rows.bytes.data(), rows.stride, count, rows.products.data(), terms,
                                                  -2.0F, out.data());
            for (std::size_t r = 0; r < count; ++r) {
                CAPTURE(count, gap, r);
                CHECK(std::abs(double{out[r]} - bound(rows, r, terms, Products, -2.0)) <= 1e-5 * 32);
            }
            CHECK(out[32] == -7.0F);
        }
}

template <class Isa>
void check_nan() {
    std::mt19937 random(12);
    for (std::size_t i = 0; i < 4; ++i) {
        factor_rows rows(32, 0, random);
        rows.set(3, i, std::numeric_limits<float>::quiet_NaN());
        std::vector<float> out(32);
        simd::pca_lower_bounds<Isa, true>(rows.bytes.data(), rows.stride, 32, rows.products.data(),
                                          {0.0F, 0.0F, 1.0F, 0.0F}, -9.0F, out.data());
        CAPTURE(i);
        CHECK(out[3] >= -9.0F);
        CHECK(out[3] <= 0.0F);  // a factor that is NaN rules no row out that lies on the query
    }
}

template <class Isa>
void check_all() {
    check_bounds<Isa, false>();
    check_bounds<Isa, true>();
    check_nan<Isa>();
}

TEST_CASE("pca_lower_bounds: each row's bound is that of its formula, whatever the number of rows and their spacing") {
    check_all<simd::native_isa>();
    check_all<simd::scalar_isa>();
#if defined(__SSE2__)
    check_all<xsimd::sse2>();
#endif
}

}  // namespace
