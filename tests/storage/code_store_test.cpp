// SPDX-License-Identifier: MIT
// What storage/code_store.hpp promises.
#include "vicinal/storage/code_store.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "vicinal/codec/f32.hpp"
#include "vicinal/codec/half.hpp"
#include "vicinal/codec/sq/sq8.hpp"

namespace {

using sizes = std::vector<std::size_t>;
using namespace vicinal::detail;
using vicinal::bf16;
using vicinal::f16;
using vicinal::f32;
using vicinal::sq8;
using vicinal::two_level;

TEST_CASE("code_store: a row reads back what was written, the bytes between rows are zero") {
    for (const row_spacing spacing : {row_spacing::dense, row_spacing::lines})
        for (const std::size_t dim : sizes{1, 3, 7, 30, 31, 33, 100}) {
            code_store<f16> store(dim, spacing);
            store.reserve(70);
            CAPTURE(dim, store.rows().stride());
            std::memset(store.rows()[0], 0xAB, 70 * store.rows().stride());  // memory as an allocator may hand it out
            std::vector<float> vector(dim), back(dim);
            for (slot_t slot = 0; slot < 70; ++slot) {
                std::fill(vector.begin(), vector.end(), static_cast<float>(slot) + 0.5F);
                store.write(slot, vector);
                store.read(slot, back);
                REQUIRE(back == vector);
                const std::byte* const row = store.rows()[slot];
                REQUIRE(std::all_of(row + dim * 2, row + store.rows().stride(),
                                    [](std::byte b) { return b == std::byte{0}; }));
            }
            store.read(3, back);  // the next row's zeros did not run into this one
            CHECK(back == std::vector<float>(dim, 3.5F));
        }
}

TEST_CASE("code_store: packed rows lie on 4-byte boundaries and waste less than 4 bytes") {
    for (std::size_t dim = 1; dim < 200; ++dim) {
        const code_store<sq8> store(dim, row_spacing::dense);
        CHECK(store.rows().stride() % 4 == 0);
        CHECK(store.rows().stride() < dim + 4);
    }
}

TEST_CASE(
    "code_store: lines are cache lines where that wastes at most an eighth, else the widest boundary that does not") {
    CHECK(code_store<f32>(16, row_spacing::lines).rows().stride() == 64);
    CHECK(code_store<f32>(128, row_spacing::lines).rows().stride() == 512);
    CHECK(code_store<f32>(100, row_spacing::lines).rows().stride() == 448);  // 400 bytes, 48 more
    CHECK(code_store<sq8>(65, row_spacing::lines).rows().stride() == 72);    // 128 would waste almost half
    for (std::size_t dim = 1; dim < 600; ++dim) {
        const std::size_t alignment = row_alignment(row_spacing::lines, dim);
        const std::size_t waste = round_up(dim, alignment) - dim;
        REQUIRE((alignment == 4 || waste <= dim / 8));
        REQUIRE((alignment == 64 || round_up(dim, 2 * alignment) - dim > dim / 8));
    }
}

TEST_CASE("row_store: a plain codec is both what searches traverse and what decides") {
    row_store<sq8> store(8, row_spacing::dense);
    CHECK(&store.coarse() == &store.fine());
    CHECK(row_store<sq8>::name() == "sq8");
    STATIC_REQUIRE_FALSE(row_store<sq8>::two_levels);
    int visited = 0;
    store.for_each_store([&](auto&) { ++visited; });
    CHECK(visited == 1);
}

TEST_CASE("row_store: two_level keeps the same rows in both of its codecs") {
    using store_type = row_store<two_level<bf16, f32>>;
    store_type store(5, row_spacing::lines);
    CHECK(store_type::name() == "bf16+f32");
    STATIC_REQUIRE(store_type::two_levels);
    const std::vector<float> v{1.0F, 1.001F, -2.0F, 0.0F, 3e38F};
    store.for_each_store([&](auto& codes) {
        codes.reserve(1);
        codes.write(0, v);
    });
    std::size_t bytes = 0;
    std::as_const(store).for_each_store([&](const auto& codes) { bytes += codes.rows().row_bytes(); });
    CHECK(bytes == 5 * 2 + 5 * 4);
    std::vector<float> coarse(5), fine(5);
    std::as_const(store).coarse().read(0, coarse);
    std::as_const(store).fine().read(0, fine);
    CHECK(fine == v);
    CHECK(coarse[1] == 1.0F);
}

TEST_CASE("needs_training: is true until every codec of the store has learned") {
    CHECK_FALSE(needs_training(row_store<f32>(4, row_spacing::dense)));
    row_store<two_level<sq8, f32>> store(4, row_spacing::dense);
    CHECK(needs_training(store));
    const std::vector<float> row{1, 2, 3, 4};
    store.coarse().coder().train(vicinal::matrix_view<const float>(row.data(), 1, 4));
    CHECK_FALSE(needs_training(store));
    row_store<two_level<sq8, sq8>> both(4, row_spacing::dense);
    both.for_each_store([&](auto& codes) {
        CHECK(needs_training(both));
        codes.coder().train(vicinal::matrix_view<const float>(row.data(), 1, 4));
    });
    CHECK_FALSE(needs_training(both));
    row_store<two_level<sq8, sq8>> half(4, row_spacing::dense);
    bool first = true;
    half.for_each_store([&](auto& codes) {  // the fine half only
        if (!first) codes.coder().train(vicinal::matrix_view<const float>(row.data(), 1, 4));
        first = false;
    });
    CHECK(needs_training(half));
}

TEST_CASE("index_codec: a codec or a pair of them, nothing else") {
    STATIC_REQUIRE(vicinal::index_codec<f32>);
    STATIC_REQUIRE(vicinal::index_codec<two_level<sq8, f16>>);
    STATIC_REQUIRE_FALSE(vicinal::index_codec<int>);
}

}  // namespace
