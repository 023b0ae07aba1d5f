// SPDX-License-Identifier: MIT
// Metrics with the members that a concept asks for and no others are searched correctly in every index.
#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "contract/minimal_models.hpp"

namespace {

using vicinal::f32;

struct whole {
    static constexpr std::string_view name = "whole";
    float operator()(std::span<const float> q, std::span<const float> x) const {
        return static_cast<float>(minimal::naive_l2(q, x));
    }
};
static_assert(vicinal::whole_metric<whole> && !vicinal::pointwise_metric<whole>);

/// For floats only, and no template: there is nothing to vectorise.
struct single_floats {
    static constexpr std::string_view name = "single_floats";
    static float accumulate(float acc, float q, float x) { return acc + (q < x ? x - q : q - x); }
    static float finish(float sum) { return sum; }
};
static_assert(vicinal::pointwise_metric<single_floats> && !vicinal::formed_metric<single_floats>);

struct prepares {
    static constexpr std::string_view name = "prepares";
    float operator()(std::span<const float> q, std::span<const float> x) const {
        return static_cast<float>(minimal::naive_l2(q, x));
    }
    bool prepare(std::span<float> row) const {
        for (float& x : row) x = std::clamp(x, -1.0F, 1.0F);
        return true;
    }
};
static_assert(vicinal::preparing_metric<prepares> && !vicinal::clustering_metric<prepares>);

struct clusters {
    static constexpr std::string_view name = "clusters";
    using clustering = vicinal::l2;
    float operator()(std::span<const float> q, std::span<const float> x) const {
        return static_cast<float>(minimal::naive_product(q, x));
    }
};
static_assert(vicinal::clustering_metric<clusters> && !vicinal::preparing_metric<clusters>);

/// A number that is given when the program runs, and travels in files.
struct scaled {
    static constexpr std::string_view name = "scaled";
    std::uint8_t scale = 1;
    float operator()(std::span<const float> q, std::span<const float> x) const {
        return static_cast<float>(minimal::naive_l2(q, x) * scale);
    }
    std::vector<std::byte> state() const { return {std::byte{scale}}; }
    bool restore(std::span<const std::byte> bytes) {
        if (bytes.size() == 1) scale = static_cast<std::uint8_t>(bytes[0]);
        return bytes.size() == 1;
    }
    static void check(std::size_t dim) {
        if (dim != minimal::dim) throw std::invalid_argument("not that many");
    }
};
static_assert(vicinal::stateful_metric<scaled> && !vicinal::weighted_metric<scaled>);

/// Weights that are always the same, one component at a time.
struct weighs {
    static constexpr std::string_view name = "weighs";
    static inline const std::vector<float> all = std::vector<float>(minimal::dim + 16, 2.0F);
    static const float* weights() { return all.data(); }
    static float accumulate(float acc, float q, float x, float w) { return acc + w * (q - x) * (q - x); }
    static float finish(float sum) { return sum; }
};
static_assert(vicinal::weighted_metric<weighs> && !vicinal::stateful_metric<weighs>);
double naive_twice(std::span<const float> q, std::span<const float> x) { return 2 * minimal::naive_l2(q, x); }

/// Twice the share of what two sets have in common, and a codec for it.
struct dice {
    static constexpr std::string_view name = "dice";
    static constexpr bool counts_common = true;
    float operator()(std::span<const float>, std::span<const float>) const { throw std::logic_error("not counted"); }
    bool prepare(std::span<float> row) const {
        for (float& x : row) x = x > 0 ? 1.0F : 0.0F;
        return true;
    }
    float of_counts(float differing, float common) const {
        return differing == 0 ? 0.0F : differing / (differing + 2 * common);
    }
};
struct packed {
    static constexpr std::string_view name = "packed";
    static constexpr bool packs_bits = true;
    std::size_t dim = 0;
    std::size_t code_size() const { return (dim + 7) / 8; }
    void encode(std::span<const float> x, std::span<std::byte> code) const {
        std::fill(code.begin(), code.end(), std::byte{0});
        for (std::size_t i = 0; i < dim; ++i)
            if (x[i] > 0) code[i / 8] |= static_cast<std::byte>(1U << i % 8);
    }
    void decode(std::span<const std::byte> code, std::span<float> x) const {
        for (std::size_t i = 0; i < dim; ++i)
            x[i] = (code[i / 8] >> i % 8 & std::byte{1}) != std::byte{0} ? 1.0F : 0.0F;
    }
};
static_assert(vicinal::counting_metric<dice> && !vicinal::pointwise_metric<dice>);
static_assert(vicinal::bit_codec<packed> && !vicinal::checked_codec<packed>);

double naive_dice(std::span<const float> q, std::span<const float> x) {
    double differing = 0;
    double sizes = 0;
    for (std::size_t i = 0; i < q.size(); ++i) {
        differing += (q[i] > 0) != (x[i] > 0) ? 1 : 0;
        sizes += (q[i] > 0 ? 1 : 0) + (x[i] > 0 ? 1 : 0);
    }
    return sizes == 0 ? 0 : differing / sizes;
}

double naive_manhattan(std::span<const float> q, std::span<const float> x) {
    double sum = 0;
    for (std::size_t i = 0; i < q.size(); ++i) sum += std::abs(double{q[i]} - double{x[i]});
    return sum;
}
/// The index has prepared the rows it gives back, of queries the reference must do so.
double naive_clamped(std::span<const float> q, std::span<const float> x) {
    std::vector<float> prepared(q.begin(), q.end());
    (void)prepares().prepare(prepared);
    return minimal::naive_l2(prepared, x);
}

}  // namespace

TEST_CASE("minimal metrics: a function of two vectors is enough") {
    minimal::check_model<whole, f32>(minimal::naive_l2, 0);
}
TEST_CASE("minimal metrics: accumulate and finish of single floats are enough") {
    minimal::check_model_in<vicinal::hnsw_index, single_floats, f32>(naive_manhattan, 0);
}
TEST_CASE("minimal metrics: prepare goes with any rung") {
    minimal::check_model_in<vicinal::ivf_index, prepares, f32>(naive_clamped, -1);
}
TEST_CASE("minimal metrics: of_counts is enough over packed bits, which are never decoded") {
    minimal::check_index(vicinal::flat_index<dice, packed>(minimal::dim), naive_dice, -1);
}
TEST_CASE("minimal metrics: clustering goes with any rung") {
    minimal::check_model_in<vicinal::ivf_index, clusters, f32>(minimal::naive_product, 0);
}
TEST_CASE("minimal metrics: a state is given to the index, and goes with it through a file") {
    minimal::check_index(vicinal::ivf_index<scaled, f32>(minimal::dim, {.lists = 4}, scaled{2}), naive_twice, 0);
    CHECK_THROWS_AS((vicinal::flat_index<scaled, f32>(minimal::dim + 1, scaled{2})), std::invalid_argument);
    CHECK_THROWS_AS((vicinal::flat_index<scaled, f32>(minimal::dim + 1)), std::invalid_argument);
}
TEST_CASE("minimal metrics: weights without a state are enough, of single floats") {
    minimal::check_index(vicinal::flat_index<weighs, f32>(minimal::dim), naive_twice, 0);
    minimal::check_index(vicinal::ivf_index<weighs, f32>(minimal::dim, {.lists = 4}), naive_twice, 0);
}
