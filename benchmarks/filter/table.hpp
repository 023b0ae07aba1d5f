// SPDX-License-Identifier: MIT
// The figures of filter_bench as tables in Markdown, and which cells miss what is asked of them.
#pragma once

#include <algorithm>  // for min, none_of
#include <optional>   // for optional
#include <ostream>    // for ostream
#include <string>     // for string
#include <vector>     // for vector

#include "../ann/machine.hpp"
#include "../ann/svg.hpp"
#include "figures.hpp"

namespace bench {

/// What is asked of a search by default options. Costs of few rows and microseconds are all alike: what a cell may cost
/// beyond the ratio.
struct bars {
    double recall = 0.95;
    double best_strategy = 1.3;  ///< times the cheapest strategy of the cell that finds enough
    double exact_scan = 1.5;     ///< times a scan of the rows admitted
    double few_distances = 64;
    double few_micros = 3;
};

/// One index, filter and form, by default options, beside the same made to search in other ways.
struct judged_cell {
    figure by_default;
    std::optional<figure> best_distances, best_time, exact;
    std::optional<double> hnswlib_micros;  ///< of the fastest setting that finds as much, of the same graph parameters

    [[nodiscard]] bool complete() const { return by_default.found == by_default.wanted && by_default.wrong == 0; }
    [[nodiscard]] std::vector<std::string> missed(const bars& asked) const {
        std::vector<std::string> all;
        if (by_default.recall < asked.recall) all.emplace_back("recall");
        if (!complete()) all.emplace_back("short");
        const auto over = [&](const std::optional<figure>& other, double ratio, const char* what) {
            if (!other) return;
            if (by_default.distances > ratio * other->distances + asked.few_distances)
                all.push_back("distances" + std::string(what));
            if (by_default.micros > ratio * other->micros + asked.few_micros) all.push_back("time" + std::string(what));
        };
        if (best_distances &&
            by_default.distances > asked.best_strategy * best_distances->distances + asked.few_distances)
            all.emplace_back("distances/best");
        if (best_time && by_default.micros > asked.best_strategy * best_time->micros + asked.few_micros)
            all.emplace_back("time/best");
        over(exact, asked.exact_scan, "/exact");
        return all;
    }
};

namespace detail {

/// A strategy counts as one that a cell could have been searched by if it finds what is asked for.
[[nodiscard]] inline bool finds_enough(const figure& one, const bars& asked) {
    return one.recall >= asked.recall && one.found == one.wanted && one.wrong == 0;
}
[[nodiscard]] inline bool same_cell(const figure& a, const figure& b) {
    return a.set == b.set && a.index == b.index && a.given == b.given && a.relation == b.relation && a.share == b.share;
}
[[nodiscard]] inline bool same_table(const figure& a, const figure& b) {
    return a.set == b.set && a.index == b.index && a.given == b.given;
}
inline void take_cheaper(std::optional<figure>& best, const figure& one, double figure::*cost) {
    if (!best || one.*cost < (*best).*cost) best = one;
}

[[nodiscard]] inline judged_cell judge_cell(const figure& by_default, const std::vector<figure>& all,
                                            const bars& asked) {
    judged_cell judged{by_default, {}, {}, {}, {}};
    for (const figure& one : all) {
        if (same_cell(one, by_default) && one.strategy != "default") {
            if (one.strategy == "exact") judged.exact = one;
            if (!finds_enough(one, asked)) continue;
            take_cheaper(judged.best_distances, one, &figure::distances);
            take_cheaper(judged.best_time, one, &figure::micros);
        }
        const bool peer = one.index == "hnswlib" && one.set == by_default.set && one.relation == by_default.relation &&
                          one.share == by_default.share && by_default.given == "callable";
        if (peer && one.recall >= std::min(by_default.recall, 0.9995) - 0.0005)
            judged.hnswlib_micros = std::min(judged.hnswlib_micros.value_or(one.micros), one.micros);
    }
    return judged;
}

[[nodiscard]] inline std::string number(double value) { return fixed(value, value < 10 ? 1 : 0); }
[[nodiscard]] inline std::string ratio(double value, double to) { return to > 0 ? fixed(value / to, 2) : "-"; }

class filter_table {
  public:
    filter_table(std::ostream& out, const std::vector<figure>& all, const bars& asked)
        : out_(out), all_(all), asked_(asked) {}

