// SPDX-License-Identifier: MIT
// Draws queries per second against recall as an SVG file: same input, same bytes; nothing needed to view it but a
// browser.
#pragma once

#include <algorithm>    // for clamp, max, min
#include <array>        // for array
#include <charconv>     // for to_chars
#include <cmath>        // for floor, ceil, log10, pow
#include <ostream>      // for ostream
#include <string>       // for string
#include <string_view>  // for string_view
#include <vector>       // for vector

#include "recall.hpp"

namespace bench {

struct svg_series {
    std::string name;
    std::vector<trade_off> points;  ///< all settings; the line follows their Pareto front
};

namespace detail {

[[nodiscard]] inline std::string xml_escape(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (c == '&')
            result += "&amp;";
        else if (c == '<')
            result += "&lt;";
        else if (c == '>')
            result += "&gt;";
        else if (c == '"')
            result += "&quot;";
        else
            result += c;
    }
    return result;
}

/// Two decimals whatever the locale.
[[nodiscard]] inline std::string fixed(double value, int decimals = 2) {
    char text[64];
    const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, decimals).ptr;
    return {text, end};
}

class recall_plot {
  public:
    recall_plot(std::ostream& out, const std::vector<svg_series>& series) : out_(out), series_(series) { set_ranges(); }

    void draw(std::string_view title, std::string_view subtitle, std::size_t k) {
        out_ << "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" << fixed(width, 0) << "\" height=\""
             << fixed(height, 0) << "\" viewBox=\"0 0 " << fixed(width, 0) << ' ' << fixed(height, 0)
             << "\" font-family=\"sans-serif\" font-size=\"12\">\n"
             << "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
        text(left, 24, "start", title, " font-size=\"16\" font-weight=\"bold\"");
        text(left, 42, "start", subtitle, " fill=\"#555\"");
        draw_recall_axis(k);
        draw_rate_axis();
        for (std::size_t i = 0; i < series_.size(); ++i) draw_series(i);
        out_ << "</svg>\n";
    }

  private:
    static constexpr double width = 900, height = 560, left = 80, right = 680, top = 60, bottom = 500;
    static constexpr double best_recall = 0.9995;  // above this, points are drawn on the right edge
    static constexpr std::array<double, 11> recall_ticks{0.0,  0.5,  0.7,   0.8,   0.9,  0.95,
                                                         0.98, 0.99, 0.995, 0.998, 0.999};

    void set_ranges() {
        double lowest_recall = best_recall, lowest_rate = 0, highest_rate = 0;
        for (const svg_series& one : series_) {
            for (const trade_off& point : one.points) {
                if (point.rate <= 0) continue;
                lowest_recall = std::min(lowest_recall, point.recall);
                lowest_rate = lowest_rate == 0 ? point.rate : std::min(lowest_rate, point.rate);
                highest_rate = std::max(highest_rate, point.rate);
            }
        }
        for (const double tick : recall_ticks)
            if (tick <= lowest_recall) first_recall_ = tick;
        first_recall_ = std::min(first_recall_, 0.9);
        low_decade_ = lowest_rate > 0 ? std::floor(std::log10(lowest_rate)) : 0;
        high_decade_ = lowest_rate > 0 ? std::max(std::ceil(std::log10(highest_rate)), low_decade_ + 1) : 1;
    }

    [[nodiscard]] static double nines(double recall) { return -std::log10(1 - std::clamp(recall, 0.0, best_recall)); }
    [[nodiscard]] double x(double recall) const {
        const double first = nines(first_recall_);
        return left + (right - left) * (nines(recall) - first) / (nines(best_recall) - first);
    }
    [[nodiscard]] double y(double rate) const {
        const double share = (std::log10(rate) - low_decade_) / (high_decade_ - low_decade_);
        return bottom - (bottom - top) * share;
    }

    void draw_recall_axis(std::size_t k) {
        for (const double tick : recall_ticks) {
            if (tick < first_recall_) continue;
            line(x(tick), top, x(tick), bottom, "#ddd");
            const int decimals = tick > 0.99 ? 3 : 2;
            text(x(tick), bottom + 18, "middle", fixed(tick, decimals));
        }
        line(left, bottom, right, bottom, "#333");
        text((left + right) / 2, bottom + 42, "middle",
             "recall@" + std::to_string(k) + " (scale: -log10(1 - recall); the right edge is 0.9995 and above)");
    }

