// SPDX-License-Identifier: MIT
// Affine and product codecs with the members that their concepts ask for and no others are searched correctly in every
// index.
#include <concepts>
#include <string_view>

#include "contract/minimal_codecs.hpp"
#include "contract/minimal_models.hpp"

namespace {

using minimal::check_index, minimal::check_model_in, minimal::naive_l2, minimal::naive_product;
using vicinal::l2, vicinal::inner_product;

/// Steps from -3 to 3. Of a codec that is not uniform, every third component has steps that are half as wide again.
template <unsigned Bits, bool Uniform>
struct affine {
    static constexpr std::string_view name = Uniform ? "affine_uniform" : "affine";
    static constexpr unsigned bits = Bits;
    std::size_t dim = 0;
    std::vector<float> low_, step_;
    explicit affine(std::size_t n = 0) : dim(n), low_(n, -3.0F), step_(n, Bits == 8 ? 3.0F / 128 : 0.5F) {
        for (std::size_t i = 0; i < n && !Uniform; i += 3) step_[i] *= 1.5F;
    }
    std::size_t code_size() const { return Bits == 8 ? dim : (dim + 1) / 2; }
    void encode(std::span<const float> x, std::span<std::byte> code) const {
        for (std::byte& b : code) b = std::byte{0};
        for (std::size_t i = 0; i < dim; ++i) {
            const float most = Bits == 8 ? 255.0F : 15.0F;
            const auto n = static_cast<unsigned>(std::lround(std::clamp((x[i] - low_[i]) / step_[i], 0.0F, most)));
            if constexpr (Bits == 8)
                code[i] = static_cast<std::byte>(n);
            else
                code[i / 2] |= static_cast<std::byte>(n << (i % 2 * 4));
        }
    }
    void decode(std::span<const std::byte> code, std::span<float> x) const {
        for (std::size_t i = 0; i < dim; ++i) x[i] = load<float>(code.data(), i);
    }
    template <std::same_as<float> V>
    V load(const std::byte* code, std::size_t i) const {
        const auto byte = std::to_integer<unsigned>(code[Bits == 8 ? i : i / 2]);
        return low_[i] + step_[i] * static_cast<float>(Bits == 8 ? byte : byte >> (i % 2 * 4) & 15U);
    }
    float low(std::size_t i) const { return low_[i]; }
    float step(std::size_t i) const { return step_[i]; }
    const float* lows() const { return low_.data(); }
    const float* steps() const { return step_.data(); }
    bool uniform() const { return Uniform; }
};
static_assert(vicinal::affine_codec<affine<8, false>> && vicinal::affine_codec<affine<4, true>>);
static_assert(!vicinal::weighted_codec<affine<8, false>> && !vicinal::norm_bounded_codec<affine<8, true>>);

/// That of 8 bits with weights of 2 and 3, and a bound of what it decodes, so that scans rule rows out, too.
struct weighted : affine<8, false> {
    static constexpr std::string_view name = "weighted";
    std::vector<std::int16_t> weights_;
    explicit weighted(std::size_t n = 0) : affine(n), weights_(n + 16) {
        for (std::size_t i = 0; i < n; ++i) weights_[i] = i % 3 == 0 ? 3 : 2;
    }
    float unit() const { return 3.0F / 256; }
    int weight(std::size_t i) const { return weights_[i]; }
    const std::int16_t* weights() const { return weights_.data(); }
    double largest_squares() const { return 36.0 * static_cast<double>(dim); }
};
static_assert(vicinal::weighted_codec<weighted> && vicinal::norm_bounded_codec<weighted>);

/// Sixteen points of a 4 by 4 lattice for each pair, as wide as the largest component that it has seen.
struct product : minimal::learned {
    static constexpr std::string_view name = "product";
    static constexpr bool has_tables = true;
    static constexpr std::size_t centroids = 16;
    std::vector<float> points;
    explicit product(std::size_t n = 0) : learned{n} {}
    std::size_t code_size() const { return (pairs() + 1) / 2; }
    std::size_t pairs() const { return (this->learned::dim + 1) / 2; }
    std::size_t dim() const { return this->learned::dim; }
    std::span<const float> codebook(std::size_t pair) const { return std::span(points).subspan(pair * 32, 32); }
    double largest_squares() const { return 4e6 * double{scale} * double{scale} * static_cast<double>(2 * pairs()); }
    void encode(std::span<const float> x, std::span<std::byte> code) const {
        for (std::byte& b : code) b = std::byte{0};
        for (std::size_t p = 0; p < pairs(); ++p) {
            const float second = 2 * p + 1 < x.size() ? x[2 * p + 1] : 0.0F;
            const unsigned at = place(x[2 * p]) + 4 * place(second);
            code[p / 2] |= static_cast<std::byte>(at << (p % 2 * 4));
        }
    }
    void decode(std::span<const std::byte> code, std::span<float> x) const {
        for (std::size_t i = 0; i < x.size(); ++i) x[i] = load<float>(code.data(), i);
    }
    template <std::same_as<float> V>
    V load(const std::byte* code, std::size_t i) const {
        const std::size_t at = std::to_integer<unsigned>(code[i / 4]) >> (i / 2 % 2 * 4) & 15U;
        return points[i / 2 * 32 + at * 2 + i % 2];
    }
    void train(vicinal::matrix_view<const float> rows) {
        learned::train(rows);
        spread();
    }
    bool restore(std::span<const std::byte> bytes) {
        const bool good = learned::restore(bytes);
        spread();
        return good;
    }

