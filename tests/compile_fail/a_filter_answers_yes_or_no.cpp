// SPDX-License-Identifier: MIT
// expect: vicinal: a filter must be callable as bool\(Id\)
#include <string>

#include "vicinal/flat.hpp"

vicinal::flat_search_params<> only_odd();
vicinal::flat_search_params<> only_odd() {
#ifdef MISUSE
    static const auto odd = [](std::uint64_t id) { return std::to_string(id); };
#else
    static const auto odd = [](std::uint64_t id) { return id % 2 == 1; };
#endif
    return {.filter = odd};
}
