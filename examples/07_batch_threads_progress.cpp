// SPDX-License-Identifier: MIT
// Many vectors at once, on several threads, with progress and a way to stop.
#include <cstdio>
#include <vector>
#include <vicinal/hnsw.hpp>

#include "support.hpp"

int main() {
    constexpr std::size_t count = 5000, dim = 32;
    const auto values = some_vectors(count, dim);
    const auto ids = first_ids(count);
    const vicinal::matrix_view rows(values, dim);

    // The index is the same for every number of threads, byte for byte. 0 means all of the machine's.
    vicinal::hnsw_index<vicinal::l2> index(dim, {.seed = 7});
    std::size_t last = 0;
    index.add(ids, rows, {.threads = 0, .progress = [&](std::size_t done, std::size_t total) {
                              last = done;
                              std::printf("\radded %zu of %zu", done, total);
                          }});
    std::printf("\n");
    expect(index.size() == count && last == count, "progress ends at the total");

    // A batch of queries: row i of the table belongs to query i.
    const auto table = index.search(rows.rows(0, 100), 3, {.ef = 64, .threads = 2});
    std::size_t found = 0;
    for (std::size_t i = 0; i < table.size(); ++i) found += table[i][0].id == i ? 1U : 0U;
    std::printf("%zu of %zu found themselves\n", found, table.size());
    expect(found >= 95, "nearly every vector finds itself");

    // A stop token ends an add early: what went in before is a prefix of the rows and can be searched.
    vicinal::hnsw_index<vicinal::l2> partial(dim);
    vicinal::stop_source stop;
    const std::size_t added = partial.add(ids, rows, {.stop = stop.get_token(), .progress = [&](auto done, auto) {
                                                          if (done > 0) stop.request_stop();
                                                      }});
    std::printf("stopped after %zu\n", added);
    expect(partial.size() == added, "add returns how many went in");

    try {  // and a search
        (void)index.search(rows[0], 3, {.stop = stop.get_token()});
        expect(false, "a stopped search does not return");
    } catch (const vicinal::error& e) {
        expect(e.code() == vicinal::errc::cancelled, "it throws cancelled");
    }
}
