// SPDX-License-Identifier: MIT
// attributes beside a naive evaluation of the same conditions, row by row, after many changes.
#include "vicinal/attributes.hpp"

#include <cmath>       // for nan
#include <functional>  // for function
#include <limits>      // for numeric_limits
#include <map>         // for map
#include <optional>    // for optional
#include <random>      // for mt19937_64
#include <set>         // for set
#include <string>      // for string
#include <thread>      // for thread

#include "support/catch.hpp"
#include "vicinal/filter.hpp"
#include "vicinal/flat.hpp"

namespace {

using namespace vicinal;

/// One row as the reference keeps it.
struct item {
    std::optional<double> price;
    std::optional<std::int64_t> year;
    std::optional<bool> stock;
    std::optional<std::string> lang;
    std::optional<std::set<std::string>> tags;
};
const std::vector<column> declared = {{"price", column_type::float64},
                                      {"year", column_type::int64},
                                      {"stock", column_type::boolean},
                                      {"lang", column_type::string},
                                      {"tags", column_type::tags}};

template <class T>
attribute_value value_of(const std::optional<T>& value) {
    return value ? attribute_value(*value) : attribute_value();
}
attribute_row row_of(const item& of) {
    attribute_value tags;
    if (of.tags) tags = tag_list(of.tags->begin(), of.tags->end());
    return {{"price", value_of(of.price)},
            {"year", value_of(of.year)},
            {"stock", value_of(of.stock)},
            {"lang", value_of(of.lang)},
            {"tags", tags}};
}
item random_item(std::mt19937_64& random) {
    const auto some = [&] { return random() % 8 != 0; };
    item made;
    if (some()) made.price = static_cast<double>(random() % 400) / 4;
    if (some()) made.year = 1990 + static_cast<std::int64_t>(random() % 30);
    if (some()) made.stock = random() % 2 == 0;
    if (some()) made.lang = std::string(1, static_cast<char>('a' + random() % 5));
    if (some()) made.tags.emplace();
    for (std::size_t i = random() % 4; made.tags && i > 0; --i) made.tags->insert("t" + std::to_string(random() % 6));
    return made;
}

/// Attributes and the reference, changed alike: ids come, change, go and come again, so rows are not in their order.
template <class Id>
struct both {
    attributes<Id> about{declared};
    std::map<Id, item> rows;

    explicit both(const std::function<Id(std::mt19937_64&)>& id, std::size_t changes = 1500) {
        std::mt19937_64 random(7);
        for (std::size_t i = 0; i < changes; ++i) {
            const Id of = id(random);
            if (random() % 5 == 0) {
                REQUIRE(about.erase(of) == (rows.erase(of) == 1));
                continue;
            }
            rows[of] = random_item(random);
            about.set(of, row_of(rows[of]));
        }
    }
    [[nodiscard]] id_set<Id> where(const std::function<bool(const item&)>& holds) const {
        std::vector<Id> ids;
        for (const auto& [id, row] : rows)
            if (holds(row)) ids.push_back(id);
        return id_set<Id>(ids);
    }
};
const both<std::uint64_t>& shop() {
    static const both<std::uint64_t> made([](std::mt19937_64& random) { return random() % 500; });
    return made;
}

template <class F>
std::string refusal(const F& call, errc code = errc::invalid_argument) {
    try {
        call();
    } catch (const error& why) {
        CHECK(why.code() == code);
        return why.what();
    }
    return "nothing was refused";
}

}  // namespace

