// SPDX-License-Identifier: MIT
// What codec/rabitq.hpp promises of codes, and scoring/bounds_rabitq.hpp of what their signs say.
#include "vicinal/codec/rabitq.hpp"

#include <cmath>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "vicinal/metrics.hpp"
#include "vicinal/scoring/bounds_rabitq.hpp"

namespace {

using namespace vicinal::detail;
using namespace vicinal_test;
using vicinal::rabitq;
using kernels = vicinal::simd::native_kernels;

double squared(std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += (double{a[i]} - double{b[i]}) * (double{a[i]} - double{b[i]});
    return sum;
}

/// The mean share of a vector's squares, relative to the mean, that decoding loses.
template <unsigned Bits>
double lost(const dataset& rows) {
    rabitq<Bits> codec(rows.dim);
    codec.train(rows.view());
    std::vector<std::byte> code(codec.code_size());
    std::vector<float> decoded(rows.dim);
    double sum = 0;
    for (std::size_t r = 0; r < rows.rows(); ++r) {
        codec.encode(rows[r], code);
        REQUIRE(codec.well_formed(code));
        codec.decode(code, decoded);
        std::vector<float> again(rows.dim);
        codec.template decode_about_by<kernels>(codec.own_center(), code.data(), again.data());
        REQUIRE(again == decoded);
        sum += squared(decoded, rows[r]) / squared(codec.center(), rows[r]);
        // The factors's numbers are of the vector itself.
        const rabitq_factors factors = rabitq<Bits>::factors(code.data());
        REQUIRE(std::abs(double{factors.squares} / squared(codec.center(), rows[r]) - 1) < 1e-4);
        double cross = 0;
        for (std::size_t i = 0; i < rows.dim; ++i)
            cross += (double{rows[r][i]} - double{codec.center()[i]}) * double{codec.center()[i]};
        REQUIRE(std::abs(double{factors.cross} - cross) < 1e-4 * std::sqrt(double{factors.squares}) + 1e-4);
    }
    return sum / static_cast<double>(rows.rows());
}

template <unsigned Bits>
void check_restore() {
    const dataset rows = gaussian(50, 40);
    rabitq<Bits> codec(40);
    REQUIRE_FALSE(codec.trained());
    codec.train(rows.view());
    REQUIRE(codec.trained());
    rabitq<Bits> other(40);
    REQUIRE(other.restore(codec.state()));
    std::vector<std::byte> a(codec.code_size());
    std::vector<std::byte> b(codec.code_size());
    codec.encode(rows[3], a);
    other.encode(rows[3], b);
    CHECK(a == b);
    auto state = codec.state();
    state[7] = std::byte{0xFF};  // of the second number: infinite or NaN
    state[6] = std::byte{0xFF};
    CHECK_FALSE(other.restore(state));
    state.pop_back();
    CHECK_FALSE(other.restore(state));
    CHECK_FALSE(other.restore({}));
}

template <class Metric, unsigned Bits>
struct sketched {
    Metric metric{};
    code_store<rabitq<Bits>> store;
    padded_vector query, decoded, buffer;

    sketched(dataset rows, dataset queries) : store(rows.dim, row_spacing::dense) {
        const std::size_t dim = rows.dim;
        if constexpr (vicinal::preparing_metric<Metric>) {
            for (std::size_t r = 0; r < rows.rows(); ++r)
                (void)metric.prepare(std::span(rows.values).subspan(r * dim, dim));
            (void)metric.prepare(std::span(queries.values).first(dim));
        }
        store.coder().train(rows.view());
        store.reserve(rows.rows());
        for (std::size_t r = 0; r < rows.rows(); ++r) store.write(static_cast<slot_t>(r), rows[r]);
        query.resize(dim);
        std::copy_n(queries.values.data(), dim, query.data());
        vectors = rows;
    }
    /// The sum that the metric takes, of a row as it was.
    double distance(std::size_t r) const {
        if constexpr (Metric::form == vicinal::sum_form::squared_difference) return squared(query.span(), vectors[r]);
        double sum = 0;
        for (std::size_t i = 0; i < vectors.dim; ++i) sum += double{query.data()[i]} * double{vectors[r][i]};
        return -sum;
    }
    dataset vectors;
};

/// Bounds are below the distances of all but a few rows, and not far below: shares of rows, and of the slack.
template <class Metric>
void check_bounds(const dataset& rows, const dataset& queries) {
    INFO(Metric::name << " dim " << rows.dim);
    sketched<Metric, 2> s(rows, queries);
    const scan_scorer<Metric, rabitq<2>, kernels> scorer(s.metric, s.store, s.query.data(), s.decoded, s.buffer);
    const std::size_t n = rows.rows();
    std::vector<float> lower(n + 32);
    for (std::size_t r = 0; r < n; r += 32)
        scorer.lower_bounds(scorer.rows()[static_cast<slot_t>(r)], scorer.rows().stride,
                            std::min<std::size_t>(32, n - r), lower.data() + r);
    std::size_t above = 0;
    double slack = 0;
    double spread = 0;
    double mean = 0;
    for (std::size_t r = 0; r < n; ++r) mean += s.distance(r) / static_cast<double>(n);
    for (std::size_t r = 0; r < n; ++r) {
        above += double{lower[r]} > s.distance(r) ? 1 : 0;
        slack += (s.distance(r) - double{lower[r]}) / static_cast<double>(n);
        spread += (s.distance(r) - mean) * (s.distance(r) - mean) / static_cast<double>(n);
    }
    CHECK(above < n / 20);  // a bell curve has 3 % beyond 1.9 of its width on one side
    CHECK(above > 0);       // the bounds mean something
    CHECK(slack > 0);
    CHECK(slack < 3 * std::sqrt(spread));
}

}  // namespace

TEST_CASE("rabitq: each bit more loses a quarter of the error of one less, or nearly") {
    const dataset rows = clustered(200, 100, 5);
    const double one = lost<1>(rows);
    const double two = lost<2>(rows);
    const double four = lost<4>(rows);
    const double eight = lost<8>(rows);
    CHECK(one < 0.40);  // 1 - 2 / pi of a bell curve
    CHECK(one > 0.30);
    CHECK(two < 0.15);
    CHECK(four < 0.015);
    CHECK(eight < 0.0001);
}
TEST_CASE("rabitq: any dimension, and a vector that is the mean") {
    for (const std::size_t dim : std::vector<std::size_t>{1, 2, 15, 16, 17, 48, 65, 300}) {
        dataset rows = gaussian(20, dim);
        CHECK(lost<8>(rows) < 0.001);
        rabitq<3> codec(dim);
        codec.train(rows.view());
        std::vector<std::byte> code(codec.code_size());
        std::vector<float> decoded(dim);
        codec.encode(codec.center(), code);
        codec.decode(code, decoded);
        CHECK(squared(decoded, codec.center()) == 0);
    }
}
TEST_CASE("rabitq: what it learned is restored, and what is none refused") {
    check_restore<1>();
    check_restore<7>();
}
TEST_CASE("rabitq: bounds by signs") {
    check_bounds<vicinal::l2>(gaussian(1500, 128), gaussian(1, 128, 70));
    check_bounds<vicinal::l2>(gaussian(1501, 200), gaussian(1, 200, 71));
    check_bounds<vicinal::inner_product>(gaussian(1500, 128), gaussian(1, 128, 72));
    dataset far = gaussian(1500, 160);
    for (float& x : far.values) x += 0.5F;
    check_bounds<vicinal::inner_product>(far, gaussian(1, 160, 73));
    check_bounds<vicinal::l2>(far, gaussian(1, 160, 74));
}
