// SPDX-License-Identifier: MIT
// What scorers, scans and collectors ask of each other, and of the codecs that have a scan of their own.
//
// A scorer is one query bound to one store. All of its members are const but for `relative_to` and `ask_ahead`. `slots`
// are row numbers; `first` and `stride` say where `count` rows of codes lie, and a block of at most 64 rows never
// leaves one piece of memory. A distance of NaN, which only a damaged mapped file can give, is never kept.
#pragma once

#include <concepts>  // for convertible_to, same_as
#include <cstddef>   // for size_t, byte
#include <cstdint>   // for uint32_t, uint64_t
#include <span>      // for span

#include "vicinal/codec/pca8/projected_point.hpp"
#include "vicinal/concepts.hpp"
#include "vicinal/simd/kernels.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

// ---- scorers -------------------------------------------------------------------------------------------------------

/// Measures rows by their numbers: score(slots, count, out) writes `count` distances. What lists of few rows and
/// reranks ask for.
template <class S>
concept list_scorer = requires(const S& s, const slot_t* slots, std::size_t count, float* out) {
    s.score(slots, count, out);
};

/// What graphs are walked by: measures rows that may lie anywhere, also one alone, and asks for their cache lines
/// beforehand.
template <class S>
concept graph_scorer = list_scorer<S> && requires(const S& s, const slot_t* slots, slot_t slot, std::size_t count) {
    { s.score(slot) } -> std::same_as<float>;
    s.prefetch(slots, count);
};

/// Measures rows that lie one after the other: score_block(first, stride, count, out) writes `count` distances.
template <class S>
concept block_scorer = requires(const S& s, const std::byte* first, std::size_t n, float* out) {
    s.score_block(first, n, n, out);
};

/// Asks memory ahead of the rows it scores one after the other, as far as ask_ahead(ahead) said last.
template <class S>
concept ahead_asking_scorer = requires(S& s, simd::scan_ahead ahead) {
    s.ask_ahead(ahead);
};

/// Rules rows out for sure before they are measured. Bit i of close_rows(first, stride, count, threshold) is set if row
/// i of at most 64 could be at most that far; score_some(first, stride, which, count, out) measures those named by
/// their places in the block.
template <class S>
concept prefilter_scorer = block_scorer<S> &&
    requires(const S& s, const std::byte* first, std::size_t n, const slot_t* which, float threshold, float* out) {
    { s.close_rows(first, n, n, threshold) } -> std::same_as<std::uint64_t>;
    s.score_some(first, n, which, n, out);
};

/// Estimates distances instead of measuring them, for a finer codec to decide. estimate(first, stride, count,
/// threshold, out) writes at most 64 estimates, and sets bit i if row i's is at most `threshold`.
template <class S>
concept estimate_scorer = requires(const S& s, const std::byte* first, std::size_t n, float threshold, float* out) {
    { s.estimate(first, n, n, threshold, out) } -> std::same_as<std::uint64_t>;
};

/// Knows lower bounds of rows. lower_bounds(first, stride, count, out) writes them for any number of rows, `out` having
/// room for whole 32; limit_of(threshold) is what a bound must not exceed for a distance of `threshold`; not_above(32
/// bounds, limit) says as bits which do not. measure(table, which, slots, count, threshold, out) writes the distances
/// of rows that are left, by their places in the table and their numbers, and may write infinity for one beyond
/// `threshold`.
template <class S>
concept bound_scorer = requires(const S& s, const simd::row_table& table, const std::byte* first, std::size_t n,
                                const slot_t* which, float x, float* out) {
    { s.limit_of(x) } -> std::same_as<float>;
    s.lower_bounds(first, n, n, out);
    { S::not_above(out, x) } -> std::same_as<std::uint32_t>;
    s.measure(table, which, which, n, x, out);
};

/// A bound_scorer that says whether bounds are worth computing. worth_bounding() is for how many of the next rows they
/// are, 0 for none; measure_all(slots, count, out) then measures up to 64 of them without; bounded(rows, measured)
/// tells it of how many bounded rows how many had to be measured.
template <class S>
concept paced_bound_scorer = bound_scorer<S> && requires(const S& s, const slot_t* slots, std::size_t n, float* out) {
    { s.worth_bounding() } -> std::same_as<std::size_t>;
    s.measure_all(slots, n, out);
    s.bounded(n, n);
};

