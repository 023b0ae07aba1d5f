// SPDX-License-Identifier: MIT
// Indexes written by faiss become ours: what they hold, what they find, and what damaged ones do.
#include <unistd.h>

#include <fstream>
#include <string_view>

#include "import/support.hpp"
#include "support/temporary.hpp"

namespace {

using namespace import_test;
using vicinal::flat_index;
using vicinal::hnsw_index;
using vicinal::import_faiss;
using vicinal::ivf_index;

/// What make_faiss_samples.cpp put in, under row numbers or the labels it gave.
vectors_t held(bool labelled, std::size_t count = 60) {
    const dataset rows = clustered(60, 4, 5);
    vectors_t all;
    for (std::size_t r = 0; r < count; ++r) all[labelled ? 1000 + 3 * r : r] = vector_t(rows[r].begin(), rows[r].end());
    return all;
}

template <class Index, class Params>
void require_taken_over(const std::string& name, const vectors_t& rows, const char* metric, const Params& exact) {
    INFO(name);
    auto index = import_faiss<Index>(sample(name));
    REQUIRE(index.size() == rows.size());
    REQUIRE(index.check().ok());
    for (const auto& [id, row] : rows) REQUIRE(index.get(id) == row);
    const expectation expected{metric, 0, rows};
    const dataset queries = clustered(20, 4, 5, 3, 9);
    for (std::size_t q = 0; q < queries.rows(); ++q)
        expected.require_closest(queries[q], 10, index.search(queries[q], 10, exact));
    // It goes on like one of ours.
    index.add(5000, queries[0]);
    REQUIRE(index.remove(rows.begin()->first == 0 ? 3 : 1003));
    for (const auto& [id, row] : rows)
        if (index.contains(id)) index.update(id, row);
    REQUIRE(index.check().ok());
}

template <class Index>
std::optional<errc> refusal(const bytes_t& bytes, const vicinal::load_limits& limits = {}) {
    return import_test::refusal([&] { return import_faiss<Index>(std::span<const std::byte>(bytes), limits); });
}
template <class Index>
std::string message(const bytes_t& bytes) {
    try {
        (void)import_faiss<Index>(std::span<const std::byte>(bytes));
    } catch (const vicinal::error& e) {
        return e.what();
    }
    return {};
}

template <class Index>
void require_judged_by(const std::string& name) {
    INFO(name);
    require_judged(slurp(sample(name)),
                   [](const bytes_t& bad) { return import_faiss<Index>(std::span<const std::byte>(bad)); });
}

}  // namespace

TEST_CASE("import: faiss's indexes keep their vectors, and find what brute force finds") {
    using vicinal::inner_product;
    using vicinal::l2;
    require_taken_over<flat_index<>>("faiss_flat_l2", held(false), "l2", flat_index<>::search_params{});
    require_taken_over<flat_index<inner_product>>("faiss_flat_inner_product", held(false), "inner_product",
                                                  flat_index<>::search_params{});
    ivf_index<>::search_params all;
    all.nprobe = 6;
    require_taken_over<ivf_index<>>("faiss_ivf_l2", held(true), "l2", all);
    require_taken_over<ivf_index<inner_product>>("faiss_ivf_inner_product", held(true), "inner_product", all);
    hnsw_index<vicinal::l2, vicinal::f32>::search_params wide;
    wide.ef = 400;
    require_taken_over<hnsw_index<vicinal::l2, vicinal::f32>>("faiss_hnsw_l2", held(false), "l2", wide);
    require_taken_over<hnsw_index<inner_product, vicinal::f32>>("faiss_hnsw_inner_product", held(false),
                                                                "inner_product", wide);
    require_taken_over<flat_index<>>("faiss_map_flat_l2", held(true), "l2", flat_index<>::search_params{});
    require_taken_over<hnsw_index<vicinal::l2, vicinal::f32>>("faiss_map2_hnsw_l2", held(true), "l2", wide);
}

