// SPDX-License-Identifier: MIT
// What an hnsw_index holds: rows, the graph over them, and what is known of rows that the graph has no links for.
#pragma once

#include <cstddef>      // for size_t
#include <cstdint>      // for uint32_t
#include <type_traits>  // for conditional_t
#include <utility>      // for exchange

#include "vicinal/index/common/index_rows.hpp"
#include "vicinal/index/common/scratch_pool.hpp"
#include "vicinal/index/hnsw/graph/duplicates.hpp"
#include "vicinal/index/hnsw/graph/graph.hpp"
#include "vicinal/index/hnsw/graph/link_distances.hpp"
#include "vicinal/index/hnsw/graph/retired_rows.hpp"
#include "vicinal/index/hnsw/graph/walk.hpp"
#include "vicinal/params.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::hnsw {

[[nodiscard]] inline hnsw_params checked(hnsw_params params) {
    if (params.build_beam != 0) params.ef_construction = std::exchange(params.build_beam, 0);
    require_range("degree", params.degree, 2, 1024);
    require_range("ef_construction", params.ef_construction, 1, std::size_t{1} << 20);
    return params;
}

template <class Metric, class Codec, class Id, class Isa>
struct state : index_rows<Metric, Codec, Id, Isa> {
    using base = index_rows<Metric, Codec, Id, Isa>;
    using params_type = hnsw_search_params<Id>;
    using known_type = known_codes<typename base::store_type>;
    using mean_type = std::conditional_t<has_free_origin<Metric>, shared_mean, no_shared_mean>;
    static constexpr std::uint32_t kind = 3;  ///< in files
    /// Bit 0: there are rows outside the graph, behind those they are duplicates of.
    [[nodiscard]] std::uint32_t file_features() const noexcept { return duplicates.any() ? 1 : 0; }

    explicit state(std::size_t dimension, const hnsw_params& wanted = {})
        : base(dimension, row_spacing::lines), params(checked(wanted)), graph(params.degree) {}

    hnsw_params params;
    hnsw_graph graph;
    retired_rows retired;
    row_duplicates duplicates;             ///< rows without links, behind those that have their codes
    known_type known{this->rows};          ///< live rows of the graph by their codes
    [[no_unique_address]] mean_type mean;  ///< of the rows, for choosing links
    std::size_t times_reordered = 0;       ///< streams hold numbers of rows
    mutable scratch_pool<walk_scratch> walks;
};

}  // namespace detail::hnsw

VICINAL_NAMESPACE_END
