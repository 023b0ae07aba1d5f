// The estimates that a packed graph is walked by: unbiased, as exact as RaBitQ's analysis says, and the same whatever
// order links come and go in.
#include "vicinal/index/hnsw/graph/neighbor_codes.hpp"

#include <cmath>
#include <numeric>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "vicinal/codec/f32.hpp"
#include "vicinal/metrics.hpp"
#include "vicinal/simd/kernels.hpp"
#include "vicinal/storage/code_store.hpp"

namespace {

using namespace vicinal_test;
using vicinal::detail::slot_t;
using store_type = vicinal::detail::code_store<vicinal::f32>;
template <class Metric>
using codes_type = vicinal::detail::neighbor_codes<Metric, vicinal::f32, vicinal::simd::native_kernels>;

store_type stored(const dataset& rows) {
    store_type store(rows.dim, vicinal::detail::row_spacing::lines);
    store.reserve(rows.rows());
    for (std::size_t r = 0; r < rows.rows(); ++r) store.write(static_cast<slot_t>(r), rows[r]);
    return store;
}

double product(std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * double{b[i]};
    return sum;
}
double squares(std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += (double{a[i]} - double{b[i]}) * (double{a[i]} - double{b[i]});
    return sum;
}
template <class Metric>
double distance(std::span<const float> a, std::span<const float> b) {
    return std::is_same_v<Metric, vicinal::l2> ? squares(a, b) : -product(a, b);
}

/// Row 0 of `rows` and its links to all others, against each query: mean and root mean square of the error, in units of
/// |query - row||link - row| (products: |query|), of which an inner product of two random directions is 1/sqrt(dim).
template <class Metric>
std::pair<double, double> errors(const dataset& rows, const dataset& queries) {
    const store_type store = stored(rows);
    const std::size_t count = rows.rows() - 1;
    codes_type<Metric> codes(rows.dim, count);
    codes.reserve(rows.rows());
    std::vector<slot_t> links(count);
    std::iota(links.begin(), links.end(), slot_t{1});
    typename codes_type<Metric>::row made;
    typename codes_type<Metric>::maker(codes, store).make(0, links, {}, made);
    codes.set(0, made);

    double sum = 0, sum_of_squares = 0;
    vicinal::detail::scan_query prepared;
    for (std::size_t q = 0; q < queries.rows(); ++q) {
        vicinal::detail::padded_vector query;
        query.resize(rows.dim);
        std::copy_n(queries[q].data(), rows.dim, query.data());
        codes.prepare(query.data(), prepared);
        const double here = distance<Metric>(queries[q], rows[0]);
        for (std::size_t i = 0; i < count; ++i) {
            alignas(64) float estimates[vicinal::simd::scan_lanes];
            codes.scan(prepared, 0, i / 32, static_cast<float>(here), estimates);
            const double exact = distance<Metric>(queries[q], rows[links[i]]);
            const double link = std::sqrt(squares(rows[links[i]], rows[0]));
            const double reach = std::is_same_v<Metric, vicinal::l2> ? 2 * std::sqrt(squares(queries[q], rows[0]))
                                                                     : std::sqrt(squares(queries[q], rows[0]));
            const double error = (double{estimates[i % 32]} - exact) / (link * reach);
            sum += error;
            sum_of_squares += error * error;
        }
    }
    const auto n = static_cast<double>(queries.rows() * count);
    return {sum / n, std::sqrt(sum_of_squares / n)};
}

}  // namespace

TEMPLATE_TEST_CASE("neighbor codes: estimates are unbiased and as close as RaBitQ's bound says", "", vicinal::l2,
                   vicinal::inner_product) {
    for (const std::size_t dim : {64U, 96U, 128U, 200U, 256U}) {
        INFO("dim " << dim);
        double mean = 0, variance = 0;
        for (std::uint64_t seed = 0; seed < 8; ++seed) {  // what a rotation does to one row shows in all its links
            const auto [m, s] = errors<TestType>(gaussian(65, dim, 90 + seed), gaussian(100, dim, 190 + seed));
            mean += m / 8;
            variance += s * s / 8;
        }
        const double spread = std::sqrt(variance);
        // <u, s>/sqrt(dim) is about sqrt(2/pi): what is left across is sqrt(pi/2 - 1) = 0.756, over sqrt(dim), of the
        // query's part across the link. Both are seen from row 0, at an angle of 60 degrees.
        const double expected = 0.756 * std::sqrt(0.75) / std::sqrt(static_cast<double>(dim));
        REQUIRE(spread > 0.85 * expected);
        REQUIRE(spread < 1.15 * expected);
        REQUIRE(std::abs(mean) < 0.25 * expected);
    }
}

TEST_CASE("neighbor codes: a link at the row itself and one far off are estimated well") {
    dataset rows = gaussian(40, 64, 92);
    std::copy_n(rows[0].data(), 64, rows[1].data());
    for (float& x : rows[2]) x *= 1000;
    const store_type store = stored(rows);
    codes_type<vicinal::l2> codes(64, 2);
    codes.reserve(3);
    const std::vector<slot_t> links{1, 2};
    codes_type<vicinal::l2>::row made;
    codes_type<vicinal::l2>::maker(codes, store).make(0, links, {}, made);
    codes.set(0, made);
    vicinal::detail::padded_vector query;
    query.resize(64);
    std::copy_n(rows[3].data(), 64, query.data());
    vicinal::detail::scan_query prepared;
    codes.prepare(query.data(), prepared);
    alignas(64) float estimates[vicinal::simd::scan_lanes];
    const auto here = static_cast<float>(squares(rows[3], rows[0]));
    codes.scan(prepared, 0, 0, here, estimates);
    REQUIRE(estimates[0] == here);  // the very same vector: nothing is added
    const double exact = squares(rows[3], rows[2]);
    REQUIRE(std::abs(double{estimates[1]} - exact) < 0.05 * exact);
}

TEST_CASE("neighbor codes: what is kept of former links is what would be made anew") {
    const dataset rows = gaussian(80, 48, 93);
    const store_type store = stored(rows);
    codes_type<vicinal::l2> codes(48, 64);
    codes.reserve(80);
    codes_type<vicinal::l2>::maker maker(codes, store);
    codes_type<vicinal::l2>::row first, moved, fresh;
    std::vector<slot_t> had(64);
    std::iota(had.begin(), had.end(), slot_t{5});
    maker.make(0, had, {}, first);
    codes.set(0, first);
    std::vector<slot_t> links{70, 68, 5, 33, 71, 37, 36};  // old, new, across both blocks
    maker.make(0, links, had, moved);
    maker.make(0, links, {}, fresh);
    REQUIRE(moved.codes == fresh.codes);
    REQUIRE(moved.factors == fresh.factors);
    codes.set(0, moved);
    REQUIRE(codes.is_zero_beyond(0, links.size()));
    REQUIRE_FALSE(codes.is_zero_beyond(0, links.size() - 1));
}
