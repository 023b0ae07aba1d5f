// SPDX-License-Identifier: MIT
// The vocabulary: ids, neighbours, row numbers, and the order of results.
#pragma once

#include <algorithm>    // for reverse
#include <concepts>     // for integral, same_as
#include <cstddef>      // for byte, size_t
#include <cstdint>      // for uint32_t, uint64_t
#include <string>       // for string, to_string
#include <type_traits>  // for is_convertible_v, is_enum_v, underlying_type_t

#include "vicinal/core/config.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Whether T is one of the compiler's 128-bit integers, which std::integral does not know under -std=c++20.
template <class T>
inline constexpr bool is_wide_integer = false;
#if defined(VICINAL_HAS_INT128)
__extension__ typedef __int128 int128;  // NOLINT: `using` knows no __extension__, and without it -Wpedantic warns
__extension__ typedef unsigned __int128 uint128;
template <>
inline constexpr bool is_wide_integer<int128> = true;
template <>
inline constexpr bool is_wide_integer<uint128> = true;
#endif

/// The integer type of an id: its own, or the one that an enum class is made of.
template <class T>
struct integer_of {
    using type = T;
};
template <class T>
requires(std::is_enum_v<T> && !std::is_convertible_v<T, long long>) struct integer_of<T> {
    using type = std::underlying_type_t<T>;
};

}  // namespace detail

/// The types of ids: any integer type but bool and char, also of 128 bits where the compiler has one, and any enum
/// class of one of these but std::byte, of which files keep the integers. Every value is a valid id; none is reserved.
template <class T>
concept identifier = (std::integral<typename detail::integer_of<T>::type> ||
                      detail::is_wide_integer<T>)&&!std::same_as<typename detail::integer_of<T>::type, bool> &&
                     !std::same_as<typename detail::integer_of<T>::type, char> && !std::same_as<T, std::byte>;

/// One search result: an id and the distance of its vector. Smaller is closer under every metric.
template <class Id = std::uint64_t>
struct neighbor {
    Id id;
    float distance;

    friend constexpr bool operator==(const neighbor&, const neighbor&) = default;
};

/// The order of all results: by distance, ties by lower id.
template <class Id>
[[nodiscard]] constexpr bool closer(const neighbor<Id>& a, const neighbor<Id>& b) noexcept {
    return a.distance < b.distance || (a.distance == b.distance && a.id < b.id);
}

namespace detail {

/// The number of a row inside one index. The top bit is left free for marks, so an index holds at most 2^31 - 1 rows.
using slot_t = std::uint32_t;
inline constexpr slot_t no_slot = 0xFFFFFFFFU;
inline constexpr std::size_t max_slots = 0x7FFFFFFFU;

template <identifier Id>
inline constexpr bool is_signed_id = static_cast<Id>(-1) < static_cast<Id>(0);

/// An id for a message.
template <identifier Id>
[[nodiscard]] std::string text_of(Id id) {
    if constexpr (!is_wide_integer<Id>) {
        return std::to_string(static_cast<typename integer_of<Id>::type>(id));
    } else {
        std::string digits;
        Id left = id;
        do {
            const int digit = static_cast<int>(left % 10);
            digits += static_cast<char>('0' + (digit < 0 ? -digit : digit));
            left /= 10;
        } while (left != 0);
        if (id < 0) digits += '-';
        std::reverse(digits.begin(), digits.end());
        return digits;
    }
}

/// `value` rounded up to a multiple of `step`, a power of two.
[[nodiscard]] constexpr std::size_t round_up(std::size_t value, std::size_t step) noexcept {
    return (value + step - 1) & ~(step - 1);
}

}  // namespace detail

VICINAL_NAMESPACE_END
