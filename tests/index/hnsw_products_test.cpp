// SPDX-License-Identifier: MIT
// Graphs of inner products find what they should whatever the rows have in common, after any history.
#include <algorithm>
#include <bit>
#include <cmath>
#include <stdexcept>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/outcomes.hpp"
#include "vicinal/hnsw.hpp"

namespace {

using namespace vicinal_test;
using vicinal::inner_product;
using plain = vicinal::hnsw_index<inner_product, vicinal::f32>;
constexpr std::size_t dim = 24;
constexpr std::size_t count = 1000;

double product(std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * double{b[i]};
    return sum;
}

/// Mean share of the ten rows with the largest products that `index` finds; row r is there as id r, from `first` on.
template <class Index>
double recall_at(const Index& index, const dataset& rows, const dataset& queries, std::size_t ef,
                 std::size_t first = 0) {
    std::size_t found = 0;
    for (std::size_t q = 0; q < queries.rows(); ++q) {
        std::vector<double> products;
        for (std::size_t r = first; r < rows.rows(); ++r) products.push_back(product(queries[q], rows[r]));
        std::nth_element(products.begin(), products.begin() + 9, products.end(), std::greater<>());
        const double tenth = products[9] - 1e-5 * std::abs(products[9]);
        for (const auto& hit : index.search(queries[q], 10, {.ef = ef}))
            found += product(queries[q], rows[hit.id]) >= tenth ? 1 : 0;
    }
    return static_cast<double>(found) / static_cast<double>(10 * queries.rows());
}

template <class Index = plain>
Index built(const dataset& rows, std::size_t threads = 2) {
    Index index(rows.dim, {.degree = 16, .ef_construction = 100});
    index.add(numbered<std::uint64_t>(rows.rows()), rows.view(), {.threads = threads});
    REQUIRE(index.check().ok());
    return index;
}

dataset moved_by(dataset rows, float by) {
    for (float& x : rows.values) x += by;
    return rows;
}
/// The absolute values, times `by`.
dataset positive(dataset rows, float by = 1) {
    for (float& x : rows.values) x = std::abs(x) * by;
    return rows;
}
dataset scaled(dataset rows, float by) {
    for (float& x : rows.values) x *= by;
    return rows;
}
/// Every fourth row moved one way, the others the opposite way.
dataset two_groups(dataset rows) {
    for (std::size_t r = 0; r < rows.rows(); ++r)
        for (float& x : rows[r]) x += r % 4 == 0 ? 3.0F : -3.0F;
    return rows;
}
static_assert(vicinal::detail::has_free_origin<inner_product>);
static_assert(!vicinal::detail::has_free_origin<vicinal::cosine> && !vicinal::detail::has_free_origin<vicinal::l2>);

const dataset& some_queries() {
    static const dataset queries = gaussian(60, dim, 77);
    return queries;
}

}  // namespace

TEST_CASE(
    "products: the mean is that of most rows, however far the others, and none where it is a chance of the sample") {
    using vicinal::detail::shared_mean;
    using vicinal::detail::slot_t;
    dataset rows = gaussian(4000, dim);
    for (std::size_t r = 2000; r < 4000; ++r)
        for (float& x : rows[r]) x += 3;
    for (std::size_t r = 2005; r < 4000; r += 100) rows[r][0] = 1e6F;
    vicinal::detail::code_store<vicinal::f32> store(dim, vicinal::detail::row_spacing::dense);
    store.reserve(4000);
    for (std::size_t r = 0; r < 4000; ++r) store.write(static_cast<slot_t>(r), rows[r]);
    const auto after = [&](const shared_mean& was, std::size_t more, std::size_t live, std::size_t from) {
        return was.after(more, live - more, live, store, 4000, [from](slot_t slot) { return slot >= from; });
    };
    const shared_mean start = after(shared_mean(), 2000, 2000, 0);
    REQUIRE(start.point().empty());
    shared_mean moved = start;  // as many rows come as go, until only the later ones are left
    for (std::size_t r = 0; r < 2000; ++r) moved = after(moved, 1, 2000, r + 1);
    REQUIRE(moved.point().size() == dim);
    for (const float x : moved.point()) REQUIRE(std::abs(x - 3.0F) < 0.8F);  // it lags by up to a quarter
}

TEST_CASE("products: rows that share a mean are found as those that share none") {
    const dataset rows = gaussian(count, dim);
    REQUIRE(recall_at(built(rows), rows, some_queries(), 16) > 0.94);
    for (const float mean : {0.5F, 1.0F, 5.0F, -20.0F}) {
        const dataset all = moved_by(rows, mean);
        REQUIRE(recall_at(built(all), all, some_queries(), 16) > 0.95);
    }
}

TEST_CASE("products: rows with a mean in a few components, tiny rows and huge ones are found, too") {
    const dataset rows = moved_by(gaussian(count, dim), 2);
    dataset part = gaussian(count, dim);
    for (std::size_t r = 0; r < count; ++r)
        for (std::size_t d = 0; d < 3; ++d) part[r][d] += 6;
    for (const dataset& all : {part, scaled(rows, 1e-12F), scaled(rows, 1e15F)})
        REQUIRE(recall_at(built(all), all, some_queries(), 16) > 0.95);
}

