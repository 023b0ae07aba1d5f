// SPDX-License-Identifier: MIT
// The scorers of an index: each joins its metric, its codes and the prepared query in the buffers of a search.
#pragma once

#include "vicinal/index/common/index_rows.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// By coarse codes.
template <class State>
[[nodiscard]] typename State::coarse_scorer_type make_coarse_scorer(const State& index, row_scratch& buffers) {
    return {index.metric, index.rows.coarse(), buffers.query.data(), buffers.decoded};
}
/// By coarse codes, for scans of many rows.
template <class State>
[[nodiscard]] typename State::scan_scorer_type make_scan_scorer(const State& index, row_scratch& buffers) {
    return {index.metric, index.rows.coarse(), buffers.query.data(), buffers.decoded, buffers.integers};
}
/// By what tables estimate of coarse codes, if that is how they are scanned, else by coarse codes.
template <class State>
[[nodiscard]] auto make_candidate_scorer(const State& index, const float* query, padded_vector& decoded,
                                         padded_vector& made_of_query) {
    using metric = typename State::metric_type;
    using isa = typename State::isa_type;
    if constexpr (State::algorithm == scan_algorithm::table_estimates)
        return estimating_scorer<metric, typename State::coarse_codec, isa>(index.metric, index.rows.coarse(), query,
                                                                            decoded, made_of_query);
    else
        return typename State::scan_scorer_type(index.metric, index.rows.coarse(), query, decoded, made_of_query);
}
template <class State>
[[nodiscard]] auto make_candidate_scorer(const State& index, row_scratch& buffers) {
    return make_candidate_scorer(index, buffers.query.data(), buffers.decoded, buffers.integers);
}
/// By coarse codes, for walks through a graph.
template <class State>
[[nodiscard]] typename State::walk_scorer_type make_walk_scorer(const State& index, row_scratch& buffers) {
    return {index.metric, index.rows.coarse(), buffers.query.data(), buffers.decoded};
}
/// By fine codes.
template <class State>
[[nodiscard]] typename State::fine_scorer_type make_fine_scorer(const State& index, row_scratch& buffers) {
    return {index.metric, index.rows.fine(), buffers.query.data(), buffers.decoded};
}
/// By fine codes, of the rows that coarse ones do not rule out.
template <class State>
[[nodiscard]] auto make_bounding_scorer(const State& index, row_scratch& buffers) {
    return bounding_scorer<typename State::metric_type, typename State::coarse_codec, typename State::fine_codec,
                           typename State::isa_type>(
        index.metric, index.rows.coarse(), make_fine_scorer(index, buffers), buffers.query.data(), buffers.integers);
}
/// By fine codes, of the rows that sketches do not rule out.
template <class State>
[[nodiscard]] auto make_sketch_scorer(const State& index, const float* query, padded_vector& decoded,
                                      padded_vector& made_of_query) {
    return sketch_scorer<typename State::metric_type, typename State::coarse_codec, typename State::fine_codec,
                         typename State::isa_type>(
        typename State::scan_scorer_type(index.metric, index.rows.coarse(), query, decoded, made_of_query),
        typename State::fine_scorer_type(index.metric, index.rows.fine(), query, decoded));
}
template <class State>
[[nodiscard]] auto make_sketch_scorer(const State& index, row_scratch& buffers) {
    return make_sketch_scorer(index, buffers.query.data(), buffers.decoded, buffers.integers);
}

}  // namespace detail

VICINAL_NAMESPACE_END
