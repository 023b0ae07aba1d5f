// SPDX-License-Identifier: MIT
// A view of many vectors whose components the caller owns, whatever their type and wherever they lie.
#pragma once

#include <cstddef>      // for byte, ptrdiff_t, size_t
#include <cstdint>      // for uint8_t
#include <memory>       // for to_address
#include <ranges>       // for range_value_t
#include <span>         // for span
#include <string>       // for to_string
#include <type_traits>  // for is_pointer_v, remove_cvref_t, remove_pointer_t

#include "vicinal/core/matrix_view.hpp"
#include "vicinal/core/vector_view.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// A dense matrix object of another library, in any order: Eigen's matrices, maps, blocks and transposes.
template <class M>
concept dense_matrix = requires(const M& m) {
    requires vector_component<std::remove_cvref_t<decltype(*m.data())>>;
    { m.rows() } -> std::convertible_to<std::ptrdiff_t>;
    { m.cols() } -> std::convertible_to<std::ptrdiff_t>;
    { m.innerStride() } -> std::convertible_to<std::ptrdiff_t>;
    { m.outerStride() } -> std::convertible_to<std::ptrdiff_t>;
    requires !static_cast<bool>(std::remove_cvref_t<M>::IsVectorAtCompileTime);  // one row is a vector_view
};

template <class P>
concept component_pointer = std::is_pointer_v<P> && vector_component<std::remove_pointer_t<P>>;

}  // namespace detail

/// What indexes take for many vectors: rows of components of the types that vector_view has. A matrix_view of these
/// converts, and an Eigen matrix, map, block or transpose of any order and stride; packed_rows makes one of bits. Rows
/// become floats one by one, exactly, in memory that the call has anyway: no copy is made of all. Rows whose components
/// lie apart, as those of a column-major matrix, are read slowly from memory, which counts beside scans, not beside
/// graphs. The data must stay alive and unchanged during the call.
class rows_view {
  public:
    constexpr rows_view() = default;
    template <vector_component T>
    constexpr rows_view(const matrix_view<T>& rows) noexcept  // NOLINT: implicit, as users write it
        : rows_view(rows.data(), rows.rows(), rows.dim(), static_cast<std::ptrdiff_t>(rows.stride()), 1,
                    detail::kind_of<std::remove_cv_t<T>>()) {}
    /// `rows` rows of `dim` components, one after the other, or `stride` components from one to the next.
    /// throws  as matrix_view
    template <detail::component_pointer P>
    constexpr rows_view(P data, std::size_t rows, std::size_t dim) : rows_view(matrix_view(data, rows, dim)) {}
    template <detail::component_pointer P>
    constexpr rows_view(P data, std::size_t rows, std::size_t dim, std::size_t stride)
        : rows_view(matrix_view(data, rows, dim, stride)) {}
    /// All of `values` as rows of `dim`.
    /// throws  as matrix_view
    template <detail::plain_vector R>
    constexpr rows_view(const R& values, std::size_t dim)
        : rows_view(matrix_view<const std::ranges::range_value_t<R>>(
              std::span<const std::ranges::range_value_t<R>>(values), dim)) {}
    template <detail::dense_matrix M>
    constexpr rows_view(const M& matrix) noexcept  // NOLINT: implicit, as users write it
        : rows_view(matrix.data(), static_cast<std::size_t>(matrix.rows()), static_cast<std::size_t>(matrix.cols()),
                    static_cast<std::ptrdiff_t>(M::IsRowMajor ? matrix.outerStride() : matrix.innerStride()),
                    static_cast<std::ptrdiff_t>(M::IsRowMajor ? matrix.innerStride() : matrix.outerStride()),
                    detail::kind_of<std::remove_cvref_t<decltype(*matrix.data())>>()) {}
    /// A vector as the only row.
    explicit constexpr rows_view(const vector_view& row) noexcept
        : rows_view(row.data_, 1, row.size_, 0, row.step_, row.kind_) {}

    [[nodiscard]] constexpr std::size_t rows() const noexcept { return rows_; }
    [[nodiscard]] constexpr std::size_t dim() const noexcept { return dim_; }
    [[nodiscard]] constexpr bool empty() const noexcept { return rows_ == 0; }
    [[nodiscard]] vector_view operator[](std::size_t row) const noexcept {
        return {at(row), dim_, component_step_, kind_};
    }
    /// Rows [first, first + count).
    [[nodiscard]] rows_view rows(std::size_t first, std::size_t count) const noexcept {
        return {at(first), count, dim_, row_step_, component_step_, kind_};
    }

  private:
    friend rows_view packed_rows(const std::byte* bytes, std::size_t rows, std::size_t dim, std::size_t stride);
    constexpr rows_view(const void* data, std::size_t rows, std::size_t dim, std::ptrdiff_t row_step,
                        std::ptrdiff_t component_step, detail::component_kind kind) noexcept
        : data_(data), rows_(rows), dim_(dim), row_step_(row_step), component_step_(component_step), kind_(kind) {}
    [[nodiscard]] const void* at(std::size_t row) const noexcept {
        return static_cast<const std::byte*>(data_) +
               static_cast<std::ptrdiff_t>(row) * row_step_ * static_cast<std::ptrdiff_t>(detail::bytes_of(kind_));
    }

    const void* data_ = nullptr;
    std::size_t rows_ = 0;
    std::size_t dim_ = 0;
    std::ptrdiff_t row_step_ = 0;
    std::ptrdiff_t component_step_ = 1;
    detail::component_kind kind_ = detail::component_kind::f32;
};

/// Rows of `dim` zeros and ones, eight to a byte as in packed_vector, `stride` bytes from one to the next.
/// throws  error{dimension_mismatch} if a row takes more bytes than that
[[nodiscard]] inline rows_view packed_rows(const std::byte* bytes, std::size_t rows, std::size_t dim,
                                           std::size_t stride) {
    detail::require_packed(stride, dim);
    return {bytes, rows, dim, static_cast<std::ptrdiff_t>(stride), 1, detail::component_kind::bit};
}
/// All of `bytes` as rows of (dim + 7) / 8 bytes.
/// throws  error{dimension_mismatch} if they are no whole number of rows
[[nodiscard]] inline rows_view packed_rows(std::span<const std::byte> bytes, std::size_t dim) {
    const std::size_t stride = (dim + 7) / 8;
    if (dim == 0 ? !bytes.empty() : bytes.size() % stride != 0)
        detail::fail(errc::dimension_mismatch, "packed_rows: " + std::to_string(bytes.size()) +
                                                   " bytes are not a whole number of rows of " + std::to_string(dim) +
                                                   " bits, which take " + std::to_string(stride));
    return packed_rows(bytes.data(), dim == 0 ? 0 : bytes.size() / stride, dim, stride);
}
[[nodiscard]] inline rows_view packed_rows(std::span<const std::uint8_t> bytes, std::size_t dim) {
    return packed_rows(std::as_bytes(bytes), dim);
}

VICINAL_NAMESPACE_END
