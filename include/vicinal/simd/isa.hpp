// SPDX-License-Identifier: MIT
// Instruction sets are types: the one a kernel is compiled for has xsimd's name, or ours where xsimd has none.
#pragma once

#include <cstddef>      // for size_t
#include <type_traits>  // for is_base_of_v

// <windows.h> may have made macros of names that xsimd declares.
#pragma push_macro("min")
#pragma push_macro("max")
#undef min
#undef max
#include <xsimd/xsimd.hpp>  // for batch, default_arch
#pragma pop_macro("max")
#pragma pop_macro("min")

#include "vicinal/core/config.hpp"

VICINAL_NAMESPACE_BEGIN

namespace simd {

/// Stands for plain C++ on one float at a time: for machines xsimd does not know, and a reference for those it does.
struct scalar_isa {};

/// Stands for AVX2 in code compiled for AVX-512: the integer kernels have no 512-bit form yet, floats gain little where
/// memory is the limit, and both kinds of machine then compute the same bits. It is a type of our namespace, so that
/// xsimd's functions for it and those in objects compiled for AVX2 alone keep two names.
struct avx2_of_avx512_isa : xsimd::fma3<xsimd::avx2> {};

}  // namespace simd

VICINAL_NAMESPACE_END

#if defined(VICINAL_HAS_AVX2) && defined(VICINAL_HAS_FMA)
namespace xsimd::types {
XSIMD_DECLARE_SIMD_REGISTER_ALIAS(vicinal::simd::avx2_of_avx512_isa, fma3<avx2>);
}  // namespace xsimd::types
#endif

VICINAL_NAMESPACE_BEGIN

namespace simd {

// Where xsimd knows no instruction set it declares few of its functions.
#if defined(XSIMD_NO_SUPPORTED_ARCHITECTURE) && !defined(XSIMD_WITH_EMULATED)
#define VICINAL_ONLY_SCALAR
using native_isa = scalar_isa;
#elif defined(VICINAL_HAS_AVX512) && defined(VICINAL_HAS_AVX2) && defined(VICINAL_HAS_FMA)
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

template <class Isa>
using lanes = typename lanes_of<Isa>::type;
template <class Isa>
inline constexpr std::size_t lane_count = lanes_of<Isa>::count;

/// The instruction sets that have files of their own, as tags that choose an overload in namespace `per_isa`: generic/
/// has one of every function, the folders named after the other tags have those for which they know something better. A
/// tag derives from the one whose functions serve where it has none. So a new set is a tag here, a line in `tag_of`,
/// and a folder of overloads that the headers of simd/ include. Vectors of a tag and of what it derives from are of one
/// size, apart from `generic`, whose functions take vectors of any size, and `x86`, whose functions take none: they are
/// on SSE2, which AVX has too.
namespace tag {
struct generic {};
struct x86 : generic {};
struct sse2 : x86 {};
struct ssse3 : sse2 {};
struct avx : x86 {};
struct avx2 : avx {};
struct neon : generic {};
struct neon64 : neon {};
}  // namespace tag

namespace detail {

template <class T>
struct isa_of {
    using type = T;
};
template <>
struct isa_of<float> {
    using type = scalar_isa;
};
template <class Arch>
struct isa_of<xsimd::batch<float, Arch>> {
    using type = Arch;
};

template <class Arch, class T>
inline constexpr bool comes_from = std::is_base_of_v<Arch, typename isa_of<T>::type>;

/// Finds the first of these instruction sets that one comes from.
template <class T>
[[nodiscard]] constexpr auto find_tag() noexcept {
    if constexpr (comes_from<xsimd::avx2, T>)
        return tag::avx2{};
    else if constexpr (comes_from<xsimd::avx, T>)
        return tag::avx{};
    else if constexpr (comes_from<xsimd::ssse3, T>)
        return tag::ssse3{};
    else if constexpr (comes_from<xsimd::sse2, T>)
        return tag::sse2{};
    else if constexpr (comes_from<xsimd::neon64, T>)
        return tag::neon64{};
    else if constexpr (comes_from<xsimd::neon, T>)
        return tag::neon{};
    else
        return tag::generic{};
}

}  // namespace detail

/// The tag of an instruction set, or of that of a vector.
template <class T>
using tag_of = decltype(detail::find_tag<T>());

/// Kernels may read this many bytes past a row or a query; whoever owns the memory provides them.
inline constexpr std::size_t over_read = 64;

}  // namespace simd

VICINAL_NAMESPACE_END
