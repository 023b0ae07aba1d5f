// SPDX-License-Identifier: MIT
// An inverted file searched for many queries at once: each list is read once and met by all queries that look into it.
#pragma once

#include <algorithm>    // for copy, min
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint32_t, uint64_t
#include <span>         // for span
#include <type_traits>  // for conditional_t
#include <vector>       // for vector

#include "vicinal/core/rows_view.hpp"
#include "vicinal/index/common/batch.hpp"
#include "vicinal/index/common/joint_scan.hpp"
#include "vicinal/index/ivf/lists/batch_probes.hpp"
#include "vicinal/index/ivf/lists/column_probes.hpp"
#include "vicinal/index/ivf/lists/lists.hpp"
#include "vicinal/index/ivf/lists/probes.hpp"
#include "vicinal/index/ivf/search.hpp"
#include "vicinal/index/ivf/state.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::ivf {

/// Queries of a task: the more there are, the more of them meet in a list.
inline constexpr std::size_t batch_size = 4096;

/// Scans lists for several queries each. Refers to what it is made from. Not for two threads at once.
template <class State, class Collectors>
class list_scanner {
    using codec_type = typename State::coarse_codec;
    using metric_type = typename State::metric_type;
    using scorer_type = typename State::coarse_scorer_type;
    static constexpr bool tiled = algorithm_of<metric_type, codec_type, typename State::isa_type>(scan_use::batch) ==
                                  scan_algorithm::dot_products;
    static constexpr bool packs_queries = counts_bits<metric_type, codec_type>;

    struct no_tiles {
        no_tiles(const metric_type&, const code_store<codec_type>&, const query_table&) {}
        struct panel {};
    };
    template <bool Tiled, class = void>
    struct tiles_of {
        using type = no_tiles;
    };
    template <class Unused>
    struct tiles_of<true, Unused> {
        using type = query_tiles<metric_type, codec_type, typename State::isa_type>;
    };
    using tiles_type = typename tiles_of<tiled>::type;

  public:
    list_scanner(const State& index, const query_table& queries, Collectors& collectors,
                 typename State::scratch_type& buffers)
        : index_(index),
          collectors_(collectors),
          bounds_(buffers.bounds),
          packed_(packs_queries ? queries.size() : 0),
          tiles_(index.metric, index.rows.coarse(), queries) {
        scorers_.reserve(queries.size());
        for (std::size_t q = 0; q < queries.size(); ++q)
            scorers_.emplace_back(index.metric, index.rows.coarse(), queries[q].data(),
                                  packs_queries ? packed_[q] : buffers.decoded);
    }

    /// Pushes the rows of a list to the collectors of these queries. before_block() may throw.
    template <class BeforeBlock>
    void scan(std::size_t list, std::span<const std::uint32_t> queries, BeforeBlock before_block) {
        const ivf_rows rows = index_.lists[list];
        if (rows.size == 0 || queries.empty()) return;
        std::size_t by_tiles = 0;
        if constexpr (tiled) by_tiles = scan_by_tiles(rows, queries, before_block);
        for (const std::uint32_t q : queries.subspan(by_tiles)) {
            set_list(index_, scorers_[q], list);
            scan_list(scorers_[q], rows, index_.lists.stride(), index_.directory.high_water(), collectors_[q], bounds_,
                      before_block);
        }
    }

  private:
    /// Does so for as many queries as fill panels well, and returns their number.
    template <class BeforeBlock>
    std::size_t scan_by_tiles(const ivf_rows& rows, std::span<const std::uint32_t> queries, BeforeBlock before_block) {
        const std::size_t size = tiles_type::panel_size();
        const std::size_t rest = queries.size() % size;
        const std::size_t taken = rest < fewest_tiled ? queries.size() - rest : queries.size();
        const std::size_t panels = (taken + size - 1) / size;
        if (panels == 0) return 0;
        if (panels_.size() < panels) panels_.resize(panels);
        for (std::size_t p = 0; p < panels; ++p)
            panels_[p].pack(tiles_, queries.subspan(p * size, (std::min)(size, taken - p * size)));
        const listed_rows listed(rows, index_.lists.stride(), index_.directory.high_water());
        const std::size_t block = tiles_type::rows_together(index_.dim);
        for (std::size_t first = 0; first < rows.size; first += block) {
            before_block();
            tiles_.load(listed.table(), static_cast<slot_t>(first), (std::min)(block, rows.size - first));
            for (std::size_t p = 0; p < panels; ++p)
                tiles_.scan(
                    panels_[p], [&](std::uint32_t query) -> auto& { return collectors_[query]; },
                    [&](std::size_t row) { return listed(first + row); });
        }
        return taken;
    }

    const State& index_;
    Collectors& collectors_;
    std::vector<float>& bounds_;
    std::vector<padded_vector> packed_;  // queries, where bits are counted
    std::vector<scorer_type> scorers_;
    tiles_type tiles_;
    std::vector<typename tiles_type::panel> panels_;
};

/// Pushes the rows of lists to the collectors of the queries that look into them, by tiles or one by one.
template <class State, class Collectors>
class probe_scanner {
  public:
    probe_scanner(const State& index, const query_table& queries, Collectors& collectors,
                  typename State::scratch_type& buffers, const batch_probes& probes)
        : index_(index), probes_(probes), queries_(queries.size()), scanner_(index, queries, collectors, buffers) {}

