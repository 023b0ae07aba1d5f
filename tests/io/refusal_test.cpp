// SPDX-License-Identifier: MIT
#include "io/support.hpp"
#include "support/catch.hpp"

using namespace io_test;

namespace {

/// Opens `file` in every way there is and says how many ways refuse it, all of them with `code`.
class every_way {
  public:
    static constexpr int count = 4;
    int refuse(const bytes_t& file, errc code, const load_limits& limits = {}) {
        spill(here_ / "a.vic", file);
        const std::array<std::optional<errc>, count> got = {
            refused([&] { file_image(read_path(here_ / "a.vic", limits), checksums::now, limits); }),
            refused([&] { file_image(map_path(here_ / "a.vic"), checksums::later, limits).verify(); }),
            refused([&] { file_image(read_span(file, limits), checksums::now, limits); }), refused([&] {
                std::istringstream stream(text_of(file));
                file_image(read_stream(stream, limits), checksums::now, limits);
            })};
        return static_cast<int>(std::count(got.begin(), got.end(), std::optional(code)));
    }

  private:
    directory here_;
};

/// The sample after `change(bytes)`, with the checksums of header and table made good again.
template <class Change>
bytes_t forged(Change&& change) {
    const contents from;
    auto bytes = sample(from).to_bytes();
    change(bytes);
    sign(bytes);
    return bytes;
}

}  // namespace

TEST_CASE("io: every flipped bit and byte is refused") {
    const contents from;
    auto bytes = sample(from).to_bytes();
    every_way ways;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        for (const unsigned mask : {1U, 2U, 4U, 8U, 16U, 32U, 64U, 128U, 255U}) {
            bytes[i] ^= static_cast<std::byte>(mask);
            INFO("byte " << i << " xor " << mask);
            REQUIRE(ways.refuse(bytes, errc::corrupt_file) == every_way::count);
            bytes[i] ^= static_cast<std::byte>(mask);
        }
    REQUIRE(ways.refuse(bytes, errc::corrupt_file) == 0);
}

TEST_CASE("io: every truncation and every extension by 1 to 64 bytes is refused, but what follows in a stream") {
    const contents from;
    const auto bytes = sample(from).to_bytes();
    every_way ways;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        INFO("cut to " << size);
        REQUIRE(ways.refuse({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)}, errc::corrupt_file) ==
                every_way::count);
    }
    for (const std::byte fill : {std::byte{0}, std::byte{0xA5}})
        for (std::size_t more = 1; more <= 64; ++more) {
            auto longer = bytes;
            longer.resize(bytes.size() + more, fill);
            INFO("extended by " << more);
            REQUIRE(ways.refuse(longer, errc::corrupt_file) == every_way::count - 1);
        }
}

