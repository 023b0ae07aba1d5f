// SPDX-License-Identifier: MIT
#include <random>

#include "io/support.hpp"
#include "support/catch.hpp"

using namespace io_test;

namespace {

/// Gives a few bytes at a time and cannot seek.
class trickle : public std::streambuf {
  public:
    trickle(std::span<const std::byte> bytes, std::size_t step) : bytes_(bytes), step_(step) {}

  protected:
    int_type underflow() override {
        if (at_ == bytes_.size()) return traits_type::eof();
        const std::size_t n = std::min(step_, bytes_.size() - at_);
        for (std::size_t i = 0; i < n; ++i) held_[i] = static_cast<char>(bytes_[at_ + i]);
        at_ += n;
        setg(held_, held_, held_ + n);
        return traits_type::to_int_type(held_[0]);
    }

  private:
    std::span<const std::byte> bytes_;
    std::size_t step_;
    std::size_t at_ = 0;
    char held_[64]{};
};

/// A sample of `count` floats besides the usual sections, to cross the sizes of buffers.
section_writer big_sample(std::uint64_t count) {
    section_writer writer(sample_header());
    writer.add_streamed<float>(codes, count, [count](const element_writer<float>& sink) {
        std::mt19937 random(3);
        std::vector<float> piece;
        for (std::uint64_t done = 0; done < count; done += piece.size()) {
            piece.resize(std::min<std::uint64_t>(count - done, 1 + random() % 100000));
            for (std::size_t i = 0; i < piece.size(); ++i) piece[i] = static_cast<float>(done + i);
            sink(piece);
        }
    });
    writer.add_bytes(params, bytes_t(17));
    return writer;
}

}  // namespace

TEST_CASE("io: stream, bytes and file receive the same bytes, of the announced length") {
    const contents from;
    const directory here;
    std::vector<section_writer> writers;
    writers.push_back(section_writer(sample_header()));
    writers.push_back(sample(from));
    for (const std::uint64_t count : {1U, 65535U, 65536U, 65537U, 700001U}) writers.push_back(big_sample(count));
    for (const auto& writer : writers) {
        const auto bytes = writer.to_bytes();
        REQUIRE(bytes.size() == writer.length());
        std::ostringstream stream;
        writer.write(stream);
        REQUIRE(stream.str() == text_of(bytes));
        for (const bool sync : {true, false}) {
            writer.save(here / "a.vic", {.sync = sync});
            REQUIRE(slurp(here / "a.vic") == bytes);
        }
        REQUIRE(refused([&] { file_image(read_span(bytes)); }) == std::nullopt);
    }
    CHECK(here.entries() == 1);
}

TEST_CASE("io: what was written is read back from file, stream, bytes and map") {
    const contents from;
    const directory here;
    const auto bytes = sample(from).to_bytes();
    spill(here / "a.vic", bytes);
    CHECK(is_sample(file_image(read_path(here / "a.vic")), from));
    CHECK(is_sample(file_image(map_path(here / "a.vic"), checksums::later), from));
    CHECK(is_sample(file_image(read_span(bytes)), from));
    bytes_t shifted(bytes.size() + 1);
    std::copy(bytes.begin(), bytes.end(), shifted.begin() + 1);
    CHECK(is_sample(file_image(read_span(std::span(shifted).subspan(1))), from));
    for (const std::size_t step : {1U, 7U, 64U}) {
        trickle buffer(bytes, step);
        std::istream stream(&buffer);
        CHECK(is_sample(file_image(read_stream(stream)), from));
    }
}

TEST_CASE("io: a stream longer than one piece arrives whole, also from a stream that throws at its end") {
    const auto bytes = big_sample(1500000).to_bytes();  // 6 MB: several pieces
    trickle buffer(bytes, 61);
    std::istream stream(&buffer);
    stream.exceptions(std::ios::failbit | std::ios::badbit | std::ios::eofbit);
    const file_image image(read_stream(stream));
    REQUIRE(std::equal(image.bytes().begin(), image.bytes().end(), bytes.begin(), bytes.end()) ==
            host_is_little_endian);
    const auto values = image.array<float>(codes, 1500000);
    CHECK(values[0] == 0.0F);
    CHECK(values[1499999] == 1499999.0F);
}

