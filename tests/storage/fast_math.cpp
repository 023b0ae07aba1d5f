// SPDX-License-Identifier: MIT
// The validation under -ffast-math, where the compiler may assume that no number is NaN or infinite and drop every
// check that asks. A program of its own: linking with that flag changes how a whole process computes.
#include <cstdio>
#include <cstring>
#include <vector>

#include "vicinal/codec/f32.hpp"
#include "vicinal/codec/half.hpp"
#include "vicinal/core/reservoir.hpp"
#include "vicinal/core/top_k.hpp"
#include "vicinal/metric/cosine.hpp"
#include "vicinal/metric/l2.hpp"
#include "vicinal/storage/validation.hpp"

#if !defined(__FAST_MATH__)
#error "compile this with -ffast-math; that is what it tests"
#endif

namespace {

using sizes = std::vector<std::size_t>;
using vicinal::errc;
int failures = 0;

void check(bool good, const char* what, std::size_t dim, std::size_t at) {
    if (good) return;
    ++failures;
    std::printf("failed: %s, dim %zu, component %zu\n", what, dim, at);
}

/// A float the compiler knows nothing about.
float from_bits(std::uint32_t bits) {
    volatile std::uint32_t hidden = bits;
    return std::bit_cast<float>(std::uint32_t{hidden});
}

template <class Metric, class Codec>
bool refused(const std::vector<float>& v, errc want) {
    std::vector<float> out(v.size());
    try {
        vicinal::detail::validate_and_prepare<Codec>(Metric{}, "query", v, out);
    } catch (const vicinal::error& e) {
        return e.code() == want;
    }
    return false;
}

template <class Metric>
void check_gate(std::size_t dim) {
    const std::uint32_t not_finite[] = {0x7FC00000U, 0xFFC00000U, 0x7F800001U, 0xFFFFFFFFU, 0x7F800000U, 0xFF800000U};
    for (std::size_t at = 0; at < dim; ++at) {
        std::vector<float> v(dim, 0.5F);
        for (const std::uint32_t bits : not_finite) {
            v[at] = from_bits(bits);
            check(refused<Metric, vicinal::f32>(v, errc::non_finite), "NaN and infinity are refused", dim, at);
        }
        for (const std::uint32_t bits : {0x7F7FFFFFU, 0xFF7FFFFFU, 0x5F000000U}) {  // FLT_MAX, -FLT_MAX, 2^63
            v[at] = from_bits(bits);
            check(refused<Metric, vicinal::f32>(v, errc::magnitude), "too large is refused", dim, at);
        }
        v[at] = from_bits(0xBF800000U);  // -1
        check(!refused<Metric, vicinal::f32>(v, errc::non_finite), "ordinary numbers are not", dim, at);
    }
}

/// What lies behind a row must not reach its distance, NaN or not.
void check_tail(std::size_t dim) {
    std::vector<float> query(dim + 16, from_bits(0x7FC00000U));
    std::vector<float> row(dim + 16, from_bits(0xFF800000U));
    for (std::size_t i = 0; i < dim; ++i) query[i] = 3.0F, row[i] = 1.0F;
    float distance;
    vicinal::simd::native_kernels::score_block(vicinal::l2{}, vicinal::f32{dim}, query.data(), dim,
                                               reinterpret_cast<const std::byte*>(row.data()), 0, 1, &distance);
    check(distance == 4.0F * static_cast<float>(dim), "numbers behind a row do not matter", dim, dim);
}

/// What has room takes any distance, which it says by a threshold of infinity.
void check_thresholds() {
    std::vector<vicinal::neighbor<>> kept(3);
    vicinal::top_k<std::uint64_t> top(kept);
    check(from_bits(0x7F7FFFFFU) < top.threshold(), "a top_k with room takes any distance", 0, 0);
    std::vector<std::uint64_t> memory(vicinal::detail::reservoir::room(3, 100));
    vicinal::detail::reservoir some(memory, 3);
    check(from_bits(0x7F7FFFFFU) < some.threshold(), "a reservoir with room takes any distance", 0, 0);
}

}  // namespace

int main() {
    check_thresholds();
    for (const std::size_t dim : sizes{1, 3, 8, 9, 16, 31, 100}) {
        check_gate<vicinal::l2>(dim);
        check_gate<vicinal::cosine>(dim);
        check_tail(dim);
    }
    check(refused<vicinal::cosine, vicinal::f32>({0, 0}, errc::zero_norm), "a zero vector under cosine is refused", 2,
          0);
    check(refused<vicinal::l2, vicinal::f16>({from_bits(0x477FE001U)}, errc::magnitude), "f16 refuses above 65504", 1,
          0);
    return failures == 0 ? 0 : 1;
}
