// SPDX-License-Identifier: MIT
// Metrics that say what they add up, with the members that a concept asks for and no others, are searched correctly in
// every index.
#include <concepts>
#include <string_view>

#include "contract/minimal_models.hpp"

namespace {

using vicinal::f32;

/// A template that takes floats only.
struct formed {
    static constexpr std::string_view name = "formed";
    static constexpr auto form = vicinal::sum_form::product;
    template <std::same_as<float> V>
    static V accumulate(V acc, V q, V x) {
        return acc + q * x;
    }
    static float finish(float sum) { return -sum; }
};
static_assert(vicinal::formed_metric<formed> && !vicinal::product_bound_metric<formed>);

struct bounded {
    static constexpr std::string_view name = "bounded";
    static constexpr auto form = vicinal::sum_form::product;
    static float accumulate(float acc, float q, float x) { return acc + q * x; }
    static float finish(float sum) { return -sum; }
    static double least_sum(float t) { return -double{t}; }
};
static_assert(vicinal::product_bound_metric<bounded> && !vicinal::preparing_metric<bounded>);

}  // namespace

TEST_CASE("minimal metrics: a form does not ask for least_sum, nor for vectors") {
    minimal::check_model_in<vicinal::hnsw_index, formed, f32>(minimal::naive_product, 0);
}
TEST_CASE("minimal metrics: least_sum does not ask for vectors") {
    minimal::check_model_in<vicinal::flat_index, bounded, f32>(minimal::naive_product, 0);
}
