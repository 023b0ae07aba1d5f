// SPDX-License-Identifier: MIT
// Compares each kernel of the table that this process chooses with the one that this file is compiled for: they must
// give the same bits, so VICINAL_MAX_ISA must name a level whose vectors are those of this file's flags.
//
//     kernels_equal <level>     fails unless that level is chosen, too; "any" takes what is chosen
//     kernels_equal report      says what became of VICINAL_MAX_ISA
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "vicinal/dispatch.hpp"
#include "vicinal/index/common/index_rows.hpp"
#include "vicinal/scoring/dispatched_pairs.hpp"

namespace {

using namespace vicinal;
namespace simd = vicinal::simd;
using ours = simd::static_kernels<simd::native_isa>;
using theirs = simd::dispatched_kernels;
using detail::slot_t;

int failures = 0;
int comparisons = 0;

template <class T>
void same(const char* what, std::size_t dim, const T* a, const T* b, std::size_t count) {
    ++comparisons;
    if (std::memcmp(a, b, count * sizeof(T)) == 0) return;
    std::printf("%s differs at %zu dimensions\n", what, dim);
    ++failures;
}

/// Random floats and bytes, with room for what kernels read past the end.
struct source {
    std::mt19937 random{11};
    std::vector<float> floats(std::size_t count, float reach = 2.0F) {
        std::uniform_real_distribution<float> even(-reach, reach);
        std::vector<float> out(count + 64);
        for (float& x : out) x = even(random);
        return out;
    }
    std::vector<std::byte> bytes(std::size_t count) {
        std::vector<std::byte> out(count + 64);
        for (std::byte& b : out) b = static_cast<std::byte>(random());
        return out;
    }
};

constexpr std::size_t rows = 37;

/// Calls f(kernels) for both and compares what it writes to `count` values.
template <class T, class F>
void compare(const char* what, std::size_t dim, std::size_t count, const F& f) {
    std::vector<T> a(count + 64), b(count + 64);
    f(ours{}, a.data());
    f(theirs{}, b.data());
    same(what, dim, a.data(), b.data(), count);
}

struct places {
    std::uintptr_t origin;
    simd::row_table table;
    std::vector<slot_t> slots;
    places(const std::byte* first, std::size_t stride)
        : origin(reinterpret_cast<std::uintptr_t>(first)), table{&origin, stride, 31} {
        for (slot_t i = 0; i < rows; ++i) slots.push_back(i * 7 % rows);
    }
};

template <class Metric, class Codec>
void check_pair(source& from, const Codec& codec, std::size_t dim, const std::vector<std::byte>& codes) {
    static_assert(std::is_same_v<typename theirs::template of_pair<Metric, Codec>, theirs>);
    const std::vector<float> query = from.floats(dim);
    const std::size_t stride = codec.code_size();
    const places at(codes.data(), stride);
    compare<float>("score_list", dim, rows, [&](auto kernels, float* out) {
        kernels.score_list(Metric{}, codec, query.data(), dim, at.table, at.slots.data(), rows, out);
    });
    if constexpr (requires { simd::codec_in_table<Codec>::number; }) {
        compare<float>("score_block", dim, rows, [&](auto kernels, float* out) {
            kernels.score_block(Metric{}, codec, query.data(), dim, codes.data(), stride, rows, out);
        });
        compare<float>("score_block asking ahead", dim, rows, [&](auto kernels, float* out) {
            kernels.score_block(Metric{}, codec, query.data(), dim, codes.data(), stride, rows, out,
                                simd::scan_ahead(4096));
        });
        compare<float>("decode", dim, dim,
                       [&](auto kernels, float* out) { kernels.decode(codec, codes.data() + stride, dim, out); });
    }
}

template <class Codec>
Codec trained(source& from, std::size_t dim) {
    Codec codec(dim);
    const std::vector<float> sample = from.floats(64 * dim);
    codec.train(matrix_view<const float>(sample.data(), 64, dim));
    return codec;
}

template <class Codec>
std::vector<std::byte> encoded(source& from, const Codec& codec, std::size_t dim) {
    std::vector<std::byte> codes(rows * codec.code_size() + 64);
    for (std::size_t r = 0; r < rows; ++r) {
        const std::vector<float> row = from.floats(dim);
        codec.encode(std::span<const float>(row.data(), dim),
                     std::span<std::byte>(codes.data() + r * codec.code_size(), codec.code_size()));
    }
    return codes;
}

template <class Codec>
void check_codec(source& from, const Codec& codec, std::size_t dim) {
    const std::vector<std::byte> codes = encoded(from, codec, dim);
    check_pair<l2>(from, codec, dim, codes);
    check_pair<inner_product>(from, codec, dim, codes);
    check_pair<cosine>(from, codec, dim, codes);
    check_pair<detail::squares_of_row>(from, codec, dim, codes);
}

template <unsigned Bits, class Codec>
void check_integers(source& from, const Codec& codec, std::size_t dim) {
    using query_type = typename ours::query_type<Bits>;
    using simd::integer_sum;
    const std::vector<std::byte> codes = encoded(from, codec, dim);
    const std::vector<float> query = from.floats(dim);
    const std::size_t room = 2 * dim + 256;
    const places at(codes.data(), codec.code_size());
    compare<query_type>("query_from_code", dim, dim,
                        [&](auto k, query_type* out) { k.template query_from_code<Bits>(codes.data(), dim, out); });
    compare<query_type>("round_query", dim, dim, [&](auto k, query_type* out) {
        k.template round_query<Bits>(query.data(), dim, codec.low(0), 1.0F / codec.step(0), out);
    });
    std::vector<query_type> words(room);
    compare<float>("weigh_query", dim, 4 + dim, [&](auto k, float* out) {
        const auto of_floats = k.template weigh_query<Bits>(f32{dim}, reinterpret_cast<const std::byte*>(query.data()),
                                                            codec.lows(), codec.steps(), dim, words.data());
        const auto of_code = k.template weigh_query<Bits>(codec, codes.data() + codec.code_size(), codec.lows(),
                                                          codec.steps(), dim, words.data());
        out[0] = of_floats.factor, out[1] = of_floats.offset, out[2] = of_code.factor, out[3] = of_code.offset;
        for (std::size_t i = 0; i < dim; ++i) out[4 + i] = static_cast<float>(words[i]);
    });
    const simd::integer_scale scale{1, 5, 0.25F, -3.0F};
    const auto negate = [](float x) { return -x; };
    compare<float>("integer_list of products", dim, rows, [&](auto k, float* out) {
        k.template integer_list<Bits, integer_sum::product>(scale, negate, words.data(), dim, at.table, at.slots.data(),
                                                            rows, out);
    });
    compare<float>("integer_list of differences", dim, rows, [&](auto k, float* out) {
        k.template integer_list<Bits, integer_sum::squared_difference>(scale, negate, words.data(), dim, at.table,
                                                                       at.slots.data(), rows, out);
    });
    const bool scans = ours::may_scan_integers;
    same("scans_integers", dim, &scans, std::initializer_list<bool>{theirs::scans_integers()}.begin(), 1);
    if constexpr (ours::may_scan_integers)
        compare<std::uint64_t>("integer_scan", dim, 3, [&](auto k, std::uint64_t* out) {
            out[0] = k.template integer_scan<Bits, integer_sum::product>(words.data(), dim, 0, codes.data(),
                                                                         codec.code_size(), rows, 40);
            out[1] = k.template integer_scan<Bits, integer_sum::squared_difference>(
                words.data(), dim, 0, codes.data(), codec.code_size(), rows, static_cast<std::int32_t>(900 * dim));
            out[2] = k.template integer_scan<Bits, integer_sum::product>(
                words.data(), dim, 0, codes.data(), codec.code_size(), rows, 40, simd::scan_ahead(4096));
        });
}

void check_weighted(source& from, std::size_t dim) {
    using simd::integer_sum;
    const std::vector<std::byte> codes = from.bytes(rows * dim);
    std::vector<std::int16_t> weights(dim + 64), words(2 * dim + 256);
    for (std::size_t i = 0; i < dim; ++i) weights[i] = static_cast<std::int16_t>(1 + i % 64);
    compare<std::int16_t>("query_from_weighted_code", dim, 2 * dim, [&](auto k, std::int16_t* out) {
        k.query_from_weighted_code(codes.data(), weights.data(), dim, out);
    });
    ours::query_from_weighted_code(codes.data(), weights.data(), dim, words.data());
    const places at(codes.data(), dim);
    compare<float>("integer_list of weighted differences", dim, rows, [&](auto k, float* out) {
        k.template integer_list<8, integer_sum::weighted_difference>(
            simd::integer_scale{}, [](float x) { return x; }, words.data(), dim, at.table, at.slots.data(), rows, out);
    });
}

template <simd::bit_count What>
void check_bits(source& from, std::size_t dim) {
    const std::size_t size = (dim + 7) / 8;
    const std::vector<std::byte> codes = from.bytes(rows * size);
    const std::vector<std::byte> query = from.bytes(size);
    const places at(codes.data(), size);
    compare<float>("bit_list", dim, rows, [&](auto k, float* out) {
        k.template bit_list<What>(query.data(), size, at.table, at.slots.data(), rows, out);
    });
    compare<float>("bit_block", dim, rows, [&](auto k, float* out) {
        k.template bit_block<What>(query.data(), size, codes.data(), size, rows, out);
    });
    compare<float>("bit_block asking ahead", dim, rows, [&](auto k, float* out) {
        k.template bit_block<What>(query.data(), size, codes.data(), size, rows, out, simd::scan_ahead(4096));
    });
}

void check_tables(source& from, std::size_t dim) {
    const std::size_t width = (dim + 15) / 16 * 16;
    const std::vector<float> floats = from.floats(width + 64);
    const std::vector<std::byte> codes = from.bytes(rows * (16 + width / 8));
    const std::size_t stride = 16 + width / 8;
    compare<float>("plane_lookup", dim, 36, [&](auto k, float* out) {
        out[33] = out[35] = 0;
        out[32] = k.template plane_lookup<true>(floats.data(), 0.3F, -0.2F, out, out[33]);
        out[34] = k.template plane_lookup<false>(floats.data(), 0.3F, -0.2F, out + 16, out[35]);
    });
    std::vector<float> positive = from.floats(width);
    for (float& x : positive) x = x < 0 ? -x : x;
    compare<std::uint8_t>("round_to_bytes", dim, width, [&](auto k, std::uint8_t* out) {
        k.round_to_bytes(positive.data(), width, 30.0F, 0.5F, 63, out);
    });
    alignas(64) static std::uint8_t tables[4 * 1024];
    simd::sign_query signs;
    compare<float>("make_lookup_tables", dim, 2 + 4 * width, [&](auto k, float* out) {
        signs.scale = k.make_lookup_tables(floats.data(), width, tables);
        out[0] = signs.scale.step, out[1] = signs.scale.low;
        for (std::size_t i = 0; i < 4 * width; ++i) out[2 + i] = static_cast<float>(tables[i]);
    });
    const auto compare_table_sums = [&]<std::size_t Together>(std::integral_constant<std::size_t, Together>) {
        compare<float>("table_sums", dim, 64 + 2, [&](auto k, float* out) {
            const std::uint64_t close = k.template table_sums<Together>(codes.data(), stride, rows, tables, width,
                                                                        simd::scan_ahead(4096), 700.0F, out);
            std::memset(out + rows, 0, (64 - rows) * sizeof(float));
            std::memcpy(out + 64, &close, sizeof close);
        });
    };
    compare_table_sums(std::integral_constant<std::size_t, 2>{});
    compare_table_sums(std::integral_constant<std::size_t, 4>{});
    [[maybe_unused]] alignas(64) static std::uint8_t columns[64 * 128];
    compare<float>("column_sums", dim, 64 + 2, [&](auto k, float* out) {
        k.make_columns(codes.data(), stride, rows, width / 8, columns);
        const std::uint64_t close = k.template column_sums<4>(columns, rows, tables, width, 700.0F, out);
        std::memset(out + rows, 0, (64 - rows) * sizeof(float));
        std::memcpy(out + 64, &close, sizeof close);
    });
    std::vector<std::byte> factored = codes;
    const std::vector<float> factors = from.floats(4 * rows);
    for (std::size_t r = 0; r < rows; ++r) std::memcpy(factored.data() + r * stride, &factors[4 * r], 16);
    signs.factors_size = 16, signs.tables = tables, signs.width = width, signs.terms = {1.0F, 0.5F, 3.0F};
    compare<float>("sign_bounds", dim, 2 * rows, [&](auto k, float* out) {
        k.template sign_bounds<true>(factored.data(), stride, rows, signs, simd::scan_ahead{}, 1e30F, out);
        std::vector<float> more(64);
        k.template sign_bounds<false>(factored.data(), stride, rows, signs, simd::scan_ahead{}, 1e30F, more.data());
        std::memcpy(out + rows, more.data(), rows * sizeof(float));
    });
    compare<float>("column_bounds", dim, rows, [&](auto k, float* out) {
        k.make_columns(factored.data() + 16, stride, rows, width / 8, columns);
        std::vector<float> bounds(64);
        k.template column_bounds<true>(columns, factored.data(), stride, rows, signs, 1e30F, bounds.data());
        std::memcpy(out, bounds.data(), rows * sizeof(float));
    });
    std::vector<std::int16_t> weights(width + 64);
    for (std::int16_t& w : weights) w = static_cast<std::int16_t>(static_cast<int>(from.random() % 4000) - 2000);
    const simd::pca_query axes{16, weights.data(), width / 8, 77, {4.0F, 0.001F, 0.1F, 0.2F}};
    compare<float>("pca_bounds", dim, 2 * rows, [&](auto k, float* out) {
        k.template pca_bounds<false>(factored.data(), stride, rows, axes, -1e30F, out);
        std::vector<float> more(64);
        k.template pca_bounds<true>(factored.data(), stride, rows, axes, -1e30F, more.data(), simd::scan_ahead(4096));
        std::memcpy(out + rows, more.data(), rows * sizeof(float));
    });
    compare<std::uint32_t>("not_above_32", dim, 1,
                           [&](auto k, std::uint32_t* out) { *out = k.not_above_32(floats.data(), 0.1F); });
}

void check_vectors(source& from, std::size_t dim) {
    const simd::rotation by(dim);
    const std::size_t size = by.size();
    const std::vector<float> vector = from.floats(size), other = from.floats(size);
    std::vector<float> spare(size + 64);
    compare<float>("rotate", dim, size, [&](auto k, float* out) { k.rotate(by, vector.data(), out, spare.data()); });
    compare<float>("rotate_back", dim, dim, [&](auto k, float* out) {
        std::vector<float> used = vector;
        k.rotate_back(by, used.data(), out, spare.data());
    });
    compare<float>("dot, subtract", dim, 2 + size, [&](auto k, float* out) {
        out[0] = k.dot(vector.data(), other.data(), size);
        out[1] = k.subtract(vector.data(), other.data(), size, out + 2);
    });
    const std::vector<float> directions = from.floats(32 * dim);
    compare<double>("project_tile", dim, 32,
                    [&](auto k, double* out) { k.project_tile(vector.data(), directions.data(), dim, out); });
}

/// What panels find does not depend on how many queries they have.
void check_panels(source& from, std::size_t dim) {
    constexpr std::size_t most = 37;
    const std::vector<float> queries = from.floats(most * dim), vectors = from.floats(rows * dim);
    const std::vector<float> terms = from.floats(rows);
    const float* row_at[rows];
    for (std::size_t r = 0; r < rows; ++r) row_at[r] = vectors.data() + r * dim;
    compare<std::uint16_t>("pack, collect", dim, most * rows, [&](auto k, std::uint16_t* out) {
        using kernels = decltype(k);
        const std::size_t size = kernels::panel_size();
        for (std::size_t q = 0; q < most; q += size) {
            const float* at[most];
            const std::size_t n = most - q < size ? most - q : size;
            for (std::size_t i = 0; i < n; ++i) at[i] = queries.data() + (q + i) * dim;
            std::vector<float> panel(size * dim + 64);
            kernels::pack(at, n, dim, panel.data());
            const std::vector<float> least(size, 0.5F), slope(size, 0.25F);
            simd::tile_hits<kernels::most_of_panel> hits;
            kernels::collect(panel.data(), n, dim, row_at, rows, least.data(), slope.data(), terms.data(), hits);
            for (std::size_t i = 0; i < n; ++i)
                for (std::size_t h = 0; h < hits.count[i]; ++h) out[(q + i) * rows + hits.row[i][h]] = 1;
        }
    });
}

template <unsigned... Bits>
void check_rotated(source& from, std::size_t dim, std::integer_sequence<unsigned, Bits...>) {
    (
        [&] {
            const auto coder = trained<rabitq<Bits + 1>>(from, dim);
            const std::vector<std::byte> codes = encoded(from, coder, dim);
            const detail::rotated_code<rabitq<Bits + 1>> rotated{coder};
            check_pair<l2>(from, rotated, coder.width(), codes);
            check_pair<detail::plain_sum>(from, rotated, coder.width(), codes);
        }(),
        ...);
}

/// Threads that need kernels at once for the first time all get the same.
void check_first_use() {
    std::vector<std::thread> threads;
    std::vector<std::size_t> sizes(8);
    for (std::size_t& size : sizes) threads.emplace_back([&size] { size = theirs::panel_size(); });
    for (std::thread& thread : threads) thread.join();
    for (const std::size_t size : sizes) same("panel_size", 0, &size, &sizes[0], 1);
}

/// Prints what cpu_features says of VICINAL_MAX_ISA.
int report() {
    const cpu_report cpu = cpu_features();
    std::printf("level %s, asked for %s, which is %s\n", std::string(cpu.level).c_str(),
                std::string(cpu.max_isa).c_str(), cpu.max_isa_known ? "known" : "unknown");
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    constexpr int skipped = 77;
    const std::string_view wanted = argc > 1 ? argv[1] : "any";
    if (wanted == "report") return report();
    check_first_use();
    const cpu_report cpu = cpu_features();
    if (!cpu.dispatched || (wanted != "any" && cpu.level != wanted)) {
        const bool lacks = cpu.dispatched && cpu.max_isa == wanted && cpu.max_isa_known;
        std::printf(lacks ? "skipped: this processor has no %s\n" : "%s is not chosen\n", argv[1]);
        return lacks ? skipped : 1;
    }
    source from;
    for (const std::size_t dim : {1U, 7U, 16U, 40U, 67U, 128U, 300U}) {
        check_codec(from, f32{dim}, dim);
        check_codec(from, f16{dim}, dim);
        check_codec(from, bf16{dim}, dim);
        check_codec(from, trained<sq8>(from, dim), dim);
        check_codec(from, trained<sq4>(from, dim), dim);
        check_codec(from, trained<pq>(from, dim), dim);
        check_rotated(from, dim, std::make_integer_sequence<unsigned, 8>{});
        check_integers<8>(from, trained<sq8>(from, dim), dim);
        check_integers<4>(from, trained<sq4>(from, dim), dim);
        check_weighted(from, dim);
        check_bits<simd::bit_count::differing>(from, dim);
        check_bits<simd::bit_count::common>(from, dim);
        check_tables(from, dim);
        check_vectors(from, dim);
        check_panels(from, dim);
    }
    std::printf("%d comparisons at level %.*s, %d differ\n", comparisons, static_cast<int>(cpu.level.size()),
                cpu.level.data(), failures);
    return failures == 0 ? 0 : 1;
}
