// SPDX-License-Identifier: MIT
// What a processor may have, as bits, and which of them the levels of run-time dispatch take.
#pragma once

#include <cstdint>  // for uint32_t

namespace vicinal_dispatch {

inline constexpr std::uint32_t has_sse2 = 1U << 0;
inline constexpr std::uint32_t has_avx2 = 1U << 1;
inline constexpr std::uint32_t has_fma = 1U << 2;
inline constexpr std::uint32_t has_f16c = 1U << 3;
inline constexpr std::uint32_t has_bmi2 = 1U << 4;    ///< with BMI, LZCNT and POPCNT, as x86-64-v3 has it
inline constexpr std::uint32_t has_avx512 = 1U << 5;  ///< F, BW, DQ and VL, as x86-64-v4 has it
inline constexpr std::uint32_t has_avx512_vnni = 1U << 6;
inline constexpr std::uint32_t has_neon = 1U << 7;
inline constexpr std::uint32_t has_dotprod = 1U << 8;

inline constexpr std::uint32_t level_avx2 = has_sse2 | has_avx2 | has_fma | has_f16c | has_bmi2;
inline constexpr std::uint32_t level_avx512 = level_avx2 | has_avx512 | has_avx512_vnni;
inline constexpr std::uint32_t level_dotprod = has_neon | has_dotprod;

}  // namespace vicinal_dispatch
