// SPDX-License-Identifier: MIT
// std::bit_cast, which libc++ lacks before version 14, and through which -ffast-math reaches.
#pragma once

#include <type_traits>  // for is_constant_evaluated, is_floating_point_v, is_trivially_copyable_v

#include "vicinal/core/config.hpp"

VICINAL_NAMESPACE_BEGIN
namespace detail {

/// The To with the same bits as `value`.
template <class To, class From>
[[nodiscard]] VICINAL_INLINE constexpr To bit_cast(const From& value) noexcept {
    static_assert(sizeof(To) == sizeof(From), "both types must have the same size");
    static_assert(std::is_trivially_copyable_v<To> && std::is_trivially_copyable_v<From>,
                  "both types must be trivially copyable");
    To bits = __builtin_bit_cast(To, value);
#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
    // Clang concludes from -ffast-math which bits a number cannot have, and does not look whether it has them.
    if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>)
        if (!std::is_constant_evaluated()) __asm__("" : "+r"(bits));
#endif
    return bits;
}

}  // namespace detail
VICINAL_NAMESPACE_END
