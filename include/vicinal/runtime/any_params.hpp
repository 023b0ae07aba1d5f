// SPDX-License-Identifier: MIT
// What any_index takes in the place of each index's own parameters: the members of all of them.
#pragma once

#include <cstddef>   // for size_t
#include <cstdint>   // for uint64_t
#include <optional>  // for optional

#include "vicinal/params.hpp"

VICINAL_NAMESPACE_BEGIN

/// How an index of any type is built. What is not given is as hnsw_params and ivf_params say; what is given and the
/// index has no use for is refused: `.degree` of an inverted file, anything of a flat index.
struct any_params {
    std::optional<std::size_t> degree{};           ///< hnsw
    std::optional<std::size_t> ef_construction{};  ///< hnsw
    std::optional<std::size_t> lists{};            ///< ivf
    std::optional<std::uint64_t> seed{};           ///< hnsw, ivf

    friend bool operator==(const any_params&, const any_params&) = default;
};

/// How an index of any type searches. Every member is optional. `ef` of an index that is no graph and `nprobe` of one
/// that has no lists throw error{invalid_argument} unless they are 0.
template <identifier Id = std::uint64_t>
struct any_search_params {
    std::size_t ef = 0;      ///< hnsw: width of the beam; 0 = 64
    std::size_t nprobe = 0;  ///< ivf: how many lists are scanned; 0 = 1/16 of them, at least 8
    std::size_t rerank = 0;  ///< two_level only: how many coarse results are scored again by the fine codec; 0 =
                             ///< as many as the index finds necessary
    id_filter<Id> filter{};  ///< which ids may be returned
    query_filters<Id>
        filter_of{};  ///< batch search: which ids each query may return, beside what `.filter` says of all:
                      ///< both must admit an id. A single search refuses it
    vicinal::filter_strategy filter_strategy{};  ///< hnsw: how
    stop_token stop{};                           ///< when triggered, the call throws error{cancelled}
    time_limit deadline{};          ///< when it has passed, the call returns the best it has found, perhaps fewer than
                                    ///< k, and counts that in stats->partial: a time point, or a duration from now.
                                    ///< nearest() ignores it
    search_stats* stats = nullptr;  ///< what the call did is added here before it returns
    std::size_t threads = 1;        ///< batch search: how many threads work; 0 = all of the machine's
    executor_ref executor{};        ///< batch search: your thread pool
};

VICINAL_NAMESPACE_END
