// SPDX-License-Identifier: MIT
// expect: vicinal: Metric has a form that is not vicinal::formed_metric
#include <span>
#include <string_view>

#include "vicinal/flat.hpp"

struct product {
    static constexpr std::string_view name = "product";
    static constexpr auto form = vicinal::sum_form::product;
#ifdef MISUSE
    float operator()(std::span<const float> q, std::span<const float> x) const { return -q[0] * x[0]; }
#else
    static float accumulate(float acc, float q, float x) { return acc + q * x; }
    static float finish(float sum) { return -sum; }
#endif
};

template class vicinal::flat_index<product>;
