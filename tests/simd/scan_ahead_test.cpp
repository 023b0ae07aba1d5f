// SPDX-License-Identifier: MIT
// What simd/scan_ahead.hpp and simd/memory_policy.hpp promise: each line is asked for, once, and what a scan finds does
// not depend on how far ahead it asks; which processors ask by default.
#include "vicinal/simd/scan_ahead.hpp"

#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "vicinal/codec/f32.hpp"
#include "vicinal/codec/half.hpp"
#include "vicinal/metric/l2.hpp"
#include "vicinal/simd/kernels.hpp"
#include "vicinal/simd/memory_policy.hpp"

namespace {

using namespace vicinal::simd;

/// Counts the requests for each line.
struct counted_lines {
    static inline std::map<std::uintptr_t, int> asked;
    static void ask(const std::byte* at) { ++asked[reinterpret_cast<std::uintptr_t>(at) / 64]; }
};

/// The registers eax, ebx, ecx and edx of leaf 0 of a processor of that maker.
std::array<std::uint32_t, 4> leaf_0_of(const std::string& maker) {
    std::array<std::uint32_t, 4> out{7, 0, 0, 0};
    std::memcpy(&out[1], maker.data(), 4);
    std::memcpy(&out[3], maker.data() + 4, 4);
    std::memcpy(&out[2], maker.data() + 8, 4);
    return out;
}
std::uint32_t scan_ahead_of_maker(const std::string& maker, std::uint32_t ebx_of_7) {
    const std::array<std::uint32_t, 4> leaf_7{0, ebx_of_7, 0, 0};
    const processor p = read_processor(leaf_0_of(maker).data(), leaf_7.data());
    CHECK(p.maker == maker);
    return scan_ahead_of(p);
}

constexpr std::size_t distances[] = {0, 1, 64, 1000, 4096, 6144, farthest_scan_ahead};

/// Bytes that end where their allocation does, but for what kernels may read past the last row.
struct rows_at_the_end {
    rows_at_the_end(std::size_t stride, std::size_t count)
        : bytes(std::make_unique<std::byte[]>(stride * count + over_read)) {
        std::mt19937 random(static_cast<unsigned>(stride));
        for (std::size_t i = 0; i < stride * count; ++i) bytes[i] = static_cast<std::byte>(random() & 0x3F);
    }
    std::unique_ptr<std::byte[]> bytes;
};

template <class Isa, class Codec>
void check_score_block() {
    for (const std::size_t dim : {1U, 7U, 16U, 17U, 33U, 100U, 256U})
        for (const std::size_t count : {1U, 31U, 32U, 33U, 64U}) {
            const Codec codec{dim};
            const rows_at_the_end rows(codec.code_size(), count);
            const std::vector<float> query(dim + over_read / sizeof(float), 0.5F);
            std::vector<float> plain(count), ahead(count);
            const auto score = [&](std::vector<float>& out, scan_ahead how) {
                static_kernels<Isa>::score_block(vicinal::l2{}, codec, query.data(), dim, rows.bytes.get(),
                                                 codec.code_size(), count, out.data(), how);
            };
            score(plain, {});
            for (const std::size_t distance : distances) {
                score(ahead, scan_ahead(distance));
                CAPTURE(dim, count, distance);
                REQUIRE(std::memcmp(plain.data(), ahead.data(), count * sizeof(float)) == 0);
            }
        }
}

template <class Isa, unsigned Bits, integer_sum What>
void check_integer_scan() {
    using query_type = typename integer_scan_query<Bits>::type;
    if constexpr (has_integer_scan<lanes<Isa>>)
        for (const std::size_t dim : {1U, 31U, 64U, 100U, 1000U})
            for (const std::size_t count : {5U, 32U, 61U, 64U}) {
                const std::size_t stride = integer_codes<Bits>::bytes(dim);
                const rows_at_the_end rows(stride, count);
                const std::vector<query_type> query(2 * (dim + 64), query_type{3});
                const auto scan = [&](std::int32_t limit, scan_ahead how) {
                    return integer_scan<Isa, Bits, What>(query.data(), dim, weighted_shift(dim), rows.bytes.get(),
                                                         stride, count, limit, how);
                };
                // A limit that some rows pass.
                std::int32_t limit = 0;
                for (std::int32_t step = 1 << 29; step != 0; step /= 2) {
                    const std::uint64_t close = scan(limit + step, {});
                    if ((What == integer_sum::product) == (close != 0)) limit += step;
                }
                for (const std::size_t distance : distances)
                    for (const std::int32_t at : {limit - 1, limit, limit + 1}) {
                        CAPTURE(dim, count, distance);
                        REQUIRE(scan(at, scan_ahead(distance)) == scan(at, {}));
                    }
            }
}

template <class Isa>
void check_byte_products() {
    for (const std::size_t dim : {1U, 33U, 256U}) {
        const rows_at_the_end rows(dim, 64);
        const std::vector<std::int16_t> query(dim + 64, 7);
        std::array<std::int32_t, 64> plain{}, ahead{};
        byte_products<lanes<Isa>>(query.data(), dim, 5, rows.bytes.get(), dim, 64, plain.data());
        for (const std::size_t distance : distances) {
            byte_products<lanes<Isa>>(query.data(), dim, 5, rows.bytes.get(), dim, 64, ahead.data(),
                                      scan_ahead(distance));
            REQUIRE(plain == ahead);
        }
    }
}

template <class Isa>
void check_scans() {
    check_score_block<Isa, vicinal::f32>();
    check_score_block<Isa, vicinal::f16>();
    check_integer_scan<Isa, 8, integer_sum::product>();
    check_integer_scan<Isa, 8, integer_sum::squared_difference>();
    check_integer_scan<Isa, 8, integer_sum::weighted_difference>();
    check_integer_scan<Isa, 4, integer_sum::product>();
    check_integer_scan<Isa, 4, integer_sum::squared_difference>();
    check_byte_products<Isa>();
}

}  // namespace

