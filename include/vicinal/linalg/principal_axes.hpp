// SPDX-License-Identifier: MIT
// Principal axes are the directions in which vectors spread most; here they are found, and checked to be orthonormal.
#pragma once

#include "vicinal/core/target.hpp"

// GCC 12 takes its own AVX-512 intrinsics for uses of uninitialised values wherever Eigen inlines them.
#if defined(VICINAL_GCC) && defined(VICINAL_HAS_AVX512)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <Eigen/Core>  // for Map, Matrix
#if defined(VICINAL_GCC) && defined(VICINAL_HAS_AVX512)
#pragma GCC diagnostic pop
#endif
#include <algorithm>  // for max, min
#include <cstddef>    // for size_t
#include <cstdint>    // for uint64_t
#include <span>       // for span
#include <vector>     // for vector

#include "vicinal/core/math.hpp"
#include "vicinal/core/matrix_view.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

// The functions here that multiply matrices are templates whose parameter nobody uses, so that only programs that have
// a pca8 compile Eigen's products: of an inline function every program would, and vicinal.hpp would take half as long
// again.
using column_matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic>;

/// Returns a number in [-1, 1).
[[nodiscard]] inline float even_random(std::uint64_t counter) noexcept {
    return static_cast<float>(mix(counter) >> 40) * 0x1p-23F - 1.0F;
}

/// Makes the columns of `basis`, of which there are at most as many as rows, orthonormal: Gram-Schmidt, each column
/// twice (Giraud, Langou, Rozloznik 2005). A column that depends on those before it becomes any direction that does
/// not.
template <int = 0>
void make_orthonormal(column_matrix& basis) {
    using vector = Eigen::VectorXf;
    std::uint64_t counter = std::uint64_t{1} << 40;
    for (Eigen::Index j = 0; j < basis.cols(); ++j) {
        vector v = basis.col(j);
        const auto before = basis.leftCols(j);
        // A random direction is independent of those before it all but surely, and three steps make it orthogonal.
        for (int clean = 0, steps = 0; clean < 2 && steps < 64; ++steps) {
            const float length = v.norm();
            if (length > 0.0F) v /= length;
            const vector along = before.transpose() * v;
            v.noalias() -= before * along;
            const float left = v.norm();
            clean = left > 0.5F ? clean + 1 : 0;  // what cancelled is taken once more
            if (left > 1e-4F) continue;
            for (Eigen::Index i = 0; i < v.size(); ++i) v[i] = even_random(counter++);
        }
        basis.col(j) = v / v.norm();
    }
}

/// Returns `count` orthonormal directions, about those in which `rows`, taken from `mean`, spread most, as `count`
/// columns of dim floats, the first spreading most: subspace iteration from random directions (Halko, Martinsson, Tropp
/// 2011). It looks at no more than 8192 evenly spaced rows, at fewer of more than 4096 components. count <= dim, and no
/// number is beyond 2^50. O(rows dim count + dim count^2) for each of three rounds.
template <int = 0>
[[nodiscard]] std::vector<float> principal_axes(matrix_view<const float> rows, std::span<const float> mean,
                                                std::size_t count) {
    const std::size_t dim = rows.dim();
    const std::size_t most = std::clamp<std::size_t>((std::size_t{1} << 25) / dim, 64, 8192);
    const std::size_t every = (rows.rows() + most - 1) / most;
    const std::size_t taken = (rows.rows() + every - 1) / every;
    const auto signed_size = [](std::size_t n) { return static_cast<Eigen::Index>(n); };
    // Each row becomes a column.
    column_matrix sample(signed_size(dim), signed_size(taken));
    for (std::size_t r = 0; r < taken; ++r)
        for (std::size_t i = 0; i < dim; ++i) sample(signed_size(i), signed_size(r)) = rows[r * every][i] - mean[i];
    const float largest = sample.cwiseAbs().maxCoeff();
    if (largest > 0.0F) sample /= largest;
    column_matrix basis(signed_size(dim), signed_size(count));
    for (Eigen::Index i = 0; i < basis.size(); ++i) basis.data()[i] = even_random(static_cast<std::uint64_t>(i));
    for (int round = 0; round < 3; ++round) {
        const column_matrix along = sample.transpose() * basis;
        basis.noalias() = sample * along;
        make_orthonormal(basis);
    }
    return {basis.data(), basis.data() + basis.size()};
}

/// Returns the largest that |B^T B - I| can be in the spectral norm, for B of `count` columns of `dim` finite floats:
/// its Frobenius norm, summed in double. O(dim count^2).
template <int = 0>
[[nodiscard]] double orthonormality_error(std::span<const float> columns, std::size_t dim, std::size_t count) {
    const Eigen::Map<const column_matrix> basis(columns.data(), static_cast<Eigen::Index>(dim),
                                                static_cast<Eigen::Index>(count));
    const Eigen::MatrixXd exact = basis.cast<double>();
    Eigen::MatrixXd gram = exact.transpose() * exact;
    gram.diagonal().array() -= 1.0;
    return gram.norm() + 1e-9;
}

}  // namespace detail

VICINAL_NAMESPACE_END
