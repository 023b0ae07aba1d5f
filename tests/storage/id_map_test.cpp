// SPDX-License-Identifier: MIT
// What storage/id_map.hpp promises.
#include "vicinal/storage/id_map.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "support/catch.hpp"

namespace {

using namespace vicinal::detail;

slot_t add(id_map<std::uint64_t>& d, std::uint64_t id) {
    d.reserve_extra(1);
    d.reserve_free(d.high_water_after(1));
    return d.insert(id);
}
void remove(id_map<std::uint64_t>& d, slot_t slot) {
    d.retire(slot);
    d.release(slot);
}

TEST_CASE("id_map: agrees with a map through any mix of inserts and removals") {
    std::mt19937_64 random(19);
    id_map<std::uint64_t> directory;
    std::map<std::uint64_t, slot_t> map;
    for (int step = 0; step < 20000; ++step) {
        const std::uint64_t id = random() % 600;  // dense: long runs, many of them shifted back
        if (const auto found = map.find(id); found == map.end()) {
            map[id] = add(directory, id);
        } else if (random() % 3 != 0) {
            remove(directory, found->second);
            map.erase(found);
        }
        if (step % 500 == 0)
            for (std::uint64_t i = 0; i < 600; ++i) REQUIRE(directory.find(i) == (map.contains(i) ? map[i] : no_slot));
    }
    REQUIRE(directory.live() == map.size());
    CHECK(directory.retired() == 0);
    CHECK(directory.high_water() <= 600);  // places are used again
    std::size_t live = 0;
    directory.for_each_live([&](slot_t slot) {
        ++live;
        REQUIRE(map.at(directory.id(slot)) == slot);
    });
    CHECK(live == map.size());
}

TEST_CASE("id_map: upcoming tells where the next inserts go") {
    id_map<std::uint64_t> directory;
    for (std::uint64_t id = 0; id < 10; ++id) add(directory, id);
    remove(directory, 3);
    remove(directory, 7);
    directory.reserve_extra(4);
    std::vector<slot_t> told, taken;
    for (std::size_t i = 0; i < 4; ++i) told.push_back(directory.upcoming(i));
    for (std::uint64_t id = 20; id < 24; ++id) taken.push_back(directory.insert(id));
    CHECK(told == taken);
    CHECK(directory.high_water() == 12);
}

TEST_CASE("id_map: the lowest free rows come first, whatever was freed when, and free rows at the end are forgotten") {
    std::mt19937_64 random(5);
    id_map<std::uint64_t> directory;
    std::vector<slot_t> in_use;
    std::uint64_t id = 0;
    for (int step = 0; step < 400; ++step) {
        std::set<slot_t> expected(in_use.begin(), in_use.end());
        const std::size_t more = random() % 300;
        std::vector<slot_t> lowest;
        for (slot_t slot = 0; lowest.size() < more; ++slot)
            if (!expected.contains(slot)) lowest.push_back(slot);
        REQUIRE(directory.upcoming_rows(more) == lowest);
        REQUIRE(directory.high_water_after(more) ==
                std::max<std::size_t>(directory.high_water(), more == 0 ? 0 : lowest.back() + std::size_t{1}));
        for (const slot_t slot : lowest) {
            REQUIRE(add(directory, id++) == slot);
            in_use.push_back(slot);
        }
        std::shuffle(in_use.begin(), in_use.end(), random);
        for (std::size_t less = std::min<std::size_t>(in_use.size(), random() % 320); less > 0; --less) {
            remove(directory, in_use.back());
            in_use.pop_back();
        }
        const std::size_t end = in_use.empty() ? 0 : *std::max_element(in_use.begin(), in_use.end()) + std::size_t{1};
        REQUIRE(directory.used_end() == end);
        if (random() % 4 == 0) continue;
        directory.lower_high_water(end);
        directory.fit(random() % 2 == 0);
        REQUIRE(directory.high_water() == end);
        for (const slot_t slot : in_use) REQUIRE(directory.find(directory.id(slot)) == slot);
    }
}

TEST_CASE("id_map: where rows are dense, the last takes the place of one that goes") {
    std::mt19937_64 random(6);
    id_map<std::uint64_t> directory;
    std::vector<std::uint64_t> ids;  // of each row
    for (int step = 0; step < 5000; ++step) {
        if (ids.empty() || random() % 100 < (step / 1000 % 2 == 0 ? 80U : 20U)) {
            const std::uint64_t id = (std::uint64_t{1} << 32) + static_cast<std::uint64_t>(step);
            directory.reserve_extra(1);
            REQUIRE(directory.insert(id) == ids.size());
            ids.push_back(id);
        } else {
            const std::size_t at = random() % ids.size();
            const auto moved = directory.remove_dense(static_cast<slot_t>(at));
            REQUIRE(moved == (at + 1 == ids.size() ? no_slot : static_cast<slot_t>(ids.size() - 1)));
            REQUIRE(directory.find(ids[at]) == no_slot);
            ids[at] = ids.back();
            ids.pop_back();
            auto smaller = directory.smaller_table(random() % 50 == 0);
            directory.exchange_table(smaller);
        }
        REQUIRE(directory.high_water() == ids.size());
        REQUIRE(directory.live() == ids.size());
        if (step % 100 != 0) continue;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            REQUIRE(directory.find(ids[i]) == i);
            REQUIRE(directory.is_live(static_cast<slot_t>(i)));
        }
    }
}

