// SPDX-License-Identifier: MIT
// What filter_bench measures of one cell, and the file that keeps it, so that a run may do a part of the cells.
#pragma once

#include <fstream>    // for ifstream, ofstream
#include <sstream>    // for istringstream
#include <stdexcept>  // for runtime_error
#include <string>     // for string, getline
#include <tuple>      // for tie
#include <vector>     // for vector

namespace bench {

/// What one index did with one filter, made to search in one way. Counts are means of a query.
struct figure {
    std::string set, index, given, relation, share, strategy;
    std::size_t rows = 0, queries = 0, k = 0;
    double matches = 0;    ///< rows the filter admits
    double recall = 0;     ///< of the right answers
    double wanted = 0;     ///< min(k, matches)
    double found = 0;      ///< rows returned
    double wrong = 0;      ///< rows returned that the filter does not admit
    double distances = 0;  ///< 0: not known
    double micros = 0;     ///< time, the fastest of all rounds
    std::string choice;    ///< how the searches were made, as the index counted them

    [[nodiscard]] auto key() const { return std::tie(set, index, given, relation, share, strategy); }
};

class figure_file {
  public:
    /// An empty name keeps nothing.
    explicit figure_file(std::string name) : name_(std::move(name)) {
        std::ifstream in(name_);
        for (std::string line; std::getline(in, line);) put(parse(line));
    }
    [[nodiscard]] const std::vector<figure>& all() const noexcept { return figures_; }

    /// In place of the figure of the same cell, if there is one.
    void put(figure one) {
        for (figure& old : figures_)
            if (old.key() == one.key()) {
                old = std::move(one);
                return;
            }
        figures_.push_back(std::move(one));
    }
    void save() const {
        if (name_.empty()) return;
        std::ofstream out(name_);
        for (const figure& one : figures_)
            out << one.set << '\t' << one.index << '\t' << one.given << '\t' << one.relation << '\t' << one.share
                << '\t' << one.strategy << '\t' << one.rows << '\t' << one.queries << '\t' << one.k << '\t'
                << one.matches << '\t' << one.recall << '\t' << one.wanted << '\t' << one.found << '\t' << one.wrong
                << '\t' << one.distances << '\t' << one.micros << '\t' << one.choice << '\n';
        out.close();
        if (!out) throw std::runtime_error(name_ + ": writing failed");
    }

  private:
    [[nodiscard]] figure parse(const std::string& line) const {
        std::istringstream in(line);
        figure one;
        for (std::string* text : {&one.set, &one.index, &one.given, &one.relation, &one.share, &one.strategy})
            std::getline(in, *text, '\t');
        in >> one.rows >> one.queries >> one.k >> one.matches >> one.recall >> one.wanted >> one.found >> one.wrong >>
            one.distances >> one.micros;
        if (!in) throw std::runtime_error(name_ + ": is no file of figures: " + line);
        in.ignore(1);
        std::getline(in, one.choice);
        return one;
    }

    std::string name_;
    std::vector<figure> figures_;
};

}  // namespace bench
