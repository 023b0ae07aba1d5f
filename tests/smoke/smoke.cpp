// SPDX-License-Identifier: MIT
// smoke [DIRECTORY]: what a new compiler, library or processor must get right, in a program of one file.
//
// Each type of index is built, searched, saved, loaded, mapped, changed and saved again, in files of DIRECTORY (".").
// One line a type holds hashes of the saved bytes, before and after the changes, and of the ids that searches find;
// expected.txt holds the same lines, whatever the target. scripts/test_targets.sh compares them.
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "vicinal/codec/pca8/pca8.hpp"
#include "vicinal/vicinal.hpp"

namespace {

constexpr std::size_t dim = 40;  // whole vectors of most instruction sets, and a rest
constexpr std::size_t count = 600;
#if defined(_WIN32)
constexpr bool is_windows = true;
#else
constexpr bool is_windows = false;
#endif

/// FNV-1a.
class hash {
  public:
    void add(const void* data, std::size_t size) {
        const auto* const bytes = static_cast<const unsigned char*>(data);
        for (std::size_t i = 0; i < size; ++i) value_ = (value_ ^ bytes[i]) * 0x100000001B3U;
    }
    void add_number(std::uint64_t number) {
        for (int shift = 0; shift < 64; shift += 8) {
            const auto byte = static_cast<unsigned char>(number >> shift);
            add(&byte, 1);
        }
    }
    void add_floats(const std::vector<float>& values) {
        for (const float x : values) {
            std::uint32_t bits = 0;
            std::memcpy(&bits, &x, sizeof bits);
            add_number(bits);
        }
    }
    [[nodiscard]] std::uint64_t value() const { return value_; }

  private:
    std::uint64_t value_ = 0xCBF29CE484222325U;
};

/// Vectors around 12 points, each component a multiple of 2^-20 in (-8, 8): made of integers, the same everywhere.
std::vector<float> vectors(std::size_t rows, std::uint64_t seed) {
    std::uint64_t state = seed;
    const auto random = [&] {  // splitmix64
        std::uint64_t z = state += 0x9E3779B97F4A7C15U;
        z = (z ^ z >> 30U) * 0xBF58476D1CE4E5B9U;
        z = (z ^ z >> 27U) * 0x94D049BB133111EBU;
        return static_cast<std::int32_t>((z ^ z >> 31U) >> 42U) - (std::int32_t{1} << 21);
    };
    std::vector<std::int32_t> centers(12 * dim);
    state = 7;  // the same points for rows and queries
    for (std::int32_t& x : centers) x = random();
    state = seed;
    std::vector<float> values(rows * dim);
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t i = 0; i < dim; ++i)
            values[r * dim + i] = static_cast<float>(centers[r % 12 * dim + i] * 3 + random()) * 0x1p-20F;
    return values;
}

[[noreturn]] void give_up(const std::string& name, const char* what) {
    std::printf("%s: %s\n", name.c_str(), what);
    std::exit(1);
}

struct data {
    std::vector<float> rows = vectors(count, 1);
    std::vector<float> queries = vectors(24, 2);
    std::vector<std::uint64_t> ids = std::vector<std::uint64_t>(count);
    std::filesystem::path directory;
};

template <class Index>
std::vector<vicinal::neighbor<std::uint64_t>> found(const Index& index, const data& from) {
    std::vector<vicinal::neighbor<std::uint64_t>> all;
    for (std::size_t q = 0; q < from.queries.size(); q += dim) {
        const auto hits = index.search(std::vector<float>(&from.queries[q], &from.queries[q] + dim), 5);
        all.insert(all.end(), hits.begin(), hits.end());
    }
    return all;
}

template <class Index>
void add_saved(hash& to, const Index& index) {
    std::vector<std::byte> bytes;
    index.save(bytes);
    to.add(bytes.data(), bytes.size());
}

template <class Index>
void change(Index& index, const data& from) {
    for (std::uint64_t id = 100; id < 160; ++id) index.remove(id);
    for (std::size_t r = 200; r < 220; ++r)
        index.update(r, std::vector<float>(&from.rows[(r + 1) * dim], &from.rows[(r + 1) * dim] + dim));
    index.add(5000, std::vector<float>(from.rows.begin(), from.rows.begin() + dim));
}

