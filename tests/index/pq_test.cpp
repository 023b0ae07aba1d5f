// SPDX-License-Identifier: MIT
// Indexes over pq: what scans by tables find is what scoring every row finds, bit for bit, on every path.
#include "vicinal/codec/pq/pq.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "support/batches.hpp"
#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/reduced.hpp"
#include "support/reference.hpp"
#include "support/temporary.hpp"
#include "vicinal/core/little_endian.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/ivf.hpp"

namespace {

using namespace vicinal_test;
using vicinal::f32;
using vicinal::pq;
using vicinal::two_level;
using hits_t = std::vector<vicinal::neighbor<>>;

/// The same codes, every one of which is scored.
struct plain_pq : pq {
    static constexpr std::string_view name = "plain_pq";
    static constexpr bool has_tables = false;
    using pq::pq;
};
template <class Metric, class Codec>
inline constexpr bool looks_up = vicinal::detail::query_algorithm<Metric, Codec, vicinal::simd::native_kernels> ==
                                 vicinal::detail::scan_algorithm::table_prefilter;
static_assert(looks_up<vicinal::l2, pq> && looks_up<vicinal::cosine, pq> && !looks_up<vicinal::l2, plain_pq>);

template <class Index>
void fill(Index& index, const dataset& rows) {
    std::vector<std::uint64_t> ids(rows.rows());
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = 7 * i + 1;
    index.add(ids, rows.view());
}

template <class Index>
hits_t stream(const Index& index, std::span<const float> query, std::size_t most) {
    hits_t all;
    for (const auto hit : index.nearest(query)) {
        all.push_back(hit);
        if (all.size() == most) break;
    }
    return all;
}

/// Every way to ask gives what the index that scores every row gives.
template <class Tabled, class Plain>
void same(const Tabled& a, const Plain& b, const dataset& queries, typename Tabled::search_params how = {}) {
    typename Plain::search_params how_plain;
    if constexpr (requires { how.nprobe; }) how_plain.nprobe = how.nprobe;
    how_plain.filter = how.filter;
    for (const std::size_t k : {1U, 10U, 100U}) {
        const auto table = a.search(queries.view(), k, how);
        for (std::size_t q = 0; q < queries.rows(); ++q) {
            const auto expected = b.search(queries[q], k, how_plain);
            REQUIRE(same_bits(a.search(queries[q], k, how), expected));
            REQUIRE(same_bits(table[q], expected));
        }
        require_same(a, queries, k, how);
    }
    for (std::size_t q = 0; q < queries.rows(); q += 3) {
        REQUIRE(same_bits(stream(a, queries[q], 50), stream(b, queries[q], 50)));
        const auto near = b.search(queries[q], 20, how_plain);
        if (near.empty()) continue;
        for (const float radius : {near.back().distance, std::nextafter(near.back().distance, -1e30F)}) {
            typename Tabled::search_params within;
            typename Plain::search_params within_plain;
            within.filter = how.filter;
            within_plain.filter = how.filter;
            REQUIRE(same_bits(a.search_within(queries[q], radius, within),
                              b.search_within(queries[q], radius, within_plain)));
        }
    }
}

dataset mixed_rows(std::size_t n, std::size_t dim) {
    dataset rows = clustered(n, dim, 9);
    for (std::size_t r = 3; r < n; r += 31) std::copy_n(rows.values.begin(), dim, rows[r].begin());  // copies of one
    for (std::size_t i = 0; i < dim; ++i) rows.values[(n - 1) * dim + i] *= 100.0F;
    return rows;
}
dataset mixed_queries(const dataset& rows, std::size_t count = 9) {
    dataset made = clustered(count, rows.dim, 9, 3, 70);
    std::copy_n(rows.values.begin(), rows.dim, made.values.begin());
    for (std::size_t i = 0; i < rows.dim; ++i) made.values[rows.dim + i] += 40.0F;
    return made;
}

template <template <class, class, class> class Index, class Metric, class A, class B>
void check(std::size_t n, std::size_t dim) {
    CAPTURE(n, dim, std::string(Metric::name));
    const dataset rows = mixed_rows(n, dim);
    const dataset queries = mixed_queries(rows);
    Index<Metric, A, std::uint64_t> a(dim);
    Index<Metric, B, std::uint64_t> b(dim);
    fill(a, rows);
    fill(b, rows);
    const auto all = [&] {
        same(a, b, queries);
        if constexpr (requires(typename decltype(a)::search_params how) { how.nprobe; })
            same(a, b, queries, {.nprobe = 3});
        same(a, b, queries, {.filter = [](std::uint64_t id) { return id % 3 == 0; }});
        same(a, b, queries, {.filter = vicinal::id_set<std::uint64_t>{1, 8, 15, 22, 36}});
    };
    all();
    for (std::uint64_t i = 0; i < n; i += 2) REQUIRE(a.remove(7 * i + 1) == b.remove(7 * i + 1));
    for (std::uint64_t i = 1; i < n / 4; i += 2) {
        a.update(7 * i + 1, rows[2 * i]);
        b.update(7 * i + 1, rows[2 * i]);
    }
    a.add(5, queries[4]);
    b.add(5, queries[4]);
    all();
    const temporary_directory folder;
    a.save(folder / "index.vic");
    const auto loaded = decltype(a)::load(folder / "index.vic");
    const auto viewed = decltype(a)::view(folder / "index.vic");
    same(loaded, b, queries);
    same(viewed, b, queries);
}

/// Candidates are found by tables; the finer codec decides.
template <template <class, class, class> class Index, class Metric>
void check_two_levels(std::size_t n, std::size_t dim) {
    CAPTURE(n, dim, std::string(Metric::name));
    const dataset rows = mixed_rows(n, dim);
    const dataset queries = mixed_queries(rows);
    Index<Metric, two_level<pq, f32>, std::uint64_t> a(dim);
    Index<Metric, f32, std::uint64_t> b(dim);
    fill(a, rows);
    fill(b, rows);
    typename decltype(a)::search_params how;
    typename decltype(b)::search_params plainly;
    if constexpr (requires { how.nprobe; }) how.nprobe = plainly.nprobe = 1000;
    const auto all = [&] {
        for (const bool filtered : {false, true}) {
            if (filtered) how.filter = plainly.filter = [](std::uint64_t id) { return id % 3 == 0; };
            how.rerank = n + 1;
            for (std::size_t q = 0; q < queries.rows(); ++q)
                REQUIRE(same_bits(a.search(queries[q], 10, how), b.search(queries[q], 10, plainly)));
            require_same(a, queries, 10, how);
            how.rerank = 0;
            require_same(a, queries, 10, how);
            how.rerank = 20;
            require_same(a, queries, 10, how);
        }
        how.filter = {};
        plainly.filter = {};
        const auto near = b.search(queries[0], 20, plainly);
        REQUIRE(same_bits(a.search_within(queries[0], near.back().distance),
                          b.search_within(queries[0], near.back().distance)));
        REQUIRE(same_bits(stream(a, queries[2], 50), stream(b, queries[2], 50)));
    };
    all();
    for (std::uint64_t i = 0; i < n; i += 2) REQUIRE(a.remove(7 * i + 1) == b.remove(7 * i + 1));
    for (std::uint64_t i = 1; i < n / 4; i += 2) {
        a.update(7 * i + 1, rows[2 * i]);
        b.update(7 * i + 1, rows[2 * i]);
    }
    all();
    const temporary_directory folder;
    a.save(folder / "index.vic");
    const auto loaded = decltype(a)::load(folder / "index.vic");
    const auto viewed = decltype(a)::view(folder / "index.vic");
    for (std::size_t q = 0; q < queries.rows(); ++q) {
        const auto hits = a.search(queries[q], 10);
        REQUIRE(same_bits(loaded.search(queries[q], 10), hits));
        REQUIRE(same_bits(viewed.search(queries[q], 10), hits));
    }
}

/// Distances are those of what `get` gives, in double precision, and no row is closer than the k-th found.
template <class Index, class Metric>
void check_distances(std::size_t dim) {
    CAPTURE(dim, std::string(Metric::name));
    const dataset rows = gaussian(333, dim, dim);
    const dataset queries = gaussian(3, dim, 99);
    Index index(dim);
    fill(index, rows);
    for (std::size_t q = 0; q < 3; ++q) {
        const auto hits = index.search(queries[q], 10);
        REQUIRE(hits.size() == 10);
        std::vector<double> all;
        for (std::size_t r = 0; r < rows.rows(); ++r)
            all.push_back(reference_distance(Metric::name, queries[q], index.get(7 * r + 1)).distance);
        double scale = 0;
        for (const double d : all) scale = std::max(scale, std::abs(d));
        std::vector<double> sorted = all;
        std::sort(sorted.begin(), sorted.end());
        for (std::size_t i = 0; i < 10; ++i) {
            REQUIRE(std::abs(double{hits[i].distance} - all[(hits[i].id - 1) / 7]) <= 2e-6 * scale);
            REQUIRE(std::abs(double{hits[i].distance} - sorted[i]) <= 2e-6 * scale);
        }
    }
}

/// A codec that writes what it never learned.
template <int Number>
struct forging : pq {
    using pq::pq;
    static constexpr float values[] = {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN(),
                                       -1e19F, 3e38F, 1.0F};
    [[nodiscard]] std::vector<std::byte> state() const {
        auto bytes = pq::state();
        if (!bytes.empty()) vicinal::detail::store_le(bytes.data() + bytes.size() - 4, values[Number]);
        return bytes;
    }
    [[nodiscard]] bool restore(std::span<const std::byte>) { return false; }
};
/// Names something by the half byte that stands for nothing.
struct untidy : pq {
    using pq::pq;
    void encode(std::span<const float> vector, std::span<std::byte> code) const noexcept {
        pq::encode(vector, code);
        code.back() |= std::byte{0x50};
    }
};

template <class Codec>
bool refused(std::size_t dim) {
    vicinal::flat_index<vicinal::l2, Codec> forged(dim);
    fill(forged, gaussian(20, dim));
    std::vector<std::byte> bytes;
    forged.save(bytes);
    try {
        (void)vicinal::flat_index<vicinal::l2, pq>::load(std::span<const std::byte>(bytes));
        return false;
    } catch (const vicinal::error& error) {
        REQUIRE(error.code() == vicinal::errc::corrupt_file);
        return true;
    }
}

template <class Metric, class Codec, class Id>
using flat = vicinal::flat_index<Metric, Codec, Id>;
template <class Metric, class Codec, class Id>
using ivf = vicinal::ivf_index<Metric, Codec, Id>;

}  // namespace

