// SPDX-License-Identifier: MIT
// i8 and u8: what they store, what they refuse, and that distances between whole numbers are exact.
#include "vicinal/codec/byte.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/scoring/scorer.hpp"

namespace {

using namespace vicinal_test;
using vicinal::cosine, vicinal::inner_product, vicinal::l2;
using vicinal::i8, vicinal::u8;

/// Rows of numbers that Codec holds; the first two are of its ends alone, as far from each other as rows can be.
template <class Codec>
dataset whole(std::size_t count, std::size_t dim) {
    numbers random(dim);
    return make_rows(count, dim, [&](std::size_t r, std::size_t) {
        return r == 0 ? Codec::least : r == 1 ? Codec::most : Codec::least + static_cast<int>(random.below(256));
    });
}

double exactly(std::string_view metric, std::span<const float> q, std::span<const float> x) {
    double product = 0, squares = 0, of_q = 0, of_x = 0;
    for (std::size_t d = 0; d < q.size(); ++d) {
        product += double{q[d]} * double{x[d]};
        squares += (double{q[d]} - double{x[d]}) * (double{q[d]} - double{x[d]});
        of_q += double{q[d]} * double{q[d]};
        of_x += double{x[d]} * double{x[d]};
    }
    return metric == "l2" ? squares : metric == "cosine" ? 1 - product / std::sqrt(of_q * of_x) : -product;
}

template <class Metric, class Codec>
void check_distances(std::size_t dim) {
    CAPTURE(dim, std::string(Metric::name), std::string(Codec::name));
    constexpr std::size_t count = 70;
    const dataset rows = whole<Codec>(count, dim);
    vicinal::detail::code_store<Codec> store(dim, vicinal::detail::row_spacing::dense);
    store.reserve(count);
    for (std::size_t r = 0; r < count; ++r) store.write(static_cast<vicinal::detail::slot_t>(r), rows[r]);
    const auto slots = numbered<vicinal::detail::slot_t>(count);
    vicinal::detail::padded_vector query, buffer;
    query.resize(dim);
    for (std::size_t q = 0; q < 8; ++q) {
        std::copy(rows[q].begin(), rows[q].end(), query.data());
        const vicinal::detail::scorer<Metric, Codec, vicinal::simd::native_kernels> scorer(Metric{}, store,
                                                                                           query.data(), buffer);
        std::vector<float> listed(count), in_line(count);
        scorer.score(slots.data(), count, listed.data());
        for (std::size_t first = 0; first < count; first += 64)
            scorer.score_block(slots[first], std::min<std::size_t>(64, count - first), in_line.data() + first);
        REQUIRE(listed == in_line);
        for (std::size_t r = 0; r < count; ++r) {
            const double want = exactly(Metric::name, rows[q], rows[r]);
            if (Metric::name != "cosine")
                REQUIRE(listed[r] == static_cast<float>(want));
            else if (!std::isnan(want))  // of a vector of zeros
                REQUIRE(std::abs(double{listed[r]} - want) <= 0x1p-22);
        }
    }
}

}  // namespace

TEST_CASE("bytes: distances between whole numbers are exact, those of cosine up to rounding") {
    for (const std::size_t dim : {1U, 3U, 33U, 255U, 257U, 768U, 2048U, 9000U}) {
        check_distances<l2, i8>(dim);
        check_distances<inner_product, i8>(dim);
        check_distances<cosine, i8>(dim);
        check_distances<l2, u8>(dim);
        check_distances<inner_product, u8>(dim);
        check_distances<cosine, u8>(dim);
    }
}

TEMPLATE_TEST_CASE("bytes: every number is stored as it is", "", i8, u8) {
    std::vector<float> all(256), decoded(256);
    for (int i = 0; i < 256; ++i) all[static_cast<std::size_t>(i)] = static_cast<float>(TestType::least + i);
    const TestType codec(256);
    std::vector<std::byte> code(codec.code_size());
    codec.encode(all, code);
    for (std::size_t i = 0; i < 256; ++i) REQUIRE(code[i] == static_cast<std::byte>(i));
    codec.decode(code, decoded);
    REQUIRE(decoded == all);
}

TEMPLATE_TEST_CASE("bytes: rows of other numbers are refused with both, queries are not", "", i8, u8) {
    constexpr auto least = static_cast<float>(TestType::least), most = static_cast<float>(TestType::most);
    vicinal::flat_index<l2, TestType> index(3);
    index.add(1, {least, most, 1.0F});
    for (const float other : {0.5F, least - 1, most + 1, 1e9F, most + 0.0001F, least - 0.5F}) {
        const std::array<float, 3> row{1.0F, 2.0F, other};
        const auto refused = [&](auto&& call) {
            try {
                call();
                FAIL("nothing was thrown for " << other);
            } catch (const vicinal::error& e) {
                REQUIRE(e.code() == vicinal::errc::magnitude);
                REQUIRE_THAT(std::string(e.what()),
                             contains("component 2 is ") && contains(TestType::name.data()) &&
                                 contains(std::to_string(TestType::least) + " to " + std::to_string(TestType::most)));
            }
        };
        refused([&] { index.add(2, row); });
        refused([&] { index.update(1, row); });
        refused([&] { index.upsert(2, row); });
        refused([&] { index.add(std::vector<std::uint64_t>{2}, {row, 3}); });
        refused([&] { index.upsert(std::vector<std::uint64_t>{2}, {row, 3}); });
        REQUIRE(index.search(row, 1).size() == 1);
    }
    REQUIRE(index.size() == 1);
    REQUIRE(index.get(1) == std::vector<float>{least, most, 1.0F});
    REQUIRE(index.search({0.25F, 0.5F, 0.75F}, 1)[0].distance ==
            static_cast<float>((least - 0.25) * (least - 0.25) + (most - 0.5) * (most - 0.5) + 0.0625));
}

TEST_CASE("bytes: under cosine rows are kept as they come, and of any length") {
    vicinal::flat_index<cosine, i8> index(2);
    index.add(1, {100, 0});
    index.add(2, {3, 3});
    index.add(3, {0, -1});
    REQUIRE(index.get(1) == std::vector<float>{100, 0});
    REQUIRE(index.get(2) == std::vector<float>{3, 3});
    const auto hits = index.search({1e-30F, 0}, 3);
    REQUIRE(hits.size() == 3);
    REQUIRE(hits[0] == vicinal::neighbor<>{1, 0.0F});
    REQUIRE(std::abs(hits[1].distance - (1 - std::sqrt(0.5F))) < 1e-6F);
    REQUIRE(hits[2] == vicinal::neighbor<>{3, 1.0F});
    REQUIRE_THROWS_WITH(index.add(4, {0, 0}), contains("norm 0") && contains("cosine"));
}

TEST_CASE("bytes: as the fine half of two they measure what a coarse codec finds") {
    const dataset rows = whole<i8>(400, 64);
    vicinal::flat_index<l2, vicinal::two_level<vicinal::sq4, i8>> both(64);
    vicinal::flat_index<l2, i8> alone(64);
    both.add(numbered<std::uint64_t>(400), rows.view());
    alone.add(numbered<std::uint64_t>(400), rows.view());
    for (std::size_t q = 0; q < 10; ++q) REQUIRE(both.search(rows[q], 5, {.rerank = 400}) == alone.search(rows[q], 5));
}
