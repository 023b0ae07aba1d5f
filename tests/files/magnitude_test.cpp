// SPDX-License-Identifier: MIT
// Files of vectors as long as any that is admitted, and of codecs whose range is as wide as one can be.
#include <cmath>
#include <limits>

#include "files/support.hpp"

using namespace files_test;

namespace {

const float longest = std::sqrt(std::numeric_limits<float>::max() / 8);

/// Rows whose sum of squares is just within what is admitted, or for which an index throws errc::magnitude.
dataset long_rows(std::size_t rows, std::size_t dim, double part, std::uint64_t seed = 1) {
    dataset made = gaussian(rows, dim, seed);
    for (std::size_t r = 0; r < rows; ++r) {
        double squares = 0;
        for (const float x : made[r]) squares += double{x} * double{x};
        for (float& x : made[r]) x = static_cast<float>(x / std::sqrt(squares) * double{longest} * part);
    }
    return made;
}

/// Puts rows into an index one by one, as many as it takes; a file of them must load, answer finitely and equal itself.
template <class Index>
void require_files_near_the_limit(std::size_t dim, const dataset& first, const dataset& more) {
    Index index(dim);
    const auto ids = numbered<std::uint64_t>(first.rows());
    REQUIRE(refused([&] { index.add(ids, first.view()); }).value_or(errc::magnitude) == errc::magnitude);
    if (index.empty()) {
        dataset small = first;
        for (float& x : small.values) x *= 0x1p-30F;
        index.add(ids, small.view());
    }
    std::size_t taken = 0;
    for (std::size_t r = 0; r < more.rows(); ++r) {
        const auto code = refused([&] { index.add(1000 + r, more[r]); });
        REQUIRE(code.value_or(errc::magnitude) == errc::magnitude);
        taken += code ? 0 : 1;
        if (!index.empty() && index.contains(0))
            REQUIRE(refused([&] { index.update(0, more[r]); }).value_or(errc::magnitude) == errc::magnitude);
    }
    CAPTURE(dim, taken);
    const bytes_t bytes = saved(index);
    const Index loaded = Index::load(std::span<const std::byte>(bytes));
    REQUIRE(saved(loaded) == bytes);
    const float infinity = std::numeric_limits<float>::infinity();
    for (std::size_t q = 0; q < more.rows(); ++q) {
        const auto hits = loaded.search_within(more[q], std::numeric_limits<float>::max());
        REQUIRE(hits.size() == loaded.size());  // no distance is infinite or no number
        for (const auto& hit : hits) REQUIRE(std::abs(hit.distance) < infinity);
    }
}

}  // namespace

TEMPLATE_TEST_CASE("files: an index near the limit of magnitude loads what it saved, and no distance overflows", "",
                   (flat_index<l2, bf16>), (flat_index<inner_product, two_level<sq4, bf16>>), (ivf_index<l2, sq4>),
                   (hnsw_index<l2, sq8>)) {
    for (const std::size_t dim : {1U, 3U, 300U, 2000U})
        for (const double part : {0.999999, 0.3}) {
            // The first rows span the whole range of the first component; the others are short in each component.
            dataset first = long_rows(300, dim, part, 5);
            for (std::size_t r = 0; r < first.rows(); ++r)
                for (std::size_t i = 0; i < dim; ++i)
                    if (r < 150 && i > 0) first[r][i] = 0;
            for (std::size_t r = 0; r < 150; ++r) first[r][0] = (r % 2 == 0 ? longest : -longest) * 0.99F;
            require_files_near_the_limit<TestType>(dim, first, long_rows(12, dim, part, 6));
        }
}

TEMPLATE_TEST_CASE("files: a forged range of a codec cannot make later distances infinite", "", (flat_index<l2, sq4>),
                   (hnsw_index<l2, sq8>)) {
    using index_type = TestType;
    index_type index(8);
    const dataset rows = gaussian(40, 8);
    index.add(numbered<std::uint64_t>(40), rows.view());
    const bytes_t bytes = saved(index);
    std::size_t let_in = 0;
    for (const float low : {0.0F, -0x1p62F, 0x1p62F, 0x1p63F, -0x1p63F, 0x1p60F})
        for (const float step : {1.0F, 0x1p54F, 0x1p55F, 0x1p58F, 0x1p62F, 0x1p63F}) {
            bytes_t bad = forged(forged(bytes, "LRN0", 0, low), "LRN0", 1, step);
            // Codes of the smallest vectors that the range has.
            const place codes = section_of(bad, "COD0");
            const double top = std::is_same_v<index_type, flat_index<l2, sq4>> ? 15 : 255;
            const double zero = std::clamp(-double{low} / double{step}, 0.0, top) + 0.5;
            auto code = static_cast<unsigned>(zero);
            if (top == 15) code *= 17;
            for (std::size_t i = 0; i < codes.length; ++i) bad[codes.offset + i] = static_cast<std::byte>(code);
            sign(bad);
            std::optional<index_type> forged_index;
            if (refused([&] { forged_index.emplace(index_type::load(std::span<const std::byte>(bad))); })) continue;
            ++let_in;
            const dataset more = long_rows(20, 8, 0.99);
            for (std::size_t r = 0; r < 20; ++r)
                static_cast<void>(refused([&] { forged_index->add(100 + r, more[r]); }));
            CAPTURE(low, step);
            for (std::size_t q = 0; q < 20; ++q)
                REQUIRE(forged_index->search_within(more[q], std::numeric_limits<float>::max()).size() ==
                        forged_index->size());
        }
    CHECK(let_in > 0);
}
