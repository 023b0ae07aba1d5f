// SPDX-License-Identifier: MIT
// Reads and writes numbers as little-endian bytes on any machine, for fields of files and codes.
#pragma once

#include <algorithm>    // for reverse
#include <array>        // for array
#include <bit>          // for endian
#include <cstddef>      // for byte
#include <cstring>      // for memcpy
#include <type_traits>  // for is_arithmetic_v, is_enum_v, is_same_v

#include "vicinal/core/bit_cast.hpp"
#include "vicinal/core/types.hpp"

VICINAL_NAMESPACE_BEGIN
namespace detail {

/// The types that arrays in a file may have: bytes, and numbers of 1, 2, 4, 8 or 16 bytes, also by an enum's name.
template <class T>
concept file_element = std::is_same_v<T, std::byte> || is_wide_integer<T> ||
    ((std::is_arithmetic_v<T> || std::is_enum_v<T>)&&!std::is_same_v<T, bool> &&
     (sizeof(T) == 1 || sizeof(T) == 2 || sizeof(T) == 4 || sizeof(T) == 8));

inline constexpr bool host_is_little_endian = std::endian::native == std::endian::little;
static_assert(host_is_little_endian || std::endian::native == std::endian::big, "mixed-endian machines are unknown");

template <file_element T>
[[nodiscard]] VICINAL_INLINE T load_le(const std::byte* from) noexcept {
    T value;
    if constexpr (host_is_little_endian) {
        std::memcpy(&value, from, sizeof(T));
    } else {
        std::byte bytes[sizeof(T)];
        for (std::size_t i = 0; i < sizeof(T); ++i) bytes[i] = from[sizeof(T) - 1 - i];
        std::memcpy(&value, bytes, sizeof(T));
    }
    return value;
}

template <file_element T>
void store_le(std::byte* to, T value) noexcept {
    auto bytes = detail::bit_cast<std::array<std::byte, sizeof(T)>>(value);
    if constexpr (!host_is_little_endian) std::reverse(bytes.begin(), bytes.end());
    std::memcpy(to, bytes.data(), sizeof(T));
}

}  // namespace detail
VICINAL_NAMESPACE_END
