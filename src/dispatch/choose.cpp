// SPDX-License-Identifier: MIT
// Chooses the table of kernels by what the processor and the system have. It is compiled for any processor.
#include <atomic>   // for atomic
#include <cstddef>  // for size_t
#include <cstdint>  // for uint32_t, uint64_t
#include <cstdlib>  // for getenv
#include <cstring>  // for strcmp

#include "vicinal/simd/cpu_feature_bits.hpp"
#include "vicinal/simd/dispatch_table.hpp"

#if defined(__x86_64__) || defined(_M_X64) || defined(__i386__) || defined(_M_IX86)
#define VICINAL_DISPATCH_X86
#if defined(_MSC_VER)
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#elif defined(__AARCH64EL__) && !defined(_WIN32)
#define VICINAL_DISPATCH_AARCH64
#if defined(__linux__)
#include <sys/auxv.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#endif
#endif

namespace {

namespace table = vicinal_dispatch;

#if defined(VICINAL_DISPATCH_X86)

struct registers {
    std::uint32_t eax, ebx, ecx, edx;
};
registers cpuid(std::uint32_t leaf, std::uint32_t subleaf) noexcept {
    registers r{};
#if defined(_MSC_VER)
    int out[4];
    __cpuidex(out, static_cast<int>(leaf), static_cast<int>(subleaf));
    r = {static_cast<std::uint32_t>(out[0]), static_cast<std::uint32_t>(out[1]), static_cast<std::uint32_t>(out[2]),
         static_cast<std::uint32_t>(out[3])};
#else
    if (__get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx) == 0) r = {};
#endif
    return r;
}
/// Which registers the system saves for each thread. Only where OSXSAVE is set.
std::uint64_t saved_registers() noexcept {
#if defined(_MSC_VER)
    return _xgetbv(0);
#else
    std::uint32_t low, high;
    __asm__ volatile(".byte 0x0f, 0x01, 0xd0" : "=a"(low), "=d"(high) : "c"(0));  // xgetbv, by its bytes
    return std::uint64_t{high} << 32 | low;
#endif
}

std::uint32_t find_features() noexcept {
    const std::uint32_t highest = cpuid(0, 0).eax;
    const registers one = cpuid(1, 0);
    const registers seven = highest >= 7 ? cpuid(7, 0) : registers{};
    const registers extended = cpuid(0x80000000U, 0).eax >= 0x80000001U ? cpuid(0x80000001U, 0) : registers{};
    const auto bit = [](std::uint32_t word, unsigned number) { return (word >> number & 1U) != 0; };
    const std::uint64_t saved = bit(one.ecx, 27) ? saved_registers() : 0;
    const bool ymm = (saved & 0x6) == 0x6;
    const bool zmm = (saved & 0xE6) == 0xE6;
    std::uint32_t out = 0;
    const auto note = [&](bool there, std::uint32_t feature) { out |= there ? feature : 0; };
    note(bit(one.edx, 26), table::has_sse2);
    note(ymm && bit(seven.ebx, 5), table::has_avx2);
    note(ymm && bit(one.ecx, 12), table::has_fma);
    note(ymm && bit(one.ecx, 29), table::has_f16c);
    note(bit(seven.ebx, 3) && bit(seven.ebx, 8) && bit(extended.ecx, 5) && bit(one.ecx, 23), table::has_bmi2);
    note(zmm && bit(seven.ebx, 16) && bit(seven.ebx, 17) && bit(seven.ebx, 30) && bit(seven.ebx, 31),
         table::has_avx512);
    note(zmm && bit(seven.ecx, 11), table::has_avx512_vnni);
    return out;
}

#elif defined(VICINAL_DISPATCH_AARCH64)

/// Asks the system, as programs cannot ask the processor. What has dot products has all else of Armv8.2 that compilers
/// use without being told: CRC32, atomic instructions and rounding multiplications came with Armv8.1, which they need.
bool find_dotprod() noexcept {
#if defined(__ARM_FEATURE_DOTPROD)
    return true;  // as the whole program is compiled for it
#elif defined(__linux__)
    constexpr unsigned long asimddp = 1UL << 20;  // HWCAP_ASIMDDP, which old headers lack
    return (getauxval(AT_HWCAP) & asimddp) != 0;
#elif defined(__APPLE__)
    int there = 0;
    std::size_t size = sizeof there;
    return sysctlbyname("hw.optional.arm.FEAT_DotProd", &there, &size, nullptr, 0) == 0 && there != 0;
#else
    return false;
#endif
}
std::uint32_t find_features() noexcept { return table::has_neon | (find_dotprod() ? table::has_dotprod : 0); }

#elif defined(__ARM_NEON) || defined(_M_ARM64)
std::uint32_t find_features() noexcept { return table::has_neon; }
#else
std::uint32_t find_features() noexcept { return 0; }
#endif

}  // namespace

extern "C" {
extern const table::kernel_table VICINAL_DISPATCH_NAME(baseline);
#if defined(VICINAL_DISPATCH_X86)
extern const table::kernel_table VICINAL_DISPATCH_NAME(avx2);
extern const table::kernel_table VICINAL_DISPATCH_NAME(avx512);
#elif defined(VICINAL_DISPATCH_AARCH64)
extern const table::kernel_table VICINAL_DISPATCH_NAME(dotprod);
#endif

constinit std::atomic<const table::kernel_table*> VICINAL_DISPATCH_NAME(chosen){nullptr};
}

namespace {

/// A level and the features that it takes, the lowest first.
struct level {
    const table::kernel_table* kernels;
    std::uint32_t needs;
};
constexpr level levels[] = {
    {&VICINAL_DISPATCH_NAME(baseline), 0},
#if defined(VICINAL_DISPATCH_X86)
    {&VICINAL_DISPATCH_NAME(avx2), table::level_avx2},
    {&VICINAL_DISPATCH_NAME(avx512), table::level_avx512},
#elif defined(VICINAL_DISPATCH_AARCH64)
    {&VICINAL_DISPATCH_NAME(dotprod), table::level_dotprod},
#endif
};

table::choice make_choice() noexcept {
    table::choice out{levels[0].kernels, find_features(), std::getenv("VICINAL_MAX_ISA"), false};
    std::size_t allowed = sizeof levels / sizeof levels[0];
    if (out.cap != nullptr)
        for (std::size_t i = 0; i < sizeof levels / sizeof levels[0]; ++i)
            if (std::strcmp(out.cap, levels[i].kernels->level) == 0) {
                out.cap_known = true;
                allowed = i + 1;
            }
    for (std::size_t i = 0; i < allowed; ++i)
        if ((out.features & levels[i].needs) == levels[i].needs) out.table = levels[i].kernels;
    return out;
}

}  // namespace

extern "C" const table::choice* VICINAL_DISPATCH_NAME(choose)() noexcept {
    static const table::choice choice = make_choice();
    VICINAL_DISPATCH_NAME(chosen).store(choice.table, std::memory_order_release);
    return &choice;
}
