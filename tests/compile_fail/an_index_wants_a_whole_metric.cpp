// SPDX-License-Identifier: MIT
// expect: vicinal: Metric must model vicinal::metric
#include <string_view>

#include "vicinal/flat.hpp"

struct manhattan {
    static constexpr std::string_view name = "manhattan";
    template <class V>
    static V accumulate(V acc, V q, V x) {
        return acc + (q < x ? x - q : q - x);
    }
#ifndef MISUSE
    static float finish(float sum) { return sum; }
#endif
};

#ifdef MISUSE
vicinal::flat_index<manhattan> misused(3);
#else
static_assert(vicinal::metric<manhattan>);
#endif
