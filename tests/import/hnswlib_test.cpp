// SPDX-License-Identifier: MIT
// Indexes written by hnswlib become ours: what they hold, what they find, and what damaged ones do.
#include <fstream>

#include "import/support.hpp"
#include "support/temporary.hpp"

namespace {

using namespace import_test;
using vicinal::hnsw_index;
using vicinal::import_hnswlib;

/// What make_samples.cpp put in.
vectors_t held() {
    const dataset rows = clustered(60, 4, 5);
    vectors_t all;
    for (std::size_t r = 0; r < rows.rows(); ++r)
        if (r != 0 && r != 10) all[1000 + 3 * r] = vector_t(rows[r].begin(), rows[r].end());
    return all;
}

template <class Metric>
void require_taken_over() {
    auto index = import_hnswlib<hnsw_index<Metric, vicinal::f32>>(sample("hnswlib_" + std::string(Metric::name)), 4);
    const vectors_t rows = held();
    REQUIRE(index.size() == rows.size());
    REQUIRE(index.check().ok());
    REQUIRE(index.check().retired == 2);
    REQUIRE(index.params().degree == 4);
    REQUIRE(index.params().ef_construction == 30);
    for (const auto& [id, row] : rows) REQUIRE(index.get(id) == row);
    REQUIRE_FALSE(index.contains(1000));
    REQUIRE_FALSE(index.contains(1030));
    const expectation expected{Metric::name, 0, rows};
    const dataset queries = clustered(20, 4, 5, 3, 9);
    double found = 0;
    for (std::size_t q = 0; q < queries.rows(); ++q) {
        expected.require_closest(queries[q], 10, index.search(queries[q], 10, {.ef = 400}));
        const auto truth = index.search(queries[q], 10, {.ef = 400});
        found += recall(std::span<const neighbor<>>(truth), index.search(queries[q], 10, {.ef = 20}));
    }
    REQUIRE(found / static_cast<double>(queries.rows()) >= 0.95);
    // It goes on like one of ours.
    index.add(1, queries[0]);
    REQUIRE(index.remove(1003));
    for (const auto& [id, row] : rows)
        if (id != 1003) index.update(id, row);
    REQUIRE(index.check().ok());
}

template <class Index = hnsw_index<vicinal::l2, vicinal::f32>>
std::optional<errc> refusal(const bytes_t& bytes, std::size_t dim = 4, const vicinal::load_limits& limits = {}) {
    return import_test::refusal([&] { return import_hnswlib<Index>(std::span<const std::byte>(bytes), dim, limits); });
}

}  // namespace

TEST_CASE("import: an hnswlib index keeps its labels, vectors, deletions and neighbours") {
    require_taken_over<vicinal::l2>();
    require_taken_over<vicinal::inner_product>();
    const auto unit = import_hnswlib<hnsw_index<vicinal::cosine, vicinal::f32>>(sample("hnswlib_inner_product"), 4);
    REQUIRE(unit.size() == 58);
    REQUIRE(unit.check().ok());
}

TEST_CASE("import: an hnswlib index that is not what the caller says is refused") {
    const bytes_t bytes = slurp(sample("hnswlib_l2"));
    REQUIRE(refusal(bytes) == std::nullopt);
    REQUIRE(refusal(bytes, 5) == errc::wrong_type);
    REQUIRE(refusal<hnsw_index<vicinal::l2, vicinal::f32, std::uint8_t>>(bytes) == errc::wrong_type);
    REQUIRE(refusal<hnsw_index<vicinal::l2, vicinal::f32, std::int16_t>>(bytes) == std::nullopt);
    REQUIRE(refusal(bytes, 4, {.max_rows = 59}) == errc::limit_exceeded);
    REQUIRE(refusal(bytes, 4, {.max_bytes = 1000}) == errc::limit_exceeded);
    REQUIRE(refusal(bytes, 4, {.max_dim = 3}) == errc::limit_exceeded);
}

TEST_CASE("import: hnswlib's brute force is refused by its name, and what is wrong is said with the path") {
    bytes_t brute(24 + 5 * 24);  // room for 5 rows of 24 bytes, 3 rows
    brute[0] = std::byte{5};
    brute[8] = std::byte{24};
    brute[16] = std::byte{3};
    REQUIRE(refusal(brute) == errc::wrong_type);
    const auto said_of = [](const std::filesystem::path& path, std::size_t dim) {
        try {
            (void)import_hnswlib<hnsw_index<vicinal::l2, vicinal::f32>>(path, dim);
        } catch (const vicinal::error& e) {
            return std::string(e.what());
        }
        return std::string();
    };
    const temporary_directory folder;
    std::ofstream(folder / "brute.bin", std::ios::binary)
        .write(reinterpret_cast<const char*>(brute.data()), static_cast<std::streamsize>(brute.size()));
    REQUIRE_THAT(said_of(folder / "brute.bin", 4), contains("brute.bin: it holds hnswlib's BruteforceSearch"));
    REQUIRE_THAT(said_of(sample("hnswlib_l2"), 5), contains(sample("hnswlib_l2").string() + ": its vectors have 16"));
    brute.pop_back();
    REQUIRE(refusal(brute) == errc::corrupt_file);
}

TEST_CASE("import: a cut or damaged hnswlib index is refused or still whole") {
    const bytes_t bytes = slurp(sample("hnswlib_l2"));
    require_judged(bytes, [](const bytes_t& bad) {
        return import_hnswlib<hnsw_index<vicinal::l2, vicinal::f32>>(std::span<const std::byte>(bad), 4);
    });
}

TEST_CASE("import: rows that nothing links to come into the tree") {
    bytes_t bytes = slurp(sample("hnswlib_l2"));
    const std::size_t row_bytes = 4 + 4 * 8 + 16 + 8;
    for (std::size_t row = 0; row < 60; ++row) {  // no links on level 0, deletion marks stay
        bytes[96 + row * row_bytes] = std::byte{0};
        bytes[96 + row * row_bytes + 1] = std::byte{0};
    }
    const auto index = import_hnswlib<hnsw_index<vicinal::l2, vicinal::f32>>(std::span<const std::byte>(bytes), 4);
    REQUIRE(index.check().ok());
    REQUIRE(index.search(std::vector<float>(4, 0.0F), 100, {.ef = 400}).size() == 58);
}
