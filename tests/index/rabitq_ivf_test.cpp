// SPDX-License-Identifier: MIT
// ivf_index over rabitq, whose codes are relative to the lists' centroids.
#include "files/support.hpp"
#include "index/rabitq_support.hpp"
#include "support/reference.hpp"
#include "vicinal/ivf.hpp"

using namespace rabitq_test;

TEST_CASE("rabitq: ivf finds what ranges and streams find, and so do its files") {
    vicinal::ivf_index<vicinal::inner_product, rabitq<4>> index(dim, {.lists = 20});
    check(index);
    check_files(index);
}
TEST_CASE("rabitq: ivf by signs and vectors finds what ranges and streams find, and so do its files") {
    vicinal::ivf_index<vicinal::cosine, two_level<rabitq<1>, f32>> index(dim, {.lists = 20});
    check(index);
    check_files(index);
}

namespace {

/// What all ways to ask answer is the distance to what `get` gives.
template <class Metric, class Index>
void require_true_distances(const Index& index) {
    const auto require_true = [&](std::span<const float> query, const auto& hits) {
        for (const auto& hit : hits) {
            const std::vector<float> x = index.get(hit.id);
            REQUIRE(double{hit.distance} ==
                    Approx(reference_distance(Metric::name, query, x).distance).epsilon(1e-4).margin(1e-3));
        }
    };
    std::vector<std::uint64_t> ids;
    for (std::uint64_t i = 0; i < 40; ++i) ids.push_back(7 * (i * 50) + 1);
    const vicinal::id_set<std::uint64_t> few(ids);
    for (std::size_t q = 0; q < 5; ++q) {
        const auto query = queries()[q];
        require_true(query, index.search(query, 10));
        const hits_t some = index.search(query, 10, {.filter = few});
        REQUIRE(some.size() == 10);
        require_true(query, some);
        require_true(query, index.search_within(query, std::numeric_limits<float>::infinity()));
        hits_t first;
        for (const auto hit : index.nearest(query)) {
            first.push_back(hit);
            if (first.size() == 20) break;
        }
        require_true(query, first);
    }
}

/// The mean squared error of stored rows.
template <class Index>
double error_of(const Index& index) {
    double sum = 0;
    for (std::size_t i = 0; i < rows().rows(); ++i) {
        const std::vector<float> x = index.get(7 * i + 1);
        sum += reference_distance("l2", rows()[i], x).distance;
    }
    return sum / static_cast<double>(rows().rows());
}

}  // namespace

TEMPLATE_TEST_CASE("rabitq: ivf measures what it stores", "", vicinal::l2, vicinal::inner_product) {
    vicinal::ivf_index<TestType, rabitq<4>> index(dim, {.lists = 20});
    fill(index);
    require_true_distances<TestType>(index);
    // Rows that change lists are relative to the new one.
    for (std::size_t i = 0; i < 500; ++i) index.update(7 * i + 1, rows()[2999 - i]);
    require_true_distances<TestType>(index);
    for (std::size_t i = 0; i < 500; ++i) {
        REQUIRE(index.get(7 * i + 1) == index.get(7 * (2999 - i) + 1));
    }
    // And after a file, before and after the first change.
    std::vector<std::byte> bytes;
    index.save(bytes);
    auto loaded = vicinal::ivf_index<TestType, rabitq<4>>::load(std::span<const std::byte>(bytes));
    require_true_distances<TestType>(loaded);
    loaded.add(5, rows()[17]);
    index.add(5, rows()[17]);
    require_true_distances<TestType>(loaded);
    REQUIRE(loaded.get(5) == index.get(5));
}

TEST_CASE("rabitq: codes about centroids are closer to the rows than those about the mean") {
    vicinal::ivf_index<vicinal::l2, rabitq<4>> index(dim, {.lists = 20});
    fill(index);
    vicinal::ivf_index<vicinal::l2, rabitq<4>> one_list(dim, {.lists = 1});
    fill(one_list);
    CHECK(error_of(index) < 0.6 * error_of(one_list));
}

TEST_CASE("rabitq: a file whose centroids were rotated otherwise is refused") {
    vicinal::ivf_index<vicinal::l2, rabitq<4>> index(dim, {.lists = 20});
    fill(index);
    std::vector<std::byte> file;
    index.save(file);
    const auto load = [](const std::vector<std::byte>& from) {
        return vicinal::ivf_index<vicinal::l2, rabitq<4>>::load(std::span<const std::byte>(from));
    };
    REQUIRE_NOTHROW(load(file));
    REQUIRE(files_test::forged(file, "IVF_", 3, std::uint64_t{1}) == file);
    for (const auto& bad :
         {files_test::forged(file, "IVF_", 3, std::uint64_t{0}), files_test::forged(file, "IVF_", 3, std::uint64_t{2}),
          files_test::forged(file, "CDRV", 0, 0x3F800000U), files_test::forged(file, "CDRV", 20 * dim - 1, 0x3F800000U),
          files_test::forged(file, "CDRV", 100, 0x7FC00000U)})
        CHECK(files_test::refused([&] { load(bad); }) == vicinal::errc::corrupt_file);
    // A view, which does not look, answers something.
    const temporary_directory folder;
    for (const std::uint32_t bits : {0x7FC00000U, 0x7F800000U, 0x7F7FFFFFU}) {
        const auto bad = files_test::forged(file, "CDRV", 3, bits);
        files_test::spill(folder / "bad.vic", bad);
        const auto view = vicinal::ivf_index<vicinal::l2, rabitq<4>>::view(folder / "bad.vic");
        CHECK(view.search(queries()[0], 10, {.nprobe = 20}).size() == 10);
    }
}
