// SPDX-License-Identifier: MIT
// What storage/chunked_rows.hpp promises.
#include "vicinal/storage/chunked_rows.hpp"

#include <cstring>
#include <limits>
#include <thread>
#include <vector>
#if defined(__GLIBC__)
#include <malloc.h>
#include <sys/mman.h>
#endif

#include "support/catch.hpp"
#include "support/sanitized.hpp"

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
    CHECK(rows.reserved() >= rows.capacity() * rows.stride());
    CHECK(rows.reserved() <= rows.capacity() * rows.stride() + 4 * 64);
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

#if defined(__GLIBC__) && !defined(VICINAL_TEST_SANITIZED)
/// Bytes of [begin, begin + size) that the system has given memory for.
std::size_t resident(const std::byte* begin, std::size_t size) {
    const std::size_t before = reinterpret_cast<std::uintptr_t>(begin) % page_bytes;
    std::vector<unsigned char> pages((before + size + page_bytes - 1) / page_bytes);
    REQUIRE(::mincore(const_cast<std::byte*>(begin) - before, before + size, pages.data()) == 0);
    std::size_t bytes = 0;
    for (const unsigned char page : pages) bytes += (page & 1) * page_bytes;
    return bytes;
}

TEST_CASE("chunked_rows: memory is what the system has given, reserved what could be used") {
    ::malloc_trim(0);  // what other tests have freed is the system's again
    chunked_rows rows(1000, 4);
    rows.reserve(3000);
    const std::size_t capacity = rows.capacity();
    REQUIRE(capacity == 4096);
    CHECK(rows.memory() == 0);
    CHECK(rows.reserved() >= 4096 * 1000);
    const auto measured = [&] {  // the segments [0, 64), [64, 128), [128, 256) and so on
        std::size_t bytes = resident(rows[0], 64 * 1000);
        for (std::size_t first = 64; first < capacity; first *= 2) bytes += resident(rows[slot(first)], first * 1000);
        return bytes;
    };
    for (const std::size_t count : {1U, 100U, 1000U, 1001U, 2100U, 3000U}) {
        rows.touch(count);
        CAPTURE(count);
        const std::size_t now = measured();
        CHECK(now + 10 * page_bytes >= rows.memory());
        CHECK(now <= rows.memory() + 16 * page_bytes);
        for (std::size_t i = 0; i < count; i += 3)
            if (resident(rows[slot(i)], 1000) < 1000) FAIL("row " << i);
    }
}

TEST_CASE("chunked_rows: pages of rows that are gone are the system's again, and rows that stay are as they were") {
    chunked_rows rows(1000, 4);
    rows.reserve(6000);
    const auto in_last_segment = [&] { return resident(rows[slot(4096)], 4096 * 1000); };
    const auto fill = [&](std::size_t first) {
        rows.touch(6000);
        for (std::size_t i = first; i < 6000; ++i) std::memset(rows[slot(i)], static_cast<int>(i % 251), rows.stride());
    };
    fill(0);
    REQUIRE(in_last_segment() >= 1900 * 1000);
    for (const std::size_t left : {5999U, 5000U, 4097U}) {
        CAPTURE(left);
        rows.fit(left);
        CHECK(rows.capacity() == 8192);
        CHECK(rows.memory() <= left * 1000 + 2 * page_bytes);
        CHECK(in_last_segment() <= (left - 4096) * 1000 + 3 * page_bytes);
        std::size_t changed = 0;
        for (std::size_t i = 0; i < left; ++i)
            for (std::size_t b = 0; b < 1000; ++b) changed += rows[slot(i)][b] != static_cast<std::byte>(i % 251);
        CHECK(changed == 0);
        fill(left);
        CHECK(rows.memory() >= 6000 * 1000);
    }
    std::size_t times = 0;
    for (std::size_t left = 6000; left > 3200; --left) {
        const std::size_t before = rows.memory();
        rows.give_back(left);
        times += rows.memory() != before ? 1 : 0;
        REQUIRE(rows.memory() <= left * 1000 * 4 / 3 + 18 * page_bytes);
        REQUIRE(rows.memory() >= left * 1000);
    }
    CHECK(times >= 2);
    CHECK(times <= 5);
}
#endif

TEST_CASE("chunked_rows: to touch rows changes nothing in them, nor near those before") {
    chunked_rows rows(100, 4);
    rows.reserve(100000);
    rows.touch(777);
    for (std::size_t i = 0; i < 100000; ++i) std::memset(rows[slot(i)], static_cast<int>(i % 251), rows.stride());
    rows.touch(99999);
    std::size_t changed = 0;
    for (std::size_t i = 0; i < 100000; ++i)
        for (std::size_t b = 0; b < 100; ++b) changed += rows[slot(i)][b] != static_cast<std::byte>(i % 251);
    CHECK(changed == 0);
}

TEST_CASE("chunked_rows: segments are given back from the end, none that holds a row wanted") {
    chunked_rows rows(256, 4);
    rows.reserve(20000);
    rows.touch(20000);
    for (std::size_t i = 0; i < 20000; ++i) std::memcpy(rows[slot(i)], &i, sizeof i);
    std::size_t changes = 0;
    for (std::size_t left = 20000; left > 0; --left) {
        const std::size_t capacity = rows.capacity();
        rows.give_back(left);
        changes += rows.capacity() != capacity;
        REQUIRE(rows.capacity() >= left);
        REQUIRE(rows.capacity() <= std::max<std::size_t>(128, 8 * left / 3 + 1));
        REQUIRE(rows.memory() <= rows.reserved());
        std::size_t value;
        std::memcpy(&value, rows[slot(left - 1)], sizeof value);
        REQUIRE(value == left - 1);
    }
    CHECK(changes == 8);  // 32768 to 128 rows
    rows.reserve(10000);
    std::size_t moved = 0;
    for (int turn = 0; turn < 100; ++turn) {  // rows come and go where a segment ends
        rows.give_back(8192);
        moved += rows.capacity() != 16384 ? 1 : 0;
        rows.reserve(8193);
    }
    CHECK(moved == 0);
    rows.reserve(20000);
    rows.touch(20000);
    CHECK(rows.memory() >= 20000 * 256);
    rows.fit(16385);
    CHECK(rows.capacity() == 32768);
    rows.fit(16384);
    CHECK(rows.capacity() == 16384);
    CHECK(rows.memory() <= rows.reserved());
    rows.fit(0);
    CHECK(rows.reserved() <= 64 << 10);  // little is kept for who begins anew
    chunked_rows large(1 << 20);
    large.reserve(1);
    large.fit(0);
    CHECK(large.reserved() == 0);
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