/// Replaces a file that is mapped, which Windows may refuse.
template <class Index>
void save_while_mapped(const Index& index, const std::filesystem::path& path) {
    try {
        index.save(path);
    } catch (const vicinal::error& refused) {
        if (!is_windows || refused.code() != vicinal::errc::io) throw;
    }
}

/// Prints the line of one type of index. pca8's codes are sums in single precision, which differ in their last bits
/// between instruction sets and versions of Eigen; what it finds does not: of such an index only that is compared.
template <class Index>
void check(const std::string& name, const data& from, Index index) {
    index.add(from.ids, vicinal::matrix_view(from.rows, dim));
    const auto hits = found(index, from);
    hash ids;
    for (const auto& hit : hits) ids.add_number(hit.id);
    hash built;
    add_saved(built, index);

    const std::filesystem::path path = from.directory / "vicinal_smoke.vic";
    index.save(path);
    index.save(path);  // over the first
    {
        const Index mapped = Index::view(path);
        mapped.verify();
        if (found(mapped, from) != hits) give_up(name, "the mapped file finds something else");
        save_while_mapped(index, path);
        if (found(mapped, from) != hits) give_up(name, "the mapped file was not left alone");
    }
    Index loaded = Index::load(path);
    if (found(loaded, from) != hits) give_up(name, "the loaded index finds something else");
    std::filesystem::remove(path);

    change(index, from);
    change(loaded, from);
    hash changed;
    add_saved(changed, index);
    hash changed_after_load;
    add_saved(changed_after_load, loaded);
    if (changed.value() != changed_after_load.value()) give_up(name, "the loaded index changes in another way");
    if (found(index, from) != found(loaded, from)) give_up(name, "the changed indexes find different rows");
    const bool by_sums = name.find("pca8") != std::string::npos;
    std::printf("%s %016" PRIx64 " %016" PRIx64 " %016" PRIx64 "\n", name.c_str(), by_sums ? 0 : built.value(),
                by_sums ? 0 : changed.value(), ids.value());
}

/// Prints the lines of what is learned from rows.
void check_products(const data& from) {
    const vicinal::matrix_view<const float> rows(from.rows, dim);
    for (const std::size_t clusters : {std::size_t{16}, std::size_t{280}}) {
        const auto result = vicinal::kmeans(rows, {.clusters = clusters, .sample_per_cluster = 0});
        hash centroids;
        centroids.add_floats(result.centroids);
        std::vector<std::uint32_t> nearest(count);
        vicinal::nearest_centroids(rows, {result.centroids.data(), clusters, dim}, nearest);
        hash assignment;
        for (const std::uint32_t c : nearest) assignment.add_number(c);
        std::printf("kmeans-%d %016" PRIx64 " %016" PRIx64 "\n", static_cast<int>(clusters), centroids.value(),
                    assignment.value());
    }
    const vicinal::simd::rotation rotation(dim);
    std::vector<float> rotated(rotation.size());
    std::vector<float> spare(rotation.size());
    rotation.apply<vicinal::simd::native_isa>(from.rows.data(), rotated.data(), spare.data());
    hash turned;
    turned.add_floats(rotated);
    std::printf("rotation %016" PRIx64 "\n", turned.value());
}

void check_all(const data& from) {
    using namespace vicinal;
    check("flat-cosine-f16", from, flat_index<cosine, f16>(dim));
    check("flat-l2-sq8", from, flat_index<l2, sq8>(dim));
    check("flat-inner_product-sq4", from, flat_index<inner_product, sq4>(dim));
    check("flat-l2-pq", from, flat_index<l2, pq>(dim));
    check("flat-l2-pca8+f32", from, flat_index<l2, two_level<pca8, f32>>(dim));
    check("ivf-l2-f32", from, ivf_index<l2>(dim, {.lists = 8}));
    check("ivf-cosine-rabitq1", from, ivf_index<cosine, rabitq<1>>(dim, {.lists = 8}));
    check("hnsw-l2-f32", from, hnsw_index<l2, vicinal::f32>(dim));
    check("hnsw-inner_product-sq8+bf16", from, hnsw_index<inner_product, two_level<sq8, bf16>>(dim));
    check_products(from);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        data from;
        for (std::size_t i = 0; i < count; ++i) from.ids[i] = i;
        from.directory = argc > 1 ? argv[1] : ".";
        check_all(from);
    } catch (const std::exception& e) {
        std::printf("failed: %s\n", e.what());
        return 1;
    }
    std::printf("smoke passed\n");
    return 0;
}
