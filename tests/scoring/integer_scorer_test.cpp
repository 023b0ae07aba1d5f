// SPDX-License-Identifier: MIT
// What scoring/integer_scorer.hpp promises: distances close enough to walk a graph by.
#include "vicinal/scoring/integer_scorer.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "simd/reference.hpp"
#include "support/catch.hpp"
#include "vicinal/codec/sq/sq4.hpp"

namespace {

using namespace vicinal::detail;
using namespace vicinal_test;
using vicinal::cosine;
using vicinal::inner_product;
using vicinal::l2;
using vicinal::sq4;
using vicinal::sq8;
using kernels = vicinal::simd::native_kernels;
using sizes = std::vector<std::size_t>;

/// 300 rows and a query; components of unlike spread where `uneven`.
template <class Codec>
struct filled {
    using codec_type = Codec;
    static constexpr std::size_t n = 300;
    code_store<Codec> store;
    padded_vector query;

    filled(std::size_t dim, bool uneven, float scale = 1) : store(dim, row_spacing::dense) {
        std::mt19937 random(static_cast<unsigned>(dim));
        const auto draw = [&] {
            auto v = random_vector(dim, random, scale);
            if (uneven)
                for (std::size_t i = 0; i < dim; ++i) v[i] *= i % 8 == 0 ? 1.0F : 0.2F;
            return v;
        };
        std::vector<float> rows;
        for (std::size_t r = 0; r < n; ++r) {
            const auto v = draw();
            rows.insert(rows.end(), v.begin(), v.end());
        }
        store.coder().train(vicinal::matrix_view<const float>(std::span<const float>(rows), dim));
        store.reserve(n);
        for (slot_t r = 0; r < n; ++r) store.write(r, std::span(rows).subspan(r * dim, dim));
        query.resize(dim);
        const auto v = draw();
        std::copy(v.begin(), v.end(), query.data());
    }
    std::vector<float> row(slot_t slot) const {
        std::vector<float> decoded(store.dim());
        store.read(slot, decoded);
        return decoded;
    }
};

template <class Codec>
void check_rounded_query() {
    using codes = vicinal::simd::integer_codes<Codec::bits>;
    for (const std::size_t dim : sizes{1, 2, 15, 16, 17, 100, 300}) {
        filled<Codec> f(dim, false);
        REQUIRE(f.store.coder().uniform());
        if (dim > 2) f.query.data()[1] *= 3000.0F;  // far outside the range: the nearest end that the integers hold
        const l2 metric;
        padded_vector buffer;
        const integer_scorer<l2, Codec, kernels> score(metric, f.store, f.query.data(), buffer);
        const float low = f.store.coder().low(0), unit = f.store.coder().step(0) / static_cast<float>(codes::per_step);
        std::vector<float> rounded(dim);
        for (std::size_t i = 0; i < dim; ++i)
            rounded[i] = low + unit * std::clamp(std::floor((f.query.data()[i] - low) / unit + 0.5F),
                                                 static_cast<float>(codes::lowest), static_cast<float>(codes::highest));
        for (slot_t slot = 0; slot < f.n; slot += 13) {
            const auto want = static_cast<double>(reference(metric, rounded.data(), f.row(slot).data(), dim).distance);
            // A component on the edge of two units may go either way; everything else agrees to rounding.
            const double edge = 2 * double{unit} * std::sqrt(want) + double{unit} * unit;
            CHECK(std::fabs(score.score(slot) - want) <= 1e-5 * want + (codes::per_step == 1 ? unit * unit : edge));
        }
    }
}

TEST_CASE("integer_scorer: l2 is the exact distance of the query rounded to the codec's steps, or eighths of them") {
    check_rounded_query<sq8>();
    check_rounded_query<sq4>();
}

/// What the shifts of weighted differences may lose.
template <class Codec>
double shifted_out(const Codec& codec, std::size_t dim) {
    if (Codec::bits != 8 || codec.uniform()) return 0;
    const double pairs = static_cast<double>((dim + 1) / 2);
    return pairs * double{codec.unit()} * codec.unit() * std::ldexp(1.0, int(vicinal::simd::weighted_shift(dim)));
}

template <class Codec>
void check_between_rows() {
    for (const bool uneven : {false, true})
        for (const std::size_t dim : sizes{1, 16, 33, 200}) {
            const filled<Codec> f(dim, uneven);
            const l2 metric;
            padded_vector decoded, buffer;
            constexpr std::size_t rows = 9;
            std::vector<slot_t> slots(rows);
            for (slot_t r = 0; r < rows; ++r) slots[r] = r;
            float d[rows][rows];
            for (slot_t a = 0; a < rows; ++a) {
                const integer_scorer<l2, Codec, kernels> score(metric, f.store, a, decoded, buffer);
                score.score(slots.data(), rows, d[a]);
                CHECK(d[a][a] == 0.0F);
            }
            for (slot_t a = 0; a < rows; ++a)
                for (slot_t b = 0; b < rows; ++b) {
                    CHECK(same_bits(d[a][b], d[b][a]));
                    const auto want =
                        static_cast<double>(reference(metric, f.row(a).data(), f.row(b).data(), dim).distance);
                    CHECK(std::fabs(d[a][b] - want) <= 1e-5 * want + shifted_out(f.store.coder(), dim));
                }
        }
}

TEST_CASE("integer_scorer: between stored rows l2 is 0 for a row itself and the same bits both ways") {
    check_between_rows<sq8>();
    check_between_rows<sq4>();
}

TEST_CASE("integer_scorer: 8-bit codes with a range for each component: l2 of the query rounded to 64ths of a step") {
    for (const std::size_t dim : sizes{16, 17, 40, 300}) {
        filled<sq8> f(dim, true);
        REQUIRE_FALSE(f.store.coder().uniform());
        const l2 metric;
        padded_vector buffer;
        const integer_scorer<l2, sq8, kernels> score(metric, f.store, f.query.data(), buffer);
        const double unit = f.store.coder().unit();
        for (slot_t slot = 0; slot < f.n; ++slot) {
            const auto want = static_cast<double>(reference(metric, f.query.data(), f.row(slot).data(), dim).distance);
            const double rounding = unit * std::sqrt(want * static_cast<double>(dim));  // 2 sqrt(d) |half a unit each|
            CHECK(std::fabs(score.score(slot) - want) <=
                  1e-5 * want + rounding + unit * unit * static_cast<double>(dim) + shifted_out(f.store.coder(), dim));
        }
    }
}

TEST_CASE("integer_scorer: 4-bit codes with a range for each component are scored exactly under l2") {
    const filled<sq4> f(40, true);
    REQUIRE_FALSE(f.store.coder().uniform());
    const l2 metric;
    padded_vector buffer;
    const integer_scorer<l2, sq4, kernels> score(metric, f.store, f.query.data(), buffer);
    const scorer<l2, sq4, kernels> exactly(metric, f.store, f.query.data(), buffer);
    for (slot_t slot = 0; slot < f.n; ++slot) CHECK(same_bits(score.score(slot), exactly.score(slot)));
}

/// Inner products err by at most half a unit of the query's integers for each component and code.
template <class Metric, class Codec>
void check_products(bool uneven, float scale) {
    using codes = vicinal::simd::integer_codes<Codec::bits>;
    for (const std::size_t dim : sizes{1, 2, 16, 33, 300}) {
        const filled<Codec> f(dim, uneven, scale);
        const Metric metric;
        padded_vector buffer;
        const integer_scorer<Metric, Codec, kernels> score(metric, f.store, f.query.data(), buffer);
        double absolute = 0, largest = 0;
        for (std::size_t i = 0; i < dim; ++i) {
            const double weight = std::fabs(double{f.query.data()[i]} * f.store.coder().step(i));
            absolute += weight;
            largest = std::max(largest, weight);
        }
        const double most = static_cast<double>(dim) * ((1 << Codec::bits) - 1);
        const double unit = std::max(absolute / double{codes::total_weight}, largest / double{codes::largest_weight});
        for (slot_t slot = 0; slot < f.n; slot += 7) {
            const exact want = product(f.query.data(), f.row(slot).data(), dim);
            const double got = score.score(slot);
            CAPTURE(dim, uneven, scale, slot);
            CHECK(std::fabs(got + static_cast<double>(want.distance)) <=
                  0.51 * unit * most + 1e-4 * static_cast<double>(want.magnitude));
            CHECK(std::isfinite(got));
        }
    }
}

TEST_CASE("integer_scorer: inner products are within half a unit of the query's integers, at any scale") {
    for (const float scale : {1.0F, 1e-10F, 1e8F})
        for (const bool uneven : {false, true}) {
            check_products<inner_product, sq8>(uneven, scale);
            check_products<inner_product, sq4>(uneven, scale);
        }
}

template <class Codec>
void check_odd_queries() {
    filled<Codec> f(20, false);
    padded_vector buffer;
    for (const float value : {0.0F, 1e-45F, 1e-42F, 1e-30F, 1e18F, -1e18F}) {
        std::fill_n(f.query.data(), 20, value);
        const l2 squares;
        const inner_product products;
        const integer_scorer<l2, Codec, kernels> a(squares, f.store, f.query.data(), buffer);
        CHECK(std::isfinite(a.score(0)));
        CHECK(a.score(0) >= 0.0F);
        const integer_scorer<inner_product, Codec, kernels> b(products, f.store, f.query.data(), buffer);
        CHECK(std::isfinite(b.score(0)));
    }
}

TEST_CASE("integer_scorer: queries far outside the codec's range, tiny or zero still give finite distances") {
    check_odd_queries<sq8>();
    check_odd_queries<sq4>();
}

TEST_CASE("integer_scorer: codecs of the smallest steps there are give finite distances") {
    code_store<sq4> store(3, row_spacing::dense);
    const std::vector<float> rows{0.0F, 1e-45F, 1e-44F};
    store.coder().train(vicinal::matrix_view<const float>(std::span<const float>(rows), 3));
    store.reserve(1);
    store.write(0, rows);
    padded_vector query, buffer;
    query.resize(3);
    query.data()[1] = 1e18F;
    const l2 metric;
    CHECK(std::isfinite(integer_scorer<l2, sq4, kernels>(metric, store, query.data(), buffer).score(0)));
}

TEST_CASE("walk_scorer: graphs are walked by integers where metric and codec allow, else exactly") {
    STATIC_REQUIRE(std::is_same_v<walk_scorer<l2, sq8, kernels>, integer_scorer<l2, sq8, kernels>>);
    STATIC_REQUIRE(std::is_same_v<walk_scorer<cosine, sq8, kernels>, integer_scorer<cosine, sq8, kernels>>);
    STATIC_REQUIRE(std::is_same_v<walk_scorer<l2, sq4, kernels>, integer_scorer<l2, sq4, kernels>>);
    STATIC_REQUIRE(std::is_same_v<walk_scorer<l2, vicinal::f32, kernels>, scorer<l2, vicinal::f32, kernels>>);
}

}  // namespace
