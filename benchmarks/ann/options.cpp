// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <algorithm>    // for find_if
#include <array>        // for array
#include <charconv>     // for from_chars
#include <ostream>      // for ostream
#include <string_view>  // for string_view

namespace bench {
namespace {

template <class T>
T number(std::string_view text) {
    T value{};
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc{} || end != text.data() + text.size())
        throw usage_error("'" + std::string(text) + "' is not a number this option takes");
    return value;
}

std::size_t positive(std::string_view text) {
    const auto value = number<std::size_t>(text);
    if (value == 0) throw usage_error("0 is not a number this option takes");
    return value;
}

std::vector<std::string_view> split(std::string_view text) {
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t comma = text.find(',');
        parts.push_back(text.substr(0, comma));
        if (comma == std::string_view::npos) return parts;
        text.remove_prefix(comma + 1);
    }
}

std::vector<std::size_t> positives(std::string_view text) {
    std::vector<std::size_t> values;
    for (const std::string_view part : split(text)) values.push_back(positive(part));
    return values;
}

metric metric_named(std::string_view name) {
    for (const metric m : {metric::l2, metric::inner_product, metric::cosine})
        if (to_string(m) == name) return m;
    throw usage_error("'" + std::string(name) + "' is no metric; there are l2, ip and cosine");
}

void set_generated(options& o, std::string_view text) {
    const std::vector<std::size_t> values = positives(text);
    if (values.size() != 4) throw usage_error("it takes four numbers: rows,dimension,clusters,queries");
    o.generated.rows = values[0];
    o.generated.dim = values[1];
    o.generated.clusters = values[2];
    o.generated.queries = values[3];
}

void set_pin(options& o, std::string_view text) {
    o.pinned = text != "none";
    if (o.pinned) o.pin = number<int>(text);
}

struct option {
    std::string_view name;
    std::string_view value;  ///< what it takes, for the help; empty: nothing
    std::string_view help;
    void (*apply)(options& o, std::string_view value);
};

constexpr std::array<option, 22> table{{
    {"--base", "FILE", "vectors: .npy (f4, f2, u1, i1), .fvecs, .bvecs, .fbin, .u8bin",
     [](options& o, std::string_view v) { o.base = v; }},
    {"--query", "FILE", "queries, in any of these formats", [](options& o, std::string_view v) { o.query = v; }},
    {"--truth", "FILE", "true neighbours: .npy (u4, i4), .ivecs, .ibin; computed when absent",
     [](options& o, std::string_view v) { o.truth = v; }},
    {"--generate", "N,D,C,Q",
     "without --base: N rows of D components in C clusters and Q queries [100000,64,1000,1000]", set_generated},
    {"--metric", "NAME", "l2, ip or cosine [l2]",
     [](options& o, std::string_view v) { o.build.distance = metric_named(v); }},
    {"--k", "N", "neighbours wanted [10]", [](options& o, std::string_view v) { o.k = positive(v); }},
    {"--index", "LIST", "what to measure, see --list [f32 indexes and every peer there is]",
     [](options& o, std::string_view v) {
         o.systems.clear();
         for (const std::string_view name : split(v)) o.systems.emplace_back(name);
     }},
    {"--degree", "N", "M of HNSW [16]", [](options& o, std::string_view v) { o.build.degree = positive(v); }},
    {"--build-beam", "N", "ef_construction of HNSW [200]",
     [](options& o, std::string_view v) { o.build.ef_construction = positive(v); }},
    {"--lists", "N", "nlist of IVF [a power of two near 4 sqrt(rows)]",
     [](options& o, std::string_view v) { o.build.lists = positive(v); }},
    {"--seed", "N", "for generated vectors and for building [7]",
     [](options& o, std::string_view v) { o.build.seed = o.generated.seed = number<std::uint64_t>(v); }},
    {"--ef", "LIST", "beams to search HNSW with, values below k count as k",
     [](options& o, std::string_view v) { o.ef = positives(v); }},
    {"--nprobe", "LIST", "numbers of lists to search IVF with",
     [](options& o, std::string_view v) { o.nprobe = positives(v); }},
    {"--threads", "N", "threads to build with; searches always use one [1]",
     [](options& o, std::string_view v) { o.build.threads = positive(v); }},
    {"--reorder", "", "reorder() graphs of vicinal once they are built",
     [](options& o, std::string_view) { o.build.reorder = true; }},
    {"--rounds", "N", "times each setting is measured, in turn with all others; medians are reported [5]",
     [](options& o, std::string_view v) { o.rounds = positive(v); }},
    {"--min-time", "SECONDS", "least duration of each of these measurements [0.2]",
     [](options& o, std::string_view v) { o.min_seconds = number<double>(v); }},
    {"--pin", "CPU", "stay on this CPU while measuring; 'none' leaves it to the scheduler [the current one]", set_pin},
    {"--json", "FILE", "write all figures", [](options& o, std::string_view v) { o.json = v; }},
    {"--svg", "FILE", "draw queries per second against recall", [](options& o, std::string_view v) { o.svg = v; }},
    {"--list", "", "print what can be measured and stop", [](options& o, std::string_view) { o.list = true; }},
    {"--help", "", "print this and stop", [](options& o, std::string_view) { o.help = true; }},
}};

void check(const options& o) {
    if (o.base.empty() && !(o.query.empty() && o.truth.empty()))
        throw usage_error("--query and --truth belong to a --base");
    if (!o.base.empty() && o.query.empty()) throw usage_error("--base needs a --query");
    if (!(o.min_seconds >= 0 && o.min_seconds <= 3600)) throw usage_error("--min-time must be from 0 to 3600 seconds");
}

}  // namespace

options parse_options(int argc, const char* const* argv) {
    options result;
    result.build.lists = 0;
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        const auto known = std::find_if(table.begin(), table.end(), [&](const option& o) { return o.name == name; });
        if (known == table.end() || name.empty()) throw usage_error("unknown option '" + std::string(name) + "'");
        std::string_view value;
        if (!known->value.empty()) {
            if (++i == argc) throw usage_error(std::string(name) + " takes a value");
            value = argv[i];
        }
        try {
            known->apply(result, value);
        } catch (const usage_error& reason) {
            throw usage_error(std::string(name) + ": " + reason.what());
        }
    }
    check(result);
    return result;
}

void print_help(std::ostream& out) {
    out << "ann_bench: recall against queries per second, side by side in one run.\n\n";
    for (const option& o : table) {
        std::string left = "  " + std::string(o.name) + " " + std::string(o.value);
        left.resize(22, ' ');
        out << left << o.help << '\n';
    }
}

}  // namespace bench