TEST_CASE("Conditions of each type select the rows that a naive evaluation does", "[attributes]") {
    const auto& [about, rows] = shop();
    const auto price = about.column("price"), year = about.column("year"), stock = about.column("stock"),
               lang = about.column("lang"), tags = about.column("tags");
    struct row {
        attribute_expression condition;
        std::string text;
        std::function<bool(const item&)> holds;
    };
    const row table[] = {
        {price < 50, ".price < 50", [](const item& i) { return i.price && *i.price < 50; }},
        {50 > price, "50 > .price", [](const item& i) { return i.price && *i.price < 50; }},
        {price <= 50.25, ".price<=50.25", [](const item& i) { return i.price && *i.price <= 50.25; }},
        {!(price <= 50.25), "not .price <= 50.25", [](const item& i) { return i.price && *i.price > 50.25; }},
        {price >= 10 && price != 20, ".price >= 1e1 && .price != 20",
         [](const item& i) { return i.price && *i.price >= 10 && *i.price != 20; }},
        {year == 1999 || year > 2010.5, ".year == 1999 || .year > 2010.5",
         [](const item& i) { return i.year && (*i.year == 1999 || *i.year > 2010); }},
        {year <= 1995.5, ".year <= 1995.5", [](const item& i) { return i.year && *i.year <= 1995; }},
        {year < 1995.5, ".year < 1995.5", [](const item& i) { return i.year && *i.year <= 1995; }},
        {year >= 1995.5, ".year >= 1995.5", [](const item& i) { return i.year && *i.year >= 1996; }},
        {year == 1995.5, ".year == 1995.5", [](const item&) { return false; }},
        {year != 1995.5, ".year != 1995.5", [](const item& i) { return i.year.has_value(); }},
        {year.one_of({1991, 1993.0, 2000}), ".year in [1991, 1993.0, 2000]",
         [](const item& i) { return i.year && (*i.year == 1991 || *i.year == 1993 || *i.year == 2000); }},
        {!year.one_of({1991}), "not .year in [1991]", [](const item& i) { return i.year && *i.year != 1991; }},
        {stock && price < 30, ".stock and .price < 30",
         [](const item& i) { return i.stock && *i.stock && i.price && *i.price < 30; }},
        {!stock, "!.stock", [](const item& i) { return i.stock && !*i.stock; }},
        {stock == true, ".stock == 1", [](const item& i) { return i.stock && *i.stock; }},
        {lang == "b", ".lang == \"b\"", [](const item& i) { return i.lang && *i.lang == "b"; }},
        {lang != "b", ".lang != 'b'", [](const item& i) { return i.lang && *i.lang != "b"; }},
        {lang < "c", ".lang < 'c'", [](const item& i) { return i.lang && *i.lang < "c"; }},
        {lang <= "c", ".lang <= 'c'", [](const item& i) { return i.lang && *i.lang <= "c"; }},
        {lang > "c", "'c' < .lang", [](const item& i) { return i.lang && *i.lang > "c"; }},
        {!(lang >= "c"), "not (.lang >= 'c')", [](const item& i) { return i.lang && *i.lang < "c"; }},
        {lang.one_of({"a", "e", "zz"}), ".lang in ['a', \"e\", 'zz']",
         [](const item& i) { return i.lang && (*i.lang == "a" || *i.lang == "e"); }},
        {lang == "nobody", ".lang == 'nobody'", [](const item&) { return false; }},
        {tags.contains("t2"), "'t2' in .tags", [](const item& i) { return i.tags && i.tags->count("t2") == 1; }},
        {!tags.contains("t2"), "not 't2' in .tags", [](const item& i) { return i.tags && i.tags->count("t2") == 0; }},
        {tags.is_null(), ".tags == null", [](const item& i) { return !i.tags; }},
        {lang.has_value(), ".lang != null", [](const item& i) { return i.lang.has_value(); }},
        {price * 2 + year > 2100, ".price * 2 + .year > 2100",
         [](const item& i) { return i.price && i.year && *i.price * 2 + double(*i.year) > 2100; }},
        {(year - 1990) % 7 == 3, "(.year - 1990) % 7 == 3",
         [](const item& i) { return i.year && (*i.year - 1990) % 7 == 3; }},
        {pow(price / 10, 2) < -(-25), "(.price / 10) ** 2 < 25",
         [](const item& i) { return i.price && *i.price < 50; }},
        {price < year - 1950, ".price < .year - 1950",
         [](const item& i) { return i.price && i.year && *i.price < double(*i.year - 1950); }},
        {!(price < 50 && (lang == "a" || !tags.contains("t1"))),
         "not (.price < 50 and (.lang == 'a' or not 't1' in .tags))",
         [](const item& i) {  // unknown unless one of both sides is known to be false
             const bool price_false = i.price && !(*i.price < 50);
             const bool lang_false = i.lang && *i.lang != "a", tag_known = i.tags.has_value();
             return price_false || (lang_false && tag_known && i.tags->count("t1") == 1);
         }},
    };
    for (const row& each : table) {
        CAPTURE(each.text);
        CHECK(about.where(each.condition) == shop().where(each.holds));
        CHECK(about.where(each.text) == shop().where(each.holds));
    }
}

