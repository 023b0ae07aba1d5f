// SPDX-License-Identifier: MIT
// What simd/kernels.hpp promises, on the instruction set of this build, on the oldest x86-64 and on plain C++.
#include "vicinal/simd/kernels.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "simd/reference.hpp"
#include "support/catch.hpp"

namespace {

using sizes = std::vector<std::size_t>;
using namespace vicinal_test;
using vicinal::detail::slot_t;
namespace simd = vicinal::simd;

/// Rows of codes spaced `stride` apart in segments of the shapes a chunked store has, every byte between them 0xFF:
/// what kernels read past a row must not matter, be it NaN.
struct rows_in_segments {
    std::size_t stride;
    unsigned shift;
    std::vector<std::vector<std::byte>> segments;
    std::array<std::uintptr_t, 33> origins{};

    rows_in_segments(std::size_t rows, std::size_t code_size, std::size_t gap, unsigned first_segment_bits)
        : stride((code_size + gap + 3) / 4 * 4), shift(first_segment_bits) {
        for (std::size_t first = 0; first < rows;) {
            const std::size_t count = first == 0 ? std::size_t{1} << shift : first;
            segments.emplace_back(count * stride + simd::over_read, std::byte{0xFF});
            origins[segments.size() - 1] = reinterpret_cast<std::uintptr_t>(segments.back().data()) - first * stride;
            first += count;
        }
    }
    simd::row_table table() const { return {origins.data(), stride, shift}; }
    std::byte* row(std::size_t i) { return const_cast<std::byte*>(table()[static_cast<slot_t>(i)]); }
};

/// One query, `count` encoded rows, and what they decode to.
template <class Metric, class Codec>
struct bench {
    std::size_t dim;
    std::vector<float> query;
    Codec codec;
    rows_in_segments rows;
    std::vector<std::vector<float>> decoded;