TEST_CASE("products: positive rows are found by positive queries and by negative ones") {
    const dataset rows = positive(gaussian(count, dim));
    const plain index = built(rows);
    REQUIRE(recall_at(index, rows, positive(some_queries()), 16) > 0.975);
    REQUIRE(recall_at(index, rows, positive(some_queries(), -1), 16) > 0.93);
}

TEST_CASE("products: groups with a mean each are found though no point centres them") {
    const dataset rows = two_groups(gaussian(count, dim));
    const plain index = built(rows);
    REQUIRE(recall_at(index, rows, some_queries(), 16) > 0.8);
    REQUIRE(recall_at(index, rows, some_queries(), 32) > 0.9);
}

TEST_CASE("products: far rows do not take the mean away from the others") {
    dataset rows = moved_by(gaussian(count, dim), 2);
    for (std::size_t r = 7; r < count; r += 300) {
        for (std::size_t d = 0; d < dim; ++d) rows[r][d] *= r % 600 == 7 ? 1e4F : 1e3F;
    }
    REQUIRE(recall_at(built(rows), rows, some_queries(), 32) > 0.92);
}

TEST_CASE("products: a mean that moves while rows are added one by one is followed") {
    dataset rows = gaussian(count, dim);
    for (std::size_t r = 0; r < count; ++r)
        for (float& x : rows[r]) x += 8 * static_cast<float>(r) / count;
    plain index(dim, {.ef_construction = 100});
    for (std::size_t r = 0; r < count; ++r) index.add(r, rows[r]);
    REQUIRE(index.check().ok());
    REQUIRE(recall_at(index, rows, some_queries(), 32) > 0.92);
}

TEST_CASE("products: a graph walked in integers finds rows with a mean") {
    const dataset rows = moved_by(gaussian(count, dim), 3);
    using vicinal::f32, vicinal::sq8;
    REQUIRE(recall_at(built<vicinal::hnsw_index<inner_product, vicinal::two_level<sq8, f32>>>(rows), rows,
                      some_queries(), 32) > 0.97);
}

TEST_CASE("products: rows with a mean are found after rows were removed, updated and added to a loaded index") {
    const dataset rows = moved_by(gaussian(count, dim, 5), 3);
    const dataset first = moved_by(gaussian(count, dim, 6), -3);
    plain index = built(first);
    for (std::size_t r = 0; r < count; ++r) {
        if (r % 2 == 0) {
            index.update(r, rows[r]);
        } else {
            index.remove(r);
            index.add(r, rows[r]);
        }
        if (r == count / 2) {
            const auto bytes = saved(index);
            index = plain::load(bytes);
        }
    }
    REQUIRE(index.check().ok());
    REQUIRE(recall_at(index, rows, some_queries(), 32) > 0.81);
    for (std::size_t r = 0; r < count / 2; ++r) index.remove(r);
    REQUIRE(recall_at(index, rows, some_queries(), 32, count / 2) > 0.9);
}

TEST_CASE("products: an index from a file goes on as the one that was saved, for every number of threads") {
    const dataset rows = moved_by(gaussian(count, dim), 3);
    const auto ids = numbered<std::uint64_t>(count);
    const auto grown = [&](bool by_file, std::size_t threads) {
        plain index(dim, {.ef_construction = 50});
        for (std::size_t from = 0, n = 1; from < count; from += n, n = std::min(2 * n + 1, count - from)) {
            index.add(std::span(ids).subspan(from, n), rows.view(from, n), {.threads = threads});
            if (by_file) {
                const auto bytes = saved(index);
                index = plain::load(bytes);
            }
            if (from + n == count) break;
        }
        return saved(index);
    };
    const auto expected = grown(false, 1);
    REQUIRE(grown(true, 1) == expected);
    REQUIRE(grown(false, 3) == expected);
}

TEST_CASE("products: a batch that is taken back leaves no trace in what is added later") {
    const dataset rows = moved_by(gaussian(count, dim), 3);
    const dataset others = moved_by(gaussian(count, dim, 9), -40);
    const auto ids = numbered<std::uint64_t>(count);
    const auto grown = [&](bool with_failures) {
        plain index(dim, {.ef_construction = 50});
        for (std::size_t from = 0; from < count; from += 300) {
            if (with_failures)
                REQUIRE_THROWS(index.add(numbered<std::uint64_t>(700, 10000), others.view(0, 700),
                                         {.progress = [](std::size_t done, std::size_t all) {
                                             if (done == all) throw std::runtime_error("enough");
                                         }}));
            const std::size_t n = std::min<std::size_t>(300, count - from);
            index.add(std::span(ids).subspan(from, n), rows.view(from, n));
        }
        return saved(index);
    };
    REQUIRE(grown(true) == grown(false));
}
