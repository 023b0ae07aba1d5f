// SPDX-License-Identifier: MIT
// Lists scanned for many queries by the columns of their codes, which are made once for all queries that look into one.
#pragma once

#include <algorithm>  // for min
#include <cstddef>    // for size_t
#include <cstdint>    // for uint32_t
#include <limits>     // for numeric_limits
#include <span>       // for span
#include <utility>    // for as_const
#include <vector>     // for vector

#include "vicinal/index/common/joint_scan.hpp"
#include "vicinal/index/ivf/lists/batch_probes.hpp"
#include "vicinal/index/ivf/lists/codes.hpp"
#include "vicinal/index/ivf/lists/lists.hpp"
#include "vicinal/index/ivf/lists/probes.hpp"
#include "vicinal/scoring/code_columns.hpp"
#include "vicinal/scoring/scan.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail::ivf {

/// Pushes the rows of lists to the collectors of the queries that look into them. A query that measures by bounds finds
/// what it finds alone only if it comes to its lists in its own order, so of those the bounds are computed list by
/// list, what the query's threshold leaves possible is kept, and measured query by query. Refers to what it is made
/// from. Not for two threads at once.
template <class State, class Scorers, class Collectors>
class column_probe_scanner {
    using scorer_type = typename Scorers::scorer_type;
    static constexpr bool bounding = bound_scorer<scorer_type>;

  public:
    column_probe_scanner(const State& index, Scorers& scorers, Collectors& collectors, std::vector<float>& memory,
                         const batch_probes& probes)
        : index_(index),
          scorers_(scorers),
          collectors_(collectors),
          bounds_(memory),
          probes_(probes),
          columns_(scorers[0].looked_up()) {}

    /// Scans those that are first to last - 1 among a query's. before_block() may throw.
    template <class BeforeBlock>
    void scan(std::size_t first, std::size_t last, BeforeBlock before_block) {
        if (first >= last) return;
        if (queries() * (last - first) < index_.lists.size()) {  // hardly any two queries meet in a list
            scan_one_by_one(first, last, before_block);
            return;
        }
        if constexpr (bounding) {
            if (first != 0) {
                // The more lists a query has seen, the fewer rows of the others are possible.
                for (std::size_t end = 0; first < last; first = end) {
                    end = (std::min)(4 * first, last);
                    scan_possible(first, end, before_block);
                }
                return;
            }
        }
        chosen_.assign(probes_, queries(), index_.lists.size(), first, last);
        for (std::size_t l = 0; l < index_.lists.size(); ++l) scan_list_together(l, before_block);
    }
    /// Scans one list for a query.
    template <class BeforeBlock>
    void scan_alone(std::uint32_t query, std::size_t list, BeforeBlock before_block) {
        set_list(index_, scorers_[query], list);
        scan_list(scorers_[query], index_.lists[list], index_.lists.stride(), index_.directory.high_water(),
                  collectors_[query], bounds_, before_block);
    }

  private:
    /// A row that a query may have to measure.
    struct possible_row {
        std::uint32_t row;
        float bound;
    };
    /// Where those of a list are that a query looks into.
    struct piece {
        std::uint32_t begin = 0;
        std::uint32_t end = 0;
        bool kept = false;  ///< else nobody has looked into the list for the query
    };
    [[nodiscard]] std::size_t queries() const noexcept { return probes_.found.size(); }
    /// As many possible rows are kept at once: 8 KiB for each query.
    [[nodiscard]] std::size_t most_kept() const noexcept { return 1024 * queries(); }

    [[nodiscard]] listed_rows listed(const ivf_rows& rows) const noexcept {
        return {rows, index_.lists.stride(), index_.directory.high_water()};
    }

    template <class BeforeBlock>
    void scan_one_by_one(std::size_t first, std::size_t last, BeforeBlock before_block) {
        for (std::uint32_t q = 0; q < queries(); ++q)
            for (std::size_t i = first; i < (std::min)(last, probes_[q].size()); ++i)
                scan_alone(q, probes_[q][i], before_block);
    }
    template <class BeforeBlock>
    void scan_list_together(std::size_t list, BeforeBlock before_block) {
        const ivf_rows rows = index_.lists[list];
        const std::span<const std::uint32_t> queries = chosen_[list];
        if (queries.size() < 2 || (bounding && rows.size > bounded_first)) {
            for (const std::uint32_t q : queries) scan_alone(q, list, before_block);
            return;
        }
        for (const std::uint32_t q : queries) set_list(index_, scorers_[q], list);
        const listed_rows here = listed(rows);
        scan_by_columns(columns_, here.table(), rows.size, queries, scorers_, collectors_, here, bounds_, before_block);
    }

