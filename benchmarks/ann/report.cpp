// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <array>    // for array
#include <iomanip>  // for setw
#include <ostream>  // for ostream

#include "json.hpp"
#include "svg.hpp"

namespace bench {
namespace {

constexpr std::array<double, 3> summary_recalls{0.90, 0.95, 0.99};

const measured_system* reference_of(const report& r) {
    for (const measured_system& one : r.systems)
        if (one.entry.name == "hnswlib") return &one;
    return nullptr;
}

std::vector<std::string> libraries_of(const report& r) {
    std::vector<std::string> names;
    for (const measured_system& one : r.systems)
        if (std::find(names.begin(), names.end(), one.entry.library) == names.end()) names.push_back(one.entry.library);
    return names;
}

std::string per_vector(const std::optional<std::size_t>& bytes, std::size_t rows) {
    return bytes ? detail::fixed(static_cast<double>(*bytes) / static_cast<double>(rows), 1) : "-";
}

std::string or_dash(const std::optional<double>& value, int decimals) {
    return value ? detail::fixed(*value, decimals) : "-";
}

/// With '>' before a lower bound.
std::string rate_text(const std::vector<trade_off>& front, double recall) {
    return std::string(is_lower_bound(front, recall) ? ">" : "").append(or_dash(rate_at(front, recall), 1));
}

double spread_percent(const std::vector<double>& rates) {
    const auto [low, high] = std::minmax_element(rates.begin(), rates.end());
    return 100 * (*high - *low) / median(rates);
}

void print_builds(std::ostream& out, const report& r) {
    out << std::left << std::setw(14) << "system" << std::right << std::setw(12) << "build s" << std::setw(16)
        << "bytes/vector" << std::setw(20) << "resident/vector" << '\n';
    for (const measured_system& one : r.systems)
        out << std::left << std::setw(14) << one.entry.name << std::right << std::setw(12)
            << detail::fixed(one.build_seconds) << std::setw(16) << per_vector(one.bytes, r.rows) << std::setw(20)
            << per_vector(one.resident_bytes, r.rows) << '\n';
}

void print_settings(std::ostream& out, const report& r) {
    out << std::left << std::setw(14) << "system" << std::setw(8) << "knob" << std::right << std::setw(8) << "value"
        << std::setw(12) << "recall@" + std::to_string(r.asked.k) << std::setw(14) << "queries/s" << std::setw(10)
        << "spread" << '\n';
    for (const measured_system& one : r.systems)
        for (const setting& s : one.settings)
            out << std::left << std::setw(14) << one.entry.name << std::setw(8) << to_string(one.entry.searched_by)
                << std::right << std::setw(8)
                << (one.entry.searched_by == knob::none ? std::string("-") : std::to_string(s.value)) << std::setw(12)
                << detail::fixed(s.recall, 4) << std::setw(14) << detail::fixed(median(s.rates), 1) << std::setw(9)
                << detail::fixed(spread_percent(s.rates), 0) << "%\n";
}

void print_summary(std::ostream& out, const report& r) {
    const measured_system* reference = reference_of(r);
    out << "queries/s at recall@" << r.asked.k << (reference ? ", and times hnswlib" : "") << '\n'
        << std::left << std::setw(14) << "system";
    for (const double recall : summary_recalls) {
        out << std::right << std::setw(14) << detail::fixed(recall);
        if (reference) out << std::setw(8) << "x";
    }
    out << '\n';
    for (const measured_system& one : r.systems) {
        out << std::left << std::setw(14) << one.entry.name << std::right;
        const auto front = pareto_front(one.trade_offs());
        for (const double recall : summary_recalls) {
            out << std::setw(14) << rate_text(front, recall);
            if (reference) out << std::setw(8) << or_dash(ratio_at(one, *reference, recall), 2);
        }
        out << '\n';
    }
    out << "log(queries/s) is interpolated linearly in recall along the Pareto front. '-': not reached. '>': a lower "
           "bound,\nthe rate of the fastest setting, which already finds more.\n";
}

void write_setting(json_writer& json, const setting& s) {
    json.object().value("value", s.value).value("recall", s.recall).value("queries_per_second", median(s.rates));
    json.array("rounds");
    for (const double rate : s.rates) json.value("", rate);
    json.end().end();
}

void write_optional(json_writer& json, std::string_view key, const std::optional<double>& value) {
    if (value)
        json.value(key, *value);
    else
        json.null(key);
}

void write_system(json_writer& json, const measured_system& one, const report& r) {
    const auto bytes_each = [&](const std::optional<std::size_t>& bytes) {
        return bytes ? std::optional(static_cast<double>(*bytes) / static_cast<double>(r.rows)) : std::nullopt;
    };
    const auto front = pareto_front(one.trade_offs());
    const measured_system* reference = reference_of(r);
    json.object().value("name", one.entry.name).value("library", one.entry.library);
    json.value("build_seconds", one.build_seconds);
    write_optional(json, "bytes_per_vector", bytes_each(one.bytes));
    write_optional(json, "resident_bytes_per_vector", bytes_each(one.resident_bytes));
    json.value("knob", to_string(one.entry.searched_by)).array("settings");
    for (const setting& s : one.settings) write_setting(json, s);
    json.end().object("queries_per_second_at_recall");
    for (const double recall : summary_recalls) write_optional(json, detail::fixed(recall), rate_at(front, recall));
    json.end().object("times_hnswlib_at_recall");
    if (reference)
        for (const double recall : summary_recalls)
            write_optional(json, detail::fixed(recall), ratio_at(one, *reference, recall));
    json.end().end();
}

}  // namespace

void print_setting(std::ostream& out, const report& r) {
    out << "processor   " << processor() << '\n' << "compiler    " << compiler() << ' ' << compiler_flags() << '\n';
    for (const std::string& library : libraries_of(r)) out << "library     " << library << '\n';
    out << "data        " << r.data_name << '\n'
        << "            " << r.rows << " rows x " << r.dim << ", " << r.queries << " queries, "
        << to_string(r.asked.build.distance) << '\n'
        << "build       degree " << r.asked.build.degree << ", build beam " << r.asked.build.ef_construction
        << ", lists " << r.asked.build.lists << ", threads " << r.asked.build.threads << ", seed " << r.asked.build.seed
        << '\n'
        << "search      one query a call, one thread, "
        << (r.cpu ? "on CPU " + std::to_string(*r.cpu) : std::string("not pinned")) << "; median of " << r.asked.rounds
        << " interleaved rounds of at least " << detail::fixed(r.asked.min_seconds) << " s\n"
        << "load before " << or_dash(r.load, 2) << '\n';
}

void print_tables(std::ostream& out, const report& r) {
    print_setting(out, r);
    out << '\n';
    print_builds(out, r);
    out << '\n';
    print_settings(out, r);
    out << '\n';
    print_summary(out, r);
}

void write_json(std::ostream& out, const report& r) {
    json_writer json(out);
    json.object();
    json.value("processor", processor()).value("compiler", compiler()).value("flags", compiler_flags());
    write_optional(json, "load_before", r.load);
    json.object("data").value("name", r.data_name).value("rows", r.rows).value("dim", r.dim);
    json.value("queries", r.queries).value("metric", to_string(r.asked.build.distance)).value("k", r.asked.k).end();
    json.object("build").value("degree", r.asked.build.degree).value("ef_construction", r.asked.build.ef_construction);
    json.value("lists", r.asked.build.lists).value("threads", r.asked.build.threads);
    json.value("seed", r.asked.build.seed).end();
    json.value("rounds", r.asked.rounds).value("min_seconds", r.asked.min_seconds);
    json.array("systems");
    for (const measured_system& one : r.systems) write_system(json, one, r);
    json.end().end();
}

void write_plot(std::ostream& out, const report& r) {
    std::vector<svg_series> series;
    for (const measured_system& one : r.systems) series.push_back({one.entry.name, one.trade_offs()});
    write_svg(out, r.data_name + " (" + std::string(to_string(r.asked.build.distance)) + ")",
              processor() + ", " + compiler() + " " + compiler_flags(), r.asked.k, series);
}

}  // namespace bench
