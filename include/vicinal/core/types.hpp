// The vocabulary: neighbours, row numbers, and the order every result follows.
#pragma once

#include <concepts>  // for integral, same_as
#include <cstddef>   // for size_t
#include <cstdint>   // for uint32_t, uint64_t

#include "vicinal/core/config.hpp"

VICINAL_NAMESPACE_BEGIN

/// What an application may call its vectors: any integer type. All its values are valid ids; none means "absent".
template <class T>
concept identifier = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char>;

/// One search result: the user's id and its distance, smaller is closer under every metric.
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

/// The number of a row inside one index. The top bit stays free for marks, so an index numbers at most 2^31 - 1 rows.
using slot_t = std::uint32_t;
inline constexpr slot_t no_slot = 0xFFFFFFFFU;
inline constexpr std::size_t max_slots = 0x7FFFFFFFU;

/// `value` rounded up to a multiple of `step`, a power of two.
[[nodiscard]] constexpr std::size_t round_up(std::size_t value, std::size_t step) noexcept {
    return (value + step - 1) & ~(step - 1);
}

}  // namespace detail

VICINAL_NAMESPACE_END
