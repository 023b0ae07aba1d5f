// SPDX-License-Identifier: MIT
// Each optional member of a codec works without the others, and does what vicinal/concepts.hpp says it is for.
#include <string_view>

#include "contract/minimal_codecs.hpp"
#include "contract/minimal_models.hpp"

namespace {

using minimal::check_index, minimal::fixed, minimal::fixed_step, minimal::learned, minimal::naive_l2;
using vicinal::l2;

struct bounded : fixed {
    static constexpr std::string_view name = "bounded";
    static constexpr float max_magnitude = 500;
};
static_assert(vicinal::bounded_codec<bounded> && !vicinal::resolving_codec<bounded>);

struct resolving : fixed {
    static constexpr std::string_view name = "resolving";
    static constexpr float min_magnitude = 1.0F / 16;
};
static_assert(vicinal::resolving_codec<resolving> && !vicinal::bounded_codec<resolving>);

/// Counts how often rows are decoded.
struct counted : fixed {
    static inline std::size_t decoded = 0;
    void decode(std::span<const std::byte> code, std::span<float> x) const {
        ++decoded;
        fixed::decode(code, x);
    }
};
struct limits_norms : counted {
    static constexpr std::string_view name = "limits_norms";
    double largest_squares() const { return 512.0 * 512.0 * static_cast<double>(dim); }
};
static_assert(vicinal::norm_bounded_codec<limits_norms> && !vicinal::norm_keeping_codec<limits_norms>);

struct keeps_norms : counted {
    static constexpr std::string_view name = "keeps_norms";
    static constexpr bool keeps_length = true;
};
static_assert(vicinal::norm_keeping_codec<keeps_norms> && !vicinal::norm_bounded_codec<keeps_norms>);

struct unbiased : fixed {
    static constexpr std::string_view name = "unbiased";
    static constexpr bool best_as_decoded = true;
};
static_assert(vicinal::unbiased_codec<unbiased>);

struct multibyte : fixed {
    static constexpr std::string_view name = "multibyte";
    static constexpr std::size_t word_size = 2;
};
static_assert(vicinal::multibyte_codec<multibyte>);

/// Decodes no code as it loads, but looks at each.
struct total : counted {
    static constexpr std::string_view name = "total";
    static constexpr bool any_code_decodes = true;
};
static_assert(vicinal::total_codec<total> && !vicinal::checked_codec<total>);

struct checked : fixed {
    static constexpr std::string_view name = "checked";
    static inline bool refuses = false;
    bool well_formed(std::span<const std::byte>) const { return !refuses; }
};
static_assert(vicinal::checked_codec<checked> && !vicinal::total_codec<checked>);

struct clipping : learned {
    static constexpr std::string_view name = "clipping";
    std::size_t clipped(std::span<const float> row) const {
        return static_cast<std::size_t>(
            std::count_if(row.begin(), row.end(), [&](float x) { return std::abs(x) > 2000 * scale; }));
    }
};
static_assert(vicinal::clipping_codec<clipping> && !vicinal::strained_codec<clipping>);

/// Says how strained it is, and counts by what it learns.
struct strained : learned {
    static constexpr std::string_view name = "strained";
    static inline int trained_times = 0;
    template <class Rows>
    double strain(const Rows& rows) const {
        double beyond = 0;
        for (std::size_t r = 0; r < rows.rows(); ++r)
            for (const float x : rows[r]) beyond += std::abs(x) > 2000 * scale ? 100.0 : 0.0;
        return beyond / static_cast<double>(rows.rows());
    }
    void train(vicinal::matrix_view<const float> rows) {
        ++trained_times;
        learned::train(rows);
    }
};
static_assert(vicinal::strained_codec<strained> && !vicinal::learning_codec<strained>);
struct learning : strained {
    static constexpr std::string_view name = "learning";
    static inline int times = 0;
    template <class Rows>
    void learn(const Rows& rows) {
        ++times;
        std::vector<float> copied;
        for (std::size_t r = 0; r < rows.rows(); ++r) copied.insert(copied.end(), rows[r].begin(), rows[r].end());
        learned::train(vicinal::matrix_view<const float>(std::span<const float>(copied), dim));
    }
};
static_assert(vicinal::learning_codec<learning> && !vicinal::widening_codec<learning>);
struct widening : strained {
    static constexpr std::string_view name = "widening";
    static inline int times = 0;
    template <class Rows>
    void widen(const Rows& rows) {
        ++times;
        for (std::size_t r = 0; r < rows.rows(); ++r)
            for (const float x : rows[r]) scale = std::max(scale, std::abs(x) / 2000);
    }
};
static_assert(vicinal::widening_codec<widening> && !vicinal::learning_codec<widening>);

struct slow : learned {
    static constexpr std::string_view name = "slow";
    static constexpr std::size_t learning_growth = 1000;
};
static_assert(vicinal::slowly_learning_codec<slow>);

/// The first two components of `fixed`, and whether there is a metric to prepare them by.
struct truncating : fixed {
    static constexpr std::string_view name = "truncating";
    static constexpr std::size_t components = 2;
    static inline int times_prepared = 0;
    explicit truncating(std::size_t) : fixed{2} {}
    template <class Metric>
    void prepare_by(const Metric&) {
        ++times_prepared;
    }
    void decode(std::span<const std::byte> code, std::span<float> x) const {
        fixed::decode(code, x.first(2));
        for (float& rest : x.subspan(2)) rest = 0;
    }
};
static_assert(vicinal::truncating_codec<truncating>);

template <class Codec>
void check_flat() {
    check_index(vicinal::flat_index<l2, Codec>(minimal::dim), naive_l2, fixed_step);
}

/// Adds so many rows that an index has learned enough, then others ten times as long. Returns how long the longest of
/// these is after it went through the codec.
template <class Codec>
float grow_and_stretch(vicinal::flat_index<l2, Codec>& index) {
    vicinal_test::dataset rows = minimal::small_rows(5000, 8);
    for (std::size_t i = 4200 * minimal::dim; i < rows.values.size(); ++i) rows.values[i] *= 10;
    std::vector<std::uint64_t> ids(5000);
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = i;
    index.add(std::span(ids).first(4200), rows.view(0, 4200));
    index.add(std::span(ids).subspan(4200), rows.view(4200, 800));
    float largest = 0;
    for (std::size_t i = 4200; i < 5000; ++i)
        for (const float x : index.get(i)) largest = std::max(largest, std::abs(x));
    return largest;
}

}  // namespace

