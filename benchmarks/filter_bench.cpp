// SPDX-License-Identifier: MIT
// Filtered searches: filters that admit from nine tenths of all rows to none, rows anywhere, close to the query or far
// from it, given as a callable and as an id_set, on every kind of index, by default and made to search in every other
// way. Recall against an exact search, distances, time.
#include <algorithm>    // for find
#include <filesystem>   // for create_directories, path
#include <fstream>      // for ofstream
#include <iostream>     // for cout, cerr
#include <string>       // for string, stoul, stod
#include <string_view>  // for string_view

#include "ann/normalize.hpp"
#include "filter/measure.hpp"
#include "filter/plot.hpp"
#include "filter/table.hpp"

namespace bench {
namespace {

constexpr std::string_view help =
    R"(filter_bench: filtered searches in every cell of selectivity, correlation and index.

  --generate N,D,C     rows, dimension, clusters of generated rows [100000,64,250]
  --base FILE          vectors instead, in the formats of ann_bench; squared Euclidean distances
  --query FILE         queries
  --normalize          make all vectors of length 1, so that distances order as those of cosine
  --name TEXT          what tables call the set [the file's name]
  --queries N          queries of each cell [100]
  --index LIST         of those that --list prints [all]
  --relation LIST      of random, correlated, anti-correlated [all]
  --share LIST         of "no filter", "90 %", ... "0.01 %", "one row", none [all]
  --given LIST         of callable, id_set [both]
  --rounds N           rounds of two passes by each way, of which the fastest counts [3]
  --folder DIR         indexes are built once and kept here
  --figures FILE       keeps figures; those of earlier runs stay unless their cells are measured again
  --table FILE         tables of all figures, in Markdown [printed]
  --svg FILE           a drawing of those of this set
  --build-only         builds what the folder lacks and stops
  --report-only        tables and drawing of the figures kept, nothing is measured
  --list               prints the kinds of index and stops
)";

struct filter_options {
    std::vector<std::size_t> generated{100000, 64, 250};
    std::string base, query, name, folder, figures, table, svg;
    std::vector<std::string> indexes, relations, shares, forms;
    std::size_t queries = 100;
    std::size_t rounds = 3;
    bool normalize = false, build_only = false, report_only = false, list = false, help = false;
};

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> parts;
    for (;;) {
        const std::size_t comma = text.find(',');
        parts.emplace_back(text.substr(0, comma));
        if (comma == std::string_view::npos) return parts;
        text.remove_prefix(comma + 1);
    }
}

/// Whether the option was one of those that take a value.
bool take_value(filter_options& o, std::string_view option, const std::string& value) {
    if (option == "--generate") {
        o.generated.clear();
        for (const std::string& part : split(value)) o.generated.push_back(std::stoul(part));
        if (o.generated.size() != 3) throw std::runtime_error("--generate takes rows,dimension,clusters");
    } else if (option == "--queries") {
        o.queries = std::stoul(value);
    } else if (option == "--rounds") {
        o.rounds = std::stoul(value);
    } else {
        constexpr std::pair<std::string_view, std::vector<std::string> filter_options::*> lists[] = {
            {"--index", &filter_options::indexes},
            {"--relation", &filter_options::relations},
            {"--share", &filter_options::shares},
            {"--given", &filter_options::forms}};
        constexpr std::pair<std::string_view, std::string filter_options::*> texts[] = {
            {"--base", &filter_options::base},       {"--query", &filter_options::query},
            {"--name", &filter_options::name},       {"--folder", &filter_options::folder},
            {"--figures", &filter_options::figures}, {"--table", &filter_options::table},
            {"--svg", &filter_options::svg}};
        for (const auto& [name, member] : lists)
            if (name == option) return o.*member = split(value), true;
        for (const auto& [name, member] : texts)
            if (name == option) return o.*member = value, true;
        return false;
    }
    return true;
}

filter_options parse(int argc, char** argv) {
    filter_options o;
    constexpr std::pair<std::string_view, bool filter_options::*> flags[] = {
        {"--normalize", &filter_options::normalize},
        {"--build-only", &filter_options::build_only},
        {"--report-only", &filter_options::report_only},
        {"--list", &filter_options::list},
        {"--help", &filter_options::help}};
    for (int i = 1; i < argc; ++i) {
        const std::string_view option = argv[i];
        const auto flag =
            std::find_if(std::begin(flags), std::end(flags), [&](const auto& f) { return f.first == option; });
        if (flag != std::end(flags)) {
            o.*(flag->second) = true;
        } else if (i + 1 == argc || !take_value(o, option, argv[i + 1])) {
            throw std::runtime_error("what is '" + std::string(option) + "'? Try filter_bench --help");
        } else {
            ++i;
        }
    }
    if (o.base.empty() != o.query.empty()) throw std::runtime_error("--base and --query belong together");
    if (o.name.empty() && !o.base.empty()) o.name = std::filesystem::path(o.base).stem().string();
    if (o.name.empty())
        o.name = "generated " + std::to_string(o.generated[0]) + " x " + std::to_string(o.generated[1]) + " in " +
                 std::to_string(o.generated[2]) + " clusters";
    return o;
}

bool asked_for(const std::vector<std::string>& list, std::string_view name) {
    return list.empty() || std::find(list.begin(), list.end(), name) != list.end();
}

std::vector<contender_kind> all_kinds() {
    std::vector<contender_kind> all = graph_contenders();
    for (contender_kind& one : scan_contenders()) all.push_back(std::move(one));
#ifdef VICINAL_BENCH_HNSWLIB
    for (contender_kind& one : hnswlib_contenders()) all.push_back(std::move(one));
#endif
    return all;
}

dataset load(const filter_options& o) {
    dataset data;
    if (o.base.empty()) {
        data = generate({o.generated[0], o.generated[1], o.generated[2], std::max<std::size_t>(o.queries, 1000)});
    } else {
        data.base = read_vectors(o.base);
        data.queries = read_vectors(o.query);
    }
    data.name = o.name;
    data.queries.rows = std::min(data.queries.rows, o.queries);
    data.queries.values.resize(data.queries.rows * data.queries.dim);
    require_consistent(data, std::min<std::size_t>(10, data.base.rows));
    for (matrix<float>* m : {&data.base, &data.queries})
        for (std::size_t row = 0; o.normalize && row < m->rows; ++row) normalize((*m)[row], (*m)[row]);
    return data;
}

/// Spaces and slashes of names become dashes.
std::filesystem::path file_of(const filter_options& o, const contender_kind& kind) {
    if (o.folder.empty()) return {};
    std::string name = o.name + "-" + kind.name + (kind.name == "hnswlib" ? ".bin" : ".vicinal");
    for (char& c : name)
        if (c == ' ' || c == '/' || c == ':') c = '-';
    return std::filesystem::path(o.folder) / name;
}

void measure_all(const filter_options& o, figure_file& figures) {
    const dataset data = load(o);
    const measure_params params{.rounds = o.rounds};
    std::vector<std::pair<std::string, std::unique_ptr<contender>>> contenders;
    for (const contender_kind& kind : all_kinds()) {
        if (!asked_for(o.indexes, kind.name)) continue;
        std::cerr << o.name << ": building or loading " << kind.name << '\n';
        contenders.emplace_back(kind.name, kind.make(data.base, file_of(o, kind)));
    }
    if (o.build_only) return;
    const ranking ranked = rank_rows(data.base, data.queries, params.k, 7);
    for (std::size_t r = 0; r < relation_names.size(); ++r) {
        for (const selectivity& share : selectivities) {
            const auto kind = static_cast<relation>(r);
            const bool same = share.unfiltered() || share.matches(data.base.rows) == 0;  // whatever the relation
            if (!asked_for(o.relations, relation_names[r]) || !asked_for(o.shares, share.name) || (same && r != 0))
                continue;
            const cell one = ranked.make(kind, share);
            for (const auto& [name, index] : contenders)
                for (const form given : {form::callable, form::set}) {
                    if (!index->takes(given) || !asked_for(o.forms, form_names[static_cast<std::size_t>(given)]))
                        continue;
                    figure about;
                    about.set = o.name;
                    about.index = name;
                    about.rows = data.base.rows;
                    for (figure& f : measure(*index, one, data.queries, given, params, about))
                        figures.put(std::move(f));
                }
        }
    }
}

void write_reports(const filter_options& o, const figure_file& figures) {
    if (o.table.empty()) {
        write_table(std::cout, figures.all());
    } else {
        std::ofstream out(o.table);
        write_table(out, figures.all());
        if (!out.flush()) throw std::runtime_error(o.table + ": writing failed");
    }
    if (o.svg.empty()) return;
    std::ofstream out(o.svg);
    write_filter_plot(out, figures.all(), o.name);
    if (!out.flush()) throw std::runtime_error(o.svg + ": writing failed");
}

void run(const filter_options& o) {
    if (!o.folder.empty()) std::filesystem::create_directories(o.folder);
    figure_file figures(o.figures);
    if (!o.report_only) measure_all(o, figures);
    if (o.build_only) return;
    figures.save();
    write_reports(o, figures);
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) try {
    const bench::filter_options options = bench::parse(argc, argv);
    if (options.help) {
        std::cout << bench::help;
    } else if (options.list) {
        for (const auto& kind : bench::all_kinds()) std::cout << kind.name << '\n';
    } else {
        bench::run(options);
    }
    return 0;
} catch (const std::exception& error) {
    std::cerr << "filter_bench: " << error.what() << '\n';
    return 1;
}