    /// Does what `scan` does by bounds.
    template <class BeforeBlock>
    void scan_possible(std::size_t first, std::size_t last, BeforeBlock before_block) {
        const std::size_t probes = last - first;
        chosen_.assign(probes_, queries(), index_.lists.size(), first, last);
        kept_.clear();
        pieces_.assign(queries() * probes, {});
        for (std::size_t l = 0; l < index_.lists.size(); ++l) keep_possible(l, first, probes, before_block);
        for (std::uint32_t q = 0; q < queries(); ++q) measure_kept(q, first, probes, before_block);
    }

    /// Computes the bounds of a list's rows, and keeps those within the limits of the queries that look into it.
    template <class BeforeBlock>
    void keep_possible(std::size_t list, std::size_t first_probe, std::size_t probes, BeforeBlock before_block) {
        const ivf_rows rows = index_.lists[list];
        const std::span<const std::uint32_t> queries = chosen_[list];
        if (queries.empty() || rows.size > bounded_first) return;
        const listed_rows here = listed(rows);
        columns_.take(here.table(), 0, rows.size);
        if (bounds_.size() < round_up(rows.size, simd::scan_lanes))
            bounds_.resize(round_up(rows.size, simd::scan_lanes));
        for (std::size_t i = 0; i < queries.size(); ++i) {
            before_block();
            const float limit = scorers_[queries[i]].limit_of(collectors_[queries[i]].threshold());
            if (!(limit < (std::numeric_limits<float>::max)()) || kept_.size() + rows.size > most_kept()) continue;
            piece& of = pieces_[queries[i] * probes + chosen_.places(list)[i] - first_probe];
            of.kept = true;
            of.begin = static_cast<std::uint32_t>(kept_.size());
            if (rows.size != 0) keep_within(limit, queries[i], list);
            of.end = static_cast<std::uint32_t>(kept_.size());
        }
    }
    /// Keeps those within the limit of one query.
    void keep_within(float limit, std::uint32_t query, std::size_t list) {
        const ivf_rows rows = index_.lists[list];
        scorer_type& scorer = scorers_[query];
        set_list(index_, scorer, list);
        scorer.lower_bounds(rows.codes, index_.lists.stride(), rows.size, bounds_.data(), columns_[rows.codes]);
        for_each_possible<scorer_type>(
            bounds_.data(), 0, rows.size, [&] { return limit; },
            [&](std::size_t row, float bound) {
                kept_.push_back({static_cast<std::uint32_t>(row), bound});
            });
    }

    /// Measures what was kept of a query's lists, in their order.
    template <class BeforeBlock>
    void measure_kept(std::uint32_t query, std::size_t first_probe, std::size_t probes, BeforeBlock before_block) {
        before_block();
        for (std::size_t i = 0; i < probes && first_probe + i < probes_[query].size(); ++i) {
            const std::uint32_t list = probes_[query][first_probe + i];
            const piece& of = pieces_[query * probes + i];
            if (!of.kept)
                scan_alone(query, list, before_block);
            else if (of.begin != of.end)
                measure_rows(query, list, std::span(kept_).subspan(of.begin, of.end - of.begin));
        }
    }
    void measure_rows(std::uint32_t query, std::uint32_t list, std::span<const possible_row> possible) {
        const ivf_rows rows = index_.lists[list];
        // Only what measures by the codes of the list has to know what they are relative to.
        if constexpr (block_scorer<scorer_type>) set_list(index_, scorers_[query], list);
        const listed_rows here = listed(rows);
        const simd::row_table table = here.table();
        row_measurer measurer(std::as_const(scorers_[query]), table, collectors_[query], here);
        const auto for_each = [&](auto limit, auto f) {
            float most = 0;
            std::size_t asked_for = possible[0].row / simd::scan_lanes + 1;  // another than the first row's
            for (const auto& [row, bound] : possible) {
                if (row / simd::scan_lanes != asked_for) most = limit();
                asked_for = row / simd::scan_lanes;
                if (bound <= most) f(row, bound);
            }
        };
        lowest_bounds lowest;
        lowest.take(measurer.limit(), for_each);
        lowest.measure(measurer, for_each);
    }

    const State& index_;
    Scorers& scorers_;
    Collectors& collectors_;
    std::vector<float>& bounds_;
    const batch_probes& probes_;
    code_columns<typename State::isa_type> columns_;
    queries_of_lists chosen_;
    std::vector<possible_row> kept_;
    std::vector<piece> pieces_;  // of each query's probes
};

}  // namespace detail::ivf

VICINAL_NAMESPACE_END
