// SPDX-License-Identifier: MIT
// key_map: keys and ids belong together, through changes that fail and through files, and damaged files are refused.
#include "vicinal/key_map.hpp"

#include <cstdint>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/outcomes.hpp"
#include "vicinal/io/inspect.hpp"

namespace {

using namespace vicinal_test;
using vicinal::errc, vicinal::key_map, vicinal::uuid;

template <class Map>
Map loaded(const std::vector<std::byte>& bytes) {
    return Map::load(std::span<const std::byte>(bytes));
}

uuid numbered_uuid(unsigned number) {
    uuid made{};
    for (std::size_t i = 0; i < 16; ++i) made[i] = static_cast<std::byte>(number * 37 + i * number);
    return made;
}

}  // namespace

TEST_CASE("key map: keys get the lowest free ids and are found both ways") {
    key_map<> map;
    CHECK(map.add("one") == 0);
    CHECK(map.add("") == 1);
    CHECK(map.add(std::string("two\0three", 9)) == 2);
    CHECK(map.add(std::vector<std::string>{"four", "five"}) == std::vector<std::uint64_t>{3, 4});
    CHECK(map.size() == 5);
    CHECK(map.find("four") == 3);
    CHECK(map.id_of("") == 1);
    CHECK_FALSE(map.find("six"));
    CHECK_FALSE(map.contains("two"));
    CHECK(map.key_of(2) == std::string("two\0three", 9));
    CHECK(map.remove("four"));
    CHECK(map.remove("one"));
    CHECK_FALSE(map.remove("one"));
    CHECK_FALSE(map.contains_id(0));
    CHECK(map.keys() == std::vector<std::string>{"", std::string("two\0three", 9), "five"});
    CHECK(map.add("six") == 0);
    CHECK(map.add("seven") == 3);
    CHECK(map.add("eight") == 5);
    key_map<> other = std::move(map);
    CHECK(other.key_of(5) == "eight");
    CHECK(other.id_of("six") == 0);
    other.clear();
    CHECK(other.empty());
    CHECK(other.add("nine") == 0);
}

TEST_CASE("key map: refusals name the key and its id") {
    key_map<> names;
    names.add("a");
    names.add("b");
    CHECK_THAT(refusal(errc::duplicate_id, [&] { names.add("b"); }), contains("\"b\"") && contains("id 1"));
    CHECK_THAT(refusal(errc::not_found, [&] { (void)names.id_of("c"); }), contains("\"c\"") && contains("among 2"));
    CHECK_THAT(refusal(errc::not_found, [&] { (void)names.key_of(7); }), contains("id 7") && contains("2 keys"));
    key_map<uuid, std::int8_t> few;
    for (unsigned i = 0; i < 128; ++i) few.add(numbered_uuid(i));
    CHECK_THAT(refusal(errc::capacity, [&] { few.add(numbered_uuid(200)); }), contains("id 128") && contains("8 bits"));
    CHECK_THAT(refusal(errc::duplicate_id, [&] { few.add(numbered_uuid(1)); }),
               contains("25262728-292a-2b2c-2d2e-2f3031323334") && contains("id 1"));
    CHECK_THAT(refusal(errc::not_found, [&] { (void)few.key_of(-3); }), contains("id -3"));
    CHECK(few.size() == 128);
}

TEST_CASE("key map: what an index refuses leaves no key, and what it keeps leaves the key") {
    key_map<> map;
    map.add("there");
    map.add("to go");
    map.remove("to go");
    const auto before = saved(map);
    const auto fail = [](auto&&) { throw std::runtime_error("refused"); };
    CHECK_THROWS_AS(map.add("new", fail), std::runtime_error);
    CHECK_THROWS_AS(map.add(std::vector<std::string>{"new", "newer"}, fail), std::runtime_error);
    CHECK_THROWS_AS(map.add(std::vector<std::string>{"new", "newer", "there"}), vicinal::error);
    CHECK_THROWS_AS(map.add(std::vector<std::string>{"new", "new"}), vicinal::error);
    CHECK_THROWS_AS(map.remove("there", fail), std::runtime_error);
    CHECK(saved(map) == before);
    CHECK(map.keys() == std::vector<std::string>{"there"});
    std::uint64_t given = 99;
    CHECK(map.add("new", [&](std::uint64_t id) { given = id; }) == 1);
    CHECK(given == 1);
    CHECK(map.remove("new", [&](std::uint64_t id) { given = 10 + id; }));
    CHECK(given == 11);
    CHECK_FALSE(map.remove("new", [&](std::uint64_t) { given = 0; }));
    CHECK(given == 11);
}

TEST_CASE("key map: thousands of changes agree with a map of the standard library") {
    key_map<std::array<std::uint8_t, 3>, std::uint16_t> map;
    std::map<std::array<std::uint8_t, 3>, std::uint16_t> reference;
    numbers random(5);
    for (int i = 0; i < 6000; ++i) {
        const std::array<std::uint8_t, 3> key{static_cast<std::uint8_t>(random.below(2)), 0,
                                              static_cast<std::uint8_t>(random.below(200))};
        if (reference.count(key) != 0) {
            REQUIRE(map.id_of(key) == reference[key]);
            REQUIRE(map.key_of(reference[key]) == key);
            REQUIRE(map.remove(key));
            reference.erase(key);
        } else {
            REQUIRE_FALSE(map.contains(key));
            std::uint16_t lowest = 0;
            for (bool taken = true; taken; lowest = static_cast<std::uint16_t>(lowest + (taken ? 1 : 0)))
                taken = std::any_of(reference.begin(), reference.end(),
                                    [&](const auto& pair) { return pair.second == lowest; });
            REQUIRE(map.add(key) == lowest);
            reference[key] = lowest;
        }
        REQUIRE(map.size() == reference.size());
        if (i % 1000 == 999) map = loaded<std::remove_cvref_t<decltype(map)>>(saved(map));
    }
}

