// Eigen's matrices go in as they are, without a copy. Row-major: a row of the matrix is a vector of the index.
#include <Eigen/Dense>
#include <cstddef>
#include <cstdio>
#include <span>
#include <vicinal/vicinal.hpp>

#include "support.hpp"

// A row of a row-major matrix, or a vector, as the span that takes one vector.
template <class Vector>
std::span<const float> as_span(const Vector& v) {
    static_assert(Vector::IsVectorAtCompileTime && Vector::InnerStrideAtCompileTime == 1,
                  "the numbers must be adjacent");
    return {v.data(), static_cast<std::size_t>(v.size())};
}

int main() {
    using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const auto values = some_vectors(500, 12);
    const matrix data = Eigen::Map<const matrix>(values.data(), 500, 12);

    vicinal::hnsw_index<vicinal::cosine> index(12);
    index.add(first_ids(500), data);

    const auto one = index.search(as_span(data.row(7)), 1);
    const Eigen::VectorXf mean = data.colwise().mean();
    const auto centre = index.search(as_span(mean), 1);
    const auto table = index.search(data.topRows(10), 3);  // a matrix of queries
    std::printf("row 7: %d; mean: %d\n", static_cast<int>(one[0].id), static_cast<int>(centre[0].id));

    expect(one[0].id == 7, "a row finds itself");
    expect(centre.size() == 1, "a vector is a query too");
    expect(table.size() == 10 && table[9][0].id == 9, "and a block of rows is a batch");
}
