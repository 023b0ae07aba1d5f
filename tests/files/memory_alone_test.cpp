// SPDX-License-Identifier: MIT
// Replaces the global operator new, so this file must be an executable of its own.
#include <cstdlib>
#include <new>

#include "files/support.hpp"
#include "support/reduced.hpp"

using namespace files_test;

namespace {

std::size_t live = 0;
std::size_t peak = 0;

void* take(std::size_t size, std::size_t alignment) {
    // The size stands before the block.
    const std::size_t room = alignment < 32 ? 32 : alignment;
    auto* block = static_cast<std::byte*>(std::aligned_alloc(room, (size + 2 * room - 1) / room * room));
    if (block == nullptr) throw std::bad_alloc();
    detail::store_le(block + room - 8, static_cast<std::uint64_t>(size));
    live += size;
    peak = std::max(peak, live);
    return block + room;
}

void give(void* at, std::size_t alignment) noexcept {
    if (at == nullptr) return;
    const std::size_t room = alignment < 32 ? 32 : alignment;
    auto* data = static_cast<std::byte*>(at);
    live -= static_cast<std::size_t>(detail::load_le<std::uint64_t>(data - 8));
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

namespace {

/// Loads the file in every way, and notes in `what` the most memory that took.
template <class Index>
void require_small(const char* what, const bytes_t& file, const std::filesystem::path& path) {
    spill(path, file);
    const std::size_t most = 2 * file.size() + mib;
    INFO(what << ", " << file.size() << " bytes");
    CHECK(peak_of([&] { static_cast<void>(refused([&] { (void)Index::load(path); })); }) <= most);
    CHECK(peak_of([&] {
              std::ifstream stream(path, std::ios::binary);
              static_cast<void>(refused([&] { (void)Index::load(stream); }));
          }) <= most);
    CHECK(peak_of([&] { static_cast<void>(refused([&] { (void)Index::load(std::span<const std::byte>(file)); })); }) <=
          most);
    CHECK(peak_of([&] { static_cast<void>(refused([&] { (void)Index::view(path); })); }) <= mib / 4);
}

/// The same for a file that is let in, and for the claims that a forger would make in it.
template <class Index>
void require_small_loads(const char* what, const Index& index, std::initializer_list<const char*> counted) {
    const temporary_directory folder;
    const bytes_t file = saved(index);
    REQUIRE(refused([&] { (void)Index::load(std::span<const std::byte>(file)); }) == std::nullopt);
    require_small<Index>(what, file, folder / "a.vic");
    for (const char* const section : counted)
        for (std::size_t i = 0; i < section_of(file, section).length / 8 && i < 2; ++i)
            for (const std::uint64_t claim : {std::uint64_t{1} << 20, std::uint64_t{1} << 31, ~std::uint64_t{0}})
                require_small<Index>(what, forged(file, section, i, claim), folder / "a.vic");
    for (const std::size_t field : {24U, 32U})  // dim and rows
        for (const std::uint64_t claim : {std::uint64_t{1} << 20, std::uint64_t{1} << 31, ~std::uint64_t{0}}) {
            bytes_t bad = file;
            detail::store_le(&bad[field], claim);
            sign(bad);
            require_small<Index>(what, bad, folder / "a.vic");
        }
}

}  // namespace

TEST_CASE("files: a load takes no more memory than twice the input and 1 MiB, whatever the file says") {
    // Where rows are shortest, what comes on top of them is most.
#if defined(VICINAL_TEST_REDUCED)
    constexpr std::size_t many = 20000;
#else
    constexpr std::size_t many = 200000;
#endif
    for (const std::size_t rows : {std::size_t{10}, many}) {
        flat_index<l2, f32, std::uint32_t> flat(1);
        flat.add(numbered<std::uint32_t>(rows), gaussian(rows, 1).view());
        require_small_loads("flat", flat, {"LIVE"});
    }
    for (const std::size_t lists : {4U, 1000U}) {
        ivf_index<l2, f32, std::uint32_t> ivf(1, {.lists = lists});
        ivf.train(gaussian(lists, 1).view());
        ivf.add(numbered<std::uint32_t>(many), gaussian(many, 1, 2).view());
        require_small_loads("ivf", ivf, {"LIVE", "IVF_", "LOFF"});
    }
    hnsw_index<l2, f32, std::uint32_t> hnsw(1, {.degree = 2, .ef_construction = 4});
    hnsw.add(numbered<std::uint32_t>(5000), gaussian(5000, 1).view());
    require_small_loads("hnsw", hnsw, {"LIVE", "HNSW"});
}
