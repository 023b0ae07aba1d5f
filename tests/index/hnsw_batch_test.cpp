// SPDX-License-Identifier: MIT
// A graph must not depend on the size of the batch its rows came in: large batches find candidates for links by 8-bit
// copies, which some data make useless.
#include <algorithm>
#include <cmath>
#include <span>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/reference.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/index/hnsw/graph/build.hpp"

namespace {

using namespace vicinal_test;

constexpr std::size_t rows_count = 3000, dim = 12;

template <class Index>
double recall_of(const Index& index, const vicinal::flat_index<>& exact, const dataset& queries) {
    double sum = 0;
    for (std::size_t q = 0; q < queries.rows(); ++q)
        sum += recall(exact.search(queries[q], 10), index.search(queries[q], 10, {.ef = 48}));
    return sum / static_cast<double>(queries.rows());
}

/// Recall of rows that came in batches of `batch`.
template <class Codec>
double recall_by_batches(const dataset& rows, const dataset& queries, std::size_t batch) {
    const auto ids = numbered<std::uint64_t>(rows.rows());
    vicinal::flat_index<> exact(dim);
    exact.add(ids, rows.view());
    vicinal::hnsw_index<vicinal::l2, Codec> index(dim, {.ef_construction = 60});
    for (std::size_t first = 0; first < rows.rows(); first += batch) {
        const std::size_t n = std::min(batch, rows.rows() - first);
        index.add(std::span(ids).subspan(first, n), rows.view(first, n));
    }
    REQUIRE(index.check().ok());
    return recall_of(index, exact, queries);
}

template <class Codec>
void require_alike(const dataset& rows, const dataset& queries) {
    const double whole = recall_by_batches<Codec>(rows, queries, rows_count);
    const double pieces = recall_by_batches<Codec>(rows, queries, 100);
    INFO("one batch " << whole << ", batches of 100 " << pieces);
    CHECK(whole > pieces - 0.01);
    CHECK(pieces > 0.9);
}

/// Gaussian rows, `far` of them `by` times as far out in component `at`, or in all if that is dim.
dataset with_far_rows(std::size_t far, float by, std::size_t at) {
    dataset rows = gaussian(rows_count, dim);
    for (std::size_t i = 0; i < far; ++i)
        for (std::size_t d = 0; d < dim; ++d)
            if (at == dim || at == d) rows[rows_count / 2 + i * 37][d] *= by;
    return rows;
}

/// Rows around 30 centres, `width` beside distances of about 5 between them.
dataset narrow(std::size_t count, double width, std::uint64_t seed) {
    numbers random(seed);
    const dataset centres = gaussian(30, dim, 77);
    return make_rows(count, dim, [&](std::size_t r, std::size_t d) {
        return static_cast<double>(centres[r % 30][d]) + width * random.normal();
    });
}

/// How many rows from 200 on, one by one, are searched for again by the rows themselves, where candidates are first
/// found by the distances among `copies`.
std::size_t walked_in_vain(const dataset& rows, const dataset& copies) {
    using namespace vicinal::detail;
    code_store<vicinal::f32> store(dim, row_spacing::lines);
    code_store<vicinal::bf16> walked(dim, row_spacing::lines);
    hnsw_graph graph(8);
    store.reserve(rows.rows());
    walked.reserve(rows.rows());
    graph.reserve(rows.rows(), 0);
    const vicinal::l2 metric;
    scratch_pool<walk_scratch> scratch;
    std::size_t in_vain = 0;
    for (slot_t row = 0; row < rows.rows(); ++row) {
        store.write(row, rows[row]);
        walked.write(row, copies[row]);
        graph.create(row, 0);
        hnsw_builder<vicinal::l2, vicinal::f32, vicinal::simd::native_kernels> builder(metric, store, graph, 60,
                                                                                       scratch, {});
        const auto plan_by = [&](const auto& by) {
            builder.plan(std::span(&row, 1), by, row, false, [](slot_t) { return true; }, {});
        };
        if (row < 200)
            plan_by(store);
        else
            plan_by(walked);
        builder.publish();
        graph.publish(row);
        in_vain += builder.walked_in_vain();
    }
    return in_vain;
}

}  // namespace

TEST_CASE("hnsw batches: rows whose copies order candidates otherwise are searched for again without them") {
    const dataset rows = gaussian(500, dim);
    CHECK(walked_in_vain(rows, rows) == 0);
    CHECK(walked_in_vain(rows, gaussian(500, dim, 5)) > 290);
}

TEST_CASE("hnsw batches: one far row in a batch does not cost the others their links") {
    const dataset queries = gaussian(100, dim, 9);
    for (const float by : {1e3F, 1e5F, 1e15F}) require_alike<vicinal::f32>(with_far_rows(1, by, dim), queries);
    require_alike<vicinal::f32>(with_far_rows(1, 1e6F, 3), queries);
    require_alike<vicinal::f32>(with_far_rows(40, 1e5F, dim), queries);
    require_alike<vicinal::bf16>(with_far_rows(1, 1e5F, dim), queries);
}

TEST_CASE("hnsw batches: clusters narrower than a step of 8 bits do not cost their rows their links") {
    for (const double width : {0.1, 1e-3, 1e-4})
        require_alike<vicinal::f32>(narrow(rows_count, width, 1), narrow(90, width, 2));
}

TEST_CASE("hnsw batches: rows of which a tenth lie in a cluster of their own, a thousandth as wide, are all found") {
    dataset rows = gaussian(rows_count, dim), queries = gaussian(100, dim, 9);
    for (std::size_t r = 0; r < rows_count; r += 10)
        for (float& x : rows[r]) x = 2 + 1e-3F * x;
    for (std::size_t q = 0; q < 50; ++q)
        for (float& x : queries[q]) x = 2 + 1e-3F * x;
    require_alike<vicinal::f32>(rows, queries);
}
