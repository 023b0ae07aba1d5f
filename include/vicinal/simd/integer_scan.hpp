// SPDX-License-Identifier: MIT
// Says which of a block of rows of 8- or 4-bit codes can be close, in integer arithmetic: what lets exact scans of such
// codes run at the speed of memory.
#pragma once

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for int16_t, int32_t, uint64_t

#include "vicinal/simd/avx2/integer_scan.hpp"
#include "vicinal/simd/avx512/integer_scan.hpp"
#include "vicinal/simd/generic/integer_scan.hpp"
#include "vicinal/simd/integer.hpp"
#include "vicinal/simd/neon/integer_scan.hpp"
#include "vicinal/simd/scan_ahead.hpp"
#include "vicinal/simd/sse2/integer_scan.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

/// Says whether there is an `integer_scan` for an instruction set, or for that of a vector.
template <class Isa>
inline constexpr bool has_integer_scan = per_isa::scans_integers(tag_of<Isa>{});

/// Takes the product of the query with each of `count` <= integer_scan_rows rows of bytes, less `zero`, on any machine.
/// The query is in the order of integer_scan_place; rows lie `stride` bytes apart. 1 <= count, dim <= integer_block;
/// out has room for count rounded up to a multiple of 4. 32 bytes past the last row are readable, what is there has no
/// effect. The first argument here and below is an instruction set or its vector.
template <class Isa>
VICINAL_INLINE void byte_products(const std::int16_t* query, std::size_t dim, std::int32_t zero, const std::byte* first,
                                  std::size_t stride, std::size_t count, std::int32_t* out,
                                  scan_ahead ahead = {}) noexcept {
    per_isa::byte_products(tag_of<Isa>{}, query, dim, first, stride, count, ahead, out);
    for (std::size_t r = 0; r < count; ++r) out[r] -= zero;
}

/// Bit r is set where the sum S over row r, as integer_codes<Bits> has it, is not ruled out: S <= limit for
/// differences, S >= limit for products. `shift` is what weighted_shift says, and of use to weighted differences only;
/// the rest is as above.
template <class Isa, unsigned Bits, integer_sum What>
[[nodiscard]] VICINAL_INLINE std::uint64_t integer_scan(const typename integer_scan_query<Bits>::type* query,
                                                        std::size_t dim, unsigned shift, const std::byte* first,
                                                        std::size_t stride, std::size_t count, std::int32_t limit,
                                                        scan_ahead ahead = {}) noexcept {
    static_assert(has_integer_scan<Isa>);
    return per_isa::integer_scan<Bits, What>(tag_of<Isa>{}, query, dim, shift, first, stride, count, limit, ahead);
}

}  // namespace simd

VICINAL_NAMESPACE_END
