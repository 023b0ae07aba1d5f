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

/// Stands for AVX-512 with vectors of 256 bits: most kernels are as fast with them, as memory is the limit, and one
/// machine then computes the same bits as one with AVX2. Kernels that gain by wider ones take those of `wide_isa_of`.
/// It is a type of our namespace, so that xsimd's functions for it and those in objects compiled for AVX2 alone keep
/// two names.
struct avx512vl_isa : xsimd::fma3<xsimd::avx2> {};

/// Stands for AVX-512 with vectors of 512 bits, for the same reason.
struct avx512_isa : xsimd::avx512bw {};

}  // namespace simd

VICINAL_NAMESPACE_END

namespace xsimd::types {
#if defined(VICINAL_HAS_AVX2) && defined(VICINAL_HAS_FMA)
XSIMD_DECLARE_SIMD_REGISTER_ALIAS(vicinal::simd::avx512vl_isa, fma3<avx2>);
#endif
#if defined(VICINAL_HAS_AVX512_V4)
XSIMD_DECLARE_SIMD_REGISTER_ALIAS(vicinal::simd::avx512_isa, avx512bw);
template <class T>
struct get_bool_simd_register<T, vicinal::simd::avx512_isa> : get_bool_simd_register<T, avx512bw> {};
#endif
}  // namespace xsimd::types

VICINAL_NAMESPACE_BEGIN

namespace simd {

// Where xsimd knows no instruction set it declares few of its functions.
#if defined(XSIMD_NO_SUPPORTED_ARCHITECTURE) && !defined(XSIMD_WITH_EMULATED)
#define VICINAL_ONLY_SCALAR
using native_isa = scalar_isa;
#elif defined(VICINAL_HAS_AVX512) && defined(VICINAL_HAS_AVX2) && defined(VICINAL_HAS_FMA)
using native_isa = avx512vl_isa;
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

/// The set whose vectors kernels take that gain by the widest there are: batches, and lists of wide rows.
template <class Isa>
struct wide_isa_of {
    using type = Isa;
};
#if defined(VICINAL_HAS_AVX512_V4)
template <>
struct wide_isa_of<avx512vl_isa> {
    using type = avx512_isa;
};
#endif
template <class Isa>
using wide_isa = typename wide_isa_of<Isa>::type;

/// Whether lists of rows of a codec are scored by the vectors of wide_isa, which was measured: docs/architecture.md,
/// "Lane width". Both give the same bits.
template <class Codec>
inline constexpr bool loads_wide = false;

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
struct avx512vl : avx2 {};  // vectors have 256 bits; functions that take none are free to use 512
struct avx512vnni : avx512vl {};
struct avx512 : x86 {};  // vectors have 512 bits
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
    if constexpr (comes_from<avx512_isa, T>) return tag::avx512{};
#if defined(VICINAL_HAS_AVX512_V4)
    else if constexpr (comes_from<avx512vl_isa, T>)
#if defined(VICINAL_HAS_AVX512_VNNI)
        return tag::avx512vnni{};
#else
        return tag::avx512vl{};
#endif
#endif
    else if constexpr (comes_from<xsimd::avx2, T>)
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

/// Whether there are 32 registers for vectors, rather than 16.
template <class Isa>
inline constexpr bool has_32_registers =
    std::is_base_of_v<tag::avx512, tag_of<Isa>> || std::is_base_of_v<tag::neon64, tag_of<Isa>>;

/// Kernels may read this many bytes past a row or a query; whoever owns the memory provides them.
inline constexpr std::size_t over_read = 64;

}  // namespace simd

VICINAL_NAMESPACE_END
