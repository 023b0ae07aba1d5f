// SPDX-License-Identifier: MIT
// An inverted file searched for many queries at once: each list is read once and met by all queries that look into it.
#pragma once

#include <algorithm>  // for copy, min
#include <cstddef>    // for size_t, byte
#include <cstdint>    // for uint32_t, uint64_t, uintptr_t
#include <span>       // for span
#include <type_traits>  // for conditional_t
#include <vector>     // for vector

#include "vicinal/index/common/batch.hpp"
#include "vicinal/index/common/joint_scan.hpp"
#include "vicinal/index/ivf/lists/lists.hpp"
#include "vicinal/index/ivf/lists/probes.hpp"
#include "vicinal/index/ivf/search.hpp"
#include "vicinal/index/ivf/state.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::ivf {

/// Queries of a task: the more there are, the more of them meet in a list.
inline constexpr std::size_t batch_size = 4096;

/// Which lists each query of a batch looks into, closest first.
struct batch_probes {
    std::size_t wanted;
    std::vector<std::uint32_t> lists;  // `wanted` for each query
    std::vector<std::size_t> found;

    [[nodiscard]] std::span<const std::uint32_t> operator[](std::size_t query) const noexcept {
        return {lists.data() + query * wanted, found[query]};
    }
};

template <class Isa, class Metric>
[[nodiscard]] batch_probes find_probes_together(const Metric& metric, const code_store<f32>& centroids,
                                                const query_table& queries, std::size_t lists, std::size_t wanted,
                                                padded_vector& decoded) {
    batch_probes probes{wanted, std::vector<std::uint32_t>(queries.size() * wanted), {}};
    const std::size_t memory = reservoir::room(wanted, lists);
    std::vector<std::uint64_t> keys(queries.size() * memory);
    std::vector<list_collector> collectors;
    collectors.reserve(queries.size());
    for (std::size_t q = 0; q < queries.size(); ++q)
        collectors.emplace_back(std::span(keys).subspan(q * memory, memory), wanted);
    scan_rows_together<Isa>(metric, centroids, queries, lists, collectors, decoded, [] {});
    for (std::size_t q = 0; q < queries.size(); ++q)
        probes.found.push_back(collectors[q].finish(std::span(probes.lists).subspan(q * wanted, wanted)));
    return probes;
}

/// The queries of each list, of those pairs of query and list that were chosen.
class queries_of_lists {
  public:
    /// Takes of each query the probes [first, last) of those it has.
    void assign(const batch_probes& probes, std::size_t queries, std::size_t lists, std::size_t first,
                std::size_t last) {
        begins_.assign(lists + 1, 0);
        const auto each = [&](auto&& f) {
            for (std::size_t q = 0; q < queries; ++q)
                for (std::size_t i = first; i < (std::min)(last, probes[q].size()); ++i) f(q, probes[q][i]);
        };
        each([&](std::size_t, std::uint32_t list) { ++begins_[list + 1]; });
        for (std::size_t l = 0; l < lists; ++l) begins_[l + 1] += begins_[l];
        members_.resize(begins_[lists]);
        std::vector<std::size_t> next(begins_.begin(), begins_.end() - 1);
        each([&](std::size_t q, std::uint32_t list) { members_[next[list]++] = static_cast<std::uint32_t>(q); });
    }
    [[nodiscard]] std::span<const std::uint32_t> operator[](std::size_t list) const noexcept {
        return std::span(members_).subspan(begins_[list], begins_[list + 1] - begins_[list]);
    }

  private:
    std::vector<std::size_t> begins_;
    std::vector<std::uint32_t> members_;
};

/// Scans lists for several queries each. Refers to what it is made from. Not for two threads at once.
template <class State, class Collectors>
class list_scanner {
    using codec_type = typename State::coarse_codec;
    using metric_type = typename State::metric_type;
    using scorer_type = typename State::coarse_scorer_type;
    static constexpr bool tiled = algorithm_of<metric_type, codec_type, typename State::isa_type>(scan_use::batch) ==
                                  scan_algorithm::dot_products;

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
          tiles_(index.metric, index.rows.coarse(), queries) {
        scorers_.reserve(queries.size());
        for (std::size_t q = 0; q < queries.size(); ++q)
            scorers_.emplace_back(index.metric, index.rows.coarse(), queries[q].data(), buffers.decoded);
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
        const auto origin = reinterpret_cast<std::uintptr_t>(rows.codes);
        const simd::row_table table{&origin, index_.lists.stride(), 31};
        const std::size_t in_use = index_.directory.high_water();
        const std::size_t block = tiles_type::rows_together(index_.dim);
        for (std::size_t first = 0; first < rows.size; first += block) {
            before_block();
            tiles_.load(table, static_cast<slot_t>(first), (std::min)(block, rows.size - first));
            for (std::size_t p = 0; p < panels; ++p)
                tiles_.scan(
                    panels_[p], [&](std::uint32_t query) -> auto& { return collectors_[query]; },
                    [&](std::size_t row) {
                        const slot_t slot = rows.slots[first + row];
                        return slot < in_use ? slot : no_slot;
                    });
        }
        return taken;
    }

    const State& index_;
    Collectors& collectors_;
    std::vector<float>& bounds_;
    std::vector<scorer_type> scorers_;
    tiles_type tiles_;
    std::vector<typename tiles_type::panel> panels_;
};

