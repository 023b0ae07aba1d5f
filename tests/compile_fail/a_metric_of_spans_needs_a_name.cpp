// SPDX-License-Identifier: MIT
// expect: vicinal: Metric must model vicinal::metric: a name
#include <span>
#include <string_view>

#include "vicinal/hnsw.hpp"

struct first_component {
#ifndef MISUSE
    static constexpr std::string_view name = "first_component";
#endif
    float operator()(std::span<const float> q, std::span<const float> x) const { return (q[0] - x[0]) * (q[0] - x[0]); }
};

vicinal::hnsw_index<first_component> index_of_it(3);
