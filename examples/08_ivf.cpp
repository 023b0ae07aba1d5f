// SPDX-License-Identifier: MIT
// ivf_index: vectors in lists around k-means centres; a search scans the lists nearest to the query.
#include <cstdio>
#include <vector>
#include <vicinal/flat.hpp>
#include <vicinal/ivf.hpp>

#include "support.hpp"

int main() {
    constexpr std::size_t count = 4000, dim = 16, queries = 50, k = 10;
    const auto values = some_vectors(count, dim);
    const vicinal::matrix_view rows(values, dim);

    vicinal::ivf_index<vicinal::l2> index(dim, {.lists = 32, .seed = 7});
    index.train(rows.rows(0, 2000));    // the centres, from a sample; a first batch add would do it by itself
    index.add(first_ids(count), rows);  // now also one by one, from any thread
    index.add(4000, std::vector(dim, 2.0F));

    vicinal::flat_index<vicinal::l2> exact(dim);
    exact.add(first_ids(count), rows);

    // More lists, more of the true neighbours, more time.
    double recall = 0;
    for (const std::size_t nprobe : {1U, 4U, 32U}) {
        vicinal::search_stats stats;
        std::size_t found = 0;
        for (std::size_t q = 0; q < queries; ++q) {
            const auto truth = exact.search(rows[q], k);
            for (const auto& hit : index.search(rows[q], k, {.nprobe = nprobe, .stats = &stats}))
                for (const auto& wanted : truth) found += hit.id == wanted.id ? 1U : 0U;
        }
        recall = static_cast<double>(found) / (queries * k);
        std::printf("%2zu lists: recall %.3f, %ju distances a query\n", nprobe, recall,
                    std::uintmax_t{stats.distances / queries});
    }
    expect(recall == 1, "all lists together are an exact search");
    expect(index.search(std::vector(dim, 2.1F), 1)[0].id == 4000, "the vector added alone is found");
}
