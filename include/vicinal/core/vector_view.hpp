// One vector of somebody else's floats.
#pragma once

#include <cstddef>      // for size_t
#include <span>         // for span
#include <type_traits>  // for remove_cvref_t

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

/// What indexes take for one vector: a std::span<const float> to which Eigen's vectors and rows convert as well as
/// std::vector, std::array and whatever else converts to a span. The data must stay alive during the call.
class vector_view : public std::span<const float> {
  public:
    using std::span<const float>::span;
    constexpr vector_view(std::span<const float> values) noexcept
        : std::span<const float>(values) {}  // NOLINT: implicit
    template <detail::dense_vector V>
    constexpr vector_view(const V& vector) noexcept  // NOLINT: implicit, as users write it
        : std::span<const float>(vector.data(), static_cast<std::size_t>(vector.size())) {}
};

VICINAL_NAMESPACE_END
