// SPDX-License-Identifier: MIT
// Where a row lies in memory: the one way from a row's slot to its address.
#pragma once

#include <cstddef>  // for size_t, byte
#include <cstdint>  // for uintptr_t

#include "vicinal/core/math.hpp"
#include "vicinal/core/types.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Rows of codes lie in segments, the first of 2^shift rows, each further one doubling the total. `origins[s]` is where
/// row 0 would lie if segment s reached back to it, so that every row's address is one table look-up and one
/// multiplication, and growth never touches what readers hold. A table refers to the origins; it owns nothing.
struct row_table {
    const std::uintptr_t* origins = nullptr;
    std::size_t stride = 0;  ///< in bytes
    unsigned shift = 0;
    unsigned lines_ahead = 16;  ///< cache lines of a row that walks ask for before its turn: simd/memory_policy.hpp

    [[nodiscard]] VICINAL_INLINE const std::byte* operator[](slot_t slot) const noexcept {
        return reinterpret_cast<const std::byte*>(origins[bit_length(slot >> shift)] + slot * stride);
    }
};

}  // namespace detail

VICINAL_NAMESPACE_END
