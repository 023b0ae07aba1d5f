// SPDX-License-Identifier: MIT
// A view of one vector whose components the caller owns, whatever their type.
#pragma once

#include <concepts>          // for convertible_to
#include <cstddef>           // for byte, ptrdiff_t, size_t
#include <cstdint>           // for uint8_t
#include <initializer_list>  // for initializer_list
#include <iterator>          // for contiguous_iterator, iter_value_t, sized_sentinel_for
#include <ranges>            // for contiguous_range, sized_range
#include <span>              // for span
#include <string>            // for to_string
#include <type_traits>       // for remove_cvref_t

#include "vicinal/core/components.hpp"
#include "vicinal/core/error.hpp"

VICINAL_NAMESPACE_BEGIN

class rows_view;

namespace detail {

/// A dense vector object of another library: Eigen's vectors, rows and columns of its matrices, and their like.
template <class V>
concept dense_vector = requires(const V& v) {
    requires vector_component<std::remove_cvref_t<decltype(*v.data())>>;
    { v.size() } -> std::convertible_to<std::ptrdiff_t>;
    { v.innerStride() } -> std::convertible_to<std::ptrdiff_t>;
    requires static_cast<bool>(std::remove_cvref_t<V>::IsVectorAtCompileTime);
};

/// Components that lie side by side: a std::vector, std::array, std::span or array of them.
template <class R>
concept plain_vector = std::ranges::contiguous_range<R> && std::ranges::sized_range<R> &&
    vector_component<std::ranges::range_value_t<R>> && !dense_vector<R>;

/// Refuses packed bits that are too few for their dimension.
inline void require_packed(std::size_t bytes, std::size_t dim) {
    if (bytes < (dim + 7) / 8)
        fail(errc::dimension_mismatch, "packed bits: " + std::to_string(bytes) + " bytes for " + std::to_string(dim) +
                                           " components, they take " + std::to_string((dim + 7) / 8));
}

}  // namespace detail

/// What indexes take for one vector: a view of components of type float, std::int8_t, std::uint8_t, float16, bfloat16
/// or another library's float of 16 bits, which std::vector, std::array, std::span, Eigen's vectors, rows and columns
/// of its matrices and braced lists of numbers convert to; packed_vector makes one of bits. Components become floats,
/// exactly, in memory that the call has anyway. It owns nothing, so they must stay alive as long as it is used. Every
/// call of an index copies what it needs of a vector before it returns.
class vector_view {
  public:
    constexpr vector_view() = default;
    /// `size` components, one after the other.
    template <std::contiguous_iterator It>
    requires vector_component<std::iter_value_t<It>>
    constexpr vector_view(It first, std::size_t size) noexcept
        : vector_view(std::to_address(first), size, 1, detail::kind_of<std::iter_value_t<It>>()) {}
    template <std::contiguous_iterator It, std::sized_sentinel_for<It> End>
    requires vector_component<std::iter_value_t<It>>
    constexpr vector_view(It first, End last) noexcept : vector_view(first, static_cast<std::size_t>(last - first)) {}
    template <detail::plain_vector R>
    constexpr vector_view(const R& components) noexcept  // NOLINT: implicit, as users write it
        : vector_view(std::ranges::data(components), std::ranges::size(components)) {}
    /// The numbers of a braced list, as in `index.add(1, {1.0F, 2.0F})`. They live until the end of the statement that
    /// the list stands in, as any temporary object does: pass a list, never keep a view of one. Clang warns of a kept
    /// view; GCC 12 does not.
    constexpr vector_view(std::initializer_list<float> values VICINAL_LIFETIMEBOUND) noexcept  // NOLINT: implicit
        : vector_view(values.begin(), values.size()) {}
    template <detail::dense_vector V>
    constexpr vector_view(const V& vector) noexcept  // NOLINT: implicit, as users write it
        : vector_view(vector.data(), static_cast<std::size_t>(vector.size()),
                      static_cast<std::ptrdiff_t>(vector.innerStride()),
                      detail::kind_of<std::remove_cvref_t<decltype(*vector.data())>>()) {}

    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
    /// Component i as a float.
    [[nodiscard]] float operator[](std::size_t i) const noexcept {
        float x = 0;
        if (kind_ == detail::component_kind::bit)
            x = static_cast<float>(static_cast<const std::uint8_t*>(data_)[i / 8] >> i % 8 & 1);
        else
            detail::read_components(kind_, at(i), 1, 1, &x);
        return x;
    }
    /// Writes all components, as floats, to `out`, which has room for size().
    void read(float* out) const noexcept { detail::read_components(kind_, data_, step_, size_, out); }
    /// The components where they lie, if they are floats side by side; else null.
    [[nodiscard]] constexpr const float* floats() const noexcept {
        return kind_ == detail::component_kind::f32 && step_ == 1 ? static_cast<const float*>(data_) : nullptr;
    }

  private:
    friend class rows_view;
    friend vector_view packed_vector(std::span<const std::byte> bytes, std::size_t dim);
    constexpr vector_view(const void* data, std::size_t size, std::ptrdiff_t step, detail::component_kind kind) noexcept
        : data_(data), size_(size), step_(step), kind_(kind) {}
    [[nodiscard]] const void* at(std::size_t i) const noexcept {
        return static_cast<const std::byte*>(data_) +
               static_cast<std::ptrdiff_t>(i) * step_ * static_cast<std::ptrdiff_t>(detail::bytes_of(kind_));
    }

    const void* data_ = nullptr;
    std::size_t size_ = 0;
    std::ptrdiff_t step_ = 1;
    detail::component_kind kind_ = detail::component_kind::f32;
};

/// One vector of `dim` zeros and ones, eight to a byte: component i is bit i % 8 of byte i / 8, as numpy's packbits
/// with bitorder='little' and the codec `bits` have it. Bits past the last component have no effect.
/// throws  error{dimension_mismatch} if there are fewer bytes than that takes
[[nodiscard]] inline vector_view packed_vector(std::span<const std::byte> bytes, std::size_t dim) {
    detail::require_packed(bytes.size(), dim);
    return {bytes.data(), dim, 1, detail::component_kind::bit};
}
[[nodiscard]] inline vector_view packed_vector(std::span<const std::uint8_t> bytes, std::size_t dim) {
    return packed_vector(std::as_bytes(bytes), dim);
}

VICINAL_NAMESPACE_END
