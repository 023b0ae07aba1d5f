// SPDX-License-Identifier: MIT
// Metrics with the members that a concept asks for and no others are searched correctly in every index.
#include <string_view>

#include "contract/minimal_models.hpp"

namespace {

using vicinal::f32;

struct whole {
    static constexpr std::string_view name = "whole";
    float operator()(std::span<const float> q, std::span<const float> x) const {
        return static_cast<float>(minimal::naive_l2(q, x));
    }
};
static_assert(vicinal::whole_metric<whole> && !vicinal::pointwise_metric<whole>);

/// For floats only, and no template: there is nothing to vectorise.
struct single_floats {
    static constexpr std::string_view name = "single_floats";
    static float accumulate(float acc, float q, float x) { return acc + (q < x ? x - q : q - x); }
    static float finish(float sum) { return sum; }
};
static_assert(vicinal::pointwise_metric<single_floats> && !vicinal::formed_metric<single_floats>);

struct prepares {
    static constexpr std::string_view name = "prepares";
    float operator()(std::span<const float> q, std::span<const float> x) const {
        return static_cast<float>(minimal::naive_l2(q, x));
    }
    bool prepare(std::span<float> row) const {
        for (float& x : row) x = std::clamp(x, -1.0F, 1.0F);
        return true;
    }
};
static_assert(vicinal::preparing_metric<prepares> && !vicinal::clustering_metric<prepares>);

struct clusters {
    static constexpr std::string_view name = "clusters";
    using clustering = vicinal::l2;
    float operator()(std::span<const float> q, std::span<const float> x) const {
        return static_cast<float>(minimal::naive_product(q, x));
    }
};
static_assert(vicinal::clustering_metric<clusters> && !vicinal::preparing_metric<clusters>);

double naive_manhattan(std::span<const float> q, std::span<const float> x) {
    double sum = 0;
    for (std::size_t i = 0; i < q.size(); ++i) sum += std::abs(double{q[i]} - double{x[i]});
    return sum;
}
/// The index has prepared the rows it gives back, of queries the reference must do so.
double naive_clamped(std::span<const float> q, std::span<const float> x) {
    std::vector<float> prepared(q.begin(), q.end());
    (void)prepares().prepare(prepared);
    return minimal::naive_l2(prepared, x);
}

}  // namespace

TEST_CASE("minimal metrics: a function of two vectors is enough") {
    minimal::check_model<whole, f32>(minimal::naive_l2, 0);
}
TEST_CASE("minimal metrics: accumulate and finish of single floats are enough") {
    minimal::check_model<single_floats, f32>(naive_manhattan, 0);
}
TEST_CASE("minimal metrics: prepare goes with any rung") { minimal::check_model<prepares, f32>(naive_clamped, -1); }
TEST_CASE("minimal metrics: clustering goes with any rung") {
    minimal::check_model<clusters, f32>(minimal::naive_product, 0);
}
