// SPDX-License-Identifier: MIT
// Chooses the kernels that indexes have unless they are told otherwise: those of the instruction set that this code is
// compiled for or, with VICINAL_DISPATCH, those that are chosen when the program runs.
#pragma once

#include "vicinal/simd/kernel_policy.hpp"
#include "vicinal/simd/static_kernels.hpp"
#if defined(VICINAL_DISPATCH)
#include "vicinal/simd/dispatched_kernels.hpp"
#endif

VICINAL_NAMESPACE_BEGIN

namespace simd {

#if defined(VICINAL_DISPATCH)
using native_kernels = dispatched_kernels;
#else
using native_kernels = static_kernels<native_isa>;
#endif
using native = native_kernels;  // the shorter name
static_assert(kernel_policy<native_kernels>);

}  // namespace simd

VICINAL_NAMESPACE_END