/// Does what list_scanner does where codes are looked up in tables: their columns are made once for a list's queries.
template <class State, class Collectors>
class column_list_scanner {
  public:
    column_list_scanner(const State& index, const query_table& queries, Collectors& collectors,
                        typename State::scratch_type& buffers)
        : index_(index),
          collectors_(collectors),
          bounds_(buffers.bounds),
          scorers_(index, queries, buffers.decoded),
          columns_(scorers_[0].looked_up()) {}

    template <class BeforeBlock>
    void scan(std::size_t list, std::span<const std::uint32_t> queries, BeforeBlock before_block) {
        const ivf_rows rows = index_.lists[list];
        if (rows.size == 0 || queries.empty()) return;
        if (queries.size() == 1) {
            scan_list(scorers_[queries[0]], rows, index_.lists.stride(), index_.directory.high_water(),
                      collectors_[queries[0]], bounds_, before_block);
            return;
        }
        const auto origin = reinterpret_cast<std::uintptr_t>(rows.codes);
        scan_by_columns(
            columns_, simd::row_table{&origin, index_.lists.stride(), 31}, rows.size, queries,
            [&](std::uint32_t q) -> const auto& { return scorers_[q]; },
            [&](std::uint32_t q) -> auto& { return collectors_[q]; },
            [&, in_use = index_.directory.high_water()](slot_t row) {
                return rows.slots[row] < in_use ? rows.slots[row] : no_slot;
            },
            before_block);
    }

  private:
    const State& index_;
    Collectors& collectors_;
    std::vector<float>& bounds_;
    candidate_scorers<State> scorers_;
    code_columns<typename State::isa_type> columns_;
};

template <class State, class Collectors>
using list_scanner_for = std::conditional_t<reads_columns(State::algorithm), column_list_scanner<State, Collectors>,
                                            list_scanner<State, Collectors>>;

/// Pushes the rows of the closest lists of each query, or those few that the filter names, to the queries' collectors,
/// as scan_closest does for one.
template <class State, class Collectors>
void scan_together(const State& index, const query_table& queries, const typename State::params_type& params,
                   std::size_t k, Collectors& collectors, list_scratch& buffers, search_stats& stats) {
    const auto check_stop = [&] { throw_if_stopped(params.stop); };
    if (list_few(index, params.filter, buffers.slots)) {
        stats.distances += queries.size() * buffers.slots.size();
        for (std::size_t q = 0; q < queries.size(); ++q) {
            const typename State::coarse_scorer_type scorer(index.metric, index.rows.coarse(), queries[q].data(),
                                                            buffers.decoded);
            score_in_lists(index, scorer, buffers.slots, collectors[q], check_stop);
        }
        return;
    }
    const std::size_t lists = index.lists.size();
    const std::size_t wanted = probe_count(params.nprobe, lists);
    const batch_probes probes = find_probes_together<typename State::isa_type>(index.metric, index.centroids.store(),
                                                                               queries, lists, wanted, buffers.decoded);
    list_scanner_for<State, Collectors> scanner(index, queries, collectors, buffers);
    queries_of_lists chosen;
    const auto scan_probes = [&](std::size_t first, std::size_t last) {
        chosen.assign(probes, queries.size(), lists, first, last);
        for (std::size_t l = 0; l < lists; ++l) {
            const std::size_t n = chosen[l].size();
            stats.lists += n;
            stats.distances += n * index.lists[l].size;
            scanner.scan(l, chosen[l], check_stop);
        }
    };
    // Every query's closest list first: what it finds there rules out most of the others' rows.
    scan_probes(0, 1);
    scan_probes(1, wanted);
    if (params.nprobe != 0 || wanted == lists) return;
    for (std::uint32_t q = 0; q < queries.size(); ++q) {
        if (collectors[q].size() >= k) continue;
        buffers.query.resize(index.dim);
        std::copy(queries[q].begin(), queries[q].end(), buffers.query.data());
        find_probes(index, buffers, lists);
        for (std::size_t i = probes[q].size(); i < buffers.probes.size(); ++i) {
            const std::uint32_t list = buffers.probes[i];
            ++stats.lists;
            stats.distances += index.lists[list].size;
            scanner.scan(list, std::span(&q, 1), check_stop);
        }
    }
}

template <class State>
[[nodiscard]] search_table<typename State::id_type> search_batch(const State& index, matrix_view<const float> queries,
                                                                 std::size_t k,
                                                                 const typename State::params_type& params) {
    using id_type = typename State::id_type;
    using params_type = typename State::params_type;
    if constexpr (!is_joint(State::algorithm))
        return run_batch<id_type>(queries, index.dim, k, params,
                                  [&](std::span<const float> query, std::span<neighbor<id_type>> room,
                                      const params_type& how) { return ivf::search(index, query, room, how); });
    const std::size_t panel = State::isa_type::panel_size();
    std::size_t most = batch_size;
    if constexpr (reads_columns(State::algorithm)) most = (std::min)(most, queries_with_tables(index.dim));
    const std::size_t together = queries_a_task(queries.rows(), most, panel, params);
    return run_batch<id_type>(
        queries, index.dim, k, params, together,
        [&](matrix_view<const float> some, auto room, std::span<std::size_t> found, const params_type& how) {
            search_closest_together(
                index, some, room, found, how,
                [&](const query_table& prepared, auto& collectors, list_scratch& buffers, search_stats& stats) {
                    scan_together(index, prepared, how, k, collectors, buffers, stats);
                });
        });
}

}  // namespace detail::ivf

VICINAL_NAMESPACE_END