TEST_CASE("What attributes say of an id is what they were told, wherever its row lies", "[attributes]") {
    const auto& [about, rows] = shop();
    REQUIRE(about.size() == rows.size());
    for (std::uint64_t id = 0; id < 500; ++id) {
        const auto found = rows.find(id);
        REQUIRE(about.contains(id) == (found != rows.end()));
        REQUIRE(about.get(id) == (found == rows.end() ? std::nullopt : std::optional(row_of(found->second))));
    }
}

TEST_CASE("Ids may be of any type, far apart and in any order", "[attributes]") {
    const auto holds = [](const item& i) { return i.price && *i.price < 50; };
    const both<std::int64_t> spread(
        [](std::mt19937_64& random) { return static_cast<std::int64_t>(random() % 400 * 0x4A7C15F39CC0605DU); });
    CHECK(spread.about.where(".price < 50") == spread.where(holds));
    const both<std::int32_t> around_zero(
        [](std::mt19937_64& random) { return static_cast<std::int32_t>(random() % 2000) - 1000; });
    CHECK(around_zero.about.where(".price < 50") == around_zero.where(holds));
    const both<std::uint8_t> few([](std::mt19937_64& random) { return static_cast<std::uint8_t>(random() % 256); });
    CHECK(few.about.where(".price < 50") == few.where(holds));

    attributes<> in_order{{"n", column_type::int64}};  // 64 rows at a time
    for (std::uint64_t id = 65500; id < 66000; ++id) in_order.set(id, {{"n", id}});
    CHECK(in_order.where(".n >= 65530 and .n < 65900") == id_set<std::uint64_t>::range(65530, 65899));
    attributes<> aligned{{"n", column_type::int64}};
    for (std::uint64_t id = 65472; id < 66000; ++id) aligned.set(id, {{"n", id}});
    CHECK(aligned.where(".n >= 65530 and .n < 65900") == id_set<std::uint64_t>::range(65530, 65899));
}

TEST_CASE("Whole numbers and doubles are compared exactly", "[attributes]") {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
    const std::int64_t two53 = std::int64_t{1} << 53;
    const std::int64_t integers[] = {least, least + 1, -two53 - 1, -1,       0,   1,
                                     two53, two53 + 1, two53 + 2,  most - 1, most};
    const double infinite = std::numeric_limits<double>::infinity();
    const double reals[] = {-infinite, -0x1p63, -0x1p53,    -1.5,   -0.0,   0.0,
                            0.5,       0x1p53,  0x1p53 + 2, 0x1p62, 0x1p63, infinite};
    attributes<> about{{"i", column_type::int64}, {"d", column_type::float64}};
    std::uint64_t id = 0;
    for (const std::int64_t i : integers)
        for (const double d : reals) about.set(id++, {{"i", i}, {"d", d}});
    // The reference: long double has all bits of both on x86, and elsewhere these values fit 113 bits.
    if (std::numeric_limits<long double>::digits < 64) return;
    const auto i = about.column("i"), d = about.column("d");
    const auto check = [&](const attribute_expression& condition, const auto& holds) {
        id_set<std::uint64_t> wanted;
        std::uint64_t at = 0;
        for (const std::int64_t x : integers)
            for (const double y : reals) {
                if (holds(static_cast<long double>(x), static_cast<long double>(y))) wanted.insert(at);
                ++at;
            }
        CHECK(about.where(condition) == wanted);
    };
    check(i < d, [](long double x, long double y) { return x < y; });
    check(i >= d, [](long double x, long double y) { return x >= y; });
    check(d == i, [](long double x, long double y) { return x == y; });
    for (const double bound : reals) {
        const long double b = bound;
        CAPTURE(bound);
        check(i < bound, [b](long double x, long double) { return x < b; });
        check(i <= bound, [b](long double x, long double) { return x <= b; });
        check(i > bound, [b](long double x, long double) { return x > b; });
        check(i >= bound, [b](long double x, long double) { return x >= b; });
        check(i == bound, [b](long double x, long double) { return x == b; });
        check(i != bound, [b](long double x, long double) { return x != b; });
    }
    for (const std::int64_t bound : integers) {
        const auto b = static_cast<long double>(bound);
        CAPTURE(bound);
        check(i < bound, [b](long double x, long double) { return x < b; });
        check(i != bound, [b](long double x, long double) { return x != b; });
        check(d < bound, [b](long double, long double y) { return y < b; });
        check(d <= bound, [b](long double, long double y) { return y <= b; });
        check(d > bound, [b](long double, long double y) { return y > b; });
        check(d >= bound, [b](long double, long double y) { return y >= b; });
        check(d == bound, [b](long double, long double y) { return y == b; });
        check(d != bound, [b](long double, long double y) { return y != b; });
    }
}

