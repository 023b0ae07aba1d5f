// SPDX-License-Identifier: MIT
// A view of a matrix whose values the caller owns: what indexes take for many vectors.
#pragma once

#include <concepts>     // for convertible_to, same_as
#include <cstddef>      // for ptrdiff_t, size_t
#include <ranges>       // for borrowed_range, contiguous_range, sized_range
#include <span>         // for span
#include <string>       // for to_string
#include <type_traits>  // for is_arithmetic_v, remove_cv_t, remove_reference_t
#include <vector>       // for vector

#include "vicinal/core/error.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// A dense row-major matrix object of another library, such as Eigen's `Matrix<float, Dynamic, Dynamic, RowMajor>`.
template <class M, class T>
concept row_major_matrix = requires(M& m) {
    { m.data() } -> std::convertible_to<T*>;
    { m.rows() } -> std::convertible_to<std::ptrdiff_t>;
    { m.cols() } -> std::convertible_to<std::ptrdiff_t>;
    { m.outerStride() } -> std::convertible_to<std::ptrdiff_t>;
    requires static_cast<bool>(std::remove_cvref_t<M>::IsRowMajor);
    requires !static_cast<bool>(std::remove_cvref_t<M>::IsVectorAtCompileTime);  // one row is a vector_view
};

/// Numbers that lie side by side and outlive the expression: a std::vector or std::array that has a name, a std::span.
template <class R>
concept lasting_numbers = std::ranges::contiguous_range<R> && std::ranges::sized_range<R> &&
    std::ranges::borrowed_range<R> && std::is_arithmetic_v<std::ranges::range_value_t<R>>;

}  // namespace detail

/// A non-owning, row-major matrix: `rows` rows of `dim` values, `stride` values from one row to the next. T may be
/// const. The data must stay alive and unchanged during the call it is passed to.
///
///     std::vector<float> values = ...;               // all rows, one after the other
///     index.add(ids, matrix_view(values, dim));      // values.size() / dim rows
template <class T>
class matrix_view {
  public:
    using value_type = std::remove_cv_t<T>;

    constexpr matrix_view() = default;
    /// `rows` rows of `dim` values, one after the other.
    template <std::convertible_to<T*> P>  // P, since the literal 0 is a T* and the first number of {0, 1, 2} is none
    constexpr matrix_view(P data, std::size_t rows, std::size_t dim) : matrix_view(data, rows, dim, dim) {}
    /// throws  error{invalid_argument} if stride < dim and there is more than one row
    template <std::convertible_to<T*> P>
    constexpr matrix_view(P data, std::size_t rows, std::size_t dim, std::size_t stride)
        : data_(data), rows_(rows), dim_(dim), stride_(stride) {
        if (stride < dim && rows > 1)
            detail::fail(errc::invalid_argument, "matrix_view: stride is " + std::to_string(stride) +
                                                     ", it must be at least dim, " + std::to_string(dim));
    }
    /// All of `values` as values.size() / dim rows of `dim`.
    /// throws  error{dimension_mismatch} if values.size() is not a multiple of dim, or dim is 0 and there are values
    constexpr matrix_view(std::span<T> values, std::size_t dim)
        : matrix_view(values.data(), dim == 0 ? 0 : values.size() / dim, dim) {
        if (dim == 0 ? !values.empty() : values.size() % dim != 0)
            detail::fail(errc::dimension_mismatch, "matrix_view: " + std::to_string(values.size()) +
                                                       " values are not a whole number of rows of " +
                                                       std::to_string(dim));
    }
    /// Eigen's row-major matrices and maps convert.
    /// throws  error{invalid_argument} if the components of a row do not lie side by side
    template <class M>
    requires detail::row_major_matrix<M, T>
    constexpr matrix_view(M&& matrix)  // NOLINT: implicit, as users write it
        : matrix_view(matrix.data(), static_cast<std::size_t>(matrix.rows()), static_cast<std::size_t>(matrix.cols()),
                      static_cast<std::size_t>(matrix.outerStride())) {
        if constexpr (requires { matrix.innerStride(); })
            if (matrix.innerStride() != 1 && dim_ > 1)
                detail::fail(errc::invalid_argument, "matrix_view: components of a row lie " +
                                                         std::to_string(matrix.innerStride()) +
                                                         " values apart, they must lie 1 apart; copy the matrix first");
    }
    /// A view of mutable values converts to a view of const ones.
    template <class U>
    requires(!std::same_as<U, T> &&
             std::convertible_to<U (*)[], T (*)[]>) constexpr matrix_view(const matrix_view<U>& other)  // NOLINT
        : data_(other.data()), rows_(other.rows()), dim_(other.dim()), stride_(other.stride()) {}

    [[nodiscard]] constexpr T* data() const noexcept { return data_; }
    [[nodiscard]] constexpr std::size_t rows() const noexcept { return rows_; }
    [[nodiscard]] constexpr std::size_t dim() const noexcept { return dim_; }
    [[nodiscard]] constexpr std::size_t stride() const noexcept { return stride_; }
    [[nodiscard]] constexpr bool empty() const noexcept { return rows_ == 0; }
    [[nodiscard]] constexpr std::span<T> operator[](std::size_t row) const noexcept {
        return {data_ + row * stride_, dim_};
    }
    /// Rows [first, first + count).
    [[nodiscard]] constexpr matrix_view rows(std::size_t first, std::size_t count) const noexcept {
        matrix_view part = *this;
        part.data_ = data_ + first * stride_;
        part.rows_ = count;
        return part;
    }

  private:
    T* data_ = nullptr;
    std::size_t rows_ = 0;
    std::size_t dim_ = 0;
    std::size_t stride_ = 0;
};

template <class T>
matrix_view(T*, std::size_t, std::size_t) -> matrix_view<T>;
template <class T>
matrix_view(T*, std::size_t, std::size_t, std::size_t) -> matrix_view<T>;
/// `matrix_view(values, dim)` views const numbers if `values` is const. Values without a name are refused, since the
/// view could outlive them; within a call, where it cannot, write `index.add(ids, {make_values(), dim})`.
template <detail::lasting_numbers R>
matrix_view(R&&, std::size_t) -> matrix_view<std::remove_reference_t<std::ranges::range_reference_t<R>>>;

VICINAL_NAMESPACE_END
