// SPDX-License-Identifier: MIT
// A recommender: what is close to a user's taste, in stock, and was not seen yet. Sets of ids are combined, not copied.
#include <cstdio>
#include <vector>
#include <vicinal/hnsw.hpp>

#include "support.hpp"

int main() {
    constexpr std::size_t articles = 5000, users = 20, dim = 24;
    const auto values = some_vectors(articles, dim);
    const auto tastes = some_vectors(users, dim, 8);
    const vicinal::matrix_view taste_of(tastes, dim);
    vicinal::hnsw_index<vicinal::inner_product> index(dim);
    index.add(first_ids(articles), vicinal::matrix_view(values, dim));

    using ids = vicinal::id_set<std::uint64_t>;
    std::vector<ids> seen(users);  // grows with every visit; 2 bytes an id, where they are sparse

    // Three visits: each shows what is best of what the user has not seen, and remembers it.
    for (int visit = 0; visit < 3; ++visit)
        for (std::size_t user = 0; user < users; ++user) {
            const auto shown = index.search(taste_of[user], 5, {.filter = vicinal::except(seen[user])});
            expect(shown.size() == 5, "five articles each time");
            for (const auto& hit : shown) expect(seen[user].insert(hit.id), "none of them twice");
        }

    // What is in stock comes from elsewhere: an id_set of all articles but the sold ones, of what this user wants.
    const ids sold{3, 14, 15, 92, 653};
    const ids new_ones = ids::range(4000, 4999);
    const auto fresh = index.search(taste_of[0], 5, {.filter = (new_ones - sold) - seen[0]});
    for (const auto& hit : fresh) expect(hit.id >= 4000 && !seen[0].contains(hit.id), "new, in stock, not seen");
    std::printf("user 0 saw %zu articles; of the new ones %d suits best\n", seen[0].size(),
                static_cast<int>(fresh[0].id));
}
