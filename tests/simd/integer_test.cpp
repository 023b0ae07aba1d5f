// SPDX-License-Identifier: MIT
// What the integer kernels promise: exact sums of 8- and 4-bit codes, at every dimension and for every row.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <random>
#include <vector>

#include "simd/reference.hpp"
#include "support/catch.hpp"
#include "support/reduced.hpp"

namespace {

using vicinal::detail::slot_t;
namespace simd = vicinal::simd;
using simd::integer_sum;
using sizes = std::vector<std::size_t>;

constexpr std::size_t groups(std::size_t dim) { return (dim + 63) / 64 * 64; }

/// Component i of a code, as docs/format.md has it.
template <unsigned Bits>
std::int64_t component(const std::byte* code, std::size_t i) {
    if (Bits == 8) return std::to_integer<std::int64_t>(code[i]);
    return std::to_integer<std::int64_t>(code[i / 2]) >> (i % 2 * 4) & 15;
}

/// The sum in 64 bits, as a person would write it. q is in the components' order.
template <unsigned Bits>
std::int64_t exact(integer_sum what, const std::int16_t* q, const std::byte* code, std::size_t dim) {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < dim; ++i) {
        const std::int64_t x = component<Bits>(code, i);
        const std::int64_t difference = (Bits == 8 ? 1 : 8) * x - q[i];
        sum += what == integer_sum::product ? q[i] * x : difference * difference;
    }
    return sum;
}

/// A query and nine rows of the largest and smallest values where `extreme`, else random ones; what follows a row's
/// codes, and lies between rows, is 0xFF.
template <unsigned Bits>
struct integers {
    using codes_type = simd::integer_codes<Bits>;
    static constexpr std::size_t n = 9;
    std::size_t dim;
    std::size_t stride;
    std::vector<std::int16_t> natural;
    std::vector<typename codes_type::query_type> query;
    std::vector<std::byte> codes;
    std::uintptr_t origin;

    integers(std::size_t d, integer_sum what, bool extreme, std::mt19937& random)
        : dim(d),
          stride(codes_type::bytes(d) + 3),
          natural(groups(d)),
          query(groups(d)),
          codes(n * stride + simd::over_read, std::byte{0xFF}) {
        const int weight = static_cast<int>(std::fmin(
            codes_type::largest_weight, codes_type::total_weight / static_cast<float>(std::min<std::size_t>(d, 8192))));
        const int low = what == integer_sum::product ? -weight : codes_type::lowest;
        const int high = what == integer_sum::product ? weight : codes_type::highest;
        const int worst = what == integer_sum::product ? low : random() % 2 == 0 ? low : high;
        for (std::size_t i = 0; i < d; ++i)
            natural[i] = static_cast<std::int16_t>(
                extreme ? worst : low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1)));
        for (std::size_t i = 0; i < natural.size(); i += 64) codes_type::arrange(natural.data() + i, query.data() + i);
        const bool top = what == integer_sum::product || worst == low;
        for (std::size_t r = 0; r < n; ++r) {
            for (std::size_t i = 0; i < codes_type::bytes(d); ++i)
                row(r)[i] = extreme ? static_cast<std::byte>(top ? 255 : 0) : static_cast<std::byte>(random() & 255U);
            // The unused half byte of an odd dimension is left as it came: kernels must not look at it.
        }
        origin = reinterpret_cast<std::uintptr_t>(codes.data());
    }
    std::byte* row(std::size_t r) { return codes.data() + r * stride; }
    simd::row_table table() const { return {&origin, stride, 31}; }

    /// Every sum of the kernel, of squared differences what they stand for.
    template <class Isa, integer_sum What>
    std::vector<float> sums(const std::vector<slot_t>& slots) const {
        std::vector<float> out(slots.size() + 1, -7.0F);
        simd::integer_scale scale{1, 0, 2.0F, 0.0F};
        if (What == integer_sum::squared_difference)
            scale = {codes_type::of_sum, codes_type::add_squares(query.data(), dim), 2.0F, 0.0F};
        simd::static_kernels<Isa>::template integer_list<Bits, What>(
            scale, [](float sum) { return sum / 2; }, query.data(), dim, table(), slots.data(), slots.size(),
            out.data());
        CHECK(out.back() == -7.0F);
        out.pop_back();
        return out;
    }
};

