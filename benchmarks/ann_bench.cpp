// SPDX-License-Identifier: MIT
// Recall against queries per second of vicinal's indexes and, where installed, hnswlib and faiss, in one run.
#include <cmath>     // for log2, round, sqrt
#include <fstream>   // for ofstream
#include <iostream>  // for cout, cerr

#include "ann/report.hpp"
#include "dataset/widen.hpp"

namespace bench {
namespace {

std::vector<system_entry> all_systems() {
    std::vector<system_entry> all = vicinal_systems();
    const auto append = [&](std::vector<system_entry> more) { all.insert(all.end(), more.begin(), more.end()); };
#ifdef VICINAL_BENCH_HNSWLIB
    append(hnswlib_systems());
#endif
#ifdef VICINAL_BENCH_FAISS
    append(faiss_systems());
#endif
    static_cast<void>(append);
    return all;
}

/// Those asked for, in that order; by default vicinal's f32 indexes and all peers.
std::vector<system_entry> selected(const std::vector<std::string>& names) {
    const std::vector<system_entry> all = all_systems();
    std::vector<system_entry> result;
    if (names.empty()) {
        for (const system_entry& one : all)
            if (one.name.find(':') == std::string::npos || one.name.ends_with(":f32")) result.push_back(one);
        return result;
    }
    for (const std::string& name : names) {
        const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == name; });
        if (found == all.end()) throw usage_error("--index: there is no '" + name + "' in this build, see --list");
        result.push_back(*found);
    }
    return result;
}

std::vector<setting> settings_of(const system_entry& entry, const options& asked) {
    std::vector<std::size_t> values{0};
    if (entry.searched_by == knob::ef) {
        values = asked.ef;
        for (std::size_t& ef : values) ef = std::max(ef, asked.k);
    } else if (entry.searched_by == knob::nprobe) {
        values = asked.nprobe;
        for (std::size_t& nprobe : values) nprobe = std::min(nprobe, asked.build.lists);
    }
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    std::vector<setting> result;
    for (const std::size_t value : values) result.push_back({value, 0, {}});
    return result;
}

dataset load(const options& asked) {
    if (asked.base.empty()) {
        std::cerr << "generating vectors\n";
        return generate(asked.generated);
    }
    std::cerr << "reading " << asked.base.string() << '\n';
    dataset data;
    data.name = asked.base.filename().string();
    data.base = read_vectors(asked.base);
    data.queries = read_vectors(asked.query);
    if (!asked.truth.empty()) data.truth = read_row_numbers(asked.truth);
    return data;
}

std::size_t usual_lists(std::size_t rows) {
    const double wanted = 4 * std::sqrt(static_cast<double>(rows));
    return std::min(rows, std::size_t{1} << static_cast<unsigned>(std::round(std::log2(wanted))));
}

/// Opens both files before hours of measurement, not after.
std::ofstream open_output(const std::filesystem::path& path) {
    std::ofstream out;
    if (path.empty()) return out;
    out.open(path);
    if (!out) throw std::runtime_error(path.string() + ": cannot be opened for writing");
    return out;
}

void finish(std::ofstream& out, const std::filesystem::path& path) {
    out.close();
    if (!out) throw std::runtime_error(path.string() + ": writing failed");
    std::cerr << "wrote " << path.string() << '\n';
}

void run(report& result) {
    options& asked = result.asked;
    const std::vector<system_entry> entries = selected(asked.systems);
    result.load = load_average();
    if (asked.pin && !pinned_thread(asked.pin).cpu())
        throw usage_error("--pin: cannot stay on CPU " + std::to_string(*asked.pin));

    dataset data = load(asked);
    if (asked.rows != 0) shorten(data, asked.rows);
    if (asked.widen != 0) widen(data, asked.widen, asked.generated.seed);
    require_consistent(data, asked.k);
    std::ofstream json = open_output(asked.json);
    std::ofstream svg = open_output(asked.svg);
    result.data_name = data.name;
    result.rows = data.base.rows;
    result.dim = data.base.dim;
    result.queries = data.queries.rows;
    if (asked.build.lists == 0) asked.build.lists = usual_lists(result.rows);
    if (data.truth.rows == 0) {
        std::cerr << "computing the true neighbours\n";
        data.truth = exact_neighbors(asked.build.distance, data.base, data.queries, asked.k, asked.build.threads);
    }

    const measure_params params{asked.k, asked.rounds, asked.min_seconds, asked.build.distance};
    for (const system_entry& entry : entries) {
        std::cerr << "building " << entry.name << std::flush;
        result.systems.push_back(build_system(entry, data.base, asked.build));
        measured_system& built = result.systems.back();
        std::cerr << ": " << built.build_seconds << " s\n";
        built.settings = settings_of(entry, asked);
        measure_recall(built, data, params);
    }
    {
        std::optional<pinned_thread> pinned;
        if (asked.pinned) {
            pinned.emplace(asked.pin);
            result.cpu = pinned->cpu();
        }
        measure_rates(result.systems, data, params, [&](std::size_t round) {
            std::cerr << "round " << round + 1 << " of " << params.rounds << '\n';
        });
    }
    print_tables(std::cout, result);
    if (json.is_open()) {
        write_json(json, result);
        finish(json, asked.json);
    }
    if (svg.is_open()) {
        write_plot(svg, result);
        finish(svg, asked.svg);
    }
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
    try {
        bench::report result;
        result.asked = bench::parse_options(argc, argv);
        if (result.asked.help) {
            bench::print_help(std::cout);
        } else if (result.asked.list) {
            for (const bench::system_entry& one : bench::all_systems())
                std::cout << one.name << "  (" << one.library << ")\n";
        } else {
            bench::run(result);
        }
        return 0;
    } catch (const bench::usage_error& error) {
        std::cerr << "ann_bench: " << error.what() << "\nTry ann_bench --help.\n";
        return 2;
    } catch (const std::exception& error) {
        std::cerr << "ann_bench: " << error.what() << '\n';
        return 1;
    }
}
