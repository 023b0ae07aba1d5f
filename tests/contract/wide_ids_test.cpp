// SPDX-License-Identifier: MIT
// Ids of 128 bits, where the compiler has such integers: in every index, in files, in messages.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/data.hpp"
#include "support/outcomes.hpp"
#include "support/temporary.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/io/inspect.hpp"
#include "vicinal/ivf.hpp"

#if defined(__SIZEOF_INT128__)

namespace {

using namespace vicinal_test;
using vicinal::errc, vicinal::f32, vicinal::l2;
using vicinal::detail::int128, vicinal::detail::text_of, vicinal::detail::uint128;

constexpr std::size_t dim = 3;

using flat = vicinal::flat_index<l2, f32, int128>;
using ivf = vicinal::ivf_index<l2, f32, int128>;
using hnsw = vicinal::hnsw_index<l2, f32, uint128>;

/// Ids that differ in one half only, negative ones among those that are signed.
template <class Id>
std::vector<Id> wide(std::size_t count) {
    std::vector<Id> ids(count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto low = static_cast<uint128>(i % 2 == 0 ? 7 : i);
        const auto high = static_cast<uint128>(i % 2 == 0 ? i * 0x0123456789ABCDEF : ~std::uint64_t{0} - i % 3);
        ids[i] = static_cast<Id>(high << 64 | low);
    }
    return ids;
}
template <class Index>
Index filled(const dataset& rows) {
    Index index(dim);
    index.add(wide<typename Index::id_type>(rows.rows()), rows.view());
    return index;
}

TEMPLATE_TEST_CASE("wide ids: rows are found, ordered, changed and filtered by all 128 bits", "", flat, ivf, hnsw) {
    using id = typename TestType::id_type;
    const dataset rows = duplicates(400, dim, 40);
    auto index = filled<TestType>(rows);
    std::vector<id> ids = wide<id>(400);
    typename TestType::search_params how;
    if constexpr (requires { how.nprobe; }) how.nprobe = 400;
    if constexpr (requires { how.ef; }) how.ef = 400;
    std::vector<std::pair<double, id>> expected;
    for (std::size_t r = 0; r < 400; ++r) {
        double sum = 0;
        for (std::size_t d = 0; d < dim; ++d)
            sum += (double{rows[r][d]} - double{rows[9][d]}) * (double{rows[r][d]} - double{rows[9][d]});
        expected.emplace_back(sum, ids[r]);
    }
    std::sort(expected.begin(), expected.end());
    const auto found = index.search(rows[9], 30, how);
    REQUIRE(found.size() == 30);
    for (std::size_t i = 0; i < 30; ++i) CHECK(found[i].id == expected[i].second);
    auto stream = index.nearest(rows[9], how);
    std::size_t at = 0;
    for (const auto& hit : stream)
        if (at++ < 10) CHECK(hit.id == expected[at - 1].second);
    CHECK(at == 400);

    const vicinal::id_set<id> few{ids[2], ids[4]};  // their lower halves are equal
    CHECK(few.size() == 2);
    CHECK_FALSE(few.contains(ids[6]));
    how.filter = few;
    CHECK(index.search(rows[9], 5, how).size() == 2);
    CHECK(index.contains(ids[4]));
    CHECK(index.remove(ids[4]));
    CHECK_FALSE(index.contains(ids[4]));
    CHECK(index.contains(ids[6]));
    index.update(ids[6], rows[0]);
    CHECK(index.get(ids[6]) == std::vector<float>(rows[0].begin(), rows[0].end()));
    CHECK(index.check().ok());
}

TEMPLATE_TEST_CASE("wide ids: they travel in files", "", flat, ivf, hnsw) {
    using id = typename TestType::id_type;
    const temporary_directory folder;
    const dataset rows = gaussian(120, dim);
    const auto index = filled<TestType>(rows);
    const auto ids = wide<id>(120);
    index.save(folder / "wide.vic");
    const auto loaded = TestType::load(folder / "wide.vic");
    const auto view = TestType::view(folder / "wide.vic");
    view.verify();
    std::vector<std::byte> bytes[3];
    index.save(bytes[0]);
    loaded.save(bytes[1]);
    view.save(bytes[2]);
    CHECK(bytes[0] == bytes[1]);
    CHECK(bytes[0] == bytes[2]);
    for (std::size_t i = 0; i < 120; ++i) {
        REQUIRE(loaded.get(ids[i]) == index.get(ids[i]));
        REQUIRE(view.get(ids[i]) == index.get(ids[i]));
    }
    auto changed = TestType::load(folder / "wide.vic");
    CHECK(changed.remove(ids[3]));
    CHECK(changed.check().ok());
    CHECK(vicinal::inspect(folder / "wide.vic").id_bits == 128);
}

TEST_CASE("wide ids: a file of theirs is no other's, and says so to those that cannot know") {
    const temporary_directory folder;
    const dataset rows = gaussian(5, dim);
    std::vector<std::byte> bytes;
    filled<flat>(rows).save(bytes);
    CHECK(std::to_integer<int>(bytes[40]) == 128);
    CHECK(std::to_integer<int>(bytes[53]) == 1);  // a feature that readers must know, so that older ones name it
    const std::span<const std::byte> file(bytes);
    refusal(errc::wrong_type, [&] { (void)vicinal::flat_index<l2, f32, std::uint64_t>::load(file); });
    refusal(errc::wrong_type, [&] { (void)vicinal::flat_index<l2, f32, uint128>::load(file); });
    std::vector<std::byte> narrow;
    vicinal::flat_index<l2, f32, std::int64_t> index(dim);
    index.add(1, rows[0]);
    index.save(narrow);
    CHECK(std::to_integer<int>(narrow[53]) == 0);
    refusal(errc::wrong_type, [&] { (void)flat::load(std::span<const std::byte>(narrow)); });
    // The feature and the width go together.
    for (const auto& [at, value] : {std::pair(53, 0), std::pair(40, 64)}) {
        auto forged = bytes;
        forged[static_cast<std::size_t>(at)] = static_cast<std::byte>(value);
        vicinal::detail::store_le(&forged[124], vicinal::detail::crc32c(0, std::span(forged).first(124)));
        refusal(errc::corrupt_file, [&] { (void)flat::load(std::span<const std::byte>(forged)); });
    }
}

TEST_CASE("wide ids: messages name them in full") {
    constexpr uint128 most = ~uint128{0};
    CHECK(text_of(most) == "340282366920938463463374607431768211455");
    CHECK(text_of(static_cast<int128>(most >> 1)) == "170141183460469231731687303715884105727");
    CHECK(text_of(static_cast<int128>(most >> 1) * -1 - 1) == "-170141183460469231731687303715884105728");
    CHECK(text_of(int128{0}) == "0");
    CHECK(text_of(int128{-10}) == "-10");
    flat index(dim);
    const float row[dim] = {1, 2, 3};
    const int128 id = static_cast<int128>(1) << 100;
    index.add(id, row);
    CHECK_THROWS_WITH(index.add(id, row), contains("1267650600228229401496703205376"));
    CHECK_THROWS_WITH(index.get(id + 1), contains("1267650600228229401496703205377"));
}

TEST_CASE("wide ids: the file that was kept is read and written as it was") {
    const auto made = [] {
        flat index(dim);
        index.add(wide<int128>(4), clustered(4, dim, 2).view());
        std::vector<std::byte> bytes;
        index.save(bytes);
        return bytes;
    }();
    const auto written = [&](std::ostream& out) {
        out.write(reinterpret_cast<const char*>(made.data()), static_cast<std::streamsize>(made.size()));
    };
    if (const char* const to = std::getenv("VICINAL_WRITE_GOLDEN")) {
        std::ofstream out(std::string(to) + "/flat-l2-f32-wide_ids.vic", std::ios::binary);
        return written(out);
    }
    std::ifstream in(std::string(VICINAL_GOLDEN_FILES) + "/v1/flat-l2-f32-wide_ids.vic", std::ios::binary);
    const std::string kept((std::istreambuf_iterator<char>(in)), {});
    std::ostringstream now;
    written(now);
    CHECK(now.str() == kept);
    const auto index = flat::load(std::as_bytes(std::span(kept)));
    for (const int128 id : wide<int128>(4)) CHECK(index.contains(id));
}

}  // namespace

#endif
