// SPDX-License-Identifier: MIT
// What flat_index alone promises: exactness at any size, across the pieces rows lie in.
#include "vicinal/flat.hpp"

#include <algorithm>
#include <map>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/reference.hpp"

namespace {

using namespace vicinal_test;
using flat = vicinal::flat_index<>;

hits_t naive(const dataset& rows, std::span<const float> query, std::size_t k) {
    hits_t all;
    for (std::size_t r = 0; r < rows.rows(); ++r) {
        double sum = 0;
        for (std::size_t d = 0; d < rows.dim; ++d) {
            const double difference = double{query[d]} - double{rows[r][d]};
            sum += difference * difference;
        }
        all.push_back({r, static_cast<float>(sum)});
    }
    std::sort(all.begin(), all.end(), vicinal::closer<std::uint64_t>);
    all.resize(std::min(k, all.size()));
    return all;
}

}  // namespace

TEST_CASE("flat index: whole numbers are found exactly at any number of rows") {
    // Squared distances of small whole numbers are exact in float, so ids and distances must be equal to the last bit.
    for (const std::size_t n : {1U, 2U, 3U, 63U, 64U, 65U, 127U, 129U, 1000U, 1024U, 1025U, 4097U, 10000U}) {
        INFO(n << " rows");
        const dataset rows = lattice(n, 3, 9);
        flat index(3);
        REQUIRE(index.add(numbered<std::uint64_t>(n), rows.view()) == n);
        const dataset queries = lattice(4, 3, 9, 70);
        for (std::size_t q = 0; q < 4; ++q)
            for (const std::size_t k : {std::size_t{1}, std::size_t{20}, n})
                if (index.search(queries[q], k) != naive(rows, queries[q], k)) FAIL("query " << q << ", k " << k);
    }
}

TEST_CASE("flat index: whole numbers are found exactly at any dimension") {
    for (std::size_t dim = 1; dim < 70; ++dim) {
        INFO("dim " << dim);
        const dataset rows = lattice(70, dim, 5);
        flat index(dim);
        REQUIRE(index.add(numbered<std::uint64_t>(70), rows.view()) == 70);
        if (index.search(rows[9], 70) != naive(rows, rows[9], 70)) FAIL("dim " << dim);
    }
}

TEST_CASE("flat index: a batch larger than one stretch is stopped between stretches") {
    const std::size_t n = 40000;
    const dataset rows = gaussian(n, 1);
    const auto ids = numbered<std::uint64_t>(n);
    vicinal::stop_source source;
    std::size_t last = 0;
    const auto progress = [&](std::size_t done, std::size_t total) {
        REQUIRE(done > last);
        REQUIRE(total == n);
        last = done;
        if (done > 20000) source.request_stop();
    };
    flat index(1);
    const std::size_t added =
        index.add(ids, rows.view(), {.threads = 2, .stop = source.get_token(), .progress = progress});
    REQUIRE(added == last);
    REQUIRE(added > 20000);
    REQUIRE(added < n);
    REQUIRE(index.size() == added);
    REQUIRE(index.contains(added - 1));
    REQUIRE_FALSE(index.contains(added));
}

TEST_CASE("flat index: a progress function that throws in the middle of a batch undoes all of it") {
    const std::size_t n = 40000;
    const dataset rows = gaussian(n, 1);
    const auto ids = numbered<std::uint64_t>(n, 1000);
    flat index(1);
    index.add(1, rows[0]);
    std::vector<std::byte> before;
    std::vector<std::byte> after;
    index.save(before);
    const auto progress = [&](std::size_t done, std::size_t) {
        if (done > 20000) throw 1;
    };
    REQUIRE_THROWS_AS(index.add(ids, rows.view(), {.progress = progress}), int);
    REQUIRE(index.size() == 1);
    index.save(after);
    REQUIRE((before == after));
    REQUIRE(index.add(ids, rows.view()) == n);
    REQUIRE(index.check().ok());
}

TEST_CASE("flat index: places of removed rows are used again") {
    const dataset rows = gaussian(1000, 16);
    flat index(16);
    REQUIRE(index.add(numbered<std::uint64_t>(1000), rows.view()) == 1000);
    const std::size_t memory = index.memory().vectors;
    for (std::uint64_t round = 0; round < 5; ++round) {
        for (std::uint64_t i = 0; i < 1000; ++i) REQUIRE(index.remove(round * 1000 + i));
        REQUIRE(index.add(numbered<std::uint64_t>(1000, (round + 1) * 1000), rows.view()) == 1000);
    }
    REQUIRE(index.memory().vectors == memory);
    vicinal::search_stats stats;
    (void)index.search(rows[0], 1, {.stats = &stats});
    REQUIRE(stats.distances == 1000);
}

TEST_CASE("flat index: nearest leaves out what was removed since it began") {
    const dataset rows = gaussian(50, 4);
    flat index(4);
    REQUIRE(index.add(numbered<std::uint64_t>(50), rows.view()) == 50);
    auto stream = index.nearest(rows[0]);
    auto at = stream.begin();
    REQUIRE(at->id == 0);
    const std::uint64_t second = index.search(rows[0], 2)[1].id;
    const std::uint64_t third = index.search(rows[0], 3)[2].id;
    index.remove(second);
    ++at;
    REQUIRE(at->id == third);
}
