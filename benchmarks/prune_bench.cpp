// SPDX-License-Identifier: MIT
// Exact single searches of flat_index that pass rows over, beside those that scan all: two_level<pca8, f32> and f32 in
// turns on one core, by the time of the processor, with a comparison of all ids and distances. In turns of 100 queries,
// as a program with one of the two indexes finds the caches, and of one query, where each finds them filled by the
// other.
//
// Usage: prune_bench                     50 000 x 960 generated, the variance of axis j falling as 1/j, j^-1.5, j^-2
//        prune_bench base query metric   files as ann_bench reads them; metric l2 or cosine
#include <algorithm>  // for min, sort
#include <cmath>      // for pow
#include <cstdint>    // for uint64_t
#include <cstdio>     // for printf
#include <ctime>      // for clock
#include <numeric>    // for iota
#include <string>     // for string
#include <vector>     // for vector
#include <vicinal/codec/pca8/pca8.hpp>
#include <vicinal/flat.hpp>

#include "dataset/dataset.hpp"
#include "dataset/generate.hpp"

namespace {

using vectors = bench::matrix<float>;

vicinal::matrix_view<const float> view(const vectors& rows) { return {rows.values.data(), rows.rows, rows.dim}; }

double seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

template <class Index>
void fill(Index& index, const vectors& rows) {
    std::vector<std::uint64_t> ids(rows.rows);
    std::iota(ids.begin(), ids.end(), std::uint64_t{0});
    const double start = seconds();
    (void)index.add(ids, view(rows));
    std::printf("  %s built in %.2f s, %.0f bytes/vector\n", std::string(Index::name).c_str(), seconds() - start,
                static_cast<double>(index.memory().total) / static_cast<double>(rows.rows));
}

template <class Metric, class Codec>
struct named_index : vicinal::flat_index<Metric, Codec> {
    static constexpr const char* name = std::is_same_v<Codec, vicinal::f32> ? "f32" : "pca8+f32";
    using vicinal::flat_index<Metric, Codec>::flat_index;
};

template <class Metric>
bool compare(const std::string& what, const vectors& base, const vectors& queries) {
    std::printf("%s: %zu x %zu, %s, k = 10\n", what.c_str(), base.rows, base.dim, std::string(Metric::name).c_str());
    named_index<Metric, vicinal::f32> plain(base.dim);
    named_index<Metric, vicinal::two_level<vicinal::pca8, vicinal::f32>> pruned(base.dim);
    fill(plain, base);
    fill(pruned, base);
    const std::size_t count = std::min<std::size_t>(queries.rows, 100);
    bool same = true;
    for (const std::size_t turn : {count, std::size_t{1}}) {
        vicinal::search_stats stats;
        std::vector<double> ratios;
        double by_scan = 0;
        double by_bounds = 0;
        std::vector<std::vector<vicinal::neighbor<>>> expected(turn);
        for (int round = 0; round < 5; ++round) {
            double scan = 0;
            double bounds = 0;
            for (std::size_t first = 0; first < count; first += turn) {
                const double start = seconds();
                for (std::size_t q = 0; q < turn; ++q) expected[q] = plain.search(view(queries)[first + q], 10);
                const double middle = seconds();
                for (std::size_t q = 0; q < turn; ++q)
                    same = pruned.search(view(queries)[first + q], 10, {.stats = &stats}) == expected[q] && same;
                bounds += seconds() - middle;
                scan += middle - start;
            }
            ratios.push_back(scan / bounds);
            by_scan += scan;
            by_bounds += bounds;
        }
        std::sort(ratios.begin(), ratios.end());
        const double calls = 5 * static_cast<double>(count);
        std::printf(
            "  turns of %3zu: f32 %.3f ms, pca8+f32 %.3f ms, ratio %.2f (%.2f to %.2f); %.2f %% of rows measured\n",
            turn, by_scan / calls * 1e3, by_bounds / calls * 1e3, ratios[2], ratios.front(), ratios.back(),
            100 * static_cast<double>(stats.reranks) / calls / static_cast<double>(base.rows));
    }
    std::printf("  %s\n", same ? "ids and distances are the same" : "RESULTS DIFFER");
    return same;
}

/// Normal components whose variance falls as j^-fall, mixed by Householder reflections.
vectors decaying(std::size_t rows, std::size_t dim, double fall, std::uint64_t seed) {
    vectors made{rows, dim, std::vector<float>(rows * dim)};
    bench::detail::random_stream random(seed);
    bench::detail::random_stream directions(1);
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t i = 0; i < dim; ++i)
            made.values[r * dim + i] =
                static_cast<float>(random.normal() * std::pow(static_cast<double>(i + 1), -fall / 2));
    std::vector<double> mirror(dim);
    for (int turn = 0; turn < 4; ++turn) {
        double squares = 0;
        for (double& x : mirror) {
            x = directions.normal();
            squares += x * x;
        }
        for (std::size_t r = 0; r < rows; ++r) {
            float* const row = made.values.data() + r * dim;
            double along = 0;
            for (std::size_t i = 0; i < dim; ++i) along += mirror[i] * double{row[i]};
            for (std::size_t i = 0; i < dim; ++i)
                row[i] = static_cast<float>(double{row[i]} - 2 * along / squares * mirror[i]);
        }
    }
    return made;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 1 && (argc != 4 || argv[1][0] == '-')) {
        std::fprintf(stderr, "usage: prune_bench [BASE QUERY METRIC]    METRIC is l2 or cosine\n");
        return 2;
    }
    std::printf("built with %s\n", VICINAL_BENCH_FLAGS);
    bool same = true;
    if (argc == 4) {
        const vectors base = bench::read_vectors(argv[1]);
        const vectors queries = bench::read_vectors(argv[2]);
        same = std::string(argv[3]) == "cosine" ? compare<vicinal::cosine>(argv[1], base, queries)
                                                : compare<vicinal::l2>(argv[1], base, queries);
    } else {
        for (const double fall : {1.0, 1.5, 2.0})
            same = compare<vicinal::l2>("variance falling as j^-" + std::to_string(fall).substr(0, 3),
                                        decaying(50000, 960, fall, 2), decaying(100, 960, fall, 3)) &&
                   same;
    }
    return same ? 0 : 1;
}
