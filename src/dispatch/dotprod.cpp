// SPDX-License-Identifier: MIT
// The kernels of level dotprod: AArch64 with dot products of bytes, sdot and udot, among the instructions of NEON.
// To be compiled with -march=armv8.2-a+dotprod, or with no flags of its own where those of the program have dotprod.
#define VICINAL_DISPATCH_LEVEL dotprod
#include "kernels.hpp"

#if !defined(VICINAL_HAS_DOTPROD)
#error "dotprod.cpp needs flags of its own: see its first lines"
#endif