TEST_CASE("NaN is no value, and no comparison with it is known to hold", "[attributes]") {
    attributes<> about{{"d", column_type::float64}, {"i", column_type::int64}};
    about.set(1, {{"d", 0.0}, {"i", 0}});
    const double nan = std::nan("");
    CHECK(refusal([&] { about.set(1, {{"d", nan}}); }, errc::non_finite).find("'d' (float64)") != std::string::npos);
    CHECK(about.where(about.column("d") == 0.0).size() == 1);
    for (const char* column : {"d", "i"}) {
        const auto x = about.column(column);
        for (const attribute_expression& never : {x < nan, x >= nan, x == nan, x != nan, !(x < nan), nan != x})
            CHECK(about.where(never).empty());
        for (const char* text : {" / 0 != 1", " / 0 == 1"})  // 0 / 0
            CHECK(about.where("." + std::string(column) + text).empty());
        CHECK(about.where(!(x % 0).one_of({1})).empty());
    }
}

TEST_CASE("A refused change changes nothing", "[attributes]") {
    attributes<> about{{"price", column_type::float64}, {"year", column_type::int64}, {"lang", column_type::string}};
    about.set(1, {{"price", 2}, {"lang", "de"}});
    const auto before = about.get(1);
    const auto refused = [&](const attribute_row& row, const std::string& says) {
        for (const std::uint64_t id : {std::uint64_t{1}, std::uint64_t{2}})
            CHECK_THAT(refusal([&] { about.set(id, row); }), vicinal_test::contains(says));
        CHECK(about.get(1) == before);
        CHECK_FALSE(about.contains(2));
    };
    refused({{"lang", "fr"}, {"cost", 1}},
            "no column 'cost'; the columns are price (float64), year (int64), lang (string)");
    refused({{"lang", "fr"}, {"price", "dear"}}, "column 'price' (float64) takes no value of type string");
    refused({{"lang", "fr"}, {"year", 1.5}}, "column 'year' (int64) takes no value of type float64");
    refused({{"lang", tag_list{"fr"}}}, "column 'lang' (string) takes no value of type tags");
    refused({{"lang", "fr"}, {"lang", "it"}}, "'lang' (string) has two values for id");
    refused({{"price", (std::int64_t{1} << 53) + 1}}, "no double equals");
    CHECK(about.where(".lang == 'fr'").empty());
    about.set(1, {{"year", 1999}, {"lang", nullptr}});  // others stay
    CHECK(about.get(1) == attribute_row{{"price", 2.0}, {"year", 1999}, {"lang", nullptr}});
    CHECK_THAT(refusal([] {
                   attributes<>{{"a", column_type::int64}, {"a", column_type::tags}};
               }),
               vicinal_test::contains("two columns are called 'a'"));
    CHECK_THAT(refusal([] { attributes<>{{"", column_type::int64}}; }), vicinal_test::contains("0 bytes"));
}

