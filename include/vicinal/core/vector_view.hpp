// SPDX-License-Identifier: MIT
// A view of one vector whose components the caller owns.
#pragma once

#include <concepts>          // for convertible_to
#include <cstddef>           // for ptrdiff_t, size_t
#include <initializer_list>  // for initializer_list
#include <span>              // for span
#include <type_traits>       // for remove_cvref_t

#include "vicinal/core/config.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// A dense vector object of another library whose values lie side by side: Eigen's vectors, rows of its row-major
/// matrices, and their like.
template <class V>
concept dense_vector = requires(const V& v) {
    { v.data() } -> std::convertible_to<const float*>;
    { v.size() } -> std::convertible_to<std::ptrdiff_t>;
    requires static_cast<bool>(std::remove_cvref_t<V>::IsVectorAtCompileTime);
    requires std::remove_cvref_t<V>::InnerStrideAtCompileTime == 1;
};

}  // namespace detail

/// What indexes take for one vector: a std::span<const float>, to which std::vector, std::array, Eigen's vectors, rows
/// of its row-major matrices and braced lists of numbers convert as well. It owns nothing, so the components must stay
/// alive as long as it is used. Every call of an index copies what it needs of a vector before it returns.
class vector_view : public std::span<const float> {
  public:
    using std::span<const float>::span;
    constexpr vector_view(std::span<const float> values) noexcept
        : std::span<const float>(values) {}  // NOLINT: implicit
    /// The numbers of a braced list, as in `index.add(1, {1.0F, 2.0F})`. They live until the end of the statement that
    /// the list stands in, as any temporary object does: pass a list, never keep a view of one. Clang warns of a kept
    /// view; GCC 12 does not.
    constexpr vector_view(std::initializer_list<float> values VICINAL_LIFETIMEBOUND) noexcept  // NOLINT: implicit
        : std::span<const float>(values.begin(), values.size()) {}
    template <detail::dense_vector V>
    constexpr vector_view(const V& vector) noexcept  // NOLINT: implicit, as users write it
        : std::span<const float>(vector.data(), static_cast<std::size_t>(vector.size())) {}
};

VICINAL_NAMESPACE_END
