// SPDX-License-Identifier: MIT
// Vectors of zeros and ones under hamming and jaccard: what flat finds, by any codec that keeps them, is what counting
// finds; lists and graphs find nearly as much.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "support/batches.hpp"
#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/reference.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/ivf.hpp"

namespace {

using namespace vicinal_test;
using vicinal::bits;
using vicinal::f32;
using vicinal::hamming;
using vicinal::jaccard;

/// Rows of -1 and 1 about 20 centres, of which they differ in about a sixth of their components.
dataset signs(std::size_t count, std::size_t dim, std::uint64_t seed) {
    numbers random(seed);
    const dataset centres = gaussian(20, dim, 5);
    return make_rows(count, dim, [&](std::size_t r, std::size_t d) {
        return (centres[r % 20][d] > 0) != (random.below(6) == 0) ? 1.0 : -1.0;
    });
}

/// The k closest rows, ties by number.
template <class Metric>
hits_t closest(const dataset& rows, std::span<const float> query, std::size_t k) {
    hits_t all;
    for (std::size_t r = 0; r < rows.rows(); ++r)
        all.push_back({r, static_cast<float>(reference_distance(Metric::name, query, rows[r]).distance)});
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return vicinal::closer(a, b); });
    all.resize(std::min(k, all.size()));
    return all;
}

template <class Metric, class Codec>
void check_flat(std::size_t dim) {
    CAPTURE(dim, std::string(Metric::name));
    const dataset rows = signs(517, dim, 1), queries = signs(12, dim, 2);
    vicinal::flat_index<Metric, Codec> index(dim);
    index.add(numbered<std::uint64_t>(rows.rows()), rows.view());
    for (std::size_t q = 0; q < queries.rows(); ++q) {
        const hits_t want = closest<Metric>(rows, queries[q], 10);
        REQUIRE(index.search(queries[q], 10) == want);
        REQUIRE(index.search_within(queries[q], want.back().distance).size() >= want.size());
    }
    require_same(index, queries, 10);
    const std::vector<float> row = index.get(7);
    for (std::size_t d = 0; d < dim; ++d) REQUIRE(row[d] == (rows[7][d] > 0 ? 1.0F : 0.0F));
    std::vector<std::byte> file;
    index.save(file);
    const auto loaded = vicinal::flat_index<Metric, Codec>::load(std::span<const std::byte>(file));
    REQUIRE(loaded.search(queries[0], 10) == index.search(queries[0], 10));
}

template <class Metric, class Index>
double recall_of(Index index, const dataset& rows, const dataset& queries) {
    index.add(numbered<std::uint64_t>(rows.rows()), rows.view());
    REQUIRE(index.check().ok());
    require_same(index, queries, 10);
    double found = 0;
    for (std::size_t q = 0; q < queries.rows(); ++q) {
        const float last = closest<Metric>(rows, queries[q], 10).back().distance;
        for (const auto& hit : index.search(queries[q], 10)) found += hit.distance <= last ? 1 : 0;  // ties are as good
    }
    return found / static_cast<double>(10 * queries.rows());
}

}  // namespace

TEST_CASE("bits: flat finds what counting finds, at any number of components") {
    for (const std::size_t dim : {1U, 7U, 8U, 64U, 100U, 256U, 771U}) {
        check_flat<hamming, bits>(dim);
        check_flat<jaccard, bits>(dim);
    }
    check_flat<hamming, f32>(100);
}
TEST_CASE("bits: lists and graphs find nearly all that counting finds") {
    const dataset rows = signs(3000, 192, 1), queries = signs(40, 192, 2);
    CHECK(recall_of<hamming>(vicinal::ivf_index<hamming, bits>(192, {.lists = 20}), rows, queries) > 0.85);
    CHECK(recall_of<hamming>(vicinal::hnsw_index<hamming, bits>(192), rows, queries) > 0.95);
    CHECK(recall_of<jaccard>(vicinal::hnsw_index<jaccard, bits>(192), rows, queries) > 0.95);
}
TEST_CASE("bits: candidates found by counting are measured by a codec that decodes") {
    const dataset rows = signs(600, 90, 1), queries = signs(10, 90, 2);
    vicinal::flat_index<jaccard, vicinal::two_level<bits, f32>> index(90);
    index.add(numbered<std::uint64_t>(rows.rows()), rows.view());
    for (std::size_t q = 0; q < queries.rows(); ++q)
        REQUIRE(index.search(queries[q], 10) == closest<jaccard>(rows, queries[q], 10));
    require_same(index, queries, 10);
}
TEST_CASE("bits: queries of a batch are counted one by one where signs rule rows out") {
    const dataset rows = signs(900, 96, 1), queries = signs(12, 96, 2);
    vicinal::flat_index<hamming, vicinal::two_level<vicinal::rabitq<1>, bits>> index(96);
    index.add(numbered<std::uint64_t>(rows.rows()), rows.view());
    require_same(index, queries, 10);
}
TEST_CASE("bits: rows and queries that come packed are the same") {
    const dataset rows = signs(300, 90, 1);
    const bits packer{90};
    std::vector<std::byte> packed(rows.rows() * packer.code_size());
    for (std::size_t r = 0; r < rows.rows(); ++r)
        packer.encode(rows[r], std::span(packed).subspan(r * packer.code_size(), packer.code_size()));
    vicinal::flat_index<hamming, bits> index(90), of_floats(90);
    index.add(numbered<std::uint64_t>(rows.rows()), vicinal::packed_rows(packed, 90));
    of_floats.add(numbered<std::uint64_t>(rows.rows()), rows.view());
    std::vector<std::byte> file, file_of_floats;
    index.save(file);
    of_floats.save(file_of_floats);
    REQUIRE(file == file_of_floats);
    REQUIRE(index.search(vicinal::packed_vector(std::span(packed).first(12), 90), 10) == of_floats.search(rows[0], 10));
}
TEST_CASE("bits: empty sets are equal, and as far from all others as can be") {
    vicinal::flat_index<jaccard, bits> index(9);
    index.add(1, std::vector<float>(9, 0.0F));
    index.add(2, std::vector<float>{1, 0, 0, 0, 0, 0, 0, 0, 1});
    const hits_t hits = index.search(std::vector<float>(9, -1.0F), 2);
    REQUIRE(hits == hits_t{{1, 0.0F}, {2, 1.0F}});
}
TEST_CASE("bits: a file whose last byte has bits past the last component is refused") {
    vicinal::flat_index<hamming, bits> index(9);
    index.add(1, std::vector<float>(9, 1.0F));
    std::vector<std::byte> code(2);
    bits{9}.encode(std::vector<float>(9, 1.0F), code);
    REQUIRE(code == std::vector<std::byte>{std::byte{0xFF}, std::byte{1}});
    REQUIRE(bits{9}.well_formed(code));
    code[1] = std::byte{3};
    REQUIRE_FALSE(bits{9}.well_formed(code));
}
