// SPDX-License-Identifier: MIT
// The dataset readers of the benchmark harness: what they read, and that they refuse everything else before allocating.
#include <bit>         // for bit_cast
#include <cstdint>     // for uint32_t and its like
#include <filesystem>  // for path, temp_directory_path
#include <fstream>     // for ofstream
#include <limits>      // for numeric_limits
#include <string>      // for string

#include "../../benchmarks/dataset/dataset.hpp"
#include "../../benchmarks/dataset/generate.hpp"
#include "../../benchmarks/dataset/widen.hpp"
#include "support/catch.hpp"

using bench::input_error;
using bench::matrix;
using bench::read_row_numbers;
using bench::read_vectors;
using vicinal_test::contains;

namespace {

/// A file of given bytes that goes away with the test.
class temporary_file {
  public:
    temporary_file(const std::string& extension, const std::string& bytes) {
        static int count = 0;
        path_ = std::filesystem::temp_directory_path() /
                ("vicinal_readers_test_" + std::to_string(reinterpret_cast<std::uintptr_t>(&count)) + "_" +
                 std::to_string(count++) + extension);
        std::ofstream(path_, std::ios::binary) << bytes;
    }
    temporary_file(const temporary_file&) = delete;
    temporary_file& operator=(const temporary_file&) = delete;
    ~temporary_file() {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  private:
    std::filesystem::path path_;
};

template <class T>
std::string little(T value) {
    std::string bytes;
    auto rest = static_cast<std::uint64_t>(value);
    for (std::size_t i = 0; i < sizeof(T); ++i, rest >>= 8) bytes += static_cast<char>(rest & 0xFF);
    return bytes;
}
std::string little(float value) { return little(std::bit_cast<std::uint32_t>(value)); }

template <class T>
std::string all(std::initializer_list<T> values) {
    std::string bytes;
    for (const T value : values) bytes += little(value);
    return bytes;
}

std::string npy(const std::string& dictionary, const std::string& data, int version = 1) {
    std::string header = dictionary + std::string(64, ' ') + "\n";
    const auto length = static_cast<std::uint32_t>(header.size());
    return "\x93NUMPY" + std::string(1, static_cast<char>(version)) + std::string(1, '\0') +
           (version == 1 ? little(static_cast<std::uint16_t>(length)) : little(length)) + header + data;
}
std::string dictionary(const std::string& descr, const std::string& shape, const std::string& fortran = "False") {
    return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }";
}

matrix<float> vectors(const std::string& extension, const std::string& bytes) {
    const temporary_file file(extension, bytes);
    return read_vectors(file.path());
}
matrix<std::uint32_t> rows(const std::string& extension, const std::string& bytes) {
    const temporary_file file(extension, bytes);
    return read_row_numbers(file.path());
}

const std::string two_by_three = all({1.0F, -2.5F, 3.0F, 4.0F, 5.0F, 6.0F});
const std::vector<float> two_by_three_values{1.0F, -2.5F, 3.0F, 4.0F, 5.0F, 6.0F};

void require_two_by_three(const matrix<float>& m) {
    REQUIRE(m.rows == 2);
    REQUIRE(m.dim == 3);
    REQUIRE(m.values == two_by_three_values);
}

}  // namespace

TEST_CASE("npy: format versions 1, 2 and 3 are read") {
    for (const int version : {1, 2, 3})
        require_two_by_three(vectors(".npy", npy(dictionary("<f4", "(2, 3)"), two_by_three, version)));
}

TEST_CASE("npy: the header's spaces, quotes, key order and final commas do not matter") {
    for (const std::string header :
         {"{'descr':'<f4','fortran_order':False,'shape':(2,3)}",
          "  { \"shape\" : ( 2 , 3 , ) , \"fortran_order\" : False , \"descr\" : \"<f4\" , } "})
        require_two_by_three(vectors(".npy", npy(header, two_by_three)));
}

TEST_CASE("npy: unsigned and signed bytes become floats") {
    REQUIRE(vectors(".npy", npy(dictionary("|u1", "(1, 3)"), std::string("\x00\x7F\xFF", 3))).values ==
            std::vector<float>{0.0F, 127.0F, 255.0F});
    REQUIRE(vectors(".npy", npy(dictionary("|i1", "(1, 3)"), std::string("\x00\x7F\x80", 3))).values ==
            std::vector<float>{0.0F, 127.0F, -128.0F});
}

