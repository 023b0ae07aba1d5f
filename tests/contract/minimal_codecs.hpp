// SPDX-License-Identifier: MIT
// Codecs that tests of minimal models build upon: 16-bit fixed point, with as few members as a concept asks for.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "vicinal/concepts.hpp"

namespace minimal {

/// How far off a component may be when it is decoded.
inline constexpr double fixed_step = 1.0 / 64;

inline void put(std::span<std::byte> code, std::size_t i, float steps) {
    const auto whole = static_cast<std::int16_t>(std::lround(std::clamp(steps, -32767.0F, 32767.0F)));
    std::memcpy(&code[2 * i], &whole, 2);
}
inline float taken(const std::byte* code, std::size_t i) {
    std::int16_t whole;
    std::memcpy(&whole, code + 2 * i, 2);
    return static_cast<float>(whole);
}

/// A vicinal::codec and nothing more. Derived codecs add members and give it a name.
struct fixed {
    std::size_t dim = 0;
    std::size_t code_size() const { return 2 * dim; }
    void encode(std::span<const float> x, std::span<std::byte> code) const {
        for (std::size_t i = 0; i < dim; ++i) put(code, i, x[i] * 64);
    }
    void decode(std::span<const std::byte> code, std::span<float> x) const {
        for (std::size_t i = 0; i < dim; ++i) x[i] = taken(code.data(), i) / 64;
    }
};

/// A vicinal::trainable_codec and nothing more: steps so wide that the largest component it has seen is 2000 of them.
struct learned {
    std::size_t dim = 0;
    float scale = 0;
    std::size_t code_size() const { return 2 * dim; }
    void encode(std::span<const float> x, std::span<std::byte> code) const {
        for (std::size_t i = 0; i < dim; ++i) put(code, i, std::clamp(x[i] / scale, -2000.0F, 2000.0F));
    }
    void decode(std::span<const std::byte> code, std::span<float> x) const {
        for (std::size_t i = 0; i < dim; ++i) x[i] = taken(code.data(), i) * scale;
    }
    void train(vicinal::matrix_view<const float> rows) {
        float largest = 0.01F;
        for (std::size_t r = 0; r < rows.rows(); ++r)
            for (const float x : rows[r]) largest = std::max(largest, std::abs(x));
        scale = largest / 2000;
    }
    bool trained() const { return scale > 0; }
    std::vector<std::byte> state() const {
        std::vector<std::byte> bytes(sizeof scale);
        std::memcpy(bytes.data(), &scale, sizeof scale);
        return bytes;
    }
    bool restore(std::span<const std::byte> bytes) {
        if (bytes.size() != sizeof scale) return false;
        std::memcpy(&scale, bytes.data(), sizeof scale);
        return scale > 0;
    }
};

}  // namespace minimal
