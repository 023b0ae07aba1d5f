// SPDX-License-Identifier: MIT
// Files that once were let in, or made a view misbehave; and what a loaded index does when it is first changed.
#include "files/support.hpp"

using namespace files_test;

TEST_CASE("files: an empty graph's entry is on level 0") {
    hnsw_index<vicinal::l2, vicinal::f32> empty(4);
    const bytes_t bytes = saved(empty);
    REQUIRE(hnsw_index<vicinal::l2, vicinal::f32>::load(std::span<const std::byte>(bytes)).empty());
    const temporary_directory folder;
    for (const std::uint64_t level : {std::uint64_t{1}, std::uint64_t{31}, std::uint64_t{1} << 40}) {
        const bytes_t bad = forged(bytes, "HNSW", 4, level);
        CHECK(refused([&] { (void)hnsw_index<vicinal::l2, vicinal::f32>::load(std::span<const std::byte>(bad)); }) ==
              errc::corrupt_file);
        spill(folder / "a.vic", bad);
        CHECK(refused([&] { (void)hnsw_index<vicinal::l2, vicinal::f32>::view(folder / "a.vic"); }) ==
              errc::corrupt_file);
    }
}

TEST_CASE("files: a view of a forged graph can be checked and saved") {
    hnsw_index<vicinal::l2, vicinal::f32> index(4, {.degree = 4, .ef_construction = 20});
    index.add(numbered<std::uint64_t>(60), gaussian(60, 4).view());
    const bytes_t bytes = saved(index);
    const temporary_directory folder;
    const auto entry =
        static_cast<std::size_t>(detail::load_le<std::uint64_t>(&bytes[section_of(bytes, "HNSW").offset + 24]));
    std::vector<bytes_t> cases;
    for (const std::uint32_t far : {60U, 1000000U, 0x7FFFFFFFU, 0xFFFFFFFEU}) {
        cases.push_back(forged(bytes, "LNK0", 0, far));
        cases.push_back(forged(bytes, "LNKU", 0, far));
        cases.push_back(forged(bytes, "TREE", 7, far));
        cases.push_back(forged(forged(bytes, "STAT", entry, std::uint8_t{0}), "LNK0", entry * 8, far));
        cases.push_back(forged(bytes, "UPPF", entry, far));
    }
    for (const unsigned any : {0U, 2U, 3U, 77U, 255U})
        cases.push_back(forged(bytes, "STAT", entry, static_cast<std::uint8_t>(any)));
    for (const unsigned any : {0U, 7U, 31U, 32U, 255U})
        cases.push_back(forged(bytes, "LEVL", entry, static_cast<std::uint8_t>(any)));
    for (const bytes_t& bad : cases) {
        spill(folder / "a.vic", bad);
        const auto view = hnsw_index<vicinal::l2, vicinal::f32>::view(folder / "a.vic");
        CHECK_FALSE(view.check().ok());
        const bool as_it_is = saved(view) == bad;
        CHECK(as_it_is);
        CHECK(ask_everything(view, 8) > 0);
        CHECK(refused([&] { (void)hnsw_index<vicinal::l2, vicinal::f32>::load(std::span<const std::byte>(bad)); }) ==
              errc::corrupt_file);
    }
}

TEST_CASE("files: a graph whose tree has a cycle is refused") {
    hnsw_index<vicinal::l2, vicinal::f32> index(4, {.degree = 4, .ef_construction = 20});
    index.add(numbered<std::uint64_t>(6), gaussian(6, 4).view());
    bytes_t bytes = saved(index);
    const auto entry =
        static_cast<std::size_t>(detail::load_le<std::uint64_t>(&bytes[section_of(bytes, "HNSW").offset + 24]));
    std::vector<std::uint32_t> others;
    for (std::uint32_t row = 0; row < 6; ++row) {
        if (row != entry) others.push_back(row);
        // Everybody links to everybody, so that any tree has its links.
        for (std::uint32_t i = 0; i < 8; ++i)
            bytes = forged(bytes, "LNK0", row * 8 + i, i >= 5 ? 0xFFFFFFFFU : i + (i >= row ? 1U : 0U));
    }
    const auto with_parents = [&](std::initializer_list<std::size_t> parents) {  // 5 = the entry
        bytes_t made = bytes;
        std::size_t i = 0;
        for (const std::size_t parent : parents)
            made = forged(made, "TREE", others[i++], parent == 5 ? static_cast<std::uint32_t>(entry) : others[parent]);
        return made;
    };
    const bytes_t chain = with_parents({5, 0, 1, 2, 0});
    CHECK(hnsw_index<vicinal::l2, vicinal::f32>::load(std::span<const std::byte>(chain)).check().ok());
    for (const bytes_t& bad :
         {with_parents({5, 2, 3, 1, 0}), with_parents({1, 0, 5, 2, 3}), with_parents({4, 0, 1, 2, 3})})
        CHECK(refused([&] { (void)hnsw_index<vicinal::l2, vicinal::f32>::load(std::span<const std::byte>(bad)); }) ==
              errc::corrupt_file);
}

TEST_CASE("files: a damaged view is not saved with good checksums") {
    flat_index<> index(4);
    index.add(numbered<std::uint64_t>(60), gaussian(60, 4).view());
    bytes_t bytes = saved(index);
    bytes[section_of(bytes, "COD0").offset + 5] ^= std::byte{1};
    const temporary_directory folder;
    spill(folder / "a.vic", bytes);
    const auto view = flat_index<>::view(folder / "a.vic");
    CHECK(refused([&] { (void)saved(view); }) == errc::corrupt_file);
    CHECK(refused([&] { view.save(folder / "b.vic"); }) == errc::corrupt_file);
    CHECK_FALSE(std::filesystem::exists(folder / "b.vic"));
}

TEMPLATE_TEST_CASE("files: a loaded index is changed as the one that was saved", "", flat_index<>, ivf_index<>,
                   (hnsw_index<cosine, two_level<sq8, f32>>)) {
    TestType index(6);
    if constexpr (std::is_same_v<TestType, ivf_index<>>)  // else each counts for itself when rows no longer fit lists
        index.train(gaussian(80, 6).view());
    index.add(numbered<std::uint64_t>(80), gaussian(80, 6).view());
    const bytes_t bytes = saved(index);
    auto loaded = TestType::load(std::span<const std::byte>(bytes));
    const auto equal = [&] { return saved(loaded) == saved(index); };
    CHECK(equal());
    CHECK(loaded.memory().total >= loaded.memory().vectors + loaded.memory().ids + loaded.memory().links);
    CHECK(loaded.memory().vectors ==
          80 * 4 * (std::is_same_v<TestType, hnsw_index<cosine, two_level<sq8, f32>>> ? 8 : 6));
    CHECK(refused([&] { loaded.add(1, gaussian(1, 6)[0]); }) == errc::duplicate_id);
    CHECK(equal());
    CHECK_FALSE(loaded.remove(8000));
    CHECK(equal());
    CHECK(loaded.check().ok());
    change_everything(loaded);
    change_everything(index);
    CHECK(loaded.check().ok());
    CHECK(equal());
    CHECK(loaded.memory().total >= loaded.memory().vectors + loaded.memory().ids + loaded.memory().links);
}