TEST_CASE("io: sections begin at multiples of 64 in memory and 64 bytes may be read past each") {
    const contents from;
    const directory here;
    const auto bytes = sample(from).to_bytes();
    spill(here / "a.vic", bytes);
    aligned_bytes shifted(bytes.size() + 1);
    std::copy(bytes.begin(), bytes.end(), shifted.bytes().begin() + 1);
    for (int way = 0; way < 3; ++way) {
        const file_image image(way == 0   ? read_path(here / "a.vic")
                               : way == 1 ? map_path(here / "a.vic")
                                          : read_span(shifted.bytes().subspan(1)));
        for (const auto& entry : image.sections()) {
            const auto* at = image.bytes().data() + entry.offset;
            CHECK(reinterpret_cast<std::uintptr_t>(at) % 64 == 0);
            CHECK(entry.offset + entry.length + 64 <= image.bytes().size());
        }
    }
}

TEST_CASE("io: an image keeps its sections where they are when it moves") {
    const contents from;
    const auto bytes = sample(from).to_bytes();
    std::istringstream stream(text_of(bytes));
    file_image image(read_stream(stream));
    const auto values = image.array<float>(codes);
    const file_image moved(std::move(image));
    CHECK(moved.array<float>(codes).data() == values.data());
    CHECK(is_sample(moved, from));
}

TEST_CASE("io: a stream is left good, at the byte after the index, whether or not it can seek or throws") {
    const contents from;
    contents other;
    other.values[0] = 99.0F;
    std::ostringstream made;
    made << "before";
    sample(from).write(made);
    sample(other).write(made);
    made << "rest";
    const std::string text = made.str();
    const auto read_all = [&](std::istream& stream) {
        std::string word(6, ' ');
        stream.read(word.data(), 6);
        CHECK(word == "before");
        CHECK(is_sample(file_image(read_stream(stream)), from));
        CHECK(stream.good());
        CHECK(is_sample(file_image(read_stream(stream)), other));
        CHECK(stream.good());
        word.resize(4);
        stream.read(word.data(), 4);
        CHECK(word == "rest");
        CHECK(stream.good());
    };
    for (const auto states : {std::ios::goodbit, std::ios::failbit | std::ios::badbit | std::ios::eofbit}) {
        std::istringstream whole(text);
        whole.exceptions(states);
        read_all(whole);
        for (const std::size_t step : {1U, 7U, 64U}) {
            trickle buffer(std::as_bytes(std::span(text)), step);
            std::istream stream(&buffer);
            stream.exceptions(states);
            read_all(stream);
        }
    }
}

TEST_CASE("io: no byte behind an index is asked for, and of a forged one none behind its table") {
    const contents from;
    auto bytes = sample(from).to_bytes();
    const std::string follows = "what follows";
    const auto left_after = [&](auto&& read) {
        std::stringstream stream(text_of(bytes) + follows);
        read(stream);
        return static_cast<std::size_t>(stream.rdbuf()->in_avail());
    };
    CHECK(left_after([](std::istream& in) { (void)read_stream(in); }) == follows.size());
    std::istringstream last(text_of(bytes));  // nor is the end
    (void)read_stream(last);
    CHECK(last.good());
    CHECK(last.peek() == std::char_traits<char>::eof());

    store_le(&bytes[16], std::uint64_t{1} << 50);  // longer than its table makes it
    sign(bytes);
    std::optional<errc> code;
    const std::size_t left = left_after([&](std::istream& in) { code = refused([&] { (void)read_stream(in); }); });
    CHECK(code == errc::corrupt_file);
    CHECK(left == bytes.size() + follows.size() - 128 - 6 * 32);
}

