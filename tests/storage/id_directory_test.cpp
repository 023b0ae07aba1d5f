// What storage/id_directory.hpp promises.
#include "vicinal/storage/id_directory.hpp"

#include <limits>
#include <map>
#include <random>
#include <vector>

#include "support/catch.hpp"

namespace {

using namespace vicinal::detail;

slot_t add(id_directory<std::uint64_t>& d, std::uint64_t id) {
    d.reserve_extra(1);
    return d.insert(id);
}
void remove(id_directory<std::uint64_t>& d, slot_t slot) {
    d.retire(slot);
    d.release(slot);
}

TEST_CASE("id_directory: agrees with a map through any mix of inserts and removals") {
    std::mt19937_64 random(19);
    id_directory<std::uint64_t> directory;
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

TEST_CASE("id_directory: upcoming tells where the next inserts go") {
    id_directory<std::uint64_t> directory;
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

TEST_CASE("id_directory: a retired row is not found and not used again before it is released") {
    id_directory<std::uint64_t> directory;
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

TEST_CASE("id_directory: every value of the id type is an id") {
    id_directory<std::uint64_t> wide;
    for (const std::uint64_t id : {std::uint64_t{0}, ~std::uint64_t{0}, std::uint64_t{1} << 63}) {
        CHECK(wide.find(id) == no_slot);
        CHECK(wide.find(id) == no_slot);
        const slot_t slot = add(wide, id);
        CHECK(wide.find(id) == slot);
    }
    id_directory<std::int8_t> narrow;
    narrow.reserve_extra(256);
    for (int id = -128; id <= 127; ++id) narrow.insert(static_cast<std::int8_t>(id));
    for (int id = -128; id <= 127; ++id)
        CHECK(narrow.find(static_cast<std::int8_t>(id)) == static_cast<slot_t>(id + 128));
}

TEST_CASE("id_directory: finds the rows of a file, says if two live ones share an id, and outlives the file") {
    std::vector<std::uint64_t> ids{7, 0, 9};
    std::vector<row_state> states{row_state::live, row_state::retired, row_state::live};
    const auto bytes = [](const auto& values) { return reinterpret_cast<const std::byte*>(values.data()); };
    id_directory<std::uint64_t> directory;
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

    id_directory<std::uint64_t> twice;
    states.assign(3, row_state::live);
    twice.borrow(bytes(ids), bytes(states), 2, 2);
    CHECK_FALSE(twice.build_table());
    CHECK(twice.find(5) == 0);
}

TEST_CASE("id_directory: a table that must be small finds every id, too") {
    for (const std::size_t count : {1U, 12U, 13U, 40U, 100U, 889U, 900U, 1000U}) {
        std::vector<std::uint64_t> ids(count);
        for (std::size_t i = 0; i < count; ++i) ids[i] = 3 + 7 * i;
        const std::vector<row_state> states(count, row_state::live);
        id_directory<std::uint64_t> directory;
        directory.borrow(reinterpret_cast<const std::byte*>(ids.data()),
                         reinterpret_cast<const std::byte*>(states.data()), count, count);
        REQUIRE(directory.build_table(0));
        CAPTURE(count);
        CHECK(directory.memory() <= std::max<std::size_t>(16, count * 16 / 7 + 1) * sizeof(slot_t));
        for (std::size_t i = 0; i < count; ++i) REQUIRE(directory.find(ids[i]) == i);
        REQUIRE(directory.find(2) == no_slot);
    }
}

TEST_CASE("id_directory: more rows than can be numbered are refused before anything is allocated") {
    id_directory<std::uint64_t> directory;
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
