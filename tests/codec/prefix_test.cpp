// SPDX-License-Identifier: MIT
// prefix<N> as the coarse half of two levels: candidates are those of truncated vectors, by each metric, in each index.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/batches.hpp"
#include "support/catch.hpp"
#include "support/data.hpp"
#include "vicinal/codecs.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/ivf.hpp"

namespace {

using namespace vicinal_test;
using vicinal::cosine;
using vicinal::f32;
using vicinal::inner_product;
using vicinal::l2;
using vicinal::prefix;
using vicinal::two_level;

constexpr std::size_t dim = 50;
constexpr std::size_t kept = 19;  // ends within a vector of every instruction set
constexpr std::size_t count = 700;
constexpr std::size_t k = 10;

/// A distance between whole vectors, which may be of any length.
struct largest_difference {
    static constexpr std::string_view name = "largest_difference";
    float operator()(std::span<const float> q, std::span<const float> x) const {
        float largest = 0;
        for (std::size_t i = 0; i < x.size(); ++i) largest = std::max(largest, std::abs(q[i] - x[i]));
        return largest;
    }
};

/// Rows about a mean, so that the lengths of truncated rows differ.
dataset rows_about_a_mean(std::size_t n, unsigned seed) {
    dataset rows = gaussian(n, dim, seed);
    for (std::size_t r = 0; r < n; ++r)
        for (std::size_t i = 0; i < dim; i += 3) rows.values[r * dim + i] += 0.7F;
    return rows;
}

double truncated_distance(std::string_view metric, std::span<const float> q, std::span<const float> x) {
    if (metric == "largest_difference") return double{largest_difference()(q.first(kept), x.first(kept))};
    double product = 0, squares = 0, off = 0;
    for (std::size_t i = 0; i < kept; ++i) {
        product += double{q[i]} * double{x[i]};
        squares += double{x[i]} * double{x[i]};
        off += (double{q[i]} - double{x[i]}) * (double{q[i]} - double{x[i]});
    }
    return metric == "l2" ? off : metric == "cosine" ? -product / std::sqrt(squares) : -product;
}

/// The k rows that are closest when truncated: what a rerank of so many has to choose from.
std::vector<std::uint64_t> closest_truncated(std::string_view metric, const dataset& rows, std::span<const float> q) {
    std::vector<std::pair<double, std::uint64_t>> all;
    for (std::size_t r = 0; r < rows.rows(); ++r) all.emplace_back(truncated_distance(metric, q, rows[r]), r);
    std::sort(all.begin(), all.end());
    std::vector<std::uint64_t> ids;
    for (std::size_t i = 0; i < k; ++i) ids.push_back(all[i].second);
    std::sort(ids.begin(), ids.end());
    return ids;
}

template <class Index>
typename Index::search_params everywhere_with(std::size_t rerank) {
    typename Index::search_params params;
    params.rerank = rerank;
    if constexpr (requires { params.nprobe; }) params.nprobe = 1000;
    if constexpr (requires { params.ef; }) params.ef = count;
    return params;
}

/// How many of the candidates that truncated vectors have, an index chooses from, and whether batches, single rows and
/// files find the same. Distances must be those of whole vectors.
template <class Metric, class Index>
double share_of_candidates(Index index) {
    const dataset rows = rows_about_a_mean(count, 11), queries = rows_about_a_mean(20, 12);
    const auto ids = numbered<std::uint64_t>(count);
    index.add(std::span(ids).first(count - 5), rows.view(0, count - 5));
    for (std::size_t r = count - 5; r < count; ++r) index.add(ids[r], rows[r]);
    std::vector<std::byte> file;
    index.save(file);
    const Index loaded = Index::load(std::span<const std::byte>(file));
    const auto few = everywhere_with<Index>(k);
    const auto table = index.search(queries.view(), k, few);
    double shared = 0;
    for (std::size_t q = 0; q < queries.rows(); ++q) {
        const auto hits = index.search(queries[q], k, few);
        REQUIRE(hits.size() == k);
        CHECK(std::equal(hits.begin(), hits.end(), table[q].begin(), table[q].end()));
        CHECK(loaded.search(queries[q], k, few) == hits);
        std::vector<std::uint64_t> found;
        for (const auto& hit : hits) {
            found.push_back(hit.id);
            std::vector<float> exact(1);
            index.distances(queries[q], std::span(&hit.id, 1), exact);
            CHECK(hit.distance == exact[0]);
        }
        std::sort(found.begin(), found.end());
        const auto wanted = closest_truncated(Metric::name, rows, queries[q]);
        std::vector<std::uint64_t> both;
        std::set_intersection(found.begin(), found.end(), wanted.begin(), wanted.end(), std::back_inserter(both));
        shared += static_cast<double>(both.size());
        const auto all = index.search(queries[q], k, everywhere_with<Index>(count));
        for (std::size_t i = 1; i < k; ++i) CHECK(all[i - 1].distance <= all[i].distance);
        CHECK(all[0].distance <= hits[0].distance);
    }
    return shared / static_cast<double>(queries.rows() * k);
}

}  // namespace

