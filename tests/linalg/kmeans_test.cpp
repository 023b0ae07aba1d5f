// SPDX-License-Identifier: MIT
// What linalg/kmeans.hpp and linalg/nearest_centroids.hpp promise.
#include "vicinal/linalg/kmeans.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>
#include <set>

#include "linalg/support.hpp"
#include "support/catch.hpp"
#include "support/outcomes.hpp"

namespace {

using vicinal::errc;
using vicinal::kmeans;
using vicinal::kmeans_params;
using vicinal::kmeans_result;
using vicinal::nearest_centroids;
using vicinal_test::Approx;
using vicinal_test::naive_distance;
using vicinal_test::refusal;
using view = vicinal::matrix_view<const float>;

/// Numbers in [0, 1), the same on every platform.
class numbers {
  public:
    explicit numbers(std::uint64_t seed) : random_(seed, vicinal::detail::kmeans_random::purpose::filling) {}
    float next() { return static_cast<float>(random_.uniform(counter_++)); }
    std::size_t below(std::size_t n) { return random_.below(n, counter_++); }

  private:
    vicinal::detail::kmeans_random random_;
    std::uint64_t counter_ = 0;
};

std::vector<float> noise(std::size_t count, std::uint64_t seed, float scale = 1, float offset = 0) {
    numbers random(seed);
    std::vector<float> values(count);
    for (float& v : values) v = offset + scale * (random.next() - 0.5F);
    return values;
}

/// `rows` rows around `centres` far apart; row i belongs to centre i % centres.
std::vector<float> blobs(std::size_t rows, std::size_t centres, std::size_t dim) {
    const auto middle = noise(centres * dim, 91, 1000);
    auto values = noise(rows * dim, 92);
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < dim; ++j) values[i * dim + j] += middle[i % centres * dim + j];
    return values;
}

/// Holds the answer to a scan in double: the lowest number at the smallest distance, up to the reference's own
/// rounding.
void check_assignment(view rows, view centroids) {
    std::vector<std::uint32_t> assignment(rows.rows(), 0xFFFFFFFFU);
    std::vector<float> distance(rows.rows(), -1);
    nearest_centroids(rows, centroids, assignment, distance);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < rows.rows(); ++i) {
        double best = naive_distance(rows[i], centroids[0]);
        std::uint32_t closest = 0;
        for (std::uint32_t c = 1; c < centroids.rows(); ++c)
            if (const double d = naive_distance(rows[i], centroids[c]); d < best) best = d, closest = c;
        const double slack = 1e-12 * best;
        if (assignment[i] >= centroids.rows()) {
            ++wrong;
            continue;
        }
        const double got = naive_distance(rows[i], centroids[assignment[i]]);
        wrong += assignment[i] != closest && !(std::abs(got - best) <= slack && got != best);
        wrong += std::abs(static_cast<double>(distance[i]) - best) > 1e-7 * best + 1e-45;
    }
    CHECK(wrong == 0);
}

/// Mean squared distance to the closest centroid, in double.
double naive_objective(view rows, view centroids) {
    double sum = 0;
    for (std::size_t i = 0; i < rows.rows(); ++i) {
        double best = naive_distance(rows[i], centroids[0]);
        for (std::size_t c = 1; c < centroids.rows(); ++c) best = std::min(best, naive_distance(rows[i], centroids[c]));
        sum += best;
    }
    return sum / static_cast<double>(rows.rows());
}

