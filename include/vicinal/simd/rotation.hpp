// SPDX-License-Identifier: MIT
// A random rotation makes one bit per component worth as much as any other, in O(n log n).
#pragma once

#include <bit>      // for bit_floor
#include <cmath>    // for sqrt
#include <cstddef>  // for size_t
#include <cstdint>  // for uint64_t
#include <vector>   // for vector

#include "vicinal/core/math.hpp"
#include "vicinal/simd/intrinsics.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

namespace detail {

/// Takes one stage of a Walsh-Hadamard transform of n components, in the form whose stages are all alike (Pease 1968):
/// sums and differences of the two halves, interleaved. log2(n) of them transform.
template <class V>
VICINAL_INLINE void hadamard_stage(const float* from, float* to, std::size_t n) noexcept {
    const std::size_t half = n / 2;
    std::size_t i = 0;
    if constexpr (!is_float<V>) {
        for (; i + V::size <= half; i += V::size) {
            const V a = load<V>(from + i);
            const V b = load<V>(from + half + i);
            store_interleaved(V(a + b), V(a - b), to + 2 * i);
        }
    }
    for (; i < half; ++i) {
        const float a = from[i];
        const float b = from[half + i];
        to[2 * i] = a + b;
        to[2 * i + 1] = a - b;
    }
}

template <class V>
VICINAL_INLINE void hadamard(float* x, float* spare, std::size_t window) noexcept {
    std::size_t stages = 0;
    for (std::size_t n = window; n > 1; n /= 2, ++stages) {
        if (stages % 2 == 0)
            hadamard_stage<V>(x, spare, window);
        else
            hadamard_stage<V>(spare, x, window);
    }
    if (stages % 2 == 1)
        for (std::size_t i = 0; i < window; ++i) x[i] = spare[i];
}

VICINAL_INLINE void mix_halves(float* x, std::size_t size) noexcept {
    constexpr float root = 0.70710678F;
    const std::size_t half = size / 2;
    for (std::size_t i = 0; i < half; ++i) {
        const float sum = x[i] + x[i + half];
        const float difference = x[i] - x[i + half];
        x[i] = sum * root;
        x[i + half] = difference * root;
    }
}

}  // namespace detail

/// What a rotation is made of, for kernels: see class rotation.
struct rotation_view {
    std::size_t dim;
    std::size_t size;
    std::size_t window;  ///< the largest power of two within size
    const float* signs;  ///< size of them for each round

    [[nodiscard]] VICINAL_INLINE std::size_t rounds() const noexcept { return window == size ? 3 : 4; }
    [[nodiscard]] VICINAL_INLINE std::size_t first_of(std::size_t round) const noexcept {
        return round % 2 == 0 ? 0 : size - window;
    }
};

/// Does what rotation::apply says.
template <class Isa>
VICINAL_INLINE void rotate(const rotation_view& by, const float* vector, float* out, float* spare) noexcept {
    for (std::size_t i = 0; i < by.dim; ++i) out[i] = vector[i];
    for (std::size_t i = by.dim; i < by.size; ++i) out[i] = 0.0F;
    for (std::size_t round = 0; round < by.rounds(); ++round) {
        const float* const signs = by.signs + round * by.size;
        for (std::size_t i = 0; i < by.size; ++i) out[i] *= signs[i];
        detail::hadamard<lanes<Isa>>(out + by.first_of(round), spare, by.window);
        if (by.window != by.size) detail::mix_halves(out, by.size);
    }
}

/// Does what rotation::invert says.
template <class Isa>
VICINAL_INLINE void rotate_back(const rotation_view& by, float* rotated, float* out, float* spare) noexcept {
    // Each step is its own inverse but for the order of signs and transform, whose scale is in the signs.
    for (std::size_t round = by.rounds(); round-- > 0;) {
        if (by.window != by.size) detail::mix_halves(rotated, by.size);
        detail::hadamard<lanes<Isa>>(rotated + by.first_of(round), spare, by.window);
        const float* const signs = by.signs + round * by.size;
        for (std::size_t i = 0; i < by.size; ++i) rotated[i] *= signs[i];
    }
    for (std::size_t i = 0; i < by.dim; ++i) out[i] = rotated[i];
}

/// The product of two rotated vectors, whose size is a multiple of 16.
template <class Isa>
[[nodiscard]] VICINAL_INLINE float dot(const float* a, const float* b, std::size_t size) noexcept {
    using V = lanes<Isa>;
    V sums(0.0F);
    for (std::size_t i = 0; i < size; i += lane_count<Isa>) sums = mul_add(load<V>(a + i), load<V>(b + i), sums);
    return sum_lanes(sums);
}

/// out = a - b of rotated vectors; the sum of its squares is returned.
template <class Isa>
[[nodiscard]] VICINAL_INLINE float subtract(const float* a, const float* b, std::size_t size, float* out) noexcept {
    using V = lanes<Isa>;
    V squares(0.0F);
    for (std::size_t i = 0; i < size; i += lane_count<Isa>) {
        const V off = load<V>(a + i) - load<V>(b + i);
        store(off, out + i);
        squares = mul_add(off, off, squares);
    }
    return sum_lanes(squares);
}

/// Maps `dim` components orthogonally to `size()`, which is dim rounded up to a multiple of 16: lengths and inner
/// products stay as they are, and a vector's components come out much alike. It takes rounds of random signs and
/// Walsh-Hadamard transforms (Ailon, Chazelle 2009); where size() is no power of two, of the first and the last window
/// of components in turn, with the halves mixed pairwise in between (the steps of Kac's walk). It is a function of dim
/// and seed whose products follow sums, so that no compiler can fuse them: the same on every machine.
class rotation {
  public:
    explicit rotation(std::size_t dim, std::uint64_t seed = 0x526F746174696F6EULL)
        : dim_(dim),
          size_((dim + 15) / 16 * 16),
          window_(std::bit_floor(size_)),
          signs_(rotation_view{dim_, size_, window_, nullptr}.rounds() * size_) {
        // The transform of each round scales by sqrt(window); so do, inversely, the signs of what it transforms.
        const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(window_)));
        const rotation_view shape = view();
        for (std::size_t round = 0; round < shape.rounds(); ++round)
            for (std::size_t i = 0; i < size_; ++i) {
                const std::size_t at = round * size_ + i;
                const bool inside = i >= shape.first_of(round) && i < shape.first_of(round) + window_;
                const bool negative = (vicinal::detail::mix(seed + at) & 1U) != 0;
                signs_[at] = (negative ? -1.0F : 1.0F) * (inside ? scale : 1.0F);
            }
    }

    [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// What kernels need of it. It refers to this.
    [[nodiscard]] rotation_view view() const noexcept { return {dim_, size_, window_, signs_.data()}; }

    /// out[0 .. size()) = the rotated vector[0 .. dim()); spare holds size() floats. None of them may overlap.
    template <class Isa>
    void apply(const float* vector, float* out, float* spare) const noexcept {
        rotate<Isa>(view(), vector, out, spare);
    }
    /// Rotates back: out[0 .. dim()) = the vector whose rotated form the size() floats of `rotated` are, or the part of
    /// them that is a rotated form. `rotated` holds nothing of use afterwards.
    template <class Isa>
    void invert(float* rotated, float* out, float* spare) const noexcept {
        rotate_back<Isa>(view(), rotated, out, spare);
    }

  private:
    std::size_t dim_;
    std::size_t size_;
    std::size_t window_;  // the largest power of two within size_
    std::vector<float> signs_;
};

}  // namespace simd

VICINAL_NAMESPACE_END