template <class Isa, unsigned Bits, integer_sum What>
void check_sums(const sizes& dims, std::size_t most) {
    std::mt19937 random(20);
    for (const std::size_t dim : dims)
        for (const bool extreme : {false, true}) {
            integers<Bits> in(dim, What, extreme, random);
            sizes counts{61};  // more rows than are asked for ahead
            for (std::size_t count = 0; count <= most; ++count) counts.push_back(count);
            for (const std::size_t count : counts) {
                std::vector<slot_t> slots;
                for (std::size_t i = 0; i < count; ++i) slots.push_back(static_cast<slot_t>((i * 5 + count) % in.n));
                const auto got = in.template sums<Isa, What>(slots);
                for (std::size_t i = 0; i < count; ++i) {
                    // In integers to the end: one rounding to float, whatever the dimension.
                    const auto want = static_cast<float>(exact<Bits>(What, in.natural.data(), in.row(slots[i]), dim));
                    CAPTURE(Bits, dim, extreme, count, i, got[i], want);
                    if (got[i] != want) REQUIRE(got[i] == want);
                }
            }
        }
}
template <class Isa>
void check_all() {
    sizes dims{8191, 8192, 8193, 16384 + 17, 33025, 33026, 65536};
    for (const std::size_t d : {511U, 512U, 513U, 784U, 1025U, 1536U}) dims.push_back(d);
    const auto check = [](const sizes& some, std::size_t most) {
        check_sums<Isa, 8, integer_sum::product>(some, most);
        check_sums<Isa, 8, integer_sum::squared_difference>(some, most);
        check_sums<Isa, 4, integer_sum::product>(some, most);
        check_sums<Isa, 4, integer_sum::squared_difference>(some, most);
    };
    check(dims, 4);
    sizes all;
#if defined(VICINAL_TEST_REDUCED)
    constexpr std::size_t up_to = 150;  // two of the widest steps, and every remainder
#else
    constexpr std::size_t up_to = 300;
#endif
    for (std::size_t d = 1; d <= up_to; ++d) all.push_back(d);
    check(all, 9);
}

TEST_CASE("integer kernels: sums are exact, also of the largest values, at every dimension and on every set") {
    check_all<simd::native_isa>();
    check_all<simd::scalar_isa>();
#if defined(__AVX512F__)
    check_all<xsimd::fma3<xsimd::avx2>>();
#endif
#if defined(__SSE2__)
    check_all<xsimd::sse2>();
#endif
}

/// Weighted differences as docs of integer_sum have them, in 64 bits.
std::int64_t exact_weighted(const std::vector<std::int16_t>& q, const std::vector<std::int16_t>& weights,
                            const std::byte* code, unsigned shift) {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < q.size(); i += 2) {
        std::int64_t pair = 0;
        for (std::size_t j = i; j < std::min(i + 2, q.size()); ++j) {
            const std::int64_t difference = component<8>(code, j) * weights[j] - q[j];
            pair += difference * difference;
        }
        sum += pair >> shift;
    }
    return sum;
}

template <class Isa>
void check_weighted(const sizes& dims) {
    using codes = simd::integer_codes<8>;
    std::mt19937 random(22);
    for (const std::size_t dim : dims)
        for (const int extreme : {0, 1, 2}) {
            std::vector<std::int16_t> q(dim), weights(dim), query((dim + 15) / 16 * 32, 0);
            std::vector<std::byte> row(dim + simd::over_read, std::byte{0xFF});
            for (std::size_t i = 0; i < dim; ++i) {
                constexpr int low = codes::weighted_lowest, high = codes::weighted_highest;
                weights[i] = static_cast<std::int16_t>(extreme != 0 ? 64 : 1 + random() % 64);
                q[i] = static_cast<std::int16_t>(extreme == 1   ? low
                                                 : extreme == 2 ? high
                                                                : low + static_cast<int>(random() % (high - low + 1)));
                row[i] = static_cast<std::byte>(extreme == 1 ? 255 : extreme == 2 ? 0 : random() & 255U);
                query[i / 16 * 32 + i % 16] = q[i];
                query[i / 16 * 32 + i % 16 + 16] = weights[i];
            }
            const auto origin = reinterpret_cast<std::uintptr_t>(row.data());
            const slot_t slot = 0;
            float got = -1;
            simd::static_kernels<Isa>::template integer_list<8, integer_sum::weighted_difference>(
                {}, [](float sum) { return sum; }, query.data(), dim, {&origin, dim, 31}, &slot, 1, &got);
            CAPTURE(dim, extreme);
            REQUIRE(got == static_cast<float>(exact_weighted(q, weights, row.data(), simd::weighted_shift(dim))));
        }
}