TEST_CASE("import: faiss's lists and graph are taken over, not built anew") {
    const auto ivf = import_faiss<ivf_index<>>(sample("faiss_ivf_l2"));
    REQUIRE(ivf.lists() == 6);
    // One list of six holds the closest row for most queries, as the lists are those that faiss learned.
    const vectors_t rows = held(true);
    std::size_t found = 0;
    for (const auto& [id, row] : rows) found += ivf.search(row, 1, {.nprobe = 1}).front().id == id ? 1 : 0;
    REQUIRE(found == rows.size());
    const auto hnsw = import_faiss<hnsw_index<vicinal::l2, vicinal::f32>>(sample("faiss_hnsw_l2"));
    REQUIRE(hnsw.params().degree == 4);
    REQUIRE(hnsw.params().ef_construction == 30);
    const dataset queries = clustered(20, 4, 5, 3, 9);
    double recalls = 0;
    for (std::size_t q = 0; q < queries.rows(); ++q) {
        const auto truth = hnsw.search(queries[q], 10, {.ef = 400});
        recalls += recall(std::span<const neighbor<>>(truth), hnsw.search(queries[q], 10, {.ef = 20}));
    }
    REQUIRE(recalls / static_cast<double>(queries.rows()) >= 0.95);
}

TEST_CASE("import: faiss's empty, sparse and unit-length indexes") {
    ivf_index<>::search_params all;
    all.nprobe = 20;
    require_taken_over<ivf_index<>>("faiss_ivf_sparse_l2", held(false, 4), "l2", all);
    auto empty = import_faiss<hnsw_index<vicinal::l2, vicinal::f32>>(sample("faiss_hnsw_empty_l2"));
    REQUIRE(empty.empty());
    empty.add(1, vector_t(4, 1.0F));
    REQUIRE(empty.search(vector_t(4, 0.0F), 1).front().id == 1);
    const auto unit = import_faiss<flat_index<vicinal::cosine>>(sample("faiss_flat_inner_product"));
    REQUIRE(unit.size() == 60);
    double norm = 0;
    for (const float x : unit.get(7)) norm += double{x} * double{x};
    REQUIRE(norm == Approx(1.0));
}

TEST_CASE("import: a faiss file that is not what was asked for is refused, and says what it is") {
    const bytes_t flat = slurp(sample("faiss_flat_l2"));
    const bytes_t hnsw = slurp(sample("faiss_hnsw_l2"));
    REQUIRE(refusal<flat_index<>>(flat) == std::nullopt);
    REQUIRE(refusal<hnsw_index<vicinal::l2, vicinal::f32>>(flat) == errc::wrong_type);
    REQUIRE(refusal<flat_index<vicinal::inner_product>>(flat) == errc::wrong_type);
    REQUIRE(refusal<flat_index<vicinal::cosine>>(flat) == errc::wrong_type);
    REQUIRE_THAT(message<ivf_index<>>(hnsw), contains("kind hnsw, metric L2, dimension 4; kind ivf, metric l2"));
    const bytes_t compressed = slurp(sample("faiss_ivfpq_l2"));
    REQUIRE(refusal<ivf_index<>>(compressed) == errc::wrong_type);
    REQUIRE_THAT(message<ivf_index<>>(compressed), contains("IndexIVFPQ (IwPQ)"));
    const bytes_t labelled = slurp(sample("faiss_map_flat_l2"));
    REQUIRE(refusal<flat_index<vicinal::l2, vicinal::f32, std::uint8_t>>(labelled) == errc::wrong_type);
    REQUIRE(refusal<flat_index<vicinal::l2, vicinal::f32, std::int16_t>>(labelled) == std::nullopt);
    REQUIRE(refusal<flat_index<>>(flat, {.max_rows = 59}) == errc::limit_exceeded);
    REQUIRE(refusal<flat_index<>>(flat, {.max_bytes = 1000}) == errc::limit_exceeded);
    REQUIRE(refusal<flat_index<>>(flat, {.max_dim = 3}) == errc::limit_exceeded);
    bytes_t twice = labelled;  // the last label becomes the one before it
    std::copy_n(twice.end() - 16, 8, twice.end() - 8);
    REQUIRE(refusal<flat_index<>>(twice) == errc::duplicate_id);
    REQUIRE(refusal<flat_index<>>(slurp(sample("hnswlib_l2"))) == errc::corrupt_file);
}

