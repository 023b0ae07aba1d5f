// SPDX-License-Identifier: MIT
// What becomes of an hnsw index whose rows come and go: after every cycle beside one built anew of the same rows.
//
//     churn_bench [BASE.npy QUERY.npy [ROWS [CYCLES]]]
//
// Files as ann_bench takes them; without, 25 000 clustered rows are made. Four fifths of the rows are in the index at a
// time. Exit status 1 unless after every cycle each row could be reached, check() was clean, recall@10 was within 0.002
// of the fresh index and memory within 1.2 times its.
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "churn/churn.hpp"
#include "dataset/dataset.hpp"
#include "dataset/generate.hpp"

namespace {

bench::dataset data_of(int argc, char** argv) {
    if (argc < 3) return bench::generate({.rows = 25000, .dim = 64, .clusters = 500, .queries = 1000});
    bench::dataset data;
    data.name = argv[1];
    data.base = bench::read_vectors(argv[1]);
    data.queries = bench::read_vectors(argv[2]);
    return data;
}
churn::rows_view view_of(const bench::matrix<float>& rows, std::size_t most) {
    return {rows.values.data(), std::min(most, rows.rows), rows.dim};
}

/// Returns whether all was well.
template <class Index>
bool run(const char* what, churn::rows_view pool, churn::rows_view queries, std::size_t cycles) {
    bool well = true;
    double worst = 1;
    double most = 0;
    churn::costs last;
    std::printf("%s, %zu rows of dimension %zu in the pool, %zu queries, degree 16, ef_construction 200, ef 64\n", what,
                pool.rows(), pool.dim(), queries.rows());
    churn::for_each_cycle<Index>(
        pool, queries, {}, cycles, [&](const char* kind, std::size_t cycle, const auto& index) {
            const churn::state now = index.look();
            const bool good =
                now.ok && now.unreachable == 0 && now.recall >= now.fresh_recall - 0.002 && now.memory_ratio <= 1.2;
            worst = std::min(worst, now.recall - now.fresh_recall);
            most = std::max(most, now.memory_ratio);
            well = well && good;
            std::printf("  %-32s %4zu  live %6zu  recall %.4f  fresh %.4f  memory %.3f  unreachable %zu%s\n", kind,
                        cycle, now.live, now.recall, now.fresh_recall, now.memory_ratio, now.unreachable,
                        good ? "" : "  MISSED");
            if (index.cost().added > 0)
                std::printf("  %-32s       add %.1f us, remove %.1f us: ratio %.2f\n", "",
                            1e6 * index.cost().adding / static_cast<double>(index.cost().added),
                            1e6 * index.cost().removing / static_cast<double>(index.cost().removed),
                            index.cost().ratio());
            std::fflush(stdout);
        });
    std::printf("  lowest recall against fresh %+.4f, most memory %.3f\n", worst, most);
    return well;
}

}  // namespace

int main(int argc, char** argv) try {
    const bench::dataset data = data_of(argc, argv);
    const std::size_t rows = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : data.base.rows;
    const std::size_t cycles = argc > 4 ? std::strtoul(argv[4], nullptr, 10) : 30;
    const auto pool = view_of(data.base, rows);
    const auto queries = view_of(data.queries, data.queries.rows);
    return run<vicinal::hnsw_index<vicinal::l2, vicinal::f32>>("hnsw l2 f32", pool, queries, cycles) ? 0 : 1;
} catch (const std::exception& e) {
    std::fprintf(stderr, "churn_bench: %s\n", e.what());
    return 1;
}