  private:
    unsigned place(float x) const {
        return static_cast<unsigned>(std::lround(std::clamp((x / (scale * 2000) + 1) * 1.5F, 0.0F, 3.0F)));
    }
    void spread() {
        points.resize(pairs() * 32);
        for (std::size_t i = 0; i < points.size(); ++i) {
            const std::size_t at = i / 2 % 16;
            const bool alone = i / 32 * 2 + i % 2 >= dim();  // beside the last component of an odd dimension
            points[i] = alone ? 0 : (static_cast<float>(i % 2 == 0 ? at % 4 : at / 4) / 1.5F - 1) * scale * 2000;
        }
    }
};
static_assert(vicinal::product_codec<product> && !vicinal::checked_codec<product>);

}  // namespace

TEST_CASE("minimal codecs: an affine codec needs no weights") {
    check_model_in<vicinal::flat_index, l2, affine<8, false>>(naive_l2, 0.02);
    check_index(vicinal::hnsw_index<inner_product, affine<8, false>>(minimal::dim), naive_product, 0.02);
}
TEST_CASE("minimal codecs: an affine codec of one step for all needs no bound of its norms") {
    check_index(vicinal::hnsw_index<l2, affine<8, true>>(minimal::dim), naive_l2, 0.02);
    check_index(vicinal::flat_index<inner_product, affine<8, true>>(minimal::dim), naive_product, 0.02);
}
TEST_CASE("minimal codecs: an affine codec may have 4 bits") {
    check_index(vicinal::hnsw_index<l2, affine<4, true>>(minimal::dim), naive_l2, 0.26);
    check_index(vicinal::hnsw_index<l2, affine<4, false>>(minimal::dim), naive_l2, 0.38);
    check_index(vicinal::flat_index<l2, affine<4, false>>(minimal::dim), naive_l2, 0.38);
}
TEST_CASE("minimal codecs: weights and a bound of norms bring scans in integers") {
    check_index(vicinal::flat_index<l2, weighted>(minimal::dim), naive_l2, 0.02);
    check_index(vicinal::ivf_index<inner_product, weighted>(minimal::dim, {.lists = 4}), naive_product, 0.02);
    check_index(vicinal::hnsw_index<l2, weighted>(minimal::dim), naive_l2, 0.02);
}
TEST_CASE("minimal codecs: a product quantiser is scanned by tables") {
    check_model_in<vicinal::flat_index, l2, product>(naive_l2, 1.1);
}
