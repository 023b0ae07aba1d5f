// The instruction set a kernel is compiled for, as a type; xsimd's name for it, and ours where xsimd has none.
#pragma once

#include <cstddef>          // for size_t
#include <xsimd/xsimd.hpp>  // for batch, default_arch

#include "vicinal/core/config.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

/// Plain C++ on one float at a time: for machines xsimd does not know, and a reference for those it does.
struct scalar_isa {};

#if defined(XSIMD_NO_SUPPORTED_ARCHITECTURE) && !defined(XSIMD_WITH_EMULATED)
using native_isa = scalar_isa;
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

template <class Isa>
using lanes = typename lanes_of<Isa>::type;
template <class Isa>
inline constexpr std::size_t lane_count = lanes_of<Isa>::count;

/// Kernels may read this many bytes past a row or a query; whoever owns the memory provides them.
inline constexpr std::size_t over_read = 64;

}  // namespace simd

VICINAL_NAMESPACE_END
