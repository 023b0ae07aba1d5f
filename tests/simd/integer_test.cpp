// What the integer kernels promise: exact sums of 8-bit codes, at every dimension and for every row.
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "simd/reference.hpp"
#include "support/catch.hpp"

namespace {

using vicinal::detail::slot_t;
namespace simd = vicinal::simd;
using simd::integer_sum;
using sizes = std::vector<std::size_t>;

/// The sum in 64 bits, as a person would write it.
std::int64_t exact(integer_sum what, const std::int16_t* q, const std::byte* x, std::size_t dim) {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < dim; ++i) {
        const auto code = std::to_integer<std::int64_t>(x[i]);
        sum += what == integer_sum::product ? q[i] * code : (q[i] - code) * (q[i] - code);
    }
    return sum;
}

/// A query and nine rows of the largest and smallest values where `extreme`, else random ones; what follows a row's
/// codes, and lies between rows, is 0xFF.
struct integers {
    static constexpr std::size_t n = 9;
    std::size_t dim;
    std::size_t stride;
    std::vector<std::int16_t> query;
    std::vector<std::byte> codes;
    std::uintptr_t origin;

    integers(std::size_t d, integer_sum what, bool extreme, std::mt19937& random)
        : dim(d), stride(d + 3), query((d + 15) / 16 * 16), codes(n * stride + simd::over_read, std::byte{0xFF}) {
        // Products may weigh 2^22 in all over a block; see scorer.hpp.
        const int weight =
            static_cast<int>(std::min<std::size_t>(32767, (std::size_t{1} << 22) / std::min<std::size_t>(d, 8192)));
        for (std::size_t i = 0; i < d; ++i) {
            const int low = what == integer_sum::product ? -weight : -255;
            const int high = what == integer_sum::product ? weight : 510;
            query[i] = static_cast<std::int16_t>(
                extreme ? (what == integer_sum::product ? low : high)
                        : low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1)));
        }
        for (std::size_t r = 0; r < n; ++r)
            for (std::size_t i = 0; i < d; ++i)
                row(r)[i] = extreme ? static_cast<std::byte>(what == integer_sum::product ? 255 : 0)
                                    : static_cast<std::byte>(random() & 255U);
        origin = reinterpret_cast<std::uintptr_t>(codes.data());
    }
    std::byte* row(std::size_t r) { return codes.data() + r * stride; }
    simd::row_table table() const { return {&origin, stride, 31}; }
};

template <class Isa, integer_sum What>
std::vector<float> sums(const integers& in, const std::vector<slot_t>& slots) {
    std::vector<float> out(slots.size() + 1, -7.0F);
    simd::static_kernels<Isa>::template integer_list<What>([](float sum) { return sum; }, in.query.data(), in.dim,
                                                           in.table(), slots.data(), slots.size(), out.data());
    CHECK(out.back() == -7.0F);
    out.pop_back();
    return out;
}

template <class Isa, integer_sum What>
void check_sums() {
    std::mt19937 random(20);
    sizes dims{255, 256, 257, 784, 1025, 8191, 8192, 8193, 16384 + 17, 33025, 33026, 66000};
    for (std::size_t d = 1; d <= 70; ++d) dims.push_back(d);
    for (const std::size_t dim : dims)
        for (const bool extreme : {false, true}) {
            integers in(dim, What, extreme, random);
            for (std::size_t count = 0; count <= integers::n; ++count) {
                std::vector<slot_t> slots;
                for (std::size_t i = 0; i < count; ++i)
                    slots.push_back(static_cast<slot_t>((i * 5 + count) % integers::n));
                const auto got = sums<Isa, What>(in, slots);
                for (std::size_t i = 0; i < count; ++i) {
                    const auto want = static_cast<double>(exact(What, in.query.data(), in.row(slots[i]), dim));
                    CAPTURE(dim, extreme, count, i, got[i], want);
                    // Sums are exact up to a block; one rounding to float, and one for each further block.
                    if (dim <= simd::integer_block)
                        REQUIRE(got[i] == static_cast<float>(want));
                    else
                        REQUIRE(std::fabs(got[i] - want) <= 2e-6 * std::fmax(std::fabs(want), extreme ? 0.0 : 2e9));
                }
            }
        }
}

TEST_CASE("integer kernels: sums of squared differences are exact, also of the largest values at every dimension") {
    check_sums<simd::native_isa, integer_sum::squared_difference>();
    check_sums<simd::scalar_isa, integer_sum::squared_difference>();
#if defined(__SSE2__)
    check_sums<xsimd::sse2, integer_sum::squared_difference>();
#endif
}

TEST_CASE("integer kernels: sums of products are exact, also of the largest values at every dimension") {
    check_sums<simd::native_isa, integer_sum::product>();
    check_sums<simd::scalar_isa, integer_sum::product>();
#if defined(__SSE2__)
    check_sums<xsimd::sse2, integer_sum::product>();
#endif
}

TEST_CASE("integer kernels: the last row's over_read allowance is enough") {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    void* const memory = mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    auto* const first = static_cast<std::byte*>(memory);
    REQUIRE(mprotect(first + page, page, PROT_NONE) == 0);
    for (std::size_t dim = 1; dim <= 200; ++dim) {
        const std::vector<std::int16_t> query((dim + 15) / 16 * 16, 1);
        const auto origin = reinterpret_cast<std::uintptr_t>(first + page - simd::over_read - dim);
        const slot_t slot = 0;
        float sum = -1;
        simd::native_kernels::integer_list<integer_sum::product>([](float s) { return s; }, query.data(), dim,
                                                                 {&origin, dim, 31}, &slot, 1, &sum);
        CHECK(sum == 0.0F);
    }
    munmap(memory, 2 * page);
}

}  // namespace
