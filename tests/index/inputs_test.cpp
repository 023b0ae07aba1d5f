// SPDX-License-Identifier: MIT
// Vectors of every type of number, wherever their components lie: whatever a call does with them is what it does with
// the same numbers as floats, bit for bit.
#include <Eigen/Core>
#include <cstdint>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/outcomes.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/ivf.hpp"

namespace {

using namespace vicinal_test;
using vicinal::rows_view;
using vicinal::vector_view;

constexpr std::size_t dim = 11;

/// Whole numbers of bytes, other ones in each row.
dataset whole(std::size_t count, int least, std::uint64_t seed = 3) {
    numbers random(seed);
    return make_rows(count, dim,
                     [&](std::size_t, std::size_t) { return static_cast<double>(random.below(256)) + least; });
}

/// The same rows as floats and as another type of number or another order, and where those lie.
struct input {
    std::string name;
    dataset floats;
    std::vector<std::byte> bytes;
    rows_view rows;
};

/// Rows as numbers of T, of which `between` more lie between two rows.
template <class T, class Convert>
input as_numbers(const char* name, dataset floats, Convert convert, std::size_t between = 0) {
    input in{name, std::move(floats), {}, {}};
    const std::size_t stride = dim + between;
    in.bytes.resize(in.floats.rows() * stride * sizeof(T));
    auto* const at = reinterpret_cast<T*>(in.bytes.data());
    for (std::size_t r = 0; r < in.floats.rows(); ++r)
        for (std::size_t d = 0; d < dim; ++d) at[r * stride + d] = convert(in.floats[r][d]);
    in.rows = rows_view(static_cast<const T*>(at), in.floats.rows(), dim, stride);
    return in;
}
input as_bits(std::size_t count) {
    input in{"packed bits", whole(count, 0), std::vector<std::byte>(2 * count), {}};
    for (float& x : in.floats.values) x = x < 128 ? 0.0F : 1.0F;
    for (std::size_t r = 0; r < count; ++r)
        for (std::size_t d = 0; d < 16; ++d)  // what lies behind the last component has no effect
            if (d >= dim || in.floats[r][d] > 0) in.bytes[2 * r + d / 8] |= std::byte{1} << d % 8;
    in.rows = vicinal::packed_rows(in.bytes, dim);
    return in;
}
/// Rows in the middle of a column-major matrix.
template <class T>
input in_columns(const char* name, std::size_t count) {
    using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
    input in{name, whole(count, -128), {}, {}};
    in.bytes.resize((count + 3) * (dim + 2) * sizeof(T));
    Eigen::Map<matrix> all(reinterpret_cast<T*>(in.bytes.data()), static_cast<int>(count) + 3, dim + 2);
    const auto block = all.block(2, 1, static_cast<int>(count), dim);
    for (std::size_t r = 0; r < count; ++r)
        for (std::size_t d = 0; d < dim; ++d)
            all(static_cast<int>(r) + 2, static_cast<int>(d) + 1) = static_cast<T>(in.floats[r][d]);
    in.rows = block;
    return in;
}

std::vector<input> inputs(std::size_t count) {
    const auto same = [](float x) { return x; };
    const auto eighths = [](dataset rows) {
        for (float& x : rows.values) x /= 8;
        return rows;
    };
    std::vector<input> all;
    all.push_back(as_numbers<float>("floats", whole(count, -77), same, 3));
    all.push_back(
        as_numbers<std::int8_t>("i8", whole(count, -128), [](float x) { return static_cast<std::int8_t>(x); }));
    all.push_back(as_numbers<std::uint8_t>(
        "u8", whole(count, 0), [](float x) { return static_cast<std::uint8_t>(x); }, 2));
    all.push_back(
        as_numbers<vicinal::float16>("f16", eighths(whole(count, -100)), [](float x) { return vicinal::float16(x); }));
    all.push_back(as_numbers<vicinal::bfloat16>(
        "bf16", eighths(whole(count, 0)), [](float x) { return vicinal::bfloat16(x); }, 1));
    all.push_back(
        as_numbers<Eigen::half>("halves of Eigen", eighths(whole(count, -3)), [](float x) { return Eigen::half(x); }));
    all.push_back(as_bits(count));
    all.push_back(in_columns<float>("columns of floats", count));
    all.push_back(in_columns<std::int8_t>("columns of i8", count));
    return all;
}

/// Makes the same changes with other numbers and with floats.
template <class Index>
void change(Index& index, const rows_view& rows) {
    index.train(rows.rows(0, 50));
    REQUIRE(index.add(numbered<std::uint64_t>(100), rows.rows(0, 100)) == 100);
    index.add(500, rows[100]);
    index.update(3, rows[101]);
    REQUIRE(index.upsert(501, rows[102]));
    REQUIRE_FALSE(index.upsert(4, rows[103]));
    REQUIRE(index.upsert(numbered<std::uint64_t>(20, 90), rows.rows(104, 20)) == 10);
}

template <class Index>
void require_same_answers(const Index& index, const rows_view& queries, const rows_view& floats) {
    const auto table = index.search(queries, 7);
    const auto wanted = index.search(floats, 7);
    const std::vector<std::uint64_t> ids{0, 3, 500, 999};
    for (std::size_t q = 0; q < queries.rows(); ++q) {
        REQUIRE(std::equal(table[q].begin(), table[q].end(), wanted[q].begin(), wanted[q].end()));
        REQUIRE(index.search(queries[q], 7) == index.search(floats[q], 7));
        std::vector<vicinal::neighbor<>> room(5);
        REQUIRE(index.search(queries[q], std::span(room)) == 5);
        const float radius = room.back().distance;
        REQUIRE(room == index.search(floats[q], 5));
        REQUIRE(index.search_within(queries[q], radius) == index.search_within(floats[q], radius));
        auto stream = index.nearest(queries[q]);
        REQUIRE(*stream.begin() == room.front());
        std::vector<float> out(4), of_floats(4);
        REQUIRE(index.distances(queries[q], ids, out) == index.distances(floats[q], ids, of_floats));
        REQUIRE(out == of_floats);
    }
}

template <class Make>
void check(const Make& make) {
    for (const input& in : inputs(130)) {
        INFO(in.name);
        const rows_view floats(in.floats.view());
        auto index = make();
        auto of_floats = make();
        change(index, in.rows);
        change(of_floats, floats);
        REQUIRE(saved(index) == saved(of_floats));
        REQUIRE(index.get(500) == std::vector<float>(in.floats[100].begin(), in.floats[100].end()));
        require_same_answers(index, in.rows.rows(120, 10), floats.rows(120, 10));
    }
}

}  // namespace