TEST_CASE("io: a forged header or table is refused even with good checksums") {
    every_way ways;
    const auto refuse = [&](const char* what, auto change) {
        INFO(what);
        CHECK(ways.refuse(forged(change), errc::corrupt_file) == every_way::count);
    };
    // Refused when it is opened, before any section is looked at.
    const auto refuse_at_once = [&](const char* what, auto change) {
        refuse(what, change);
        const auto bytes = forged(change);
        CHECK(refused([&] { file_image(file_bytes(bytes, "f"), checksums::later); }) == errc::corrupt_file);
    };
    const auto put32 = [](std::size_t at, std::uint32_t value) { return [=](bytes_t& b) { store_le(&b[at], value); }; };
    const auto put64 = [](std::size_t at, std::uint64_t value) { return [=](bytes_t& b) { store_le(&b[at], value); }; };
    constexpr std::uint64_t huge = ~std::uint64_t{0};

    refuse_at_once("another magic", [](bytes_t& b) { b[1] = std::byte{'P'}; });
    refuse_at_once("dim 0", put64(24, 0));
    refuse_at_once("length 0", put64(16, 0));
    refuse_at_once("length huge", put64(16, huge));
    refuse_at_once("length one more", [](bytes_t& b) { store_le(&b[16], std::uint64_t{b.size() + 1}); });
    refuse_at_once("id width", [](bytes_t& b) { b[40] = std::byte{24}; });
    refuse_at_once("id sign", [](bytes_t& b) { b[41] = std::byte{2}; });
    refuse_at_once("reserved 42", [](bytes_t& b) { b[42] = std::byte{1}; });
    refuse_at_once("reserved 43", [](bytes_t& b) { b[43] = std::byte{1}; });
    refuse_at_once("more sections", put32(44, 7));
    refuse_at_once("fewer sections", put32(44, 5));
    refuse_at_once("no sections", put32(44, 0));
    refuse_at_once("too many sections", put32(44, 257));
    refuse_at_once("sections beyond all memory", put32(44, 0xFFFFFFFFU));
    refuse_at_once("metric empty", [](bytes_t& b) { b[56] = std::byte{0}; });
    refuse_at_once("metric with a control character", [](bytes_t& b) { b[57] = std::byte{'\n'}; });
    refuse_at_once("metric not padded", [](bytes_t& b) { b[87] = std::byte{'x'}; });
    refuse_at_once("codec not ended", [](bytes_t& b) { std::fill_n(&b[88], 32, std::byte{'x'}); });
    refuse_at_once("type not printable", put32(128, 0x00434F44));
    refuse_at_once("type twice", [](bytes_t& b) { std::copy_n(&b[128], 4, &b[160]); });
    refuse_at_once("element of 5", put32(132, 5));
    refuse_at_once("element of 0", put32(132, 0));
    refuse_at_once("length no multiple of the element", put32(132, 8));
    refuse_at_once("offset into the header", put64(136, 64));
    refuse_at_once("offset beyond the end", put64(136, huge));
    refuse_at_once("offset 64 later", [](bytes_t& b) { store_le(&b[136], load_le<std::uint64_t>(&b[136]) + 64); });
    refuse_at_once("offset not aligned", [](bytes_t& b) { store_le(&b[136], load_le<std::uint64_t>(&b[136]) + 4); });
    refuse_at_once("section longer than the file", put64(144, 1 << 20));
    refuse_at_once("section lengths that wrap", put64(144, huge - 3));
    refuse_at_once("reserved in the table", put32(156, 1));
    refuse("padding not zero",
           [](bytes_t& b) { b[static_cast<std::size_t>(load_le<std::uint64_t>(&b[136])) + 20] = std::byte{1}; });
    refuse("tail not zero", [](bytes_t& b) { b.back() = std::byte{1}; });
    refuse("section checksum", put32(152, 0));
}

TEST_CASE("io: a file cut short is refused even if header and checksums agree with its length") {
    const contents from;
    every_way ways;
    const auto whole = sample(from).to_bytes();
    for (std::size_t size = header_size; size < whole.size(); ++size) {
        bytes_t bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        store_le(&bytes[16], std::uint64_t{size});
        sign(bytes);
        INFO(size);
        REQUIRE(ways.refuse(bytes, errc::corrupt_file) == every_way::count);
    }
}

TEST_CASE("io: a file of 256 sections is read, one of more is refused") {
    every_way ways;
    for (const std::uint32_t count : {256U, 257U}) {
        std::vector<section_entry> entries(count);
        for (std::uint32_t i = 0; i < count; ++i) entries[i].type = codes + ((i % 32) << 8) - ((i / 32) << 16);
        file_header header = sample_header();
        header.length = lay_out(entries).value();
        header.section_count = count;
        const auto table = encode_table(entries);
        header.table_crc = crc32c(0, table);
        const auto head = encode_header(header);
        bytes_t bytes(static_cast<std::size_t>(header.length));
        std::copy(head.begin(), head.end(), bytes.begin());
        std::copy(table.begin(), table.end(), bytes.begin() + header_size);
        CHECK(ways.refuse(bytes, errc::corrupt_file) == (count > 256 ? every_way::count : 0));
    }
}