    void write() {
        out_ << processor() << ", " << compiler() << ' ' << compiler_flags()
             << "; one thread, one query a call.\nEach cell: recall@k, distances and microseconds a query.\n";
        std::vector<const figure*> groups;
        for (const figure& one : all_) {
            const auto listed = [&](const figure* other) { return same_table(one, *other); };
            if (one.strategy == "default" && std::none_of(groups.begin(), groups.end(), listed)) groups.push_back(&one);
        }
        for (const figure* group : groups) {
            head(*group);
            for (const figure& one : all_)
                if (one.strategy == "default" && same_table(one, *group)) row(judge_cell(one, all_, asked_));
        }
        summary();
        costs(groups);
    }

  private:
    void head(const figure& one) {
        out_
            << "\n### " << one.index << ", filter as " << one.given << ": " << one.set << " (" << one.rows << " rows, "
            << one.queries << " queries, k " << one.k << ")\n\n"
            << "| rows admitted | how many | recall | short of min(k, matches) | distances | us | chosen | distances / "
               "best | us / best | us / exact | x hnswlib | other ways (recall, distances, us) | missed |\n"
            << "|---|---|---|---|---|---|---|---|---|---|---|---|---|\n";
    }
    void row(const judged_cell& judged) {
        const figure& d = judged.by_default;
        out_ << "| " << (d.share == "no filter" ? "" : d.relation) << " | " << d.share << " | " << fixed(d.recall, 3)
             << " | " << (judged.complete() ? "0" : fixed(d.wanted - d.found, 2)) << " | " << number(d.distances)
             << " | " << number(d.micros) << " | " << d.choice << " | "
             << (judged.best_distances ? ratio(d.distances, judged.best_distances->distances) : "-") << " | "
             << (judged.best_time ? ratio(d.micros, judged.best_time->micros) : "-") << " | "
             << (judged.exact ? ratio(d.micros, judged.exact->micros) : "-") << " | "
             << (judged.hnswlib_micros ? ratio(*judged.hnswlib_micros, d.micros) : "-") << " | ";
        others(d);
        out_ << " | ";
        std::string_view separator;
        for (const std::string& what : judged.missed(asked_)) {
            out_ << separator << what;
            separator = ", ";
            ++missed_;
        }
        ++cells_;
        out_ << " |\n";
    }
    void others(const figure& d) {
        std::string_view separator;
        for (const figure& one : all_) {
            if (!same_cell(one, d) || one.strategy == "default") continue;
            out_ << separator << one.strategy << ' ' << fixed(one.recall, 3) << ", " << number(one.distances) << ", "
                 << number(one.micros);
            separator = "; ";
        }
    }
    /// Nanoseconds a row of what planners weigh against each other: their ratios are what its constants are made of.
    void costs(const std::vector<const figure*>& groups) {
        out_ << "\n| set | index | filter as | ns a distance of a search without filter | ns a row of an exact scan of "
                "50 % | of "
                "10 % | of 1 % | us of a search that nothing is admitted to |\n|---|---|---|---|---|---|---|---|\n";
        for (const figure* group : groups) {
            out_ << "| " << group->set << " | " << group->index << " | " << group->given;
            cost(*group, "no filter", "default", &figure::distances);
            for (const std::string_view share : {"50 %", "10 %", "1 %"}) cost(*group, share, "exact", &figure::matches);
            cost(*group, "none", "default", nullptr);
            out_ << " |\n";
        }
    }
    void cost(const figure& group, std::string_view share, std::string_view strategy, double figure::*per) {
        out_ << " | ";
        for (const figure& one : all_) {
            if (!same_table(one, group) || one.share != share || one.strategy != strategy || one.relation != "random")
                continue;
            if (per == nullptr || one.*per > 0)
                out_ << fixed(per == nullptr ? one.micros : 1000 * one.micros / one.*per, 1);
        }
    }
    void summary() { out_ << '\n' << cells_ << " cells, " << missed_ << " times a bar was missed\n"; }

    std::ostream& out_;
    const std::vector<figure>& all_;
    const bars& asked_;
    std::size_t cells_ = 0;
    std::size_t missed_ = 0;
};

}  // namespace detail

inline void write_table(std::ostream& out, const std::vector<figure>& all, const bars& asked = {}) {
    detail::filter_table(out, all, asked).write();
}

}  // namespace bench
