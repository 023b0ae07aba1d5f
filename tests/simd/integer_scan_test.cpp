// SPDX-License-Identifier: MIT
// What simd/integer_scan.hpp promises: sums are exact, so that a limit divides the rows where it should.
#include "vicinal/simd/integer_scan.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <type_traits>
#include <vector>

#include "support/catch.hpp"

namespace {

using namespace vicinal::simd;

enum class kind { random, largest, smallest };

/// Codes and a query of one kind, and the sums of all rows taken naively.
template <unsigned Bits, integer_sum What>
struct sample {
    static constexpr std::size_t rows = 64;
    static constexpr std::size_t group = integer_scan_query<Bits>::group;
    static constexpr bool weighted = What == integer_sum::weighted_difference;
    static constexpr bool differences = What != integer_sum::product;
    static constexpr int top = Bits == 8 ? 255 : 15;
    std::size_t dim;
    std::size_t stride;
    std::vector<std::byte> codes;
    std::vector<typename integer_scan_query<Bits>::type> query;
    std::array<std::int64_t, rows> sums{};

    sample(std::size_t d, kind how) : dim(d), stride(integer_codes<Bits>::bytes(d) + 3) {
        std::mt19937 random(static_cast<unsigned>(d));
        const auto draw = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
        codes.resize(rows * stride + 64);
        for (std::byte& code : codes) code = static_cast<std::byte>(draw(0, 255));
        query.assign((d + group - 1) / group * group * (weighted ? 2 : 1), 0);
        int low = Bits == 8 ? -std::min(32766, (1 << 22) / static_cast<int>(d)) : -127;
        int high = -low;
        if (differences) {
            low = weighted ? integer_codes<8>::weighted_lowest : integer_codes<Bits>::lowest;
            high = weighted ? integer_codes<8>::weighted_highest : integer_codes<Bits>::highest;
        }
        std::vector<int> q(d), weight(d, 1);
        for (std::size_t i = 0; i < d; ++i) {
            q[i] = how == kind::random ? draw(low, high) : how == kind::largest ? high : low;
            if (weighted) weight[i] = how == kind::random ? draw(1, 64) : 64;
            const std::size_t at = i / group * group * (weighted ? 2 : 1) + integer_scan_place(i % group, group);
            query[at] = static_cast<typename integer_scan_query<Bits>::type>(q[i]);
            if constexpr (weighted) query[at + group] = integer_scan_weight(i, weight[i]);
        }
        for (std::size_t r = 0; r < rows; ++r) {
            // Differences are largest where code and query are at opposite ends.
            const int extreme = how == kind::smallest || !differences ? top : 0;
            std::int64_t four = 0;
            for (std::size_t i = 0; i < d; ++i) {
                const int x = how == kind::random ? draw(0, top) : extreme;
                put(r, i, x);
                const std::int64_t y = std::int64_t{x} * weight[i] - q[i];
                if constexpr (weighted) {
                    four += y * y;
                    if (i % 4 == 3 || i + 1 == d) {
                        sums[r] += four >> weighted_shift(d);
                        four = 0;
                    }
                } else if constexpr (differences) {
                    sums[r] += Bits == 8 ? y * y : std::int64_t{x} * (4 * x - q[i]);
                } else {
                    sums[r] += std::int64_t{x} * q[i];
                }
            }
        }
    }
    void put(std::size_t r, std::size_t i, int x) {
        if constexpr (Bits == 8) {
            codes[r * stride + i] = static_cast<std::byte>(x);
        } else {
            std::byte& pair = codes[r * stride + i / 2];
            const auto half = static_cast<std::byte>(x);
            pair = i % 2 == 0 ? (pair & std::byte{0xF0}) | half : (pair & std::byte{0x0F}) | half << 4;
        }
    }
};

template <class Isa, unsigned Bits, integer_sum What>
void check() {
    using V = lanes<Isa>;
    if constexpr (has_integer_scan<V>) {
        std::vector<std::size_t> dims{512, 1000, 8192};
        for (std::size_t dim = 1; dim <= 192; ++dim) dims.push_back(dim);
        for (const std::size_t dim : dims)
            for (const kind how : {kind::random, kind::largest, kind::smallest}) {
                const sample<Bits, What> s(dim, how);
                for (const std::size_t r :
                     dim % 32 < 3 ? std::vector<std::size_t>{0, 5, 33, 63} : std::vector<std::size_t>{40})
                    for (const std::int64_t limit : {s.sums[r], s.sums[r] - 1, s.sums[r] + 1}) {
                        std::uint64_t expected = 0;
                        for (std::size_t i = 0; i < 64; ++i)
                            if (What == integer_sum::product ? s.sums[i] >= limit : s.sums[i] <= limit)
                                expected |= std::uint64_t{1} << i;
                        for (const std::size_t count : {r + 1, std::size_t{64}}) {
                            const auto found =
                                integer_scan<V, Bits, What>(s.query.data(), dim, weighted_shift(dim), s.codes.data(),
                                                            s.stride, count, static_cast<std::int32_t>(limit));
                            if (found != (expected & ~std::uint64_t{0} >> (64 - count)))
                                FAIL("dim " << dim << ", limit " << limit << ", count " << count);
                        }
                    }
            }
    }
    SUCCEED();
}

/// Products of bytes, which every set has, against sums taken naively.
template <class Isa>
void check_byte_products() {
    for (const std::size_t dim : std::array<std::size_t, 7>{1, 16, 31, 33, 100, 1000, 8192})
        for (const std::size_t count : std::array<std::size_t, 4>{1, 4, 7, 64}) {
            const sample<8, integer_sum::product> s(dim, kind::random);
            std::array<std::int32_t, 65> out;
            out.fill(-7);
            byte_products<lanes<Isa>>(s.query.data(), dim, 5, s.codes.data(), s.stride, count, out.data());
            for (std::size_t r = 0; r < count; ++r) {
                CAPTURE(dim, count, r);
                REQUIRE(out[r] == s.sums[r] - 5);
            }
            REQUIRE(out[(count + 3) / 4 * 4] == -7);
        }
}

template <class Isa>
void check_8() {
    check<Isa, 8, integer_sum::product>();
    check<Isa, 8, integer_sum::squared_difference>();
    check<Isa, 8, integer_sum::weighted_difference>();
    check_byte_products<Isa>();
}
template <class Isa>
void check_4() {
    check<Isa, 4, integer_sum::product>();
    check<Isa, 4, integer_sum::squared_difference>();
}

}  // namespace

