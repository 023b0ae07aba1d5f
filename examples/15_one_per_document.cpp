// SPDX-License-Identifier: MIT
// Texts are cut into chunks, each with a vector. A reader wants documents, not ten chunks of the same: search_groups.
#include <cstdio>
#include <string>
#include <vector>
#include <vicinal/groups.hpp>
#include <vicinal/hnsw.hpp>

#include "support.hpp"

int main() {
    // Fifty documents of forty chunks each: chunks of one document lie close together.
    constexpr std::size_t documents = 50, chunks = 40, count = documents * chunks, dim = 16;
    const auto topics = some_vectors(documents, dim);
    auto values = some_vectors(count, dim, 8);
    std::vector<std::string> document_of(count);  // of a chunk's id; a database may know it instead
    for (std::size_t chunk = 0; chunk < count; ++chunk) {
        document_of[chunk] = "document " + std::to_string(chunk / chunks);
        for (std::size_t i = 0; i < dim; ++i)
            values[chunk * dim + i] = topics[chunk / chunks * dim + i] + 0.2F * values[chunk * dim + i];
    }
    vicinal::hnsw_index<vicinal::cosine> index(dim);
    index.add(first_ids(count), vicinal::matrix_view(values, dim));
    const auto query = vicinal::matrix_view(topics, dim)[7];

    // Ten chunks are all of one document ...
    for (const auto& hit : index.search(query, 10)) expect(document_of[hit.id] == "document 7", "the same ten times");

    // ... and ten groups are ten documents, the closest first, each with its two best chunks.
    const auto found =
        vicinal::search_groups(index, query, 10, [&](auto chunk) { return document_of[chunk]; }, {.per_group = 2});
    for (const auto& [document, hits] : found)
        std::printf("%s: chunks %d and %d, from %.3f\n", document.c_str(), static_cast<int>(hits[0].id),
                    static_cast<int>(hits[1].id), double{hits[0].distance});
    expect(found.size() == 10 && found[0].key == "document 7", "ten documents");
    for (const auto& group : found) expect(group.hits.size() == 2, "with two chunks each");
}
