// SPDX-License-Identifier: MIT
// What core/matrix_view.hpp promises.
#include "vicinal/core/matrix_view.hpp"

#include <Eigen/Core>
#include <array>
#include <numeric>
#include <span>
#include <vector>

#include "support/catch.hpp"
#include "vicinal/core/rows_view.hpp"
#include "vicinal/core/vector_view.hpp"

namespace {

using vicinal::errc;
using vicinal::matrix_view;
using vicinal_test::contains;
using row_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using column_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic>;

std::vector<float> counting(std::size_t n) {
    std::vector<float> values(n);
    std::iota(values.begin(), values.end(), 0.0F);
    return values;
}

template <class F>
errc code_of(F&& f) {
    try {
        f();
    } catch (const vicinal::error& e) {
        return e.code();
    }
    FAIL("nothing was thrown");
    return {};
}

float sum(matrix_view<const float> m) {
    float total = 0;
    for (std::size_t r = 0; r < m.rows(); ++r) total = std::accumulate(m[r].begin(), m[r].end(), total);
    return total;
}

TEST_CASE("matrix_view: rows lie stride apart, dim by default") {
    auto values = counting(12);
    const matrix_view<float> dense(values.data(), 4, 3);
    CHECK(dense.stride() == 3);
    CHECK(dense[3].data() == values.data() + 9);
    CHECK(dense[3].size() == 3);
    const matrix_view<float> wide(values.data(), 3, 2, 4);
    CHECK(wide[2][1] == 9.0F);
    CHECK(wide[2].size() == 2);
    CHECK_FALSE(wide.empty());
    CHECK(matrix_view<float>().empty());
}

TEST_CASE("matrix_view: a stride below dim is refused with both, unless a row is all there is") {
    auto values = counting(12);
    const auto overlapping = [&](std::size_t rows) { return matrix_view<float>(values.data(), rows, 6, 5); };
    CHECK(code_of([&] { overlapping(2); }) == errc::invalid_argument);
    CHECK_THROWS_WITH(overlapping(2), contains("stride is 5") && contains("6"));
    CHECK_NOTHROW(overlapping(1));
    CHECK_NOTHROW(overlapping(0));
}

TEST_CASE("matrix_view: a span is a whole number of rows, or refused with both numbers") {
    auto values = counting(12);
    const matrix_view<float> m(std::span<float>(values), 4);
    CHECK(m.rows() == 3);
    CHECK(m[1][0] == 4.0F);
    CHECK(code_of([&] { (void)matrix_view<float>(std::span<float>(values), 5); }) == errc::dimension_mismatch);
    CHECK_THROWS_WITH(matrix_view<float>(std::span<float>(values), 5), contains("12") && contains("5"));
    CHECK(code_of([&] { (void)matrix_view<float>(std::span<float>(values), 0); }) == errc::dimension_mismatch);
    CHECK(matrix_view<float>(std::span<float>(), 0).rows() == 0);
}

TEST_CASE("matrix_view: an array and a dimension give its type and its rows") {
    std::vector<float> values = counting(12);
    const std::vector<float> fixed = counting(12);
    std::array<float, 6> six{0, 1, 2, 3, 4, 5};
    float plain[] = {0, 1, 2, 3};
    STATIC_REQUIRE(std::is_same_v<decltype(matrix_view(values, 4)), matrix_view<float>>);
    STATIC_REQUIRE(std::is_same_v<decltype(matrix_view(fixed, 4)), matrix_view<const float>>);
    STATIC_REQUIRE(std::is_same_v<decltype(matrix_view(six, 3)), matrix_view<float>>);
    STATIC_REQUIRE(std::is_same_v<decltype(matrix_view(std::span<const float, 6>(six), 3)), matrix_view<const float>>);
    STATIC_REQUIRE(std::is_same_v<decltype(matrix_view(plain, 2)), matrix_view<float>>);
    STATIC_REQUIRE(std::is_same_v<decltype(matrix_view(fixed.data(), 3, 4)), matrix_view<const float>>);
    STATIC_REQUIRE(std::is_same_v<decltype(matrix_view(values.data(), 2, 4, 6)), matrix_view<float>>);
    const matrix_view rows(fixed, 4);
    CHECK(rows.data() == fixed.data());
    CHECK(rows.rows() == 3);
    CHECK(rows.dim() == 4);
    CHECK(sum(matrix_view(six, 3)) == 15.0F);
    CHECK(matrix_view(plain, 2).rows() == 2);
}

TEST_CASE("matrix_view: an array that is no whole number of rows is refused with both numbers") {
    const std::vector<float> fixed = counting(12);
    for (const std::size_t dim : {5U, 24U, 0U}) {
        const auto misfit = [&] { return matrix_view(fixed, dim); };
        CHECK(code_of([&] { (void)misfit(); }) == errc::dimension_mismatch);
        CHECK_THROWS_WITH(misfit(), contains("12") && contains("of " + std::to_string(dim)));
    }
}

TEST_CASE("vector_view: a braced list of numbers converts, and is no matrix") {
    const auto length = [](vicinal::vector_view v) { return v.size(); };
    const auto total = [](vicinal::vector_view v) {
        float sum = 0;
        for (std::size_t i = 0; i < v.size(); ++i) sum += v[i];
        return sum;
    };
    CHECK(length({}) == 0);
    CHECK(length({7.0F}) == 1);
    CHECK(total({1.0F, 2.5F, -1.0F}) == 2.5F);
    CHECK(total({0, 1, 2}) == 3.0F);
    CHECK(length({0, 0, 0, 0}) == 4);
    auto values = counting(5);
    CHECK(vicinal::vector_view{values.data(), 3}.size() == 3);  // a pointer and a length stay what they are to a span
    CHECK(vicinal::vector_view{values.begin(), values.end()}.size() == 5);
    CHECK(vicinal::vector_view{values}.floats() == values.data());
    // The literal 0 is no pointer to rows: else {0, 1, 2} could be a batch.
    STATIC_REQUIRE_FALSE(std::is_constructible_v<matrix_view<const float>, int, int, int>);
    STATIC_REQUIRE(std::is_constructible_v<matrix_view<const float>, std::nullptr_t, int, int>);
}

TEST_CASE("matrix_view: a part names the same rows") {
    auto values = counting(20);
    const matrix_view<float> part = matrix_view<float>(values.data(), 5, 3, 4).rows(1, 3);
    CHECK(part.rows() == 3);
    CHECK(part.dim() == 3);
    CHECK(part[2].data() == values.data() + 12);
}

TEST_CASE("matrix_view: mutable converts to const, never back, and never to another type") {
    auto values = counting(8);
    const matrix_view<float> m(values.data(), 2, 3, 4);
    const matrix_view<const float> c = m;
    CHECK(c.data() == values.data());
    CHECK(c.rows() == 2);
    CHECK(c.dim() == 3);
    CHECK(c.stride() == 4);
    STATIC_REQUIRE_FALSE(std::is_convertible_v<matrix_view<const float>, matrix_view<float>>);
    STATIC_REQUIRE_FALSE(std::is_convertible_v<matrix_view<float>, matrix_view<const int>>);
}

TEST_CASE("matrix_view: Eigen's row-major matrices, maps and blocks convert") {
    auto values = counting(12);
    const row_major m = Eigen::Map<const row_major>(values.data(), 3, 4);
    CHECK(sum(m) == 66.0F);
    const matrix_view<const float> block = m.block(1, 1, 2, 2);
    CHECK(block.stride() == 4);
    CHECK(block.data() == m.data() + 5);
    CHECK(sum(block) == 5.0F + 6.0F + 9.0F + 10.0F);
    CHECK(sum(Eigen::Map<row_major>(values.data(), 2, 3)) == 15.0F);
    CHECK(sum(Eigen::Map<row_major, 0, Eigen::OuterStride<>>(values.data(), 2, 3, Eigen::OuterStride<>(6))) ==
          0.0F + 1.0F + 2.0F + 6.0F + 7.0F + 8.0F);
}

TEST_CASE("vector_view: Eigen's vectors and rows convert, and what a span is made from") {
    auto values = counting(12);
    const row_major m = Eigen::Map<const row_major>(values.data(), 3, 4);
    const vicinal::vector_view row = m.row(2);
    CHECK(row.floats() == m.data() + 8);
    CHECK(row.size() == 4);
    const Eigen::VectorXf column = m.row(1);
    CHECK(vicinal::vector_view(column).floats() == column.data());
    CHECK(vicinal::vector_view(values).size() == 12);
    CHECK(vicinal::vector_view(std::span<const float>(values)).floats() == values.data());
    // Components may lie apart.
    const vicinal::vector_view apart = m.col(1);
    CHECK(apart.size() == 3);
    CHECK(apart.floats() == nullptr);
    CHECK(apart[2] == 9.0F);
    // One vector is no batch.
    STATIC_REQUIRE_FALSE(std::is_convertible_v<Eigen::RowVectorXf, matrix_view<const float>>);
    STATIC_REQUIRE_FALSE(std::is_convertible_v<Eigen::RowVectorXf, vicinal::rows_view>);
    STATIC_REQUIRE_FALSE(std::is_convertible_v<column_major, vicinal::vector_view>);
}

TEST_CASE("matrix_view: column-major matrices and column vectors are no rows") {
    STATIC_REQUIRE_FALSE(std::is_convertible_v<column_major, matrix_view<const float>>);
    STATIC_REQUIRE_FALSE(std::is_convertible_v<Eigen::VectorXf, matrix_view<const float>>);
    STATIC_REQUIRE_FALSE(std::is_convertible_v<Eigen::Matrix<double, 2, 2, Eigen::RowMajor>, matrix_view<const float>>);
    STATIC_REQUIRE_FALSE(std::is_convertible_v<const row_major&, matrix_view<float>>);
}

template <class T>
constexpr bool is_component = std::is_convertible_v<std::vector<T>, vicinal::vector_view>;

TEST_CASE("vector_view: takes the numbers that models give, and no others") {
    STATIC_REQUIRE(is_component<float>);
    STATIC_REQUIRE(is_component<std::int8_t>);
    STATIC_REQUIRE(is_component<std::uint8_t>);
    STATIC_REQUIRE(is_component<vicinal::float16>);
    STATIC_REQUIRE(is_component<vicinal::bfloat16>);
    STATIC_REQUIRE(is_component<Eigen::half>);
    STATIC_REQUIRE(is_component<Eigen::bfloat16>);
    STATIC_REQUIRE_FALSE(is_component<char>);
    STATIC_REQUIRE_FALSE(is_component<int>);
    STATIC_REQUIRE_FALSE(is_component<double>);
    STATIC_REQUIRE_FALSE(is_component<std::uint16_t>);
    STATIC_REQUIRE_FALSE(is_component<std::byte>);  // bits have a dimension of their own
}

TEST_CASE("vector_view: every type of number is read exactly") {
    std::vector<float> read(4);
    const auto values = [&](vicinal::vector_view v) {
        CHECK(v.size() == 4);
        CHECK(v.floats() == nullptr);
        v.read(read.data());
        for (std::size_t i = 0; i < 4; ++i) CHECK(v[i] == read[i]);
        return read;
    };
    CHECK(values(std::vector<std::int8_t>{-128, -1, 0, 127}) == std::vector<float>{-128, -1, 0, 127});
    CHECK(values(std::vector<std::uint8_t>{0, 1, 128, 255}) == std::vector<float>{0, 1, 128, 255});
    using half = vicinal::float16;
    CHECK(values(std::vector<half>{half(0.5F), half(-3.0F), half(0x1p-24F), half(65504.0F)}) ==
          std::vector<float>{0.5F, -3.0F, 0x1p-24F, 65504.0F});
    using brain = vicinal::bfloat16;
    CHECK(values(std::vector<brain>{brain(0.5F), brain(-3.0F), brain(0x1p-120F), brain(0x1p100F)}) ==
          std::vector<float>{0.5F, -3.0F, 0x1p-120F, 0x1p100F});
    CHECK(values(vicinal::packed_vector(std::vector<std::uint8_t>{0xF5}, 4)) == std::vector<float>{1, 0, 1, 0});
}

TEST_CASE("rows_view: matrices of either order and any stride are rows") {
    auto values = counting(24);
    const column_major m = Eigen::Map<const row_major>(values.data(), 4, 6);
    using strides = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
    const Eigen::Map<row_major, 0, strides> every_other(values.data(), 4, 3, strides(6, 2));
    const auto require_rows = [](const vicinal::rows_view& rows, std::size_t count, std::size_t dim, auto&& at) {
        REQUIRE(rows.rows() == count);
        REQUIRE(rows.dim() == dim);
        std::vector<float> read(dim);
        for (std::size_t r = 0; r < count; ++r) {
            rows[r].read(read.data());
            for (std::size_t d = 0; d < dim; ++d) {
                CHECK(rows[r][d] == at(static_cast<int>(r), static_cast<int>(d)));
                CHECK(read[d] == rows[r][d]);
            }
        }
    };
    require_rows(m, 4, 6, [&](int r, int d) { return m(r, d); });
    require_rows(m.transpose(), 6, 4, [&](int r, int d) { return m(d, r); });
    require_rows(m.block(1, 2, 3, 4), 3, 4, [&](int r, int d) { return m(r + 1, d + 2); });
    require_rows(every_other, 4, 3, [&](int r, int d) { return every_other(r, d); });
    require_rows(vicinal::rows_view(m).rows(1, 2), 2, 6, [&](int r, int d) { return m(r + 1, d); });
    require_rows(matrix_view<float>(values.data(), 3, 5, 8), 3, 5,
                 [&](int r, int d) { return static_cast<float>(8 * r + d); });
    const std::vector<std::uint8_t> bits{0x01, 0x02, 0x80, 0x01};
    require_rows(vicinal::packed_rows(bits, 9), 2, 9,
                 [](int r, int d) { return (r == 0 ? d == 0 : d >= 7) ? 1.0F : 0.0F; });
}

TEST_CASE("matrix_view: a row whose components lie apart is refused, not misread") {
    auto values = counting(12);
    using strides = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
    CHECK_NOTHROW(sum(Eigen::Map<row_major, 0, strides>(values.data(), 2, 3, strides(6, 1))));
    const auto every_other = [&] { return sum(Eigen::Map<row_major, 0, strides>(values.data(), 2, 3, strides(6, 2))); };
    CHECK(code_of(every_other) == errc::invalid_argument);
    CHECK_THROWS_WITH(every_other(), contains("2"));
}

}  // namespace
