// SPDX-License-Identifier: MIT
// expect: vicinal: Metric has a least_sum that is not vicinal::product_bound_metric
#include <span>
#include <string_view>

#include "vicinal/flat.hpp"

struct product {
    static constexpr std::string_view name = "product";
    static constexpr auto form = vicinal::sum_form::product;
    static float accumulate(float acc, float q, float x) { return acc + q * x; }
    static float finish(float sum) { return -sum; }
#ifdef MISUSE
    static float least_sum(float t) { return -t; }
#else
    static double least_sum(float t) { return -double{t}; }
#endif
};

template class vicinal::flat_index<product>;
