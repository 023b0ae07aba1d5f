// SPDX-License-Identifier: MIT
// simd/intrinsics.hpp for vectors of 128 bits on x86.
#pragma once

#if defined(__SSE2__)

#include <emmintrin.h>  // for _mm_cmpnlt_ps

#include "vicinal/simd/isa.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd::per_isa {

template <class V>
[[nodiscard]] VICINAL_INLINE unsigned not_less_lanes(tag::sse2, const V& a, const V& b) noexcept {
    return static_cast<unsigned>(_mm_movemask_ps(_mm_cmpnlt_ps(a, b)));
}

#if defined(__GNUC__) && !defined(__wasm__)  // wasm has these intrinsics, but no registers to name
template <class V>
VICINAL_INLINE void keep_in_register(tag::sse2, V& v) noexcept {
    asm("" : "+x"(v.data));
}
#endif

}  // namespace simd::per_isa

VICINAL_NAMESPACE_END

#endif
