// SPDX-License-Identifier: MIT
// expect: vicinal: Metric has a prepare that is not vicinal::preparing_metric
#include <span>
#include <string_view>

#include "vicinal/flat.hpp"

struct product {
    static constexpr std::string_view name = "product";
    float operator()(std::span<const float> q, std::span<const float> x) const { return -q[0] * x[0]; }
#ifdef MISUSE
    void prepare(std::span<float>) const {}
#else
    bool prepare(std::span<float>) const { return true; }
#endif
};

template class vicinal::flat_index<product>;
