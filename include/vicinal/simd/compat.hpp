// SPDX-License-Identifier: MIT
// Hides the differences between xsimd's releases (8.1 to 14), and between a vector and a plain float.
#pragma once

#include <cstddef>      // for size_t
#include <type_traits>  // for is_same_v
#include <utility>      // for index_sequence

#include "vicinal/simd/isa.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

namespace detail {

template <class F, std::size_t... I>
VICINAL_INLINE void repeat(const F& f, std::index_sequence<I...>) noexcept {
    (f(I), ...);
}

}  // namespace detail

/// Calls f(0) to f(Count - 1) without a loop. GCC 12 leaves loops of four as they are at -O2, and so what they index in
/// memory. f must be forced inline.
template <std::size_t Count, class F>
VICINAL_INLINE void repeat(const F& f) noexcept {
    detail::repeat(f, std::make_index_sequence<Count>{});
}

template <class V>
inline constexpr bool is_float = std::is_same_v<V, float>;

template <class V>
[[nodiscard]] VICINAL_INLINE V load(const float* p) noexcept {
    if constexpr (is_float<V>)
        return *p;
    else
        return V::load_unaligned(p);
}

template <class V>
VICINAL_INLINE void store(const V& v, float* p) noexcept {
    if constexpr (is_float<V>)
        *p = v;
    else
        v.store_unaligned(p);
}

template <class V>
[[nodiscard]] VICINAL_INLINE V absolute(const V& v) noexcept {
    if constexpr (is_float<V>)
        return v < 0 ? -v : v;
    else
        return xsimd::abs(v);
}

template <class V>
[[nodiscard]] VICINAL_INLINE V larger(const V& a, const V& b) noexcept {
    if constexpr (is_float<V>)
        return a < b ? b : a;
    else
        return (xsimd::max)(a, b);
}

/// Finds the largest lane.
template <class V>
[[nodiscard]] VICINAL_INLINE float largest_lane(const V& v) noexcept {
    if constexpr (is_float<V>) {
        return v;
    } else {
        alignas(64) float values[V::size];
        v.store_aligned(values);
        float largest = values[0];
        for (std::size_t i = 1; i < V::size; ++i) largest = larger(largest, values[i]);
        return largest;
    }
}

/// Adds up the lanes.
[[nodiscard]] VICINAL_INLINE float sum_lanes(float v) noexcept { return v; }

/// Lanes [0, count) are those of `chosen`, the rest those of `other`. For 0 < count < lanes.
[[nodiscard]] VICINAL_INLINE float first_lanes(std::size_t count, float chosen, float other) noexcept {
    return count != 0 ? chosen : other;
}

#if !defined(VICINAL_ONLY_SCALAR)
#if XSIMD_VERSION_MAJOR >= 9
template <class Arch>
[[nodiscard]] VICINAL_INLINE float sum_lanes(const xsimd::batch<float, Arch>& v) noexcept {
    return xsimd::reduce_add(v);
}
#else
template <class Arch>
[[nodiscard]] VICINAL_INLINE float sum_lanes(const xsimd::batch<float, Arch>& v) noexcept {
    return xsimd::hadd(v);
}
#endif

template <class Arch>
[[nodiscard]] VICINAL_INLINE xsimd::batch<float, Arch> first_lanes(std::size_t count,
                                                                   const xsimd::batch<float, Arch>& chosen,
                                                                   const xsimd::batch<float, Arch>& other) noexcept {
    using V = xsimd::batch<float, Arch>;
    alignas(64) static constexpr float numbers[]{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    static_assert(V::size <= sizeof numbers / sizeof(float));
    return xsimd::select(V::load_aligned(numbers) < V(static_cast<float>(count)), chosen, other);
}
#endif

}  // namespace simd

VICINAL_NAMESPACE_END
