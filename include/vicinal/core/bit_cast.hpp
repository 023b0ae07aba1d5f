// SPDX-License-Identifier: MIT
// detail::bit_cast, which libc++ lacks before version 14.
#pragma once

#include <type_traits>  // for is_trivially_copyable_v

#include "vicinal/core/config.hpp"

VICINAL_NAMESPACE_BEGIN
namespace detail {

/// The To with the same bits as `value`.
template <class To, class From>
[[nodiscard]] VICINAL_INLINE constexpr To bit_cast(const From& value) noexcept {
    static_assert(sizeof(To) == sizeof(From), "both types must have the same size");
    static_assert(std::is_trivially_copyable_v<To> && std::is_trivially_copyable_v<From>,
                  "both types must be trivially copyable");
    return __builtin_bit_cast(To, value);
}

}  // namespace detail
VICINAL_NAMESPACE_END
