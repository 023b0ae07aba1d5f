// SPDX-License-Identifier: MIT
// What simd/score_tile.hpp promises, on the instruction set of this build, on the oldest x86-64 and on plain C++.
// Components are small whole numbers, so that every score is exact in single precision and must come as it is.
#include "vicinal/simd/score_tile.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <vector>

#include "support/catch.hpp"

namespace {

namespace simd = vicinal::simd;
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

std::vector<float> whole_numbers(std::size_t count, std::mt19937& random) {
    std::vector<float> values(count);
    for (float& x : values) x = static_cast<float>(static_cast<int>(random() % 17) - 8);
    return values;
}

/// Rows in a panel, moved by a mean, and centroids side by side; behind the panel and the centroids lies NaN.
template <class Isa>
struct scene {
    using tile = simd::tile<Isa>;
    using scores_of = simd::score_tile<Isa>;
    std::size_t dim;
    std::size_t rows;
    std::size_t count;
    std::size_t pitch = tile::room(rows);
    std::vector<float> row, mean, centroids, half_norm;
    std::vector<float> panel = std::vector<float>(dim * pitch, nan);
    std::vector<float> squares = std::vector<float>(tile::queries, nan);
    std::vector<float> scores, least = std::vector<float>(tile::queries, nan);

    scene(std::size_t d, std::size_t r, std::size_t c, std::mt19937& random)
        : dim(d),
          rows(r),
          count(c),
          row(whole_numbers(r * d, random)),
          mean(whole_numbers(d, random)),
          centroids(whole_numbers(c * d, random)),
          half_norm(whole_numbers(c, random)) {
        std::vector<const float*> at;
        for (std::size_t i = 0; i < rows; ++i) at.push_back(row.data() + i * dim);
        tile::pack(at.data(), rows, dim, panel.data());
        scores_of::move(panel.data(), pitch, dim, mean.data(), squares.data());
        centroids.resize(c * d + 16, nan);
        scores.assign(c * pitch + 1, nan);
        scores_of::write(panel.data(), pitch, dim, centroids.data(), count, half_norm.data(), scores.data(),
                         least.data());
    }

    [[nodiscard]] float moved(std::size_t r, std::size_t i) const { return row[r * dim + i] - mean[i]; }
    [[nodiscard]] float square(std::size_t r) const {
        float sum = 0;
        for (std::size_t i = 0; i < dim; ++i) sum += moved(r, i) * moved(r, i);
        return sum;
    }
    [[nodiscard]] float score(std::size_t r, std::size_t c) const {
        float sum = 0;
        for (std::size_t i = 0; i < dim; ++i) sum += moved(r, i) * centroids[c * dim + i];
        return half_norm[c] - sum;
    }
};

template <class Isa>
void check_scores() {
    using tile = simd::tile<Isa>;
    std::mt19937 random(21);
    for (const std::size_t dim : {1U, 2U, 7U, 16U, 33U, 100U})
        for (const std::size_t count : {1U, 3U, 4U, 5U, 6U, 8U, 9U, 12U, 13U, 16U, 23U, 63U, 64U, 150U})
            for (const std::size_t rows : {std::size_t{1}, tile::width, tile::width + 1, tile::queries}) {
                INFO("dim " << dim << ", " << count << " centroids, " << rows << " rows");
                const scene<Isa> s(dim, rows, count, random);
                std::size_t wrong = 0;
                for (std::size_t r = 0; r < rows; ++r) {
                    float least = std::numeric_limits<float>::max();
                    for (std::size_t c = 0; c < count; ++c) {
                        wrong += s.scores[c * s.pitch + r] != s.score(r, c);
                        least = std::min(least, s.score(r, c));
                    }
                    wrong += s.least[r] != least;
                    wrong += s.squares[r] != s.square(r);
                }
                REQUIRE(wrong == 0);
                REQUIRE(s.scores.back() != s.scores.back());  // nothing is written behind the last
            }
}

template <class Isa>
void check_lists() {
    using scores_of = simd::score_tile<Isa>;
    std::mt19937 random(22);
    auto hits = std::make_unique<typename scores_of::hits>();
    for (const std::size_t rows : {std::size_t{1}, scores_of::width, scores_of::queries})
        for (const std::size_t count : {1U, 5U, 64U}) {
            scene<Isa> s(9, rows, count, random);
            s.scores[(count - 1) * s.pitch] = nan;  // is listed
            std::vector<float> limit(scores_of::queries, 0.0F);
            for (std::size_t r = 0; r < rows; ++r) limit[r] = s.score(r, r % count);  // is met exactly
            scores_of::list(s.scores.data(), s.pitch, count, limit.data(), *hits);
            for (std::size_t r = 0; r < rows; ++r) {
                std::vector<std::uint16_t> want;
                for (std::size_t c = 0; c < count; ++c)
                    if (!(s.scores[c * s.pitch + r] > limit[r])) want.push_back(static_cast<std::uint16_t>(c));
                REQUIRE(std::vector<std::uint16_t>(hits->centroid[r], hits->centroid[r] + hits->count[r]) == want);
            }
        }
}

}  // namespace

TEST_CASE("score tile: scores, the least of each row and its squared norm are exact where floats are") {
    SECTION("native") { check_scores<simd::native_isa>(); }
    SECTION("the widest") { check_scores<simd::wide_isa<simd::native_isa>>(); }
    SECTION("scalar") { check_scores<simd::scalar_isa>(); }
#if defined(__SSE2__) && !defined(XSIMD_NO_SUPPORTED_ARCHITECTURE)
    SECTION("sse2") { check_scores<xsimd::sse2>(); }
#endif
}

TEST_CASE("score tile: listed is what is not above the limit, in ascending order") {
    SECTION("native") { check_lists<simd::native_isa>(); }
    SECTION("the widest") { check_lists<simd::wide_isa<simd::native_isa>>(); }
    SECTION("scalar") { check_lists<simd::scalar_isa>(); }
#if defined(__SSE2__) && !defined(XSIMD_NO_SUPPORTED_ARCHITECTURE)
    SECTION("sse2") { check_lists<xsimd::sse2>(); }
#endif
}
