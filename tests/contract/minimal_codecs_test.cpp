// SPDX-License-Identifier: MIT
// Codecs with the members that a concept asks for and no others are searched correctly in every index.
#include "contract/minimal_codecs.hpp"

#include <concepts>
#include <string_view>

#include "contract/minimal_models.hpp"

namespace {

using minimal::check_model, minimal::check_model_in, minimal::fixed, minimal::fixed_step, minimal::naive_l2;
using vicinal::l2;

struct plain : fixed {
    static constexpr std::string_view name = "plain";
};
static_assert(vicinal::codec<plain> && !vicinal::elementwise_codec<plain>);

/// A template that takes floats only.
struct elementwise : fixed {
    static constexpr std::string_view name = "elementwise";
    template <std::same_as<float> V>
    V load(const std::byte* code, std::size_t i) const {
        return minimal::taken(code, i) / 64;
    }
};
static_assert(vicinal::elementwise_codec<elementwise> && !vicinal::affine_codec<elementwise>);

struct trainable : minimal::learned {
    static constexpr std::string_view name = "trainable";
};
static_assert(vicinal::trainable_codec<trainable> && !vicinal::strained_codec<trainable>);

/// Relative to zero where it is given no point.
struct residual : fixed {
    static constexpr std::string_view name = "residual";
    std::vector<float> zero;
    explicit residual(std::size_t n = 0) : fixed{n}, zero(n) {}
    vicinal::code_center own_center() const { return {zero.data(), nullptr}; }
    std::size_t derived_size() const { return 1; }
    void derive(std::span<const float>, std::span<float> numbers) const { numbers[0] = 0; }
    void encode_residual(const vicinal::code_center& center, std::span<const float> x,
                         std::span<std::byte> code) const {
        for (std::size_t i = 0; i < dim; ++i) minimal::put(code, i, (x[i] - center.point[i]) * 64);
    }
    void decode_about(const vicinal::code_center& center, std::span<const std::byte> code, std::span<float> x) const {
        for (std::size_t i = 0; i < dim; ++i) x[i] = center.point[i] + minimal::taken(code.data(), i) / 64;
    }
    double largest_squares_about(double norm) const { return (norm + 1000) * (norm + 1000) * static_cast<double>(dim); }
};
static_assert(vicinal::residual_codec<residual> && !vicinal::trainable_codec<residual>);

}  // namespace

TEST_CASE("minimal codecs: encode and decode are enough") { check_model<l2, plain>(naive_l2, fixed_step); }
TEST_CASE("minimal codecs: a load of single floats is enough") {
    check_model_in<vicinal::hnsw_index, l2, elementwise>(naive_l2, fixed_step);
}
TEST_CASE("minimal codecs: train, trained, state and restore are enough") {
    check_model<l2, trainable>(naive_l2, fixed_step);
}
TEST_CASE("minimal codecs: a residual codec need not learn") {
    check_model_in<vicinal::ivf_index, l2, residual>(naive_l2, fixed_step);
}
