// SPDX-License-Identifier: MIT
// two_level<pca8, f32>: what flat_index and ivf_index find is what they find of f32, bit for bit; codes bound
// distances.
#include "vicinal/codec/pca8/pca8.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "support/batches.hpp"
#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/temporary.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/ivf.hpp"

namespace {

using namespace vicinal_test;
using vicinal::f32;
using vicinal::pca8;
using vicinal::two_level;
using pruned = two_level<pca8, f32>;
using rows_view = vicinal::matrix_view<const float>;

/// Rows whose components spread as (i + 1)^-decay, mixed; with equal rows and a far one.
std::vector<float> spread(std::size_t rows, std::size_t dim, double decay, float scale, std::uint64_t seed) {
    std::vector<float> values(rows * dim);
    std::uint64_t state = seed;
    const auto random = [&] {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        return static_cast<double>(state >> 40) * 0x1p-23 - 1.0;
    };
    for (std::size_t r = 0; r < rows; ++r) {
        float* const row = values.data() + r * dim;
        for (std::size_t i = 0; i < dim; ++i)
            row[i] = static_cast<float>((random() + random() + random()) * std::pow(double(i + 1), -decay));
        for (std::size_t half = 1; half < dim; half *= 2)  // rotations of pairs
            for (std::size_t i = 0; i + half < dim; i += 2 * half) {
                const float a = row[i], b = row[i + half];
                row[i] = 0.8F * a - 0.6F * b;
                row[i + half] = 0.6F * a + 0.8F * b;
            }
        for (std::size_t i = 0; i < dim; ++i) row[i] = (row[i] + 0.3F) * scale;
    }
    for (std::size_t r = 3; r < rows; r += 97) std::copy_n(values.data(), dim, values.data() + r * dim);
    for (std::size_t i = 0; i < dim; ++i) values[(rows - 1) * dim + i] *= 1000.0F;
    return values;
}

template <class Index>
void fill(Index& index, const std::vector<float>& values) {
    std::vector<std::uint64_t> ids(values.size() / index.dim());
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = 7 * i + 1;
    index.add(ids, rows_view(std::span<const float>(values), index.dim()));
}

/// Every way to ask gives the same bits.
template <class Pruned, class Plain>
void same(const Pruned& a, const Plain& b, const std::vector<float>& queries, typename Plain::search_params how = {}) {
    const rows_view asked(std::span<const float>(queries), b.dim());
    for (const std::size_t k : {1U, 10U, 100U}) {
        const auto table = a.search(asked, k, how);
        for (std::size_t q = 0; q < asked.rows(); ++q) {
            const auto expected = b.search(asked[q], k, how);
            REQUIRE(same_bits(a.search(asked[q], k, how), expected));
            REQUIRE(same_bits(table[q], expected));
        }
    }
    const auto near = b.search(asked[0], 30, how);
    if (near.empty()) return;
    typename Plain::search_params within;
    within.filter = how.filter;
    REQUIRE(same_bits(a.search_within(asked[0], near.back().distance, within),
                      b.search_within(asked[0], near.back().distance, within)));
}

template <class Metric>
void check_flat(std::size_t dim, double decay, float scale) {
    CAPTURE(dim, decay, scale, std::string(Metric::name));
    const auto values = spread(3000, dim, decay, scale, 1);
    auto queries = spread(12, dim, decay, scale, 2);
    std::copy_n(values.begin(), 2 * dim, queries.begin());  // rows themselves, of which there are copies
    vicinal::flat_index<Metric, pruned> a(dim);
    vicinal::flat_index<Metric> b(dim);
    fill(a, values);
    fill(b, values);
    same(a, b, queries);
    same(a, b, queries, {.filter = [](std::uint64_t id) { return id % 3 == 0; }});
    for (std::uint64_t i = 0; i < 3000; i += 2) {
        REQUIRE(a.remove(7 * i + 1));
        REQUIRE(b.remove(7 * i + 1));
    }
    for (std::uint64_t i = 1; i < 300; i += 2) {
        const std::span<const float> row(values.data() + i * 3 * dim, dim);
        a.update(7 * i + 1, row);
        b.update(7 * i + 1, row);
    }
    same(a, b, queries);
}

/// No bound exceeds what a row's distance asks of it, in double.
template <class Metric>
void check_bounds(std::size_t dim, double decay, float scale) {
    CAPTURE(dim, decay, scale, std::string(Metric::name));
    const std::size_t n = 700;
    auto values = spread(n, dim, decay, scale, 3);
    auto queries = spread(6, dim, decay, scale, 4);
    std::copy_n(values.begin(), dim, queries.begin());
    const Metric metric;
    if constexpr (vicinal::preparing_metric<Metric>) {
        for (std::size_t r = 0; r < n; ++r) REQUIRE(metric.prepare({values.data() + r * dim, dim}));
        for (std::size_t r = 0; r < 6; ++r) REQUIRE(metric.prepare({queries.data() + r * dim, dim}));
    }
    using kernels = vicinal::simd::native_kernels;
    vicinal::detail::code_store<pca8> codes(dim, vicinal::detail::row_spacing::dense);
    vicinal::detail::code_store<f32> vectors(dim, vicinal::detail::row_spacing::dense);
    codes.coder().train(rows_view(std::span<const float>(values).first(dim * (n / 2)), dim));
    codes.reserve(n);
    vectors.reserve(n);
    for (std::uint32_t r = 0; r < n; ++r) {
        codes.write(r, {values.data() + r * dim, dim});
        vectors.write(r, {values.data() + r * dim, dim});
    }
    vicinal::detail::padded_vector query, decoded, buffer;
    query.resize(dim);
    for (std::size_t q = 0; q < 6; ++q) {
        std::copy_n(queries.data() + q * dim, dim, query.data());
        const vicinal::detail::scorer<Metric, f32, kernels> fine(metric, vectors, query.data(), decoded);
        const vicinal::detail::bounding_scorer<Metric, pca8, f32, kernels> bounds(metric, codes, fine, query.data(),
                                                                                  buffer);
        if (bounds.worth_bounding() == 0) {  // too far from the mean to say anything
            REQUIRE(scale > 1e10F);
            continue;
        }
        std::size_t useful = 0;
        for (std::uint32_t r = 0; r < n; r += 32) {
            float lower[32];
            const std::size_t count = std::min<std::size_t>(32, n - r);
            bounds.lower_bounds(codes.rows()[r], codes.rows().stride(), count, lower);
            for (std::uint32_t i = 0; i < count; ++i) {
                double exact = 0;
                double length = 0;
                for (std::size_t c = 0; c < dim; ++c) {
                    const double x = values[(r + i) * dim + c], y = query.data()[c];
                    exact += (x - y) * (x - y);
                    length += x * x;
                }
                // A row at just the threshold is looked at.
                REQUIRE(lower[i] <= bounds.limit_of(fine.score(r + i)));
                if constexpr (std::is_same_v<Metric, vicinal::l2>) {
                    REQUIRE(double{lower[i]} <= std::sqrt(exact) + std::sqrt(length) * 1e-2 + 1e-25);
                    useful += double{lower[i]} > 0.5 * std::sqrt(exact) ? 1U : 0U;
                }
            }
        }
        if (std::is_same_v<Metric, vicinal::l2> && scale > 1e-10F) CHECK(useful > n / 2);
    }
}

}  // namespace

