// SPDX-License-Identifier: MIT
// What codec/pq.hpp promises of codes and of what it learns.
#include "vicinal/codec/pq/pq.hpp"

#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "vicinal/core/little_endian.hpp"
#include "vicinal/simd/kernels.hpp"

namespace {

using namespace vicinal_test;
using vicinal::pq;
using kernels = vicinal::simd::native_kernels;

pq learned(const dataset& rows) {
    pq codec(rows.dim);
    codec.train(rows.view());
    return codec;
}
std::vector<std::byte> code_of(const pq& codec, std::span<const float> row) {
    std::vector<std::byte> code(codec.code_size() + 64, std::byte{0xA5});  // kernels may read that far
    codec.encode(row, std::span(code).first(codec.code_size()));
    return code;
}
std::vector<float> decoded(const pq& codec, std::span<const float> row) {
    const auto code = code_of(codec, row);
    std::vector<float> out(codec.dim());
    codec.decode(std::span(code).first(codec.code_size()), out);
    return out;
}
/// The share of the rows' squares about their mean that decoding loses.
double lost(const pq& codec, const dataset& rows) {
    double error = 0;
    double spread = 0;
    std::vector<double> mean(rows.dim);
    for (std::size_t r = 0; r < rows.rows(); ++r)
        for (std::size_t i = 0; i < rows.dim; ++i) mean[i] += double{rows[r][i]} / static_cast<double>(rows.rows());
    for (std::size_t r = 0; r < rows.rows(); ++r) {
        const auto out = decoded(codec, rows[r]);
        for (std::size_t i = 0; i < rows.dim; ++i) {
            error += std::pow(double{rows[r][i]} - double{out[i]}, 2);
            spread += std::pow(double{rows[r][i]} - mean[i], 2);
        }
    }
    return error / spread;
}

/// The half byte of each pair of components, checked against all 16 centroids.
void check_code(const pq& codec, std::span<const float> row) {
    const auto code = code_of(codec, row);
    const auto out = decoded(codec, row);
    REQUIRE(codec.well_formed(std::span(code).first(codec.code_size())));
    for (std::size_t p = 0; p < codec.pairs(); ++p) {
        const auto codebook = codec.codebook(p);
        REQUIRE(codebook.size() == 32);
        const bool whole = 2 * p + 1 < row.size();
        const double x = double{row[2 * p]};
        const double y = whole ? double{row[2 * p + 1]} : 0.0;
        const auto off = [&](std::size_t c) {
            return std::pow(x - double{codebook[2 * c]}, 2) + std::pow(y - double{codebook[2 * c + 1]}, 2);
        };
        const std::size_t which = std::to_integer<std::size_t>(code[p / 2]) >> (p % 2 * 4) & 15U;
        for (std::size_t c = 0; c < 16; ++c) REQUIRE(off(which) <= off(c) * (1 + 1e-12));
        for (std::size_t c = 0; c < which; ++c) REQUIRE(off(c) > off(which) * (1 - 1e-12));
        REQUIRE(out[2 * p] == codebook[2 * which]);
        if (whole) REQUIRE(out[2 * p + 1] == codebook[2 * which + 1]);
    }
    if (codec.pairs() % 2 != 0) REQUIRE(std::to_integer<unsigned>(code[codec.code_size() - 1]) < 16);
}

void put(std::vector<std::byte>& state, std::size_t number, float value) {
    vicinal::detail::store_le(state.data() + 4 * number, value);
}

}  // namespace

