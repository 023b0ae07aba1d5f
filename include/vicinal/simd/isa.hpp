// The instruction set a kernel is compiled for, as a type; xsimd's name for it, and ours where xsimd has none.
#pragma once

#include <cstddef>          // for size_t
#include <xsimd/xsimd.hpp>  // for batch, default_arch

#include "vicinal/core/config.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

/// Plain C++ on one float at a time: for machines xsimd does not know, and a reference for those it does.
struct scalar_isa {};

/// AVX2 in code compiled for AVX-512: the integer kernels have no 512-bit form yet, floats gain little where memory is
/// the limit, and both kinds of machine then compute the same bits. A type of its own, so that such code and code for
/// AVX2 alone keep two names.
struct avx2_of_avx512_isa {};

// Where xsimd knows no instruction set it declares few of its functions.
#if defined(XSIMD_NO_SUPPORTED_ARCHITECTURE) && !defined(XSIMD_WITH_EMULATED)
#define VICINAL_ONLY_SCALAR
using native_isa = scalar_isa;
#elif defined(__AVX512F__) && defined(__AVX2__) && defined(__FMA__)
using native_isa = avx2_of_avx512_isa;
#else
using native_isa = xsimd::default_arch;
#endif

/// The vector of floats of an instruction set and how many it holds.
template <class Isa>
struct lanes_of {
    using type = xsimd::batch<float, Isa>;
    static constexpr std::size_t count = type::size;
};
template <>
struct lanes_of<scalar_isa> {
    using type = float;
    static constexpr std::size_t count = 1;
};

#if defined(__AVX2__) && defined(__FMA__)
template <>
struct lanes_of<avx2_of_avx512_isa> : lanes_of<xsimd::fma3<xsimd::avx2>> {};
#endif

template <class Isa>
using lanes = typename lanes_of<Isa>::type;
template <class Isa>
inline constexpr std::size_t lane_count = lanes_of<Isa>::count;

/// Isa may read this many bytes past a row or a query; whoever owns the memory provides them.
inline constexpr std::size_t over_read = 64;

}  // namespace simd

VICINAL_NAMESPACE_END
