// SPDX-License-Identifier: MIT
// The figures of filter_bench for one set of rows, drawn: the time of a query by how many rows a filter admits. Same
// input, same bytes; readable on light and dark pages.
#pragma once

#include <algorithm>    // for find, max, min
#include <array>        // for array
#include <cmath>        // for ceil, floor, log10, pow
#include <ostream>      // for ostream
#include <string_view>  // for string_view
#include <vector>       // for vector

#include "../ann/svg.hpp"
#include "cells.hpp"
#include "figures.hpp"

namespace bench {

namespace detail {

/// A line of every panel: figures of this strategy, of the panel's index or of hnswlib.
struct plotted {
    std::string_view label, strategy, given, style;
    bool peer = false;
};
constexpr std::array<plotted, 5> plotted_lines{{{"by default, callable", "default", "callable", "a", false},
                                                {"by default, id_set", "default", "id_set", "b", false},
                                                {"plain walk", "plain", "callable", "c", false},
                                                {"exact scan, id_set", "exact", "id_set", "d", false},
                                                {"hnswlib, functor, ef 64", "ef 64", "callable", "e", true}}};

/// Panels: a row for each index, a column for each way in which admitted rows may lie.
class filter_plot {
  public:
    filter_plot(std::ostream& out, const std::vector<figure>& all, std::string_view set) : out_(out) {
        for (const figure& one : all) {
            if (one.set != set) continue;
            figures_.push_back(&one);
            if (one.index != "hnswlib" && std::find(indexes_.begin(), indexes_.end(), one.index) == indexes_.end())
                indexes_.push_back(one.index);
            low_ = std::min(low_, std::floor(std::log10(one.micros)));
            high_ = std::max(high_, std::ceil(std::log10(one.micros)));
        }
    }
    void draw(std::string_view set) {
        const double height = top + panel_height * static_cast<double>(indexes_.size()) + 30;
        out_ << "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"960\" height=\"" << fixed(height, 0)
             << "\" viewBox=\"0 0 960 " << fixed(height, 0) << "\" font-family=\"sans-serif\" font-size=\"11\">\n"
             << style << "<rect width=\"100%\" height=\"100%\" class=\"page\"/>\n";
        text(20, 22, "start", set, " font-size=\"15\" font-weight=\"bold\"");
        text(20, 40, "start",
             "microseconds a query by rows admitted; hollow: recall below 0.95, or fewer than min(k, matches)");
        legend();
        for (std::size_t i = 0; i < indexes_.size(); ++i)
            for (std::size_t r = 0; r < relation_names.size(); ++r) panel(i, r);
        out_ << "</svg>\n";
    }

  private:
    static constexpr double left = 70, top = 84, panel_width = 300, panel_height = 190, inner_width = 250,
                            inner_height = 130;
    static constexpr std::string_view style =
        "<style>.page{fill:#fff}text{fill:#222}.grid{stroke:#ddd}.a{stroke:#0072b2;fill:#0072b2}"
        ".b{stroke:#009e73;fill:#009e73}.c{stroke:#e69f00;fill:#e69f00}.d{stroke:#7f7f7f;fill:#7f7f7f}"
        ".e{stroke:#d55e00;fill:#d55e00}.line{fill:none;stroke-width:1.5}.hollow{fill:none}"
        "@media(prefers-color-scheme:dark){.page{fill:#14171a}text{fill:#ddd}.grid{stroke:#3a3f44}"
        ".a{stroke:#56b4e9;fill:#56b4e9}}</style>\n";

    [[nodiscard]] double y(double micros) const {
        return inner_height * (1 - (std::log10(micros) - low_) / (high_ - low_));
    }
    [[nodiscard]] static double x(std::size_t share) {
        return inner_width * static_cast<double>(share - 1) / static_cast<double>(selectivities.size() - 2);
    }
    void legend() {
        for (std::size_t i = 0; i < plotted_lines.size(); ++i) {
            const double at = 20 + 180 * static_cast<double>(i);
            out_ << "<circle cx=\"" << fixed(at + 4) << "\" cy=\"56\" r=\"3\" class=\"" << plotted_lines[i].style
                 << "\"/>\n";
            text(at + 12, 60, "start", plotted_lines[i].label);
        }
    }
    void panel(std::size_t index, std::size_t column) {
        out_ << "<g transform=\"translate(" << fixed(left + panel_width * static_cast<double>(column), 0) << ','
             << fixed(top + 16 + panel_height * static_cast<double>(index), 0) << ")\">\n";
        text(0, -6, "start", indexes_[index] + ", " + std::string(relation_names[column]), " font-weight=\"bold\"");
        for (double decade = low_; decade <= high_; ++decade) {
            const double at = y(std::pow(10.0, decade));
            out_ << "<line class=\"grid\" x1=\"0\" x2=\"" << fixed(inner_width, 0) << "\" y1=\"" << fixed(at)
                 << "\" y2=\"" << fixed(at) << "\"/>\n";
            text(-6, at + 4, "end", fixed(std::pow(10.0, decade), decade < 0 ? static_cast<int>(-decade) : 0));
        }
        for (std::size_t s = 1; s < selectivities.size(); ++s)
            text(x(s), inner_height + 15, "middle", selectivities[s].name, " font-size=\"8\"");
        for (const plotted& line : plotted_lines) draw_line(line, indexes_[index], relation_names[column]);
        out_ << "</g>\n";
    }
    void draw_line(const plotted& line, std::string_view index, std::string_view relation) {
        std::string points, dots;
        for (std::size_t s = 1; s < selectivities.size(); ++s) {
            const figure* one = find(line, index, relation, selectivities[s].name);
            if (one == nullptr || one->micros <= 0) continue;
            const std::string cx = fixed(x(s)), cy = fixed(y(one->micros));
            points += cx + ',' + cy + ' ';
            const bool good = one->recall >= 0.95 && one->found == one->wanted && one->wrong == 0;
            dots += "<circle cx=\"" + cx + "\" cy=\"" + cy + "\" r=\"3\"" + (good ? "" : " class=\"hollow\"") + "/>";
        }
        if (points.empty()) return;
        out_ << "<g class=\"" << line.style << "\"><polyline class=\"line\" points=\"" << points << "\"/>" << dots
             << "</g>\n";
    }
    /// What admits nothing admits the same nothing whatever its relation.
    [[nodiscard]] const figure* find(const plotted& line, std::string_view index, std::string_view relation,
                                     std::string_view share) const {
        if (share == "none") relation = relation_names[0];
        for (const figure* one : figures_)
            if (one->index == (line.peer ? "hnswlib" : index) && one->given == line.given &&
                one->strategy == line.strategy && one->relation == relation && one->share == share)
                return one;
        return nullptr;
    }
    void text(double at_x, double at_y, std::string_view anchor, std::string_view content,
              std::string_view attributes = {}) {
        out_ << "<text x=\"" << fixed(at_x) << "\" y=\"" << fixed(at_y) << "\" text-anchor=\"" << anchor << '"'
             << attributes << '>' << xml_escape(content) << "</text>\n";
    }

    std::ostream& out_;
    std::vector<const figure*> figures_;
    std::vector<std::string> indexes_;
    double low_ = 0;
    double high_ = 1;
};

}  // namespace detail

inline void write_filter_plot(std::ostream& out, const std::vector<figure>& all, std::string_view set) {
    detail::filter_plot(out, all, set).draw(set);
}

}  // namespace bench
