// SPDX-License-Identifier: MIT
// What the compiler is, what it compiles for, and how it is told things that C++ has no words for. No other header asks
// the compiler's macros about either. It holds macros only, as even the inline namespace is named after what they say.
#pragma once

#if (defined(_MSC_VER) && !defined(_CPPUNWIND)) || (defined(__GNUC__) && !defined(__EXCEPTIONS))
#error "vicinal reports what it refuses by exceptions: compile with -fexceptions (MSVC: /EHsc)"
#endif

// ---- The compiler. VICINAL_GNU: attributes, builtins and assembly as GCC has them. clang-cl has them too and calls
// itself Microsoft's compiler as well; VICINAL_MSVC is that compiler itself, VICINAL_GCC is GCC itself.
#if defined(__GNUC__) || defined(__clang__)
#define VICINAL_GNU
#elif defined(_MSC_VER)
#define VICINAL_MSVC
#endif
#if defined(__GNUC__) && !defined(__clang__)
#define VICINAL_GCC
#endif
#if (defined(VICINAL_MSVC) && !defined(_CPPUNWIND)) || (defined(VICINAL_GNU) && !defined(__EXCEPTIONS))
#error "vicinal reports what it refuses by exceptions: compile with -fexceptions (MSVC: /EHsc)"
#endif
#if defined(__SIZEOF_INT128__)
#define VICINAL_HAS_INT128
#endif

// ---- The processor and its instructions. Microsoft's compiler names few sets: 64-bit programs always have SSE2, and
// what has AVX2 has FMA and F16C too.
#if defined(__x86_64__) || (defined(_M_X64) && !defined(_M_ARM64EC))
#define VICINAL_X86_64
#elif defined(__AARCH64EL__) || defined(_M_ARM64)
#define VICINAL_AARCH64
#endif
#if defined(__SSE2__) || (defined(VICINAL_MSVC) && defined(VICINAL_X86_64)) || (defined(_M_IX86_FP) && _M_IX86_FP >= 2)
#define VICINAL_HAS_SSE2
#endif
#if defined(__SSSE3__) || (defined(VICINAL_MSVC) && defined(__AVX__))
#define VICINAL_HAS_SSSE3
#endif
#if defined(__AVX__)
#define VICINAL_HAS_AVX
#endif
#if defined(__AVX2__)
#define VICINAL_HAS_AVX2
#endif
#if defined(__FMA__) || (defined(VICINAL_MSVC) && defined(__AVX2__))
#define VICINAL_HAS_FMA
#endif
#if defined(__F16C__) || (defined(VICINAL_MSVC) && defined(__AVX2__))
#define VICINAL_HAS_F16C
#endif
#if defined(__AVX512F__)
#define VICINAL_HAS_AVX512
#endif
// The rest of x86-64-v3 and v4, and what v4 is used with.
#if (defined(__BMI__) && defined(__BMI2__) && defined(__LZCNT__)) || (defined(VICINAL_MSVC) && defined(__AVX2__))
#define VICINAL_HAS_BMI2
#endif
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define VICINAL_HAS_AVX512_V4
#endif
#if defined(__AVX512VNNI__)
#define VICINAL_HAS_AVX512_VNNI
#elif defined(__AVXVNNI__)
#define VICINAL_HAS_AVXVNNI
#endif
#if defined(__AVX512VPOPCNTDQ__)
#define VICINAL_HAS_AVX512_VPOPCNTDQ
#endif
#if defined(__ARM_NEON) || defined(_M_ARM64)
#define VICINAL_HAS_NEON
#endif
#if defined(__ARM_FEATURE_DOTPROD)
#define VICINAL_HAS_DOTPROD
#endif

// ---- The key. Code for two sets of instructions must not share a name: a linker keeps one of all functions of a name,
// and the one it keeps may need what the machine lacks. So our namespace is named after the set, by a word for the
// vectors and digits of hexadecimal, each of which says which of four more sets may be used. Listed are those that
// compilers turn to of their own accord or the code above asks for, by the macros that announce them; those that are
// only reached by name (AES, SHA, AMX) are left out.
#define VICINAL_DETAIL_PASTE_2(a, b) a##b
#define VICINAL_DETAIL_PASTE(a, b) VICINAL_DETAIL_PASTE_2(a, b)
#define VICINAL_DETAIL_PASTE_5_2(a, b, c, d, e) a##b##c##d##e
#define VICINAL_DETAIL_PASTE_5(a, b, c, d, e) VICINAL_DETAIL_PASTE_5_2(a, b, c, d, e)

