// SPDX-License-Identifier: MIT
// index/detail/scan.hpp by a scorer that counts: what is found is what looking at every row finds, whatever the bounds,
// and hardly a row is measured that the bounds could have passed over.
#include "vicinal/scoring/scan.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "support/catch.hpp"
#include "vicinal/core/top_k.hpp"
#include "vicinal/scoring/bounds_pca8.hpp"
#include "vicinal/storage/chunked_rows.hpp"

namespace {

using namespace vicinal::detail;
using vicinal::neighbor;
constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr std::size_t row_bytes = 300;  // so that the first segments are of 64, 64 and 128 rows

/// Rows that hold their numbers, with distances and bounds that a test makes up.
struct rows_with_bounds {
    explicit rows_with_bounds(std::size_t count) : distances(count), bounds(count), measured(count) {
        rows.reserve(count);
        for (std::uint32_t i = 0; i < count; ++i) std::memcpy(rows[i], &i, sizeof i);
    }
    [[nodiscard]] std::size_t size() const { return distances.size(); }

    chunked_rows rows{row_bytes, 4};
    std::vector<float> distances;
    std::vector<float> bounds;
    mutable std::vector<int> measured;  // how often each row was
};

class counting_scorer {
  public:
    explicit counting_scorer(const rows_with_bounds& data) : data_(data), table_(data.rows.table()) {}

    [[nodiscard]] const vicinal::simd::row_table& rows() const { return table_; }
    [[nodiscard]] float limit_of(float threshold) const { return threshold; }
    void lower_bounds(const std::byte* first, std::size_t stride, std::size_t count, float* out) const {
        std::uint32_t number = 0;
        std::memcpy(&number, first, sizeof number);
        REQUIRE(number + count <= data_.size());
        for (std::size_t i = 0; i < count; ++i) {
            // A call for rows of two segments would read what lies behind the first.
            REQUIRE(first + i * stride == data_.rows[static_cast<slot_t>(number + i)]);
            out[i] = data_.bounds[number + i];
        }
    }
    [[nodiscard]] static std::uint32_t not_above(const float* bounds, float limit) {
        return vicinal::simd::not_above_32<vicinal::simd::lanes<vicinal::simd::native_isa>>(bounds, limit);
    }
    void measure(const vicinal::simd::row_table&, const slot_t* which, const slot_t* slots, std::size_t count, float,
                 float* out) const {
        for (std::size_t i = 0; i < count; ++i) {
            REQUIRE(slots[i] == which[i]);
            ++data_.measured[which[i]];
            out[i] = data_.distances[which[i]];
        }
    }

  protected:
    const rows_with_bounds& data_;

  private:
    vicinal::simd::row_table table_;
};

/// One that goes on by bounds only while they rule out rows.
class doubting_scorer : public counting_scorer {
  public:
    using counting_scorer::counting_scorer;
    [[nodiscard]] std::size_t worth_bounding() const { return pace_.worth_bounding(); }
    void bounded(std::size_t rows, std::size_t measured) const {
        pace_.bounded(rows, measured);
        rows_bounded += rows;
    }
    void measure_all(const slot_t* slots, std::size_t count, float* out) const {
        pace_.passed(count);
        measure(rows(), slots, slots, count, infinity, out);
    }
    mutable std::size_t rows_bounded = 0;

  private:
    mutable pruning_pace pace_;
};

struct closest_rows {
    explicit closest_rows(std::size_t k) : found(k), kept(found) {}
    [[nodiscard]] float threshold() const { return kept.threshold(); }
    void push(slot_t slot, float distance) { kept.push({slot, distance}); }