TEST_CASE("io: a file from a later format is refused with both versions") {
    every_way ways;
    const auto later = forged([](bytes_t& b) { store_le(&b[8], std::uint16_t{2}); });
    CHECK(ways.refuse(later, errc::unsupported_version) == every_way::count);
    std::string message;
    (void)refused([&] { (void)read_span(later); }, &message);
    CHECK(message == "vicinal: the bytes: written in format 2.0, this library reads format 1.0");
    CHECK(ways.refuse(forged([](bytes_t& b) { store_le(&b[8], std::uint16_t{0}); }), errc::unsupported_version) == 4);
    CHECK(ways.refuse(forged([](bytes_t& b) { store_le(&b[52], 8U); }), errc::unsupported_version) == 4);
    (void)refused([&] { (void)read_span(forged([](bytes_t& b) { store_le(&b[52], 8U); })); }, &message);
    CHECK(message.find("does not know the features 0x00000008") != std::string::npos);
}

TEST_CASE("io: a later minor version and unknown compatible features are read") {
    const contents from;
    const auto later = forged([](bytes_t& b) {
        store_le(&b[10], std::uint16_t{7});
        store_le(&b[48], 0xFFFFFFFFU);
    });
    CHECK(is_sample(file_image(read_span(later)), from));
}

TEST_CASE("io: another index type, metric, codec, id type or dimension is refused, naming both") {
    const auto found = sample_header();
    CHECK(refused([&] { require_type(found, found, "f"); }) == std::nullopt);
    CHECK(refused([&] { require_type(found, header_of<std::uint64_t>(index_kind::hnsw, "cosine", "sq8+f32"), "f"); }) ==
          std::nullopt);
    const auto refuse = [&](const file_header& asked) {
        return refused([&] { require_type(found, asked, "f"); }) == errc::wrong_type;
    };
    CHECK(refuse(header_of<std::uint64_t>(index_kind::flat, "cosine", "sq8+f32")));
    CHECK(refuse(header_of<std::uint64_t>(index_kind::hnsw, "l2", "sq8+f32")));
    CHECK(refuse(header_of<std::uint64_t>(index_kind::hnsw, "cosine", "sq8")));
    CHECK(refuse(header_of<std::int64_t>(index_kind::hnsw, "cosine", "sq8+f32")));
    CHECK(refuse(header_of<std::uint32_t>(index_kind::hnsw, "cosine", "sq8+f32")));
    CHECK(refuse(header_of<std::uint64_t>(index_kind::hnsw, "cosine", "sq8+f32", 6)));
    std::string message;
    (void)refused([&] { require_type(found, header_of<int>(index_kind::ivf, "l2", "f32"), "a.vic"); }, &message);
    CHECK(message ==
          "vicinal: a.vic: the file holds an hnsw index of metric cosine, codec sq8+f32, 64-bit unsigned ids, "
          "dimension 5; "
          "asked: an ivf index of metric l2, codec f32, 32-bit signed ids, dimension 5");
}

TEST_CASE("io: load_limits refuse larger files and accept equal ones") {
    const contents from;
    const auto bytes = sample(from).to_bytes();
    every_way ways;
    CHECK(ways.refuse(bytes, errc::limit_exceeded, {.max_bytes = bytes.size() - 1}) == every_way::count);
    CHECK(ways.refuse(bytes, errc::limit_exceeded, {.max_rows = 2}) == every_way::count);
    CHECK(ways.refuse(bytes, errc::limit_exceeded, {.max_dim = 4}) == every_way::count);
    CHECK(ways.refuse(bytes, errc::limit_exceeded, {.max_bytes = bytes.size(), .max_rows = 3, .max_dim = 5}) == 0);
    // A stream is read no further than its header.
    std::istringstream head(std::string(reinterpret_cast<const char*>(bytes.data()), 128));
    CHECK(refused([&] { (void)read_stream(head, {.max_rows = 2}); }) == errc::limit_exceeded);
}

