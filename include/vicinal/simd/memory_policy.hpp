// SPDX-License-Identifier: MIT
// How scans and walks ask memory for rows: what suits a family of processors, and what is in use. It is the one place
// that decides; calibrate.hpp is how users see it.
#pragma once

#include <atomic>       // for atomic, memory_order_relaxed
#include <cstddef>      // for size_t
#include <cstdint>      // for uint32_t
#include <cstring>      // for memcpy
#include <string_view>  // for string_view

#include "vicinal/core/config.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

/// What CPUID says of a processor, as far as it matters here. Other architectures have no maker.
struct processor {
    char maker[13] = "";  ///< "GenuineIntel", "AuthenticAMD", ...
    bool avx512 = false;  ///< AVX-512 F, whatever the system makes of it
};

/// Reads a processor from the registers eax, ebx, ecx and edx of the leaves 0 and 7; of an older one 7 is all zeros.
[[nodiscard]] inline processor read_processor(const std::uint32_t* leaf_0, const std::uint32_t* leaf_7) noexcept {
    processor out;
    const std::uint32_t letters[3] = {leaf_0[1], leaf_0[3], leaf_0[2]};
    std::memcpy(out.maker, letters, sizeof letters);
    out.avx512 = (leaf_7[1] >> 16 & 1U) != 0;
    return out;
}

/// What the machine has.
[[nodiscard]] inline processor this_processor() noexcept {
#if defined(VICINAL_CPUID)
    std::uint32_t leaf_0[4], leaf_7[4] = {};
    VICINAL_CPUID(0, leaf_0);
    if (leaf_0[0] >= 7) VICINAL_CPUID(7, leaf_7);
    return read_processor(leaf_0, leaf_7);
#else
    return {};
#endif
}

/// An Intel processor with AVX-512.
[[nodiscard]] inline bool is_intel_with_avx512(const processor& p) noexcept {
    return std::string_view(p.maker) == "GenuineIntel" && p.avx512;
}

/// How far ahead scans ask, in bytes, for rows that are read one after the other and that no cache holds. All figures
/// are in benchmarks/RESULTS.md.
///     Intel with AVX-512   6144. Family 6 model 207 reads f32 1.3 to 1.4, f16 1.7, sq8 1.7 to 1.8 times as fast;
///                          2 KiB are not enough, 8 as good. These cores follow a stream no farther than its page.
///     AMD                  0. Zen 4 and 5 read 0.75 to 0.9 times as fast with 512 bytes to 4 KiB.
///     all others           0, as nobody has measured them.
[[nodiscard]] inline std::uint32_t scan_ahead_of(const processor& p) noexcept {
    return is_intel_with_avx512(p) ? 6144 : 0;
}

/// The farthest that makes sense: more is out of the caches again before it is read.
inline constexpr std::uint32_t farthest_scan_ahead = 32768;

/// What is in use, once somebody has asked.
inline constexpr std::uint32_t unknown_scan_ahead = 0xFFFFFFFFU;
inline constinit std::atomic<std::uint32_t> chosen_scan_ahead{unknown_scan_ahead};

/// How far ahead scans ask, by now. The first call asks the processor, unless somebody has said it before.
[[nodiscard]] inline std::uint32_t current_scan_ahead() noexcept {
    std::uint32_t now = chosen_scan_ahead.load(std::memory_order_relaxed);
    if (now != unknown_scan_ahead) return now;
    const std::uint32_t own = scan_ahead_of(this_processor());
    return chosen_scan_ahead.compare_exchange_strong(now, own, std::memory_order_relaxed) ? own : now;
}

/// How many cache lines of a row are asked for before its turn where rows lie anywhere, as those that a walk of a graph
/// meets. All figures are in benchmarks/RESULTS.md.
///     Intel with AVX-512   4. Family 6 model 207 walks rows of 1 KiB 1.16 to 1.18 times as fast as with 16: requests
///                          beyond what the second-level cache has places for stall, and the hardware fetches the
///                          rest of a row once its first lines are read.
///     all others           16. Zen 4 was tuned by that, and nobody has measured the rest.
[[nodiscard]] inline std::uint32_t row_lines_of(const processor& p) noexcept {
    return is_intel_with_avx512(p) ? 4 : 16;
}

/// What is in use, once somebody has asked.
inline constexpr std::uint32_t unknown_row_lines = 0;
inline constinit std::atomic<std::uint32_t> chosen_row_lines{unknown_row_lines};

/// Asks the processor. It is not inlined, as it is called once.
VICINAL_NOINLINE inline std::uint32_t choose_row_lines() noexcept {
    const std::uint32_t own = row_lines_of(this_processor());
    chosen_row_lines.store(own, std::memory_order_relaxed);
    return own;
}

/// How many lines of a row are asked for, by now. The first call asks the processor.
[[nodiscard]] VICINAL_INLINE std::uint32_t current_row_lines() noexcept {
    const std::uint32_t now = chosen_row_lines.load(std::memory_order_relaxed);
    return now != unknown_row_lines ? now : choose_row_lines();
}

}  // namespace simd

VICINAL_NAMESPACE_END