bool same_bytes(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

bool all_finite(const std::vector<float>& values) {
    return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

}  // namespace

TEST_CASE("nearest centroids: a double-precision scan finds the same, at every dimension and count") {
    const auto dim = GENERATE(as<std::size_t>{}, 1, 3, 7, 8, 33, 128, 1025);
    const auto count = GENERATE(as<std::size_t>{}, 1, 2, 63, 65, 300);
    CAPTURE(dim, count);
    const auto rows = noise(270 * dim, 1);
    const auto centroids = noise(count * dim, 2);
    check_assignment({rows.data(), 270, dim}, {centroids.data(), count, dim});
}

TEST_CASE("nearest centroids: exact on data far from the origin") {
    const auto offset = GENERATE(as<float>{}, 1000, -3e5, 1e7);
    const auto dim = GENERATE(as<std::size_t>{}, 1, 33, 128);
    CAPTURE(offset, dim);
    const auto rows = noise(600 * dim, 3, 1, offset);
    const auto centroids = noise(200 * dim, 4, 1, offset);
    check_assignment({rows.data(), 600, dim}, {centroids.data(), 200, dim});
}

TEST_CASE("nearest centroids: exact when candidates differ by less than the product's rounding") {
    constexpr std::size_t dim = 96;
    auto centroids = noise(200 * dim, 5);
    // Centroid 2i + 1 is centroid 2i with one component moved by one unit in the last place.
    for (std::size_t c = 0; c < 200; c += 2) {
        std::copy_n(centroids.data() + c * dim, dim, centroids.data() + (c + 1) * dim);
        float& moved = centroids[(c + 1) * dim + c % dim];
        moved = std::nextafter(moved, c % 4 == 0 ? 9.0F : -9.0F);
    }
    const auto rows = noise(500 * dim, 6);
    check_assignment({rows.data(), 500, dim}, {centroids.data(), 200, dim});
}

TEST_CASE("nearest centroids: exact with an outlier among the centroids, and with tiny and huge values") {
    const auto scale = GENERATE(as<float>{}, 1, 1e-30, 1e-22, 1e16);
    CAPTURE(scale);
    constexpr std::size_t dim = 40;
    const auto rows = noise(300 * dim, 7, scale);
    auto centroids = noise(150 * dim, 8, scale);
    for (std::size_t i = 0; i < dim; ++i) centroids[70 * dim + i] *= 100;
    check_assignment({rows.data(), 300, dim}, {centroids.data(), 150, dim});
}

TEST_CASE("nearest centroids: ties go to the lower number") {
    constexpr std::size_t dim = 5;
    auto centroids = noise(600 * dim, 9);
    for (std::size_t c = 300; c < 600; ++c)
        std::copy_n(centroids.data() + (c - 300) * dim, dim, centroids.data() + c * dim);
    const auto rows = noise(400 * dim, 10);
    std::vector<std::uint32_t> assignment(400);
    nearest_centroids(view(rows.data(), 400, dim), view(centroids.data(), 600, dim), assignment);
    CHECK(std::all_of(assignment.begin(), assignment.end(), [](auto c) { return c < 300; }));
    const std::vector<float> sides = {2, 1, -1};
    const std::vector<float> middle = {0};
    nearest_centroids(view(middle.data(), 1, 1), view(sides.data(), 3, 1), std::span(assignment).first(1));
    CHECK(assignment[0] == 1);
}

TEST_CASE("nearest centroids: rows may be strided or none at all, and distances need not be asked for") {
    constexpr std::size_t dim = 17, stride = 23;
    const auto padded = noise(300 * stride, 11);
    const auto centroids = noise(90 * dim, 12);
    check_assignment({padded.data(), 300, dim, stride}, {centroids.data(), 90, dim});
    std::vector<float> packed;
    for (std::size_t i = 0; i < 300; ++i)
        packed.insert(packed.end(), padded.data() + i * stride, padded.data() + i * stride + dim);
    std::vector<std::uint32_t> a(300), b(300);
    nearest_centroids({padded.data(), 300, dim, stride}, {centroids.data(), 90, dim}, a);
    nearest_centroids({packed.data(), 300, dim}, {centroids.data(), 90, dim}, b);
    CHECK(a == b);
    nearest_centroids({packed.data(), 0, dim}, {centroids.data(), 90, dim}, {});
}

TEST_CASE("nearest centroids: shapes that disagree are refused, naming both") {
    const std::vector<float> values(64);
    std::vector<std::uint32_t> out(8);
    CHECK(refusal(errc::dimension_mismatch, [&] {
              nearest_centroids(view(values.data(), 8, 8), view(values.data(), 2, 7), out);
          }).find("8 components, centroids 7") != std::string::npos);
    refusal(errc::invalid_argument,
            [&] { nearest_centroids(view(values.data(), 8, 8), view(values.data(), 0, 8), out); });
    CHECK(refusal(errc::invalid_argument, [&] {
              nearest_centroids(view(values.data(), 7, 8), view(values.data(), 2, 8), out);
          }).find("7 rows, but room for 8") != std::string::npos);
    std::vector<float> distance(3);
    refusal(errc::invalid_argument,
            [&] { nearest_centroids(view(values.data(), 8, 8), view(values.data(), 2, 8), out, distance); });
}

TEST_CASE("k-means: the same bytes for every thread count") {
    constexpr std::size_t dim = 19, rows = 9000;
    const auto values = noise(rows * dim, 13, 1, 1000);
    const view data(values.data(), rows, dim);
    const kmeans_result serial = kmeans(data, {.clusters = 60, .seed = 5, .sample_per_cluster = 100});
    for (const std::size_t threads : {1U, 2U, 3U, 8U}) {
        CAPTURE(threads);
        vicinal::thread_pool pool(threads);
        const kmeans_result parallel =
            kmeans(data, {.clusters = 60, .seed = 5, .sample_per_cluster = 100, .executor = pool});
        CHECK(same_bytes(serial.centroids, parallel.centroids));
        CHECK(serial.sizes == parallel.sizes);
        CHECK(serial.objective == parallel.objective);
        std::vector<std::uint32_t> a(rows), b(rows);
        std::vector<float> da(rows), db(rows);
        const view centroids(serial.centroids.data(), 60, dim);
        nearest_centroids(data, centroids, a, da);
        nearest_centroids(data, centroids, b, db, pool);
        CHECK(a == b);
        CHECK(same_bytes(da, db));
    }
}

TEST_CASE("k-means: the same call gives the same bytes, another seed others") {
    const auto values = noise(2000 * 6, 14);
    const view data(values.data(), 2000, 6);
    const auto first = kmeans(data, {.clusters = 30, .seed = 1});
    CHECK(same_bytes(first.centroids, kmeans(data, {.clusters = 30, .seed = 1}).centroids));
    CHECK_FALSE(same_bytes(first.centroids, kmeans(data, {.clusters = 30, .seed = 2}).centroids));
}

TEST_CASE("k-means: the random numbers are the documented ones on every platform") {
    const vicinal::detail::kmeans_random random(7, vicinal::detail::kmeans_random::purpose::sample);
    const auto chosen = vicinal::detail::choose_rows(1000, 6, random);
    CHECK(chosen == std::vector<std::size_t>{338, 390, 696, 750, 818, 914});
}

TEST_CASE("k-means: finds well separated groups") {
    const auto dim = GENERATE(as<std::size_t>{}, 3, 7, 33, 1025);
    CAPTURE(dim);
    constexpr std::size_t centres = 12, rows = 600;
    const auto values = blobs(rows, centres, dim);
    const view data(values.data(), rows, dim);
    const auto result = kmeans(data, {.clusters = centres, .iterations = 20, .seed = 3});
    CHECK(result.converged);
    CHECK(std::all_of(result.sizes.begin(), result.sizes.end(), [](auto n) { return n == rows / centres; }));
    std::vector<std::uint32_t> assignment(rows);
    nearest_centroids(data, view(result.centroids.data(), centres, dim), assignment);
    for (std::size_t i = centres; i < rows; ++i) REQUIRE(assignment[i] == assignment[i % centres]);
    CHECK(result.objective == Approx(static_cast<double>(dim) / 12).epsilon(0.1));
}

TEST_CASE("k-means: the objective is the mean squared distance and falls with every iteration") {
    constexpr std::size_t dim = 9, rows = 3000, clusters = 40;
    const auto values = noise(rows * dim, 15, 1, 1000);
    const view data(values.data(), rows, dim);
    const auto run = [&](std::size_t iterations) {
        return kmeans(data, {.clusters = clusters, .iterations = iterations, .seed = 8, .tolerance = 0});
    };
    kmeans_result before = run(1);
    for (std::size_t iterations = 2; iterations < 8; ++iterations) {
        const kmeans_result after = run(iterations);
        CHECK(after.iterations == iterations);
        CHECK(after.objective < before.objective);
        // The centroids of one iteration are what the next one assigns to.
        const view centroids(before.centroids.data(), clusters, dim);
        CHECK(after.objective == Approx(naive_objective(data, centroids)).epsilon(1e-6));
        before = after;
    }
}

TEST_CASE("k-means: a centroid is the mean of the rows it won") {
    constexpr std::size_t dim = 7, rows = 1500, clusters = 10;
    const auto values = noise(rows * dim, 16, 1, 1000);
    const view data(values.data(), rows, dim);
    const auto before = kmeans(data, {.clusters = clusters, .iterations = 3, .seed = 4, .tolerance = 0});
    const auto after = kmeans(data, {.clusters = clusters, .iterations = 4, .seed = 4, .tolerance = 0});
    std::vector<std::uint32_t> assignment(rows);
    nearest_centroids(data, view(before.centroids.data(), clusters, dim), assignment);
    for (std::size_t c = 0; c < clusters; ++c) {
        std::vector<double> sum(dim);
        std::size_t count = 0;
        for (std::size_t i = 0; i < rows; ++i) {
            if (assignment[i] != c) continue;
            ++count;
            for (std::size_t j = 0; j < dim; ++j) sum[j] += static_cast<double>(data[i][j]);
        }
        REQUIRE(count == after.sizes[c]);
        for (std::size_t j = 0; j < dim; ++j)
            CHECK(after.centroids[c * dim + j] == static_cast<float>(sum[j] / static_cast<double>(count)));
    }
}

TEST_CASE("k-means: as many clusters as rows have the rows for centroids, one row as well as many") {
    const std::vector<float> one = {3, -4, 5};
    const auto single = kmeans(view(one.data(), 1, 3), {.clusters = 1});
    CHECK(same_bytes(single.centroids, one));
    CHECK(single.objective == 0);
    CHECK(single.converged);

    const auto dim = GENERATE(as<std::size_t>{}, 1, 3, 33);
    const auto values = noise(50 * dim, 17);
    const auto all = kmeans(view(values.data(), 50, dim), {.clusters = 50});
    CHECK(all.objective == 0);
    std::set<std::vector<float>> rows, centroids;
    for (std::size_t i = 0; i < 50; ++i) {
        rows.emplace(values.begin() + static_cast<std::ptrdiff_t>(i * dim),
                     values.begin() + static_cast<std::ptrdiff_t>((i + 1) * dim));
        centroids.emplace(all.centroids.begin() + static_cast<std::ptrdiff_t>(i * dim),
                          all.centroids.begin() + static_cast<std::ptrdiff_t>((i + 1) * dim));
    }
    CHECK(rows == centroids);
}

TEST_CASE("k-means: equal rows, and fewer distinct rows than clusters, end at once with finite centroids") {
    const auto distinct = GENERATE(as<std::size_t>{}, 1, 2, 3);
    const auto dim = GENERATE(as<std::size_t>{}, 1, 7, 33);
    CAPTURE(distinct, dim);
    const auto kinds = noise(distinct * dim, 18, 1, 1000);
    std::vector<float> values;
    for (std::size_t i = 0; i < 500; ++i)
        for (std::size_t j = 0; j < dim; ++j) values.push_back(kinds[i % distinct * dim + j]);
    const auto result = kmeans(view(values.data(), 500, dim), {.clusters = 8, .iterations = 1000});
    CHECK(result.objective == 0);
    CHECK(result.iterations == 1);
    CHECK(all_finite(result.centroids));
    for (std::size_t c = 0; c < 8; ++c) {
        bool is_a_row = false;
        for (std::size_t r = 0; r < distinct; ++r)
            is_a_row = is_a_row || std::equal(kinds.data() + r * dim, kinds.data() + (r + 1) * dim,
                                              result.centroids.data() + c * dim);
        CHECK(is_a_row);
    }
}

TEST_CASE("k-means: mostly duplicates still leave no cluster empty where there are rows to share") {
    constexpr std::size_t dim = 4, rows = 4000, clusters = 64;
    auto values = noise(rows * dim, 19);
    for (std::size_t i = 0; i < rows; ++i)
        if (i % 20 != 0) std::fill_n(values.data() + i * dim, dim, 7.0F);
    const auto result =
        kmeans(view(values.data(), rows, dim), {.clusters = clusters, .iterations = 30, .seed = 2, .tolerance = 0});
    CHECK(all_finite(result.centroids));
    CHECK(std::count(result.sizes.begin(), result.sizes.end(), 0U) == 0);
}

TEST_CASE("k-means: an empty cluster takes half of the largest") {
    constexpr std::size_t dim = 3, rows = 1000;
    auto values = noise(rows * dim, 20, 1, 1000);
    const view data(values.data(), rows, dim);
    const vicinal::detail::row_set set(data);
    vicinal::detail::cluster_members members;
    std::vector<std::uint32_t> assignment(rows, 2);
    assignment[10] = 0;
    members.group(assignment, 4);  // 1 row, none, 999 rows, none
    std::vector<float> centroids(4 * dim);
    vicinal::detail::move_to_means(set, members, centroids, {});
    const vicinal::detail::kmeans_random random(1, vicinal::detail::kmeans_random::purpose::splitting);
    CHECK(vicinal::detail::cluster_splitting(set, members, centroids, random, 0).run() == 2);
    nearest_centroids(data, view(centroids.data(), 4, dim), assignment);
    for (const std::uint32_t c : {1U, 2U, 3U}) {
        CAPTURE(c);
        CHECK(std::count(assignment.begin(), assignment.end(), c) > 100);
    }
}

TEST_CASE("k-means: balance splits clusters that are too large, at the cost of the smallest") {
    // Most rows in one cloud, the others far off in 70 small ones: seeding by distance gives the cloud few centroids.
    constexpr std::size_t dim = 8, rows = 6000, clusters = 80;
    auto values = noise(rows * dim, 31);
    const auto middle = noise(70 * dim, 32, 100);
    for (std::size_t i = 0; i < rows / 6; ++i)
        for (std::size_t j = 0; j < dim; ++j) values[i * dim + j] += middle[i % 70 * dim + j];
    const view data(values.data(), rows, dim);
    const auto largest = [](const kmeans_result& result) {
        return *std::max_element(result.sizes.begin(), result.sizes.end());
    };
    const auto plain = kmeans(data, {.clusters = clusters, .iterations = 20});
    const auto even = kmeans(data, {.clusters = clusters, .iterations = 20, .balance = 2});
    CHECK(largest(plain) > 4 * rows / clusters);
    CHECK(largest(even) <= 3 * rows / clusters);
    CHECK(std::accumulate(even.sizes.begin(), even.sizes.end(), std::size_t{0}) == rows);
    CHECK(*std::min_element(even.sizes.begin(), even.sizes.end()) > 0);
    for (const std::size_t threads : {1U, 3U}) {
        vicinal::thread_pool pool(threads);
        const auto again = kmeans(data, {.clusters = clusters, .iterations = 20, .balance = 2, .executor = pool});
        CHECK(same_bytes(even.centroids, again.centroids));
    }
    // Copies cannot be split.
    const std::vector<float> equal(500 * dim, 1.0F);
    (void)kmeans(view(equal.data(), 500, dim), {.clusters = 9, .balance = 2});
}

TEST_CASE("k-means: a sample is drawn without repetition and is as large as asked") {
    const auto values = noise(5000 * 2, 21);
    const view data(values.data(), 5000, 2);
    CHECK(kmeans(data, {.clusters = 10, .sample_per_cluster = 20}).trained_rows == 200);
    CHECK(kmeans(data, {.clusters = 10, .sample_per_cluster = 0}).trained_rows == 5000);
    CHECK(kmeans(data, {.clusters = 10, .sample_per_cluster = 10000}).trained_rows == 5000);
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        const vicinal::detail::kmeans_random random(seed, vicinal::detail::kmeans_random::purpose::sample);
        const auto chosen = vicinal::detail::choose_rows(300, 100, random);
        REQUIRE(chosen.size() == 100);
        REQUIRE(std::adjacent_find(chosen.begin(), chosen.end(), std::greater_equal<>()) == chosen.end());
        REQUIRE(chosen.back() < 300);
    }
    CHECK(vicinal::detail::choose_rows(4, 4, {1, vicinal::detail::kmeans_random::purpose::sample}) ==
          std::vector<std::size_t>{0, 1, 2, 3});
}

