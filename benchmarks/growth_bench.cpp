// SPDX-License-Identifier: MIT
// What growth costs: one index, filled step by step with rows made of real ones (dataset/mixture.hpp). After each step,
// the time of adding so far, how fast 95 % of the ten closest rows are found, and the memory beside what it says.
//
//     growth_bench BASE QUERY TYPE THREADS PREFIX ROWS...
//
// BASE and QUERY as ann_bench reads them, their first 96 components; TYPE flat:f32, ivf:f32, hnsw:f32 or hnsw:sq8+f32;
// THREADS those of adding; ROWS how many after each step. PREFIX-ROWS is the file an index of that step is saved to, or
// loaded from if there is one: then searches are measured, and no time of adding is known. "-" for PREFIX saves
// nothing. CPU seconds are those of all threads: on a machine with other work they say more than the clock does.
#include <chrono>      // for steady_clock
#include <cstdio>      // for printf, fprintf
#include <cstdlib>     // for strtoul
#include <ctime>       // for clock
#include <exception>   // for exception
#include <filesystem>  // for exists, path
#include <numeric>     // for iota
#include <optional>    // for optional
#include <string>      // for string, to_string
#include <vector>      // for vector

#include "ann/machine.hpp"
#include "dataset/dataset.hpp"
#include "dataset/mixture.hpp"
#include "vicinal/vicinal.hpp"

namespace {

using vicinal::matrix_view;
constexpr std::size_t k = 10;
constexpr std::size_t batch = 100000;  // rows of one call of add

struct job {
    bench::mixture rows;
    bench::matrix<float> queries;
    std::size_t threads;
    std::string prefix;
    std::vector<std::size_t> steps;
};

double wall() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
double cpu() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }
matrix_view<const float> view_of(const bench::matrix<float>& m) { return {m.values.data(), m.rows, m.dim}; }

/// Adds rows [from, to), some at a time, so that little memory is needed beside the index.
template <class Index>
void grow(Index& index, const job& todo, std::size_t from, std::size_t to, double& seconds, double& cpu_seconds) {
    for (std::size_t first = from; first < to; first += batch) {
        const bench::matrix<float> some = todo.rows.rows(first, std::min(batch, to - first));
        std::vector<std::uint64_t> ids(some.rows);
        std::iota(ids.begin(), ids.end(), first);
        const double began = wall(), cpu_began = cpu();
        index.add(ids, view_of(some), {.threads = todo.threads});
        seconds += wall() - began;
        cpu_seconds += cpu() - cpu_began;
    }
}

using truth_table = vicinal::search_table<std::uint64_t>;
truth_table truth_of(const job& todo, std::size_t rows) {
    vicinal::flat_index<vicinal::l2, vicinal::f32> exact(todo.rows.dim());
    double unused = 0;
    grow(exact, todo, 0, rows, unused, unused);
    return exact.search(view_of(todo.queries), k, {.threads = 0});
}

/// How a search is asked to look at more or fewer rows.
template <class Index>
typename Index::search_params looking_at(std::size_t effort) {
    typename Index::search_params how;
    if constexpr (requires { how.ef; }) how.ef = effort;
    if constexpr (requires { how.nprobe; }) how.nprobe = effort;
    return how;
}
template <class Index>
double recall(const Index& index, const job& todo, const truth_table& truth, std::size_t effort) {
    const truth_table found = index.search(view_of(todo.queries), k, looking_at<Index>(effort));
    std::size_t hits = 0;
    for (std::size_t q = 0; q < todo.queries.rows; ++q)
        for (const auto& hit : found[q]) hits += hit.distance <= truth[q][k - 1].distance ? 1 : 0;
    return static_cast<double>(hits) / static_cast<double>(k * todo.queries.rows);
}
/// Queries a second of `threads` threads: the best of some rounds of a quarter of a second.
template <class Index>
double rate(const Index& index, const job& todo, std::size_t effort, std::size_t threads) {
    auto how = looking_at<Index>(effort);
    how.threads = threads;
    double best = 0;
    for (int round = 0; round < 5; ++round) {
        const double began = wall();
        std::size_t asked = 0;
        do {
            (void)index.search(view_of(todo.queries), k, how);
            asked += todo.queries.rows;
        } while (wall() - began < 0.25);
        best = std::max(best, static_cast<double>(asked) / (wall() - began));
    }
    return best;
}
/// The same, query by query.
template <class Index>
double single_rate(const Index& index, const job& todo, std::size_t effort) {
    const auto how = looking_at<Index>(effort);
    std::vector<vicinal::neighbor<>> found(k);
    double best = 0;
    for (int round = 0; round < 5; ++round) {
        const double began = wall();
        std::size_t asked = 0;
        for (; wall() - began < 0.25; ++asked)
            (void)index.search(todo.queries[asked % todo.queries.rows], std::span(found), how);
        best = std::max(best, static_cast<double>(asked) / (wall() - began));
    }
    return best;
}

