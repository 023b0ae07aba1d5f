// SPDX-License-Identifier: MIT
// CRC-32C (Castagnoli) is the checksum of iSCSI, ext4 and every section of a vicinal file.
#pragma once

#include <array>    // for array
#include <bit>      // for countr_zero
#include <cstddef>  // for size_t, byte
#include <cstdint>  // for uint32_t, uint64_t
#include <cstring>  // for memcpy
#include <span>     // for span

#include "vicinal/core/config.hpp"

#if defined(VICINAL_X86_64)
#include <nmmintrin.h>  // for _mm_crc32_u64
#if !defined(VICINAL_HAS_CPU_SUPPORTS)
#include <intrin.h>  // for __cpuid
#endif
#elif defined(VICINAL_AARCH64) && defined(__linux__)
#include <sys/auxv.h>  // for getauxval
#endif

VICINAL_NAMESPACE_BEGIN
namespace detail {

/// Each path computes the same number in its own way. The choice is made at run time, once per call, so that the code
/// is the same in every translation unit whatever it is compiled for, and a plain build uses the instruction too.
enum class crc32c_path { bitwise, slicing, sse42, armv8 };

using crc32c_table = std::array<std::array<std::uint32_t, 256>, 8>;

/// Table k maps a byte to its effect on the register k bytes later.
inline constexpr crc32c_table crc32c_by_byte = [] {
    crc32c_table table{};
    for (std::uint32_t value = 0; value < 256; ++value) {
        std::uint32_t state = value;
        for (int bit = 0; bit < 8; ++bit) state = (state >> 1) ^ ((state & 1) != 0 ? 0x82F63B78U : 0U);
        table[0][value] = state;
    }
    for (std::size_t k = 1; k < 8; ++k)
        for (std::size_t value = 0; value < 256; ++value)
            table[k][value] = (table[k - 1][value] >> 8) ^ table[0][table[k - 1][value] & 0xFF];
    return table;
}();

/// Three independent lanes of this many bytes are computed at once, as the instruction has a latency of three cycles
/// and a throughput of one.
inline constexpr std::size_t crc32c_lane = 2048;

/// Table k maps byte k of a register to its effect crc32c_lane zero bytes later; the register's value then is the xor
/// of the four.
inline constexpr std::array<std::array<std::uint32_t, 256>, 4> crc32c_by_lane = [] {
    std::array<std::uint32_t, 32> columns{};  // what each bit of the register becomes: first after one byte
    for (std::uint32_t bit = 0; bit < 32; ++bit) {
        const std::uint32_t state = 1U << bit;
        columns[bit] = crc32c_by_byte[0][state & 0xFF] ^ (state >> 8);
    }
    const auto apply = [](const std::array<std::uint32_t, 32>& to, std::uint32_t state) {
        std::uint32_t sum = 0;
        for (; state != 0; state &= state - 1) sum ^= to[static_cast<std::size_t>(std::countr_zero(state))];
        return sum;
    };
    for (std::size_t bytes = 1; bytes < crc32c_lane; bytes *= 2) {  // applied to itself: after twice as many
        const auto once = columns;
        for (auto& column : columns) column = apply(once, column);
    }
    std::array<std::array<std::uint32_t, 256>, 4> table{};
    for (std::size_t k = 0; k < 4; ++k)
        for (std::uint32_t value = 0; value < 256; ++value) table[k][value] = apply(columns, value << (8 * k));
    return table;
}();

[[nodiscard]] constexpr std::uint32_t crc32c_skip_lane(std::uint32_t state) noexcept {
    return crc32c_by_lane[0][state & 0xFF] ^ crc32c_by_lane[1][(state >> 8) & 0xFF] ^
           crc32c_by_lane[2][(state >> 16) & 0xFF] ^ crc32c_by_lane[3][state >> 24];
}

// The functions below advance the raw register (no complement) over n bytes.

[[nodiscard]] constexpr std::uint32_t crc32c_bitwise(std::uint32_t state, const std::byte* p, std::size_t n) noexcept {
    for (std::size_t i = 0; i < n; ++i) {
        state ^= static_cast<std::uint32_t>(p[i]);
        for (int bit = 0; bit < 8; ++bit) state = (state >> 1) ^ ((state & 1) != 0 ? 0x82F63B78U : 0U);
    }
    return state;
}

[[nodiscard]] constexpr std::uint32_t crc32c_slicing(std::uint32_t state, const std::byte* p, std::size_t n) noexcept {
    const auto at = [](const std::byte* q) { return static_cast<std::uint32_t>(*q); };
    for (; n >= 8; n -= 8, p += 8) {
        state ^= at(p) | at(p + 1) << 8 | at(p + 2) << 16 | at(p + 3) << 24;
        state = crc32c_by_byte[7][state & 0xFF] ^ crc32c_by_byte[6][(state >> 8) & 0xFF] ^
                crc32c_by_byte[5][(state >> 16) & 0xFF] ^ crc32c_by_byte[4][state >> 24] ^
                crc32c_by_byte[3][at(p + 4)] ^ crc32c_by_byte[2][at(p + 5)] ^ crc32c_by_byte[1][at(p + 6)] ^
                crc32c_by_byte[0][at(p + 7)];
    }
    for (; n != 0; --n, ++p) state = crc32c_by_byte[0][(state ^ at(p)) & 0xFF] ^ (state >> 8);
    return state;
}

#if defined(VICINAL_X86_64)

inline constexpr crc32c_path crc32c_hardware = crc32c_path::sse42;

[[nodiscard]] inline bool crc32c_has_hardware() noexcept {
#if defined(VICINAL_HAS_CPU_SUPPORTS)
    return __builtin_cpu_supports("sse4.2") != 0;
#else
    static const bool answer = [] {
        int registers[4];
        __cpuid(registers, 1);
        return (registers[2] & (1 << 20)) != 0;
    }();
    return answer;
#endif
}

/// Prefetches the three lines of the next lanes that correspond to `p`, if `n` bytes reach so far: what the processor
/// prefetches by itself ends with each lane.
VICINAL_INLINE void crc32c_ask_for(const std::byte* p, std::size_t n) noexcept {
    if (n < 6 * crc32c_lane) return;
    for (std::size_t k = 3; k < 6; ++k) _mm_prefetch(reinterpret_cast<const char*>(p + k * crc32c_lane), _MM_HINT_T0);
}

VICINAL_FOR_SSE42 [[nodiscard]] inline std::uint32_t crc32c_instruction(std::uint32_t state, const std::byte* p,
                                                                        std::size_t n) noexcept {
    std::uint64_t a = state;
    std::uint64_t word[3];
    for (; n >= 3 * crc32c_lane; n -= 3 * crc32c_lane, p += 3 * crc32c_lane) {
        std::uint64_t b = 0;
        std::uint64_t c = 0;
        for (std::size_t line = 0; line < crc32c_lane; line += 64) {
            crc32c_ask_for(p + line, n);
            for (std::size_t i = line; i < line + 64; i += 8) {
                std::memcpy(&word[0], p + i, 8);
                std::memcpy(&word[1], p + i + crc32c_lane, 8);
                std::memcpy(&word[2], p + i + 2 * crc32c_lane, 8);
                a = _mm_crc32_u64(a, word[0]);
                b = _mm_crc32_u64(b, word[1]);
                c = _mm_crc32_u64(c, word[2]);
            }
        }
        a = crc32c_skip_lane(static_cast<std::uint32_t>(a)) ^ b;
        a = crc32c_skip_lane(static_cast<std::uint32_t>(a)) ^ c;
    }
    for (; n >= 8; n -= 8, p += 8) {
        std::memcpy(&word[0], p, 8);
        a = _mm_crc32_u64(a, word[0]);
    }
    auto rest = static_cast<std::uint32_t>(a);
    for (; n != 0; --n, ++p) rest = _mm_crc32_u8(rest, static_cast<std::uint8_t>(*p));
    return rest;
}

#elif defined(VICINAL_AARCH64) && defined(VICINAL_GNU) && (defined(__linux__) || defined(__APPLE__))

inline constexpr crc32c_path crc32c_hardware = crc32c_path::armv8;

[[nodiscard]] inline bool crc32c_has_hardware() noexcept {
#if defined(__linux__)
    constexpr unsigned long hwcap_crc32 = 1UL << 7;
    return (getauxval(AT_HWCAP) & hwcap_crc32) != 0;
#else
    return true;
#endif
}

// This is written as assembly because the intrinsics exist only where the whole translation unit is compiled for them.
[[nodiscard]] VICINAL_INLINE std::uint32_t crc32c_step(std::uint32_t state, std::uint64_t word) noexcept {
    __asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(state) : "r"(word));
    return state;
}
[[nodiscard]] VICINAL_INLINE std::uint32_t crc32c_step(std::uint32_t state, std::byte value) noexcept {
    __asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(state) : "r"(static_cast<std::uint32_t>(value)));
    return state;
}