TEST_CASE("prefix: candidates are those of truncated vectors, under cosine of truncated vectors of length one") {
    CHECK(share_of_candidates<l2>(vicinal::flat_index<l2, two_level<prefix<kept>, f32>>(dim)) == 1.0);
    CHECK(share_of_candidates<inner_product>(
              vicinal::ivf_index<inner_product, two_level<prefix<kept>, f32>>(dim, {.lists = 8})) == 1.0);
    CHECK(share_of_candidates<cosine>(vicinal::flat_index<cosine, two_level<prefix<kept>, f32>>(dim)) == 1.0);
    CHECK(share_of_candidates<cosine>(vicinal::hnsw_index<cosine, two_level<prefix<kept, vicinal::sq8>, f32>>(dim)) >=
          0.95);
}
TEST_CASE("prefix: what is kept may be encoded by another codec, and measured by a metric of whole vectors") {
    CHECK(share_of_candidates<l2>(vicinal::flat_index<l2, two_level<prefix<kept, vicinal::f16>, f32>>(dim)) >= 0.99);
    CHECK(share_of_candidates<l2>(vicinal::flat_index<l2, two_level<prefix<kept, vicinal::pq>, f32>>(dim)) >= 0.4);
    CHECK(share_of_candidates<largest_difference>(
              vicinal::flat_index<largest_difference, two_level<prefix<kept>, f32>>(dim)) == 1.0);
}
TEST_CASE("prefix: codes are those of N components, learned of N components") {
    const prefix<kept, vicinal::sq8> coder(dim);
    CHECK(coder.code_size() == kept);
    CHECK(std::string(prefix<kept>::name) == "prefix19");
    CHECK(std::string(prefix<256, vicinal::sq8>::name) == "prefix256:sq8");
    prefix<kept, vicinal::sq8> learned(dim);
    dataset rows = gaussian(300, dim, 4);
    for (std::size_t r = 0; r < 300; ++r) rows.values[r * dim + kept] = 1e6F;  // not kept
    learned.train(rows.view());
    CHECK(learned.step(0) < 1.0F);
    CHECK(learned.clipped(rows[0]) == 0);
    CHECK(learned.strain(rows.view()) < 1.0);
    std::vector<float> back(dim, 7.0F);
    std::vector<std::byte> code(learned.code_size());
    learned.encode(rows[3], code);
    learned.decode(code, back);
    for (std::size_t i = 0; i < kept; ++i) CHECK(std::abs(back[i] - rows[3][i]) <= learned.step(i));
    for (std::size_t i = kept; i < dim; ++i) CHECK(back[i] == 0.0F);
}
TEST_CASE("prefix: under cosine it learns of truncated vectors of length one, so that none is clipped") {
    vicinal::flat_index<cosine, two_level<prefix<kept, vicinal::sq8>, f32>> index(dim);
    dataset rows = gaussian(600, dim, 5);
    for (std::size_t r = 0; r < 600; ++r) rows.values[r * dim + dim - 1] = 50.0F;  // truncated vectors are short
    index.add(numbered<std::uint64_t>(600), rows.view());
    CHECK(index.codec_report().coarse.clipped_components == 0);
    const auto hit = index.search(rows[7], 1, {.rerank = 1});
    CHECK(hit[0].id == 7);
}
TEST_CASE("prefix: a vector whose first components are zero is admitted, under cosine too") {
    vicinal::flat_index<cosine, two_level<prefix<2>, f32>> index(4);
    index.add(1, std::vector<float>{0, 0, 1, 0});
    index.add(2, std::vector<float>{1, 0, 1, 0});
    CHECK(index.search(std::vector<float>{0, 0, 1, 1}, 1)[0].id == 1);
}
TEST_CASE("prefix: fewer components than it keeps are refused, in a file as well") {
    using index_type = vicinal::flat_index<l2, two_level<prefix<4>, f32>>;
    try {
        index_type index(3);
        FAIL("not refused");
    } catch (const vicinal::error& e) {
        CHECK(e.code() == vicinal::errc::invalid_argument);
        CHECK(std::string(e.what()).find("codec prefix4 keeps the first 4 components, vectors have 3") !=
              std::string::npos);
    }
    index_type index(4);
    index.add(1, std::vector<float>{1, 2, 3, 4});
    std::vector<std::byte> file;
    index.save(file);
    file[24] = std::byte{3};  // the dimension
    const std::uint32_t crc = vicinal::detail::crc32c(0, std::span(file).first(124));
    for (std::size_t i = 0; i < 4; ++i) file[124 + i] = static_cast<std::byte>(crc >> 8 * i & 0xFFU);
    try {
        (void)index_type::load(std::span<const std::byte>(file));
        FAIL("not refused");
    } catch (const vicinal::error& e) {
        CHECK(e.code() == vicinal::errc::corrupt_file);
        CHECK(std::string(e.what()).find("codec prefix4+f32 needs at least 4") != std::string::npos);
    }
}
