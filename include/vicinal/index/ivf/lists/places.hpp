// SPDX-License-Identifier: MIT
// A row's place is the list it lies in and its position there. A file does not hold places: they are found when they
// are first needed.
#pragma once

#include <cstddef>  // for size_t
#include <cstdint>  // for uint32_t

#include "vicinal/index/ivf/lists/lists.hpp"
#include "vicinal/storage/chunked_rows.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::ivf {

/// Finds the places of all rows by looking through the lists.
template <class State>
[[nodiscard]] chunked_array<ivf_place> places_in_lists(const State& index) {
    const std::size_t rows = index.directory.high_water();
    chunked_array<ivf_place> found;
    found.reserve(rows);
    found.touch(rows);
    for (std::size_t slot = 0; slot < rows; ++slot) found[static_cast<slot_t>(slot)] = {no_list, 0};
    for (std::uint32_t l = 0; l < index.lists.size(); ++l)
        for (std::uint32_t i = 0; i < index.lists[l].size; ++i)
            if (const slot_t slot = index.lists[l].slots[i]; slot < rows) found[slot] = {l, i};
    return found;
}

/// Returns where a row lies; list is no_list if a damaged mapped file has it in none.
template <class State>
[[nodiscard]] ivf_place place_of(const State& index, slot_t slot) {
    if (!index.backing.owned())
        index.found_places.make([&] { const_cast<State&>(index).places = places_in_lists(index); });
    return index.places[slot];
}

}  // namespace detail::ivf

VICINAL_NAMESPACE_END