TEST_CASE("npy: half precision is exact: normal, subnormal, signed zero, infinity, NaN") {
    const auto half = [](std::uint16_t bits) {
        return vectors(".npy", npy(dictionary("<f2", "(1, 1)"), little(bits))).values.at(0);
    };
    CHECK(half(0x3C00) == 1.0F);
    CHECK(half(0xC000) == -2.0F);
    CHECK(half(0x7BFF) == 65504.0F);
    CHECK(half(0x0400) == 0x1p-14F);
    CHECK(half(0x0001) == 0x1p-24F);
    CHECK(half(0x83FF) == -0x1.FF8p-15F);
    CHECK(std::bit_cast<std::uint32_t>(half(0x8000)) == 0x80000000U);
    CHECK(half(0x7C00) == std::numeric_limits<float>::infinity());
    CHECK(half(0xFC00) == -std::numeric_limits<float>::infinity());
    const float nan = half(0x7E00);
    CHECK(nan != nan);
}

TEST_CASE("npy: row numbers are read from 4 and 8 byte integers") {
    const std::vector<std::uint32_t> wanted{7, 0, 41};
    CHECK(rows(".npy", npy(dictionary("<u4", "(3, 1)"), all<std::uint32_t>({7, 0, 41}))).values == wanted);
    CHECK(rows(".npy", npy(dictionary("<i4", "(3, 1)"), all<std::int32_t>({7, 0, 41}))).values == wanted);
    CHECK(rows(".npy", npy(dictionary("<i8", "(3, 1)"), all<std::int64_t>({7, 0, 41}))).values == wanted);
    CHECK(rows(".npy", npy(dictionary("<u8", "(3, 1)"), all<std::uint64_t>({7, 0, 41}))).values == wanted);
}

TEST_CASE("npy: a negative or too large row number is refused") {
    CHECK_THROWS_WITH(rows(".npy", npy(dictionary("<i4", "(1, 1)"), all<std::int32_t>({-1}))), contains("-1"));
    CHECK_THROWS_AS(rows(".npy", npy(dictionary("<i8", "(1, 1)"), all<std::int64_t>({-5}))), input_error);
    CHECK_THROWS_WITH(rows(".npy", npy(dictionary("<u8", "(1, 1)"), all<std::uint64_t>({1ULL << 32}))),
                      contains("4294967296"));
}

TEST_CASE("npy: pickled, Fortran-order, big-endian, structured and foreign types are refused by name") {
    CHECK_THROWS_WITH(vectors(".npy", npy(dictionary("|O", "(2, 3)"), two_by_three)), contains("pickled"));
    CHECK_THROWS_WITH(vectors(".npy", npy(dictionary("<f4", "(2, 3)", "True"), two_by_three)), contains("Fortran"));
    CHECK_THROWS_WITH(vectors(".npy", npy(dictionary(">f4", "(2, 3)"), two_by_three)), contains("'>f4'"));
    CHECK_THROWS_WITH(vectors(".npy", npy(dictionary("<f8", "(2, 3)"), two_by_three)), contains("'<f8'"));
    CHECK_THROWS_WITH(vectors(".npy", npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3), }", "")),
                      contains("structured"));
    CHECK_THROWS_AS(vectors(".npy", npy(dictionary("<u4", "(2, 3)"), two_by_three)), input_error);
    CHECK_THROWS_AS(rows(".npy", npy(dictionary("<f4", "(2, 3)"), two_by_three)), input_error);
}

TEST_CASE("npy: only two dimensions are accepted") {
    for (const std::string shape : {"()", "(6,)", "(1, 2, 3)"})
        CHECK_THROWS_WITH(vectors(".npy", npy(dictionary("<f4", shape), two_by_three)), contains("dimensions"));
}

TEST_CASE("npy: data shorter or longer than the shape is refused with both sizes") {
    CHECK_THROWS_WITH(vectors(".npy", npy(dictionary("<f4", "(2, 3)"), two_by_three.substr(0, 23))),
                      contains("23 bytes"));
    CHECK_THROWS_WITH(vectors(".npy", npy(dictionary("<f4", "(2, 3)"), two_by_three + "x")), contains("25 bytes"));
}

TEST_CASE("npy: a shape beyond the file is refused before anything is allocated") {
    for (const std::string shape :
         {"(4611686018427387906, 3)", "(18446744073709551615, 18446744073709551615)", "(1, 4611686018427387904)",
          "(1000000000000, 3)", "(0, 3)", "(2, 0)", "(18446744073709551616, 3)", "(-2, 3)"})
        CHECK_THROWS_AS(vectors(".npy", npy(dictionary("<f4", shape), two_by_three)), input_error);
}