TEST_CASE("pq: flat finds what scoring every row finds, bit for bit") {
    for (const auto& [n, dim] : {std::pair<std::size_t, std::size_t>{400, 1}, {511, 7}, {1000, 32}, {1337, 70}}) {
        check<flat, vicinal::l2, pq, plain_pq>(n, dim);
        check<flat, vicinal::inner_product, pq, plain_pq>(n, dim);
#if defined(VICINAL_TEST_ALL_TYPES)
        check<flat, vicinal::cosine, pq, plain_pq>(n, dim);
#endif
    }
}
TEST_CASE("pq: ivf finds what scoring every row finds, bit for bit") {
    check<ivf, vicinal::l2, pq, plain_pq>(900, 33);
#if defined(VICINAL_TEST_ALL_TYPES)
    check<ivf, vicinal::inner_product, pq, plain_pq>(1500, 16);
#endif
}
TEST_CASE(
    "pq: two levels find the same alone, in batches and in files, and what f32 finds where all rows are reranked") {
    check_two_levels<flat, vicinal::l2>(1000, 24);
#if defined(VICINAL_TEST_ALL_TYPES)
    check_two_levels<flat, vicinal::inner_product>(700, 65);
#endif
    check_two_levels<ivf, vicinal::cosine>(1000, 21);
}
TEST_CASE("pq: distances are those of what get returns, at any dimension") {
    for (std::size_t dim = 1; dim <= 70; dim += dim < 9 ? 1 : 7) {
        check_distances<flat<vicinal::l2, pq, std::uint64_t>, vicinal::l2>(dim);
        check_distances<flat<vicinal::inner_product, pq, std::uint64_t>, vicinal::inner_product>(dim);
#if defined(VICINAL_TEST_ALL_TYPES)
        if (dim > 1) check_distances<flat<vicinal::cosine, pq, std::uint64_t>, vicinal::cosine>(dim);
#endif
    }
}
TEST_CASE("pq: few rows are all found, at every number up to a block of 32 and beyond") {
    for (std::size_t n = 1; n <= 97; n += n < 70 ? 1 : 9) {
        CAPTURE(n);
        const dataset rows = gaussian(n, 9);
        vicinal::flat_index<vicinal::l2, pq> a(9);
        vicinal::flat_index<vicinal::l2, plain_pq> b(9);
        fill(a, rows);
        fill(b, rows);
        for (const std::size_t k : {1U, 5U, 200U}) {
            const auto hits = a.search(rows[n / 2], k);
            REQUIRE(hits.size() == std::min(n, k));
            REQUIRE(same_bits(hits, b.search(rows[n / 2], k)));
        }
    }
}
TEST_CASE("pq: two levels keep recall, and rerank as many as they are asked to") {
    const dataset rows = clustered(3000, 64, 30);
    const dataset queries = clustered(25, 64, 30, 3, 80);
    vicinal::flat_index<vicinal::l2, two_level<pq, f32>> index(64);
    vicinal::flat_index<> plain(64);
    fill(index, rows);
    fill(plain, rows);
    std::size_t found = 0;
    for (std::size_t q = 0; q < queries.rows(); ++q) {
        vicinal::search_stats stats;
        const auto hits = index.search(queries[q], 10, {.rerank = 100, .stats = &stats});
        CHECK(stats.reranks == 100);
        const auto exact = plain.search(queries[q], 10);
        for (const auto& hit : hits) found += std::find(exact.begin(), exact.end(), hit) != exact.end();
    }
    CHECK(found >= 245);
}
TEST_CASE("pq: a graph finds nearly all that scoring every row finds") {
    const dataset rows = clustered(1500, 30, 12);
    vicinal::hnsw_index<vicinal::cosine, pq> graph(30);
    vicinal::flat_index<vicinal::cosine, pq> all(30);
    fill(graph, rows);
    fill(all, rows);
    std::size_t found = 0;
    for (std::size_t q = 0; q < 20; ++q) {
        const auto exact = all.search(rows[q], 10);
        for (const auto& hit : graph.search(rows[q], 10, {.ef = 100}))
            found += std::find(exact.begin(), exact.end(), hit) != exact.end();
    }
    CHECK(found >= 180);
}
TEST_CASE("pq: files whose codebook or codes pq cannot have made are refused") {
    CHECK_FALSE(refused<pq>(6));
    CHECK(refused<forging<0>>(6));
    CHECK(refused<forging<1>>(6));
    CHECK(refused<forging<2>>(6));
    CHECK(refused<forging<3>>(6));
    CHECK_FALSE(refused<forging<4>>(6));  // as good as another
    CHECK(refused<forging<4>>(5));        // the component that an odd dimension lacks
    CHECK(refused<untidy>(6));            // three pairs: half a byte is left
    CHECK(refused<untidy>(5));
    CHECK_FALSE(refused<untidy>(8));
}
TEST_CASE("pq: a row that its centroids make too long for any distance is refused") {
    constexpr std::size_t dim = 64;
    const dataset rows =
        make_rows(64, dim, [](std::size_t r, std::size_t i) { return i == 2 * (r % 32) ? 2.2e18 : 0.0; });
    vicinal::flat_index<vicinal::l2, pq> index(dim);
    fill(index, rows);
    std::vector<float> between(dim, 0.0F);
    for (std::size_t i = 0; i < dim; i += 2) between[i] = 1.08e18F;
    index.add(3, between);  // all pairs become zero
    CHECK(index.get(3) == std::vector<float>(dim, 0.0F));
    for (std::size_t i = 0; i < dim; i += 2) between[i] = 1.14e18F;
    try {
        index.add(10, between);  // all become 2.2e18
        FAIL("it was not refused");
    } catch (const vicinal::error& error) {
        CHECK(error.code() == vicinal::errc::magnitude);
    }
    CHECK_FALSE(index.contains(10));
    for (const auto& hit : index.search(between, 10)) CHECK(std::isfinite(hit.distance));
}
