// Indexes written by hnswlib become ours: what they hold, what they find, and what damaged ones do.
#include <fstream>
#include <iterator>
#include <map>
#include <optional>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/reference.hpp"
#include "vicinal/import.hpp"

namespace {

using namespace vicinal_test;
using bytes_t = std::vector<std::byte>;
using vicinal::errc;
using vicinal::hnsw_index;
using vicinal::import_hnswlib;

std::string sample(const char* metric) { return std::string(VICINAL_IMPORT_SAMPLES) + "/hnswlib_" + metric + ".bin"; }
bytes_t slurp(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}
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
    auto index = import_hnswlib<hnsw_index<Metric>>(std::filesystem::path(sample(Metric::name.data())), 4);
    const vectors_t rows = held();
    REQUIRE(index.size() == rows.size());
    REQUIRE(index.check().ok());
    REQUIRE(index.check().retired == 2);
    REQUIRE(index.params().degree == 4);
    REQUIRE(index.params().build_beam == 30);
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

/// The refusal, if there is one. Whatever is let in must be whole.
template <class Index = hnsw_index<>>
std::optional<errc> refusal(const bytes_t& bytes, std::size_t dim = 4, const vicinal::load_limits& limits = {}) {
    try {
        const auto index = import_hnswlib<Index>(std::span<const std::byte>(bytes), dim, limits);
        REQUIRE(index.check().ok());
    } catch (const vicinal::error& e) {
        return e.code();
    }
    return std::nullopt;
}

}  // namespace

TEST_CASE("import: an hnswlib index keeps its labels, vectors, deletions and neighbours") {
    require_taken_over<vicinal::l2>();
    require_taken_over<vicinal::inner_product>();
    const auto unit = import_hnswlib<hnsw_index<vicinal::cosine>>(std::filesystem::path(sample("inner_product")), 4);
    REQUIRE(unit.size() == 58);
    REQUIRE(unit.check().ok());
}

TEST_CASE("import: an hnswlib index that is not what the caller says is refused") {
    const bytes_t bytes = slurp(sample("l2"));
    REQUIRE(refusal(bytes) == std::nullopt);
    REQUIRE(refusal(bytes, 5) == errc::wrong_type);
    REQUIRE(refusal<hnsw_index<vicinal::l2, vicinal::f32, std::uint8_t>>(bytes) == errc::wrong_type);
    REQUIRE(refusal<hnsw_index<vicinal::l2, vicinal::f32, std::int16_t>>(bytes) == std::nullopt);
    REQUIRE(refusal(bytes, 4, {.max_rows = 59}) == errc::limit_exceeded);
    REQUIRE(refusal(bytes, 4, {.max_bytes = 1000}) == errc::limit_exceeded);
    REQUIRE(refusal(bytes, 4, {.max_dim = 3}) == errc::limit_exceeded);
}

TEST_CASE("import: a cut or damaged hnswlib index is refused or still whole") {
    const bytes_t bytes = slurp(sample("l2"));
    REQUIRE(bytes.size() > 96);
    for (std::size_t n = 0; n < bytes.size(); ++n)
        if (refusal(bytes_t(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n))) != errc::corrupt_file)
            FAIL("cut to " << n << " bytes it was not refused");
    std::map<errc, std::size_t> refused;
    for (std::size_t at = 0; at < bytes.size(); ++at)
        for (const unsigned change : {1U, 0x80U, 0xFFU}) {
            bytes_t bad = bytes;
            bad[at] ^= static_cast<std::byte>(change);
            if (const auto code = refusal(bad)) ++refused[*code];
        }
    REQUIRE(refused[errc::corrupt_file] > 1000);
    REQUIRE(refused[errc::io] == 0);
}

TEST_CASE("import: rows that nothing links to come into the tree") {
    bytes_t bytes = slurp(sample("l2"));
    const std::size_t row_bytes = 4 + 4 * 8 + 16 + 8;
    for (std::size_t row = 0; row < 60; ++row) {  // no links on level 0, deletion marks stay
        bytes[96 + row * row_bytes] = std::byte{0};
        bytes[96 + row * row_bytes + 1] = std::byte{0};
    }
    const auto index = import_hnswlib<hnsw_index<>>(std::span<const std::byte>(bytes), 4);
    REQUIRE(index.check().ok());
    REQUIRE(index.search(std::vector<float>(4, 0.0F), 100, {.ef = 400}).size() == 58);
}