    void draw_rate_axis() {
        for (double decade = low_decade_; decade <= high_decade_; ++decade) {
            for (const double step : {1.0, 2.0, 5.0}) {
                const double rate = step * std::pow(10.0, decade);
                if (decade == high_decade_ && step > 1) break;
                line(left, y(rate), right, y(rate), "#ddd");
                text(left - 8, y(rate) + 4, "end", fixed(rate, decade < 0 ? static_cast<int>(-decade) : 0));
            }
        }
        line(left, top, left, bottom, "#333");
        out_ << "<text transform=\"translate(20," << fixed((top + bottom) / 2)
             << ") rotate(-90)\" text-anchor=\"middle\">queries per second, one thread</text>\n";
    }

    void draw_series(std::size_t i) {
        static constexpr std::array<std::string_view, 10> colours{"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                                  "#e69f00", "#56b4e9", "#000000", "#7f3fbf",
                                                                  "#8c564b", "#7f7f7f"};
        const std::string_view colour = colours[i % colours.size()];
        const std::string dash = i < colours.size() ? "" : " stroke-dasharray=\"6 3\"";
        out_ << "<g stroke=\"" << colour << "\" fill=\"" << colour << "\">\n<polyline fill=\"none\" stroke-width=\"2\""
             << dash << " points=\"";
        std::string_view separator;
        for (const trade_off& point : pareto_front(drawable(series_[i].points))) {
            out_ << separator << fixed(x(point.recall)) << ',' << fixed(y(point.rate));
            separator = " ";
        }
        out_ << "\"/>\n";
        for (const trade_off& point : drawable(series_[i].points)) dot(x(point.recall), y(point.rate));
        const double legend_y = top + 12 + 20 * static_cast<double>(i);
        out_ << "<line x1=\"" << fixed(right + 20) << "\" y1=\"" << fixed(legend_y) << "\" x2=\"" << fixed(right + 44)
             << "\" y2=\"" << fixed(legend_y) << "\" stroke-width=\"2\"" << dash << "/>\n";
        dot(right + 32, legend_y);
        out_ << "</g>\n";
        text(right + 52, legend_y + 4, "start", series_[i].name);
    }

    [[nodiscard]] static std::vector<trade_off> drawable(const std::vector<trade_off>& points) {
        std::vector<trade_off> result;
        for (const trade_off& point : points)
            if (point.rate > 0) result.push_back(point);
        return result;
    }

    void dot(double at_x, double at_y) {
        out_ << "<circle cx=\"" << fixed(at_x) << "\" cy=\"" << fixed(at_y) << "\" r=\"3\"/>\n";
    }
    void line(double x1, double y1, double x2, double y2, std::string_view colour) {
        out_ << "<line x1=\"" << fixed(x1) << "\" y1=\"" << fixed(y1) << "\" x2=\"" << fixed(x2) << "\" y2=\""
             << fixed(y2) << "\" stroke=\"" << colour << "\"/>\n";
    }
    void text(double at_x, double at_y, std::string_view anchor, std::string_view content,
              std::string_view attributes = {}) {
        out_ << "<text x=\"" << fixed(at_x) << "\" y=\"" << fixed(at_y) << "\" text-anchor=\"" << anchor << '"'
             << attributes << '>' << xml_escape(content) << "</text>\n";
    }

    std::ostream& out_;
    const std::vector<svg_series>& series_;
    double first_recall_ = 0;
    double low_decade_ = 0;
    double high_decade_ = 1;
};

}  // namespace detail

/// Recall on x, stretched towards 1; rate on y, logarithmic; one colour a series.
inline void write_svg(std::ostream& out, std::string_view title, std::string_view subtitle, std::size_t k,
                      const std::vector<svg_series>& series) {
    detail::recall_plot(out, series).draw(title, subtitle, k);
}

}  // namespace bench
