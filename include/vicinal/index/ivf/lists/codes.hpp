// SPDX-License-Identifier: MIT
// Rows are encoded for their list: some codecs encode the residual, which is what a row has beyond the list's centroid.
#pragma once

#include <algorithm>  // for fill
#include <cmath>      // for sqrt
#include <cstddef>    // for size_t, byte
#include <cstdint>    // for uint32_t
#include <span>       // for span
#include <vector>     // for vector

#include "vicinal/core/executor.hpp"
#include "vicinal/core/rows_view.hpp"
#include "vicinal/index/common/encoding.hpp"
#include "vicinal/index/ivf/lists/clustering.hpp"
#include "vicinal/index/ivf/state.hpp"
#include "vicinal/scoring/scorer.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::ivf {

/// Says whether codes are relative to their list's centroid. In files without a CDRV section they are relative to the
/// codec's own point.
template <class State>
[[nodiscard]] bool about_centroids(const State& index) noexcept {
    return !index.centroids.derived().empty();
}
/// Returns what the codes of a list are relative to, if anything.
template <class Codec>
[[nodiscard]] center_of<Codec> center_of_list(const Codec& coder, [[maybe_unused]] const ivf_centroids& centroids,
                                              [[maybe_unused]] std::size_t list) noexcept {
    if constexpr (residual_codec<Codec>)
        if (!centroids.derived().empty()) return centroids.center(list);
    return own_center(coder);
}
template <class State>
[[nodiscard]] auto center_of_list(const State& index, std::size_t list) noexcept {
    return center_of_list(index.rows.coarse().coder(), index.centroids, list);
}
/// Tells a scorer of coarse codes what those of a list are relative to, if it is the list's centroid.
template <class State, class Scorer>
void set_list(const State& index, [[maybe_unused]] Scorer& scorer, [[maybe_unused]] std::size_t list) noexcept {
    if constexpr (State::centered)
        if (about_centroids(index)) scorer.relative_to(index.centroids.center(list));
}
/// Derives from centroids what the coarse codec needs of them, if its codes are relative to them.
template <class State>
void derive(const State& index, ivf_centroids& centroids) {
    if constexpr (State::centered) centroids.derive(index.rows.coarse().coder());
}

// ---- coarse codes --------------------------------------------------------------------------------------------------

/// Encodes a prepared vector by `coder`, which may be another codec than the index has.
/// center  of the row's list
template <class State>
void encode_coarse(const State& index, const typename State::coarse_codec& coder,
                   [[maybe_unused]] const center_of<typename State::coarse_codec>& center,
                   std::span<const float> prepared, std::byte* code) {
    const std::size_t used = index.rows.coarse().rows().row_bytes();
    if constexpr (State::centered)
        coder.encode_residual(center, prepared, {code, used});
    else
        coder.encode(prepared, {code, used});
    std::fill(code + used, code + index.lists.stride(), std::byte{0});
}
template <class State>
void encode_coarse(const State& index, std::size_t list, std::span<const float> prepared, std::byte* code) {
    encode_coarse(index, index.rows.coarse().coder(), center_of_list(index, list), prepared, code);
}
template <class State>
void decode_coarse(const State& index, const typename State::coarse_codec& coder,
                   [[maybe_unused]] const center_of<typename State::coarse_codec>& center, const std::byte* code,
                   std::span<float> vector) {
    const std::span<const std::byte> used(code, index.rows.coarse().rows().row_bytes());
    if constexpr (State::centered)
        coder.decode_about(center, used, vector);
    else
        coder.decode(used, vector);
}
template <class State>
void decode_coarse(const State& index, std::size_t list, const std::byte* code, std::span<float> vector) {
    decode_coarse(index, index.rows.coarse().coder(), center_of_list(index, list), code, vector);
}

// ---- fine codes, of two levels -------------------------------------------------------------------------------------

template <class State>
[[nodiscard]] std::size_t fine_stride(const State& index) noexcept {
    return State::two_levels ? index.rows.fine().rows().stride() : 0;
}
/// Returns the code for the fine store of two levels; empty if there is one level.
template <class State>
[[nodiscard]] std::vector<std::byte> encode_fine(const State& index, std::span<const float> prepared) {
    std::vector<std::byte> code(fine_stride(index));
    if constexpr (State::two_levels) encode_for(index.rows.fine(), prepared, code.data());
    return code;
}

