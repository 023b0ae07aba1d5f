// SPDX-License-Identifier: MIT
// A warmed-up search into the caller's memory allocates nothing. This file replaces the global operator new, for the
// whole test program, by one that counts what each thread asks for.
#include <cstdlib>
#include <new>

#include "contract/index_contract.hpp"
#include "contract/subject.hpp"
#include "vicinal/flat.hpp"

namespace {
thread_local std::size_t allocations = 0;
thread_local std::size_t bytes = 0;

void* counted(std::size_t size, std::size_t alignment) {
    ++allocations;
    bytes += size;
    const std::size_t whole = (std::max<std::size_t>(size, 1) + alignment - 1) / alignment * alignment;
    if (void* p = std::aligned_alloc(alignment, whole)) return p;
    throw std::bad_alloc();
}
}  // namespace

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"  // both sides are replaced here, which it does not see
#endif
void* operator new(std::size_t size) { return counted(size, alignof(std::max_align_t)); }
void* operator new[](std::size_t size) { return counted(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t align) { return counted(size, static_cast<std::size_t>(align)); }
void* operator new[](std::size_t size, std::align_val_t align) {
    return counted(size, static_cast<std::size_t>(align));
}
// The nothrow forms too: std::stable_sort asks by one and frees by the plain delete, which a sanitizer's own would not
// match.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return std::malloc(size == 0 ? 1 : size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return std::malloc(size == 0 ? 1 : size); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

namespace {

using namespace vicinal_test;

TEST_CASE("allocations: a warm search into the caller's memory allocates nothing") {
    FOR_EVERY_INDEX(s);
    filled f(s, gaussian(400, 19));
    for (std::size_t i = 0; i < 40; ++i) f.index->remove(f.ids[i * 7]);
    const dataset queries = gaussian(20, 19, 8);
    hits_t room(10);
    const auto odd = [](std::uint64_t id) { return id % 2 == 1; };
    const vicinal::id_set<std::uint64_t> few(std::span(f.ids).last(20));
    const vicinal::id_set<std::uint64_t> many(std::span(f.ids).last(300));
    vicinal::search_stats stats;
    for (int kind = 0; kind < 5; ++kind) {
        asking how;
        how.everything = kind % 2 == 1;
        how.stats = &stats;
        if (kind == 2) how.filter = odd;
        if (kind == 3) how.filter = few;
        if (kind == 4) how.filter = many;
        for (std::size_t q = 0; q < queries.rows(); ++q) (void)f.index->search(queries[q], std::span(room), how);
        const std::size_t before = allocations;
        std::size_t found = 0;
        for (std::size_t q = 0; q < queries.rows(); ++q) found += f.index->search(queries[q], std::span(room), how);
        const std::size_t made = allocations - before;
        INFO("kind " << kind);
        REQUIRE(made == 0);
        REQUIRE(found == 200);
    }
}

TEST_CASE("allocations: a batch of bytes is not copied as floats") {
    constexpr std::size_t count = 40000, dim = 64;
    const auto ids = numbered<std::uint64_t>(count);
    const auto bytes_taken = [&](const vicinal::rows_view& rows) {
        vicinal::flat_index<inner_product, u8> index(dim);
        const std::size_t before = bytes;
        REQUIRE(index.add(ids, rows) == count);
        REQUIRE(index.get(count - 1) == std::vector<float>(dim, 7.0F));
        return bytes - before;
    };
    const std::size_t taken = bytes_taken({std::vector<std::uint8_t>(count * dim, 7), dim});
    REQUIRE(taken < count * dim * sizeof(float));
    REQUIRE(taken == bytes_taken({std::vector<float>(count * dim, 7.0F), dim}));
}

TEST_CASE("allocations: the counter counts") {
    const std::size_t before = allocations;
    const std::size_t bytes_before = bytes;
    const auto p = std::make_unique<int>(1);
    REQUIRE(allocations > before);
    REQUIRE(bytes >= bytes_before + sizeof(int));
    REQUIRE(*p == 1);
}

}  // namespace