TEST_CASE("id_map: a larger table is made beside look-ups and put in place in one step") {
    id_map<std::uint64_t> directory;
    directory.reserve_extra(1000);
    for (std::uint64_t id = 0; id < 1000; ++id) directory.insert(id);
    const std::size_t memory = directory.memory();
    auto larger = directory.prepare_extra(100000);
    REQUIRE(larger.size() == 262144);
    CHECK(directory.memory() == memory);  // nothing that readers see has changed
    for (std::uint64_t id = 0; id < 1000; ++id) REQUIRE(directory.find(id) == id);
    const slot_t* const made = larger.data();
    directory.exchange_table(larger);
    CHECK(directory.memory() == memory + sizeof(slot_t) * (262144 - 2048));
    CHECK(larger.size() == 2048);  // the very tables changed places
    CHECK(larger.data() != made);
    for (std::uint64_t id = 0; id < 1000; ++id) REQUIRE(directory.find(id) == id);
    CHECK(directory.prepare_extra(90000).empty());
}

TEST_CASE("id_map: memory is given back as rows go, and not made again at each that comes") {
    id_map<std::uint64_t> directory;
    constexpr std::size_t count = 200000;
    directory.reserve_extra(count);
    for (std::uint64_t id = 0; id < count; ++id) directory.insert(id);
    directory.touch(0);
    const std::size_t most = directory.reserved();
    std::size_t exchanged = 0;
    const auto shrink = [&] {
        directory.fit(false);
        auto smaller = directory.smaller_table(false);
        exchanged += smaller.empty() ? 0 : 1;
        directory.exchange_table(smaller);
    };
    for (std::uint64_t id = count; id-- > 2000;) {
        directory.remove_dense(directory.find(id));
        shrink();
        if (id % 1000 == 0) REQUIRE(directory.reserved() <= 110 * id + 200000);
    }
    CHECK(exchanged >= 5);
    CHECK(exchanged <= 8);
    CHECK(directory.reserved() < most / 20);
    for (const std::size_t border : {512U, 768U, 1024U, 1536U, 2000U}) {
        while (directory.live() > border) directory.remove_dense(static_cast<slot_t>(directory.live() - 1)), shrink();
        directory.fit(false);
        const std::size_t room = directory.reserved();
        const std::size_t before = exchanged;
        std::size_t changes = 0;
        for (int turn = 0; turn < 100; ++turn) {
            auto larger = directory.prepare_extra(1);
            exchanged += larger.empty() ? 0 : 1;
            directory.exchange_table(larger);
            const slot_t slot = directory.insert(~std::uint64_t{0});
            changes += directory.reserved() != room ? 1 : 0;
            directory.remove_dense(slot);
            shrink();
        }
        CAPTURE(border);
        CHECK(changes <= 1);
        CHECK(exchanged <= before + 1);
    }
}