#if !defined(_WIN32)  // whose pipes have no path
TEST_CASE("io: a pipe under a path holds one index and nothing else") {
    const contents from;
    const directory here;
    spill(here / "a.vic", sample(from).to_bytes());
    REQUIRE(std::system(("mkfifo " + (here / "pipe").string()).c_str()) == 0);
    const std::string name = (here / "a.vic").string();
    REQUIRE(std::system(("cat " + name + " > " + (here / "pipe").string() + " &").c_str()) == 0);
    CHECK(is_sample(file_image(read_path(here / "pipe")), from));
    REQUIRE(std::system(("cat " + name + " " + name + " > " + (here / "pipe").string() + " &").c_str()) == 0);
    CHECK(refused([&] { (void)read_path(here / "pipe"); }) == errc::corrupt_file);
}
#endif

TEST_CASE("io: the bytes of a file are little-endian and stand where docs/format.md says") {
    section_writer writer(sample_header());
    const std::vector<std::uint32_t> values = {0x01020304U};
    writer.add<std::uint32_t>(links, values);
    const auto bytes = writer.to_bytes();
    const auto at = [&](std::size_t i) { return static_cast<unsigned>(bytes[i]); };
    REQUIRE(bytes.size() == 320);
    CHECK(text_of(std::span(bytes).first(8)) == "\x89VIC\r\n\x1A\n");
    CHECK((at(8) == 1 && at(9) == 0 && at(10) == 0 && at(12) == 3));
    CHECK((at(16) == 0x40 && at(17) == 1));  // length 320
    CHECK((at(24) == 5 && at(32) == 3 && at(40) == 64 && at(41) == 0 && at(44) == 1));
    CHECK(text_of(std::span(bytes).subspan(56, 7)) == std::string("cosine\0", 7));
    CHECK(text_of(std::span(bytes).subspan(88, 8)) == std::string("sq8+f32\0", 8));
    CHECK(text_of(std::span(bytes).subspan(128, 4)) == "LINK");
    CHECK((at(132) == 4 && at(136) == 192 && at(144) == 4));
    CHECK((at(192) == 4 && at(193) == 3 && at(194) == 2 && at(195) == 1));
    CHECK(load_le<std::uint32_t>(&bytes[152]) == crc32c(0, std::span(bytes).subspan(192, 4)));
    CHECK(load_le<std::uint32_t>(&bytes[120]) == crc32c(0, std::span(bytes).subspan(128, 32)));
    CHECK(load_le<std::uint32_t>(&bytes[124]) == crc32c(0, std::span(bytes).first(124)));
}

TEST_CASE("io: elements are swapped by their width") {
    bytes_t bytes;
    for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<std::byte>(i));
    auto copy = bytes;
    swap_elements(copy, 1);
    CHECK(copy == bytes);
    swap_elements(copy, 2);
    CHECK((copy[0] == bytes[1] && copy[7] == bytes[6]));
    swap_elements(copy, 2);
    swap_elements(copy, 4);
    CHECK((copy[0] == bytes[3] && copy[4] == bytes[7]));
    swap_elements(copy, 4);
    swap_elements(copy, 8);
    CHECK((copy[0] == bytes[7] && copy[7] == bytes[0]));
}

TEST_CASE("io: inspect describes a file without reading its sections") {
    const contents from;
    const directory here;
    auto bytes = sample(from).to_bytes();
    spill(here / "a.vic", bytes);
    const file_info info = inspect(here / "a.vic");
    CHECK(info.kind == index_kind::hnsw);
    CHECK((info.metric == "cosine" && info.codec == "sq8+f32"));
    CHECK((info.dim == 5 && info.rows == 3 && info.id_bits == 64 && !info.id_signed));
    CHECK((info.format_major == 1 && info.format_minor == 0 && info.length == bytes.size()));
    REQUIRE(info.sections.size() == 6);
    CHECK((info.sections[1].name == "LINK" && info.sections[1].length == 16 && info.sections[1].element == 4));
    CHECK(to_string(info).find(
              "hnsw index, metric cosine, codec sq8+f32, 3 rows of dimension 5, 64-bit unsigned ids\n") == 0);
    bytes[static_cast<std::size_t>(info.sections[0].offset)] ^= std::byte{1};
    spill(here / "a.vic", bytes);
    CHECK(refused([&] { (void)inspect(here / "a.vic"); }) == std::nullopt);
}