TEST_CASE("npy: every malformed header is refused") {
    for (const std::string header :
         {"", "{", "{}", "[]", "{'descr': '<f4'}", "{'descr': '<f4', 'fortran_order': False}",
          "{'descr': '<f4, 'fortran_order': False, 'shape': (2, 3)}", "{'descr' '<f4'}",
          "{'descr': '<f4', 'fortran_order': Falsch, 'shape': (2, 3)}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': (2 3)}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3}",
          "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'more': 1}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} x"})
        CHECK_THROWS_AS(vectors(".npy", npy(header, two_by_three)), input_error);
}

TEST_CASE("npy: a wrong magic, an unknown version and a header beyond the file are refused") {
    std::string bytes = npy(dictionary("<f4", "(2, 3)"), two_by_three);
    std::string changed = bytes;
    changed[1] = 'M';
    CHECK_THROWS_WITH(vectors(".npy", changed), contains("no npy file"));
    changed = bytes;
    changed[6] = 4;
    CHECK_THROWS_WITH(vectors(".npy", changed), contains("version is 4"));
    changed = bytes;
    changed[9] = '\x7F';
    CHECK_THROWS_WITH(vectors(".npy", changed), contains("header announces"));
    CHECK_THROWS_AS(vectors(".npy", "\x93NUMPY\x02" + std::string(1, '\0') + "\xFF\xFF\xFF\xFF"), input_error);
}

TEST_CASE("npy: a file cut anywhere is refused") {
    const std::string bytes = npy(dictionary("<f4", "(2, 3)"), two_by_three);
    for (std::size_t length = 0; length < bytes.size(); ++length)
        REQUIRE_THROWS_AS(vectors(".npy", bytes.substr(0, length)), input_error);
}

TEST_CASE("vecs: fvecs, bvecs and ivecs are read") {
    require_two_by_three(vectors(".fvecs", little(3) + all({1.0F, -2.5F, 3.0F}) + little(3) + all({4.0F, 5.0F, 6.0F})));
    CHECK(vectors(".bvecs", little(2) + std::string("\x01\xFF") + little(2) + "\x02\x03").values ==
          std::vector<float>{1, 255, 2, 3});
    CHECK(rows(".ivecs", little(2) + all({9, 8}) + little(2) + all({7, 6})).values ==
          std::vector<std::uint32_t>{9, 8, 7, 6});
}

TEST_CASE("vecs: rows of different length, none at all, and cut files are refused") {
    CHECK_THROWS_AS(vectors(".fvecs", ""), input_error);
    CHECK_THROWS_AS(vectors(".fvecs", little(0)), input_error);
    CHECK_THROWS_AS(vectors(".fvecs", little(-1) + little(1.0F)), input_error);
    CHECK_THROWS_WITH(vectors(".bvecs", little(4) + "\x01\x02\x03\x04" + little(3) + "\x01\x02\x03\x04"),
                      contains("row 1 has 3 values"));
    CHECK_THROWS_AS(rows(".ivecs", little(1) + little(-3)), input_error);
    const std::string bytes = little(3) + all({1.0F, 2.0F, 3.0F}) + little(3) + all({4.0F, 5.0F, 6.0F});
    for (std::size_t length = 0; length < bytes.size(); ++length)
        if (length != bytes.size() / 2) REQUIRE_THROWS_AS(vectors(".fvecs", bytes.substr(0, length)), input_error);
}

TEST_CASE("bin: fbin, u8bin and ibin are read") {
    require_two_by_three(vectors(".fbin", little(2) + little(3) + two_by_three));
    CHECK(vectors(".u8bin", little(2) + little(1) + "\x01\xFF").values == std::vector<float>{1, 255});
    CHECK(rows(".ibin", little(1) + little(2) + all({5, 4})).values == std::vector<std::uint32_t>{5, 4});
}

TEST_CASE("bin: a header that does not fit the file is refused") {
    CHECK_THROWS_AS(vectors(".fbin", little(-1) + little(-1)), input_error);
    CHECK_THROWS_AS(vectors(".fbin", little(0) + little(3)), input_error);
    CHECK_THROWS_AS(vectors(".fbin", little(2) + little(3) + two_by_three + "x"), input_error);
    const std::string bytes = little(2) + little(3) + two_by_three;
    for (std::size_t length = 0; length < bytes.size(); ++length)
        REQUIRE_THROWS_AS(vectors(".fbin", bytes.substr(0, length)), input_error);
}