TEST_CASE("key map: a file holds keys and ids, and is the same for the same of them") {
    key_map<> map;
    for (const char* const key : {"a", "", "long enough that no string keeps it within itself", "d", "e"}) map.add(key);
    map.remove("d");
    map.remove("e");
    map.remove("a");
    const auto bytes = saved(map);
    key_map<> again = loaded<key_map<>>(bytes);
    CHECK(again.keys() == map.keys());
    CHECK(again.id_of("") == 1);
    CHECK(saved(again) == bytes);
    CHECK(again.add("f") == 0);
    CHECK(again.add("g") == 3);

    key_map<uuid, std::int32_t> uuids;
    std::stringstream stream;
    map.save(stream);
    for (unsigned i = 0; i < 40; ++i) uuids.add(numbered_uuid(i));
    uuids.save(stream);  // one behind the other
    CHECK(key_map<>::load(stream).keys() == map.keys());
    CHECK(key_map<uuid, std::int32_t>::load(stream).keys() == uuids.keys());
    CHECK(loaded<key_map<>>(saved(key_map<>())).empty());
}

TEST_CASE("key map: files of other things are refused with both") {
    key_map<> map;
    map.add("a");
    const auto bytes = saved(map);
    CHECK_THAT(refusal(errc::wrong_type, [&] { (void)loaded<key_map<uuid>>(bytes); }),
               contains("a key map of string keys") && contains("bytes16"));
    CHECK_THAT(refusal(errc::wrong_type, [&] { (void)loaded<key_map<std::string, std::int64_t>>(bytes); }),
               contains("64-bit unsigned") && contains("64-bit signed"));
    CHECK_THAT(refusal(errc::limit_exceeded,
                       [&] {
                           vicinal::load_limits limits;
                           limits.max_bytes = 100;
                           (void)key_map<>::load(std::span<const std::byte>(bytes), limits);
                       }),
               contains("100"));
}

namespace {

/// A file with these sections, its checksums right.
std::vector<std::byte> forged(std::uint64_t rows, std::vector<std::byte> there, std::vector<std::uint64_t> ends,
                              const std::string& keys, const std::string& type = "string") {
    using namespace vicinal::detail;
    file_header header = header_of<std::uint64_t>(vicinal::index_kind::keys, "keys", type, 1);
    header.rows = rows;
    section_writer out(header);
    out.add_bytes(section_type("KSET"), std::move(there));
    out.add(section_type("KEND"), std::span<const std::uint64_t>(ends));
    out.add(section_type("KEYS"), std::as_bytes(std::span(keys)));
    return out.to_bytes();
}

}  // namespace

TEST_CASE("key map: forged and damaged files are refused") {
    const std::byte yes{1}, no{0};
    CHECK(loaded<key_map<>>(forged(3, {yes, no, yes}, {1, 1, 3}, "abc")).key_of(2) == "bc");
    const auto refused = [](const std::vector<std::byte>& bytes, const char* what) {
        CHECK_THAT(refusal(errc::corrupt_file, [&] { (void)loaded<key_map<>>(bytes); }), contains(what));
    };
    refused(forged(2, {yes, yes}, {1, 2}, "aa"), "key 1 of 2 is there twice");
    refused(forged(2, {yes, yes}, {2, 1}, "ab"), "key 1 of 2 ends outside");
    refused(forged(2, {yes, yes}, {1, 3}, "ab"), "key 1 of 2 ends outside");
    refused(forged(2, {yes, yes}, {1, 1}, "ab"), "its last key");
    refused(forged(2, {yes, no}, {2, 2}, "ab"), "its last key");
    refused(forged(2, {no, yes}, {1, 2}, "ab"), "key 0 of 2 has bytes");
    refused(forged(1, {std::byte{2}}, {1}, "a"), "neither there nor not there");
    refused(forged(2, {yes}, {1}, "a"), "expected 2");
    CHECK_THAT(refusal(errc::corrupt_file, [&] { (void)loaded<key_map<uuid>>(forged(1, {yes}, {1}, "a", "bytes16")); }),
               contains("another number of bytes"));
    key_map<> map;
    for (const char* const key : {"alpha", "beta", "gamma"}) map.add(key);
    const auto whole = saved(map);
    for (std::size_t i = 0; i < whole.size(); ++i) {
        auto damaged = whole;
        damaged[i] ^= std::byte{4};
        CHECK_THROWS_AS(loaded<key_map<>>(damaged), vicinal::error);
        CHECK_THROWS_AS(loaded<key_map<>>(std::vector(whole.begin(), whole.begin() + static_cast<int>(i))),
                        vicinal::error);
    }
}
