// SPDX-License-Identifier: MIT
// What a metric or codec is refused for although it is one: a group of optional members of which it has a part only. It
// would work without the group, slowly or, as with `train` but no `restore`, wrongly; so the compiler says what is
// missing.
#pragma once

#include <cstddef>  // for size_t, byte
#include <span>     // for span

#include "vicinal/concepts.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

// Whether a type has members by these names that can be called, whatever they return.
template <class M>
concept names_prepare = requires(const M& m, std::span<float> row) {
    m.prepare(row);
};
template <class M>
concept names_form = requires {
    M::form;
};
template <class M>
concept names_least_sum = requires(const M& m, float t) {
    m.least_sum(t);
};
template <class M>
concept names_clustering = requires {
    typename M::clustering;
};
template <class M>
concept names_of_counts = requires(const M& m, float count) {
    m.of_counts(count, count);
};
template <class M>
concept names_state = requires(const M& m) {
    m.state();
};
template <class M>
concept names_restore_of_metric = requires(M& m, std::span<const std::byte> bytes) {
    m.restore(bytes);
};
template <class M>
concept names_weights_of_metric = requires(const M& m) {
    m.weights();
};
template <class C>
concept names_train = requires(C& c, matrix_view<const float> rows) {
    c.train(rows);
};
template <class C>
concept names_restore = requires(C& c, std::span<const std::byte> bytes) {
    c.restore(bytes);
};
template <class C>
concept names_strain = requires(C& c, matrix_view<const float> rows) {
    c.strain(rows);
};
template <class C>
concept names_learn = requires(C& c, matrix_view<const float> rows) {
    c.learn(rows);
};
template <class C>
concept names_widen = requires(C& c, matrix_view<const float> rows) {
    c.widen(rows);
};
template <class C>
concept names_steps = requires(const C& c, std::size_t i) {
    requires C::bits == 8 || C::bits == 4;
    c.low(i);
    c.step(i);
};
template <class C>
concept names_weights = requires(const C& c) {
    requires C::bits == 8;
    c.weights();
};
template <class C>
concept names_tables = requires {
    requires bool{C::has_tables};
};
template <class C>
concept names_encode_residual = requires(const C& c, const code_center& center, std::span<const float> vector,
                                         std::span<std::byte> code) {
    c.encode_residual(center, vector, code);
};
template <class C>
concept names_decode_about = requires(const C& c, const code_center& center, std::span<const std::byte> code,
                                      std::span<float> vector) {
    c.decode_about(center, code, vector);
};
template <class C>
concept names_components = requires(C& c, const any_preparing_metric& metric) {
    c.prepare_by(metric);
};
template <class C>
concept names_clipped = requires(const C& c, std::span<const float> row) {
    c.clipped(row);
};
template <class C>
concept names_largest_squares = requires(const C& c) {
    c.largest_squares();
};
template <class C>
concept names_well_formed = requires(const C& c, std::span<const std::byte> code) {
    c.well_formed(code);
};

/// Refuses a metric that has a part of a group of optional members.
template <class M>
consteval bool check_metric() {
    static_assert(
        !names_prepare<M> || preparing_metric<M>,
        "vicinal: Metric has a prepare that is not vicinal::preparing_metric's: bool prepare(std::span<float>) "
        "const");
    static_assert(!names_form<M> || formed_metric<M>,
                  "vicinal: Metric has a form that is not vicinal::formed_metric's: a vicinal::sum_form, beside "
                  "accumulate and finish");
    static_assert(
        !names_least_sum<M> || product_bound_metric<M>,
        "vicinal: Metric has a least_sum that is not vicinal::product_bound_metric's: double least_sum(float) "
        "const, beside the form sum_form::product");
    static_assert(!names_clustering<M> || clustering_metric<M>,
                  "vicinal: Metric has a clustering that is not vicinal::clustering_metric's: the type of a metric");
    static_assert(!(names_state<M> || names_restore_of_metric<M>) || stateful_metric<M>,
                  "vicinal: Metric has a part of vicinal::stateful_metric: it needs state, restore and check");
    static_assert(!names_weights_of_metric<M> || weighted_metric<M>,
                  "vicinal: Metric has a part of vicinal::weighted_metric: it needs const float* weights() const, "
                  "accumulate of four and finish");
    static_assert(
        !names_of_counts<M> || counting_metric<M>,
        "vicinal: Metric has a part of vicinal::counting_metric: it needs float of_counts(float, float) const, "
        "counts_common and bool prepare(std::span<float>) const");
    return true;
}

/// Refuses a codec that has a part of a group of optional members.
template <class C>
consteval bool check_codec() {
    static_assert(!(names_train<C> || names_restore<C>) || trainable_codec<C>,
                  "vicinal: Codec has a part of vicinal::trainable_codec: it needs train, trained, state and restore");
    static_assert(!(names_strain<C> || names_learn<C> || names_widen<C>) || trainable_codec<C>,
                  "vicinal: Codec says how it learns on, but is no vicinal::trainable_codec: it needs train, trained, "
                  "state and restore");
    static_assert(!names_steps<C> || affine_codec<C>,
                  "vicinal: Codec has a part of vicinal::affine_codec: it needs load, bits, low, step, lows, steps and "
                  "uniform");
    static_assert(!names_weights<C> || weighted_codec<C>,
                  "vicinal: Codec has a part of vicinal::weighted_codec: it needs 8 bits, unit, weight and weights");
    static_assert(!names_tables<C> || product_codec<C>,
                  "vicinal: Codec has a part of vicinal::product_codec: it needs load, train, trained, state, restore, "
                  "largest_squares, 16 centroids, dim, pairs and codebook");
    static_assert(!(names_encode_residual<C> || names_decode_about<C>) || residual_codec<C>,
                  "vicinal: Codec has a part of vicinal::residual_codec: it needs own_center, derived_size, derive, "
                  "encode_residual, decode_about and largest_squares_about");
    static_assert(!names_components<C> || truncating_codec<C>,
                  "vicinal: Codec has a part of vicinal::truncating_codec: it needs components, a number, and "
                  "prepare_by");
    static_assert(!names_clipped<C> || clipping_codec<C>,
                  "vicinal: Codec has a clipped that is not vicinal::clipping_codec's: std::size_t "
                  "clipped(std::span<const float>) const");
    static_assert(!names_largest_squares<C> || norm_bounded_codec<C>,
                  "vicinal: Codec has a largest_squares that is not vicinal::norm_bounded_codec's: double "
                  "largest_squares() const");
    static_assert(!names_well_formed<C> || checked_codec<C>,
                  "vicinal: Codec has a well_formed that is not vicinal::checked_codec's: bool "
                  "well_formed(std::span<const std::byte>) const");
    return true;
}

}  // namespace detail

VICINAL_NAMESPACE_END
