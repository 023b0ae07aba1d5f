// SPDX-License-Identifier: MIT
// Ids are yours: any integer, in any order. Vectors can be replaced and removed while others search.
#include <cstdio>
#include <vector>
#include <vicinal/hnsw.hpp>

#include "support.hpp"

int main() {
    vicinal::hnsw_index<vicinal::l2> index(2);
    index.add(1'000'000'007, {0, 0});
    index.add(42, {3, 4});

    expect(index.contains(42) && !index.contains(43), "contains tells which ids are there");
    expect(index.get(42) == std::vector<float>{3, 4}, "get returns the vector");

    index.update(42, {1, 1});
    const auto nearest = index.search({1, 1}, 1);
    std::printf("after update: %d at %.1f\n", static_cast<int>(nearest[0].id), nearest[0].distance);
    expect(nearest[0].id == 42 && nearest[0].distance == 0, "update moved 42");

    expect(index.remove(42), "remove says that 42 was there");
    expect(!index.remove(42), "and the second time that it was not");
    expect(index.size() == 1, "one vector is left");

    // Mistakes are refused with a reason, and leave the index as it was.
    const auto refused = [&](vicinal::errc expected, auto&& mistake) {
        try {
            mistake();
        } catch (const vicinal::error& e) {
            std::printf("refused: %s\n", e.what());
            return e.code() == expected;
        }
        return false;
    };
    expect(refused(vicinal::errc::duplicate_id, [&] { index.add(1'000'000'007, {5, 5}); }), "an id twice");
    expect(refused(vicinal::errc::dimension_mismatch, [&] { index.add(2, {1, 2, 3}); }), "a longer vector");
    expect(refused(vicinal::errc::not_found, [&] { index.update(42, {1, 2}); }), "update of nothing");
    expect(index.size() == 1, "nothing changed");
}