TEST_CASE("integer_scan: sums of 8-bit codes are exact on every set") {
    check_8<native_isa>();
#if defined(__AVX512F__)
    check_8<xsimd::fma3<xsimd::avx2>>();
#endif
    check_8<scalar_isa>();
#if defined(__SSE2__)
    check_8<xsimd::sse2>();
#endif
}
TEST_CASE("integer_scan: sums of 4-bit codes are exact on every set") {
    check_4<native_isa>();
#if defined(__AVX512F__)
    check_4<xsimd::fma3<xsimd::avx2>>();
#endif
#if defined(__SSE2__)
    check_4<xsimd::sse2>();
#endif
}

TEST_CASE("integer_scan: no more than 32 bytes are read past the last row") {
    if constexpr (has_integer_scan<native_isa>) {
        const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        void* const memory = mmap(nullptr, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        REQUIRE(memory != MAP_FAILED);
        auto* const end = static_cast<std::byte*>(memory) + 2 * page;
        REQUIRE(mprotect(end, page, PROT_NONE) == 0);
        const auto check = [&]<unsigned Bits, integer_sum What>(std::integral_constant<integer_sum, What>,
                                                                integer_codes<Bits> codes, std::size_t dim) {
            const std::size_t bytes = codes.bytes(dim);
            const std::vector<typename integer_scan_query<Bits>::type> query((dim + 63) / 64 * 64 * 2);
            // Products and sums of squares of zeros are 0.
            CHECK(integer_scan<lanes<native_isa>, Bits, What>(query.data(), dim, weighted_shift(dim),
                                                              end - 32 - 4 * bytes, bytes, 4, 0) == 15);
        };
        using enum integer_sum;
        for (std::size_t dim = 1; dim <= 300; ++dim) {
            check(std::integral_constant<integer_sum, product>{}, integer_codes<8>{}, dim);
            check(std::integral_constant<integer_sum, squared_difference>{}, integer_codes<8>{}, dim);
            check(std::integral_constant<integer_sum, weighted_difference>{}, integer_codes<8>{}, dim);
            check(std::integral_constant<integer_sum, product>{}, integer_codes<4>{}, dim);
            check(std::integral_constant<integer_sum, squared_difference>{}, integer_codes<4>{}, dim);
        }
        munmap(memory, 3 * page);
    }
}

TEST_CASE("integer_scan: there is one on x86 and on Arm, none in plain C++") {
    STATIC_REQUIRE(!has_integer_scan<scalar_isa>);
#if defined(__SSE2__)
    STATIC_REQUIRE(has_integer_scan<xsimd::sse2>);
#endif
#if defined(__SSE2__) || defined(__ARM_NEON)
    STATIC_REQUIRE(has_integer_scan<native_isa>);
#endif
}
