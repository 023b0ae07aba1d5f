// SPDX-License-Identifier: MIT
// What simd/tile.hpp promises, on the instruction set of this build, on the oldest x86-64 and on plain C++.
#include "vicinal/simd/tile.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include "support/catch.hpp"

namespace {

namespace simd = vicinal::simd;
constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// Queries, rows and their exact products. Behind each row and query lies NaN, which must not matter.
template <class Isa>
struct scene {
    using tile = simd::tile<Isa>;
    std::size_t dim;
    std::size_t queries;
    std::size_t rows;
    std::vector<std::vector<float>> query;
    std::vector<std::vector<float>> row;
    std::vector<float> panel;
    std::vector<const float*> row_at;
    std::unique_ptr<typename tile::reached> out = std::make_unique<typename tile::reached>();

    scene(std::size_t d, std::size_t q, std::size_t r, float offset, std::mt19937& random)
        : dim(d), queries(q), rows(r), panel(d * tile::queries, nan) {
        std::normal_distribution<float> normal;
        const auto some = [&](std::size_t count, auto& into) {
            into.resize(count);
            for (auto& one : into) {
                one.assign(dim + 16, nan);
                for (std::size_t i = 0; i < dim; ++i) one[i] = offset + normal(random);
            }
        };
        some(queries, query);
        some(rows, row);
        std::vector<const float*> query_at;
        for (const auto& one : query) query_at.push_back(one.data());
        for (const auto& one : row) row_at.push_back(one.data());
        tile::pack(query_at.data(), queries, dim, panel.data());
    }

    double product(std::size_t q, std::size_t r) const {
        double sum = 0;
        for (std::size_t i = 0; i < dim; ++i) sum += double{query[q][i]} * double{row[r][i]};
        return sum;
    }
    double bound(std::size_t q, std::size_t r) const {
        double sum = 0;
        for (std::size_t i = 0; i < dim; ++i) sum += std::abs(double{query[q][i]} * double{row[r][i]});
        const double steps = static_cast<double>(dim) * 0x1p-24;
        return steps / (1 - steps) * sum;
    }
    /// Pairs (query, row) that reached their least; checks that each query's rows ascend.
    std::set<std::pair<std::size_t, std::size_t>> collect(const std::vector<float>& least,
                                                          const std::vector<float>& slope,
                                                          const std::vector<float>& term) {
        tile::collect(panel.data(), queries, dim, row_at.data(), rows, least.data(), slope.data(), term.data(), *out);
        std::set<std::pair<std::size_t, std::size_t>> found;
        for (std::size_t q = 0; q < tile::queries; ++q)
            for (std::size_t i = 0; i < out->count[q]; ++i) {
                REQUIRE((i == 0 || out->row[q][i - 1] < out->row[q][i]));
                REQUIRE(out->row[q][i] < rows);
                found.emplace(q, out->row[q][i]);
            }
        return found;
    }
};

/// Each pair in turn must reach what its exact product surely reaches, and not what it surely does not.
template <class Isa>
void check_products() {
    using tile = simd::tile<Isa>;
    std::mt19937 random(11);
    for (const std::size_t dim : {1U, 2U, 3U, 7U, 8U, 9U, 16U, 31U, 100U, 257U})
        for (const std::size_t rows : {1U, 5U, 6U, 7U, 11U, 12U, 13U, 25U})
            for (const std::size_t queries :
                 {std::size_t{1}, tile::width, tile::width + 1, tile::queries - 1, tile::queries})
                for (const float offset : {0.0F, 1000.0F}) {
                    if (queries == 0) continue;
                    INFO("dim " << dim << ", " << rows << " rows, " << queries << " queries, offset " << offset);
                    scene<Isa> s(dim, queries, rows, offset, random);
                    // The demand of a row's turn is least + slope * term; that of all others cannot be reached.
                    for (std::size_t turn = 0; turn < rows; ++turn) {
                        std::vector<float> least(tile::queries, infinity), slope(tile::queries, 0.0F);
                        std::vector<float> above(tile::queries, infinity);
                        std::vector<float> term(rows, -1e30F);
                        term[turn] = 0;
                        std::set<std::pair<std::size_t, std::size_t>> want;
                        for (std::size_t q = 0; q < queries; ++q) {
                            const double p = s.product(q, turn), e = s.bound(q, turn) + std::abs(p) * 0x1p-23 + 1e-30;
                            least[q] = static_cast<float>(p - e);
                            above[q] = static_cast<float>(p + e);
                            slope[q] = -1;
                            want.emplace(q, turn);
                        }
                        REQUIRE(s.collect(least, slope, term) == want);
                        REQUIRE(s.collect(above, slope, term).empty());
                    }
                }
}

template <class Isa>
void check_not_a_number() {
    using tile = simd::tile<Isa>;
    std::mt19937 random(12);
    scene<Isa> s(20, tile::queries, 9, 0, random);
    s.row[4][7] = nan;
    const std::vector<float> least(tile::queries, infinity), slope(tile::queries, 1.0F);
    std::vector<float> term(9, 0.0F);
    term[6] = nan;
    term[8] = -infinity;  // infinity - infinity: NaN, too
    const auto found = s.collect(least, slope, term);
    for (std::size_t q = 0; q < tile::queries; ++q)
        for (std::size_t r = 0; r < 9; ++r) REQUIRE((found.count({q, r}) != 0) == (r == 4 || r == 6 || r == 8));
}

template <class Isa>
void check_all_rows() {
    using tile = simd::tile<Isa>;
    std::mt19937 random(13);
    scene<Isa> s(5, tile::queries, tile::most_rows, 0, random);
    const std::vector<float> least(tile::queries, -infinity), slope(tile::queries, 1.0F);
    REQUIRE(s.collect(least, slope, std::vector<float>(tile::most_rows, 0.0F)).size() ==
            tile::queries * tile::most_rows);
}

}  // namespace

TEST_CASE("tile: a product reaches what the exact one reaches, up to the stated error") {
    SECTION("native") { check_products<simd::native_isa>(); }
    SECTION("the widest") { check_products<simd::wide_isa<simd::native_isa>>(); }
    SECTION("scalar") { check_products<simd::scalar_isa>(); }
#if defined(__SSE2__) && !defined(XSIMD_NO_SUPPORTED_ARCHITECTURE)
    SECTION("sse2") { check_products<xsimd::sse2>(); }
#endif
}

TEST_CASE("tile: NaN counts as reached, and infinity is never reached") {
    check_not_a_number<simd::native_isa>();
    check_not_a_number<simd::wide_isa<simd::native_isa>>();
    check_not_a_number<simd::scalar_isa>();
#if defined(__SSE2__) && !defined(XSIMD_NO_SUPPORTED_ARCHITECTURE)
    check_not_a_number<xsimd::sse2>();
#endif
}

TEST_CASE("tile: every pair of a full call can reach what it must") {
    check_all_rows<simd::native_isa>();
    check_all_rows<simd::wide_isa<simd::native_isa>>();
    check_all_rows<simd::scalar_isa>();
#if defined(__SSE2__) && !defined(XSIMD_NO_SUPPORTED_ARCHITECTURE)
    check_all_rows<xsimd::sse2>();
#endif
}