[[nodiscard]] inline std::uint32_t crc32c_instruction(std::uint32_t a, const std::byte* p, std::size_t n) noexcept {
    std::uint64_t word[3];
    for (; n >= 3 * crc32c_lane; n -= 3 * crc32c_lane, p += 3 * crc32c_lane) {
        std::uint32_t b = 0;
        std::uint32_t c = 0;
        for (std::size_t i = 0; i < crc32c_lane; i += 8) {
            std::memcpy(&word[0], p + i, 8);
            std::memcpy(&word[1], p + i + crc32c_lane, 8);
            std::memcpy(&word[2], p + i + 2 * crc32c_lane, 8);
            a = crc32c_step(a, word[0]);
            b = crc32c_step(b, word[1]);
            c = crc32c_step(c, word[2]);
        }
        a = crc32c_skip_lane(a) ^ b;
        a = crc32c_skip_lane(a) ^ c;
    }
    for (; n >= 8; n -= 8, p += 8) {
        std::memcpy(&word[0], p, 8);
        a = crc32c_step(a, word[0]);
    }
    for (; n != 0; --n, ++p) a = crc32c_step(a, *p);
    return a;
}

#else

inline constexpr crc32c_path crc32c_hardware = crc32c_path::slicing;

[[nodiscard]] inline bool crc32c_has_hardware() noexcept { return false; }

