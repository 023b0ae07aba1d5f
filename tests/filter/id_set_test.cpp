// SPDX-License-Identifier: MIT
// id_set: its algebra, changes and files agree with std::set in all forms of blocks, and damaged files are refused.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/outcomes.hpp"
#include "vicinal/filter.hpp"
#include "vicinal/id_set_file.hpp"

namespace {

using namespace vicinal_test;
using vicinal::errc, vicinal::id_set, vicinal::id_filter;

/// Ids that spread over a few blocks: sparse, dense, or in ranges, by `kind`.
template <class Id>
id_set<Id> some_ids(numbers& random, int kind, Id base) {
    const auto at = [&](std::uint64_t step) { return static_cast<Id>(base + static_cast<Id>(step)); };
    if (kind == 2) {
        const std::uint64_t from = random.below(90000);
        return id_set<Id>::range(at(from), at(from + random.below(120000)));
    }
    std::vector<Id> ids;
    const std::size_t count = kind == 0 ? 700 : 90000;
    for (std::size_t i = 0; i < count; ++i) ids.push_back(at(random.below(200000)));
    return id_set<Id>(ids);
}
template <class Id>
std::set<Id> as_standard(const id_set<Id>& set) {
    std::set<Id> made;
    set.for_each([&](Id id) { made.insert(made.end(), id); });
    return made;
}
template <class Id>
std::vector<Id> listed(const id_set<Id>& set) {
    return std::vector<Id>(set.begin(), set.end());
}
template <class Id>
std::vector<std::byte> file_of(const id_set<Id>& set) {
    std::vector<std::byte> bytes;
    save_ids(set, bytes);
    return bytes;
}
template <class Id>
id_set<Id> loaded(const std::vector<std::byte>& bytes) {
    return vicinal::load_ids<Id>(std::span<const std::byte>(bytes));
}

/// Compares what two sets make with what the standard library makes of them.
template <class Id>
void check_algebra(const id_set<Id>& a, const id_set<Id>& b) {
    const std::set<Id> x = as_standard(a), y = as_standard(b);
    std::vector<Id> both, either, first, one;
    std::set_intersection(x.begin(), x.end(), y.begin(), y.end(), std::back_inserter(both));
    std::set_union(x.begin(), x.end(), y.begin(), y.end(), std::back_inserter(either));
    std::set_difference(x.begin(), x.end(), y.begin(), y.end(), std::back_inserter(first));
    std::set_symmetric_difference(x.begin(), x.end(), y.begin(), y.end(), std::back_inserter(one));
    const std::array<std::pair<id_set<Id>, const std::vector<Id>*>, 4> made{
        {{a & b, &both}, {a | b, &either}, {a - b, &first}, {a ^ b, &one}}};
    for (const auto& [set, expected] : made) {
        REQUIRE(set.size() == expected->size());
        REQUIRE(listed(set) == *expected);
        REQUIRE(set == id_set<Id>(*expected));
        REQUIRE(loaded<Id>(file_of(set)) == set);
    }
}

template <class Id>
void check_all_forms(Id base) {
    numbers random(11);
    for (int of_a = 0; of_a < 3; ++of_a)
        for (int of_b = 0; of_b < 3; ++of_b) {
            const auto a = some_ids<Id>(random, of_a, base), b = some_ids<Id>(random, of_b, base);
            check_algebra(a, b);
        }
}

}  // namespace

TEST_CASE("id set: what sets of all forms make is what std::set makes of them, in files, too") {
    check_all_forms<std::uint64_t>(std::uint64_t{5} << 40U);
    check_all_forms<std::int32_t>(-100000);  // through zero
}

TEST_CASE("id set: changes agree with std::set") {
    numbers random(12);
    for (int kind = 0; kind < 3; ++kind) {
        auto set = some_ids<std::int64_t>(random, kind, -70000);
        auto reference = as_standard(set);
        for (int i = 0; i < 30000; ++i) {
            const auto id = static_cast<std::int64_t>(random.below(20000)) - 70000;
            if (random.below(3) == 0)
                REQUIRE(set.insert(id) == reference.insert(id).second);
            else
                REQUIRE(set.erase(id) == (reference.erase(id) != 0));
            REQUIRE(set.contains(id) == (reference.count(id) != 0));
        }
        REQUIRE(set.size() == reference.size());
        REQUIRE(std::equal(set.begin(), set.end(), reference.begin(), reference.end()));
        for (std::int64_t id = -70010; id < -60000; ++id) REQUIRE(set.contains(id) == (reference.count(id) != 0));
    }
}

