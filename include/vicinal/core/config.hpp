// Every macro vicinal defines, apart from the version's. Nothing here is meant for users except VICINAL_INLINE,
// which a metric or codec of theirs may put on its functions.
#pragma once

#include "vicinal/version.hpp"

// Kernels and whatever they call are forced inline: an out-of-line copy would be one weak symbol shared by objects
// compiled for different instruction sets. A program all of whose objects are compiled alike may say
// VICINAL_NO_FORCED_INLINE, as our sanitizer builds do, whose compilers take minutes over what is inlined.
#if defined(_MSC_VER) && !defined(__clang__)
#define VICINAL_INLINE __forceinline
#define VICINAL_COLD __declspec(noinline)
#define VICINAL_NOINLINE __declspec(noinline)
#define VICINAL_LAMBDA_INLINE
#define VICINAL_NO_UNROLL
#define VICINAL_LIFETIMEBOUND [[msvc::lifetimebound]]
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
// Before a loop that must stay one loop.
#if defined(__clang__)
#define VICINAL_NO_UNROLL _Pragma("clang loop unroll(disable)")
#define VICINAL_LIFETIMEBOUND [[clang::lifetimebound]]
#else
#define VICINAL_NO_UNROLL _Pragma("GCC unroll 1")
#define VICINAL_LIFETIMEBOUND
#endif
#endif
