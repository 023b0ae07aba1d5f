// SPDX-License-Identifier: MIT
// What an index of rows holds: metric, codes, ids, locks and counts. It is data only; the functions beside this header
// work on it.
#pragma once

#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint64_t
#include <string>       // for string
#include <string_view>  // for string_view
#include <vector>       // for vector

#include "vicinal/index/common/batch_checks.hpp"
#include "vicinal/index/common/call_stats.hpp"
#include "vicinal/index/common/learner.hpp"
#include "vicinal/index/common/locks.hpp"
#include "vicinal/index/common/scratch_pool.hpp"
#include "vicinal/scoring/algorithm.hpp"
#include "vicinal/scoring/bounds_pca8.hpp"
#include "vicinal/scoring/bounds_rabitq.hpp"
#include "vicinal/scoring/integer_scorer.hpp"
#include "vicinal/scoring/member_checks.hpp"
#include "vicinal/scoring/normalized_products.hpp"
#include "vicinal/scoring/prefilter_pq.hpp"
#include "vicinal/scoring/prefilter_sq.hpp"
#include "vicinal/scoring/scan.hpp"
#include "vicinal/scoring/scorer.hpp"
#include "vicinal/storage/code_store.hpp"
#include "vicinal/storage/file_backing.hpp"
#include "vicinal/storage/id_map.hpp"
#include "vicinal/storage/row_bitmap.hpp"
#if defined(VICINAL_DISPATCH)
#include "vicinal/scoring/dispatched_pairs.hpp"
#endif

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Buffers of one search over rows in a store.
struct row_scratch {
    padded_vector query;
    padded_vector decoded;
    padded_vector integers;
    std::vector<float> bounds;
    std::vector<neighbor<slot_t>> candidates;
    std::vector<std::uint64_t> keys;  // of candidates' reservoir
    std::vector<slot_t> slots;
    row_bitmap admitted;  // by a filter
    std::vector<std::byte> code;
    search_counts done;  ///< by searches that leased these buffers

    [[nodiscard]] std::size_t memory() const noexcept {
        return (query.span().size() + decoded.span().size() + integers.span().size() + bounds.capacity()) *
                   sizeof(float) +
               candidates.capacity() * sizeof(neighbor<slot_t>) + keys.capacity() * sizeof(std::uint64_t) +
               slots.capacity() * sizeof(slot_t) + admitted.memory() + code.capacity();
    }
};

/// Metric, rows, ids and the locks around them.
template <class Metric, class Codec, class Id, class Isa, class Scratch = row_scratch>
struct index_rows {
    static_assert(takes_prepared_rows<Metric, Codec>(),
                  "vicinal: i8 and u8 cannot be a half of two_level under cosine, as they store rows as they come and "
                  "not as unit vectors: use them alone");
    using metric_type = Metric;
    using codec_type = Codec;
    using id_type = Id;
    using isa_type = Isa;
    using scratch_type = Scratch;
    using learner_type = detail::learner<Id>;
    using store_type = row_store<Codec>;
    using coarse_codec = typename store_type::coarse_codec;
    using fine_codec = typename store_type::fine_codec;
    static constexpr bool two_levels = store_type::two_levels;
    static_assert(check_metric<Metric>() && check_codec<coarse_codec>() && check_codec<fine_codec>());
    static_assert(!truncating_codec<fine_codec>,
                  "vicinal: prefix<N> keeps too little to rank by: it is the coarse half of a two_level, as in "
                  "two_level<prefix<N>, f32>; to search truncated vectors only, make an index of N components");

    using coarse_scorer_type = scorer<Metric, coarse_codec, Isa>;
    using fine_scorer_type = scorer<Metric, fine_codec, Isa>;
    /// For scans of many rows.
    using scan_scorer_type = scan_scorer<Metric, coarse_codec, Isa>;
    /// What a graph is walked by; its distances are only near the coarse codec's where `approximate_walk`.
    using walk_scorer_type = walk_scorer<Metric, coarse_codec, Isa>;
    static constexpr bool approximate_walk = !is_exact(algorithm_of<Metric, Codec, Isa>(scan_use::walk));
    /// How a query scans rows.
    static constexpr scan_algorithm algorithm = query_algorithm<Metric, Codec, Isa>;
    /// Whether the queries of a batch look at rows together. Those whose bits a fine codec counts have one place for
    /// them where signs rule rows out.
    static constexpr bool scans_jointly =
        is_joint(algorithm) && !(algorithm == scan_algorithm::sign_bounds && counts_bits<Metric, fine_codec>);

    static constexpr std::size_t max_dimension = max_dim;
    static constexpr std::size_t min_dimension = [] {
        if constexpr (truncating_codec<coarse_codec>) return std::size_t{coarse_codec::components};
        return std::size_t{1};
    }();
    [[nodiscard]] static std::string metric_name() { return std::string(std::string_view(Metric::name)); }
    [[nodiscard]] static std::string codec_name() { return store_type::name(); }
    /// The incompatible features that a file of this index needs its readers to know.
    [[nodiscard]] static std::uint32_t file_features() noexcept { return 0; }

    index_rows(std::size_t dimension, row_spacing row_spaces)
        : dim(dimension), spacing(row_spaces), rows(dimension, row_spaces), learner(dimension) {
        if constexpr (preparing_metric<Metric> && truncating_codec<coarse_codec>)
            rows.coarse().coder().prepare_by(metric);
    }

    std::size_t dim;
    row_spacing spacing;
    [[no_unique_address]] Metric metric{};
    store_type rows;
    id_map<Id> directory;
    lazy_part id_table;  ///< of a view: what the directory looks ids up in
    file_backing backing;
    std::vector<std::byte> note;  ///< of the application's, in the file that the index comes from
    mutable index_locks locks;
    mutable scratch_pool<Scratch> scratch;
    change_counts counted;
    mutable learner_type learner;
};

}  // namespace detail

VICINAL_NAMESPACE_END