#if defined(VICINAL_GNU)
// VICINAL_DETAIL_BIT(x) is 1 if x has one of the values that compilers announce a set by, else 0: only then the paste
// gives a comma, and what follows it is the second argument.
#define VICINAL_DETAIL_ON_1 ~, 1
#define VICINAL_DETAIL_ON_2 ~, 1
#define VICINAL_DETAIL_ON_3 ~, 1
#define VICINAL_DETAIL_ON_1000000 ~, 1
#define VICINAL_DETAIL_SECOND_2(a, b, ...) b
#define VICINAL_DETAIL_SECOND(...) VICINAL_DETAIL_SECOND_2(__VA_ARGS__)
#define VICINAL_DETAIL_BIT(x) VICINAL_DETAIL_SECOND(VICINAL_DETAIL_PASTE(VICINAL_DETAIL_ON_, x), 0, ~)
#define VICINAL_DETAIL_HEX_0000 0
#define VICINAL_DETAIL_HEX_0001 1
#define VICINAL_DETAIL_HEX_0010 2
#define VICINAL_DETAIL_HEX_0011 3
#define VICINAL_DETAIL_HEX_0100 4
#define VICINAL_DETAIL_HEX_0101 5
#define VICINAL_DETAIL_HEX_0110 6
#define VICINAL_DETAIL_HEX_0111 7
#define VICINAL_DETAIL_HEX_1000 8
#define VICINAL_DETAIL_HEX_1001 9
#define VICINAL_DETAIL_HEX_1010 a
#define VICINAL_DETAIL_HEX_1011 b
#define VICINAL_DETAIL_HEX_1100 c
#define VICINAL_DETAIL_HEX_1101 d
#define VICINAL_DETAIL_HEX_1110 e
#define VICINAL_DETAIL_HEX_1111 f
#define VICINAL_DETAIL_DIGIT(a, b, c, d)                                                                             \
    VICINAL_DETAIL_PASTE_5(VICINAL_DETAIL_HEX_, VICINAL_DETAIL_BIT(a), VICINAL_DETAIL_BIT(b), VICINAL_DETAIL_BIT(c), \
                           VICINAL_DETAIL_BIT(d))
#endif

#if defined(__AVX512F__)
#define VICINAL_DETAIL_ISA_WORD avx512_
#elif defined(__AVX2__)
#define VICINAL_DETAIL_ISA_WORD avx2_
#elif defined(__AVX__)
#define VICINAL_DETAIL_ISA_WORD avx_
#elif defined(__SSE4_2__)
#define VICINAL_DETAIL_ISA_WORD sse42_
#elif defined(__SSE4_1__)
#define VICINAL_DETAIL_ISA_WORD sse41_
#elif defined(__SSSE3__)
#define VICINAL_DETAIL_ISA_WORD ssse3_
#elif defined(__SSE3__)
#define VICINAL_DETAIL_ISA_WORD sse3_
#elif defined(VICINAL_HAS_SSE2)
#define VICINAL_DETAIL_ISA_WORD sse2_
#elif defined(__SSE__)
#define VICINAL_DETAIL_ISA_WORD sse_
#elif defined(__ARM_FEATURE_SVE_BITS) && __ARM_FEATURE_SVE_BITS > 0
#define VICINAL_DETAIL_ISA_WORD VICINAL_DETAIL_PASTE(sve, VICINAL_DETAIL_PASTE(__ARM_FEATURE_SVE_BITS, _))
#elif defined(__ARM_FEATURE_SVE)
#define VICINAL_DETAIL_ISA_WORD sve_
#elif defined(VICINAL_HAS_NEON)
#define VICINAL_DETAIL_ISA_WORD neon_
#elif defined(__wasm_simd128__)
#define VICINAL_DETAIL_ISA_WORD simd128_
#elif defined(_ARCH_PWR10)
#define VICINAL_DETAIL_ISA_WORD pwr10_
#elif defined(_ARCH_PWR9)
#define VICINAL_DETAIL_ISA_WORD pwr9_
#elif defined(__loongarch_asx)
#define VICINAL_DETAIL_ISA_WORD lasx_
#elif defined(__loongarch_sx)
#define VICINAL_DETAIL_ISA_WORD lsx_
#else
#define VICINAL_DETAIL_ISA_WORD plain_
#endif

