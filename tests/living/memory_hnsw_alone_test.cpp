// SPDX-License-Identifier: MIT
// hnsw_index when memory runs out.
#include "living/failing_allocations.hpp"
#include "vicinal/hnsw.hpp"

namespace {
#if defined(VICINAL_TEST_REDUCED)
const registered<vicinal::hnsw_index, combination<vicinal::inner_product, f32>, combination<l2, sq8_then_f32>> entered(
    "hnsw");
#else
const registered<vicinal::hnsw_index, combination<l2, f32>, combination<vicinal::inner_product, f32>,
                 combination<l2, sq8_then_f32>>
    entered("hnsw");
#endif
}  // namespace

TEST_CASE("memory: a reorder that runs out of it has changed nothing, and can be made again") {
    const auto save = [](const auto& index) {
        bytes_t bytes;
        index.save(bytes);
        return bytes;
    };
    vicinal::hnsw_index<l2, sq8_then_f32> index(dim);
    const dataset rows = clustered(220, dim, 5);
    index.add(numbered<std::uint64_t>(200), rows.view(0, 200));
    for (std::uint64_t id = 0; id < 40; ++id) index.remove(id * 3);
    for (std::uint64_t copy = 500; copy < 504; ++copy) index.add(copy, rows[100]);
    index.reserve(1000);
    const bytes_t before = save(index);
    std::size_t refused = 0;
    for (std::size_t n = 0;; ++n) {
        const long blocks = memory_test::live;
        try {
            const short_of_memory limit(n, n % 2 == 1);
            index.reorder();
        } catch (const std::bad_alloc&) {
            ++refused;
            REQUIRE(memory_test::live == blocks);
            REQUIRE(save(index) == before);
            REQUIRE(index.check().ok());
            continue;
        }
        break;
    }
    CHECK(refused > 20);
    REQUIRE(save(index) != before);
    REQUIRE(index.check().ok());
    REQUIRE(index.search(rows[100], 5)[4].distance == 0);
    while (index.size() > 0) REQUIRE(index.remove(index.search(rows[0], 1)[0].id));
}
