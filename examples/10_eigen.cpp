// SPDX-License-Identifier: MIT
// Eigen's matrices go in as they are, without a copy. Row-major: a row of the matrix is a vector of the index.
#include <Eigen/Dense>
#include <cstddef>
#include <cstdio>
#include <vicinal/hnsw.hpp>

#include "support.hpp"

int main() {
    using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const auto values = some_vectors(500, 12);
    const matrix data = Eigen::Map<const matrix>(values.data(), 500, 12);

    vicinal::hnsw_index<vicinal::cosine> index(12);
    index.add(first_ids(500), data);

    const auto one = index.search(data.row(7), 1);
    const Eigen::VectorXf mean = data.colwise().mean();
    const auto centre = index.search(mean, 1);
    const auto table = index.search(data.topRows(10), 3);  // a matrix of queries
    std::printf("row 7: %d; mean: %d\n", static_cast<int>(one[0].id), static_cast<int>(centre[0].id));

    expect(one[0].id == 7, "a row finds itself");
    expect(centre.size() == 1, "a vector is a query too");
    expect(table.size() == 10 && table[9][0].id == 9, "and a block of rows is a batch");
}
