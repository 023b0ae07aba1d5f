// SPDX-License-Identifier: MIT
// Kernels read at most over_read bytes past a row and a query: both end that far before a page nobody may touch.
#include <sys/mman.h>
#include <unistd.h>

#include <vector>

#include "simd/reference.hpp"
#include "support/catch.hpp"

namespace {

using namespace vicinal_test;
namespace simd = vicinal::simd;

/// Pages whose last one cannot be read: whatever touches it dies.
class guarded_pages {
  public:
    explicit guarded_pages(std::size_t bytes) {
        const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        readable_ = (bytes + page - 1) / page * page;
        size_ = readable_ + page;
        void* const memory = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        REQUIRE(memory != MAP_FAILED);
        data_ = static_cast<std::byte*>(memory);
        REQUIRE(mprotect(data_ + readable_, page, PROT_NONE) == 0);
    }
    guarded_pages(const guarded_pages&) = delete;
    guarded_pages& operator=(const guarded_pages&) = delete;
    ~guarded_pages() { munmap(data_, size_); }
    /// Where `bytes` end just before the allowance, and the allowance just before the page.
    std::byte* place(std::size_t bytes) const { return data_ + readable_ - simd::over_read - bytes; }

  private:
    std::byte* data_ = nullptr;
    std::size_t readable_ = 0;
    std::size_t size_ = 0;
};

template <class Isa, class Codec>
std::size_t differences(std::size_t dim, std::mt19937& random) {
    constexpr std::size_t n = 5;
    const auto codec = make_codec<Codec>(dim, random_vector(64, random));
    const std::size_t bytes = codec.code_size();
    const guarded_pages row_pages(n * bytes + simd::over_read);
    const guarded_pages query_pages(dim * sizeof(float) + simd::over_read);
    std::byte* const rows = row_pages.place(n * bytes);
    auto* const query = reinterpret_cast<float*>(query_pages.place(dim * sizeof(float)));
    const auto values = random_vector(dim, random);
    std::copy(values.begin(), values.end(), query);
    std::vector<std::byte> copy(n * bytes + simd::over_read);
    for (std::size_t r = 0; r < n; ++r) {
        codec.encode(random_vector(dim, random), {rows + r * bytes, bytes});
        std::copy_n(rows + r * bytes, bytes, copy.data() + r * bytes);
    }
    std::array<float, n> got{}, want{};
    simd::static_kernels<Isa>::score_block(vicinal::l2{}, codec, query, dim, rows, bytes, n, got.data());
    std::vector<float> padded(values);
    padded.resize(dim + simd::over_read / sizeof(float));
    simd::static_kernels<Isa>::score_block(vicinal::l2{}, codec, padded.data(), dim, copy.data(), bytes, n,
                                           want.data());
    std::size_t different = 0;
    for (std::size_t r = 0; r < n; ++r) different += !same_bits(got[r], want[r]);
    return different;
}

template <class Isa>
void check_all_codecs() {
    std::mt19937 random(6);
    std::size_t different = 0;
    for (std::size_t dim = 1; dim <= 80; ++dim) {
        different += differences<Isa, vicinal::f32>(dim, random);
        different += differences<Isa, vicinal::f16>(dim, random);
        different += differences<Isa, vicinal::bf16>(dim, random);
        different += differences<Isa, vicinal::sq8>(dim, random);
        different += differences<Isa, vicinal::sq4>(dim, random);
    }
    CHECK(different == 0);
}

TEST_CASE("kernels: nothing beyond over_read bytes past the last row or the query is touched") {
    check_all_codecs<simd::native_isa>();
    check_all_codecs<simd::scalar_isa>();
#if defined(__SSE2__)
    check_all_codecs<xsimd::sse2>();
#endif
}

}  // namespace