TEST_CASE("pq: every code names the closest centroids, of equals the first; decoding gives them") {
    for (std::size_t dim = 1; dim <= 70; ++dim) {
        CAPTURE(dim);
        const dataset rows = gaussian(60, dim, dim);
        const pq codec = learned(rows);
        REQUIRE(codec.code_size() == (dim + 3) / 4);
        for (std::size_t r = 0; r < rows.rows(); r += 7) check_code(codec, rows[r]);
        check_code(codec, gaussian(1, dim, 999)[0]);
        check_code(codec, std::vector<float>(dim, 0.0F));
    }
}
TEST_CASE("pq: ties go to the lower number") {
    pq codec(2);
    std::vector<std::byte> state(128);
    for (std::size_t c = 0; c < 16; ++c) {
        put(state, 2 * c, c < 4 ? 10.0F : c % 2 == 0 ? 1.0F : -2.0F);  // 4, 6, ... are equal
        put(state, 2 * c + 1, c < 4 ? 10.0F : c % 2 == 0 ? 2.0F : -1.0F);
    }
    REQUIRE(codec.restore(state));
    CHECK(std::to_integer<int>(code_of(codec, std::vector<float>{1, 2})[0]) == 4);
    CHECK(std::to_integer<int>(code_of(codec, std::vector<float>{-2, -1})[0]) == 5);
    CHECK(std::to_integer<int>(code_of(codec, std::vector<float>{0, 0})[0]) == 4);  // as far from 5
    CHECK(std::to_integer<int>(code_of(codec, std::vector<float>{20, 20})[0]) == 0);
}
TEST_CASE("pq: kernels decode what decode decodes") {
    for (std::size_t dim = 1; dim <= 70; ++dim) {
        CAPTURE(dim);
        const dataset rows = gaussian(40, dim, dim);
        const pq codec = learned(rows);
        const auto code = code_of(codec, rows[5]);
        std::vector<float> out(dim + 16);
        kernels::decode(codec, code.data(), dim, out.data());
        out.resize(dim);
        CHECK(out == decoded(codec, rows[5]));
    }
}
TEST_CASE("pq: 16 centroids for two components lose an eleventh of a bell curve, and less of what is clustered") {
    const dataset rows = gaussian(3000, 12);
    const double all = lost(learned(rows), rows);
    CHECK(all < 0.12);  // two scalar quantisers of four levels lose 0.1175, the best of 16 points about 0.107
    CHECK(all > 0.09);
    const dataset few = clustered(3000, 12, 16, 50);
    CHECK(lost(learned(few), few) < 0.01);
    const dataset other = gaussian(500, 12, 77);  // rows it did not learn from
    CHECK(lost(learned(rows), other) < 0.13);
}
TEST_CASE("pq: up to 16 different pairs of components are kept exactly") {
    for (const std::size_t different : {1U, 2U, 5U, 15U, 16U}) {
        CAPTURE(different);
        numbers random(different);
        const dataset points = gaussian(different, 7, 40);
        const dataset rows = make_rows(200, 7, [&](std::size_t r, std::size_t i) { return points[r % different][i]; });
        const pq codec = learned(rows);
        for (std::size_t r = 0; r < different; ++r)
            CHECK(decoded(codec, rows[r]) == std::vector<float>(rows[r].begin(), rows[r].end()));
        std::set<std::pair<float, float>> seen;
        for (std::size_t c = 0; c < 16; ++c) seen.insert({codec.codebook(0)[2 * c], codec.codebook(0)[2 * c + 1]});
        CHECK(seen.size() == different);
    }
}
TEST_CASE("pq: it learns from rows of the whole batch, not from the first only") {
    // What comes late is far from what comes first, as in an export that is sorted.
    dataset rows = gaussian(20000, 4);
    for (std::size_t r = 12000; r < rows.rows(); ++r)
        for (float& x : rows[r]) x += 40;
    const pq codec = learned(rows);
    const dataset late = make_rows(200, 4, [&](std::size_t r, std::size_t i) { return rows[19000 + r][i]; });
    CHECK(lost(codec, late) < 0.5);  // all of what they vary by, and more, by centroids of the first
}
TEST_CASE("pq: it learns the same from the same rows, from one, from many, from tiny and from huge ones") {
    const dataset rows = gaussian(20000, 5);
    CHECK(learned(rows).state() == learned(rows).state());
    const dataset one = gaussian(1, 9);
    CHECK(decoded(learned(one), one[0]) == std::vector<float>(one[0].begin(), one[0].end()));
    for (const float scale : {1e-30F, 1e-38F, 1e18F}) {
        CAPTURE(scale);
        dataset scaled = gaussian(2000, 6);
        for (float& x : scaled.values) x *= scale;
        const pq codec = learned(scaled);
        CHECK(lost(codec, scaled) < 0.13);
        pq again(6);
        CHECK(again.restore(codec.state()));
    }
}
TEST_CASE("pq: no decoded vector is longer than largest_squares says") {
    const dataset rows = clustered(500, 11, 4);
    const pq codec = learned(rows);
    double most = 0;
    for (std::size_t r = 0; r < rows.rows(); ++r) {
        double squares = 0;
        for (const float x : decoded(codec, rows[r])) squares += double{x} * double{x};
        most = std::max(most, squares);
    }
    CHECK(most <= codec.largest_squares());
    double all = 0;
    for (std::size_t p = 0; p < codec.pairs(); ++p) {
        double longest = 0;
        for (std::size_t c = 0; c < 16; ++c)
            longest = std::max(longest, std::pow(double{codec.codebook(p)[2 * c]}, 2) +
                                            std::pow(double{codec.codebook(p)[2 * c + 1]}, 2));
        all += longest;
    }
    CHECK(std::abs(codec.largest_squares() / all - 1) < 1e-12);
}
TEST_CASE("pq: what it learned is restored, and what is none refused") {
    for (const std::size_t dim : {1U, 2U, 9U, 40U}) {
        CAPTURE(dim);
        const dataset rows = gaussian(50, dim);
        pq codec(dim);
        REQUIRE_FALSE(codec.trained());
        REQUIRE(codec.state().empty());
        codec.train(rows.view());
        REQUIRE(codec.trained());
        const auto state = codec.state();
        REQUIRE(state.size() == (dim + 1) / 2 * 128);
        pq other(dim);
        REQUIRE(other.restore(state));
        CHECK(other.state() == state);
        CHECK(other.largest_squares() == codec.largest_squares());
        CHECK(code_of(other, rows[3]) == code_of(codec, rows[3]));
        const auto refuses = [&](std::size_t number, float value) {
            auto forged = state;
            put(forged, number, value);
            return !other.restore(forged);
        };
        const std::size_t last = state.size() / 4 - 2;  // a first component
        for (const std::size_t number : {std::size_t{0}, last}) {
            CHECK(refuses(number, std::numeric_limits<float>::infinity()));
            CHECK(refuses(number, -std::numeric_limits<float>::infinity()));
            CHECK(refuses(number, std::numeric_limits<float>::quiet_NaN()));
            CHECK(refuses(number, 1e19F));
            CHECK(refuses(number, -std::numeric_limits<float>::max()));
            CHECK_FALSE(refuses(number, 6.5e18F));
            CHECK(refuses(number + 1, std::numeric_limits<float>::quiet_NaN()));
        }
        if (dim % 2 != 0) CHECK(refuses(last + 1, 1.0F));
        CHECK(other.restore(state));
        auto forged = state;
        forged.pop_back();
        CHECK_FALSE(other.restore(forged));
        forged = state;
        forged.resize(state.size() + 128);
        CHECK_FALSE(other.restore(forged));
        CHECK_FALSE(other.restore({}));
        CHECK(other.state() == state);  // and nothing changed
        std::vector<std::byte> code((dim + 3) / 4, std::byte{0xFF});
        CHECK(codec.well_formed(code) == ((dim + 1) / 2 % 2 == 0));
        code.back() = std::byte{0x0F};
        CHECK(codec.well_formed(code));
    }
}
