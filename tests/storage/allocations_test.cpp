// SPDX-License-Identifier: MIT
// What storage promises when memory runs out.
#include "storage/allocations.hpp"

#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "vicinal/codec/f32.hpp"
#include "vicinal/scoring/scorer.hpp"
#include "vicinal/storage/code_store.hpp"
#include "vicinal/storage/id_map.hpp"

namespace {

void* allocate(std::size_t size, std::size_t alignment) noexcept {
    ++vicinal_test::allocations;
    if (vicinal_test::allocations_left.load() != ~std::size_t{0} && vicinal_test::allocations_left.fetch_sub(1) == 0) {
        vicinal_test::allocations_left = 0;
        return nullptr;
    }
    if (alignment <= alignof(std::max_align_t)) return std::malloc(size == 0 ? 1 : size);
    return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}
void* allocate_or_throw(std::size_t size, std::size_t alignment = 1) {
    if (void* const p = allocate(size, alignment)) return p;
    throw std::bad_alloc();
}

}  // namespace

// All of them, so that no pair is split between these and a sanitizer's. Never inlined: compilers would see that delete
// is free, and warn.
#define NEVER_INLINE [[gnu::noinline]]
NEVER_INLINE void* operator new(std::size_t n) { return allocate_or_throw(n); }
NEVER_INLINE void* operator new[](std::size_t n) { return allocate_or_throw(n); }
NEVER_INLINE void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return allocate(n, 1); }
NEVER_INLINE void* operator new[](std::size_t n, const std::nothrow_t&) noexcept { return allocate(n, 1); }
NEVER_INLINE void* operator new(std::size_t n, std::align_val_t a) {
    return allocate_or_throw(n, static_cast<std::size_t>(a));
}
NEVER_INLINE void* operator new[](std::size_t n, std::align_val_t a) {
    return allocate_or_throw(n, static_cast<std::size_t>(a));
}
NEVER_INLINE void operator delete(void* p) noexcept { std::free(p); }
NEVER_INLINE void operator delete[](void* p) noexcept { std::free(p); }
NEVER_INLINE void operator delete(void* p, std::size_t) noexcept { std::free(p); }
NEVER_INLINE void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
NEVER_INLINE void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
NEVER_INLINE void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
NEVER_INLINE void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
NEVER_INLINE void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

namespace {

using namespace vicinal::detail;
using vicinal_test::failing_allocations;

/// Calls f with ever more allocations allowed until it succeeds; unharmed() must hold after each failure.
/// Returns how many times it failed.
template <class F, class Unharmed>
std::size_t failures_until_success(F f, Unharmed unharmed) {
    for (std::size_t allowed = 0; allowed < 100; ++allowed) {
        bool failed = false;
        try {
            const failing_allocations scope(allowed);
            f();
        } catch (const std::bad_alloc&) {
            failed = true;
        }
        if (!failed) return allowed;
        REQUIRE(unharmed());
    }
    FAIL("never succeeded");
    return 0;
}

TEST_CASE("chunked_rows: a reservation that fails leaves existing rows where they are and holds nothing more") {
    chunked_rows rows(40, 4);
    rows.reserve(10);
    const std::size_t capacity = rows.capacity();
    const std::byte* const at = rows[7];
    CHECK(failures_until_success([&] { rows.reserve(capacity + 1); },
                                 [&] { return rows.capacity() == capacity && rows[7] == at; }) == 1);
    CHECK(rows.capacity() == 2 * capacity);
    CHECK(rows[7] == at);
    // Segments made before the failure are given back.
    CHECK(failures_until_success([&] { rows.reserve(capacity * 16); },
                                 [&] { return rows.capacity() == 2 * capacity && rows[7] == at; }) == 3);
    CHECK(rows.capacity() == 16 * capacity);
}

TEST_CASE("id_map: a reservation that fails changes nothing that can be asked for") {
    id_map<std::uint64_t> directory;
    directory.reserve_extra(10);
    for (std::uint64_t id = 0; id < 10; ++id) directory.insert(id);
    const auto unharmed = [&] {
        if (directory.live() != 10 || directory.high_water() != 10 || directory.upcoming(0) != 10) return false;
        for (std::uint64_t id = 0; id < 12; ++id)
            if (directory.find(id) != (id < 10 ? static_cast<slot_t>(id) : no_slot)) return false;
        return true;
    };
    const auto reserve = [&] {
        directory.reserve_extra(100000);
        directory.reserve_free(100010);
    };
    CHECK(failures_until_success(reserve, unharmed) >= 3);
    CHECK(unharmed());
    const std::size_t before = vicinal_test::allocations;
    for (std::uint64_t id = 10; id < 100010; ++id) directory.insert(id);  // what was reserved is enough
    for (slot_t slot = 0; slot < 100010; ++slot) directory.retire(slot);
    for (slot_t slot = 0; slot < 100010; ++slot) directory.release(slot);
    CHECK(vicinal_test::allocations == before);
}

TEST_CASE("padded_vector: a resize that fails keeps the old size and memory") {
    padded_vector v;
    v.resize(10);
    const float* const at = v.data();
    CHECK(failures_until_success([&] { v.resize(1000); }, [&] { return v.span().size() == 10 && v.data() == at; }) ==
          1);
    CHECK(v.span().size() == 1000);
}

}  // namespace