TEST_CASE("pca8: flat finds what it finds of f32, bit for bit") {
    for (const std::size_t dim : {1U, 2U, 7U, 33U, 256U, 520U}) {
        check_flat<vicinal::l2>(dim, 0.7, 1.0F);
        check_flat<vicinal::inner_product>(dim, 0.7, 1.0F);
        check_flat<vicinal::cosine>(dim, 0.7, 1.0F);
    }
    check_flat<vicinal::l2>(384, 0.0, 1.0F);  // too even to pass rows over
    check_flat<vicinal::l2>(384, 1.5, 1e10F);
    check_flat<vicinal::inner_product>(40, 1.0, 1e14F);
    check_flat<vicinal::l2>(40, 1.0, 1e-14F);
    check_flat<vicinal::inner_product>(40, 1.0, 1e-14F);
    check_flat<vicinal::cosine>(40, 1.0, 1e-30F);
}
TEST_CASE("pca8: no bound is above the limit of the row's own distance") {
    for (const std::size_t dim : {1U, 5U, 33U, 384U, 1025U})
        for (const double decay : {0.0, 1.2})
            for (const float scale : {1.0F, 1e12F, 1e-12F, 1e-20F}) {
                check_bounds<vicinal::l2>(dim, decay, scale);
                check_bounds<vicinal::inner_product>(dim, decay, scale);
                check_bounds<vicinal::cosine>(dim, decay, scale);
            }
}
TEST_CASE("pca8: ivf finds what it finds of f32, at every number of lists") {
    constexpr std::size_t dim = 96;
    const auto values = spread(4000, dim, 0.8, 1.0F, 5);
    const auto queries = spread(8, dim, 0.8, 1.0F, 6);
    const auto check = [&]<class Metric>(Metric) {
        vicinal::ivf_index<Metric, pruned> a(dim, {.lists = 20});
        vicinal::ivf_index<Metric> b(dim, {.lists = 20});
        fill(a, values);
        fill(b, values);
        for (std::size_t i = 0; i < 2; ++i) {
            for (const std::size_t nprobe : {0U, 1U, 2U, 5U, 20U}) same(a, b, queries, {.nprobe = nprobe});
            same(a, b, queries, {.nprobe = 20, .filter = [](std::uint64_t id) { return id % 5 == 0; }});
            for (std::uint64_t r = i; r < 4000; r += 3) {
                REQUIRE(a.remove(7 * r + 1) == b.remove(7 * r + 1));
                if (r + 1 < 2000 && a.contains(7 * r + 8)) {
                    a.update(7 * r + 8, std::span<const float>(values.data() + (3999 - r) * dim, dim));
                    b.update(7 * r + 8, std::span<const float>(values.data() + (3999 - r) * dim, dim));
                }
            }
        }
    };
    check(vicinal::l2{});
    check(vicinal::cosine{});
#if defined(VICINAL_TEST_ALL_TYPES)
    check(vicinal::inner_product{});
#endif
}
TEST_CASE("pca8: passes most rows over where the spectrum decays, and none where it cannot pay") {
    const auto reranks = [](double decay) {
        const auto values = spread(20000, 256, decay, 1.0F, 7);
        const auto queries = spread(5, 256, decay, 1.0F, 8);
        vicinal::flat_index<vicinal::l2, pruned> index(256);
        fill(index, values);
        vicinal::search_stats stats;
        for (std::size_t q = 0; q < 5; ++q)
            (void)index.search(std::span<const float>(queries.data() + q * 256, 256), 10, {.stats = &stats});
        return static_cast<double>(stats.reranks) / (5 * 20000);
    };
    CHECK(reranks(1.0) < 0.06);
    CHECK(reranks(0.0) > 0.8);
}
TEST_CASE("pca8: files and views find the same, and what is no state is refused") {
    constexpr std::size_t dim = 40;
    const auto values = spread(500, dim, 1.0, 1.0F, 9);
    vicinal::flat_index<vicinal::l2, pruned> index(dim);
    fill(index, values);
    const temporary_directory folder;
    index.save(folder / "index.vic");
    const auto loaded = decltype(index)::load(folder / "index.vic");
    const auto viewed = decltype(index)::view(folder / "index.vic");
    for (std::size_t q = 0; q < 5; ++q) {
        const std::span<const float> query(values.data() + q * dim, dim);
        const auto hits = index.search(query, 10);
        REQUIRE(same_bits(loaded.search(query, 10), hits));
        REQUIRE(same_bits(viewed.search(query, 10), hits));
    }
    pca8 coder(dim);
    coder.train(rows_view(std::span<const float>(values), dim));
    const auto state = coder.state();
    pca8 other(dim);
    REQUIRE(other.restore(state));
    REQUIRE(other.state() == state);
    const auto damaged = [&](std::size_t number, float x) {
        auto bytes = state;
        std::memcpy(bytes.data() + 4 * number, &x, 4);
        return pca8(dim).restore(bytes);
    };
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (const std::size_t number : {std::size_t{0}, dim, 2 * dim, 2 * dim + 77}) {
        CHECK_FALSE(damaged(number, nan));
        CHECK_FALSE(damaged(number, std::numeric_limits<float>::infinity()));
        CHECK_FALSE(damaged(number, 1e30F));
    }
    CHECK_FALSE(damaged(dim, 0.0F));           // a step of nothing
    CHECK_FALSE(damaged(2 * dim + 5, 0.99F));  // a direction that is not of unit length
    CHECK_FALSE(pca8(dim).restore(std::span(state).first(state.size() - 4)));
    std::vector<std::byte> code(coder.code_size());
    coder.encode({values.data(), dim}, code);
    CHECK(coder.well_formed(code));
    std::memcpy(code.data() + 8, &nan, 4);
    CHECK_FALSE(coder.well_formed(code));
}
