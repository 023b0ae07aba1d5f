// SPDX-License-Identifier: MIT
// The namespace that all of vicinal is in, and the macros of core/target.hpp, of which only VICINAL_INLINE is meant for
// users, who may put it on the functions of a metric or codec of their own.
#pragma once

#include "vicinal/core/target.hpp"
#include "vicinal/version.hpp"

// Everything lives in an inline namespace named after the minor version and what the object is compiled for, such as
// v0_1_avx2_fe000000. So two objects fail to link, instead of sharing one symbol for two layouts or for instructions
// that one of the machines lacks.
#define VICINAL_DETAIL_NS_2(major, minor, isa) v##major##_##minor##_##isa
#define VICINAL_DETAIL_NS_1(major, minor, isa) VICINAL_DETAIL_NS_2(major, minor, isa)
#if defined(VICINAL_DISPATCH)  // the same types with other kernels
#define VICINAL_DETAIL_NS_KEY VICINAL_DETAIL_PASTE(dispatch_, VICINAL_ISA_KEY)
#else
#define VICINAL_DETAIL_NS_KEY VICINAL_ISA_KEY
#endif
#define VICINAL_NAMESPACE_BEGIN \
    namespace vicinal {         \
    inline namespace VICINAL_DETAIL_NS_1(VICINAL_VERSION_MAJOR, VICINAL_VERSION_MINOR, VICINAL_DETAIL_NS_KEY) {
#define VICINAL_NAMESPACE_END \
    }                         \
    }
