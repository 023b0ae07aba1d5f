// SPDX-License-Identifier: MIT
// What codec/ordinary_rows.hpp promises, alone and in the codecs that learn from what it leaves.
#include "vicinal/codec/ordinary_rows.hpp"

#include <cmath>
#include <cstring>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "vicinal/codec/pca8/pca8.hpp"
#include "vicinal/codec/pq/pq.hpp"
#include "vicinal/codec/rabitq.hpp"
#include "vicinal/codec/sq/sq4.hpp"
#include "vicinal/codec/sq/sq8.hpp"

namespace {

using namespace vicinal_test;
using vicinal::detail::ordinary_rows;

template <class Codec>
std::vector<std::byte> taught(const dataset& rows) {
    Codec codec(rows.dim);
    codec.train(rows.view());
    return codec.state();
}
/// The rows with `count` wild ones among them, `distance` times as far off in the components from `first` on.
dataset with_wild(const dataset& rows, std::size_t count, double distance, std::size_t first, std::size_t components) {
    dataset made{rows.dim, {}};
    for (std::size_t r = 0; r < rows.rows(); ++r) {
        made.values.insert(made.values.end(), rows[r].begin(), rows[r].end());
        if (r % (rows.rows() / count) != 7 || made.rows() - r > count) continue;
        made.values.insert(made.values.end(), rows[r].begin(), rows[r].end());
        for (std::size_t i = first; i < first + components; ++i)
            made[made.rows() - 1][i] = static_cast<float>(distance * (1 + std::abs(double{rows[r][i]})));
    }
    return made;
}
/// Every fourth component a tenth, a hundredth, a thousandth as wide.
dataset uneven(std::size_t count, std::size_t dim) {
    const dataset even = gaussian(count, dim);
    return make_rows(count, dim, [&](std::size_t r, std::size_t d) {
        return double{even[r][d]} * std::pow(0.1, static_cast<double>(d % 4));
    });
}

TEST_CASE("ordinary rows: all, where none is wild") {
    for (const std::size_t count : {1U, 2U, 7U, 8U, 63U, 64U, 300U, 5000U})
        for (const std::size_t dim : {1U, 3U, 32U}) {
            const dataset rows = gaussian(count, dim);
            const ordinary_rows found(rows.view(), 1);
            CAPTURE(count, dim);
            REQUIRE(found.rows() == count);
            REQUIRE_FALSE(found.left_out());
            REQUIRE(found[count - 1].data() == rows[count - 1].data());
        }
    const dataset spaced = gaussian(100, 3);
    const ordinary_rows third(spaced.view(), 3);
    REQUIRE(third.rows() == 34);
    REQUIRE(third[33].data() == spaced[99].data());
}

TEMPLATE_TEST_CASE("ordinary rows: codecs learn nothing from up to one wild row in 64", "", vicinal::sq8, vicinal::sq4,
                   vicinal::pq, vicinal::rabitq<4>, vicinal::pca8) {
    for (const dataset& rows : {gaussian(1300, 32), uneven(1300, 32)})
        for (const std::size_t count : {1U, 20U})
            for (const double distance : {12.0, 1e15}) {
                CAPTURE(count, distance);
                REQUIRE(taught<TestType>(with_wild(rows, count, distance, 0, 32)) == taught<TestType>(rows));
                REQUIRE(taught<TestType>(with_wild(rows, count, distance, 4, 1)) == taught<TestType>(rows));
            }
}

TEST_CASE("ordinary rows: one in 64 is wild if it is more than twice as far off as the others, in spreads of its own") {
    const dataset rows = gaussian(1000, 8);
    double farthest = 0;
    for (const float x : rows.values) farthest = std::max(farthest, std::abs(double{x}));
    for (const double factor : {0.9, 3.0}) {
        dataset one = rows;
        one[500][3] = static_cast<float>(farthest * factor);
        REQUIRE(ordinary_rows(one.view(), 1).left_out() == (factor > 2));
        for (std::size_t r = 0; r < one.rows(); ++r) one[r][3] *= 8;  // a component that varies more, as a whole
        REQUIRE(ordinary_rows(one.view(), 1).left_out() == (factor > 2));
        for (std::size_t r = 0; r < one.rows(); ++r) one[r][3] *= 1.0F / 64;  // and one that is off by less than others
        REQUIRE_FALSE(ordinary_rows(one.view(), 1).left_out());
    }
    dataset narrower = rows;  // spreads of its own: 3 times 0.6 is less than twice what others vary by
    for (std::size_t r = 0; r < narrower.rows(); ++r) narrower[r][3] *= 0.6F;
    narrower[500][3] = static_cast<float>(farthest * 1.8);
    REQUIRE(ordinary_rows(narrower.view(), 1).left_out());
    dataset many = rows;  // more than one in 64 are what the data is like
    for (std::size_t r = 0; r < 40; ++r) many[r * 25][2] = 1e5F;
    REQUIRE_FALSE(ordinary_rows(many.view(), 1).left_out());
}

TEST_CASE("ordinary rows: of few rows one may be wild, if far indeed") {
    for (const std::size_t count : {8U, 20U, 63U}) {
        dataset rows = gaussian(count, 8);
        rows[count / 2][1] = 1e5F;
        CAPTURE(count);
        REQUIRE(ordinary_rows(rows.view(), 1).rows() == count - 1);
        rows[count / 2][1] = 12.0F;
        REQUIRE(ordinary_rows(rows.view(), 1).rows() == count);
    }
    dataset seven = gaussian(7, 8);
    seven[3][1] = 1e5F;
    REQUIRE(ordinary_rows(seven.view(), 1).rows() == 7);
    dataset alike = all_equal(1000, 4);  // nothing says what far is
    alike[10][2] = 9;
    REQUIRE(ordinary_rows(alike.view(), 1).rows() == 1000);
}

TEST_CASE("ordinary rows: whole numbers beside a wild row stay exact") {
    dataset rows = make_rows(500, 8, [](std::size_t r, std::size_t d) { return (r * 7 + d * 31) % 256; });
    rows[77][3] = 1e6F;
    vicinal::sq8 codec(8);
    codec.train(rows.view());
    REQUIRE(codec.step(0) == 1.0F);
    REQUIRE(codec.low(0) == 0.0F);
}

TEST_CASE("ordinary rows: clipped components are those that lose more than half a step") {
    for (const bool each : {false, true}) {
        dataset rows = gaussian(1000, 6);
        for (std::size_t r = 0; each && r < rows.rows(); ++r)
            for (std::size_t i = 1; i < 6; ++i) rows[r][i] *= 0.01F;
        vicinal::sq8 codec(6);
        codec.train(rows.view());
        REQUIRE(codec.uniform() != each);
        std::vector<float> v(6, 0.0F);
        REQUIRE(codec.clipped(v) == 0);
        for (std::size_t i = 0; i < 6; ++i) {
            const float high = codec.low(i) + 255 * codec.step(i);
            std::vector<float> within = v, above = v, below = v;
            within[i] = high + 0.4F * codec.step(i);
            above[i] = high + 0.6F * codec.step(i);
            below[i] = codec.low(i) - 0.6F * codec.step(i);
            REQUIRE(codec.clipped(within) == 0);
            REQUIRE(codec.clipped(above) == 1);
            REQUIRE(codec.clipped(below) == 1);
        }
        REQUIRE(codec.clipped(std::vector<float>(6, 1e9F)) == 6);
    }
}

TEST_CASE("ordinary rows: a range widens to what it is given, at least by half, and holds what it held") {
    vicinal::sq8 codec(2);
    codec.train(dataset{2, {-1, 1, 1, -1, 0.5F, 0.5F}}.view());
    const float step = codec.step(0);
    codec.widen(dataset{2, {1.1F, 0}}.view());  // by a little: by half its width
    REQUIRE(codec.low(0) <= -1.0F);
    REQUIRE(codec.low(0) + 255 * codec.step(0) >= 1.99F);
    REQUIRE(codec.step(0) < 2 * step);
    codec.widen(dataset{2, {1000, 0}}.view());
    REQUIRE(codec.clipped(std::vector<float>{1000, -1}) == 0);
    REQUIRE(codec.low(0) + 255 * codec.step(0) < 1001 + codec.step(0));
    vicinal::sq8 far(2);
    far.train(dataset{2, {-6e18F, 0, 0, 0}}.view());
    far.widen(dataset{2, {6.1e18F, -6.1e18F}}.view());
    vicinal::sq8 read(2);
    REQUIRE(read.restore(far.state()));
    vicinal::sq8 whole(2);
    whole.train(dataset{2, {0, 3, 9, 200}}.view());
    whole.widen(dataset{2, {255, 0}}.view());
    REQUIRE(whole.step(0) == 1.0F);
    whole.widen(dataset{2, {-1, 0}}.view());
    REQUIRE(whole.clipped(std::vector<float>{-1, 255}) == 0);
}

}  // namespace
