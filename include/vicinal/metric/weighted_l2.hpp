// SPDX-License-Identifier: MIT
// Squared Euclidean distance with a weight for each component.
#pragma once

#include <cstddef>           // for size_t, byte
#include <cstdint>           // for uint32_t
#include <initializer_list>  // for initializer_list
#include <limits>            // for numeric_limits
#include <span>              // for span
#include <string>            // for string, to_string
#include <string_view>       // for string_view
#include <vector>            // for vector

#include "vicinal/concepts.hpp"
#include "vicinal/core/bit_cast.hpp"
#include "vicinal/core/error.hpp"
#include "vicinal/core/little_endian.hpp"
#include "vicinal/core/math.hpp"

VICINAL_NAMESPACE_BEGIN

/// The sum of weight * (q - x)^2: squared Euclidean distance where components matter as much as their weights say, and
/// those of weight 0 not at all. Weights are given to the index, `flat_index<weighted_l2> index(3, weighted_l2{w})`,
/// kept in its files and found again by a load, which compares them with others if it is given any. Rows are stored as
/// they come, and `get` returns them so; weights meet them in the kernel, where they cost a load for four rows and a
/// product for each component. A distance that a float cannot hold is FLT_MAX.
///
/// It has no `form`: codes are scored in floats, and hnsw_index has f32 unless you say otherwise. If weights never
/// change and vectors need not come back, l2 over components that you multiply by the roots of their weights is the
/// same distance by all of l2's means.
class weighted_l2 {
  public:
    static constexpr std::string_view name = "weighted_l2";

    /// No weights: what a load begins with. An index is not made of it.
    weighted_l2() = default;
    /// One weight for each component, copied.
    /// throws  error{invalid_argument} unless all are finite and at least 0
    explicit weighted_l2(std::span<const float> weights) : dim_(weights.size()), weights_(padded(weights)) {
        for (std::size_t i = 0; i < dim_; ++i)
            if (!is_weight(weights[i]))
                detail::fail(errc::invalid_argument, "weighted_l2: weight " + std::to_string(i) + " is " +
                                                         std::to_string(weights[i]) +
                                                         ", it must be finite and at least 0");
    }
    weighted_l2(std::initializer_list<float> weights)
        : weighted_l2(std::span<const float>(weights.begin(), weights.size())) {}

    /// The weights, readable to 16 floats past the last.
    [[nodiscard]] const float* weights() const noexcept { return weights_.data(); }
    /// How many they are.
    [[nodiscard]] std::size_t size() const noexcept { return dim_; }

    template <class V>
    [[nodiscard]] VICINAL_INLINE static V accumulate(const V& acc, const V& q, const V& x, const V& weight) noexcept {
        const V difference = q - x;
        return mul_add(V(difference * weight), difference, acc);
    }
    [[nodiscard]] VICINAL_INLINE static float finish(float sum) noexcept {
        constexpr float most = (std::numeric_limits<float>::max)();
        return sum < most ? sum : most;
    }

    /// throws  error{invalid_argument} unless there are `dim` weights
    void check(std::size_t dim) const {
        if (dim_ != dim)
            detail::fail(errc::invalid_argument, "weighted_l2 has " + std::to_string(dim_) + " weights, vectors have " +
                                                     std::to_string(dim) + " components");
    }
    /// The weights as little-endian floats.
    [[nodiscard]] std::vector<std::byte> state() const {
        std::vector<std::byte> bytes(4 * dim_);
        for (std::size_t i = 0; i < dim_; ++i) detail::store_le(&bytes[4 * i], weights_[i]);
        return bytes;
    }
    [[nodiscard]] bool restore(std::span<const std::byte> bytes) {
        if (bytes.size() % 4 != 0) return false;
        std::vector<float> read(bytes.size() / 4);
        for (std::size_t i = 0; i < read.size(); ++i) {
            read[i] = detail::load_le<float>(&bytes[4 * i]);
            if (!is_weight(read[i])) return false;
        }
        dim_ = read.size();
        weights_ = padded(read);
        return true;
    }

  private:
    /// By bits, which -ffast-math believes.
    [[nodiscard]] static bool is_weight(float w) noexcept {
        const auto bits = detail::bit_cast<std::uint32_t>(w);
        return bits < 0x7F800000U || bits == 0x80000000U;
    }
    [[nodiscard]] static std::vector<float> padded(std::span<const float> weights) {
        std::vector<float> all(weights.begin(), weights.end());
        all.resize(weights.size() + 16, 0.0F);
        return all;
    }

    std::size_t dim_ = 0;
    std::vector<float> weights_ = std::vector<float>(16);
};
static_assert(weighted_metric<weighted_l2> && stateful_metric<weighted_l2> && !formed_metric<weighted_l2>);

VICINAL_NAMESPACE_END
