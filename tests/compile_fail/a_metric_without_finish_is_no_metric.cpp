// SPDX-License-Identifier: MIT
// expect: a user metric must model vicinal::metric
// expect: finish
#include <string_view>

#include "vicinal/concepts.hpp"

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

static_assert(vicinal::metric<manhattan>, "a user metric must model vicinal::metric");