TEST_CASE("A planned change has an effect once it is committed", "[attributes]") {
    attributes<> about{{"lang", column_type::string}, {"tags", column_type::tags}};
    about.set(1, {{"lang", "de"}, {"tags", tag_list{"a", "b"}}});
    { auto dropped = about.plan(1, {{"lang", "fr"}, {"tags", tag_list{"b", "c"}}}); }
    { auto dropped = about.plan(2, {{"lang", "fr"}}); }
    { auto dropped = about.plan_erase(1); }
    CHECK(about.get(1) == attribute_row{{"lang", "de"}, {"tags", tag_list{"a", "b"}}});
    CHECK(about.size() == 1);
    auto made = about.plan(1, {{"lang", "fr"}, {"tags", tag_list{"b", "c"}}});
    CHECK(about.where(".lang == 'de'").size() == 1);  // readers need not wait
    made.commit();
    CHECK(about.where(".lang == 'de' or 'a' in .tags").empty());
    CHECK(about.where(".lang == 'fr' and 'b' in .tags and 'c' in .tags").size() == 1);
}

TEST_CASE("Expressions say what they cannot compare", "[attributes]") {
    const attributes<> about{declared}, other{{"price", column_type::int64}};
    const auto price = about.column("price"), lang = about.column("lang"), tags = about.column("tags");
    const auto says = [](const auto& make, const std::string& what) {
        CHECK_THAT(refusal([&] { (void)make(); }), vicinal_test::contains(what));
    };
    says([&] { return about.column("cost"); },
         "no column 'cost'; the columns are price (float64), year (int64), stock");
    says([&] { return price == "dear"; }, "column 'price' (float64) cannot be compared with the string 'dear'");
    says([&] { return lang < 3; }, "column 'lang' (string) cannot be compared with a number");
    says([&] { return tags == "a"; }, "ask whether tags contain a string");
    says([&] { return lang + 1; }, "+ takes numbers, not column 'lang' (string)");
    says([&] { return price.contains("a"); }, "column 'price' (float64) contains no strings");
    says([&] { return price.one_of({1, "a"}); }, "column 'price' (float64) is no value of type string");
    says([&] { return price < 1 && lang; }, "column 'lang' (string) is no condition");
    says([&] { return price < other.column("price"); }, "joins columns of different attributes");
    says([&] { return about.where(other.column("price") < 1); }, "joins columns of different attributes");
}

TEST_CASE("Text that is no expression is refused with a position and what was expected", "[attributes]") {
    const attributes<> about{declared};
    const std::pair<const char*, const char*> table[] = {
        {"",
         "has its end where a column such as .name, a number, a string, true, false, null, or '(' was expected, at "
         "position 0"},
        {".price <", "has its end where a column"},
        {".price < 50 and", "at position 15"},
        {".price < 50 .year", "has \".\" where an operator, or the end was expected, at position 12"},
        {"(.price < 50", "')' was expected, at position 12"},
        {".price = 50", "has \"=\" where an operator, or the end was expected, at position 7"},
        {".price < 5O", "malformed number at position 9"},
        {".price < 1e999", "beyond what a double holds at position 9"},
        {".lang == 'de", "string without an end at position 9"},
        {".cost < 3",
         "no column 'cost'; the columns are price (float64), year (int64), stock (boolean), lang (string), tags (tags) "
         "(at position 0"},
        {".year > 1 and .lang > 3", "column 'lang' (string) cannot be compared with a number (at position 20"},
        {".lang in [1]", "column 'lang' (string) is no value of type int64"},
        {".lang in 'de'", "a list or a column of tags was expected, at position 9"},
        {"3 in .tags", "has a number, which is no string"},
        {".year in [1, ", "a number, a string, true or false was expected, at position 13"},
        {".year in [1 2]", "',' or ']' was expected, at position 12"},
        {"1 < .year < 3", "compares what was compared already"},
        {"(.year < 3) + 1 > 2", "a condition where a value was expected, at position 0"},
        {".lang", "column 'lang' (string) is no condition"},
        {"price < 3", "has \"price\" where a column"},
    };
    for (const auto& [text, says] : table) {
        CAPTURE(text);
        CHECK_THAT(refusal([&, t = text] { (void)about.parse(t); }), vicinal_test::contains(says));
    }
    for (const char* open : {"(", "not ", "- ", "2 ** ", "!"}) {
        std::string deep;
        for (int i = 0; i < 100000; ++i) deep += open;
        CHECK_THAT(refusal([&] { (void)about.parse(deep + ".price"); }),
                   vicinal_test::contains("nested more than 100"));
    }
}

