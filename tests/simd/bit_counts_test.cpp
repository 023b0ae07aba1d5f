// SPDX-License-Identifier: MIT
// Bits that differ, or are set in both, of a query and of rows: exact at every length, whatever lies behind a row.
#include "vicinal/simd/bit_counts.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "vicinal/simd/static_kernels.hpp"

namespace {

using namespace vicinal_test;
using vicinal::simd::bit_count;

constexpr std::size_t rows = 71;

std::vector<std::byte> random_bytes(std::size_t count, std::uint64_t seed) {
    numbers random(seed);
    std::vector<std::byte> out(count + vicinal::simd::over_read);
    for (std::byte& b : out) b = static_cast<std::byte>(random.below(256));
    return out;
}

std::size_t count_bits(bit_count what, const std::byte* a, const std::byte* b, std::size_t bytes) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < 8 * bytes; ++i) {
        const bool in_a = (static_cast<unsigned>(a[i / 8]) >> i % 8 & 1U) != 0;
        const bool in_b = (static_cast<unsigned>(b[i / 8]) >> i % 8 & 1U) != 0;
        count += (what == bit_count::differing ? in_a != in_b : in_a && in_b) ? 1 : 0;
    }
    return count;
}

template <class Isa, bit_count What>
void check(std::size_t bytes, std::size_t stride) {
    using kernels = vicinal::simd::static_kernels<Isa>;
    const std::vector<std::byte> query = random_bytes(bytes, bytes);
    const std::vector<std::byte> codes = random_bytes(rows * stride, bytes + 1);
    std::vector<vicinal::detail::slot_t> slots;
    for (std::size_t i = 0; i < rows; ++i) slots.push_back(static_cast<std::uint32_t>(i * 7 % rows));
    const auto origin = reinterpret_cast<std::uintptr_t>(codes.data());
    const vicinal::simd::row_table table{&origin, stride, 31};
    float listed[rows], block[rows];
    for (const std::size_t count : {std::size_t{1}, std::size_t{6}, rows}) {
        CAPTURE(bytes, stride, count);
        kernels::template bit_list<What>(query.data(), bytes, table, slots.data(), count, listed);
        kernels::template bit_block<What>(query.data(), bytes, codes.data(), stride, count, block);
        for (std::size_t i = 0; i < count; ++i) {
            const auto want = [&](std::size_t row) {
                return static_cast<float>(count_bits(What, query.data(), codes.data() + row * stride, bytes));
            };
            REQUIRE(listed[i] == want(slots[i]));
            REQUIRE(block[i] == want(i));
        }
    }
}

template <class Isa>
void check_lengths() {
    for (std::size_t bytes = 1; bytes <= 140; ++bytes) {
        check<Isa, bit_count::differing>(bytes, bytes);
        check<Isa, bit_count::common>(bytes, bytes + bytes % 5);
    }
    for (const std::size_t bytes : {191U, 256U, 1000U, 8193U}) {
        check<Isa, bit_count::differing>(bytes, bytes);
        check<Isa, bit_count::common>(bytes, bytes + 3);
    }
}

}  // namespace

TEST_CASE("bit counts: exact at every length") { check_lengths<vicinal::simd::native_isa>(); }
TEST_CASE("bit counts: exact at every length without vectors") { check_lengths<vicinal::simd::scalar_isa>(); }