// ---- rows on their way in ------------------------------------------------------------------------------------------

template <class State>
[[nodiscard]] bool keeps_admissible_about(const State& index, std::span<const float> centroid) noexcept {
    const double length = std::sqrt(double{sum_of_squares(centroid)});
    return leaves_admissible(index.rows.coarse().coder().largest_squares_about(length));
}
/// Refuses the prepared vector in `buffers` if it cannot be decoded from its codes in `list`, as require_decodable does
/// for other indexes.
template <class State>
void require_decodable_in(const State& index, [[maybe_unused]] std::uint32_t list, list_scratch& buffers) {
    const std::span<const float> prepared = buffers.query.span();
    require_resolvable<typename State::codec_type>("vector", prepared);
    if constexpr (State::centered) {
        if (about_centroids(index)) {
            if constexpr (State::two_levels) require_decodable_by(index.rows.fine(), buffers, prepared);
            if (keeps_admissible_about(index, index.centroids.matrix()[list])) return;
            buffers.code.resize(index.lists.stride());
            buffers.decoded.resize(index.dim);
            encode_coarse(index, list, prepared, buffers.code.data());
            decode_coarse(index, list, buffers.code.data(), buffers.decoded.span());
            require_stored<typename State::coarse_codec>(buffers.decoded.span());
            return;
        }
    }
    require_decodable(index, buffers, prepared);
}
/// Refuses a checked batch if a row of it cannot be decoded from its codes, naming the row.
template <class State>
void require_rows_decodable(const State& index, rows_view vectors, executor_ref executor) {
    if constexpr (State::centered) {
        if (about_centroids(index)) {
            bool all = true;
            if constexpr (State::two_levels) all = keeps_admissible(index.rows.fine().coder());
            for (std::size_t c = 0; c < index.centroids.size(); ++c)
                all = all && keeps_admissible_about(index, index.centroids.matrix()[c]);
            if (all) return;
            for_each_prepared(index, vectors, executor, [&](list_scratch& buffers) {
                const auto list = assign_list<typename State::metric_type, typename State::isa_type>(
                    index.metric, index.centroids, buffers.query.data(), buffers.decoded);
                require_decodable_in(index, list, buffers);
            });
            return;
        }
    }
    require_decodable(index, vectors, executor);
}
/// Returns how far a prepared row lies from the centroid of its list, squared; 0 under a metric that clusters by
/// another distance, and where nobody asks, as lists stay.
template <class State>
[[nodiscard]] double distance_in_list(const State& index, std::size_t list, const float* prepared) noexcept {
    if constexpr (!clusters_by_l2<typename State::metric_type>) return 0;
    if (index.learner.lists.decided) return 0;
    const float* const centroid = index.centroids.matrix()[list].data();
    if constexpr (keeps_as_given<typename State::metric_type, typename State::coarse_codec>) {
        double product = 0;
        for (std::size_t i = 0; i < index.dim; ++i) product += double{prepared[i]} * double{centroid[i]};
        return 1 + squared_norm({centroid, index.dim}) - 2 * product / std::sqrt(squared_norm({prepared, index.dim}));
    }
    return exact_squared_distance(prepared, centroid, index.dim);
}
/// Puts the coarse code of the prepared vector in `buffers` into buffers.code, and returns its list.
/// throws  error{magnitude} if the vector cannot be decoded from its codes
template <class State>
[[nodiscard]] std::uint32_t encode_row_in_buffers(const State& index, list_scratch& buffers) {
    const auto list = assign_list<typename State::metric_type, typename State::isa_type>(
        index.metric, index.centroids, buffers.query.data(), buffers.decoded);
    require_decodable_in(index, list, buffers);
    buffers.code.resize(index.lists.stride());
    encode_coarse(index, list, buffers.query.span(), buffers.code.data());
    count_clipped(index, buffers.query.span());
    index.learner.lists.distances += distance_in_list(index, list, buffers.query.data());
    return list;
}

}  // namespace detail::ivf

VICINAL_NAMESPACE_END
