// SPDX-License-Identifier: MIT
// Asks one index the queries of one cell in every way it can search, turn by turn.
#pragma once

#include <algorithm>  // for any_of, min
#include <chrono>     // for steady_clock
#include <limits>     // for numeric_limits

#include "contender.hpp"
#include "figures.hpp"

namespace bench {

struct measure_params {
    std::size_t k = 10;
    std::size_t rounds = 3;  ///< of two passes over all queries by each way in turn; the fastest pass counts
    double seconds = 0.5;    ///< no further pass begins when those of one cell and strategy took so long
};

namespace detail {

/// Counts what was found, a row returned twice once. Distances of others may differ from ours in the last bits.
inline void judge(figure& into, std::span<const vicinal::neighbor<>> hits, const row_filter* filter,
                  const right_answer& right) {
    const float limit = right.farthest + 1e-5F * right.farthest;
    double right_ones = 0;
    for (std::size_t i = 0; i < hits.size(); ++i) {
        const auto& hit = hits[i];
        const auto same = [&](const auto& other) { return other.id == hit.id; };
        const bool again = std::any_of(hits.begin(), hits.begin() + static_cast<std::ptrdiff_t>(i), same);
        const bool admitted = !again && (filter == nullptr || (*filter)(hit.id));
        into.wrong += admitted ? 0 : 1;
        right_ones += admitted && hit.distance <= limit ? 1 : 0;
    }
    into.found += static_cast<double>(hits.size());
    into.wanted += static_cast<double>(right.count);
    into.recall += std::min(right_ones, static_cast<double>(right.count));
}

/// How many of the queries were answered in which way, as the index says.
template <class Stats>
[[nodiscard]] std::string choice_of(const Stats& stats) {
    std::string text;
    if constexpr (requires { stats.exact_scans; }) {
        const auto say = [&](std::uint64_t count, const char* what) {
            if (count != 0) text += (text.empty() ? "" : ", ") + std::to_string(count) + what;
        };
        say(stats.plain_walks, " plain");
        say(stats.two_hop_walks, " two-hop");
        say(stats.exact_scans - stats.turned_exact, " exact");
        say(stats.turned_exact, " turned exact");
    }
    return text;
}

class pass {
  public:
    pass(contender& asked, const cell& of, const matrix<float>& queries, form given, std::string strategy, figure into)
        : asked_(asked),
          cell_(of),
          queries_(queries),
          given_(given),
          strategy_(std::move(strategy)),
          into_(std::move(into)) {}

    void run(const measure_params& params) {
        if (spent_ > params.seconds) return;
        const bool first = spent_ == 0;
        std::vector<vicinal::neighbor<>> out(params.k * queries_.rows);
        std::vector<std::size_t> found(queries_.rows);
        vicinal::search_stats stats;
        const auto began = std::chrono::steady_clock::now();
        for (std::size_t q = 0; q < queries_.rows; ++q)
            found[q] = asked_.search(queries_[q], filter(q), given_, strategy_,
                                     std::span(out).subspan(q * params.k, params.k), stats);
        const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
        spent_ += took;
        const auto n = static_cast<double>(queries_.rows);
        into_.micros = std::min(first ? std::numeric_limits<double>::max() : into_.micros, 1e6 * took / n);
        if (!first) return;
        for (std::size_t q = 0; q < queries_.rows; ++q)
            judge(into_, std::span(out).subspan(q * params.k, found[q]), filter(q), cell_.answers[q]);
        into_.recall = into_.wanted == 0 ? 1 : into_.recall / into_.wanted;
        for (double* mean : {&into_.wanted, &into_.found, &into_.wrong}) *mean /= n;
        into_.distances = static_cast<double>(stats.distances) / n;
        into_.choice = choice_of(stats);
    }
    [[nodiscard]] const figure& result() const noexcept { return into_; }

  private:
    [[nodiscard]] const row_filter* filter(std::size_t query) const {
        return cell_.filters.empty() ? nullptr : cell_.filters[query].get();
    }

    contender& asked_;
    const cell& cell_;
    const matrix<float>& queries_;
    form given_;
    std::string strategy_;
    figure into_;
    double spent_ = 0;
};

}  // namespace detail

/// about  what the figures are of: set, index, rows
[[nodiscard]] inline std::vector<figure> measure(contender& asked, const cell& of, const matrix<float>& queries,
                                                 form given, const measure_params& params, figure about) {
    about.given = form_names[static_cast<std::size_t>(given)];
    about.relation = relation_names[static_cast<std::size_t>(of.kind)];
    about.share = of.share.name;
    about.matches = static_cast<double>(of.matches);
    about.queries = queries.rows;
    about.k = params.k;
    std::vector<detail::pass> passes;
    for (const std::string& strategy : asked.strategies()) {
        about.strategy = strategy;
        passes.emplace_back(asked, of, queries, given, strategy, about);
        if (of.filters.empty() && strategy == "default") break;
    }
    for (std::size_t round = 0; round < params.rounds; ++round)
        for (detail::pass& one : passes)
            for (int again = 0; again < 2; ++again) one.run(params);  // the first finds caches as another way left them
    std::vector<figure> figures;
    for (const detail::pass& one : passes) figures.push_back(one.result());
    return figures;
}

}  // namespace bench
