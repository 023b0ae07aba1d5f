// SPDX-License-Identifier: MIT
// The one place that says which algorithm runs: for a metric, a codec and what rows are scored for.
//
//     codec (l2, inner_product, cosine)   one query            a batch of flat, ivf       walk of a graph
//     f32, f16, bf16                      fuse                 dot_products               fuse
//     sq8, sq4                            integer_prefilter    dot_products               integer_sums
//     pq                                  table_prefilter      table_prefilter            fuse
//     rabitq<B>                           sign_bounds          sign_bounds                decode
//     two_level<pq, F>                    table_estimates      table_estimates            fuse, of pq
//     two_level<rabitq<B>, F>             sign_bounds          sign_bounds                decode, of rabitq
//     two_level<pca8, f32>                distance_bounds      the same, one by one       refused
//     bits (hamming, jaccard)             count_bits           count_bits             count_bits
//     i8, u8 (l2, inner_product)          integer_prefilter    dot_products               integer_sums
//     i8, u8 (cosine)                     normalize            normalize                  integer_sums
//     two_level<C, F>, other C            as C, then F         as C, then F               as C, then F
//
// A metric without `form`, or of products without `least_sum`, has rows fused where it is pointwise and the codec
// elementwise, else decoded. sq8 and sq4 are fused, too, where there are no instructions for integer_prefilter.
#pragma once

#include <cstdint>  // for uint8_t

#include "vicinal/scoring/scorer_concepts.hpp"
#include "vicinal/storage/code_store.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// How rows are scored.
enum class scan_algorithm : std::uint8_t {
    decode,             ///< each row is decoded, then measured: scorer.hpp
    fuse,               ///< one loop loads components and adds them up: scorer.hpp
    dot_products,       ///< many queries at once rule rows out by products, what is left is fused: query_tiles.hpp
    integer_prefilter,  ///< integer sums rule rows out, what is left is fused: prefilter_sq.hpp
    table_prefilter,    ///< look-up tables rule rows out, what is left is fused: prefilter_pq.hpp
    table_estimates,    ///< look-up tables find candidates for the fine codec: prefilter_pq.hpp
    sign_bounds,        ///< bounds that hold with a probability rule rows out: bounds_rabitq.hpp
    distance_bounds,    ///< certain bounds rule rows out, the fine codec measures the rest: bounds_pca8.hpp
    normalize,          ///< integers rule rows out, products and squares of the others: normalized_products.hpp
    count_bits,         ///< bits that differ, or are common, are counted: scorer.hpp
    integer_sums,       ///< distances by integers, near enough to walk a graph by: integer_scorer.hpp
};

/// What rows are scored for.
enum class scan_use : std::uint8_t {
    query,   ///< a scan for one query, of all rows or of lists
    batch,   ///< a scan for many queries, of which each finds what it finds alone
    walk,    ///< a walk of a graph
    rerank,  ///< the exact distances of rows that something else chose
};

/// A metric whose sum has a bound for every threshold, so that what bounds the sum rules rows out.
template <class M>
concept sum_bounded_metric = formed_metric<M> &&(M::form == sum_form::squared_difference || product_bound_metric<M>);

/// A pair whose distances are made of numbers of bits.
template <class Metric, class Codec>
inline constexpr bool counts_bits = counting_metric<Metric>&& bit_codec<Codec>;

/// Says which algorithm scores rows of `Codec`, which may be two_level. See the table above.
template <class Metric, class Codec, class Isa>
[[nodiscard]] constexpr scan_algorithm algorithm_of(scan_use use) noexcept {
    using enum scan_algorithm;
    using store = row_store<Codec>;
    using coarse = typename store::coarse_codec;
    using fine = typename store::fine_codec;
    constexpr bool fused = pointwise_metric<Metric> && elementwise_codec<coarse>;
    constexpr bool bounded = sum_bounded_metric<Metric>;
    if (use == scan_use::rerank ? counts_bits<Metric, fine> : counts_bits<Metric, coarse>) return count_bits;
    if (keeps_as_given<Metric, coarse>) return use == scan_use::walk ? integer_sums : normalize;
    if (use == scan_use::rerank) return pointwise_metric<Metric> && elementwise_codec<fine> ? fuse : decode;
    if (use == scan_use::walk)
        return formed_metric<Metric> && affine_codec<coarse> ? integer_sums : fused ? fuse : decode;
    if (store::two_levels && distance_bounding_codec<coarse>) return distance_bounds;
    if (bounded && sign_codec<coarse>) return sign_bounds;
    if (bounded && product_codec<coarse>) return store::two_levels ? table_estimates : table_prefilter;
    if (use == scan_use::batch && bounded && fused) return dot_products;
    if (bounded && affine_codec<coarse> && norm_bounded_codec<coarse> && Isa::may_scan_integers)
        return integer_prefilter;
    return fused ? fuse : decode;
}

/// Whether an algorithm finds what measuring every row by the same codec finds. sign_bounds misses a row with a small
/// probability; table_estimates and integer_sums leave the decision to a rerank.
[[nodiscard]] constexpr bool is_exact(scan_algorithm algorithm) noexcept {
    using enum scan_algorithm;
    return algorithm != sign_bounds && algorithm != table_estimates && algorithm != integer_sums;
}

/// Whether the queries of a batch look at each block of rows together. Where bounds of one query choose how many of the
/// next rows are worth bounding, they are searched one by one.
[[nodiscard]] constexpr bool is_joint(scan_algorithm algorithm) noexcept {
    return algorithm != scan_algorithm::distance_bounds;
}

/// Whether rows' codes are looked up in tables, by columns that many queries can share: scoring/code_columns.hpp.
[[nodiscard]] constexpr bool reads_columns(scan_algorithm algorithm) noexcept {
    using enum scan_algorithm;
    return algorithm == table_prefilter || algorithm == table_estimates || algorithm == sign_bounds;
}

/// The algorithm of scans for one query, of a plain codec or the coarse one of two.
template <class Metric, class Codec, class Isa>
inline constexpr scan_algorithm query_algorithm = algorithm_of<Metric, Codec, Isa>(scan_use::query);

template <class Metric, class Codec, class Isa, scan_algorithm Algorithm>
concept scans_by = query_algorithm<Metric, Codec, Isa>
== Algorithm;

/// A codec of two levels whose coarse codes bound distances: it has scans, but no graph.
template <class Codec>
concept bounds_coarse =
    row_store<Codec>::two_levels && distance_bounding_codec<typename row_store<Codec>::coarse_codec>;

}  // namespace detail

VICINAL_NAMESPACE_END
