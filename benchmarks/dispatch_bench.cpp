// SPDX-License-Identifier: MIT
// Searches one kind of index over and over and prints the time of a query beside a hash of what was found. Compiled
// twice, natively and for run-time dispatch, and run in turn by scripts/bench_dispatch.sh, it says what dispatch costs.
//
//     dispatch_bench <case> <directory> [<seconds>]     for a case, see `cases` below
//
// An index is built once and kept in the directory, so that all programs search the same one.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "vicinal/vicinal.hpp"

namespace {

using vicinal::matrix_view;

constexpr std::size_t dim = 128;
constexpr std::size_t k = 10;
constexpr std::size_t queries = 128;

/// Rows around a few hundred centres, as embeddings lie. Components are whole 4096ths, made of integers, so that they
/// are the same whatever this is compiled for.
std::vector<float> make_rows(std::size_t count, std::uint64_t seed) {
    std::mt19937_64 points(7);
    std::mt19937_64 random(seed);
    const auto bell = [](std::mt19937_64& from, int reach) {
        int sum = 0;
        for (std::uint64_t bits = from(); bits != 0; bits >>= 16U) sum += static_cast<int>(bits % 65536) - 32768;
        return sum / 65536 * reach + sum % 65536 * reach / 65536;
    };
    std::vector<int> middle(256 * dim);
    for (int& x : middle) x = bell(points, 4096);
    std::vector<float> rows(count * dim);
    for (std::size_t r = 0; r < count; ++r) {
        const std::size_t centre = random() % 256;
        for (std::size_t i = 0; i < dim; ++i)
            rows[r * dim + i] = static_cast<float>(middle[centre * dim + i] + bell(random, 2048)) / 4096.0F;
    }
    return rows;
}

template <class Index>
Index prepared(const std::filesystem::path& path, std::size_t count) {
    if (!std::filesystem::exists(path)) {
        const std::vector<float> rows = make_rows(count, 1);
        std::vector<std::uint64_t> ids(count);
        for (std::size_t i = 0; i < count; ++i) ids[i] = i;
        Index index(dim);
        index.train(matrix_view<const float>(rows.data(), count, dim));
        index.add(ids, matrix_view<const float>(rows.data(), count, dim));
        index.save(path);
    }
    return Index::load(path);
}

/// Notes what was found.
class digest {
  public:
    template <class Neighbor>
    void add(const Neighbor& hit) {
        sum_ = (sum_ ^ static_cast<std::uint64_t>(hit.id) ^
                std::uint64_t{std::bit_cast<std::uint32_t>(hit.distance)} << 32) *
               0x9E3779B97F4A7C15ULL;
        sum_ ^= sum_ >> 29;
    }
    [[nodiscard]] std::uint64_t sum() const { return sum_; }

  private:
    std::uint64_t sum_ = 0;
};

struct measured {
    double microseconds;  ///< a query, of the fastest pass
    std::uint64_t found;
};

/// Repeats pass(digest), which searches for all queries, and takes the processor time of the fastest.
template <class Pass>
measured repeat(double seconds, const Pass& pass) {
    measured out{1e30, 0};
    const std::clock_t begin = std::clock();
    do {
        digest found;
        const std::clock_t before = std::clock();
        pass(found);
        const double took = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
        out.microseconds = std::min(out.microseconds, took * 1e6 / static_cast<double>(queries));
        out.found = found.sum();
    } while (static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC < seconds);
    return out;
}

template <class Index>
measured one_by_one(const std::filesystem::path& path, std::size_t count, double seconds) {
    const auto index = prepared<Index>(path, count);
    const std::vector<float> asked = make_rows(queries, 2);
    std::vector<typename Index::neighbor_type> hits(k);
    return repeat(seconds, [&](digest& found) {
        for (std::size_t q = 0; q < queries; ++q) {
            const std::size_t n = index.search(vicinal::vector_view(asked.data() + q * dim, dim), std::span(hits));
            for (std::size_t i = 0; i < n; ++i) found.add(hits[i]);
        }
    });
}

template <class Index>
measured together(const std::filesystem::path& path, std::size_t count, double seconds) {
    const auto index = prepared<Index>(path, count);
    const std::vector<float> asked = make_rows(queries, 2);
    return repeat(seconds, [&](digest& found) {
        const auto table = index.search(matrix_view<const float>(asked.data(), queries, dim), k);
        for (std::size_t q = 0; q < queries; ++q)
            for (const auto& hit : table[q]) found.add(hit);
    });
}

struct bench_case {
    std::string_view name;
    std::string_view file;  ///< what the index is kept as
    std::size_t rows;
    measured (*run)(const std::filesystem::path&, std::size_t, double);
};

using vicinal::f32;
using vicinal::flat_index;
using vicinal::hnsw_index;
using vicinal::inner_product;
using vicinal::ivf_index;
using vicinal::l2;
using vicinal::pq;
using vicinal::sq8;
using vicinal::two_level;

constexpr bench_case cases[] = {
    {"flat_f32", "flat_f32", 20000, one_by_one<flat_index<l2, f32>>},
    {"flat_sq8", "flat_sq8", 20000, one_by_one<flat_index<l2, sq8>>},
    {"hnsw_f32", "hnsw_f32", 20000, one_by_one<hnsw_index<l2, f32>>},
    {"hnsw_sq8", "hnsw_sq8", 20000, one_by_one<hnsw_index<l2, sq8>>},
    {"ivf_f32", "ivf_f32", 20000, one_by_one<ivf_index<inner_product, f32>>},
    {"ivf_pq_f32", "ivf_pq_f32", 20000, one_by_one<ivf_index<l2, two_level<pq, f32>>>},
    {"flat_f32_batch", "flat_f32", 20000, together<flat_index<l2, f32>>},
    {"flat_sq8_batch", "flat_sq8", 20000, together<flat_index<l2, sq8>>},
    {"ivf_f32_batch", "ivf_f32", 20000, together<ivf_index<inner_product, f32>>},
};

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::string_view(argv[1]) == "cases") {
        for (const bench_case& c : cases) std::printf("%s\n", std::string(c.name).c_str());
        return 0;
    }
    if (argc >= 3)
        for (const bench_case& c : cases)
            if (c.name == argv[1]) {
                const measured m = c.run(std::filesystem::path(argv[2]) / c.file, c.rows,
                                         argc > 3 ? std::strtod(argv[3], nullptr) : 1.0);
                std::printf("%-16s %10.3f us a query  found %016llx\n", argv[1], m.microseconds,
                            static_cast<unsigned long long>(m.found));
                return 0;
            }
    std::fprintf(stderr, "usage: dispatch_bench cases | <case> <directory> [<seconds>]\n");
    return 2;
}
