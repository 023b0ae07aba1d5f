// SPDX-License-Identifier: MIT
// How close flat and ivf come to what the machine can do. One core; the limits are measured in the same run, each right
// before what is compared with it, because clocks and neighbours drift.
//
//   peak   multiply-adds of the most floats a register has, on independent ones: what a batch cannot exceed
//   read   a sum over the memory the index would read: what a single query cannot exceed, the best of reading it as it
//          comes and of asking for each line 1 to 16 KiB ahead
//
// Usage: limits_bench [rows of the single queries in MiB, default 192] [single: only those] [bytes scans ask ahead]
#include <algorithm>  // for fill_n, max, min
#include <chrono>     // for steady_clock
#include <cstdint>    // for uint32_t, uint64_t
#include <cstdio>     // for printf
#include <cstdlib>    // for strtoul
#include <iterator>   // for begin, end
#include <numeric>    // for accumulate, iota
#include <string>     // for string
#include <vector>     // for vector
#include <vicinal/calibrate.hpp>
#include <vicinal/flat.hpp>
#include <vicinal/ivf.hpp>

#include "dataset/generate.hpp"

namespace {

using clock_type = std::chrono::steady_clock;

template <class F>
double seconds(F&& f) {
    const auto start = clock_type::now();
    f();
    return std::chrono::duration<double>(clock_type::now() - start).count();
}

#if defined(__GNUC__) && defined(__AVX2__) && defined(__FMA__)
/// GFLOP/s of 12 chains of multiply-adds of Floats, which covers the latency of two units.
template <class Floats>
double measure_chains() {
    Floats a = {}, b = {}, c = {}, d = {}, e = {}, f = {}, g = {}, h = {}, i = {}, j = {}, k = {}, l = {};
    const Floats x = a + 0.5F;
    constexpr int rounds = 8000000;
    const double time = seconds([&] {
        for (int r = 0; r < rounds; ++r)
            asm volatile(
                "vfmadd231ps %12, %12, %0\n vfmadd231ps %12, %12, %1\n vfmadd231ps %12, %12, %2\n"
                "vfmadd231ps %12, %12, %3\n vfmadd231ps %12, %12, %4\n vfmadd231ps %12, %12, %5\n"
                "vfmadd231ps %12, %12, %6\n vfmadd231ps %12, %12, %7\n vfmadd231ps %12, %12, %8\n"
                "vfmadd231ps %12, %12, %9\n vfmadd231ps %12, %12, %10\n vfmadd231ps %12, %12, %11\n"
                : "+v"(a), "+v"(b), "+v"(c), "+v"(d), "+v"(e), "+v"(f), "+v"(g), "+v"(h), "+v"(i), "+v"(j), "+v"(k),
                  "+v"(l)
                : "v"(x));
    });
    return 12.0 * 2 * (sizeof(Floats) / sizeof(float)) * rounds / time / 1e9;
}
#endif

/// GFLOP/s of `bits` bits at a time; 0 where it is not known how.
double measure_peak([[maybe_unused]] int bits) {
#if defined(__GNUC__) && defined(__AVX512F__)
    if (bits == 512) return measure_chains<float __attribute__((vector_size(64)))>();
#endif
#if defined(__GNUC__) && defined(__AVX2__) && defined(__FMA__)
    if (bits == 256) return measure_chains<float __attribute__((vector_size(32)))>();
#endif
    return 0;
}
/// The same of the widest registers.
double measure_peak() {
    const double widest = measure_peak(512);
    return widest > 0 ? widest : measure_peak(256);
}

/// Sums `count` words.
/// Ahead  asks for each line of them, `ahead` bytes before it is read
template <bool Ahead>
std::uint64_t sum_of(const std::uint64_t* words, std::size_t count, std::size_t ahead) {
    std::uint64_t sums[32] = {};
    for (std::size_t i = 0; i + 32 <= count; i += 32) {
        if constexpr (Ahead)
            for (std::size_t line = 0; line < 4; ++line)
                vicinal::simd::prefetch_line(reinterpret_cast<const std::byte*>(words + i + 8 * line) + ahead);
        for (std::size_t lane = 0; lane < 32; ++lane) sums[lane] += words[i + lane];
    }
    return std::accumulate(std::begin(sums), std::end(sums), std::uint64_t{0});
}

/// GB/s of summing memory.
struct read_speed {
    double plain = 0;
    double ahead = 0;          ///< at the best distance
    std::size_t distance = 0;  ///< in bytes
    [[nodiscard]] double best() const { return std::max(plain, ahead); }
};

/// Half a gigabyte as an index has it: on huge pages where the system grants them.
struct large_block {
    static constexpr std::size_t count = std::size_t{1} << 26;
    large_block() : block(count * sizeof(std::uint64_t)), words(reinterpret_cast<std::uint64_t*>(block.get())) {
        std::fill_n(words, count, std::uint64_t{1});
    }
    vicinal::detail::aligned_block block;
    std::uint64_t* words;
};

/// Reads it a few times, after which caches hold nothing else.
read_speed measure_read() {
    static const large_block large;
    [[maybe_unused]] static volatile std::uint64_t keep;
    const auto speed = [&](const auto& read) {
        return static_cast<double>(large.count * sizeof(std::uint64_t)) / seconds([&] { keep = read(); }) / 1e9;
    };
    read_speed out;
    out.plain = speed([&] { return sum_of<false>(large.words, large.count, 0); });
    for (const std::size_t distance : {1024U, 2048U, 4096U, 8192U, 16384U})
        if (const double here = speed([&] { return sum_of<true>(large.words, large.count, distance); });
            here > out.ahead) {
            out.ahead = here;
            out.distance = distance;
        }
    return out;
}

bench::dataset data_of(std::size_t rows, std::size_t dim, std::size_t queries) {
    return bench::generate({.rows = rows, .dim = dim, .clusters = 64, .queries = queries});
}

template <class Matrix>
vicinal::matrix_view<const float> view(const Matrix& rows, std::size_t count) {
    return {rows.values.data(), count, rows.dim};
}

template <class Index>
void fill(Index& index, const bench::dataset& data, std::size_t rows) {
    std::vector<std::uint64_t> ids(rows);
    std::iota(ids.begin(), ids.end(), std::uint64_t{0});
    (void)index.add(ids, view(data.base, rows));
}

/// A single query over rows that no cache holds. Returns rows/s.
template <class Codec>
double single(const bench::dataset& data, std::size_t rows, std::size_t dim, double f32_speed) {
    vicinal::flat_index<vicinal::l2, Codec> index(dim);
    fill(index, data, rows);
    const std::size_t code = Codec{dim}.code_size();
    double best = 0;
    std::vector<vicinal::neighbor<>> hits(10);
    read_speed limit;
    for (std::size_t pass = 0; pass < 5; ++pass) {
        const read_speed here = measure_read();
        if (here.best() > limit.best()) limit = here;
        const double time = seconds([&] { (void)index.search(data.queries[pass % 3], std::span(hits)); });
        best = std::max(best, static_cast<double>(rows) / time);
    }
    const double read = best * static_cast<double>(code) / 1e9;
    std::printf("single  %-4s dim %4zu  %7zu rows  %6.1f GB/s of %5.1f = %5.1f %%  (read plainly %.1f, %zu ahead %.1f)",
                std::string(Codec::name).c_str(), dim, rows, read, limit.best(), 100 * read / limit.best(), limit.plain,
                limit.distance, limit.ahead);
    if (f32_speed > 0) std::printf("   %.2f x f32", best / f32_speed);
    std::printf("\n");
    return best;
}

/// A batch, the same in calls of 16, and one by one.
template <class Metric, class Codec>
void batch(std::size_t rows, std::size_t dim, std::size_t count) {
    const bench::dataset data = data_of(rows, dim, count);
    vicinal::flat_index<Metric, Codec> index(dim);
    fill(index, data, rows);
    const auto queries = view(data.queries, count);
    std::vector<vicinal::neighbor<>> hits(10);
    for (int pass = 0; pass < 2; ++pass) {
        const double before = measure_peak();
        const double together = seconds([&] { (void)index.search(queries, 10); });
        const double peak = std::max(before, measure_peak());
        const std::size_t sixteens = std::min<std::size_t>(count / 16, 4);
        const double by_16 = seconds([&] {
            for (std::size_t i = 0; i < sixteens; ++i) (void)index.search(queries.rows(16 * i, 16), 10);
        });
        const double alone = seconds([&] {
            for (std::size_t i = 0; i < 16; ++i) (void)index.search(queries[i], std::span(hits));
        });
        const double speed = 2.0 * static_cast<double>(rows * count) * static_cast<double>(dim) / together / 1e9;
        std::printf(
            "batch   %-4s dim %4zu  %7zu rows  %5zu queries, %s: %6.1f GFLOP/s of %5.1f = %5.1f %%;  16 a call "
            "%.2f x one by one\n",
            std::string(Codec::name).c_str(), dim, rows, count, std::string(Metric::name).c_str(), speed, peak,
            peak > 0 ? 100 * speed / peak : 0.0, alone / (by_16 / static_cast<double>(sixteens)));
    }
}

void inverted(std::size_t rows, std::size_t dim, std::size_t count) {
    const bench::dataset data = data_of(rows, dim, count);
    vicinal::ivf_index<> index(dim, {.lists = 256});
    fill(index, data, rows);
    const auto queries = view(data.queries, count);
    std::vector<vicinal::neighbor<>> hits(10);
    for (const std::size_t nprobe : {4U, 16U, 64U}) {
        const double together = seconds([&] { (void)index.search(queries, 10, {.nprobe = nprobe}); });
        const double alone = seconds([&] {
            for (std::size_t i = 0; i < count; ++i) (void)index.search(queries[i], std::span(hits), {.nprobe = nprobe});
        });
        std::printf("ivf     f32  dim %4zu  %7zu rows  256 lists, nprobe %3zu: %8.0f queries/s, %.2f x one by one\n",
                    dim, rows, nprobe, static_cast<double>(count) / together, alone / together);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t mib = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 192;
    if (mib == 0) {
        std::fprintf(stderr, "usage: limits_bench [MiB of f32 rows for the single queries] [single] [bytes ahead]\n");
        return 1;
    }
    if (argc > 3)
        vicinal::set_memory_settings({.scan_ahead = static_cast<std::uint32_t>(std::strtoul(argv[3], nullptr, 10))});
    std::printf("built with %s\n", VICINAL_BENCH_FLAGS);
    std::printf("scans ask %u bytes ahead\n", unsigned{vicinal::current_memory_settings().scan_ahead});
    std::printf("peak of 256 bits %.1f GFLOP/s, of 512 bits %.1f (0: not compiled for it)\n", measure_peak(256),
                measure_peak(512));
    if (argc < 3 || std::string(argv[2]) != "single") {
        for (const std::size_t dim : {128U, 256U}) {
            batch<vicinal::l2, vicinal::f32>(50000, dim, 2000);
            batch<vicinal::inner_product, vicinal::f32>(50000, dim, 1000);
        }
        batch<vicinal::l2, vicinal::sq8>(50000, 128, 1000);
        inverted(50000, 128, 2000);
    }
    for (const std::size_t dim : {128U, 256U, 768U, 1024U}) {
        const std::size_t rows = (mib << 20) / (dim * sizeof(float));
        const bench::dataset data = data_of(rows, dim, 3);
        const double f32_speed = single<vicinal::f32>(data, rows, dim, 0);
        (void)single<vicinal::f16>(data, rows, dim, f32_speed);
        (void)single<vicinal::sq8>(data, rows, dim, f32_speed);
        (void)single<vicinal::sq4>(data, rows, dim, f32_speed);
    }
    return 0;
}
