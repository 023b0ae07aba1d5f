// SPDX-License-Identifier: MIT
// All values of any integer type are ids, and ties go to the lower of them as that type orders them.
#include <limits>

#include "contract/index_contract.hpp"
#include "contract/subject.hpp"
#include "vicinal/flat.hpp"
#include "vicinal/hnsw.hpp"
#include "vicinal/ivf.hpp"

namespace {

using namespace vicinal_test;

enum class letter : std::uint8_t { a = 97, b, c };

template <class Index>
typename Index::search_params all_of(const Index& index) {
    typename Index::search_params params;
    if constexpr (ivf_like<Index>) params.nprobe = index.lists();
    if constexpr (requires { params.ef; }) params.ef = 4 * index.size() + 64;
    return params;
}

template <class Index>
void require_takes(std::vector<typename Index::id_type> ids) {
    using Id = typename Index::id_type;
    const dataset rows = gaussian(ids.size(), 6);
    Index index(6);
    REQUIRE(index.add(ids, rows.view()) == ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
        REQUIRE(index.contains(ids[i]));
        REQUIRE(index.get(ids[i]) == vector_t(rows[i].begin(), rows[i].end()));
        REQUIRE(index.search(rows[i], 1, all_of(index))[0] == vicinal::neighbor<Id>{ids[i], 0.0F});
    }
    const vicinal::id_set<Id> some(std::vector<Id>{ids[0], ids[1]});
    auto params = all_of(index);
    params.filter = some;
    REQUIRE(index.search(rows[0], ids.size(), params).size() == some.size());

    std::vector<std::byte> bytes;
    index.save(bytes);
    const auto copy = Index::load(std::span<const std::byte>(bytes));
    REQUIRE(copy.search(rows[0], ids.size(), all_of(copy)) == index.search(rows[0], ids.size(), all_of(index)));

    for (const Id id : ids) index.update(id, rows[0]);
    const auto tied = index.search(rows[0], ids.size(), all_of(index));
    std::sort(ids.begin(), ids.end());
    REQUIRE(tied.size() == ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) REQUIRE(tied[i].id == ids[i]);
    REQUIRE(index.check().ok());
    for (const Id id : ids) REQUIRE(index.remove(id));
    REQUIRE(index.empty());
}

template <template <class, class, class, class> class Index>
void require_takes_all_kinds() {
    using kernels = vicinal::simd::native_kernels;
    using limits = std::numeric_limits<std::int64_t>;
    require_takes<Index<l2, f32, std::uint64_t, kernels>>(
        {0, ~std::uint64_t{0}, ~std::uint64_t{0} - 1, 1, 1ULL << 63, 1ULL << 32});
    require_takes<Index<l2, f32, std::int64_t, kernels>>({-1, 0, limits::min(), limits::max(), 1, -2});
    std::vector<letter> all;
    for (int i = 0; i < 256; ++i) all.push_back(static_cast<letter>(i * 37));
    require_takes<Index<l2, f32, letter, kernels>>(all);
}

}  // namespace

TEST_CASE("ids: flat_index takes every value of an integer type") { require_takes_all_kinds<vicinal::flat_index>(); }
TEST_CASE("ids: ivf_index takes every value of an integer type") { require_takes_all_kinds<vicinal::ivf_index>(); }
TEST_CASE("ids: hnsw_index takes every value of an integer type") { require_takes_all_kinds<vicinal::hnsw_index>(); }

TEST_CASE("ids: an id named in an error is written as a number") {
    vicinal::flat_index<l2, f32, std::int8_t> index(1);
    const vector_t one{1};
    index.add(-5, one);
    require_refusal(errc::duplicate_id, {"-5"}, [&] { index.add(-5, one); });
    require_refusal(errc::not_found, {"65"}, [&] { index.update(65, one); });
}

TEST_CASE("ids: an enum class is its integer type in files and in errors") {
    vicinal::flat_index<l2, f32, letter> letters(1);
    letters.add(std::vector{letter::c, letter::a}, {std::vector<float>{3, 1}, 1});
    require_refusal(errc::duplicate_id, {"97"}, [&] { letters.add(letter::a, {1}); });
    require_refusal(errc::not_found, {"98"}, [&] { letters.update(letter::b, {1}); });
    REQUIRE(letters.ids() == std::vector{letter::a, letter::c});
    const auto not_a = [](letter id) { return id != letter::a; };
    REQUIRE(letters.search({1}, 2, {.filter = not_a}).front().id == letter::c);
    std::vector<std::byte> bytes;
    letters.save(bytes);
    const auto numbers = vicinal::flat_index<l2, f32, std::uint8_t>::load(std::span<const std::byte>(bytes));
    REQUIRE(numbers.ids() == std::vector<std::uint8_t>{97, 99});
    enum class wider : std::int16_t {};
    require_refusal(errc::wrong_type, {"8-bit unsigned", "16-bit signed"},
                    [&] { (void)vicinal::flat_index<l2, f32, wider>::load(std::span<const std::byte>(bytes)); });
    enum unscoped { one };
    STATIC_REQUIRE_FALSE(vicinal::identifier<std::byte>);
    STATIC_REQUIRE_FALSE(vicinal::identifier<unscoped>);
}

TEST_CASE("ids: extreme ids of 64 bits work with every metric and codec") {
    FOR_EVERY_INDEX(s);
    const dataset rows = gaussian(5, 7);
    const std::vector<std::uint64_t> ids{0, ~std::uint64_t{0}, ~std::uint64_t{0} - 1, 1ULL << 63, 1ULL << 32};
    const index_ptr index = s.make(7);
    REQUIRE(index->add(ids, rows.view()) == 5);
    const vectors_t held = held_by(*index, ids);
    expect(s, held).require_closest(rows[1], 5, index->search(rows[1], 5));
    REQUIRE(index->remove(~std::uint64_t{0}));
    REQUIRE_FALSE(index->contains(~std::uint64_t{0}));
    REQUIRE(index->contains(~std::uint64_t{0} - 1));
    REQUIRE(index->check().ok());
}
