// SPDX-License-Identifier: MIT
// What filter_bench asks, how it judges answers, and what it says of them.
#include <sstream>  // for ostringstream

#include "../../benchmarks/filter/measure.hpp"
#include "../../benchmarks/filter/plot.hpp"
#include "../../benchmarks/filter/table.hpp"
#include "support/catch.hpp"

using namespace bench;

namespace {

/// Twenty rows; row i is at distance i from the first query and at 19 - i from the second.
ranking line() {
    ranking::order first, second;
    for (std::uint32_t i = 0; i < 20; ++i) {
        first.push_back({i, static_cast<float>(i)});
        second.push_back({19 - i, static_cast<float>(i)});
    }
    return {{first, second}, 3, 7};
}
selectivity admitting(std::string_view name) {
    for (const selectivity& one : selectivities)
        if (one.name == name) return one;
    FAIL("there is no such selectivity");
    return {};
}
std::vector<std::uint64_t> admitted(const row_filter& filter) {
    std::vector<std::uint64_t> rows;
    for (std::uint64_t row = 0; row < 20; ++row)
        if (filter(row)) rows.push_back(row);
    return rows;
}

/// Returns what it was told to, whatever is asked.
class parrot final : public contender {
  public:
    explicit parrot(std::vector<vicinal::neighbor<>> says) : says_(std::move(says)) {}
    [[nodiscard]] std::vector<std::string> strategies() const override { return {"default", "exact"}; }
    [[nodiscard]] bool takes(form) const override { return true; }
    std::size_t search(std::span<const float>, const row_filter*, form, const std::string&,
                       std::span<vicinal::neighbor<>> out, vicinal::search_stats& stats) override {
        std::copy(says_.begin(), says_.end(), out.begin());
        stats.distances += 5;
        return says_.size();
    }

  private:
    std::vector<vicinal::neighbor<>> says_;
};
figure judged(std::vector<vicinal::neighbor<>> says, std::string_view share) {
    parrot asked(std::move(says));
    const cell of = line().make(relation::anti, admitting(share));
    const matrix<float> queries{1, 1, {0.0F}};
    figure about;
    about.set = "line";
    about.index = "parrot";
    return measure(asked, of, queries, form::callable, {.k = 3, .rounds = 1}, about).front();
}
figure made(std::string strategy, double recall, double distances, double micros) {
    figure one;
    one.set = "line";
    one.index = "some";
    one.given = "callable";
    one.relation = "random";
    one.share = "10 %";
    one.strategy = std::move(strategy);
    one.recall = recall;
    one.wanted = one.found = 10;
    one.distances = distances;
    one.micros = micros;
    return one;
}

}  // namespace

TEST_CASE("filter cells: rows admitted are the closest, the farthest, or as random ones the same for all queries") {
    const ranking rows = line();
    const cell close = rows.make(relation::correlated, admitting("10 %"));
    CHECK(admitted(*close.filters[0]) == std::vector<std::uint64_t>{0, 1});
    CHECK(admitted(*close.filters[1]) == std::vector<std::uint64_t>{18, 19});
    const cell far = rows.make(relation::anti, admitting("10 %"));
    CHECK(admitted(*far.filters[0]) == std::vector<std::uint64_t>{18, 19});
    const cell any = rows.make(relation::random, admitting("50 %"));
    CHECK(admitted(*any.filters[0]).size() == 10);
    CHECK(any.filters[0] == any.filters[1]);
    CHECK(any.filters[0]->ids().size() == 10);
    CHECK(admitted(*rows.make(relation::random, admitting("one row")).filters[0]).size() == 1);
    CHECK(admitted(*rows.make(relation::random, admitting("none")).filters[0]).empty());
}

TEST_CASE("filter cells: a right answer is the k closest of what is admitted") {
    const cell far = line().make(relation::anti, admitting("50 %"));
    CHECK(far.answers[0].count == 3);
    CHECK(far.answers[0].farthest == 12.0F);
    CHECK(line().make(relation::anti, admitting("10 %")).answers[0].count == 2);
    CHECK(line().make(relation::random, admitting("no filter")).answers[1].farthest == 2.0F);
}

TEST_CASE("filter cells: answers are judged") {
    const figure right = judged({{10, 10.0F}, {11, 11.0F}, {12, 12.0F}}, "50 %");
    CHECK(right.recall == 1);
    CHECK(right.wrong == 0);
    CHECK(right.distances == 5);
    const figure early = judged({{10, 10.0F}, {9, 9.0F}}, "50 %");  // row 9 is not admitted, the third is missing
    CHECK(early.recall == 1.0 / 3);
    CHECK(early.wrong == 1);
    CHECK(early.found == 2);
    CHECK(early.wanted == 3);
    const figure twice = judged({{10, 10.0F}, {10, 10.0F}, {15, 15.0F}}, "50 %");
    CHECK(twice.recall == 1.0 / 3);
    CHECK(twice.wrong == 1);
    CHECK(judged({}, "none").recall == 1);
}

TEST_CASE("filter cells: costs are held against the cheapest way that finds enough, and an exact scan") {
    const std::vector<figure> all{made("default", 0.99, 1000, 100), made("plain", 0.99, 900, 60),
                                  made("two_hop", 0.5, 100, 10), made("exact", 1, 500, 80)};
    const judged_cell cell = detail::judge_cell(all[0], all, {});
    REQUIRE(cell.best_distances);
    CHECK(cell.best_distances->strategy == "exact");
    CHECK(cell.best_time->strategy == "plain");
    CHECK(cell.missed({}) == std::vector<std::string>{"distances/best", "time/best", "distances/exact"});

    std::vector<figure> bad{made("default", 0.9, 100, 10)};
    bad[0].found = 9;
    CHECK(detail::judge_cell(bad[0], bad, {}).missed({}) == std::vector<std::string>{"recall", "short"});
}

TEST_CASE("filter cells: table and drawing have every cell") {
    const std::vector<figure> all{made("default", 0.99, 1000, 100), made("exact", 0.8, 500, 80)};
    std::ostringstream table, drawing;
    write_table(table, all);
    CHECK(table.str().find("| random | 10 % | 0.990 | 0 | 1000 | 100 |") != std::string::npos);
    CHECK(table.str().find("1 cells, 1 times a bar was missed") != std::string::npos);
    CHECK(table.str().find("| line | some | callable |") != std::string::npos);
    write_filter_plot(drawing, all, "line");
    CHECK(drawing.str().find("</svg>") != std::string::npos);
    CHECK(drawing.str().find("<g class=\"a\">") != std::string::npos);
}

TEST_CASE("filter cells: figures of a run are kept, those measured again replaced") {
    const std::filesystem::path path = std::filesystem::temp_directory_path() / "vicinal_filter_figures.tsv";
    std::filesystem::remove(path);
    figure_file first(path.string());
    figure kept = made("default", 0.99, 1000, 100);
    kept.choice = "12 plain, 3 exact";
    first.put(kept);
    first.put(made("exact", 1, 500, 80));
    first.save();
    figure_file second(path.string());
    REQUIRE(second.all().size() == 2);
    CHECK(second.all()[0].choice == "12 plain, 3 exact");
    CHECK(second.all()[0].share == "10 %");
    second.put(made("exact", 1, 500, 40));
    CHECK(second.all().size() == 2);
    CHECK(second.all()[1].micros == 40);
    std::filesystem::remove(path);
}