TEST_CASE("io: a section of another type, width or length is refused with what was expected and found") {
    const contents from;
    const auto bytes = sample(from).to_bytes();
    const file_image image(read_span(bytes));
    const auto refuse = [](auto call) { return refused(call) == errc::corrupt_file; };
    CHECK(refuse([&] { (void)image.array<float>(section_type("GONE")); }));
    CHECK(refuse([&] { (void)image.section(codes); }));
    CHECK(refuse([&] { (void)image.array<std::uint64_t>(codes); }));
    CHECK(refuse([&] { (void)image.array<float>(codes, 4); }));
    CHECK(refuse([&] { (void)image.array<float>(codes, ~std::uint64_t{0} / 4 + 6); }));
    CHECK(refuse([&] { (void)image.section(params, 10); }));
    CHECK_FALSE(image.has(section_type("GONE")));
    std::string message;
    (void)refused([&] { (void)image.array<float>(codes, 6); }, &message);
    CHECK(message == "vicinal: the bytes: section 'CODE' at offset 320 has 5 elements of 4 bytes, expected 6");

    auto fields = image.fields(params);
    (void)fields.take_bytes(7);
    CHECK(refuse([&] { (void)fields.take<std::uint32_t>(); }));
    CHECK(refuse([&] { (void)fields.take_bytes(~std::uint64_t{0}); }));
    CHECK(refuse([&] { fields.finish(); }));
}

TEST_CASE("io: a view opens without looking at the sections, verify does") {
    const contents from;
    const directory here;
    auto bytes = sample(from).to_bytes();
    const auto at = static_cast<std::size_t>(file_image(read_span(bytes)).sections()[0].offset);
    bytes[at] ^= std::byte{1};
    spill(here / "a.vic", bytes);
    if constexpr (host_is_little_endian) {
        const file_image image(map_path(here / "a.vic"), checksums::later);
        CHECK(refused([&] { image.verify(); }) == errc::corrupt_file);
    } else {  // elements must be swapped, so all is checked at once
        CHECK(refused([&] { file_image(map_path(here / "a.vic"), checksums::later); }) == errc::corrupt_file);
    }
}

TEST_CASE("io: what cannot be opened is an io error, what is empty is no vicinal file") {
    const directory here;
    spill(here / "empty", {});
    CHECK(refused([&] { (void)read_path(here / "gone"); }) == errc::io);
    CHECK(refused([&] { (void)map_path(here / "gone"); }) == errc::io);
    CHECK(refused([&] { (void)inspect(here / "gone"); }) == errc::io);
    CHECK(refused([&] { (void)read_path(here.path()); }) == errc::io);
    CHECK(refused([&] { (void)map_path(here.path()); }) == errc::io);
    CHECK(refused([&] { (void)map_path("/dev/null"); }) == errc::io);
    CHECK(refused([&] { (void)inspect("/dev/null"); }) == errc::io);
    CHECK(refused([&] { (void)read_path("/dev/null"); }) == errc::corrupt_file);
    CHECK(refused([&] { (void)read_path(here / "empty"); }) == errc::corrupt_file);
    CHECK(refused([&] { (void)map_path(here / "empty"); }) == errc::corrupt_file);
    std::ifstream closed(here / "gone");
    CHECK(refused([&] { (void)read_stream(closed); }) == errc::io);
}

TEST_CASE("io: a writer refuses names and sections that a reader would") {
    const auto refuse = [](auto call) { return refused(call) == errc::invalid_argument; };
    auto header = sample_header();
    header.metric = std::string(32, 'x');
    CHECK(refuse([&] { section_writer{header}; }));
    header.metric = "";
    CHECK(refuse([&] { section_writer{header}; }));
    header.metric = "l 2";
    CHECK(refuse([&] { section_writer{header}; }));
    section_writer writer(sample_header());
    writer.add_bytes(params, bytes_t(1));
    CHECK(refuse([&] { writer.add_bytes(params, bytes_t(1)); }));
    CHECK(refuse([&] { writer.add_bytes(7, bytes_t(1)); }));
    const auto nothing = [](const auto&) {};
    CHECK(refuse([&] { writer.add_streamed<float>(codes, ~std::uint64_t{0} / 2, nothing); }));
}
