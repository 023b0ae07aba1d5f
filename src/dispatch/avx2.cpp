// SPDX-License-Identifier: MIT
// The kernels of level avx2: x86-64-v3: AVX2, FMA, F16C, BMI, BMI2, LZCNT, POPCNT.
// To be compiled with -mavx2 -mfma -mf16c -mbmi -mbmi2 -mlzcnt -mpopcnt (MSVC: /arch:AVX2).
#define VICINAL_DISPATCH_LEVEL avx2
#include "kernels.hpp"

#if !(defined(__AVX2__) && defined(__FMA__) && defined(__F16C__))
#error "avx2.cpp needs flags of its own: see its first lines"
#endif
