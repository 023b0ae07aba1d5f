// SPDX-License-Identifier: MIT
// Rows of a store scanned for many queries at once: each block of rows is read once and met by all of them.
#pragma once

#include <algorithm>    // for min
#include <cstddef>      // for size_t
#include <cstdint>      // for uint32_t
#include <iterator>     // for begin, size
#include <numeric>      // for iota
#include <span>         // for span
#include <type_traits>  // for invoke_result_t
#include <utility>      // for as_const
#include <vector>       // for vector

#include "vicinal/params.hpp"
#include "vicinal/scoring/bounds_rabitq.hpp"
#include "vicinal/scoring/code_columns.hpp"
#include "vicinal/scoring/normalized_products.hpp"
#include "vicinal/scoring/prefilter_pq.hpp"
#include "vicinal/scoring/query_tiles.hpp"
#include "vicinal/scoring/scan.hpp"
#include "vicinal/scoring/scorer.hpp"
#include "vicinal/storage/code_store.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// Pushes rows [0, count) of a store to the collectors of all queries, by tiles. before_block() may throw.
template <class Isa, class Metric, class Codec, class Collectors, class BeforeBlock>
void scan_rows_by_tiles(const Metric& metric, const code_store<Codec>& store, const query_table& queries,
                        std::size_t count, Collectors& collectors, BeforeBlock before_block) {
    using tiles_type = query_tiles<Metric, Codec, Isa>;
    tiles_type tiles(metric, store, queries);
    const std::size_t size = tiles_type::panel_size();
    std::vector<typename tiles_type::panel> panels((queries.size() + size - 1) / size);
    std::uint32_t numbers[tiles_type::most_of_panel];
    for (std::size_t p = 0; p < panels.size(); ++p) {
        const std::size_t first = p * size;
        const std::size_t n = (std::min)(size, queries.size() - first);
        std::iota(numbers, numbers + n, static_cast<std::uint32_t>(first));
        panels[p].pack(tiles, std::span(numbers, n));
    }
    const std::size_t most = tiles_type::rows_together(store.components());
    // Until a query has its k rows everything is scored twice: blocks begin small.
    std::size_t block = std::min<std::size_t>(48, most);
    for (std::size_t first = 0; first < count; first += block, block = (std::min)(2 * block, most)) {
        before_block();
        tiles.load(store.rows().table(), static_cast<slot_t>(first), (std::min)(block, count - first));
        for (const auto& panel : panels)
            tiles.scan(
                panel, [&](std::uint32_t query) -> auto& { return collectors[query]; },
                [&](std::size_t row) { return static_cast<slot_t>(first + row); });
    }
}

/// The same by the scorers of single queries, for few queries and for pairs without tiles.
template <class Scorer, class Collectors, class BeforeBlock>
void scan_rows_by_scorers(std::span<const Scorer> scorers, std::size_t count, Collectors& collectors,
                          BeforeBlock before_block) {
    for (std::size_t first = 0; first < count; first += scan_block) {
        before_block();
        const std::size_t n = (std::min)(scan_block, count - first);
        for (std::size_t q = 0; q < scorers.size(); ++q)
            push_block(scorers[q], scorers[q].rows()[static_cast<slot_t>(first)], scorers[q].rows().stride, n,
                       collectors[q], [&](std::size_t i) { return static_cast<slot_t>(first + i); });
    }
}

/// A scorer for each query of a batch, and what it makes of the query. make(query, made_of_query) returns one.
template <class Make>
class query_scorers {
  public:
    using scorer_type = std::invoke_result_t<Make, const float*, padded_vector&>;

    query_scorers(const query_table& queries, const Make& make) : made_of_queries_(queries.size()) {
        scorers_.reserve(queries.size());
        for (std::size_t q = 0; q < queries.size(); ++q)
            scorers_.push_back(make(queries[q].data(), made_of_queries_[q]));
    }
    [[nodiscard]] scorer_type& operator[](std::size_t query) noexcept { return scorers_[query]; }
    /// Counts what scorers measured by the fine codec, if they do that.
    void count_measured(search_stats& stats) const noexcept {
        if constexpr (requires { scorers_[0].measured(); })
            for (const scorer_type& scorer : scorers_) {
                stats.distances += scorer.measured();
                stats.reranks += scorer.measured();
            }
    }

  private:
    std::vector<padded_vector> made_of_queries_;
    std::vector<scorer_type> scorers_;
};

/// How many queries a task may take whose scorers have look-up tables: few enough for those to need some megabytes.
[[nodiscard]] inline std::size_t queries_with_tables(std::size_t dim) noexcept {
    constexpr std::size_t memory = std::size_t{8} << 20;
    constexpr std::size_t of_a_component = 40;  // half of 16 entries, in floats and in bytes
    return std::max<std::size_t>(64, memory / (of_a_component * dim));
}

/// Pushes rows [0, count) of `rows` to the collectors of `queries`, by columns that are made once; row i is pushed as
/// slot_of(i). Each query finds rows in the order in which it finds them alone. before_block() may throw.
/// memory  for bounds
template <class Columns, class Queries, class Scorers, class Collectors, class SlotOf, class BeforeBlock>
void scan_by_columns(Columns& columns, const simd::row_table& rows, std::size_t count, const Queries& queries,
                     Scorers& scorers, Collectors& collectors, SlotOf slot_of, std::vector<float>& memory,
                     BeforeBlock before_block) {
    using scorer_type = typename Scorers::scorer_type;
    if (std::size(queries) == 1) {
        const auto query = *std::begin(queries);
        scan_rows(std::as_const(scorers[query]), rows, count, collectors[query], slot_of, memory, before_block);
        return;
    }
    for (std::size_t begin = 0, end = 0; begin < count; begin = end) {
        if constexpr (bound_scorer<scorer_type>)
            end = end_of_chunk(begin, count);
        else
            end = (std::min)(begin + columns.rows_together(), count);
        columns.take(rows, begin, end);
        for (const auto query : queries) {
            const column_scorer scorer(std::as_const(scorers[query]), columns);
            if constexpr (bound_scorer<scorer_type>)
                push_chunk(scorer, rows, begin, end, collectors[query], slot_of, memory, before_block);
            else
                scan_blocks(scorer, rows, begin, end, collectors[query], slot_of, before_block);
        }
    }
}

/// Fewer queries than this leave so much of a panel empty that scorers are faster.
inline constexpr std::size_t fewest_tiled = 8;

/// Pushes rows [0, count) of a store to the collectors of all queries, by whatever is faster. `decoded` is for codecs
/// whose rows must be decoded.
template <class Isa, class Metric, class Codec, class Collectors, class BeforeBlock>
void scan_rows_together(const Metric& metric, const code_store<Codec>& store, const query_table& queries,
                        std::size_t count, Collectors& collectors, padded_vector& decoded, BeforeBlock before_block) {
    if constexpr (algorithm_of<Metric, Codec, Isa>(scan_use::batch) == scan_algorithm::dot_products)
        if (queries.size() >= fewest_tiled) {
            scan_rows_by_tiles<Isa>(metric, store, queries, count, collectors, before_block);
            return;
        }
    using scorer_type = scan_scorer<Metric, Codec, Isa>;
    std::vector<padded_vector> integers(queries.size());
    std::vector<scorer_type> scorers;
    scorers.reserve(queries.size());
    for (std::size_t q = 0; q < queries.size(); ++q)
        scorers.emplace_back(metric, store, queries[q].data(), decoded, integers[q]);
    scan_rows_by_scorers(std::span<const scorer_type>(scorers), count, collectors, before_block);
}

}  // namespace detail

VICINAL_NAMESPACE_END