template <class Index>
void measure(const Index& index, const job& todo, std::size_t resident) {
    const auto memory = index.memory();
    const auto mib = [](std::size_t bytes) { return static_cast<double>(bytes) / (1 << 20); };
    const double rows = static_cast<double>(index.size());
    std::printf(" | %.1f | %.1f | %.1f | %.3f | %.0f", mib(memory.total), mib(memory.reserved), mib(resident),
                static_cast<double>(memory.total) / static_cast<double>(resident),
                static_cast<double>(resident) / rows);
    const truth_table truth = truth_of(todo, index.size());
    std::size_t effort = 12;
    double found = 0;
    while ((found = recall(index, todo, truth, effort)) < 0.95 && effort < 2000) effort += effort / 4;
    std::printf(" | %zu | %.4f | %.0f | %.0f | %.0f |\n", effort, found, single_rate(index, todo, effort),
                rate(index, todo, effort, 1), rate(index, todo, effort, 2));
}

template <class Index>
void run(const char* type, const job& todo) {
    const std::size_t before = bench::resident_bytes().value_or(0);
    std::optional<Index> index(std::in_place, todo.rows.dim());
    std::printf(
        "| type | rows | add s | add CPU s | total MiB | reserved | resident | total / resident | resident/row | "
        "ef, nprobe | recall@10 | single q/s | batch q/s, 1 thread | 2 threads |\n");
    double seconds = 0, cpu_seconds = 0;
    for (const std::size_t rows : todo.steps) {
        const std::filesystem::path file = todo.prefix + "-" + std::to_string(rows);
        std::printf("| %s | %zu", type, rows);
        if (todo.prefix != "-" && std::filesystem::exists(file)) {
            index.emplace(Index::load(file));
            std::printf(" | | ");
        } else {
            grow(*index, todo, index->size(), rows, seconds, cpu_seconds);
            if (todo.prefix != "-") index->save(file);
            std::printf(" | %.1f | %.1f", seconds, cpu_seconds);
        }
        index->shrink_to_fit();  // buffers of searches that measured the step before
        measure(*index, todo, bench::resident_bytes().value_or(0) - before);
        std::fflush(stdout);
    }
}

void run(const std::string& type, const job& todo) {
    using namespace vicinal;
    if (type == "flat:f32") return run<flat_index<l2, f32>>("flat f32", todo);
    if (type == "ivf:f32") return run<ivf_index<l2, f32>>("ivf f32", todo);
    if (type == "hnsw:f32") return run<hnsw_index<l2, f32>>("hnsw f32", todo);
    if (type == "hnsw:sq8+f32") return run<hnsw_index<l2, two_level<sq8, f32>>>("hnsw sq8+f32", todo);
    throw std::runtime_error("there is no type '" + type + "'");
}

/// The first `dim` components of up to `most` rows.
bench::matrix<float> cut(const bench::matrix<float>& rows, std::size_t dim, std::size_t most) {
    bench::matrix<float> some{std::min(most, rows.rows), dim, {}};
    for (std::size_t i = 0; i < some.rows; ++i)
        some.values.insert(some.values.end(), rows[i].begin(), rows[i].begin() + static_cast<std::ptrdiff_t>(dim));
    return some;
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc < 7) {
        std::fprintf(stderr, "growth_bench BASE QUERY TYPE THREADS PREFIX ROWS...\n");
        return 2;
    }
    bench::mixture rows(bench::read_vectors(argv[1]), 96);
    const std::size_t dim = rows.dim();
    job todo{
        std::move(rows), cut(bench::read_vectors(argv[2]), dim, 500), std::strtoul(argv[4], nullptr, 10), argv[5], {}};
    for (int i = 6; i < argc; ++i) todo.steps.push_back(std::strtoul(argv[i], nullptr, 10));
    std::printf("%s, %s %s, load %.1f; rows made of %s, %zu components, added by %zu threads\n",
                bench::processor().c_str(), bench::compiler().c_str(), bench::compiler_flags().c_str(),
                bench::load_average().value_or(0), argv[1], dim, todo.threads);
    run(argv[3], todo);
    return 0;
} catch (const std::exception& e) {
    std::fprintf(stderr, "growth_bench: %s\n", e.what());
    return 1;
}
