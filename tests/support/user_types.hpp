// SPDX-License-Identifier: MIT
// A metric and a codec as a user would write them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace vicinal_test {

/// The sum of absolute differences: a pointwise metric, which runs in the library's vectorised kernels.
struct manhattan {
    static constexpr std::string_view name = "manhattan";
    template <class V>
    static V accumulate(const V& acc, const V& q, const V& x) {
        using std::max;
        return acc + max(V(q - x), V(x - q));
    }
    static float finish(float sum) { return sum; }
};

/// The largest absolute difference: no sum over components, so it takes whole vectors.
struct chebyshev {
    static constexpr std::string_view name = "chebyshev";
    float operator()(std::span<const float> q, std::span<const float> x) const {
        float largest = 0;
        for (std::size_t i = 0; i < q.size(); ++i) largest = std::max(largest, std::abs(q[i] - x[i]));
        return largest;
    }
};

/// Fixed point with steps of 1/8, two bytes a component.
struct eighths {
    static constexpr std::string_view name = "eighths";
    std::size_t dim = 0;
    std::size_t code_size() const { return 2 * dim; }
    void encode(std::span<const float> x, std::span<std::byte> code) const {
        for (std::size_t i = 0; i < dim; ++i) {
            const auto steps = static_cast<std::int16_t>(std::lround(std::clamp(x[i] * 8, -32767.0F, 32767.0F)));
            std::memcpy(&code[2 * i], &steps, 2);
        }
    }
    void decode(std::span<const std::byte> code, std::span<float> x) const {
        for (std::size_t i = 0; i < dim; ++i) {
            std::int16_t steps;
            std::memcpy(&steps, &code[2 * i], 2);
            x[i] = static_cast<float>(steps) / 8;
        }
    }
};

}  // namespace vicinal_test
