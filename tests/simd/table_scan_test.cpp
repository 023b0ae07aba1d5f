// SPDX-License-Identifier: MIT
// What fast_scan.hpp promises of tables of shares: that they are the shares, rounded down, and that rows' sums are
// whole numbers without an error.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "simd/reference.hpp"
#include "support/catch.hpp"
#include "vicinal/simd/fast_scan.hpp"

namespace {

namespace simd = vicinal::simd;
using vicinal_test::random_vector;

template <class Isa, bool Differences>
void check_shares() {
    std::mt19937 random(3);
    for (int round = 0; round < 20; ++round) {
        const auto codebook = random_vector(32, random);
        const auto point = random_vector(2, random);
        double exact[16];
        double least = 1e30;
        for (std::size_t c = 0; c < 16; ++c) {
            const double a = double{codebook[2 * c]};
            const double b = double{codebook[2 * c + 1]};
            const double x = double{point[0]};
            const double y = double{point[1]};
            exact[c] = Differences ? (a - x) * (a - x) + (b - y) * (b - y) : -(a * x + b * y);
            least = std::min(least, exact[c]);
        }
        std::vector<float> shares(17, -7.0F);
        float most = 0;
        const float found =
            simd::plane_lookup<simd::lanes<Isa>, Differences>(codebook.data(), point[0], point[1], shares.data(), most);
        REQUIRE(std::abs(double{found} - least) < 1e-6 * (1 + std::abs(least)));
        for (std::size_t c = 0; c < 16; ++c) {
            REQUIRE(std::abs(double{shares[c]} - (exact[c] - least)) < 1e-6 * (1 + std::abs(exact[c])));
            REQUIRE(shares[c] <= most);
        }
        REQUIRE(std::find(shares.begin(), shares.end(), most) != shares.end());
        REQUIRE(std::find(shares.begin(), shares.end(), 0.0F) != shares.end());
        REQUIRE(shares[16] == -7.0F);
        float larger = 1e9F;  // kept
        (void)simd::plane_lookup<simd::lanes<Isa>, Differences>(codebook.data(), point[0], point[1], shares.data(),
                                                                larger);
        REQUIRE(larger == 1e9F);
    }
}

template <class Isa>
void check_rounding() {
    std::mt19937 random(4);
    for (const std::size_t count : {16U, 32U, 48U, 160U}) {
        auto shares = random_vector(count, random);
        for (float& x : shares) x = std::abs(x) * 50.0F;
        shares[3] = 0;
        shares[5] = 63.0F;
        shares[7] = 1e30F;
        shares[9] = 62.99F;
        for (const float scale : {1.0F, 0.375F, 1e37F}) {
            const float half = scale < 1 ? 0.5F : 0.0F;
            std::vector<std::uint8_t> out(count + 1, 99);
            simd::round_to_bytes<simd::lanes<Isa>>(shares.data(), count, scale, half, 63, out.data());
            for (std::size_t i = 0; i < count; ++i) {
                const float scaled = std::fma(shares[i], scale, half);
                REQUIRE(unsigned{out[i]} == static_cast<unsigned>(std::min(63.0F, scaled)));
            }
            REQUIRE(out[count] == 99);
        }
    }
}

/// Bytes of two half bytes each, whose entries of up to 255 / Together are added up.
template <class Isa, std::size_t Together>
void check_sums() {
    using V = simd::lanes<Isa>;
    std::mt19937 random(5);
    for (const std::size_t bytes : std::vector<std::size_t>{2, 4, 14, 16, 18, 32, 46, 126, 130, 510, 512, 514, 1100}) {
        std::vector<std::uint8_t> tables(32 * bytes);
        for (auto& entry : tables) entry = static_cast<std::uint8_t>(random() % (simd::highest_entry<Together> + 1));
        for (std::size_t i = 0; i < tables.size(); i += 16) tables[i] = simd::highest_entry<Together>;
        const std::size_t stride = bytes + 2;
        for (const std::size_t count : std::vector<std::size_t>{1, 5, 31, 32}) {
            std::vector<std::byte> rows(count * stride + 16);
            for (std::byte& b : rows) b = static_cast<std::byte>(random());
            for (std::size_t i = 0; i < stride; ++i) rows[i] = std::byte{0};  // the largest sum there is
            std::vector<float> sums(33, -7.0F);
            simd::scan_rows_32<V, Together>(rows.data(), stride, count, tables.data(), 8 * bytes, {1.0F, 0.0F},
                                            sums.data());
            for (std::size_t r = 0; r < count; ++r) {
                std::uint32_t sum = 0;
                for (std::size_t i = 0; i < bytes; ++i) {
                    const auto both = std::to_integer<unsigned>(rows[r * stride + i]);
                    sum += std::uint32_t{tables[32 * i + both % 16]} + tables[32 * i + 16 + both / 16];
                }
                if (sums[r] != static_cast<float>(sum))
                    FAIL(bytes << " bytes, row " << r << " of " << count << ": " << sums[r] << ", not " << sum);
            }
            REQUIRE(sums[32] == -7.0F);
        }
    }
}

template <class Isa>
void check_all() {
    check_shares<Isa, true>();
    check_shares<Isa, false>();
    check_rounding<Isa>();
    check_sums<Isa, 2>();
    check_sums<Isa, 4>();
    check_sums<Isa, 8>();
}

}  // namespace

TEST_CASE("table_scan: shares, tables and sums of the native instruction set") { check_all<simd::native_isa>(); }
TEST_CASE("table_scan: the same without SIMD") { check_all<simd::scalar_isa>(); }
#if defined(__SSE2__)
TEST_CASE("table_scan: the same on SSE2") { check_all<xsimd::sse2>(); }
#endif
#if defined(VICINAL_HAS_SSSE3)
TEST_CASE("table_scan: the same on SSSE3") { check_all<xsimd::ssse3>(); }
#endif