TEST_CASE("import: whatever else faiss writes is refused by its name, wherever it stands in a file") {
    const auto expect = [](const bytes_t& bytes, const std::string& words) {
        INFO(words);
        REQUIRE(refusal<flat_index<>>(bytes) == errc::wrong_type);
        REQUIRE_THAT(message<flat_index<>>(bytes), contains(words));
        REQUIRE_THAT(message<flat_index<>>(bytes), contains("vicinal: the bytes: "));
    };
    const auto put = [](bytes_t in, std::size_t at, std::string_view four) {
        std::copy_n(reinterpret_cast<const std::byte*>(four.data()), 4, in.begin() + static_cast<std::ptrdiff_t>(at));
        return in;
    };
    const bytes_t flat = slurp(sample("faiss_flat_l2"));
    const std::string_view read[] = {"IxF2", "IxFI", "IxFl", "IwFl", "IHNf", "IxMp", "IxM2"};
    std::size_t refused = 0;
    for (const auto& type : vicinal::detail::faiss_types) {
        if (std::ranges::find(read, type.four) != std::end(read)) continue;
        const std::string name = std::string(type.name) + " (" + std::string(type.four) + "), which is not supported";
        expect(put(flat, 0, type.four), "it holds " + vicinal::detail::faiss_name(type.four));
        expect(put(flat, 0, type.four), name);
        expect(put(slurp(sample("faiss_map_flat_l2")), 37, type.four), name);
        ++refused;
    }
    REQUIRE(refused > 70);
    // A binary index has a head of its own: dimension and bytes of a code, then rows.
    bytes_t binary(60);
    binary = put(binary, 0, "IBxF");
    binary[4] = std::byte{64};
    binary[8] = std::byte{8};
    expect(binary, "it holds a faiss binary index, IndexBinaryFlat (IBxF), which is not supported");
    expect(put(binary, 0, "IBHf"), "a faiss binary index, IndexBinaryHNSW (IBHf)");
    expect(put(flat, 0, "IxZz"), "it holds faiss's type IxZz, which is not known");
    REQUIRE(refusal<flat_index<>>(put(bytes_t(60), 0, "IxZz")) == errc::corrupt_file);  // of dimension 0

    const std::string_view flat_type("IxF2");
    bytes_t ivf = slurp(sample("faiss_ivf_l2"));
    const auto found = std::search(ivf.begin() + 4, ivf.end(), reinterpret_cast<const std::byte*>(flat_type.data()),
                                   reinterpret_cast<const std::byte*>(flat_type.data()) + 4);
    REQUIRE(found != ivf.end());
    expect(put(ivf, static_cast<std::size_t>(found - ivf.begin()), "IHNf"),
           "its lists are found by faiss's IndexHNSWFlat (IHNf)");
    bytes_t hnsw = slurp(sample("faiss_hnsw_l2"));
    const auto rows = std::search(hnsw.begin() + 4, hnsw.end(), reinterpret_cast<const std::byte*>(flat_type.data()),
                                  reinterpret_cast<const std::byte*>(flat_type.data()) + 4);
    REQUIRE(rows != hnsw.end());
    expect(put(hnsw, static_cast<std::size_t>(rows - hnsw.begin()), "null"), "its rows are in faiss's nothing (null)");
}

TEST_CASE("import: what is wrong with a faiss file is said with its path") {
    const temporary_directory folder;
    const auto path = folder / "a file.bin";
    const auto said = [&](bytes_t bytes, const char* words) {
        std::ofstream(path, std::ios::binary)
            .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        std::string text;
        try {
            (void)import_faiss<flat_index<>>(path);
        } catch (const vicinal::error& e) {
            text = e.what();
        }
        REQUIRE_THAT(text, contains("vicinal: " + path.string() + ": " + words));
        REQUIRE(text.find("vicinal: ", 1) == std::string::npos);
    };
    bytes_t bytes = slurp(sample("faiss_flat_l2"));
    said({bytes.begin(), bytes.begin() + 50}, "");
    said(slurp(sample("faiss_ivfpq_l2")), "it holds faiss's IndexIVFPQ (IwPQ)");
    said(slurp(sample("faiss_hnsw_l2")), "it holds faiss's index of kind hnsw");
    bytes[bytes.size() - 1] = std::byte{0x7F};  // the last component: not finite
    bytes[bytes.size() - 2] = std::byte{0x80};
    said(bytes, "row 59: ");
    std::filesystem::remove(path);
    REQUIRE(std::system(("mkfifo '" + path.string() + "'").c_str()) == 0);
    ::alarm(30);  // it must not wait for a writer
    REQUIRE(import_test::refusal([&] { return import_faiss<flat_index<>>(path); }) == errc::io);
    ::alarm(0);
}

TEST_CASE("import: a cut or damaged faiss file is refused or still whole") {
    require_judged_by<flat_index<>>("faiss_map_flat_l2");
    require_judged_by<ivf_index<>>("faiss_ivf_l2");
    require_judged_by<ivf_index<>>("faiss_ivf_sparse_l2");
    require_judged_by<hnsw_index<vicinal::l2, vicinal::f32>>("faiss_hnsw_l2");
}
