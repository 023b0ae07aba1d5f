// SPDX-License-Identifier: MIT
// How long a search takes while nobody writes, and while another thread writes as fast as it can.
//
//     latency_bench [BASE.npy QUERY.npy [SECONDS]]
//
// Files as ann_bench takes them; without, 50 000 clustered rows are made. Four fifths of the rows are in the index, the
// rest come and go: a writer adds 256 of them at once, changes 64 one by one, and removes the 256 one by one, over and
// over. One thread searches, k 10, in rounds of SECONDS (default 2): writer idle, writer at work, five of each in turn.
// Needs two cores that nobody else uses.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <thread>
#include <vector>

#include "dataset/dataset.hpp"
#include "dataset/generate.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/ivf.hpp"

namespace {

using clock_type = std::chrono::steady_clock;
using rows_view = vicinal::matrix_view<const float>;

double seconds_since(clock_type::time_point start) {
    return std::chrono::duration<double>(clock_type::now() - start).count();
}
rows_view view_of(const bench::matrix<float>& rows) { return {rows.values.data(), rows.rows, rows.dim}; }

std::vector<std::uint64_t> numbered(std::size_t first, std::size_t count) {
    std::vector<std::uint64_t> ids(count);
    for (std::size_t i = 0; i < count; ++i) ids[i] = first + i;
    return ids;
}

/// Rows after the first four fifths come and go, those before are updated by one another, until told to stop.
template <class Index>
std::size_t write(Index& index, rows_view rows, const std::atomic<bool>& stop) {
    constexpr std::size_t batch = 256;
    const std::size_t kept = rows.rows() * 4 / 5;
    std::size_t changes = 0;
    for (std::size_t turn = 0; !stop; ++turn) {
        const std::size_t first = kept + turn * batch % (rows.rows() - kept - batch);
        const auto ids = numbered(first, batch);
        index.add(ids, rows.rows(first, batch));
        for (std::size_t i = 0; i < 64; ++i) {
            const std::size_t id = (turn * 64 + i) * 7919 % kept;
            index.update(id, rows[id]);
        }
        for (const std::uint64_t id : ids) index.remove(id);
        changes += 2 * batch + 64;
    }
    return changes;
}

/// What searches for so many seconds took, each.
template <class Index>
void search(const Index& index, rows_view queries, double seconds, std::vector<double>& taken) {
    std::vector<vicinal::neighbor<>> room(10);
    const auto start = clock_type::now();
    for (std::size_t q = 0; seconds_since(start) < seconds; ++q) {
        const auto begin = clock_type::now();
        index.search(queries[q % queries.rows()], std::span(room));
        taken.push_back(seconds_since(begin));
    }
}

double quantile(std::vector<double>& all, double of) {
    const auto at = all.begin() + static_cast<std::ptrdiff_t>(of * static_cast<double>(all.size() - 1));
    std::nth_element(all.begin(), at, all.end());
    return *at;
}

template <class Index>
void run(const char* what, Index index, rows_view rows, rows_view queries, double seconds) {
    const std::size_t kept = rows.rows() * 4 / 5;
    index.add(numbered(0, kept), rows.rows(0, kept));
    std::vector<double> idle;
    std::vector<double> writing;
    std::size_t changes = 0;
    for (int round = 0; round < 5; ++round) {
        search(index, queries, seconds, idle);
        std::atomic<bool> stop{false};
        std::thread writer([&] { changes += write(index, rows, stop); });
        search(index, queries, seconds, writing);
        stop = true;
        writer.join();
    }
    std::printf(
        "%-16s p50 idle %8.1f us  writing %8.1f us   p99 idle %8.1f us  writing %8.1f us  ratio %.2f   "
        "p99.9 %8.1f %8.1f   %.0f changes/s\n",
        what, 1e6 * quantile(idle, 0.5), 1e6 * quantile(writing, 0.5), 1e6 * quantile(idle, 0.99),
        1e6 * quantile(writing, 0.99), quantile(writing, 0.99) / quantile(idle, 0.99), 1e6 * quantile(idle, 0.999),
        1e6 * quantile(writing, 0.999), static_cast<double>(changes) / (5 * seconds));
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) try {
    bench::dataset data;
    if (argc < 3) {
        data = bench::generate({.rows = 50000, .dim = 64, .clusters = 500, .queries = 1000});
    } else {
        data.base = bench::read_vectors(argv[1]);
        data.queries = bench::read_vectors(argv[2]);
    }
    const double seconds = argc > 3 ? std::atof(argv[3]) : 2;
    const auto rows = view_of(data.base);
    const auto queries = view_of(data.queries);
    using vicinal::l2;
    run("hnsw l2 f32", vicinal::hnsw_index<l2, vicinal::f32>(rows.dim()), rows, queries, seconds);
    run("ivf l2 f32", vicinal::ivf_index<l2>(rows.dim()), rows, queries, seconds);
    run("flat l2 f32", vicinal::flat_index<l2>(rows.dim()), rows, queries, seconds);
} catch (const std::exception& e) {
    std::fprintf(stderr, "latency_bench: %s\n", e.what());
    return 1;
}
