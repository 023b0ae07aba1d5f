// SPDX-License-Identifier: MIT
// A recommender: what is close to each user's taste, in stock, and was not shown before. One call answers for all
// users, each with a filter of their own.
#include <cstdio>
#include <vector>
#include <vicinal/hnsw.hpp>

#include "support.hpp"

int main() {
    constexpr std::size_t articles = 5000, users = 20, dim = 24;
    const auto values = some_vectors(articles, dim);
    const auto tastes = some_vectors(users, dim, 8);
    vicinal::hnsw_index<vicinal::inner_product> index(dim);
    index.add(first_ids(articles), vicinal::matrix_view(values, dim));

    using ids = vicinal::id_set<std::uint64_t>;
    const ids sold_out{3, 14, 15, 92, 653};
    std::vector<ids> seen(users);  // 2 bytes an id, where they lie far apart

    // Three visits: each shows what is best of what is in stock and new to the user, and remembers it.
    for (int visit = 0; visit < 3; ++visit) {
        const auto shown = index.search(vicinal::matrix_view(tastes, dim), 5,
                                        {.filter = except(sold_out),
                                         .filter_of = [&](std::size_t user) { return except(seen[user]); },
                                         .threads = 0});
        for (std::size_t user = 0; user < users; ++user) {
            expect(shown[user].size() == 5, "five articles each time");
            for (const auto& hit : shown[user]) {
                expect(!sold_out.contains(hit.id), "all of them in stock");
                expect(seen[user].insert(hit.id), "none of them twice");
            }
        }
    }

    // Sets combine: of the newest thousand, those that user 0 has not seen.
    const auto fresh =
        index.search(vicinal::matrix_view(tastes, dim)[0], 5, {.filter = ids::range(4000, 4999) - sold_out - seen[0]});
    for (const auto& hit : fresh) expect(hit.id >= 4000 && !seen[0].contains(hit.id), "new and not seen");
    std::printf("user 0 saw %zu articles; of the newest %d suits best\n", seen[0].size(),
                static_cast<int>(fresh[0].id));
}
