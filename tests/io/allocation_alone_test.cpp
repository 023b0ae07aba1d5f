// SPDX-License-Identifier: MIT
// Replaces the global operator new, so this file must be an executable of its own.
#include <cstdlib>
#include <new>

#include "io/support.hpp"
#include "support/catch.hpp"

using namespace io_test;

namespace {

std::size_t live = 0;
std::size_t peak = 0;

void* take(std::size_t size, std::size_t alignment) {
    // The size stands before the block.
    const std::size_t room = alignment < 32 ? 32 : alignment;
    auto* block = static_cast<std::byte*>(std::aligned_alloc(room, (size + 2 * room - 1) / room * room));
    if (block == nullptr) throw std::bad_alloc();
    store_le(block + room - 8, static_cast<std::uint64_t>(size));
    live += size;
    peak = std::max(peak, live);
    return block + room;
}

void give(void* at, std::size_t alignment) noexcept {
    if (at == nullptr) return;
    const std::size_t room = alignment < 32 ? 32 : alignment;
    auto* data = static_cast<std::byte*>(at);
    live -= static_cast<std::size_t>(load_le<std::uint64_t>(data - 8));
    std::free(data - room);
}

/// The most that is allocated at once by `call` beyond what was before.
template <class Call>
std::size_t peak_of(Call&& call) {
    const std::size_t before = live;
    peak = live;
    call();
    return peak - before;
}

constexpr std::size_t mib = std::size_t{1} << 20;

}  // namespace

void* operator new(std::size_t size) { return take(size, 0); }
void* operator new[](std::size_t size) { return take(size, 0); }
void* operator new(std::size_t size, std::align_val_t alignment) {
    return take(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    try {
        return take(size, 0);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}
void operator delete(void* at, const std::nothrow_t&) noexcept { give(at, 0); }
void operator delete(void* at) noexcept { give(at, 0); }
void operator delete[](void* at) noexcept { give(at, 0); }
void operator delete(void* at, std::size_t) noexcept { give(at, 0); }
void operator delete[](void* at, std::size_t) noexcept { give(at, 0); }
void operator delete(void* at, std::align_val_t alignment) noexcept { give(at, static_cast<std::size_t>(alignment)); }
void operator delete(void* at, std::size_t, std::align_val_t alignment) noexcept {
    give(at, static_cast<std::size_t>(alignment));
}

TEST_CASE("io: loading takes no more memory than twice the input and 1 MiB, whatever the header claims") {
    const directory here;
    for (const std::size_t size : {std::size_t{100}, mib - 1000, mib, 3 * mib, 11 * mib}) {
        section_writer writer(sample_header());
        const bytes_t payload(size, std::byte{1});
        writer.add<std::byte>(codes, payload);
        auto bytes = writer.to_bytes();
        spill(here / "a.vic", bytes);
        const auto from_stream = [&] {
            std::ifstream stream(here / "a.vic", std::ios::binary);
            (void)refused([&] { (void)file_image(read_stream(stream)); });
        };
        CHECK(peak_of([&] { (void)file_image(read_path(here / "a.vic")); }) <= bytes.size() + mib / 16);
        CHECK(peak_of([&] { (void)file_image(map_path(here / "a.vic")); }) <= mib / 16);
        CHECK(peak_of([&] { (void)file_image(read_span(bytes)); }) <= bytes.size() + mib / 16);
        CHECK(peak_of(from_stream) <= 2 * bytes.size() + mib);
        // The same bytes claim to be a petabyte, in header and section table.
        store_le(&bytes[16], (std::uint64_t{1} << 50) + 256);
        store_le(&bytes[144], std::uint64_t{1} << 50);
        sign(bytes);
        spill(here / "a.vic", bytes);
        CHECK(peak_of(from_stream) <= 2 * bytes.size() + mib);
        CHECK(peak_of([&] { (void)refused([&] { (void)read_path(here / "a.vic"); }); }) <= mib / 16);
        CHECK(peak_of([&] { (void)refused([&] { (void)read_span(bytes); }); }) <= mib / 16);
    }
}