TEST_CASE("minimal codecs: max_magnitude and min_magnitude refuse vectors") {
    check_flat<bounded>();
    check_flat<resolving>();
    vicinal::flat_index<l2, bounded> up_to(minimal::dim);
    CHECK_THROWS_AS(up_to.add(1, std::vector<float>(minimal::dim, 501.0F)), vicinal::error);
    vicinal::flat_index<l2, resolving> from(minimal::dim);
    CHECK_THROWS_AS(from.add(1, std::vector<float>(minimal::dim, 0.01F)), vicinal::error);
}
TEST_CASE("minimal codecs: a bound of norms saves decoding rows as they are added") {
    check_flat<limits_norms>();
    check_flat<keeps_norms>();
    const auto decoded_by_add = [](auto index) {
        counted::decoded = 0;
        index.add(1, std::vector<float>(minimal::dim, 1.0F));
        return counted::decoded;
    };
    CHECK(decoded_by_add(vicinal::flat_index<l2, limits_norms>(minimal::dim)) == 0);
    CHECK(decoded_by_add(vicinal::flat_index<l2, keeps_norms>(minimal::dim)) == 0);
    CHECK(decoded_by_add(vicinal::flat_index<l2, total>(minimal::dim)) == 1);
}
TEST_CASE("minimal codecs: vectors that are best as decoded are not made longer") {
    vicinal::flat_index<vicinal::cosine, unbiased> index(minimal::dim);
    const std::vector<float> vector(minimal::dim, 1.0F);
    index.add(1, vector);
    const std::vector<float> held = index.get(1);
    const double length = std::sqrt(-minimal::naive_product(held, held));
    CHECK(std::abs(length - 1) > 1e-4);
    CHECK(std::abs(double{index.search(vector, 1)[0].distance} - (1 - length)) < 1e-5);
}
TEST_CASE("minimal codecs: codes of words, codes that are looked at and codes that need no look are loaded") {
    check_flat<multibyte>();
    check_flat<checked>();
    check_flat<total>();
    vicinal::flat_index<l2, checked> index(minimal::dim);
    index.add(1, std::vector<float>(minimal::dim, 1.0F));
    std::vector<std::byte> bytes;
    index.save(bytes);
    checked::refuses = true;
    CHECK_THROWS_AS((vicinal::flat_index<l2, checked>::load(std::span<const std::byte>(bytes))), vicinal::error);
    checked::refuses = false;
    vicinal::flat_index<l2, total> sure(minimal::dim);
    sure.add(1, std::vector<float>(minimal::dim, 1.0F));
    sure.save(bytes);
    counted::decoded = 0;
    CHECK(vicinal::flat_index<l2, total>::load(std::span<const std::byte>(bytes)).size() == 1);
    CHECK(counted::decoded == 0);
}
TEST_CASE("minimal codecs: clipped components are reported") {
    check_flat<clipping>();
    vicinal::flat_index<l2, clipping> index(minimal::dim);
    CHECK(grow_and_stretch(index) < 5);
    CHECK(index.codec_report().coarse.clipped_components > 0);
}
TEST_CASE("minimal codecs: a codec that says it is strained is trained again") {
    check_flat<strained>();
    vicinal::flat_index<l2, strained> index(minimal::dim);
    CHECK(grow_and_stretch(index) > 15);
}
TEST_CASE("minimal codecs: of strained codecs learn, and before it widen, is asked instead") {
    check_flat<learning>();
    check_flat<widening>();
    vicinal::flat_index<l2, learning> again(minimal::dim);
    CHECK(grow_and_stretch(again) > 15);
    CHECK(learning::times > 0);
    vicinal::flat_index<l2, widening> wider(minimal::dim);
    CHECK(grow_and_stretch(wider) > 15);
    CHECK(widening::times > 0);
}
TEST_CASE("minimal codecs: learning_growth keeps small indexes from learning at each doubling") {
    check_flat<slow>();
    vicinal::flat_index<l2, slow> index(minimal::dim);
    for (std::uint64_t id = 0; id < 100; ++id) index.add(id, std::vector<float>(minimal::dim, 1.0F));
    CHECK(index.codec_report().coarse.relearned == 0);
}
TEST_CASE("minimal codecs: one that keeps some components finds candidates by these alone") {
    using codec = vicinal::two_level<truncating, vicinal::f32>;
    vicinal::flat_index<l2, codec> index(4);
    index.add(1, std::vector<float>{1, 1, 9, 9});
    index.add(2, std::vector<float>{2, 2, 0, 0});
    const std::vector<float> query{0, 0, 0, 0};
    CHECK(index.search(query, 1, {.rerank = 1})[0].id == 1);
    CHECK(index.search(query, 1, {.rerank = 2})[0].id == 2);
    CHECK(truncating::times_prepared == 0);
    const vicinal::flat_index<vicinal::cosine, codec> prepared(4);
    CHECK(truncating::times_prepared == 1);
}