    std::vector<neighbor<std::uint64_t>> found;
    vicinal::top_k<std::uint64_t> kept;
};

std::vector<neighbor<std::uint64_t>> brute_force(const rows_with_bounds& data, std::size_t k, bool odd_only) {
    std::vector<neighbor<std::uint64_t>> all;
    for (std::size_t i = 0; i < data.size(); ++i)
        if (!odd_only || i % 2 == 1) all.push_back({i, data.distances[i]});
    std::sort(all.begin(), all.end(), vicinal::closer<std::uint64_t>);
    all.resize(std::min(k, all.size()));
    return all;
}

/// Scans for the k closest and returns how many rows were measured, none of them twice.
template <class Scorer>
std::size_t check_scan(const rows_with_bounds& data, const Scorer& scorer, std::size_t k, bool odd_only) {
    CAPTURE(data.size(), k, odd_only);
    std::fill(data.measured.begin(), data.measured.end(), 0);
    closest_rows closest(k);
    std::vector<float> memory;
    const auto slot_of = [&](slot_t row) { return !odd_only || row % 2 == 1 ? row : no_slot; };
    scan_rows(scorer, scorer.rows(), data.size(), closest, slot_of, memory, [] {});
    closest.found.resize(closest.kept.finish());
    CHECK(closest.found == brute_force(data, k, odd_only));
    CHECK(*std::max_element(data.measured.begin(), data.measured.end()) <= 1);
    return static_cast<std::size_t>(std::count(data.measured.begin(), data.measured.end(), 1));
}
std::size_t check_scan(const rows_with_bounds& data, std::size_t k, bool odd_only = false) {
    return check_scan(data, counting_scorer(data), k, odd_only);
}

void fill_distances(rows_with_bounds& data, std::uint32_t seed) {
    std::mt19937 random(seed);
    for (float& distance : data.distances) distance = static_cast<float>(random() % 1000) / 8 - 20;  // with many equal
}

/// Every bound the distance less up to `slack`.
void fill_bounds(rows_with_bounds& data, float slack) {
    std::mt19937 random(5);
    for (std::size_t i = 0; i < data.size(); ++i)
        data.bounds[i] = data.distances[i] - slack * static_cast<float>(random() % 256) / 256;
}

}  // namespace

TEST_CASE("scan: by any bounds the closest rows are found, each measured once at most", "[index]") {
    for (const std::size_t count : {1U, 31U, 33U, 64U, 65U, 300U, 8191U, 8193U, 30011U}) {
        rows_with_bounds data(count);
        fill_distances(data, 1);
        for (const float slack : {0.0F, 2.0F, 60.0F}) {
            fill_bounds(data, slack);
            for (const std::size_t k : {1U, 10U, 127U, 300U, 5000U}) {
                (void)check_scan(data, k);
                (void)check_scan(data, k, true);
            }
        }
        std::fill(data.bounds.begin(), data.bounds.end(), -std::numeric_limits<float>::max());
        CHECK(check_scan(data, 10) == count);
        fill_bounds(data, 2.0F);
        CHECK(check_scan(data, 0) == 0);
    }
}

TEST_CASE("scan: zeros of both signs are one bound", "[index]") {
    rows_with_bounds data(1000);
    for (std::size_t i = 0; i < data.size(); ++i) {
        data.distances[i] = i % 3 == 0 ? 0.0F : 1.0F;
        data.bounds[i] = i % 2 == 0 ? 0.0F : -0.0F;
    }
    for (const std::size_t k : {10U, 200U, 400U}) (void)check_scan(data, k);
}

TEST_CASE("scan: bounds that are the distances have few rows measured beyond the closest", "[index]") {
    rows_with_bounds data(65536);
    for (std::size_t i = 0; i < data.size(); ++i)
        data.distances[i] = static_cast<float>((i * 2654435761U) % data.size());  // each once
    fill_bounds(data, 0.0F);
    // Of the first 8192 rows k and what is measured with the last of them; of each further 16384 those closer than
    // that.
    CHECK(check_scan(data, 1) < 40);
    CHECK(check_scan(data, 10) < 60);
    CHECK(check_scan(data, 100) < 500);
}

TEST_CASE("scan: bounds that rule nothing out are taken of fewer and fewer rows", "[index]") {
    rows_with_bounds data(400000);
    fill_distances(data, 2);
    fill_bounds(data, 2.0F);
    const doubting_scorer useful(data);
    CHECK(check_scan(data, useful, 10, false) < 5000);
    CHECK(useful.rows_bounded == data.size());
    std::fill(data.bounds.begin(), data.bounds.end(), -std::numeric_limits<float>::max());
    const doubting_scorer useless(data);
    CHECK(check_scan(data, useless, 10, false) == data.size());
    CHECK(useless.rows_bounded < data.size() / 10);
    // Useful from somewhere on: that is found out.
    for (std::size_t i = 100000; i < data.size(); ++i) data.bounds[i] = data.distances[i];
    const doubting_scorer late(data);
    CHECK(check_scan(data, late, 10, false) < 200000);
    CHECK(check_scan(data, late, 10, true) < 200000);
}

TEST_CASE("scan: the rows in line end with a segment", "[index]") {
    for (const std::size_t most : {64U, 512U}) {
        for (std::size_t first = 0; first < 4096; first += 64) {
            const std::size_t n = rows_in_line(first, most);
            CAPTURE(first, most, n);
            CHECK((n >= 64 && n <= most));
            for (std::size_t boundary = 64; boundary <= 8192; boundary *= 2)  // of the smallest segments there are
                CHECK_FALSE((first < boundary && boundary < first + n));
        }
    }
}