TEST_CASE("integer kernels: weighted differences are exact but for the shift, at every dimension and on every set") {
    sizes dims{511, 512, 513, 1536, 8191, 8192, 8193, 16384 + 17, 65536};
    for (std::size_t d = 1; d <= 300; ++d) dims.push_back(d);
    check_weighted<simd::native_isa>(dims);
    check_weighted<simd::scalar_isa>(dims);
#if defined(__AVX512F__)
    check_weighted<xsimd::fma3<xsimd::avx2>>(dims);
#endif
#if defined(__SSE2__)
    check_weighted<xsimd::sse2>(dims);
#endif
}

TEST_CASE("integer kernels: a row as the query of weighted differences is at no distance from itself") {
    using codes = simd::integer_codes<8>;
    for (const std::size_t dim : sizes{1, 15, 16, 17, 128, 300}) {
        std::vector<std::int16_t> weights(dim + 16, 0), query((dim + 15) / 16 * 32, 77);
        std::vector<std::byte> row(dim + simd::over_read, std::byte{0xFF});
        for (std::size_t i = 0; i < dim; ++i) {
            weights[i] = static_cast<std::int16_t>(1 + i % 64);
            row[i] = static_cast<std::byte>(i * 7);
        }
        codes::from_weighted_code(row.data(), weights.data(), dim, query.data());
        for (std::size_t i = 0; i < (dim + 15) / 16 * 16; ++i) {
            const std::size_t at = i / 16 * 32 + i % 16;
            REQUIRE(query[at] == (i < dim ? std::to_integer<int>(row[i]) * weights[i] : 0));
            REQUIRE(query[at + 16] == weights[i]);
        }
    }
}

TEST_CASE("integer kernels: a row as the query has its own components, and zeros behind") {
    std::mt19937 random(21);
    const auto check = [&]<unsigned Bits>(simd::integer_codes<Bits> codes, std::size_t dim) {
        integers<Bits> in(dim, integer_sum::squared_difference, false, random);
        std::vector<typename decltype(codes)::query_type> query(groups(dim), 77);
        codes.from_code(in.row(3), dim, query.data());
        in.query = query;
        for (std::size_t i = 0; i < dim; ++i)
            in.natural[i] = static_cast<std::int16_t>(codes.per_step * component<Bits>(in.row(3), i));
        std::vector<std::int16_t> natural(groups(dim));
        std::copy(in.natural.begin(), in.natural.begin() + static_cast<std::ptrdiff_t>(dim), natural.begin());
        std::vector<typename decltype(codes)::query_type> arranged(groups(dim), 77);
        for (std::size_t i = 0; i < natural.size(); i += 64) codes.arrange(natural.data() + i, arranged.data() + i);
        REQUIRE(query == arranged);
        const auto got =
            in.template sums<simd::native_isa, integer_sum::squared_difference>(std::vector<slot_t>{3, 0, 8});
        REQUIRE(got[0] == 0.0F);
        REQUIRE(got[1] ==
                static_cast<float>(exact<Bits>(integer_sum::squared_difference, natural.data(), in.row(0), dim)));
    };
    for (const std::size_t dim : sizes{1, 2, 3, 31, 32, 33, 63, 64, 65, 127, 128, 129, 300, 9001}) {
        check(simd::integer_codes<8>{}, dim);
        check(simd::integer_codes<4>{}, dim);
    }
}

TEST_CASE("integer kernels: the last row's over_read allowance is enough") {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    void* const memory = mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    auto* const first = static_cast<std::byte*>(memory);
    REQUIRE(mprotect(first + page, page, PROT_NONE) == 0);
    const auto check = [&]<unsigned Bits>(simd::integer_codes<Bits> codes, std::size_t dim) {
        using query_type = typename decltype(codes)::query_type;
        std::vector<query_type> query(groups(dim), 1);
        const std::size_t bytes = codes.bytes(dim);
        const auto origin = reinterpret_cast<std::uintptr_t>(first + page - simd::over_read - bytes);
        const slot_t slot = 0;
        float sum = -1;
        simd::native_kernels::integer_list<Bits, integer_sum::product>(
            {}, [](float s) { return s; }, query.data(), dim, {&origin, bytes, 31}, &slot, 1, &sum);
        CHECK(sum == 0.0F);
        codes.from_code(reinterpret_cast<const std::byte*>(origin), dim, query.data());
        CHECK(query[0] == 0);
    };
    for (std::size_t dim = 1; dim <= 300; ++dim) {
        check(simd::integer_codes<8>{}, dim);
        check(simd::integer_codes<4>{}, dim);
    }
    munmap(memory, 2 * page);
}

}  // namespace
