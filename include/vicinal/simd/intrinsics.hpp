// SPDX-License-Identifier: MIT
// What vectors need and xsimd (8.1 to 14) has no name for, each as a portable function that takes the overload of the
// vector's instruction set: generic/ and the folders named after instruction sets hold them under the same names.
#pragma once

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int16_t, uint32_t

#include "vicinal/simd/avx/intrinsics.hpp"
#include "vicinal/simd/avx2/intrinsics.hpp"
#include "vicinal/simd/avx512/intrinsics.hpp"
#include "vicinal/simd/compat.hpp"
#include "vicinal/simd/generic/intrinsics.hpp"
#include "vicinal/simd/neon/intrinsics.hpp"
#include "vicinal/simd/sse2/intrinsics.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

/// Writes the sums of the lanes of a, b, c, d to out[0..3]. Each sum is taken in the same order whatever its place.
template <class V>
VICINAL_INLINE void sum_lanes_4(const V& a, const V& b, const V& c, const V& d, float* out) noexcept {
    per_isa::sum_lanes_4(tag_of<V>{}, a, b, c, d, out);
}

/// Bit i is set unless lane i of a is less than lane i of b; so it is where one is NaN.
template <class V>
[[nodiscard]] VICINAL_INLINE unsigned not_less_lanes(const V& a, const V& b) noexcept {
    return per_isa::not_less_lanes(tag_of<V>{}, a, b);
}

/// Takes the smaller of each two lanes; either, where one is NaN.
template <class V>
[[nodiscard]] VICINAL_INLINE V smaller_lanes(const V& a, const V& b) noexcept {
    return per_isa::smaller_lanes(tag_of<V>{}, a, b);
}

/// Bit i of 32 is set unless values[i] is above `limit`; so it is where one is NaN. The first argument is an
/// instruction set or its vector.
template <class Isa>
[[nodiscard]] VICINAL_INLINE std::uint32_t not_above_32(const float* values, float limit) noexcept {
    return per_isa::not_above_32(tag_of<Isa>{}, values, limit);
}

/// Writes twice as many vectors of dim floats as V has lanes component by component, each component's floats one after
/// the other, as far as registers can transpose them; the number of components written is returned.
template <class V>
VICINAL_INLINE std::size_t transpose_whole(const float* const* vectors, std::size_t dim, float* out) noexcept {
    return per_isa::transpose_whole(tag_of<V>{}, vectors, dim, out);
}

/// Unsigned bytes at p become floats.
template <class V>
[[nodiscard]] VICINAL_INLINE V widen_u8(const std::byte* p) noexcept {
    return per_isa::widen_u8<V>(tag_of<V>{}, p);
}

/// Components i, i + 1, ... of 4-bit codes, two to a byte, the lower half first, become floats. i is a multiple of V's
/// lanes.
template <class V>
[[nodiscard]] VICINAL_INLINE V widen_u4(const std::byte* codes, std::size_t i) noexcept {
    return per_isa::widen_u4<V>(tag_of<V>{}, codes, i);
}

/// Components i, i + 1, ... of codes of 4 bits for each two components, the lower half of a byte first, are looked up.
/// `codebook` holds 16 pairs of floats for each two components, for as many as whole vectors have. i is a multiple of
/// V's lanes.
template <class V>
[[nodiscard]] VICINAL_INLINE V look_up_pairs(const float* codebook, const std::byte* codes, std::size_t i) noexcept {
    return per_isa::look_up_pairs<V>(tag_of<V>{}, codebook, codes, i);
}

/// IEEE binary16 values at p (any alignment) become floats.
template <class V>
[[nodiscard]] VICINAL_INLINE V widen_f16(const std::byte* p) noexcept {
    return per_isa::widen_f16<V>(tag_of<V>{}, p);
}

/// bfloat16 values at p (any alignment) become floats.
template <class V>
[[nodiscard]] VICINAL_INLINE V widen_bf16(const std::byte* p) noexcept {
    return per_isa::widen_bf16<V>(tag_of<V>{}, p);
}

/// Stores v rounded to 16-bit integers, to which its lanes must fit.
template <class V>
VICINAL_INLINE void store_rounded(const V& v, std::int16_t* out) noexcept {
    per_isa::store_rounded(tag_of<V>{}, v, out);
}

/// Makes the compiler hold v in a register from here on, where it would rather read it again from memory.
template <class V>
VICINAL_INLINE void keep_in_register(V& v) noexcept {
    per_isa::keep_in_register(tag_of<V>{}, v);
}

/// Writes a[0], b[0], a[1], b[1], ... to out.
template <class V>
VICINAL_INLINE void store_interleaved(const V& a, const V& b, float* out) noexcept {
    per_isa::store_interleaved(tag_of<V>{}, a, b, out);
}

/// Takes the first or the last half of the lanes of a vector of wide_isa.
template <class Half, class V>
[[nodiscard]] VICINAL_INLINE Half lower_half(const V& v) noexcept {
    return per_isa::lower_half<Half>(tag_of<V>{}, v);
}
template <class Half, class V>
[[nodiscard]] VICINAL_INLINE Half upper_half(const V& v) noexcept {
    return per_isa::upper_half<Half>(tag_of<V>{}, v);
}

/// Asks for the cache line at p.
VICINAL_INLINE void prefetch_line(const std::byte* p) noexcept {
    VICINAL_PREFETCH(p);
#if defined(VICINAL_GNU)
    // GCC 12 keeps only the first prefetch of a loop without something between them that it cannot reason about.
    asm volatile("" ::: "memory");
#endif
}

/// Asks for every cache line of [p, p + bytes), at most `max_lines`.
VICINAL_INLINE void prefetch_lines(const std::byte* p, std::size_t bytes, std::size_t max_lines = 16) noexcept {
    const std::size_t lines = (bytes + 63) / 64 < max_lines ? (bytes + 63) / 64 : max_lines;
    for (std::size_t i = 0; i < lines; ++i) prefetch_line(p + 64 * i);
}

}  // namespace simd

VICINAL_NAMESPACE_END