#if defined(VICINAL_MSVC)
#define VICINAL_DETAIL_ISA_DIGITS 0
#elif defined(__x86_64__) || defined(__i386__)
#define VICINAL_DETAIL_ISA_DIGITS                                                                                      \
    VICINAL_DETAIL_PASTE(                                                                                              \
        VICINAL_DETAIL_PASTE_5(VICINAL_DETAIL_DIGIT(__POPCNT__, __LZCNT__, __BMI__, __BMI2__),                         \
                               VICINAL_DETAIL_DIGIT(__FMA__, __F16C__, __MOVBE__, __PCLMUL__),                         \
                               VICINAL_DETAIL_DIGIT(__AVX512CD__, __AVX512BW__, __AVX512DQ__, __AVX512VL__),           \
                               VICINAL_DETAIL_DIGIT(__AVX512VNNI__, __AVX512VPOPCNTDQ__, __AVX512BITALG__, __GFNI__),  \
                               VICINAL_DETAIL_DIGIT(__AVX512VBMI__, __AVX512VBMI2__, __AVX512IFMA__, __AVX512BF16__)), \
        VICINAL_DETAIL_PASTE_5(VICINAL_DETAIL_DIGIT(__AVX512FP16__, __AVXVNNI__, __AVXVNNIINT8__, __AVXVNNIINT16__),   \
                               VICINAL_DETAIL_DIGIT(__AVXIFMA__, __AVXNECONVERT__, __AVX10_2__, __APX_F__),            \
                               VICINAL_DETAIL_DIGIT(__SSE4A__, __FMA4__, __XOP__, __TBM__), , ))
#elif defined(__ARM_ARCH)
// After the version of the architecture, as some things are announced by no macro of their own.
#define VICINAL_DETAIL_ISA_DIGITS                                                                                      \
    VICINAL_DETAIL_PASTE(                                                                                              \
        VICINAL_DETAIL_PASTE(__ARM_ARCH, _),                                                                           \
        VICINAL_DETAIL_PASTE_5(                                                                                        \
            VICINAL_DETAIL_DIGIT(__ARM_FEATURE_ATOMICS, __ARM_FEATURE_RCPC, __ARM_FEATURE_QRDMX, __ARM_FEATURE_CRC32), \
            VICINAL_DETAIL_DIGIT(__ARM_FEATURE_DOTPROD, __ARM_FEATURE_FP16_VECTOR_ARITHMETIC, __ARM_FEATURE_FP16_FML,  \
                                 __ARM_FEATURE_FMA),                                                                   \
            VICINAL_DETAIL_DIGIT(__ARM_FEATURE_BF16, __ARM_FEATURE_MATMUL_INT8, __ARM_FEATURE_COMPLEX,                 \
                                 __ARM_FEATURE_FRINT),                                                                 \
            VICINAL_DETAIL_DIGIT(__ARM_FEATURE_SVE2, __ARM_FEATURE_MOPS, __ARM_FEATURE_IDIV, __ARM_FEATURE_CSSC), ))
#elif defined(__riscv)
#define VICINAL_DETAIL_ISA_DIGITS                                                                \
    VICINAL_DETAIL_PASTE(VICINAL_DETAIL_DIGIT(__riscv_v, __riscv_zba, __riscv_zbb, __riscv_zbs), \
                         VICINAL_DETAIL_DIGIT(__riscv_zfh, __riscv_zvfh, __riscv_zfa, __riscv_zicond))
#elif defined(__s390x__)
#define VICINAL_DETAIL_ISA_DIGITS __ARCH__
#else
#define VICINAL_DETAIL_ISA_DIGITS VICINAL_DETAIL_DIGIT(__wasm_relaxed_simd__, _ARCH_PWR8, __VSX__, __loongarch_frecipe)
#endif
/// An identifier, for example avx2_fe000000 for -march=x86-64-v3.
#define VICINAL_ISA_KEY VICINAL_DETAIL_PASTE(VICINAL_DETAIL_ISA_WORD, VICINAL_DETAIL_ISA_DIGITS)

// ---- Inlining. Kernels and whatever they call are forced inline, for speed. Our sanitizer builds define
// VICINAL_NO_FORCED_INLINE, because they take minutes to compile what is inlined.
#if defined(VICINAL_MSVC)
#define VICINAL_INLINE __forceinline
#define VICINAL_COLD __declspec(noinline)
#define VICINAL_NOINLINE __declspec(noinline)
#define VICINAL_LAMBDA_INLINE
#else
#if defined(VICINAL_NO_FORCED_INLINE)
#define VICINAL_INLINE inline
#define VICINAL_LAMBDA_INLINE
#else
#define VICINAL_INLINE inline __attribute__((always_inline))
#define VICINAL_LAMBDA_INLINE __attribute__((always_inline))
#endif
#define VICINAL_COLD __attribute__((noinline, cold))
#define VICINAL_NOINLINE __attribute__((noinline))
#endif

