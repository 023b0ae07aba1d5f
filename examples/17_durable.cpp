// SPDX-License-Identifier: MIT
// An index in a directory: what was acknowledged is there when the program comes back, whatever ended it.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>
#include <vicinal/durable.hpp>
#include <vicinal/hnsw.hpp>

#include "support.hpp"

int main() {
    using index_type = vicinal::hnsw_index<vicinal::cosine>;
    using catalog_type = vicinal::durable<index_type>;
    constexpr std::size_t count = 500, dim = 32;
    const auto values = some_vectors(count, dim);
    const vicinal::matrix_view rows(values, dim);
    const auto make = [] { return index_type(dim, {.degree = 16}); };
    std::filesystem::remove_all("example_17");

    {
        auto catalog = catalog_type::open("example_17", make);  // makes the directory; other programs are kept out
        catalog.add(first_ids(count), rows);
        const std::string title = "a title";  // travels with the change, and comes back when it is replayed
        catalog.upsert(7, rows[9], {.payload = std::as_bytes(std::span(title))});
        catalog.remove(3);
        expect(catalog.index().search(rows[9], 1).size() == 1, "it is searched as any index");
        // Each call has returned when its change was on the disk: from here on, a crash loses nothing.
    }

    std::string heard;
    const auto replayed = [&](const catalog_type::entry& entry) {
        heard.append(reinterpret_cast<const char*>(entry.payload.data()), entry.payload.size());
    };
    auto catalog = catalog_type::open("example_17", make, {.on_replay = replayed});
    std::printf("%zu rows, %ju changes replayed\n", catalog->size(), std::uintmax_t{catalog.opened().replayed});
    expect(catalog->size() == count - 1 && !catalog->contains(3), "the index is the one that was");
    expect(heard == "a title", "and so is what came with the changes");

    // Another program, or another thread, may follow.
    vicinal::durable_follower<index_type> replica("example_17");
    catalog.checkpoint();  // a snapshot of now; usually the background does that, once the log has grown
    catalog.add(1000, rows[0]);
    expect(replica.refresh() == 1 && replica.index()->contains(1000), "it sees what was written since");

    catalog.close();
    std::filesystem::remove_all("example_17");
}
