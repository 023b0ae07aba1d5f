// SPDX-License-Identifier: MIT
#include "randomized_svd.hpp"

#include <algorithm>  // for min
#include <cmath>      // for sqrt
#include <random>     // for mt19937_64

namespace demo {
namespace {

/// Random signs: as good a start as Gaussian numbers, and the same with every standard library.
row_matrix random_signs(Eigen::Index rows, Eigen::Index columns, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    row_matrix out(rows, columns);
    for (Eigen::Index i = 0; i < out.size(); ++i) out.data()[i] = (random() >> 63) != 0 ? 1.0F : -1.0F;
    return out;
}

/// An orthonormal basis of the columns of `m`.
row_matrix orthonormalize(const row_matrix& m) {
    const Eigen::HouseholderQR<Eigen::MatrixXf> qr(m);
    return qr.householderQ() * Eigen::MatrixXf::Identity(m.rows(), m.cols());
}

}  // namespace

right_singular randomized_svd(const Eigen::SparseMatrix<float, Eigen::RowMajor>& a, const svd_params& params,
                              const progress_fn& progress) {
    const Eigen::Index width = std::min({params.rank + params.oversampling, a.rows(), a.cols()});
    const auto steps = static_cast<std::size_t>(params.power_iterations) + 2;
    std::size_t step = 0;

    // A basis of the rows of a, turned towards the strong directions by each product with a^T a. Without the
    // orthonormalisation between products, float would keep only the strongest direction.
    row_matrix basis = orthonormalize(a.transpose() * random_signs(a.rows(), width, params.seed));
    progress(++step, steps);
    for (int i = 0; i < params.power_iterations; ++i) {
        const row_matrix image = a * basis;
        basis = orthonormalize(a.transpose() * image);
        progress(++step, steps);
    }

    // Within that basis the problem is small: the eigenvectors of (a basis)^T (a basis).
    const row_matrix image = a * basis;
    const Eigen::MatrixXd gram = (image.transpose() * image).cast<double>();
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(gram);
    const Eigen::VectorXd values = eigen.eigenvalues().reverse();  // largest first
    Eigen::Index rank = std::min(params.rank, width);
    while (rank > 1 && values[rank - 1] <= 1e-6 * values[0]) --rank;
    const Eigen::MatrixXf turn = eigen.eigenvectors().rowwise().reverse().leftCols(rank).cast<float>();
    progress(steps, steps);
    return {basis * turn, values.head(rank).cwiseMax(0).cwiseSqrt().cast<float>()};
}

}  // namespace demo