    /// Scans those that are first to last - 1 among a query's.
    template <class BeforeBlock>
    void scan(std::size_t first, std::size_t last, BeforeBlock before_block) {
        chosen_.assign(probes_, queries_, index_.lists.size(), first, last);
        for (std::size_t l = 0; l < index_.lists.size(); ++l) scanner_.scan(l, chosen_[l], before_block);
    }
    /// Scans one list for a query.
    template <class BeforeBlock>
    void scan_alone(std::uint32_t query, std::size_t list, BeforeBlock before_block) {
        scanner_.scan(list, std::span(&query, 1), before_block);
    }

  private:
    const State& index_;
    const batch_probes& probes_;
    std::size_t queries_;
    list_scanner<State, Collectors> scanner_;
    queries_of_lists chosen_;
};

/// Pushes the rows that the filter admits to the queries' collectors, as scan_closest does for one. A filter that is
/// asked about all rows is so once.
template <class State, class Collectors, class Make>
void scan_each_filtered(const State& index, const query_table& queries, const typename State::params_type& params,
                        std::size_t k, Collectors& collectors, const Make& make, list_scratch& buffers,
                        search_stats& stats) {
    admitted_rows<typename State::id_type> admitted(index.directory, params.filter, buffers.admitted);
    const filter_way way = choose_way(index, params, admitted);
    for (std::size_t q = 0; q < queries.size(); ++q) {
        buffers.query.resize(index.dim);
        std::copy(queries[q].begin(), queries[q].end(), buffers.query.data());
        auto scorer = make(queries[q].data(), buffers.integers);
        scan_by_filter(index, scorer, buffers, params, k, collectors[q], admitted, way, stats);
        if constexpr (requires { scorer.measured(); }) {
            stats.distances += scorer.measured();
            stats.reranks += scorer.measured();
        }
    }
}

/// Pushes the rows of the closest lists of each query, or those that the filter admits, to the queries' collectors,
/// as scan_closest does for one. make(query, made_of_query) makes a query's scorer.
/// own_filters  whether collectors ask a filter each, which admits nearly all rows
template <class State, class Collectors, class Make>
void scan_together(const State& index, const query_table& queries, const typename State::params_type& params,
                   std::size_t k, Collectors& collectors, const Make& make, list_scratch& buffers, search_stats& stats,
                   bool own_filters) {
    const auto check_stop = [limits = limits_of(params)] { limits.check(); };
    if (!admits_most(index, params.filter, params.nprobe))
        return scan_each_filtered(index, queries, params, k, collectors, make, buffers, stats);
    const bool as_asked = params.nprobe != 0 && !params.filter && !own_filters;
    const std::size_t lists = index.lists.size();
    const std::size_t wanted = probe_count(params.nprobe, lists);
    const batch_probes probes = find_probes_together<typename State::isa_type>(index.metric, index.centroids.store(),
                                                                               queries, lists, wanted, buffers.decoded);
    for (std::size_t q = 0; q < queries.size(); ++q)
        for (const std::uint32_t list : probes[q]) count_list(index, list, stats);
    const auto scan_probes = [&](auto& scanner) {
        // Every query's closest list first: what it finds there rules out most of the others' rows.
        scanner.scan(0, 1, check_stop);
        scanner.scan(1, wanted, check_stop);
        for (std::uint32_t q = 0; q < queries.size(); ++q) {
            if (as_asked || wanted == lists || collectors[q].size() >= k) continue;
            buffers.query.resize(index.dim);
            std::copy(queries[q].begin(), queries[q].end(), buffers.query.data());
            find_probes(index, buffers, lists);
            for (std::size_t i = probes[q].size(); i < buffers.probes.size(); ++i) {
                count_list(index, buffers.probes[i], stats);
                scanner.scan_alone(q, buffers.probes[i], check_stop);
            }
        }
    };
    if constexpr (reads_columns(State::algorithm)) {
        query_scorers scorers(queries, make);
        column_probe_scanner scanner(index, scorers, collectors, buffers.bounds, probes);
        scan_probes(scanner);
        scorers.count_measured(stats);
    } else {
        probe_scanner scanner(index, queries, collectors, buffers, probes);
        scan_probes(scanner);
    }
}

template <class State>
[[nodiscard]] search_table<typename State::id_type> search_batch(const State& index, rows_view queries, std::size_t k,
                                                                 const typename State::params_type& params) {
    using id_type = typename State::id_type;
    using params_type = typename State::params_type;
    const auto alone = [&](vector_view query, auto out, const params_type& how) {
        return ivf::search(index, query, out, how);
    };
    if constexpr (!State::scans_jointly) return run_batch<id_type>(queries, index.dim, k, params, alone);
    std::size_t most = batch_size;
    if constexpr (reads_columns(State::algorithm)) most = (std::min)(most, queries_with_tables(index.dim));
    return run_joint_batch(
        index, queries, k, params, most,
        [&](const id_filter<id_type>& filter, const params_type& how) {
            return admits_most(index, filter, how.nprobe);
        },
        alone,
        [&](rows_view some, auto room, std::span<std::size_t> found, const params_type& how,
            std::span<const id_filter<id_type>> own) {
            search_closest_together(index, some, room, found, how, own,
                                    [&](const query_table& prepared, auto& collectors, const auto& make,
                                        list_scratch& buffers, search_stats& stats) {
                                        scan_together(index, prepared, how, k, collectors, make, buffers, stats,
                                                      !own.empty());
                                    });
        });
}

}  // namespace detail::ivf

VICINAL_NAMESPACE_END
