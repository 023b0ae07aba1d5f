// SPDX-License-Identifier: MIT
// Metrics with a state: given to an index, kept in its files, compared on load. weighted_l2, and two of a user's.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/batches.hpp"
#include "support/catch.hpp"
#include "support/data.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/ivf.hpp"

namespace {

using namespace vicinal_test;
using vicinal::errc;
using vicinal::flat_index;
using vicinal::hnsw_index;
using vicinal::ivf_index;
using vicinal::weighted_l2;

constexpr std::size_t dim = 37;
constexpr std::size_t count = 900;
constexpr std::size_t k = 10;
using bytes_t = std::vector<std::byte>;

/// Weights of very different sizes, some of them 0.
std::vector<float> uneven_weights() {
    std::vector<float> weights(dim);
    for (std::size_t i = 0; i < dim; ++i) weights[i] = i % 5 == 3 ? 0.0F : std::pow(10.0F, static_cast<float>(i % 4));
    return weights;
}
double weighted_distance(std::span<const float> weights, std::span<const float> q, std::span<const float> x) {
    double sum = 0;
    for (std::size_t i = 0; i < q.size(); ++i)
        sum += double{weights[i]} * (double{q[i]} - double{x[i]}) * (double{q[i]} - double{x[i]});
    return sum;
}

/// A user's metric of whole vectors with one number.
struct minkowski {
    static constexpr std::string_view name = "minkowski";
    float p = 2;
    float operator()(std::span<const float> q, std::span<const float> x) const {
        float sum = 0;
        for (std::size_t i = 0; i < q.size(); ++i) sum += std::pow(std::abs(q[i] - x[i]), p);
        return sum;
    }
    std::vector<std::byte> state() const {
        std::vector<std::byte> bytes(sizeof p);
        std::memcpy(bytes.data(), &p, sizeof p);
        return bytes;
    }
    bool restore(std::span<const std::byte> bytes) {
        if (bytes.size() != sizeof p) return false;
        std::memcpy(&p, bytes.data(), sizeof p);
        return p > 0;
    }
    static void check(std::size_t) {}
};
/// A user's pointwise metric whose weights are its state.
struct weighted_manhattan : weighted_l2 {
    static constexpr std::string_view name = "weighted_manhattan";
    using weighted_l2::weighted_l2;
    static float accumulate(float sum, float q, float x, float w) { return sum + w * (q < x ? x - q : q - x); }
    static float finish(float sum) { return sum; }
};
static_assert(vicinal::stateful_metric<minkowski> && !vicinal::pointwise_metric<minkowski>);
static_assert(vicinal::stateful_metric<weighted_manhattan> && vicinal::weighted_metric<weighted_manhattan>);

template <class F>
void require_error(errc code, const std::vector<std::string>& parts, const F& f) {
    try {
        f();
    } catch (const vicinal::error& e) {
        INFO(e.what());
        CHECK(e.code() == code);
        for (const std::string& part : parts) CHECK(std::string(e.what()).find(part) != std::string::npos);
        return;
    }
    FAIL("not refused");
}

template <class Index>
typename Index::search_params everywhere() {
    typename Index::search_params params;
    if constexpr (requires { params.nprobe; }) params.nprobe = 1000;
    if constexpr (requires { params.ef; }) params.ef = count;
    return params;
}

/// Finds what measuring all rows finds, one by one and together, and after a load and a view as before it.
template <class Index, class Distance>
void check_found(Index index, const dataset& rows, const Distance& distance) {
    const dataset queries = gaussian(9, dim, 8);
    index.add(numbered<std::uint64_t>(count), rows.view());
    CHECK(index.check().ok());
    bytes_t file;
    index.save(file);
    const auto loaded = Index::load(std::span<const std::byte>(file));
    const auto table = index.search(queries.view(), k, everywhere<Index>());
    for (std::size_t q = 0; q < queries.rows(); ++q) {
        std::vector<double> all;
        for (std::size_t r = 0; r < count; ++r) all.push_back(distance(queries[q], rows[r]));
        std::sort(all.begin(), all.end());
        const auto hits = index.search(queries[q], k, everywhere<Index>());
        REQUIRE(hits.size() == k);
        for (std::size_t i = 0; i < k; ++i) {
            CHECK(std::abs(double{hits[i].distance} - all[i]) <= 1e-4 * all[i]);
            CHECK(std::abs(double{hits[i].distance} - distance(queries[q], rows[hits[i].id])) <= 1e-4 * all[i]);
        }
        CHECK(std::equal(hits.begin(), hits.end(), table[q].begin(), table[q].end()));
        CHECK(loaded.search(queries[q], k, everywhere<Index>()) == hits);
    }
    const std::vector<float> row = index.get(5);
    CHECK(std::equal(row.begin(), row.end(), rows[5].begin()));
    bytes_t again;
    loaded.save(again);
    CHECK(again == file);
    again.clear();
    index.clone().save(again);
    CHECK(again == file);
}

}  // namespace

