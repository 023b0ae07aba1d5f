// SPDX-License-Identifier: MIT
// Searches leave out what is farther than their `.max_distance`, of the results that they would have without it.
#pragma once

#include <cstddef>  // for size_t
#include <cstdint>  // for uint32_t
#include <span>     // for span
#include <utility>  // for move

#include "vicinal/core/bit_cast.hpp"
#include "vicinal/core/error.hpp"
#include "vicinal/core/types.hpp"
#include "vicinal/params.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// throws  error{invalid_argument} if it is NaN, whatever -ffast-math believes
inline void require_max_distance(float most) {
    if ((detail::bit_cast<std::uint32_t>(most) & 0x7FFFFFFFU) > 0x7F800000U)
        fail(errc::invalid_argument, "max_distance is NaN, it must be a number");
}
/// How many hits, of which the closest is first, are at most so far.
template <class Id>
[[nodiscard]] std::size_t count_within(std::span<const neighbor<Id>> hits, float most) noexcept {
    std::size_t count = hits.size();
    while (count != 0 && hits[count - 1].distance > most) --count;
    return count;
}
template <class Id>
[[nodiscard]] search_table<Id> keep_within(search_table<Id> table, float most) noexcept {
    const std::span<std::size_t> found = table.found(0, table.size());
    for (std::size_t i = 0; i < found.size(); ++i) found[i] = count_within(table[i], most);
    return table;
}

}  // namespace detail

VICINAL_NAMESPACE_END
