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

}  // namespace detail

/// Maps `dim` components orthogonally to `size()`, which is dim rounded up to a multiple of 16: lengths and inner
/// products stay as they are, and a vector's components come out much alike. It takes rounds of random signs and
/// Walsh-Hadamard transforms (Ailon, Chazelle 2009); where size() is no power of two, of the first and the last window
/// of components in turn, with the halves mixed pairwise in between (the steps of Kac's walk). It is a function of dim
/// and seed whose products follow sums, so that no compiler can fuse them: the same on every machine.
class rotation {
  public:
    explicit rotation(std::size_t dim, std::uint64_t seed = 0x526F746174696F6EULL)
        : dim_(dim), size_((dim + 15) / 16 * 16), window_(std::bit_floor(size_)), signs_(rounds() * size_) {
        // The transform of each round scales by sqrt(window); so do, inversely, the signs of what it transforms.
        const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(window_)));
        for (std::size_t round = 0; round < rounds(); ++round)
            for (std::size_t i = 0; i < size_; ++i) {
                const std::size_t at = round * size_ + i;
                const bool inside = i >= first_of(round) && i < first_of(round) + window_;
                const bool negative = (vicinal::detail::mix(seed + at) & 1U) != 0;
                signs_[at] = (negative ? -1.0F : 1.0F) * (inside ? scale : 1.0F);
            }
    }

    [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// out[0 .. size()) = the rotated vector[0 .. dim()); spare holds size() floats. None of them may overlap.
    template <class Isa>
    void apply(const float* vector, float* out, float* spare) const noexcept {
        for (std::size_t i = 0; i < dim_; ++i) out[i] = vector[i];
        for (std::size_t i = dim_; i < size_; ++i) out[i] = 0.0F;
        for (std::size_t round = 0; round < rounds(); ++round) {
            const float* const signs = signs_.data() + round * size_;
            for (std::size_t i = 0; i < size_; ++i) out[i] *= signs[i];
            transform<lanes<Isa>>(out + first_of(round), spare);
            if (window_ != size_) mix_halves(out);
        }
    }

    /// Rotates back: out[0 .. dim()) = the vector whose rotated form the size() floats of `rotated` are, or the part of
    /// them that is a rotated form. `rotated` holds nothing of use afterwards.
    template <class Isa>
    void invert(float* rotated, float* out, float* spare) const noexcept {
        // Each step is its own inverse but for the order of signs and transform, whose scale is in the signs.
        for (std::size_t round = rounds(); round-- > 0;) {
            if (window_ != size_) mix_halves(rotated);
            transform<lanes<Isa>>(rotated + first_of(round), spare);
            const float* const signs = signs_.data() + round * size_;
            for (std::size_t i = 0; i < size_; ++i) rotated[i] *= signs[i];
        }
        for (std::size_t i = 0; i < dim_; ++i) out[i] = rotated[i];
    }

  private:
    [[nodiscard]] std::size_t rounds() const noexcept { return window_ == size_ ? 3 : 4; }
    [[nodiscard]] std::size_t first_of(std::size_t round) const noexcept {
        return round % 2 == 0 ? 0 : size_ - window_;
    }

    template <class V>
    VICINAL_INLINE void transform(float* x, float* spare) const noexcept {
        std::size_t stages = 0;
        for (std::size_t n = window_; n > 1; n /= 2, ++stages) {
            if (stages % 2 == 0)
                detail::hadamard_stage<V>(x, spare, window_);
            else
                detail::hadamard_stage<V>(spare, x, window_);
        }
        if (stages % 2 == 1)
            for (std::size_t i = 0; i < window_; ++i) x[i] = spare[i];
    }
    VICINAL_INLINE void mix_halves(float* x) const noexcept {
        constexpr float root = 0.70710678F;
        const std::size_t half = size_ / 2;
        for (std::size_t i = 0; i < half; ++i) {
            const float sum = x[i] + x[i + half];
            const float difference = x[i] - x[i + half];
            x[i] = sum * root;
            x[i + half] = difference * root;
        }
    }

    std::size_t dim_;
    std::size_t size_;
    std::size_t window_;  // the largest power of two within size_
    std::vector<float> signs_;
};

}  // namespace simd

VICINAL_NAMESPACE_END
