// SPDX-License-Identifier: MIT
// expect: vicinal: Metric has a part of vicinal::counting_metric: it needs float of_counts
#include <span>
#include <string_view>

#include "vicinal/flat.hpp"

struct overlap {
    static constexpr std::string_view name = "overlap";
    float operator()(std::span<const float> q, std::span<const float> x) const { return q[0] < x[0] ? 1.0F : 0.0F; }
    bool prepare(std::span<float>) const { return true; }
#ifdef MISUSE
    float of_counts(float differing, float) const { return differing; }
#endif
};

template class vicinal::flat_index<overlap>;
