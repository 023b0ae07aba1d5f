// SPDX-License-Identifier: MIT
// Every macro that vicinal defines, apart from the version's. Only VICINAL_INLINE is meant for users, who may put it on
// the functions of a metric or codec of their own.
#pragma once

#include "vicinal/version.hpp"

// Kernels and whatever they call are forced inline: an out-of-line copy would be one weak symbol shared by objects
// compiled for different instruction sets. A program whose objects are all compiled for one set may define
// VICINAL_NO_FORCED_INLINE. Our sanitizer builds do, because they take minutes to compile what is inlined.
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
// Stands before a loop that the compiler must not unroll.
#if defined(__clang__)
#define VICINAL_NO_UNROLL _Pragma("clang loop unroll(disable)")
#define VICINAL_LIFETIMEBOUND [[clang::lifetimebound]]
#else
#define VICINAL_NO_UNROLL _Pragma("GCC unroll 1")
#define VICINAL_LIFETIMEBOUND
#endif
#endif