TEST_CASE("Text reads as it is written", "[attributes]") {
    attributes<> about{{"s", column_type::string}, {"n", column_type::int64}};
    about.set(1, {{"s", "it's \"so\"\n\\"}, {"n", std::numeric_limits<std::int64_t>::min()}});
    about.set(2, {{"s", ""}, {"n", 3}});
    const auto ids = [&](const char* text) {
        const auto set = about.where(text);
        return std::vector<std::uint64_t>(set.begin(), set.end());
    };
    using list = std::vector<std::uint64_t>;
    CHECK(ids(R"(.s == 'it\'s "so"\n\\')") == list{1});
    CHECK(ids(R"(.s == "it's \"so\"\n\\")") == list{1});
    CHECK(ids(".n == -9223372036854775808") == list{1});
    CHECK(ids(".n > -9223372036854775808") == list{2});
    CHECK(ids(".n in [-9223372036854775808, 4]") == list{1});
    CHECK(ids("2 + 3 * 4 ** 2 / 8 - 1 == 7 and 7 % 4 == .n") == list{2});
    CHECK(ids("2 ** 3 ** 2 == 512 and -2 ** 2 == -4") == list{1, 2});
    CHECK(ids(".n == 3 or .n == 3 and false") == list{2});  // and goes before or
    CHECK(ids("not .n == 3 and true") == list{1});
    CHECK(ids("not not (.n==3)&&!(.n!=3)||false") == list{2});
    CHECK(ids(".n in []").empty());
    CHECK(ids("true") == list{1, 2});
}

TEST_CASE("Long chains of conditions need no deep stack", "[attributes]") {
    attributes<> about{{"n", column_type::int64}};
    for (std::uint64_t id = 0; id < 100; ++id) about.set(id, {{"n", id}});
    const auto n = about.column("n");
    attribute_expression some = n == 0;
    for (int i = 1; i < 3000; ++i) some = std::move(some) || n == i * 2;
    CHECK(about.where(some).size() == 50);
    attribute_expression deep = n == 0;
    CHECK_THAT(refusal([&] {
                   for (int i = 0; i < 1000; ++i) deep = n >= 0 && std::move(deep);
               }),
               vicinal_test::contains("nested more than 256 levels deep"));
}

TEST_CASE("A search is filtered by what where returns", "[attributes]") {
    flat_index<> index(1);
    attributes<> about{{"price", column_type::float64}};
    for (std::uint64_t id = 0; id < 50; ++id) {
        index.add(id, std::vector<float>{static_cast<float>(id)});
        about.set(id, {{"price", static_cast<double>(id % 10)}});
    }
    about.set(1000, {{"price", 7.0}});  // which the index does not hold
    const auto hits = index.search(std::vector<float>{20}, 3, {.filter = about.where(".price == 7")});
    REQUIRE(hits.size() == 3);
    CHECK(hits[0].id == 17);
    CHECK(hits[1].id == 27);
    CHECK(hits[2].id == 7);
}

TEST_CASE("Readers see all of a change or nothing of it", "[attributes][threads]") {
    attributes<> about{{"a", column_type::int64}, {"b", column_type::string}};
    for (std::uint64_t id = 0; id < 300; ++id) about.set(id, {{"a", 0}, {"b", "0"}});
    std::thread writer([&] {
        std::mt19937_64 random(3);
        for (int i = 0; i < 3000; ++i) {
            const std::uint64_t id = random() % 300;
            if (i % 10 == 0) about.erase(id);
            const int n = static_cast<int>(random() % 50);
            about.set(id, {{"a", n}, {"b", std::to_string(n)}});
        }
    });
    for (int n = 0; n < 100; ++n) {
        const auto text = std::to_string(n % 50);
        CHECK(about.where("(.a == " + text + ") and .b != '" + text + "'").empty());
        CHECK(about.where(".a == null").empty());
    }
    writer.join();
    CHECK(about.size() == 300);
}