/// A scorer of codes that are relative to a point, and of its choice: relative_to(center) before each list.
template <class S>
concept relative_scorer = requires(S& s, const code_center& center) {
    s.relative_to(center);
};

/// Which bytes of a row's code are looked up in tables.
struct looked_up_bytes {
    std::size_t offset = 0;
    std::size_t count = 0;
};

/// A scorer that looks codes up in tables: its close_rows, estimate or lower_bounds take as their last argument the
/// columns of the rows' looked_up() bytes, where many queries share them (scoring/code_columns.hpp).
template <class S>
concept column_reading_scorer = requires(const S& s) {
    { s.looked_up() } -> std::same_as<looked_up_bytes>;
};

/// What a scan can ask rows of a block or a list by: one of the four.
template <class S>
concept scan_scorer_like = block_scorer<S> || prefilter_scorer<S> || estimate_scorer<S> || bound_scorer<S>;

// ---- collectors ----------------------------------------------------------------------------------------------------

/// Where scored rows go. threshold() is the largest distance that it could still keep, which only falls; push(slot,
/// distance) takes a row at most that far, or does nothing if it may not be returned, and may throw what a filter
/// throws.
template <class C>
concept row_collector = requires(C& c, const C& fixed, slot_t slot, float distance) {
    { fixed.threshold() } -> std::same_as<float>;
    c.push(slot, distance);
};

// ---- codecs that scans know ----------------------------------------------------------------------------------------

/// A residual codec that is decoded faster by kernels of an instruction set.
template <class C, class Kernels>
concept vector_residual_codec = residual_codec<C> &&
    requires(const C& c, const code_center& center, const std::byte* code, float* out) {
    c.template decode_about_by<Kernels>(center, code, out);
};

/// A codec whose codes begin with factors and one sign a component of a rotated vector, as rabitq's do: what
/// scoring/bounds_rabitq.hpp derives bounds from.
template <class C>
concept sign_codec = trainable_codec<C> && residual_codec<C> &&
    requires(const C& c, const std::byte* code, std::size_t i, const float* in, float* out) {
    { C::factors_size } -> std::convertible_to<std::size_t>;
    { C::reach } -> std::convertible_to<float>;
    { C::bits } -> std::convertible_to<unsigned>;
    { c.width() } -> std::convertible_to<std::size_t>;
    { C::factors(code).squares } -> std::convertible_to<float>;
    { c.levels(code, i) } -> std::same_as<std::uint64_t>;
    c.rotation().template apply<simd::scalar_isa>(in, out, out);
};

/// A codec with a true `bounds_distances`, whose codes are points with a known error, as pca8's are: what
/// scoring/bounds_pca8.hpp derives certain bounds from.
template <class C>
concept distance_bounding_codec = trainable_codec<C> && bool{C::bounds_distances} &&
                                  requires(const C& c, std::span<const float> vector, float* relative,
                                           double* coordinates, std::size_t j) {
    { C::factors_size } -> std::convertible_to<std::size_t>;
    { C::largest_squared } -> std::convertible_to<double>;
    { C::margin } -> std::convertible_to<double>;
    { c.width() } -> std::convertible_to<std::size_t>;
    { c.padded_width() } -> std::convertible_to<std::size_t>;
    { c.step(j) } -> std::convertible_to<double>;
    { c.length_margin() } -> std::convertible_to<double>;
    {
        c.template project<simd::static_kernels<simd::scalar_isa>>(vector, relative, coordinates)
        } -> std::same_as<projected_point>;
};

// ---- which kernels a metric and a codec take -----------------------------------------------------------------------

/// Those of Isa's kernels that the pair takes.
template <class Metric, class Codec, class Isa>
using kernels_for = typename Isa::template of_pair<Metric, Codec>;

}  // namespace detail

VICINAL_NAMESPACE_END