TEST_CASE("stateful metrics: weights decide what is near, in every index, and rows come back as they came") {
    const std::vector<float> w = uneven_weights();
    const dataset rows = gaussian(count, dim, 7);
    const auto distance = [&](std::span<const float> q, std::span<const float> x) {
        return weighted_distance(w, q, x);
    };
    check_found(flat_index<weighted_l2>(dim, weighted_l2{w}), rows, distance);
    check_found(ivf_index<weighted_l2>(dim, {.lists = 9}, weighted_l2{w}), rows, distance);
    check_found(hnsw_index<weighted_l2>(dim, {.degree = 12}, weighted_l2{w}), rows, distance);
}
TEST_CASE("stateful metrics: a user's own are kept in the same way") {
    const std::vector<float> w = uneven_weights();
    const dataset rows = gaussian(count, dim, 7);
    check_found(flat_index<minkowski>(dim, minkowski{3}), rows, [](auto q, auto x) {
        double sum = 0;
        for (std::size_t i = 0; i < q.size(); ++i) sum += std::pow(std::abs(double{q[i]} - double{x[i]}), 3);
        return sum;
    });
    check_found(flat_index<weighted_manhattan>(dim, weighted_manhattan{w}), rows, [&](auto q, auto x) {
        double sum = 0;
        for (std::size_t i = 0; i < q.size(); ++i) sum += double{w[i]} * std::abs(double{q[i]} - double{x[i]});
        return sum;
    });
}
TEST_CASE("stateful metrics: lists are of rows that are near by the weights") {
    // 16 groups in one component that counts, lost in 36 others that are much wider and do not.
    std::vector<float> w(dim, 0.0F);
    w[30] = 1;
    dataset rows = gaussian(1600, dim, 3);
    for (std::size_t r = 0; r < rows.rows(); ++r) {
        for (std::size_t i = 0; i < dim; ++i) rows.values[r * dim + i] *= 1000;
        rows.values[r * dim + 30] = static_cast<float>(r % 16) * 10 + rows[r][0] / 1e5F;
    }
    ivf_index<weighted_l2> index(dim, {.lists = 16}, weighted_l2{w});
    index.add(numbered<std::uint64_t>(rows.rows()), rows.view());
    vicinal::search_stats stats;
    for (std::size_t r = 0; r < 16; ++r)
        for (const auto& hit : index.search(rows[r], 50, {.nprobe = 1, .stats = &stats})) CHECK(hit.id % 16 == r);
    CHECK(stats.distances <= 2 * rows.rows());  // a list holds a group or two, not half of all rows
}
TEST_CASE("stateful metrics: weights that are none, or too few, are refused with both values") {
    require_error(errc::invalid_argument, {"weight 1 is -2", "at least 0"}, [] { (void)weighted_l2{1, -2, 3}; });
    require_error(errc::invalid_argument, {"weight 2 is", "finite"}, [] {
        (void)weighted_l2(std::vector<float>{1, 1, std::numeric_limits<float>::infinity()});
    });
    require_error(errc::invalid_argument, {"weight 0 is", "finite"},
                  [] { (void)weighted_l2(std::vector<float>{std::nanf("")}); });
    require_error(errc::invalid_argument, {"2 weights", "3 components"}, [] {
        flat_index<weighted_l2> index(3, weighted_l2{1, 2});
    });
    require_error(errc::invalid_argument, {"0 weights", "3 components"}, [] { hnsw_index<weighted_l2> index(3); });
    require_error(errc::invalid_argument, {"4 weights", "3 components"}, [] {
        ivf_index<weighted_l2> index(3, weighted_l2{1, 2, 3, 4});
    });
}
TEST_CASE("stateful metrics: distances that a float cannot hold are the largest there is, and none is missing") {
    flat_index<weighted_l2> index(2, weighted_l2{3e38F, 0});
    index.add(1, {1e18F, 5});
    index.add(2, {-1e18F, 7});
    const auto hits = index.search({3e18F, 0}, 2);
    REQUIRE(hits.size() == 2);
    CHECK(hits[0].distance == std::numeric_limits<float>::max());
    CHECK(index.search({1e18F, 0}, 1)[0].distance == 0.0F);
}
TEST_CASE("stateful metrics: a load compares, or takes what is in the file") {
    flat_index<weighted_l2> index(3, weighted_l2{1, 0.5F, 3});
    index.add(1, {1, 2, 3});
    bytes_t file;
    index.save(file);
    const std::span<const std::byte> bytes(file);
    CHECK(flat_index<weighted_l2>::load(bytes).metric().weights()[1] == 0.5F);
    CHECK(flat_index<weighted_l2>::load(bytes, weighted_l2{1, 0.5F, 3}).size() == 1);
    CHECK(flat_index<weighted_l2>::load(bytes, weighted_l2{1, 0.5F, 3}, {.max_rows = 2}).size() == 1);
    require_error(errc::wrong_type, {"load", "weight 1 is 0.5 in the file, 0.75 was given"}, [&] {
        (void)flat_index<weighted_l2>::load(bytes, weighted_l2{1, 0.75F, 3});
    });
    require_error(errc::invalid_argument, {"2 weights", "3 components"}, [&] {
        (void)flat_index<weighted_l2>::load(bytes, weighted_l2{1, 0.5F});
    });
    flat_index<minkowski> other(3, minkowski{3});
    other.save(file);
    require_error(errc::wrong_type, {"minkowski", "in the file", "was given"},
                  [&] { (void)flat_index<minkowski>::load(std::span<const std::byte>(file), minkowski{4}); });
    require_error(errc::limit_exceeded, {}, [&] {
        (void)flat_index<minkowski>::load(std::span<const std::byte>(file), minkowski{3}, {.max_dim = 2});
    });
}
TEST_CASE("stateful metrics: indexes of other weights do not merge, a swap exchanges them") {
    flat_index<weighted_l2> a(2, weighted_l2{1, 2}), b(2, weighted_l2{1, 3}), c(2, weighted_l2{1, 2});
    b.add(7, {1, 1});
    c.add(8, {1, 1});
    require_error(errc::invalid_argument, {"merge", "weight 1 is 2 in this index, 3 in the other"},
                  [&] { a.merge(b); });
    CHECK(a.merge(c) == 1);
    swap(a, b);
    CHECK(a.search({0, 0}, 1)[0].distance == 4.0F);
    CHECK(b.metric().weights()[1] == 2.0F);
}
TEST_CASE("stateful metrics: a file says that its metric has a state, and what is no state is refused") {
    flat_index<weighted_l2> index(3, weighted_l2{1, 0.5F, 3});
    index.add(1, {1, 2, 3});
    bytes_t file;
    index.save(file);
    CHECK(file[52] == std::byte{2});                             // an incompatible feature
    const auto damaged = [&](std::size_t at, std::byte value) {  // in the section METR
        bytes_t copy = file;
        const vicinal::detail::file_image image(vicinal::detail::read_span(file));
        for (std::size_t e = 0; e < image.sections().size(); ++e)
            if (const auto& entry = image.sections()[e]; entry.type == vicinal::detail::section_type("METR")) {
                const std::span<std::byte> all(copy);
                all[static_cast<std::size_t>(entry.offset) + at] = value;
                const auto store = [&](std::size_t to, std::uint32_t crc) {
                    for (std::size_t i = 0; i < 4; ++i) all[to + i] = static_cast<std::byte>(crc >> 8 * i & 0xFFU);
                };
                store(128 + 32 * e + 24,
                      vicinal::detail::crc32c(0, all.subspan(static_cast<std::size_t>(entry.offset),
                                                             static_cast<std::size_t>(entry.length))));
                store(120, vicinal::detail::crc32c(0, all.subspan(128, 32 * image.sections().size())));
                store(124, vicinal::detail::crc32c(0, all.first(124)));
            }
        return copy;
    };
    CHECK(flat_index<weighted_l2>::load(std::span<const std::byte>(damaged(2, std::byte{0x00}))).size() == 1);
    require_error(errc::corrupt_file, {"METR", "weighted_l2"}, [&] {  // a weight of -1
        (void)flat_index<weighted_l2>::load(std::span<const std::byte>(damaged(3, std::byte{0xBF})));
    });
}