TEST_CASE("readers: a missing file, a folder and an unknown extension are refused by name") {
    CHECK_THROWS_WITH(read_vectors("no_such_file.npy"), contains("no_such_file.npy: no such file"));
    CHECK_THROWS_AS(read_vectors(std::filesystem::temp_directory_path()), input_error);
    CHECK_THROWS_WITH(vectors(".txt", "1 2 3"), contains(".fvecs"));
    CHECK_THROWS_AS(vectors(".ivecs", little(1) + little(1)), input_error);
    CHECK_THROWS_AS(rows(".fvecs", little(1) + little(1.0F)), input_error);
}

TEST_CASE("readers: files longer than one chunk are read whole") {
    std::string data;
    for (int i = 0; i < 40000; ++i) data += little(static_cast<float>(i));
    const matrix<float> m = vectors(".fbin", little(8000) + little(5) + data);
    REQUIRE(m[7999][4] == 39999.0F);
    REQUIRE(m[3276][4] == 16384.0F);
}

TEST_CASE("dataset: base, queries and truth must fit each other") {
    bench::dataset good = bench::generate({.rows = 20, .dim = 3, .clusters = 2, .queries = 2});
    good.truth = {2, 4, {0, 1, 2, 3, 4, 5, 6, 19}};
    CHECK_NOTHROW(bench::require_consistent(good, 4));
    CHECK_THROWS_WITH(bench::require_consistent(good, 5), contains("k is 5"));
    CHECK_THROWS_WITH(bench::require_consistent(good, 0), contains("k is 0"));
    CHECK_THROWS_WITH(bench::require_consistent(good, 21), contains("k is 21"));
    bench::dataset bad = good;
    bad.truth.values.back() = 20;
    CHECK_THROWS_WITH(bench::require_consistent(bad, 4), contains("row 20"));
    bad = good;
    bad.truth.rows = 1;
    CHECK_THROWS_WITH(bench::require_consistent(bad, 4), contains("rows (1 against 2)"));
    bad = good;
    bad.queries.dim = 4;
    CHECK_THROWS_WITH(bench::require_consistent(bad, 4), contains("dimension (4 against 3)"));
}

TEST_CASE("generate: the same seed gives the same vectors, on every machine") {
    const bench::dataset data = bench::generate({.rows = 50, .dim = 7, .clusters = 3, .queries = 5});
    REQUIRE(data.base.rows == 50);
    REQUIRE(data.queries.values.size() == 35);
    std::uint32_t mixed = 0;
    for (const float x : data.base.values) mixed = mixed * 31 + std::bit_cast<std::uint32_t>(x);
    for (const float x : data.queries.values) mixed = mixed * 31 + std::bit_cast<std::uint32_t>(x);
    REQUIRE(mixed == 695667206U);
    CHECK(bench::generate({.rows = 50, .dim = 7, .clusters = 3, .queries = 5, .seed = 8}).base.values !=
          data.base.values);
}

TEST_CASE("widen: distances stay nearly what they were, every component has a share, and the bits are the seed's") {
    bench::dataset data = bench::generate({.rows = 40, .dim = 7, .clusters = 3, .queries = 5});
    const bench::dataset narrow = data;
    data.truth = {5, 1, {0, 1, 2, 3, 4}};
    bench::shorten(data, 30);
    bench::widen(data, 300, 7);
    REQUIRE(data.base.rows == 30);
    REQUIRE(data.base.dim == 300);
    REQUIRE(data.queries.values.size() == 1500);
    REQUIRE(data.truth.rows == 0);
    const auto squares = [](std::span<const float> a, std::span<const float> b) {
        double sum = 0;
        for (std::size_t i = 0; i < a.size(); ++i) sum += double{a[i] - b[i]} * double{a[i] - b[i]};
        return sum;
    };
    double ratio = 0;
    for (std::size_t row = 0; row < 30; ++row)
        ratio += squares(data.base[row], data.queries[row % 5]) / squares(narrow.base[row], narrow.queries[row % 5]);
    CHECK(ratio / 30 == Approx(1).margin(0.1));
    for (std::size_t i = 0; i < 300; ++i) CHECK(data.base[0][i] != data.base[1][i]);
    std::uint32_t mixed = 0;
    for (const float x : data.base.values) mixed = mixed * 31 + std::bit_cast<std::uint32_t>(x);
    CHECK(mixed == 219465019U);
}
