// SPDX-License-Identifier: MIT
// How vectors become codes: they are validated, prepared by the metric, and encoded apart from the rows that readers
// see.
#pragma once

#include <algorithm>    // for equal, fill, min
#include <cstddef>      // for size_t, byte
#include <limits>       // for numeric_limits
#include <span>         // for span
#include <string>       // for string, to_string
#include <string_view>  // for string_view
#include <type_traits>  // for remove_cvref_t
#include <vector>       // for vector

#include "vicinal/core/executor.hpp"
#include "vicinal/core/rows_view.hpp"
#include "vicinal/index/common/batch_checks.hpp"
#include "vicinal/index/common/index_rows.hpp"
#include "vicinal/storage/validation.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Puts a query, as the metric wants it, into buffers.query.
template <class State>
void validate_query(const State& index, row_scratch& buffers, vector_view query) {
    buffers.query.resize(index.dim);
    validate_and_prepare<typename State::codec_type>(index.metric, "query", query, buffers.query.span());
}
/// Puts a vector that is to be stored there.
template <class State>
void validate_row(const State& index, row_scratch& buffers, vector_view vector) {
    using codec_type = typename State::codec_type;
    buffers.query.resize(index.dim);
    validate_and_prepare<codec_type>(preparer_of_rows<codec_type>(index.metric), "vector", vector,
                                     buffers.query.span());
}
/// The same for a query of a batch, into `out`.
template <class State>
void validate_query(const State& index, vector_view query, std::span<float> out) {
    validate_and_prepare<typename State::codec_type>(index.metric, "query", query, out);
}

/// Puts a vector of a checked batch, as the metric wants it, into buffers.query.
template <class State>
void prepare_vector(const State& index, row_scratch& buffers, vector_view vector) {
    buffers.query.resize(index.dim);
    prepare_validated(preparer_of_rows<typename State::codec_type>(index.metric), vector, buffers.query.span());
}
/// Calls check(buffers) for each row of a checked batch, prepared in buffers.query; says of which row it threw.
template <class State, class Check>
void for_each_prepared(const State& index, rows_view vectors, executor_ref executor, const Check& check) {
    constexpr std::size_t block = 256;
    parallel_for(executor, (vectors.rows() + block - 1) / block, [&](std::size_t b) {
        auto lease = index.scratch.take();
        for (std::size_t r = b * block; r < (std::min)(vectors.rows(), (b + 1) * block); ++r) {
            prepare_vector(index, *lease, vectors[r]);
            try {
                check(*lease);
            } catch (const error& e) {
                fail_in_batch(e, r);
            }
        }
    });
}

// ---- vectors that no codec may make too long -----------------------------------------------------------------------

template <class Codec>
void require_stored(std::span<const float> decoded) {
    if (!admissible_when_stored(sum_of_squares(decoded)))
        fail(errc::magnitude, "vector: codec " + std::string(std::string_view(Codec::name)) +
                                  " would round it to a sum of squares of " + std::to_string(sum_of_squares(decoded)) +
                                  ", that must not exceed FLT_MAX/6, " +
                                  std::to_string((std::numeric_limits<float>::max)() / 6));
}
/// Refuses a prepared vector that the codec of `codes` would make too long.
template <class Codec>
void require_decodable_by(const code_store<Codec>& codes, row_scratch& buffers, std::span<const float> prepared) {
    if (keeps_admissible(codes.coder())) return;
    buffers.code.resize(codes.rows().row_bytes());
    buffers.decoded.resize(codes.dim());
    codes.coder().encode(prepared, buffers.code);
    codes.coder().decode(buffers.code, buffers.decoded.span());
    require_stored<Codec>(buffers.decoded.span());
}
/// Refuses a prepared vector of which a codec would make one so much longer that distances could overflow: coarse steps
/// over a range near the limit of validation can. Codecs are trained.
template <class State>
void require_decodable(const State& index, row_scratch& buffers, std::span<const float> prepared) {
    require_resolvable<typename State::codec_type>("vector", prepared);
    index.rows.for_each_store([&](const auto& codes) { require_decodable_by(codes, buffers, prepared); });
}
/// The same for each row of a checked batch, naming the row.
template <class State>
void require_decodable(const State& index, rows_view vectors, executor_ref executor) {
    bool all = true;
    index.rows.for_each_store([&](const auto& codes) { all = all && keeps_admissible(codes.coder()); });
    if (all) return;
    for_each_prepared(index, vectors, executor,
                      [&](row_scratch& buffers) { require_decodable(index, buffers, buffers.query.span()); });
}

// ---- codes ---------------------------------------------------------------------------------------------------------

/// Bytes of a row's code, by all codecs.
template <class State>
[[nodiscard]] std::size_t code_bytes(const State& index) noexcept {
    std::size_t bytes = 0;
    index.rows.for_each_store([&](const auto& codes) { bytes += codes.rows().stride(); });
    return bytes;
}
/// Encodes a prepared vector as a row of `codes` would have it, padding included.
template <class Codec>
void encode_for(const code_store<Codec>& codes, std::span<const float> prepared, std::byte* code) {
    const std::size_t used = codes.rows().row_bytes();
    codes.coder().encode(prepared, {code, used});
    std::fill(code + used, code + codes.rows().stride(), std::byte{0});
}
/// A prepared vector's code, by all codecs.
template <class State>
void encode_row(const State& index, std::span<const float> prepared, std::byte* code) {
    index.rows.for_each_store([&](const auto& codes) {
        encode_for(codes, prepared, code);
        code += codes.rows().stride();
    });
}
template <class State>
void count_clipped(const State& index, std::span<const float> prepared) noexcept {
    std::size_t half = 0;
    index.rows.for_each_store([&](const auto& codes) { index.learner.pending.count(codes.coder(), half++, prepared); });
}
/// The code of the prepared vector in `buffers`, into buffers.code.
template <class State>
void encode_query(const State& index, row_scratch& buffers) {
    buffers.code.resize(code_bytes(index));
    encode_row(index, buffers.query.span(), buffers.code.data());
    count_clipped(index, buffers.query.span());
}
/// The codes of a checked batch.
template <class State>
void encode_batch(const State& index, rows_view vectors, std::vector<std::byte>& codes, executor_ref executor) {
    constexpr std::size_t block = 256;
    const std::size_t bytes = code_bytes(index);
    codes.resize(vectors.rows() * bytes);
    parallel_for(executor, (vectors.rows() + block - 1) / block, [&](std::size_t b) {
        auto lease = index.scratch.take();
        for (std::size_t r = b * block; r < (std::min)(vectors.rows(), (b + 1) * block); ++r) {
            prepare_vector(index, *lease, vectors[r]);
            encode_row(index, lease->query.span(), codes.data() + r * bytes);
            count_clipped(index, lease->query.span());
        }
    });
}
/// Whether a row has that code.
template <class State>
[[nodiscard]] bool has_code(const State& index, slot_t slot, const std::byte* code) noexcept {
    bool same = true;
    index.rows.for_each_store([&](const auto& codes) {
        same = same && std::equal(code, code + codes.rows().stride(), codes.rows()[slot]);
        code += codes.rows().stride();
    });
    return same;
}

}  // namespace detail

VICINAL_NAMESPACE_END