TEST_CASE("id_map: a retired row is not found and not used again before it is released") {
    id_map<std::uint64_t> directory;
    const slot_t slot = add(directory, 5);
    directory.retire(slot);
    CHECK(directory.find(5) == no_slot);
    CHECK(directory.state(slot) == row_state::retired);
    CHECK(directory.live() == 0);
    CHECK(directory.retired() == 1);
    const slot_t again = add(directory, 5);
    CHECK(again != slot);
    directory.release(slot);
    CHECK(add(directory, 6) == slot);
    CHECK(directory.find(5) == again);
}

TEST_CASE("id_map: every value of the id type is an id") {
    id_map<std::uint64_t> wide;
    for (const std::uint64_t id : {std::uint64_t{0}, ~std::uint64_t{0}, std::uint64_t{1} << 63}) {
        CHECK(wide.find(id) == no_slot);
        CHECK(wide.find(id) == no_slot);
        const slot_t slot = add(wide, id);
        CHECK(wide.find(id) == slot);
    }
    id_map<std::int8_t> narrow;
    narrow.reserve_extra(256);
    for (int id = -128; id <= 127; ++id) narrow.insert(static_cast<std::int8_t>(id));
    for (int id = -128; id <= 127; ++id)
        CHECK(narrow.find(static_cast<std::int8_t>(id)) == static_cast<slot_t>(id + 128));
}

TEST_CASE("id_map: finds the rows of a file, says if two live ones share an id, and outlives the file") {
    std::vector<std::uint64_t> ids{7, 0, 9};
    std::vector<row_state> states{row_state::live, row_state::retired, row_state::live};
    const auto bytes = [](const auto& values) { return reinterpret_cast<const std::byte*>(values.data()); };
    id_map<std::uint64_t> directory;
    directory.borrow(bytes(ids), bytes(states), 3, 2);
    REQUIRE(directory.build_table());
    const auto check = [&] {
        CHECK(directory.find(9) == 2);
        CHECK(directory.find(0) == no_slot);
        CHECK(directory.live() == 2);
        CHECK(directory.retired() == 1);
    };
    check();
    directory.for_each_array([](auto& rows, std::size_t count) {
        REQUIRE(count == 3);
        rows = rows.owned(count);
    });
    ids.assign(3, 5);
    states.assign(3, row_state::free);
    check();
    directory.reserve_extra(1);
    CHECK(directory.insert(11) == 3);
    CHECK(directory.find(11) == 3);

    id_map<std::uint64_t> twice;
    states.assign(3, row_state::live);
    twice.borrow(bytes(ids), bytes(states), 2, 2);
    CHECK_FALSE(twice.build_table());
    CHECK(twice.find(5) == 0);
}

TEST_CASE("id_map: a table that must be small finds every id, too") {
    for (const std::size_t count : {1U, 12U, 13U, 40U, 100U, 889U, 900U, 1000U}) {
        std::vector<std::uint64_t> ids(count);
        for (std::size_t i = 0; i < count; ++i) ids[i] = 3 + 7 * i;
        const std::vector<row_state> states(count, row_state::live);
        id_map<std::uint64_t> directory;
        directory.borrow(reinterpret_cast<const std::byte*>(ids.data()),
                         reinterpret_cast<const std::byte*>(states.data()), count, count);
        REQUIRE(directory.build_table(0));
        CAPTURE(count);
        CHECK(directory.memory() <= std::max<std::size_t>(16, count * 16 / 7 + 1) * sizeof(slot_t));
        for (std::size_t i = 0; i < count; ++i) REQUIRE(directory.find(ids[i]) == i);
        REQUIRE(directory.find(2) == no_slot);
    }
}

TEST_CASE("id_map: more rows than can be numbered are refused before anything is allocated") {
    id_map<std::uint64_t> directory;
    add(directory, 1);
    const std::size_t memory = directory.memory();
    try {
        directory.reserve_extra(max_slots);
        FAIL("nothing was thrown");
    } catch (const vicinal::error& e) {
        CHECK(e.code() == vicinal::errc::capacity);
        CHECK_THAT(std::string(e.what()), vicinal_test::contains("2147483648") && vicinal_test::contains("2147483647"));
    }
    CHECK(directory.memory() == memory);
    CHECK(directory.find(1) == 0);
}

}  // namespace
