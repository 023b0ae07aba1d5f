// SPDX-License-Identifier: MIT
// Checked arithmetic is for sizes that come from a file: it says when it would wrap instead of wrapping.
#pragma once

#include <cstddef>   // for size_t
#include <cstdint>   // for uint64_t
#include <limits>    // for numeric_limits
#include <optional>  // for optional
#include <string>    // for to_string

#include "vicinal/core/error.hpp"
#include "vicinal/core/number_as.hpp"

VICINAL_NAMESPACE_BEGIN
namespace detail {

/// Returns a + b, or nothing if 64 bits do not hold it.
[[nodiscard]] constexpr std::optional<std::uint64_t> checked_add(std::uint64_t a, std::uint64_t b) noexcept {
    if (b > (std::numeric_limits<std::uint64_t>::max)() - a) return std::nullopt;
    return a + b;
}

/// Returns a * b, or nothing if 64 bits do not hold it.
[[nodiscard]] constexpr std::optional<std::uint64_t> checked_mul(std::uint64_t a, std::uint64_t b) noexcept {
    if (a != 0 && b > (std::numeric_limits<std::uint64_t>::max)() / a) return std::nullopt;
    return a * b;
}

/// Returns `value` rounded up to a multiple of `step`, a power of two, or nothing if 64 bits do not hold it.
[[nodiscard]] constexpr std::optional<std::uint64_t> checked_round_up(std::uint64_t value,
                                                                      std::uint64_t step) noexcept {
    const auto sum = checked_add(value, step - 1);
    if (!sum) return std::nullopt;
    return *sum & ~(step - 1);
}

/// Returns `value` as a size of this machine's memory.
/// throws  error{limit_exceeded} if a size_t cannot hold it (32-bit machines)
[[nodiscard]] inline std::size_t to_size(std::uint64_t value) {
    const auto size = number_as<std::size_t>(value);
    if (size != value)
        fail(errc::limit_exceeded, std::to_string(value) + " bytes are more than this machine can address");
    return size;
}

}  // namespace detail
VICINAL_NAMESPACE_END
