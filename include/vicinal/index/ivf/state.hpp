// SPDX-License-Identifier: MIT
// What an ivf_index holds: centroids, and a list of rows for each.
#pragma once

#include <cstddef>  // for size_t
#include <cstdint>  // for uint32_t, uint64_t
#include <vector>   // for vector

#include "vicinal/index/common/files.hpp"
#include "vicinal/index/common/index_rows.hpp"
#include "vicinal/index/ivf/lists/clustering.hpp"
#include "vicinal/index/ivf/lists/lists.hpp"
#include "vicinal/params.hpp"
#include "vicinal/storage/chunked_rows.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::ivf {

/// Buffers of one search.
struct list_scratch : row_scratch {
    std::vector<std::uint32_t> probes;      // lists, closest first
    std::vector<std::uint64_t> probe_keys;  // of a reservoir, beside that of candidates

    [[nodiscard]] std::size_t memory() const noexcept {
        return row_scratch::memory() + probes.capacity() * sizeof(std::uint32_t) +
               probe_keys.capacity() * sizeof(std::uint64_t);
    }
};

/// Rows whose coarse codes lie in lists. The coarse store holds no rows, only the codec; of two levels, the fine store
/// has a row for each slot.
template <class Metric, class Codec, class Id, class Isa>
struct state : index_rows<Metric, Codec, Id, Isa, list_scratch> {
    using base = index_rows<Metric, Codec, Id, Isa, list_scratch>;
    using typename base::coarse_codec;
    using coarse_word = code_word<coarse_codec>;
    using params_type = ivf_search_params<Id>;
    static constexpr std::uint32_t kind = 2;  ///< in files
    static constexpr bool centered = residual_codec<coarse_codec>;

    ivf_params asked;
    ivf_centroids centroids;
    ivf_lists lists;
    std::uint64_t list_generation = 0;  ///< how often other lists were put in place
    chunked_array<ivf_place> places;    ///< of each slot; while the index lies in a file, found when first needed
    lazy_part found_places;             ///< whether that was done

    explicit state(std::size_t dimension, const ivf_params& how = {})
        : base(dimension, row_spacing::dense),
          asked(how),
          centroids(dimension),
          lists(base::rows.coarse().rows().stride()) {}
};

}  // namespace detail::ivf

VICINAL_NAMESPACE_END
