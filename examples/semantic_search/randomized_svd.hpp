// SPDX-License-Identifier: MIT
// Truncated singular value decomposition of a large sparse matrix by random projection.
#pragma once

#include <Eigen/Dense>       // for Matrix
#include <Eigen/SparseCore>  // for SparseMatrix
#include <cstdint>           // for uint64_t

#include "console.hpp"

namespace demo {

using row_matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

struct right_singular {
    row_matrix vectors;      // columns(a) x rank, orthonormal columns
    Eigen::VectorXf values;  // rank singular values, largest first
};

struct svd_params {
    Eigen::Index rank = 256;
    Eigen::Index oversampling = 16;  // extra directions that sharpen the last wanted ones
    int power_iterations = 3;        // more: nearer to the exact decomposition
    std::uint64_t seed = 7;
};

/// The `rank` largest singular values of `a` and their right singular vectors; fewer if `a` has fewer rows, columns or
/// values above zero. Halko, Martinsson and Tropp (2011), "Finding structure with randomness".
/// cost    about 2 * power_iterations + 2 products of `a` with rank + oversampling vectors
right_singular randomized_svd(const Eigen::SparseMatrix<float, Eigen::RowMajor>& a, const svd_params& params,
                              const progress_fn& progress);

}  // namespace demo
