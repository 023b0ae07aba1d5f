// SPDX-License-Identifier: MIT
// Whether who comes first decides: recall of an index whose rows came little by little beside one that was trained on
// all of them, for rows in no order, sorted by cluster, and rows whose mean moves or that grow; and what it cost.
//
//     learning_bench ROWS
//
// Made-up rows of 128 components around 100 centres; 1000 queries like them, the ten closest. "search" is recall with
// the parameters that are the default; seconds are those of training and adding by the clock.
#include <algorithm>  // for count, min, sort
#include <chrono>     // for steady_clock
#include <cstdio>     // for printf, fprintf
#include <cstdlib>    // for strtoul
#include <random>     // for mt19937, normal_distribution
#include <string>     // for string
#include <vector>     // for vector

#include "vicinal/flat.hpp"
#include "vicinal/ivf.hpp"

namespace {

using namespace vicinal;
constexpr std::size_t dim = 128;
constexpr std::size_t query_count = 1000;
constexpr std::size_t k = 10;

struct arrival {
    const char* name;
    bool sorted;
    float shift;   // of every component, from the first row to the last
    float growth;  // by how many times its length the last row is longer
};
struct data {
    std::vector<float> rows, queries;
    std::vector<std::vector<std::uint64_t>> closest;
    [[nodiscard]] matrix_view<const float> all() const { return {std::span<const float>(rows), dim}; }
};

data make(std::size_t count, const arrival& how) {
    std::mt19937 random(7);
    std::normal_distribution<float> normal;
    std::vector<float> centres(100 * dim);
    for (float& x : centres) x = normal(random);
    std::vector<std::size_t> cluster(count + query_count);
    for (std::size_t& c : cluster) c = random() % 100;
    if (how.sorted) std::sort(cluster.begin(), cluster.begin() + static_cast<std::ptrdiff_t>(count));
    data made;
    for (std::size_t r = 0; r < cluster.size(); ++r) {
        const bool is_row = r < count;
        const float time = static_cast<float>(is_row ? r : random() % count) / static_cast<float>(count);
        for (std::size_t i = 0; i < dim; ++i) {
            const float x = centres[cluster[r] * dim + i] + normal(random) / 2 + how.shift * time;
            (is_row ? made.rows : made.queries).push_back(x * (1 + how.growth * time));
        }
    }
    flat_index<l2, f32> exact(dim);
    for (std::size_t r = 0; r < count; ++r) exact.add(r, vector_view(made.rows.data() + r * dim, dim));
    for (std::size_t q = 0; q < query_count; ++q) {
        made.closest.emplace_back();
        for (const auto& hit : exact.search(vector_view(made.queries.data() + q * dim, dim), k))
            made.closest.back().push_back(hit.id);
    }
    return made;
}

template <class Index>
double recall(const Index& index, const data& of) {
    std::size_t hits = 0;
    for (std::size_t q = 0; q < query_count; ++q)
        for (const auto& hit : index.search(vector_view(of.queries.data() + q * dim, dim), k))
            hits += static_cast<std::size_t>(std::count(of.closest[q].begin(), of.closest[q].end(), hit.id));
    return static_cast<double>(hits) / static_cast<double>(k * query_count);
}

/// Adds `first` rows, then `step` at a time; all after a training if `first` is 0.
template <class Index>
void measure(const char* type, const arrival& how, const data& of, std::size_t first, std::size_t step) {
    const auto start = std::chrono::steady_clock::now();
    const std::size_t count = of.rows.size() / dim;
    std::vector<std::uint64_t> ids(count);
    for (std::size_t i = 0; i < count; ++i) ids[i] = i;
    Index index(dim);
    if (first == 0) index.train(of.all());
    for (std::size_t at = 0; at < count;) {
        const std::size_t n = (std::min)(at == 0 && first != 0 ? first : step, count - at);
        if (n == 1)
            index.add(at, of.all()[at]);
        else
            index.add(std::span<const std::uint64_t>(ids).subspan(at, n), of.all().rows(at, n));
        at += n;
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    const std::string arrived = first == 0 ? "trained" : std::to_string(first) + ", then " + std::to_string(step);
    std::printf("| %s | %s | %s | %.4f | %.2f | %.1f |\n", type, how.name, arrived.c_str(), recall(index, of),
                took.count(), static_cast<double>(index.memory().total) / 1e6);
    std::fflush(stdout);
}
template <class Index>
void compare(const char* type, const arrival& how, const data& of) {
    measure<Index>(type, how, of, 0, of.rows.size());
    measure<Index>(type, how, of, 1, 1);
    measure<Index>(type, how, of, 16, 16);
    measure<Index>(type, how, of, 256, 1000);
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t count = argc == 2 ? std::strtoul(argv[1], nullptr, 10) : 0;
    if (count < 100) {
        std::fprintf(stderr, "usage: learning_bench ROWS\n");
        return 2;
    }
    std::printf("| index | rows | arrived | search | s | MB |\n|---|---|---|---|---|---|\n");
    for (const arrival& how : {arrival{"in no order", false, 0, 0}, arrival{"sorted", true, 0, 0},
                               arrival{"moving", false, 4, 0}, arrival{"growing", false, 0, 3}}) {
        const data of = make(count, how);
        compare<flat_index<l2, sq8>>("flat sq8", how, of);
        compare<flat_index<l2, rabitq<1>>>("flat rabitq1", how, of);
        compare<ivf_index<l2, sq8>>("ivf sq8", how, of);
        compare<ivf_index<l2, rabitq<1>>>("ivf rabitq1", how, of);
    }
    return 0;
}