TEST_CASE("inputs: a flat index takes all types of number as it takes floats") {
    check([] { return vicinal::flat_index<>(dim); });
}
TEST_CASE("inputs: an inverted file takes all types of number as it takes floats") {
    check([] { return vicinal::ivf_index<>(dim, {.lists = 4}); });
}
TEST_CASE("inputs: a graph takes all types of number as it takes floats") {
    check([] { return vicinal::hnsw_index<vicinal::l2, vicinal::f32>(dim); });
}
TEST_CASE("inputs: what is refused is refused with both values, in any type of number") {
    vicinal::flat_index<> index(dim);
    const std::vector<std::uint8_t> short_row(dim - 1), row(dim);
    const auto refusal = [](auto&& call) {
        try {
            call();
        } catch (const vicinal::error& e) {
            return std::string(e.what());
        }
        return std::string("nothing");
    };
    REQUIRE_THAT(refusal([&] { index.add(1, short_row); }), contains("10") && contains("11"));
    REQUIRE_THAT(refusal([&] { (void)index.search(vicinal::packed_vector(row, 80), 1); }),
                 contains("80") && contains("11"));
    REQUIRE_THAT(refusal([&] { (void)vicinal::packed_vector(row, 89); }),
                 contains("11 bytes") && contains("89") && contains("12"));
    REQUIRE_THAT(refusal([&] { (void)vicinal::packed_rows(row, 12); }), contains("11 bytes") && contains("12 bits"));
    std::vector<vicinal::float16> halves(dim, vicinal::float16(1.0F));
    halves[7].bits = 0x7C00;
    REQUIRE_THAT(refusal([&] { index.add(1, halves); }), contains("component 7 is infinite"));
    vicinal::flat_index<vicinal::l2, vicinal::u8> whole_numbers(dim);
    std::vector<std::int8_t> negative(dim, 5);
    negative[2] = -1;
    REQUIRE_THAT(refusal([&] { whole_numbers.add(1, negative); }),
                 contains("component 2 is -1") && contains("codec u8") && contains("0 to 255"));
    REQUIRE(index.empty());
}
