// SPDX-License-Identifier: MIT
// Bits of a query's code and of rows' codes are counted: what hamming and jaccard distances are made of.
#pragma once

#include <cstddef>      // for size_t, byte
#include <type_traits>  // for integral_constant

#include "vicinal/simd/avx2/bit_counts.hpp"
#include "vicinal/simd/avx512/bit_counts.hpp"
#include "vicinal/simd/generic/bit_counts.hpp"
#include "vicinal/simd/neon/bit_counts.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

/// Calls f(std::integral_constant) with the number of words of a code of `bytes` bytes, so that usual ones of 128 to
/// 1024 bits are counted without a loop; with 0 for all others.
template <class F>
VICINAL_INLINE void with_word_count(std::size_t bytes, const F& f) noexcept {
    switch (bytes) {
        case 16: return f(std::integral_constant<std::size_t, 2>{});
        case 32: return f(std::integral_constant<std::size_t, 4>{});
        case 64: return f(std::integral_constant<std::size_t, 8>{});
        case 128: return f(std::integral_constant<std::size_t, 16>{});
        default: return f(std::integral_constant<std::size_t, 0>{});
    }
}

/// Counts bits of `query` and of each of four rows, of `Words` words or, if that is 0, of `bytes` bytes. The first
/// argument is an instruction set or its vector. Counts are exact up to 2^24.
template <class Isa, bit_count What, std::size_t Words>
VICINAL_INLINE void count_bits_4(const std::byte* query, const std::byte* const* rows, std::size_t bytes,
                                 float* out) noexcept {
    per_isa::count_bits_4<What, Words>(tag_of<Isa>{}, query, rows, bytes, out);
}

}  // namespace simd

VICINAL_NAMESPACE_END
