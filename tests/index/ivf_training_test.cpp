// SPDX-License-Identifier: MIT
// Training of inverted files ends, on any rows that are admitted, and looks at its stop token.
#include <cmath>
#include <limits>
#include <optional>
#include <tuple>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/ivf.hpp"

#if defined(__unix__)
#include <unistd.h>
#endif

namespace {

using namespace vicinal_test;
using vicinal::cosine, vicinal::errc, vicinal::f32, vicinal::inner_product, vicinal::l2;

/// Ends the test if a call never does.
struct watchdog {
#if defined(__unix__)
    watchdog() { alarm(120); }
    ~watchdog() { alarm(0); }
#endif
};

/// Rows whose mean is tiny beside them: opposite in one component, all `small` in the other.
dataset opposite(float big, float small, std::size_t rows = 400) {
    return make_rows(rows, 2, [&](std::size_t r, std::size_t d) { return d == 1 ? small : r % 2 == 0 ? big : -big; });
}

TEMPLATE_TEST_CASE("ivf: training ends on whatever rows are admitted, and all of them are found", "", l2, inner_product,
                   cosine) {
    const watchdog dog;
    const float longest = std::sqrt(std::numeric_limits<float>::max() / 8) * 0.99999F;
    const float least = std::numeric_limits<float>::denorm_min();
    for (const auto& [big, small] : {std::pair(1000.0F, 1.0F), std::pair(1000.0F, 1e-30F), std::pair(1000.0F, 1e-37F),
                                     std::pair(1e18F, 1e-22F), std::pair(longest, least), std::pair(longest, 0.0F),
                                     std::pair(longest, 1e-10F), std::pair(1e-15F, least), std::pair(longest, 1.0F)}) {
        CAPTURE(big, small);
        const dataset rows = opposite(big, small);
        for (const std::size_t lists : {0U, 1U, 3U}) {
            vicinal::ivf_index<TestType> index(2, {.lists = lists});
            REQUIRE(index.add(numbered<std::uint64_t>(400), rows.view()) == 400);
            REQUIRE(index.check().ok());
            vicinal::flat_index<TestType> every(2);
            every.add(numbered<std::uint64_t>(400), rows.view());
            REQUIRE(index.search(rows[0], 250, {.nprobe = 400}) == every.search(rows[0], 250));
            REQUIRE(index.search(rows[1], 5).size() == 5);
        }
    }
}

TEST_CASE("ivf: a centroid is as long as its rows in root mean square, unless it is what rounding left of zero") {
    std::vector<float> centroid{3, 4};
    vicinal::detail::lengthen(centroid, 75);
    CHECK(centroid[0] == Approx(6));
    CHECK(centroid[1] == Approx(8));
    centroid = {0, 1e-37F};
    vicinal::detail::lengthen(centroid, 1e6);
    CHECK(centroid == std::vector<float>{0, 1e-37F});
    centroid = {0, 0};
    vicinal::detail::lengthen(centroid, 1e6);
    CHECK(centroid == std::vector<float>{0, 0});
    for (const float wild : {std::numeric_limits<float>::max(), std::numeric_limits<float>::infinity()}) {
        const watchdog dog;
        centroid.assign(100, wild);
        vicinal::detail::draw_in(centroid);  // ends; of finite numbers it makes an admissible vector
        CHECK(vicinal::detail::admissible(vicinal::detail::sum_of_squares(centroid)) == std::isfinite(wild));
    }
}

TEMPLATE_TEST_CASE("ivf: a stopped training changes nothing, whenever it is stopped", "", l2, inner_product) {
    using index_type = vicinal::ivf_index<TestType, vicinal::sq8>;
    const dataset rows = gaussian(2000, 6);
    const auto ids = numbered<std::uint64_t>(2000);
    std::vector<std::byte> empty;
    index_type(6).save(empty);
    for (std::size_t at = 0; at < 4; ++at) {
        index_type index(6);
        vicinal::stop_source source;
        std::size_t told = 0;
        const auto listener = [&](std::size_t, std::size_t) {
            if (++told == at) source.request_stop();
        };
        if (at == 0) source.request_stop();
        std::optional<errc> refused;
        try {
            index.train(rows.view(), {.stop = source.get_token(), .progress = listener});
        } catch (const vicinal::error& e) {
            refused = e.code();
        }
        CHECK(refused == errc::cancelled);
        std::vector<std::byte> bytes;
        index.save(bytes);
        CHECK(bytes == empty);
    }
    index_type index(6);
    vicinal::stop_source source;
    source.request_stop();
    CHECK(index.add(ids, rows.view(), {.stop = source.get_token()}) == 0);
    std::vector<std::byte> bytes;
    index.save(bytes);
    CHECK(bytes == empty);
}

TEST_CASE("ivf: a training stopped after its last iteration changes nothing either") {
    const dataset rows = gaussian(500, 6);
    std::size_t reports = 0;
    const auto count = [&](std::size_t, std::size_t) { ++reports; };
    vicinal::ivf_index<l2, vicinal::sq8>(6).train(rows.view(), {.progress = count});
    vicinal::ivf_index<l2, vicinal::sq8> index(6);
    vicinal::stop_source source;
    std::size_t told = 0;
    const auto listener = [&](std::size_t, std::size_t) {
        if (++told == reports) source.request_stop();
    };
    CHECK_THROWS_AS(index.train(rows.view(), {.stop = source.get_token(), .progress = listener}), vicinal::error);
    CHECK(index.lists() == 0);
}

}  // namespace