// VICINAL_NO_UNROLL stands before a loop that the compiler must not unroll, VICINAL_LIFETIMEBOUND after an argument
// that the result refers to.
#if defined(__clang__)
#define VICINAL_NO_UNROLL _Pragma("clang loop unroll(disable)")
#define VICINAL_LIFETIMEBOUND [[clang::lifetimebound]]
#elif defined(VICINAL_GCC)
#define VICINAL_NO_UNROLL _Pragma("GCC unroll 1")
#define VICINAL_LIFETIMEBOUND
#else
#define VICINAL_NO_UNROLL
#define VICINAL_LIFETIMEBOUND [[msvc::lifetimebound]]
#endif

// VICINAL_KEEP_SCALAR(x) keeps GCC from computing x beside its like in one vector. For AVX-512 it would multiply the
// addresses of four rows by vpmullq, which takes 15 cycles, and then read them from memory: blocks of f32 rows of 128
// components took 13 % longer than those of AVX2.
#if defined(VICINAL_GCC) && defined(VICINAL_HAS_AVX512_V4)
#define VICINAL_KEEP_SCALAR(x) asm("" : "+r"(x))
#else
#define VICINAL_KEEP_SCALAR(x) static_cast<void>(x)
#endif

// ---- Instructions by name.
// VICINAL_FMA_FLOAT(a, b, c) is a * b + c rounded once, and is there only if one instruction does it. Microsoft's
// compiler may call a function for it.
#if defined(VICINAL_GNU) && (defined(__FP_FAST_FMAF) || defined(VICINAL_HAS_FMA))
#define VICINAL_FMA_FLOAT(a, b, c) __builtin_fmaf(a, b, c)
#endif

// VICINAL_POPCOUNT_64(x) counts the bits of 64, and is there only if instructions do it.
#if defined(VICINAL_GNU) && (defined(__POPCNT__) || defined(VICINAL_AARCH64))
#define VICINAL_POPCOUNT_64(x) __builtin_popcountll(x)
#endif

// VICINAL_PREFETCH(address) asks for a cache line, into the second-level cache: a request for the first holds one of
// the few places there (16 to 24) until it is answered, and the next stalls; the second has two to three times as many,
// and is near enough.
#if defined(VICINAL_GNU)
#define VICINAL_PREFETCH(address) __builtin_prefetch(address, 0, 2)
#elif defined(VICINAL_X86_64)
#include <intrin.h>  // for __cpuid, __cpuidex, _mm_prefetch
#define VICINAL_PREFETCH(address) _mm_prefetch(reinterpret_cast<const char*>(address), _MM_HINT_T1)
#elif defined(VICINAL_AARCH64)
#include <intrin.h>  // for __prefetch2
#define VICINAL_PREFETCH(address) __prefetch2(address, 2)
#else
#define VICINAL_PREFETCH(address) static_cast<void>(address)
#endif

// VICINAL_CPUID(leaf, out) writes eax, ebx, ecx and edx of the first part of `leaf` to out, four integers of 32 bits;
// there where it is defined. In a virtual machine it takes tens of microseconds.
#if defined(VICINAL_GNU) && defined(VICINAL_X86_64)
#define VICINAL_CPUID(leaf, out) \
    __asm__ volatile("cpuid" : "=a"((out)[0]), "=b"((out)[1]), "=c"((out)[2]), "=d"((out)[3]) : "a"(leaf), "c"(0))
#elif defined(VICINAL_X86_64)
#define VICINAL_CPUID(leaf, out) __cpuidex(reinterpret_cast<int*>(out), static_cast<int>(leaf), 0)
#endif

// VICINAL_FLUSH(address) puts a cache line out of all caches, there where it is defined.
#if defined(VICINAL_GNU) && defined(VICINAL_X86_64)
#define VICINAL_FLUSH(address) __builtin_ia32_clflush(address)
#elif defined(VICINAL_X86_64)
#define VICINAL_FLUSH(address) _mm_clflush(address)
#endif

// VICINAL_FOR_SSE42 stands before a function for machines with SSE4.2, whatever the rest is compiled for. Where
// VICINAL_HAS_CPU_SUPPORTS is defined, __builtin_cpu_supports(name) tells whether this machine is one; elsewhere the
// instruction __cpuid must be asked, which takes long in a virtual machine.
#if defined(VICINAL_GNU) && defined(VICINAL_X86_64)
#define VICINAL_FOR_SSE42 [[gnu::target("sse4.2")]]
#if !defined(_MSC_VER)
#define VICINAL_HAS_CPU_SUPPORTS
#endif
#else
#define VICINAL_FOR_SSE42
#endif
