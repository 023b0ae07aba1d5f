// SPDX-License-Identifier: MIT
#include "vicinal/flat.hpp"
#include "vicinal/ivf.hpp"
#include "vicinal_contender.hpp"

namespace bench {

std::vector<contender_kind> scan_contenders() {
    using namespace vicinal;
    return {{"flat:f32", make_vicinal<flat_index<l2, f32>>}, {"ivf:f32", make_vicinal<ivf_index<l2, f32>>}};
}

ranking rank_rows(const matrix<float>& rows, const matrix<float>& queries, std::size_t k, std::uint64_t seed) {
    vicinal::flat_index<vicinal::l2, vicinal::f32> exact(rows.dim);
    for (std::size_t row = 0; row < rows.rows; ++row) exact.add(row, rows[row]);
    std::vector<ranking::order> orders(queries.rows);
    std::vector<vicinal::neighbor<>> all(rows.rows);
    for (std::size_t q = 0; q < queries.rows; ++q) {
        (void)exact.search(queries[q], std::span(all));
        orders[q].reserve(all.size());
        for (const auto& row : all) orders[q].push_back({static_cast<std::uint32_t>(row.id), row.distance});
    }
    return {std::move(orders), k, seed};
}

}  // namespace bench
