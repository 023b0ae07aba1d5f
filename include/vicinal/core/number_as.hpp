// SPDX-License-Identifier: MIT
// Casts that some machines need and others do not.
#pragma once

#include <type_traits>  // for is_same_v

#include "vicinal/core/config.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// `value`, which a To can hold, as a To. Sizes and modes of files are of other types on other machines; where they are
/// of the same one, GCC's -Wuseless-cast would warn of a cast.
template <class To, class From>
[[nodiscard]] constexpr To number_as(From value) noexcept {
    if constexpr (std::is_same_v<To, From>)
        return value;
    else
        return static_cast<To>(value);
}

}  // namespace detail

VICINAL_NAMESPACE_END
