// SPDX-License-Identifier: MIT
// Builds systems and measures them in turn, so that a machine that grows slower or faster does so for all of them.
#pragma once

#include <algorithm>   // for find, max
#include <functional>  // for function

#include "../dataset/dataset.hpp"
#include "../stopwatch.hpp"
#include "machine.hpp"
#include "recall.hpp"
#include "system.hpp"

namespace bench {

/// One value of a system's search parameter.
struct setting {
    std::size_t value = 0;
    double recall = 0;
    std::vector<double> rates;  ///< queries per second, one for each round
};

struct measured_system {
    system_entry entry;
    std::unique_ptr<system> built;
    double build_seconds = 0;
    std::optional<std::size_t> bytes;           ///< by the index's own account
    std::optional<std::size_t> resident_bytes;  ///< by how much the process grew
    std::vector<setting> settings;

    /// The trade-offs of one round, or with the median rates if no round is given.
    [[nodiscard]] std::vector<trade_off> trade_offs(std::optional<std::size_t> round = {}) const {
        std::vector<trade_off> result;
        for (const setting& s : settings) result.push_back({s.recall, round ? s.rates[*round] : median(s.rates)});
        return result;
    }
};

struct measure_params {
    std::size_t k = 10;
    std::size_t rounds = 5;
    double min_seconds = 0.2;
    metric distance = metric::l2;
};

namespace detail {

[[nodiscard]] inline double recall_of(system& on, std::size_t value, const dataset& data, const recall_judge& judge,
                                      std::size_t k) {
    std::vector<std::uint32_t> found(k);
    std::size_t hits = 0;
    for (std::size_t query = 0; query < data.queries.rows; ++query) {
        const std::size_t count = on.search(data.queries[query], value, found);
        hits += judge.hits(query, std::span(found).first(count));
    }
    return static_cast<double>(hits) / static_cast<double>(k * data.queries.rows);
}

/// Queries per second over whole passes through the queries, at least `min_seconds` long. A pass that takes ten times
/// as long is cut short, but not below 100 queries. The first queries run unmeasured, to refill the caches.
[[nodiscard]] inline double rate_of(system& on, std::size_t value, const matrix<float>& queries, std::size_t k,
                                    double min_seconds) {
    std::vector<std::uint32_t> found(k);
    for (std::size_t i = 0; i < std::min<std::size_t>(queries.rows, 20); ++i) on.search(queries[i], value, found);
    std::size_t done = 0;
    const stopwatch watch;
    for (;;) {
        for (std::size_t i = 0; i < queries.rows; ++i) {
            on.search(queries[i], value, found);
            ++done;
            if (done >= 100 && done % 16 == 0 && watch.seconds() > 10 * min_seconds) break;
        }
        const double seconds = watch.seconds();
        if (seconds >= min_seconds && seconds > 0) return static_cast<double>(done) / seconds;
    }
}

}  // namespace detail

/// Builds one system and measures how long that took and what it occupies.
[[nodiscard]] inline measured_system build_system(const system_entry& entry, const matrix<float>& base,
                                                  const build_params& params) {
    measured_system result;
    result.entry = entry;
    const auto before = resident_bytes();
    const stopwatch watch;
    result.built = entry.make(base.dim, params);
    result.built->build(base);
    result.build_seconds = watch.seconds();
    const auto after = resident_bytes();
    if (before && after) result.resident_bytes = *after > *before ? *after - *before : 0;
    result.bytes = result.built->bytes();
    return result;
}

/// Fills in the recall of every setting.
inline void measure_recall(measured_system& on, const dataset& data, const measure_params& params) {
    const recall_judge judge(params.distance, data.base, data.queries, data.truth, params.k);
    for (setting& s : on.settings) s.recall = detail::recall_of(*on.built, s.value, data, judge, params.k);
}

/// Fills in the rates. In every round each system's first setting comes before any system's second, and so on; every
/// other round goes through the systems backwards, so that none always follows the same one.
inline void measure_rates(std::vector<measured_system>& systems, const dataset& data, const measure_params& params,
                          const std::function<void(std::size_t round)>& progress) {
    std::size_t most_settings = 0;
    for (const measured_system& one : systems) most_settings = std::max(most_settings, one.settings.size());
    for (std::size_t round = 0; round < params.rounds; ++round) {
        progress(round);
        for (std::size_t i = 0; i < most_settings; ++i) {
            for (std::size_t j = 0; j < systems.size(); ++j) {
                measured_system& on = systems[round % 2 == 0 ? j : systems.size() - 1 - j];
                if (i >= on.settings.size()) continue;
                on.settings[i].rates.push_back(
                    detail::rate_of(*on.built, on.settings[i].value, data.queries, params.k, params.min_seconds));
            }
        }
    }
}

/// The rate at a recall in units of a reference's: the median over the rounds of the ratio within each round, which
/// cancels what changes from round to round. Nothing if either does not reach the recall.
[[nodiscard]] inline std::optional<double> ratio_at(const measured_system& on, const measured_system& reference,
                                                    double recall) {
    std::vector<double> ratios;
    if (on.settings.empty() || reference.settings.empty()) return std::nullopt;
    for (std::size_t round = 0; round < on.settings.front().rates.size(); ++round) {
        const auto rate = rate_at(pareto_front(on.trade_offs(round)), recall);
        const auto reference_rate = rate_at(pareto_front(reference.trade_offs(round)), recall);
        if (!rate || !reference_rate) return std::nullopt;
        ratios.push_back(*rate / *reference_rate);
    }
    return median(ratios);
}

}  // namespace bench
