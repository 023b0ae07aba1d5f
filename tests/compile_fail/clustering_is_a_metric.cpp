// SPDX-License-Identifier: MIT
// expect: vicinal: Metric has a clustering that is not vicinal::clustering_metric
#include <span>
#include <string_view>

#include "vicinal/flat.hpp"

struct product {
    static constexpr std::string_view name = "product";
    float operator()(std::span<const float> q, std::span<const float> x) const { return -q[0] * x[0]; }
#ifdef MISUSE
    using clustering = vicinal::f32;
#else
    using clustering = vicinal::l2;
#endif
};

template class vicinal::flat_index<product>;
