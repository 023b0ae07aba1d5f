// SPDX-License-Identifier: MIT
// Metrics and codecs that have a part of a group of optional members, each for one sentence; without MISUSE they have
// the whole group, or none of it. All are compiled at once.
//
// expect 1: vicinal: Metric has a part of vicinal::counting_metric: it needs float of_counts
// expect 1: vicinal: Metric has a prepare that is not vicinal::preparing_metric
// expect 1: vicinal: Metric has a clustering that is not vicinal::clustering_metric
// expect 1: vicinal: Metric has a least_sum that is not vicinal::product_bound_metric
// expect 1: vicinal: Metric has a form that is not vicinal::formed_metric
// expect 1: vicinal: Metric has a part of vicinal::stateful_metric: it needs state, restore and check
// expect 1: vicinal: Metric has a part of vicinal::weighted_metric: it needs const float. weights
// expect 1: vicinal: Codec has a part of vicinal::product_codec: it needs load, train, trained, state, restore
// expect 1: vicinal: Codec has a part of vicinal::residual_codec: it needs own_center, derived_size, derive
// expect 1: vicinal: Codec has a part of vicinal::trainable_codec: it needs train, trained, state and restore
// expect 1: vicinal: Codec has a part of vicinal::weighted_codec: it needs 8 bits, unit, weight and weights
// expect 1: vicinal: Codec has a part of vicinal::affine_codec: it needs load, bits, low, step, lows, steps and uniform
// expect 1: vicinal: Codec has a part of vicinal::truncating_codec: it needs components
// expect 1: vicinal: Codec has a largest_squares that is not vicinal::norm_bounded_codec
// expect 1: vicinal: Codec has a clipped that is not vicinal::clipping_codec
// expect 1: vicinal: Codec has a well_formed that is not vicinal::checked_codec
// expect 1: vicinal: Codec says how it learns on, but is no vicinal::trainable_codec
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "vicinal/flat.hpp"

#ifdef MISUSE
constexpr bool right = false;
#define IF_RIGHT(...)
#define IF_WRONG(...) __VA_ARGS__
#else
constexpr bool right = true;
#define IF_RIGHT(...) __VA_ARGS__
#define IF_WRONG(...)
#endif

// ---- metrics

struct product {
    static constexpr std::string_view name = "product";
    float operator()(std::span<const float> q, std::span<const float> x) const { return -q[0] * x[0]; }
};
struct sum_of_products {
    static constexpr std::string_view name = "sum_of_products";
    static float accumulate(float acc, float q, float x) { return acc + q * x; }
    static float finish(float sum) { return -sum; }
};
struct half_counting : product {
    static bool prepare(std::span<float>) { return true; }
    IF_WRONG(static float of_counts(float differing, float) { return differing; })
};
struct half_preparing : product {
    static std::conditional_t<right, bool, int> prepare(std::span<float>) { return true; }
};
struct half_clustering : product {
    using clustering = std::conditional_t<right, vicinal::l2, vicinal::f32>;
};
struct half_bound : sum_of_products {
    static constexpr auto form = vicinal::sum_form::product;
    static std::conditional_t<right, double, float> least_sum(float t) { return -t; }
};
struct half_formed : std::conditional_t<right, sum_of_products, product> {
    static constexpr auto form = vicinal::sum_form::product;
};
struct half_stateful : product {
    static std::vector<std::byte> state() { return {}; }
    IF_RIGHT(static bool restore(std::span<const std::byte>) { return true; })
    static void check(std::size_t) {}
};
struct half_weighted : sum_of_products {
    static const float* weights() { return nullptr; }
    using sum_of_products::accumulate;
    IF_RIGHT(static float accumulate(float acc, float q, float x, float w) { return acc + w * q * x; })
};

// ---- codecs

struct floats {
    static constexpr std::string_view name = "floats";
    std::size_t dim = 0;
    std::size_t code_size() const { return dim * sizeof(float); }
    void encode(std::span<const float> x, std::span<std::byte> code) const {
        std::memcpy(code.data(), x.data(), code_size());
    }
    void decode(std::span<const std::byte> code, std::span<float> x) const {
        std::memcpy(x.data(), code.data(), code_size());
    }
};
struct half_product : floats {
    static constexpr bool has_tables = !right;
};
struct half_residual : floats {
    IF_WRONG(void encode_residual(const vicinal::code_center&, std::span<const float>, std::span<std::byte>) const {})
};
struct half_trainable : floats {
    void train(vicinal::matrix_view<const float>) {}
    bool trained() const { return true; }
    std::vector<std::byte> state() const { return {}; }
    IF_RIGHT(bool restore(std::span<const std::byte>) { return true; })
};
struct half_steps : floats {
    static constexpr unsigned bits = 8;
    IF_WRONG(const std::int16_t* weights() const { return nullptr; })
};
struct half_affine : floats {
    static constexpr unsigned bits = 8;
    float low(std::size_t) const { return 0; }
    IF_WRONG(float step(std::size_t) const { return 1; })
};
struct half_truncating : floats {
    IF_RIGHT(static constexpr std::size_t components = 2;)
    explicit half_truncating(std::size_t) : floats{2} {}
    template <class Metric>
    void prepare_by(const Metric&) {}
};
struct half_bounded : floats {
    std::conditional_t<right, double, std::span<float>> largest_squares() const { return {}; }
};
struct half_clipping : floats {
    std::conditional_t<right, std::size_t, std::span<float>> clipped(std::span<const float>) const { return {}; }
};
struct half_checked : floats {
    std::conditional_t<right, bool, int> well_formed(std::span<const std::byte>) const { return true; }
};
struct half_strained : floats {
    IF_WRONG(template <class Rows> double strain(const Rows&) const { return 0; })
};

template <class... Metric>
void use_metrics() {
    (static_cast<void>(vicinal::flat_index<Metric>(3)), ...);
}
template <class... Codec>
void use_codecs() {
    (static_cast<void>(vicinal::flat_index<vicinal::l2, Codec>(3)), ...);
}
void use_all() {
    use_metrics<half_counting, half_preparing, half_clustering, half_bound, half_formed, half_stateful,
                half_weighted>();
    use_codecs<half_product, half_residual, half_trainable, half_steps, half_affine, half_bounded, half_clipping,
               half_checked, half_strained, vicinal::two_level<half_truncating, floats>>();
}