TEST_CASE("scan ahead: every line of rows one after the other is asked for once, that far ahead") {
    constexpr std::size_t ahead = 4096;
    for (const std::size_t stride : {1U, 32U, 100U, 128U, 400U, 1024U})
        for (const std::size_t step : {1U, 16U, 32U, 48U, 64U, 128U})
            for (const std::size_t offset : {0U, 1U, 63U}) {
                counted_lines::asked.clear();
                const auto* const first = reinterpret_cast<const std::byte*>(std::uintptr_t{1} << 20) + offset;
                for (std::size_t r = 0; r < 32; ++r) {
                    asks_ahead<counted_lines> ask(first + r * stride + ahead, step);
                    for (std::size_t read = 0; read < stride; read += step) ask.next();
                }
                // A step asks for the line it is in where it is the first there, so the last rows leave one to the
                // next. Steps that do not fit a row ask for some of the next.
                const std::uintptr_t begin = (std::uintptr_t{1} << 20) + offset + ahead;
                CAPTURE(stride, step, offset);
                for (std::uintptr_t line = (begin + 63) / 64; line * 64 + step < begin + 32 * stride; ++line) {
                    const int times = counted_lines::asked[line];
                    REQUIRE(times >= 1);
                    if (stride % step == 0 && stride >= 64 && step <= 64) REQUIRE(times == 1);
                }
                for (const auto& [line, times] : counted_lines::asked) {
                    REQUIRE(line * 64 + 63 >= begin);
                    REQUIRE(line * 64 < begin + 32 * stride + 2 * 128);
                }
            }
}

TEST_CASE("scan ahead: few rows and a distance of none ask for nothing") {
    const auto asks = [](scan_ahead how, std::size_t count) {
        bool out = true;
        how.go_along(count, [&](const auto& along) {
            out = !std::is_same_v<std::decay_t<decltype(along(nullptr, 1))>, asks_nothing>;
        });
        return out;
    };
    CHECK_FALSE(asks(scan_ahead{}, 64));
    CHECK_FALSE(asks(scan_ahead(4096), 31));
    CHECK(asks(scan_ahead(4096), 32));
}

TEST_CASE("scan ahead: results are the same bits at every distance, also at the end of memory") {
    check_scans<scalar_isa>();
    check_scans<native_isa>();
#if defined(VICINAL_HAS_SSE2)
    check_scans<xsimd::sse2>();
#endif
}

TEST_CASE("memory policy: Intel with AVX-512 asks ahead, AMD and unknown makers do not") {
    constexpr std::uint32_t avx512f = 1U << 16;
    CHECK(scan_ahead_of_maker("GenuineIntel", avx512f) == 6144);
    CHECK(scan_ahead_of_maker("GenuineIntel", ~avx512f) == 0);
    CHECK(scan_ahead_of_maker("AuthenticAMD", ~0U) == 0);
    CHECK(scan_ahead_of_maker("HygonGenuine", ~0U) == 0);
    CHECK(scan_ahead_of_maker("  Shanghai  ", ~0U) == 0);
    CHECK(scan_ahead_of({}) == 0);
    CHECK(scan_ahead_of(this_processor()) <= farthest_scan_ahead);
}

TEST_CASE("memory policy: walks ask for four lines of a row on Intel with AVX-512, else for sixteen") {
    const processor intel{"GenuineIntel", true};
    CHECK(row_lines_of(intel) == 4);
    CHECK(row_lines_of({"GenuineIntel", false}) == 16);
    CHECK(row_lines_of({"AuthenticAMD", true}) == 16);
    CHECK(row_lines_of({}) == 16);
    CHECK(current_row_lines() == row_lines_of(this_processor()));
    CHECK(current_row_lines() == row_lines_of(this_processor()));  // kept since the first call
}
