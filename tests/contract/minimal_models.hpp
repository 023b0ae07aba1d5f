// SPDX-License-Identifier: MIT
// What the tests of minimal models share: rows searched in an index of a model, against a naive reference in double.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <span>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/ivf.hpp"
#include "vicinal/metrics.hpp"

namespace minimal {

using vicinal_test::dataset;
inline constexpr std::size_t dim = 7;
inline constexpr std::size_t count = 150;
inline constexpr std::size_t k = 10;

/// The distance in double, of the reference.
using naive_distance = double (*)(std::span<const float> q, std::span<const float> x);
inline double naive_l2(std::span<const float> q, std::span<const float> x) {
    double sum = 0;
    for (std::size_t i = 0; i < q.size(); ++i) sum += (double{q[i]} - double{x[i]}) * (double{q[i]} - double{x[i]});
    return sum;
}
inline double naive_product(std::span<const float> q, std::span<const float> x) {
    double sum = 0;
    for (std::size_t i = 0; i < q.size(); ++i) sum -= double{q[i]} * double{x[i]};
    return sum;
}

/// Parameters of a search that looks at every row.
template <class Index>
typename Index::search_params thorough() {
    typename Index::search_params params;
    if constexpr (requires { params.nprobe; }) params.nprobe = 1000;
    if constexpr (requires { params.ef; }) params.ef = 4 * count;
    return params;
}

/// Rows within what the models can hold.
inline dataset small_rows(std::size_t n, unsigned seed) {
    dataset rows = vicinal_test::gaussian(n, dim, seed);
    for (float& x : rows.values) x = std::clamp(x, -2.9F, 2.9F);
    return rows;
}

template <class Index>
void check_hits(const Index& index, std::span<const float> query, naive_distance naive, double step) {
    const auto hits = index.search(query, k, thorough<Index>());
    std::vector<double> all;
    for (std::uint64_t id = 0; id < count; ++id) all.push_back(naive(query, index.get(id)));
    std::sort(all.begin(), all.end());
    REQUIRE(hits.size() == k);
    for (std::size_t i = 0; i < k; ++i) {
        CHECK(std::abs(double{hits[i].distance} - all[i]) <= 1e-5 * (1 + std::abs(all[i])));
        CHECK(std::abs(double{hits[i].distance} - naive(query, index.get(hits[i].id))) <=
              1e-5 * (1 + std::abs(all[i])));
    }
    const auto within = index.search_within(query, hits[k - 1].distance, thorough<Index>());
    CHECK(within.size() >= (step < 0 ? 1 : k));
}

/// Rows of a model are found in an index: single searches as the reference finds them, batches as single searches, and
/// after a load the same. step  how far a component may be off when it is decoded
template <class Index>
void check_index(Index index, naive_distance naive, double step) {
    const dataset rows = small_rows(count, 3);
    const dataset queries = small_rows(12, 4);
    std::vector<std::uint64_t> ids(count);
    for (std::size_t i = 0; i < count; ++i) ids[i] = i;
    index.add(ids, rows.view(0, count));
    for (std::size_t i = 0; i < count; i += 13) {
        const std::vector<float> held = index.get(i);
        for (std::size_t j = 0; j < dim && step >= 0; ++j) CHECK(std::abs(held[j] - rows[i][j]) <= step);
    }
    for (std::size_t q = 0; q < 3; ++q) check_hits(index, queries[q], naive, step);
    const auto together = index.search(queries.view(0, queries.rows()), k, thorough<Index>());
    std::vector<std::byte> bytes;
    index.save(bytes);
    const auto loaded = Index::load(std::span<const std::byte>(bytes));
    for (std::size_t q = 0; q < queries.rows(); ++q) {
        const auto alone = index.search(queries[q], k, thorough<Index>());
        const auto row = together[q];
        CHECK(std::equal(alone.begin(), alone.end(), row.begin(), row.end()));
        CHECK(alone == loaded.search(queries[q], k, thorough<Index>()));
    }
}

/// The same in all three indexes. `step` is negative where the metric changes rows, so that they are not compared.
template <class Metric, class Codec>
void check_model(naive_distance naive, double step) {
    check_index(vicinal::flat_index<Metric, Codec>(dim), naive, step);
    check_index(vicinal::ivf_index<Metric, Codec>(dim, {.lists = 4}), naive, step);
    check_index(vicinal::hnsw_index<Metric, Codec>(dim), naive, step);
}

/// The same in one index, the one that asks most of such a model; in all three where every type is tested.
template <template <class, class, class, class> class Index, class Metric, class Codec>
void check_model_in(naive_distance naive, double step) {
#if defined(VICINAL_TEST_ALL_TYPES)
    check_model<Metric, Codec>(naive, step);
#else
    using index_type = Index<Metric, Codec, std::uint64_t, vicinal::simd::native_kernels>;
    if constexpr (std::constructible_from<index_type, std::size_t, vicinal::ivf_params>)
        check_index(index_type(dim, vicinal::ivf_params{.lists = 4}), naive, step);
    else
        check_index(index_type(dim), naive, step);
#endif
}

}  // namespace minimal
