// SPDX-License-Identifier: MIT
// A collection changes its index and its attributes together or not at all, also beside searches.
#include "vicinal/collection.hpp"

#include <array>   // for array
#include <atomic>  // for atomic
#include <cmath>   // for nan
#include <limits>  // for numeric_limits
#include <string>  // for string
#include <thread>  // for thread

#include "support/catch.hpp"
#include "vicinal/flat.hpp"

namespace {

using namespace vicinal;
using shop_type = collection<flat_index<>>;

shop_type make_shop() { return {flat_index<>(2), {{"price", column_type::float64}, {"lang", column_type::string}}}; }
std::array<float, 2> at(float x) { return {x, 0}; }

template <class Hits>
std::vector<std::uint64_t> ids_of(const Hits& hits) {
    std::vector<std::uint64_t> ids;
    for (const auto& hit : hits) ids.push_back(hit.id);
    return ids;
}
template <class Call>
errc refusal_of(const Call& call) {
    try {
        call();
    } catch (const error& e) {
        return e.code();
    }
    FAIL("nothing was refused");
    return errc::io;
}
using ids = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("a collection finds the closest rows for which a condition holds") {
    auto shop = make_shop();
    for (std::uint64_t id = 0; id < 100; ++id)
        shop.add(id, at(static_cast<float>(id)), {{"price", id}, {"lang", id % 2 == 0 ? "de" : "en"}});
    const auto price = shop.attributes().column("price"), lang = shop.attributes().column("lang");
    CHECK(ids_of(shop.search(at(0), 3, ".price >= 10 and .lang == 'en'")) == ids{11, 13, 15});
    CHECK(ids_of(shop.search(at(0), 3, price >= 10 && lang == "en")) == ids{11, 13, 15});
    const auto by_three = [](std::uint64_t id) { return id % 3 == 0; };
    CHECK(ids_of(shop.search(at(0), 3, std::string(".price >= 10"), {.filter = by_three})) == ids{12, 15, 18});
    CHECK(shop.search(at(0), 3, ".price > 1000").empty());
    const std::array<float, 4> two = {0, 0, 90, 0};
    const auto table = shop.search(rows_view(two.data(), 2, 2), 2, ".lang == 'de'");
    CHECK(ids_of(table[0]) == ids{0, 2});
    CHECK(ids_of(table[1]) == ids{90, 88});
    CHECK(refusal_of([&] { (void)shop.search(at(0), 3, ".weight > 1"); }) == errc::invalid_argument);
}

TEST_CASE("a refused change of a collection changes neither part") {
    auto shop = make_shop();
    shop.add(1, at(1), {{"price", 10}, {"lang", "de"}});
    const auto before = shop.attributes().get(1);
    const auto same = [&] {
        CHECK(shop.size() == 1);
        CHECK(shop.attributes().size() == 1);
        CHECK(shop.attributes().get(1) == before);
        CHECK(shop.search(at(1), 1, ".price == 10").at(0).distance == 0.0F);
    };
    const auto nan = at(std::numeric_limits<float>::quiet_NaN());
    const attribute_row wrong_type = {{"price", 5}, {"lang", 7}}, good = {{"price", 5}};
    CHECK(refusal_of([&] { shop.add(2, at(2), wrong_type); }) == errc::invalid_argument);
    CHECK(refusal_of([&] { shop.add(2, nan, good); }) == errc::non_finite);
    CHECK(refusal_of([&] { shop.add(1, at(2), good); }) == errc::duplicate_id);
    CHECK(refusal_of([&] { shop.update(2, at(2), good); }) == errc::not_found);
    CHECK(refusal_of([&] { shop.update(2, good); }) == errc::not_found);
    CHECK(refusal_of([&] { shop.update(1, nan, good); }) == errc::non_finite);
    CHECK(refusal_of([&] { shop.update(1, at(2), wrong_type); }) == errc::invalid_argument);
    CHECK(refusal_of([&] { shop.upsert(1, nan, good); }) == errc::non_finite);
    CHECK(refusal_of([&] { shop.upsert(2, nan, good); }) == errc::non_finite);
    CHECK(refusal_of([&] { shop.upsert(1, at(2), {{"price", std::nan("")}}); }) == errc::non_finite);
    same();
    CHECK_FALSE(shop.remove(2));
    same();
}

TEST_CASE("changes of a collection reach both parts") {
    auto shop = make_shop();
    shop.upsert(1, at(1), {{"price", 10}, {"lang", "de"}});
    shop.update(1, {{"price", 20}});
    CHECK(ids_of(shop.search(at(1), 1, ".price == 20 and .lang == 'de'")) == ids{1});
    shop.update(1, at(3), {{"price", nullptr}});
    CHECK(shop.search(at(1), 1, ".price == 20").empty());
    CHECK(shop.search(at(3), 1, ".lang == 'de'").at(0).distance == 0.0F);
    shop.upsert(1, at(4), {{"price", 30}});
    CHECK(shop.search(at(4), 1, ".lang == 'de' and .price == 30").at(0).distance == 0.0F);
    shop.update(1, at(5));
    CHECK(shop.search(at(5), 1, ".price == 30").at(0).distance == 0.0F);
    CHECK(shop.remove(1));
    CHECK_FALSE(shop.contains(1));
    CHECK_FALSE(shop.attributes().contains(1));
    shop.add(1, at(1));  // nothing of the former row is left
    CHECK(shop.search(at(1), 1, ".lang == 'de'").empty());
}

TEST_CASE("searches beside changes of a collection meet whole rows") {
    auto shop = make_shop();
    for (std::uint64_t id = 0; id < 64; ++id) shop.add(id, at(static_cast<float>(id)), {{"lang", "de"}});
    std::atomic<bool> done{false};
    std::thread writer([&] {
        for (std::uint64_t round = 0; round < 300; ++round) {
            const std::uint64_t id = 64 + round % 8;
            shop.upsert(id, at(static_cast<float>(id)), {{"lang", round % 2 == 0 ? "en" : "fr"}});
            shop.remove(id);
        }
        done = true;
    });
    std::size_t wrong = 0;
    do {
        const auto hits = shop.search(at(0), 80, ".lang == 'de'");
        wrong += hits.size() != 64;
        for (const auto& hit : shop.search(at(0), 80, "not (.lang == 'de')")) wrong += hit.id < 64;
    } while (!done);
    writer.join();
    CHECK(wrong == 0);
    CHECK(shop.size() == 64);
    CHECK(shop.attributes().size() == 64);
}