TEST_CASE("id set: the ends of its ids, narrow and wide ones") {
    const auto all = id_set<std::int8_t>::range(-128, 127);
    CHECK(all.size() == 256);
    CHECK(*all.begin() == -128);
    CHECK(loaded<std::int8_t>(file_of(all)) == all);
    constexpr auto most = (std::numeric_limits<std::uint64_t>::max)();
    const auto highest = id_set<std::uint64_t>::range(most - 70000, most);
    CHECK(highest.size() == 70001);
    CHECK(highest.contains(most));
    CHECK_FALSE(highest.contains(most - 70001));
    CHECK(loaded<std::uint64_t>(file_of(highest)) == highest);
    CHECK(id_set<int>::range(3, 2).empty());
    CHECK_THAT(refusal(errc::capacity, [&] { (void)id_set<std::uint64_t>::range(7, most); }), contains("predicate"));
#if defined(VICINAL_HAS_INT128)
    const auto wide =
        id_set<vicinal::detail::uint128>::range(vicinal::detail::uint128{most} - 3, vicinal::detail::uint128{most} + 3);
    CHECK(wide.size() == 7);
    CHECK(loaded<vicinal::detail::uint128>(file_of(wide)) == wide);
#endif
}

TEST_CASE("id set: a set that was moved from is empty, and is filled again") {
    id_set<std::uint32_t> from{1, 2, 3};
    const id_set<std::uint32_t> to = std::move(from);
    CHECK(to.size() == 3);
    CHECK(from.empty());  // NOLINT: that is what is promised
    CHECK(from.insert(9));
    CHECK(listed(from) == std::vector<std::uint32_t>{9});
    from.clear();
    CHECK(from == id_set<std::uint32_t>());
}

TEST_CASE("id set: a tenth of a million ids takes a bit for each number between") {
    numbers random(13);
    id_set<std::uint64_t> set;
    while (set.size() < 100000) set.insert(random.below(1000000));
    CHECK(set.memory() <= 133000);  // 16 bitmaps of 8 KB, and what tells of them
    CHECK(file_of(set).size() <= 132500);
}

TEST_CASE("id set: all but a set, with other sets and with all but others") {
    const id_set<int> a{1, 2, 3, 4}, b{3, 4, 5};
    const auto not_a = ~a;
    CHECK_FALSE(not_a.contains(1));
    CHECK(not_a.contains(5));
    CHECK((~not_a) == a);
    CHECK((b & not_a) == id_set<int>{5});
    CHECK((b - not_a) == id_set<int>{3, 4});
    CHECK((not_a & ~b).excluded() == id_set<int>{1, 2, 3, 4, 5});
    CHECK((not_a | ~b).excluded() == id_set<int>{3, 4});
    CHECK((not_a | b).excluded() == id_set<int>{1, 2});
    CHECK((not_a - b).excluded() == id_set<int>{1, 2, 3, 4, 5});
    CHECK(except(id_set<int>{7}).excluded() == id_set<int>{7});  // keeps a set without a name
}

TEST_CASE("id filter: what it is made from says what it knows") {
    const id_set<std::uint64_t> few{2, 3, 5};
    const std::unordered_set<std::uint64_t> hashed{2, 3, 5};
    const auto even = [](std::uint64_t id) { return id % 2 == 0; };
    const auto others = except(few);
    const id_filter<std::uint64_t> of_set(few), of_hash(hashed), of_call(even), of_rest(others);
    CHECK((of_set.counted() && of_set.lists() && of_set.size() == 3));
    CHECK((of_hash.counted() && of_hash.size() == 3));
    CHECK_FALSE((of_call.counted() || of_call.lists()));
    CHECK((of_rest.excludes() && of_rest.lists() && of_rest.size() == 3));
    CHECK_FALSE(id_filter<std::uint64_t>());
    std::vector<std::uint64_t> ids(64);
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = i;
    for (const std::size_t count : {std::size_t{1}, std::size_t{6}, std::size_t{64}})
        for (const auto* filter : {&of_set, &of_hash, &of_call, &of_rest}) {
            std::uint64_t expected = 0;
            for (std::size_t i = 0; i < count; ++i) expected |= std::uint64_t{(*filter)(ids[i]) ? 1U : 0U} << i;
            CHECK((*filter)(ids.data(), count) == expected);
        }
    CHECK((of_rest(4) && !of_rest(5) && of_hash(5) && !of_hash(4)));
}