TEST_CASE("k-means: what cannot be done is refused, naming both values") {
    const std::vector<float> values(40);
    const view data(values.data(), 10, 4);
    const auto message = refusal(errc::invalid_argument, [&] { (void)kmeans(data, {.clusters = 11}); });
    CHECK(message.find("11 clusters of 10 rows") != std::string::npos);
    refusal(errc::invalid_argument, [&] { (void)kmeans(data, {.clusters = 0}); });
    refusal(errc::invalid_argument, [&] { (void)kmeans(data, {.clusters = 1, .iterations = 0}); });
    refusal(errc::invalid_argument, [&] { (void)kmeans(view(values.data(), 10, 0), {.clusters = 1}); });
    refusal(errc::invalid_argument, [&] { (void)kmeans(view(values.data(), 0, 4), {.clusters = 1}); });
}

TEST_CASE("k-means: a stop token cancels, between iterations and inside one") {
    const auto values = noise(3000 * 4, 22);
    const view data(values.data(), 3000, 4);
    const auto clusters = GENERATE(as<std::size_t>{}, 50, 300);
    vicinal::stop_source source;
    std::size_t seen = 0;
    auto stop_at_two = [&](std::size_t done, std::size_t total) {
        CHECK(total == 10);
        seen = done;
        if (done == 2) source.request_stop();
    };
    const auto message = refusal(errc::cancelled, [&] {
        (void)kmeans(data, {.clusters = clusters, .tolerance = 0, .stop = source.get_token(), .progress = stop_at_two});
    });
    CHECK(message.find("kmeans was cancelled") != std::string::npos);
    CHECK(seen == 2);

    // Seeding, which comes before the first iteration, listens too.
    std::vector<float> seeds(4 * 4);
    const vicinal::detail::row_set rows(data);
    refusal(errc::cancelled, [&] { vicinal::detail::kmeans_seeding(rows, 0, {}, source.get_token()).run(seeds); });

    std::vector<std::uint32_t> assignment(3000, 77);
    vicinal::thread_pool pool(3);
    refusal(errc::cancelled,
            [&] { nearest_centroids(data, data.rows(0, 5), assignment, {}, pool, source.get_token()); });
    CHECK(std::count(assignment.begin(), assignment.end(), 77U) == 3000);
}

TEST_CASE("k-means: progress counts every iteration once") {
    const auto values = noise(2000 * 4, 23);
    std::vector<std::size_t> done;
    auto note = [&](std::size_t now, std::size_t) { done.push_back(now); };
    const auto result = kmeans(view(values.data(), 2000, 4), {.clusters = 20, .iterations = 6, .progress = note});
    REQUIRE(done.size() == result.iterations);
    for (std::size_t i = 0; i < done.size(); ++i) CHECK(done[i] == i + 1);
}

TEST_CASE("k-means: stops early once little is gained") {
    const auto values = noise(2000 * 4, 24);
    const view data(values.data(), 2000, 4);
    const auto patient = kmeans(data, {.clusters = 20, .iterations = 500, .tolerance = 0});
    const auto hasty = kmeans(data, {.clusters = 20, .iterations = 500, .tolerance = 0.05});
    CHECK(patient.converged);
    CHECK(hasty.converged);
    CHECK(hasty.iterations < patient.iterations);
    CHECK(patient.iterations < 500);
}
