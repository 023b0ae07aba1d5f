// SPDX-License-Identifier: MIT
// What the harness makes of its measurements: recall, Pareto front, interpolation, JSON and SVG.
#include <limits>   // for numeric_limits
#include <sstream>  // for ostringstream
#include <string>   // for string

#include "../../benchmarks/ann/json.hpp"
#include "../../benchmarks/ann/recall.hpp"
#include "../../benchmarks/ann/svg.hpp"
#include "support/catch.hpp"

using bench::matrix;
using bench::metric;
using bench::trade_off;
using vicinal_test::Approx;

namespace {

std::size_t hits(const std::vector<std::uint32_t>& found) {
    // Rows at squared distances 1, 4, 4, 9 and 16 from the query; with k = 2, rows 1 and 2 tie for the second place.
    const matrix<float> base{5, 1, {1, 2, -2, 3, 4}};
    const matrix<float> queries{1, 1, {0}};
    const matrix<std::uint32_t> truth{1, 3, {0, 1, 2}};
    return bench::recall_judge(metric::l2, base, queries, truth, 2).hits(0, found);
}

}  // namespace

TEST_CASE("recall: counts what is among the first k of the truth") {
    CHECK(hits({0, 1}) == 2);
    CHECK(hits({1, 0}) == 2);
    CHECK(hits({0, 3}) == 1);
    CHECK(hits({0}) == 1);
    CHECK(hits({}) == 0);
    CHECK(hits({3, 4}) == 0);
}

TEST_CASE("recall: a row as close as the k-th counts, a row returned twice counts once, an unknown row not at all") {
    CHECK(hits({0, 2}) == 2);
    CHECK(hits({0, 0}) == 1);
    CHECK(hits({2, 2}) == 1);
    CHECK(hits({0, 77}) == 1);
}

TEST_CASE("recall: exact distances order as the metric does") {
    const std::vector<float> query{1, 0}, same{2, 0}, other{3, 4};
    CHECK(bench::exact_distance(metric::l2, query, other) == 20.0);
    CHECK(bench::exact_distance(metric::inner_product, query, other) == -3.0);
    CHECK(bench::exact_distance(metric::cosine, query, same) == Approx(0.0));
    CHECK(bench::exact_distance(metric::cosine, query, other) == Approx(0.4));
}

TEST_CASE("pareto_front: keeps what nothing beats in both, by rising recall") {
    const auto front = bench::pareto_front({{0.9, 100}, {0.8, 90}, {0.95, 50}, {0.95, 60}, {0.7, 300}, {0.99, 60}});
    REQUIRE(front.size() == 3);
    CHECK(front[0].recall == 0.7);
    CHECK(front[1].rate == 100);
    CHECK(front[2].recall == 0.99);
    CHECK(front[2].rate == 60);
}

TEST_CASE("rate_at: log-linear between settings, a lower bound before the first, nothing after the last") {
    const std::vector<trade_off> front{{0.8, 10000}, {0.9, 100}};
    CHECK(*bench::rate_at(front, 0.85) == Approx(1000));
    CHECK(*bench::rate_at(front, 0.9) == 100);
    CHECK(*bench::rate_at(front, 0.5) == 10000);
    CHECK_FALSE(bench::rate_at(front, 0.91));
    CHECK(bench::is_lower_bound(front, 0.5));
    CHECK_FALSE(bench::is_lower_bound(front, 0.8));
    CHECK_FALSE(bench::rate_at({}, 0.5));
}

TEST_CASE("median: the middle of an odd count, the mean of the middle two of an even one") {
    CHECK(bench::median({3, 1, 2}) == 2);
    CHECK(bench::median({4, 1, 2, 3}) == 2.5);
}

TEST_CASE("json: nests, separates, escapes, and writes null for what is no number") {
    std::ostringstream out;
    bench::json_writer json(out);
    json.object().value("a", "q\"\\\n").value("b", 0.5).array("c").value("", 1).value("", 2).end();
    json.object("d").end().value("e", std::numeric_limits<double>::quiet_NaN()).null("f").end();
    CHECK(out.str() ==
          "{\n  \"a\": \"q\\\"\\\\\\u000a\",\n  \"b\": 0.5,\n  \"c\": [\n    1,\n    2\n  ],\n  \"d\": {},\n"
          "  \"e\": null,\n  \"f\": null\n}\n");
}

TEST_CASE("svg: the same input gives the same bytes, text is escaped, no number is NaN") {
    const std::vector<bench::svg_series> series{{"a<b", {{0.9, 1000}, {1.0, 10}, {0.3, 5000}}}, {"empty", {}}};
    const auto draw = [](const auto& what) {
        std::ostringstream out;
        bench::write_svg(out, "title & more", "", 10, what);
        return out.str();
    };
    const std::string svg = draw(series);
    CHECK(svg == draw(series));
    CHECK(svg.find("a&lt;b") != std::string::npos);
    CHECK(svg.find("title &amp; more") != std::string::npos);
    CHECK(svg.find("nan") == std::string::npos);
    CHECK(svg.find("inf") == std::string::npos);
    CHECK(draw(std::vector<bench::svg_series>{}).find("nan") == std::string::npos);
}
