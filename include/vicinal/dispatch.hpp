// SPDX-License-Identifier: MIT
// What the processor has, and which kernels searches use because of it.
#pragma once

#include <string_view>  // for string_view

#include "vicinal/core/config.hpp"
#include "vicinal/simd/cpu_feature_bits.hpp"
#include "vicinal/simd/dispatch_table.hpp"

VICINAL_NAMESPACE_BEGIN

/// What cpu_features() reports. Of a program without run-time dispatch, the features are those that the calling code is
/// compiled for.
struct cpu_report {
    bool dispatched = false;  ///< whether kernels are chosen when the program runs
    /// The kernels in use: "baseline", "avx2", "avx512" or "dotprod"; "compiled" without dispatch.
    std::string_view level = "compiled";
    bool sse2 = false;
    bool avx2 = false;
    bool fma = false;
    bool f16c = false;
    bool bmi2 = false;    ///< BMI, BMI2, LZCNT and POPCNT
    bool avx512 = false;  ///< F, BW, DQ and VL
    bool avx512_vnni = false;
    bool neon = false;
    bool dotprod = false;        ///< of NEON, on AArch64
    std::string_view max_isa;    ///< what the environment variable VICINAL_MAX_ISA said when kernels were chosen
    bool max_isa_known = false;  ///< whether that is a level; if it is not, it has no effect
};

/// Says which kernels searches use, and what the processor has. With dispatch, the first call that needs kernels, or
/// this, chooses them: the highest level that the processor and the system allow and VICINAL_MAX_ISA does not exceed.
/// They never change after that. Any thread may call it at any time. O(1).
[[nodiscard]] inline cpu_report cpu_features() noexcept {
    namespace table = vicinal_dispatch;
    cpu_report out;
#if defined(VICINAL_DISPATCH)
    const table::choice& choice = *VICINAL_DISPATCH_NAME(choose)();
    const auto has = [&](std::uint32_t feature) { return (choice.features & feature) != 0; };
    out.dispatched = true;
    out.level = choice.table->level;
    if (choice.cap != nullptr) out.max_isa = choice.cap;
    out.max_isa_known = choice.cap_known;
#else
    std::uint32_t compiled_for = 0;
#if defined(VICINAL_HAS_SSE2)
    compiled_for |= table::has_sse2;
#endif
#if defined(VICINAL_HAS_AVX2)
    compiled_for |= table::has_avx2;
#endif
#if defined(VICINAL_HAS_FMA)
    compiled_for |= table::has_fma;
#endif
#if defined(VICINAL_HAS_F16C)
    compiled_for |= table::has_f16c;
#endif
#if defined(VICINAL_HAS_BMI2)
    compiled_for |= table::has_bmi2;
#endif
#if defined(VICINAL_HAS_AVX512_V4)
    compiled_for |= table::has_avx512;
#endif
#if defined(VICINAL_HAS_AVX512_VNNI)
    compiled_for |= table::has_avx512_vnni;
#endif
#if defined(VICINAL_HAS_NEON)
    compiled_for |= table::has_neon;
#endif
#if defined(VICINAL_HAS_DOTPROD)
    compiled_for |= table::has_dotprod;
#endif
    const auto has = [&](std::uint32_t feature) { return (compiled_for & feature) != 0; };
#endif
    out.sse2 = has(table::has_sse2);
    out.avx2 = has(table::has_avx2);
    out.fma = has(table::has_fma);
    out.f16c = has(table::has_f16c);
    out.bmi2 = has(table::has_bmi2);
    out.avx512 = has(table::has_avx512);
    out.avx512_vnni = has(table::has_avx512_vnni);
    out.neon = has(table::has_neon);
    out.dotprod = has(table::has_dotprod);
    return out;
}

VICINAL_NAMESPACE_END