[[nodiscard]] inline std::uint32_t crc32c_instruction(std::uint32_t state, const std::byte* p, std::size_t n) noexcept {
    return crc32c_slicing(state, p, n);
}

#endif

/// Computes crc32c by one stated path; a hardware path may be asked for only where crc32c_has_hardware().
template <crc32c_path Path>
[[nodiscard]] std::uint32_t crc32c_by(std::uint32_t crc, std::span<const std::byte> bytes) noexcept {
    if constexpr (Path == crc32c_path::bitwise)
        return ~crc32c_bitwise(~crc, bytes.data(), bytes.size());
    else if constexpr (Path == crc32c_path::slicing)
        return ~crc32c_slicing(~crc, bytes.data(), bytes.size());
    else {
        static_assert(Path == crc32c_hardware, "this CRC-32C instruction belongs to another processor");
        return ~crc32c_instruction(~crc, bytes.data(), bytes.size());
    }
}

/// Returns the CRC-32C of what `crc` is the CRC-32C of, followed by `bytes`. Begin with 0.
[[nodiscard]] inline std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> bytes) noexcept {
    if (crc32c_has_hardware()) return crc32c_by<crc32c_hardware>(crc, bytes);
    return crc32c_by<crc32c_path::slicing>(crc, bytes);
}

}  // namespace detail
VICINAL_NAMESPACE_END
