// What storage/chunked_rows.hpp promises.
#include "vicinal/storage/chunked_rows.hpp"

#include <cstring>
#include <limits>
#include <thread>
#include <vector>

#include "support/catch.hpp"

namespace {

using sizes = std::vector<std::size_t>;
using namespace vicinal::detail;

bool on_boundary(const void* p, std::size_t alignment) { return reinterpret_cast<std::uintptr_t>(p) % alignment == 0; }
slot_t slot(std::size_t i) { return static_cast<slot_t>(i); }

TEST_CASE("chunked_rows: rows never move and keep their bytes while twelve segments are added") {
    chunked_rows rows(24, 4);
    rows.reserve(1);
    std::vector<const std::byte*> addresses;
    const std::size_t target = rows.capacity() << 11;
    while (rows.capacity() < target) {
        for (std::size_t i = addresses.size(); i < rows.capacity(); ++i) {
            addresses.push_back(rows[slot(i)]);
            std::memcpy(rows[slot(i)], &i, sizeof i);
        }
        rows.reserve(rows.capacity() + 1);
    }
    std::size_t moved = 0;
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        std::size_t value;
        std::memcpy(&value, rows[slot(i)], sizeof value);
        moved += rows[slot(i)] != addresses[i] || value != i;
    }
    CHECK(moved == 0);
}

TEST_CASE("chunked_rows: a segment boundary is a multiple of 64 rows, and rows of one segment lie a stride apart") {
    for (const std::size_t row_bytes : sizes{1, 4, 100, 512, 3000, 20000, 300000}) {
        chunked_rows rows(row_bytes, 4);
        const std::size_t wanted = row_bytes > 10000 ? 300 : 40000;
        rows.reserve(wanted);
        CAPTURE(row_bytes);
        CHECK(rows.capacity() >= wanted);
        std::size_t odd_boundaries = 0;
        for (std::size_t i = 1; i < wanted; ++i)
            odd_boundaries +=
                rows[slot(i)] - rows[slot(i - 1)] != static_cast<std::ptrdiff_t>(rows.stride()) && i % 64 != 0;
        CHECK(odd_boundaries == 0);
    }
}

TEST_CASE("chunked_rows: reserve makes room for what was asked, doubling, and does nothing if there is room") {
    chunked_rows rows(64, 64);
    CHECK(rows.capacity() == 0);
    CHECK(rows.memory() == 0);
    rows.reserve(0);
    CHECK(rows.capacity() == 0);
    rows.reserve(1);
    const std::size_t first = rows.capacity();
    CHECK(first * rows.stride() <= 64 << 10);  // an index of a few rows stays small
    rows.reserve(first);
    CHECK(rows.capacity() == first);
    rows.reserve(first + 1);
    CHECK(rows.capacity() == 2 * first);
    rows.reserve(5 * first);
    CHECK(rows.capacity() == 8 * first);
    CHECK(rows.memory() >= rows.capacity() * rows.stride());
    CHECK(rows.memory() <= rows.capacity() * rows.stride() + 4 * 64);
}

TEST_CASE("chunked_rows: every row is aligned as asked, and the stride holds the row") {
    for (const std::size_t alignment : sizes{1, 4, 8, 32, 64})
        for (const std::size_t row_bytes : sizes{1, 5, 63, 64, 65, 129}) {
            chunked_rows rows(row_bytes, alignment);
            rows.reserve(500);
            CHECK(rows.stride() >= row_bytes);
            CHECK(rows.stride() < row_bytes + alignment);
            for (std::size_t i = 0; i < 500; i += 7) REQUIRE(on_boundary(rows[slot(i)], alignment));
            CHECK(on_boundary(rows[0], 64));
        }
}

TEST_CASE("chunked_rows: the allowance behind the last row of every segment may be read") {
    chunked_rows rows(37, 1);
    rows.reserve(3000);
    for (std::size_t last = 63; last < rows.capacity(); ++last)  // under ASan, a read too far is an error
        if (last + 1 == rows.capacity() || rows[slot(last + 1)] != rows[slot(last)] + rows.stride())
            for (std::size_t i = 0; i < vicinal::simd::over_read; ++i) {
                volatile std::byte* const behind = rows[slot(last)] + rows.stride() + i;
                *behind = std::byte{1};
            }
    SUCCEED();
}

TEST_CASE("chunked_rows: borrowed memory is used in place, in one piece") {
    std::vector<std::byte> memory(100 * 8);
    chunked_rows rows(8, 4);
    rows.borrow(memory.data());
    for (std::size_t i = 0; i < 100; ++i) REQUIRE(std::as_const(rows)[slot(i)] == memory.data() + 8 * i);
    CHECK(rows.memory() == 0);
    rows.borrow(reinterpret_cast<const std::byte*>(std::uintptr_t{4096}));  // up to the last row an index can number
    CHECK(reinterpret_cast<std::uintptr_t>(rows[slot(max_slots)]) == 4096 + max_slots * 8);
}

TEST_CASE("chunked_rows: readers use published rows while a writer adds segments") {
    chunked_array<std::uint64_t> numbers;
    numbers.reserve(1);
    const std::size_t published = numbers.capacity();
    for (std::size_t i = 0; i < published; ++i) numbers[slot(i)] = i * i;
    std::size_t wrong = 0;
    std::thread reader([&] {
        for (int round = 0; round < 20; ++round)
            for (std::size_t i = 0; i < published; ++i) wrong += std::as_const(numbers)[slot(i)] != i * i;
    });
    for (int more = 0; more < 8; ++more) {
        const std::size_t first = numbers.capacity();
        numbers.reserve(first + 1);
        for (std::size_t i = first; i < numbers.capacity(); ++i) numbers[slot(i)] = 7;
    }
    reader.join();
    CHECK(wrong == 0);
}

TEST_CASE("chunked_rows: a copy of borrowed rows is equal, its own, and can grow") {
    for (const std::size_t stride : {1U, 4U, 12U, 4096U, 100000U})
        for (const std::size_t count : {0U, 1U, 63U, 64U, 65U, 200U, 1500U}) {
            if (stride * count > 2000000) continue;
            CAPTURE(stride, count);
            std::vector<std::byte> lent(stride * count + 64);
            for (std::size_t i = 0; i < lent.size(); ++i) lent[i] = static_cast<std::byte>(i * 7 + i / 256);
            const auto before = lent;
            chunked_rows rows(stride);
            rows.borrow(lent.data());
            chunked_rows own = rows.owned(count);
            lent.assign(lent.size(), std::byte{0});
            CHECK(rows.memory() == 0);
            REQUIRE(own.capacity() >= count);
            own.reserve(count + 1);
            std::memset(own[static_cast<slot_t>(count)], 1, stride);
            for (std::size_t i = 0; i < count; ++i)
                REQUIRE(std::memcmp(own[static_cast<slot_t>(i)], before.data() + i * stride, stride) == 0);
        }
}

}  // namespace
