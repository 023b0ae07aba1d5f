// SPDX-License-Identifier: MIT
// The kernels of level avx512: x86-64-v4 and VNNI: AVX-512 F, BW, DQ, VL, VNNI on top of the level avx2.
// To be compiled with the flags of avx2.cpp and -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni (MSVC: /arch:AVX512).
#define VICINAL_DISPATCH_LEVEL avx512
#include "kernels.hpp"

#if !(defined(__AVX512F__) && defined(__AVX512VL__))
#error "avx512.cpp needs flags of its own: see its first lines"
#endif
