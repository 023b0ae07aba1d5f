// SPDX-License-Identifier: MIT
// Files written once and kept: every release reads them, and writes the same bytes again.
// tests/golden/format_reader.py, which knows docs/format.md and nothing of the library, must find the same in them.
//
// Set VICINAL_WRITE_GOLDEN=<directory> to write the files of this version instead, each with what it holds as text.
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

#include "contract/index_contract.hpp"
#include "vicinal/io/reader.hpp"

namespace {

using namespace vicinal_test;
using vicinal::detail::file_image;
using vicinal::detail::section_type;

std::string file_name(const subject& s, const std::string& codec) { return s.kind + "-" + s.metric + "-" + codec; }

/// The types that come with the library.
bool built_in(const subject& s) { return s.metric != "manhattan" && s.metric != "chebyshev" && s.codec != "eighths"; }

/// A file for each way that an index can be laid out: in a graph with upper levels and a retired row; in an inverted
/// file with two lists.
bytes_t golden_bytes(const subject& s) {
    const bool plain = s.metric == "l2" && s.codec == "f32";
    for (std::size_t rows = s.kind == "flat" ? (plain ? 3 : 5) : s.kind == "ivf" ? 79 : plain ? 40 : 10;; ++rows) {
        dataset given = clustered(rows, is_binary(s) ? 20 : 3, 2);  // 3 bits are copies of each other soon
        if (stores_whole(s))
            for (float& x : given.values) x *= 30;
        filled f(s, std::move(given), 100);
        if (rows >= 10) f.index->remove(f.ids[1]);
        const bytes_t bytes = f.index->save();
        if (s.kind != "hnsw") return bytes;
        const file_image image(vicinal::detail::read_span(bytes));
        if (!image.array<std::uint32_t>(section_type("LNKU")).empty()) return bytes;
    }
}

/// A graph with copies of five vectors, from which a row of the graph and a copy were removed.
bytes_t golden_copies(const subject& s) {
    const index_ptr index = s.make(3);
    dataset rows = clustered(24, 3, 2);
    for (std::size_t r = 12; r < rows.rows(); ++r) std::copy_n(rows[r % 5].begin(), 3, rows[r].begin());
    index->add(numbered<std::uint64_t>(24, 100), rows.view());
    index->remove(101);
    index->remove(120);
    return index->save();
}

void put_hex(std::ostream& out, std::uint32_t bits) {
    for (int shift = 28; shift >= 0; shift -= 4) out << "0123456789abcdef"[bits >> shift & 15];
}

/// What a file holds: by the index its ids and vectors, by the file itself its links, tree and lists.
std::string text_of(const bytes_t& file, const any_index& index) {
    const file_image image(vicinal::detail::read_span(file));
    const auto& header = image.header();
    std::ostringstream out;
    out << to_string(header.kind) << " " << header.metric << " " << header.codec << " dim " << header.dim << " rows "
        << header.rows << " ids " << (header.id_signed ? "i" : "u") << unsigned{header.id_bits} << "\n";
    const auto n = static_cast<std::size_t>(header.rows);
    const auto ids = image.array<std::uint64_t>(section_type("IDS_"), n);
    const auto states = image.array<std::uint8_t>(section_type("STAT"), n);
    for (std::size_t r = 0; r < n; ++r) {
        out << "row " << r;
        if (states[r] == 1) {
            out << " id " << ids[r];
            for (const float x : index.get(ids[r])) {
                out << " ";
                put_hex(out, std::bit_cast<std::uint32_t>(x));
            }
        } else {
            out << " retired";
        }
        out << "\n";
    }
    const auto list = [&](auto values) {
        for (const std::uint32_t value : values) {
            if (value == 0xFFFFFFFFU) break;
            out << " " << value;
        }
        out << "\n";
    };
    if (image.has(section_type("LOFF"))) {
        const auto offsets = image.array<std::uint64_t>(section_type("LOFF"));
        const auto rows = image.array<std::uint32_t>(section_type("LSLT"));
        const auto centroids = image.array<float>(section_type("CENT"));
        for (std::size_t l = 0; l + 1 < offsets.size(); ++l) {
            out << "list " << l << " at";
            for (const float x : centroids.subspan(l * index.dim(), index.dim())) {
                out << " ";
                put_hex(out, std::bit_cast<std::uint32_t>(x));
            }
            out << " rows";
            list(rows.subspan(static_cast<std::size_t>(offsets[l]),
                              static_cast<std::size_t>(offsets[l + 1] - offsets[l])));
        }
    }
    if (image.has(section_type("HNSW"))) {
        const auto head = image.array<std::uint64_t>(section_type("HNSW"), 6);
        out << "degree " << head[0] << " build_beam " << head[1] << " seed " << head[2] << " entry " << head[3]
            << " level " << head[4] << "\n";
        const auto degree = static_cast<std::size_t>(head[0]);
        const auto levels = image.array<std::uint8_t>(section_type("LEVL"), n);
        const auto parents = image.array<std::uint32_t>(section_type("TREE"), n);
        const auto base = image.array<std::uint32_t>(section_type("LNK0"));
        const auto first = image.array<std::uint32_t>(section_type("UPPF"), n);
        const auto upper = image.array<std::uint32_t>(section_type("LNKU"));
        for (std::size_t r = 0; r < n; ++r) {
            out << "parent of " << r << ":";
            list(parents.subspan(r, 1));
            out << "links of " << r << ":";
            list(base.subspan(r * 2 * degree, 2 * degree));
            for (std::size_t l = 1; l <= levels[r]; ++l) {
                out << "links of " << r << " on level " << l << ":";
                list(upper.subspan((first[r] + l - 1) * degree, degree));
            }
        }
        if (image.has(section_type("COPY"))) {
            const auto next = image.array<std::uint32_t>(section_type("COPY"), n);
            for (std::size_t r = 0; r < n; ++r)
                if (next[r] != 0xFFFFFFFFU) out << "copy after " << r << ": " << next[r] << "\n";
        }
    }
    const auto put_bytes = [&](std::uint32_t section, std::string_view what) {
        if (!image.has(section)) return;
        out << what;
        for (const std::byte byte : image.array<std::byte>(section)) out << " " << std::to_integer<unsigned>(byte);
        out << "\n";
    };
    put_bytes(section_type("METR"), "state of the metric");
    put_bytes(section_type("NOTE"), "note");
    return out.str();
}

bytes_t slurp(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}
std::string string_of(const bytes_t& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

bool by_centroids(const bytes_t& file) {
    return file_image(vicinal::detail::read_span(file)).has(section_type("CDRV"));
}

/// A file that a release wrote, without the end of its name.
void require_as_it_was(const subject& s, const std::filesystem::path& base) {
    INFO(base.string());
    const bytes_t bytes = slurp(base.string() + ".vic");
#if defined(VICINAL_TEST_ALL_TYPES)
    if (bytes.empty()) return;  // the files are of the types that a default build tests
#endif
    REQUIRE(!bytes.empty());
    const index_ptr loaded = s.load(base.string() + ".vic");
    const index_ptr view = s.view(base.string() + ".vic");
    view->verify();
    for (const any_index* index : {loaded.get(), view.get()}) {
        REQUIRE(index->check().ok());
        REQUIRE(difference(index->save(), bytes) == "none");
        REQUIRE(text_of(bytes, *index) == string_of(slurp(base.string() + ".txt")));
        const dataset queries = clustered(3, index->dim(), 2, 3, 9);
        for (std::size_t q = 0; q < queries.rows(); ++q)
            REQUIRE(index->search(queries[q], 1000, exhaustive()).size() == index->size());
    }
    loaded->add(7, clustered(1, loaded->dim(), 2, 3, 9)[0]);
    REQUIRE(loaded->check().ok());
    REQUIRE(loaded->size() == view->size() + 1);
}

}  // namespace

TEST_CASE("golden: files of every type and release are read, searched and written as they were") {
    FOR_EVERY_INDEX(s);
    if (!built_in(s)) return;
    const bytes_t made = golden_bytes(s);
    const std::string codec = file_image(vicinal::detail::read_span(made)).header().codec;
    if (const char* const to = std::getenv("VICINAL_WRITE_GOLDEN")) {
        const std::filesystem::path base =
            std::filesystem::path(to) / (file_name(s, codec) + (by_centroids(made) ? "-by_centroids" : ""));
        std::ofstream(base.string() + ".vic", std::ios::binary) << string_of(made);
        std::ofstream(base.string() + ".txt") << text_of(made, *s.load(std::span<const std::byte>(made)));
        return;
    }
    const std::filesystem::path folder = std::filesystem::path(VICINAL_GOLDEN_FILES) / "v1";
    require_as_it_was(s, folder / file_name(s, codec));
    // Of rabitq there are files from before codes were relative to centroids, too.
    if (by_centroids(made)) require_as_it_was(s, folder / (file_name(s, codec) + "-by_centroids"));
}

TEST_CASE("golden: graphs with copies, likewise") {
    FOR_EVERY_INDEX(s);
    if (s.kind != "hnsw") return;
    const bytes_t made = golden_copies(s);
    const std::string codec = file_image(vicinal::detail::read_span(made)).header().codec;
    const std::string name = file_name(s, codec) + "-copies";
    if (name != "hnsw-l2-f32-copies" && name != "hnsw-cosine-sq8+f32-copies") return;
    if (const char* const to = std::getenv("VICINAL_WRITE_GOLDEN")) {
        std::ofstream((std::filesystem::path(to) / (name + ".vic")).string(), std::ios::binary) << string_of(made);
        std::ofstream((std::filesystem::path(to) / (name + ".txt")).string())
            << text_of(made, *s.load(std::span<const std::byte>(made)));
        return;
    }
    require_as_it_was(s, std::filesystem::path(VICINAL_GOLDEN_FILES) / "v1" / name);
}

TEST_CASE("golden: a file with a note of the application's, likewise") {
    FOR_EVERY_INDEX(s);
    if (s.name() != "flat_index<l2, f32>") return;
    const std::string text = "offset 4711";
    vicinal::save_options how;
    how.note = std::as_bytes(std::span(text));
    const auto base = std::filesystem::path(VICINAL_GOLDEN_FILES) / "v1" / "flat-l2-f32-note";
    if (const char* const to = std::getenv("VICINAL_WRITE_GOLDEN")) {
        const bytes_t made = s.load(std::span<const std::byte>(golden_bytes(s)))->save(how);
        const auto there = std::filesystem::path(to) / "flat-l2-f32-note";
        std::ofstream(there.string() + ".vic", std::ios::binary) << string_of(made);
        std::ofstream(there.string() + ".txt") << text_of(made, *s.load(std::span<const std::byte>(made)));
        return;
    }
    const bytes_t bytes = slurp(base.string() + ".vic");
    const index_ptr loaded = s.load(base.string() + ".vic");
    REQUIRE(std::equal(loaded->note().begin(), loaded->note().end(), how.note.begin(), how.note.end()));
    REQUIRE(text_of(bytes, *loaded) == string_of(slurp(base.string() + ".txt")));
    REQUIRE(difference(loaded->save(how), bytes) == "none");
    REQUIRE(difference(loaded->save(), slurp((base.parent_path() / "flat-l2-f32.vic").string())) == "none");
    REQUIRE(difference(s.view(base.string() + ".vic")->save(), bytes) == "none");
}