TEST_CASE("id set: its file is the same in a stream, and other files are refused with both names") {
    const id_set<std::uint32_t> set{1, 2, 3, 70000};
    std::stringstream stream;
    save_ids(set, stream);
    save_ids(set, stream);
    CHECK(vicinal::load_ids<std::uint32_t>(stream) == set);
    CHECK(vicinal::load_ids<std::uint32_t>(stream) == set);
    CHECK(loaded<std::uint32_t>(file_of(id_set<std::uint32_t>())).empty());
    CHECK_THAT(refusal(errc::wrong_type, [&] { (void)loaded<std::int64_t>(file_of(set)); }),
               contains("a set of 32-bit unsigned ids") && contains("64-bit signed"));
    auto bytes = file_of(set);
    for (std::size_t i = 0; i < bytes.size(); ++i) {  // no byte may change unseen
        bytes[i] ^= std::byte{4};
        CHECK_THROWS_AS(loaded<std::uint32_t>(bytes), vicinal::error);
        bytes[i] ^= std::byte{4};
    }
}

namespace {

struct parts {
    std::vector<std::uint64_t> highs;
    std::vector<int> forms;
    std::vector<std::uint32_t> counts;
    std::vector<std::uint16_t> values;
    std::vector<std::uint64_t> words;
    std::uint64_t rows = 0;
};
/// A file of these parts, its checksums right.
std::vector<std::byte> forged(const parts& of) {
    using namespace vicinal::detail;
    section_writer out(id_set_header<std::uint32_t>(of.rows));
    std::vector<std::byte> forms;
    for (const int form : of.forms) forms.push_back(static_cast<std::byte>(form));
    out.add(section_type("HIGH"), std::span<const std::uint64_t>(of.highs));
    out.add_bytes(section_type("FORM"), std::move(forms));
    out.add(section_type("CNTS"), std::span<const std::uint32_t>(of.counts));
    out.add(section_type("VALS"), std::span<const std::uint16_t>(of.values));
    out.add(section_type("WORD"), std::span<const std::uint64_t>(of.words));
    return out.to_bytes();
}

}  // namespace

TEST_CASE("id set: forged files are refused") {
    const std::vector<std::uint64_t> bits(1024, 1);
    CHECK(loaded<std::uint32_t>(forged({{0, 1, 65535}, {0, 2, 1}, {2, 4, 1024}, {4, 9, 1, 1, 3, 5}, bits, 1030}))
              .size() == 1030);
    const auto refused = [](const parts& of, const char* what) {
        CHECK_THAT(refusal(errc::corrupt_file, [&] { (void)loaded<std::uint32_t>(forged(of)); }), contains(what));
    };
    refused({{1, 1}, {0, 0}, {1, 1}, {4, 5}, {}, 2}, "block 1 of its ids is not behind");
    refused({{65536}, {0}, {1}, {4}, {}, 1}, "type cannot hold");
    refused({{0}, {0}, {2}, {4, 4}, {}, 2}, "do not ascend");
    refused({{0}, {2}, {2}, {5, 4}, {}, 1}, "do not ascend");
    refused({{0}, {2}, {4}, {4, 5, 5, 6}, {}, 4}, "do not ascend");
    refused({{0}, {2}, {3}, {4, 5, 6}, {}, 4}, "too many");
    refused({{0}, {0}, {4097}, {}, {}, 4}, "too many");
    refused({{0}, {0}, {3}, {4, 5}, {}, 3}, "more numbers than are left");
    refused({{0}, {1}, {1024}, {}, {1}, 1}, "more numbers than are left");
    refused({{0}, {1}, {1}, {}, {1}, 1}, "another length");
    refused({{0}, {3}, {1}, {1}, {}, 1}, "no form");
    refused({{0}, {0}, {0}, {}, {}, 0}, "has no id");
    refused({{0}, {1}, {1024}, {}, std::vector<std::uint64_t>(1024), 0}, "has no id");
    refused({{0}, {0}, {1}, {1, 2}, {}, 1}, "numbers follow");
    refused({{0}, {0}, {2}, {1, 2}, {}, 3}, "its header says 3");
    refused({{0, 1}, {0}, {1}, {1}, {}, 1}, "HIGH");
    using namespace vicinal::detail;
    section_writer narrow(id_set_header<std::uint8_t>(1));
    const std::vector<std::uint64_t> high{0};
    const std::vector<std::uint32_t> count{1};
    const std::vector<std::uint16_t> value{256};
    narrow.add(section_type("HIGH"), std::span<const std::uint64_t>(high));
    narrow.add_bytes(section_type("FORM"), {std::byte{0}});
    narrow.add(section_type("CNTS"), std::span<const std::uint32_t>(count));
    narrow.add(section_type("VALS"), std::span<const std::uint16_t>(value));
    narrow.add(section_type("WORD"), std::span<const std::uint64_t>());
    CHECK_THAT(refusal(errc::corrupt_file, [&] { (void)loaded<std::uint8_t>(narrow.to_bytes()); }),
               contains("type cannot hold"));
}