    bench(std::size_t d, std::size_t count, std::mt19937& random, float scale = 1)
        : dim(d),
          query(prepared(random_vector(d, random, scale))),
          codec(make_codec<Codec>(d, random_vector(64, random, scale))),
          rows(count, codec.code_size(), d % 3 * 5, 1) {
        for (std::size_t r = 0; r < count; ++r) {
            const auto vector = prepared(random_vector(d, random, scale));
            codec.encode(vector, {rows.row(r), codec.code_size()});
            codec.decode({rows.row(r), codec.code_size()}, decoded.emplace_back(d));
        }
        query.resize(d + simd::over_read / sizeof(float), std::numeric_limits<float>::quiet_NaN());
    }
    static std::vector<float> prepared(std::vector<float> v) {
        if constexpr (vicinal::preparing_metric<Metric>) (void)Metric{}.prepare(v);
        return v;
    }
    template <class Isa>
    std::vector<float> scores(const std::vector<slot_t>& slots) const {
        std::vector<float> out(slots.size() + 1, -7.0F);
        simd::static_kernels<Isa>::score_list(Metric{}, codec, query.data(), dim, rows.table(), slots.data(),
                                              slots.size(), out.data());
        CHECK(out.back() == -7.0F);  // nothing is written past count
        out.pop_back();
        return out;
    }
};

std::vector<slot_t> first_slots(std::size_t n) {
    std::vector<slot_t> slots(n);
    for (std::size_t i = 0; i < n; ++i) slots[i] = static_cast<slot_t>(i);
    return slots;
}

template <class Isa, class Metric, class Codec>
std::size_t outside_the_bound(std::size_t dim, std::mt19937& random, float scale) {
    const bench<Metric, Codec> b(dim, 5, random, scale);  // a group of four and one alone
    const auto scores = b.template scores<Isa>(first_slots(5));
    std::size_t wrong = 0;
    for (std::size_t r = 0; r < scores.size(); ++r) {
        const exact want = reference(Metric{}, b.query.data(), b.decoded[r].data(), dim);
        const long double limit =
            allowed(dim, simd::lane_count<Isa>, want.magnitude, std::is_same_v<Metric, vicinal::cosine>);
        if (!(std::fabs(static_cast<long double>(scores[r]) - want.distance) <= limit)) {
            ++wrong;
            UNSCOPED_INFO("dim " << dim << ", row " << r << ": " << scores[r] << ", exactly "
                                 << static_cast<double>(want.distance) << ", allowed " << static_cast<double>(limit));
        }
    }
    return wrong;
}

template <class Isa, class Metric, class Codec>
void check_bound(float scale = 1) {
    std::mt19937 random(1);
    std::size_t wrong = 0;
    for (std::size_t dim = 1; dim <= 300; ++dim) wrong += outside_the_bound<Isa, Metric, Codec>(dim, random, scale);
    wrong += outside_the_bound<Isa, Metric, Codec>(1025, random, scale);
    CHECK(wrong == 0);
}

template <class Isa>
void check_all_bounds() {
    check_bound<Isa, vicinal::l2, vicinal::f32>();
    check_bound<Isa, vicinal::inner_product, vicinal::f32>();
    check_bound<Isa, vicinal::cosine, vicinal::f32>();
    check_bound<Isa, vicinal::l2, vicinal::f16>();
    check_bound<Isa, vicinal::inner_product, vicinal::bf16>();
    check_bound<Isa, vicinal::l2, vicinal::sq8>();
    check_bound<Isa, vicinal::l2, vicinal::sq4>();
    check_bound<Isa, vicinal::inner_product, vicinal::sq8>();
    check_bound<Isa, vicinal::inner_product, vicinal::sq4>();
    check_bound<Isa, vicinal::l2, vicinal::f32>(1e-18F);
    check_bound<Isa, vicinal::l2, vicinal::f32>(1e17F);
}

/// Whether scoring the rows in these groups gives each the bits it has alone.
template <class Isa, class Metric, class Codec>
std::size_t grouping_differences(std::size_t dim, std::mt19937& random) {
    constexpr std::size_t n = 11;
    const bench<Metric, Codec> b(dim, n, random);
    std::vector<float> alone;
    for (slot_t s = 0; s < n; ++s) alone.push_back(b.template scores<Isa>({s}).front());
    std::size_t different = 0;
    for (std::size_t count = 0; count <= 9; ++count) {
        std::vector<slot_t> slots;  // any rows, in any order, one of them twice
        for (std::size_t i = 0; i < count; ++i) slots.push_back(static_cast<slot_t>(random() % n));
        const auto listed = b.template scores<Isa>(slots);
        for (std::size_t i = 0; i < count; ++i) different += !same_bits(listed[i], alone[slots[i]]);
    }
    // A block of the last segment: rows [8, 11) and whatever the segment holds beside them.
    std::vector<float> block(3);
    for (std::size_t first = 8; first < n; ++first)
        for (std::size_t count = 0; first + count <= n; ++count) {
            simd::static_kernels<Isa>::score_block(Metric{}, b.codec, b.query.data(), dim,
                                                   b.rows.table()[static_cast<slot_t>(first)], b.rows.stride, count,
                                                   block.data());
            for (std::size_t i = 0; i < count; ++i) different += !same_bits(block[i], alone[first + i]);
        }
    return different;
}

/// The same for blocks of up to nine rows.
template <class Isa, class Metric, class Codec>
std::size_t block_differences(std::size_t dim, std::mt19937& random) {
    constexpr std::size_t n = 9;
    bench<Metric, Codec> b(dim, 1, random);
    b.rows = rows_in_segments(n, b.codec.code_size(), 4, 4);  // one segment of sixteen
    for (std::size_t r = 0; r < n; ++r)
        b.codec.encode(random_vector(dim, random), {b.rows.row(r), b.codec.code_size()});
    std::size_t different = 0;
    for (std::size_t count = 0; count <= n; ++count) {
        std::vector<float> block(count + 1, -7.0F);
        simd::static_kernels<Isa>::score_block(Metric{}, b.codec, b.query.data(), dim, b.rows.row(0), b.rows.stride,
                                               count, block.data());
        different += block.back() != -7.0F;
        for (std::size_t i = 0; i < count; ++i)
            different += !same_bits(block[i], b.template scores<Isa>({static_cast<slot_t>(i)}).front());
    }
    return different;
}

template <class Isa>
void check_grouping() {
    std::mt19937 random(2);
    std::size_t different = 0;
    for (const std::size_t dim : sizes{1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 100, 128, 223}) {
        different += grouping_differences<Isa, vicinal::l2, vicinal::f32>(dim, random);
        different += grouping_differences<Isa, vicinal::inner_product, vicinal::f16>(dim, random);
        different += block_differences<Isa, vicinal::l2, vicinal::f32>(dim, random);
        different += block_differences<Isa, vicinal::inner_product, vicinal::sq8>(dim, random);
        different += block_differences<Isa, vicinal::inner_product, vicinal::sq4>(dim, random);
    }
    CHECK(different == 0);
}

TEST_CASE("kernels: every distance is within the stated bound of exact arithmetic, on this build's instruction set") {
    check_all_bounds<simd::native_isa>();
}

TEST_CASE("kernels: every distance is within the stated bound of exact arithmetic, in plain C++") {
    check_all_bounds<simd::scalar_isa>();
}

TEST_CASE("kernels: a row's distance does not depend on its neighbours in the call, nor on its place there") {
    check_grouping<simd::native_isa>();
    check_grouping<simd::scalar_isa>();
}

#if defined(__SSE2__)
TEST_CASE("kernels: every distance is within the stated bound of exact arithmetic, on SSE2") {
    check_all_bounds<xsimd::sse2>();
}

TEST_CASE("kernels: a row's distance does not depend on its neighbours in the call, on SSE2") {
    check_grouping<xsimd::sse2>();
}
#endif

TEST_CASE("kernels: queries need not be aligned, nor rows beyond four bytes") {
    std::mt19937 random(3);
    constexpr std::size_t dim = 37;
    const bench<vicinal::l2, vicinal::f32> b(dim, 4, random);
    const auto want = b.scores<simd::native_isa>(first_slots(4));
    for (std::size_t shift = 0; shift < 16; ++shift) {
        CAPTURE(shift);
        std::vector<float> query(shift + dim + 16, 9e9F);
        std::copy_n(b.query.begin(), dim, query.begin() + static_cast<std::ptrdiff_t>(shift));
        std::vector<float> rows(shift + 4 * dim + 16, 9e9F);
        for (std::size_t r = 0; r < 4; ++r)
            std::copy_n(b.decoded[r].begin(), dim, rows.begin() + static_cast<std::ptrdiff_t>(shift + r * dim));
        std::vector<float> got(4);
        simd::native_kernels::score_block(vicinal::l2{}, vicinal::f32{dim}, query.data() + shift, dim,
                                          reinterpret_cast<const std::byte*>(rows.data() + shift), dim * sizeof(float),
                                          4, got.data());
        for (std::size_t r = 0; r < 4; ++r) CHECK(same_bits(got[r], want[r]));
    }
}

TEST_CASE("row_table: the first segment has 2^shift rows, each further one doubles the total") {
    rows_in_segments rows(2048, 12, 0, 6);
    CHECK(rows.segments.size() == 6);  // 64, 64, 128, 256, 512, 1024
    std::size_t first = 0;
    for (std::size_t s = 0; s < rows.segments.size(); ++s) {
        const std::size_t count = s == 0 ? 64 : first;
        CHECK(rows.row(first) == rows.segments[s].data());
        CHECK(rows.row(first + count - 1) == rows.segments[s].data() + (count - 1) * 12);
        first += count;
    }
}

}  // namespace
