// SPDX-License-Identifier: MIT
// What scoring one row costs: metric x codec x dimension, through the scorer that every index uses. The rows fit the
// second-level cache, so this is arithmetic and decoding; what memory adds shows in ann_bench.
//
//   block  64 rows that lie one behind the other, as flat and ivf score them
//   list   rows named by a list of 32 slots in random order, as hnsw scores a node's neighbours
#include <benchmark/benchmark.h>

#include <algorithm>    // for clamp, copy
#include <string>       // for string
#include <string_view>  // for string_view
#include <vector>       // for vector
#include <vicinal/codecs.hpp>
#include <vicinal/metrics.hpp>
#include <vicinal/scoring/scorer.hpp>
#include <vicinal/simd/kernels.hpp>

#include "dataset/generate.hpp"

namespace {

using vicinal::detail::slot_t;

constexpr std::size_t block_length = 64;  // the store keeps every aligned block of as many rows in one piece
constexpr std::size_t list_length = 32;
constexpr std::size_t cached_bytes = std::size_t{128} << 10;

/// A store filled with admissible rows, and a query for it.
template <class Metric, class Codec>
struct scene {
    explicit scene(std::size_t dim) : store(dim, vicinal::detail::row_spacing::lines) {
        rows = std::clamp<std::size_t>(cached_bytes / store.rows().stride(), block_length, 2048);
        rows -= rows % block_length;
        bench::dataset data = bench::generate({.rows = rows, .dim = dim, .clusters = 8, .queries = 1});
        if constexpr (vicinal::preparing_metric<Metric>) {
            for (std::size_t row = 0; row < rows; ++row) static_cast<void>(metric.prepare(data.base[row]));
            static_cast<void>(metric.prepare(data.queries[0]));
        }
        if constexpr (vicinal::trainable_codec<Codec>)
            store.coder().train(vicinal::matrix_view<const float>(data.base.values.data(), rows, dim));
        store.reserve(rows);
        for (std::size_t row = 0; row < rows; ++row) store.write(static_cast<slot_t>(row), data.base[row]);
        query.resize(dim);
        std::copy(data.queries.values.begin(), data.queries.values.end(), query.data());
    }

    [[nodiscard]] auto scorer() {
        return vicinal::detail::scorer<Metric, Codec, vicinal::simd::native_kernels>(metric, store, query.data(),
                                                                                     row_buffer);
    }

    Metric metric{};
    vicinal::detail::code_store<Codec> store;
    vicinal::detail::padded_vector query;
    vicinal::detail::padded_vector row_buffer;
    std::size_t rows = 0;
};

/// Reports seconds a row (benchmark prints 5.1n for 5.1 ns) and how fast codes are read.
template <class Store>
void report(benchmark::State& state, const Store& store, std::size_t rows_each) {
    const auto rows = static_cast<double>(state.iterations()) * static_cast<double>(rows_each);
    state.counters["row"] = benchmark::Counter(rows, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
    state.SetBytesProcessed(static_cast<std::int64_t>(rows * static_cast<double>(store.rows().row_bytes())));
}

template <class Metric, class Codec>
void score_block(benchmark::State& state, std::size_t dim) {
    scene<Metric, Codec> s(dim);
    const auto scorer = s.scorer();
    std::vector<float> out(block_length);
    std::size_t length = block_length;
    benchmark::DoNotOptimize(length);  // an index does not know it at compile time
    for ([[maybe_unused]] auto _ : state) {
        for (std::size_t first = 0; first < s.rows; first += length)
            scorer.score_block(static_cast<slot_t>(first), length, out.data());
        benchmark::DoNotOptimize(out.data());
        benchmark::ClobberMemory();
    }
    report(state, s.store, s.rows);
}

template <class Metric, class Codec>
void score_list(benchmark::State& state, std::size_t dim) {
    scene<Metric, Codec> s(dim);
    const auto scorer = s.scorer();
    const std::size_t lists = s.rows / list_length;
    bench::detail::random_stream random(11);
    std::vector<slot_t> slots(lists * list_length);
    for (slot_t& slot : slots) slot = static_cast<slot_t>(random.next() % s.rows);
    std::vector<float> out(list_length);
    std::size_t length = list_length;
    benchmark::DoNotOptimize(length);  // as above
    for ([[maybe_unused]] auto _ : state) {
        for (std::size_t list = 0; list < lists; ++list) scorer.score(slots.data() + list * length, length, out.data());
        benchmark::DoNotOptimize(out.data());
        benchmark::ClobberMemory();
    }
    report(state, s.store, slots.size());
}

template <class Metric, class Codec>
void add_pair() {
    for (const std::size_t dim : {32U, 100U, 128U, 256U, 768U, 1024U}) {
        std::string name("/");
        name += std::string_view(Metric::name);
        name += '/';
        name += std::string_view(Codec::name);
        name += '/';
        name += std::to_string(dim);
        benchmark::RegisterBenchmark(std::string("block").append(name).c_str(), score_block<Metric, Codec>, dim);
        benchmark::RegisterBenchmark(std::string("list").append(name).c_str(), score_list<Metric, Codec>, dim);
    }
}

template <class Metric>
void add_metric() {
    add_pair<Metric, vicinal::f32>();
    add_pair<Metric, vicinal::f16>();
    add_pair<Metric, vicinal::bf16>();
    add_pair<Metric, vicinal::sq8>();
    add_pair<Metric, vicinal::sq4>();
}

}  // namespace

int main(int argc, char** argv) {
    add_metric<vicinal::l2>();
    add_metric<vicinal::inner_product>();
    add_metric<vicinal::cosine>();
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::AddCustomContext("compiler_flags", VICINAL_BENCH_FLAGS);
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
