// SPDX-License-Identifier: MIT
// Scans of columns find the bits that scans of rows find, on every instruction set of this build.
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "simd/reference.hpp"
#include "support/catch.hpp"
#include "vicinal/scoring/scorer.hpp"
#include "vicinal/simd/fast_scan.hpp"

namespace {

namespace simd = vicinal::simd;
using vicinal_test::random_vector;

/// Random rows, and their columns in memory that ends with them.
struct rows_and_columns {
    std::size_t stride;
    std::vector<std::byte> rows;
    vicinal::detail::padded_vector columns;

    template <class Isa>
    static rows_and_columns make(std::size_t count, std::size_t before, std::size_t bytes, std::mt19937& random) {
        rows_and_columns made{before + bytes + 3, {}, {}};
        made.rows.resize(count * made.stride + 16);
        for (std::byte& b : made.rows) b = static_cast<std::byte>(random());
        made.columns.resize(vicinal::detail::round_up(count, 32) * simd::column_count(bytes) / sizeof(float));
        simd::make_columns<Isa>(made.rows.data() + before, made.stride, count, bytes, made.data());
        return made;
    }
    [[nodiscard]] std::uint8_t* data() { return reinterpret_cast<std::uint8_t*>(columns.data()); }
};

template <class Isa>
void check_sums() {
    std::mt19937 random(5);
    for (const std::size_t bytes : {2U, 4U, 14U, 16U, 18U, 32U, 46U, 126U, 130U, 514U, 1100U}) {
        std::vector<std::uint8_t> tables(32 * bytes);
        for (auto& entry : tables) entry = static_cast<std::uint8_t>(random() % (simd::highest_entry<4> + 1));
        const auto limit = static_cast<float>(bytes * simd::highest_entry<4>);  // of about half of the rows
        for (const std::size_t count : {1U, 31U, 32U, 33U, 63U, 64U}) {
            auto made = rows_and_columns::make<Isa>(count, 0, bytes, random);
            float want[64], got[64];
            const auto close = simd::table_sums<Isa, 4>(made.rows.data(), made.stride, count, tables.data(), 8 * bytes,
                                                        simd::scan_ahead{}, limit, want);
            INFO(bytes << " bytes, " << count << " rows");
            REQUIRE(simd::column_sums<Isa, 4>(made.data(), count, tables.data(), 8 * bytes, limit, got) == close);
            REQUIRE(std::memcmp(want, got, count * sizeof(float)) == 0);
        }
    }
}

template <class Isa, bool Squares>
void check_bounds() {
    std::mt19937 random(6);
    for (const std::size_t width : {16U, 64U, 96U, 128U, 144U, 8208U}) {
        const auto query = random_vector(width, random);
        std::vector<std::uint8_t> tables(4 * width + 64);
        simd::sign_query by;
        by.factors_size = 16;
        by.tables = tables.data();
        by.width = width;
        by.scale = simd::make_lookup_tables<Isa>(query.data(), width, tables.data());
        by.terms = {3.0F, 0.7F, static_cast<float>(width)};
        for (const std::size_t count : {1U, 32U, 33U, 100U, 128U}) {
            auto made = rows_and_columns::make<Isa>(count, 16, width / 8, random);
            for (std::size_t r = 0; r < count; ++r) {
                const auto factors = random_vector(4, random);
                std::memcpy(made.rows.data() + r * made.stride, factors.data(), 16);
            }
            std::vector<float> want(128, -7.0F), got(128, -7.0F);
            simd::sign_bounds<Isa, Squares>(made.rows.data(), made.stride, count, by, simd::scan_ahead{}, 1e30F,
                                            want.data());
            simd::column_bounds<Isa, Squares>(made.data(), made.rows.data(), made.stride, count, by, 1e30F, got.data());
            INFO("width " << width << ", " << count << " rows");
            REQUIRE(std::memcmp(want.data(), got.data(), count * sizeof(float)) == 0);
        }
    }
}

template <class Isa>
void check_all() {
    check_sums<Isa>();
    check_bounds<Isa, true>();
    check_bounds<Isa, false>();
}

}  // namespace

TEST_CASE("columns: scans find what scans of rows find, on every instruction set") {
    check_all<simd::scalar_isa>();
    check_all<simd::native_isa>();
#if defined(__SSE2__)
    check_all<xsimd::sse2>();
#endif
#if defined(VICINAL_HAS_SSSE3)
    check_all<xsimd::ssse3>();
#endif
}
