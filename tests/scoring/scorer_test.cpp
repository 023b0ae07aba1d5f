// SPDX-License-Identifier: MIT
// What scoring/scorer.hpp promises: whatever rung a metric and a codec share, the distances agree.
#include "vicinal/scoring/scorer.hpp"

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "simd/reference.hpp"
#include "storage/allocations.hpp"
#include "support/catch.hpp"

namespace {

using sizes = std::vector<std::size_t>;
using namespace vicinal::detail;
using namespace vicinal_test;
using vicinal::cosine;
using vicinal::f16;
using vicinal::f32;
using vicinal::inner_product;
using vicinal::l2;
using vicinal::sq4;
using vicinal::sq8;
using kernels = vicinal::simd::native_kernels;

/// A user's metric on the vectorised rung.
struct manhattan {
    static constexpr std::string_view name = "manhattan";
    template <class V>
    static V accumulate(const V& acc, const V& q, const V& x) {
        using std::abs;
        return acc + abs(q - x);
    }
    static float finish(float sum) { return sum; }
};

/// A user's metric on the lowest rung: no sum, so it needs whole vectors.
struct chebyshev {
    static constexpr std::string_view name = "chebyshev";
    float operator()(std::span<const float> q, std::span<const float> x) const {
        float largest = 0;
        for (std::size_t i = 0; i < q.size(); ++i) largest = std::max(largest, std::abs(q[i] - x[i]));
        return largest;
    }
};

/// f32 of another's making, without load: the lowest rung of codecs. Stored backwards, so that a short cut would show.
struct reversed {
    static constexpr std::string_view name = "reversed";
    std::size_t dim = 0;
    std::size_t code_size() const { return dim * sizeof(float); }
    void encode(std::span<const float> v, std::span<std::byte> code) const {
        for (std::size_t i = 0; i < dim; ++i) std::memcpy(code.data() + (dim - 1 - i) * 4, &v[i], 4);
    }
    void decode(std::span<const std::byte> code, std::span<float> v) const {
        for (std::size_t i = 0; i < dim; ++i) std::memcpy(&v[i], code.data() + (dim - 1 - i) * 4, 4);
    }
};

/// The same sum as l2, on the lowest rung.
struct whole_l2 {
    static constexpr std::string_view name = "whole_l2";
    float operator()(std::span<const float> q, std::span<const float> x) const {
        float sum = 0;
        for (std::size_t i = 0; i < q.size(); ++i) sum += (q[i] - x[i]) * (q[i] - x[i]);
        return sum;
    }
};

/// One query and `n` rows of one dimension in a store.
template <class Codec>
struct filled_store {
    static constexpr std::size_t n = 9;
    code_store<Codec> store;
    padded_vector query;

    explicit filled_store(std::size_t dim) : store(dim, row_spacing::dense) {
        std::mt19937 random(static_cast<unsigned>(dim));
        store.coder() = make_codec<Codec>(dim, random_vector(64, random));
        store.reserve(n);
        for (slot_t slot = 0; slot < n; ++slot) store.write(slot, random_vector(dim, random));
        query.resize(dim);
        const auto values = random_vector(dim, random);
        std::copy(values.begin(), values.end(), query.data());
    }
    std::vector<float> row(slot_t slot) const {
        std::vector<float> decoded(store.dim());
        store.read(slot, decoded);
        return decoded;
    }
    template <class Metric>
    std::vector<float> scores() const {
        padded_vector buffer;
        const scorer<Metric, Codec, kernels> score(metric_of<Metric>(), store, query.data(), buffer);
        std::vector<slot_t> slots;
        for (slot_t slot = n; slot-- > 0;) slots.push_back(slot);
        std::vector<float> listed(n), block(n);
        score.score(slots.data(), n, listed.data());
        score.score_block(0, n, block.data());
        for (slot_t slot = 0; slot < n; ++slot) {  // one by one, listed and in a block: the same bits
            CHECK(same_bits(block[slot], listed[n - 1 - slot]));
            CHECK(same_bits(block[slot], score.score(slot)));
        }
        return block;
    }
    template <class Metric>
    static const Metric& metric_of() {
        static const Metric metric{};
        return metric;
    }
};

constexpr std::size_t lanes = vicinal::simd::lane_count<vicinal::simd::native_isa>;
const std::vector<std::size_t> dims{1, 2, 7, 16, 33, 128, 223};

template <class Metric, class Codec, class AsIf>
void check_against_reference() {
    std::size_t wrong = 0;
    for (const std::size_t dim : dims) {
        const filled_store<Codec> filled(dim);
        const auto got = filled.template scores<Metric>();
        for (slot_t slot = 0; slot < filled.n; ++slot) {
            const exact want = reference(AsIf{}, filled.query.data(), filled.row(slot).data(), dim);
            // A whole metric adds in one chain, as one lane does.
            const std::size_t width = vicinal::pointwise_metric<Metric> ? lanes : 1;
            wrong += !(std::fabs(got[slot] - want.distance) <= allowed(dim, width, want.magnitude));
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("scorer: metrics and codecs of any rung give the distance, within its bound") {
    using vicinal::simd::native_kernels;
    STATIC_REQUIRE(algorithm_of<l2, sq8, native_kernels>(scan_use::rerank) == scan_algorithm::fuse);
    STATIC_REQUIRE(algorithm_of<manhattan, f16, native_kernels>(scan_use::rerank) == scan_algorithm::fuse);
    STATIC_REQUIRE(algorithm_of<l2, reversed, native_kernels>(scan_use::rerank) == scan_algorithm::decode);
    STATIC_REQUIRE(algorithm_of<chebyshev, f32, native_kernels>(scan_use::rerank) == scan_algorithm::decode);
    check_against_reference<l2, f32, l2>();
    check_against_reference<l2, sq8, l2>();
    check_against_reference<l2, sq4, l2>();
    check_against_reference<l2, reversed, l2>();
    check_against_reference<whole_l2, f32, l2>();
    check_against_reference<whole_l2, sq8, l2>();
    check_against_reference<whole_l2, reversed, l2>();
    check_against_reference<inner_product, reversed, inner_product>();
}

TEST_CASE("scorer: decoding first gives the same bits as the fused loop, if only the codec's rung differs") {
    for (const std::size_t dim : dims) {
        const filled_store<f32> fused(dim);
        const filled_store<reversed> decoded(dim);  // the same rows: both were drawn from the same numbers
        REQUIRE(fused.row(3) == decoded.row(3));
        CHECK(fused.scores<l2>() == decoded.scores<l2>());
        CHECK(fused.scores<manhattan>() == decoded.scores<manhattan>());
        CHECK(fused.scores<inner_product>() == decoded.scores<inner_product>());
    }
}

TEST_CASE("scorer: a user's metric of one function works with every codec") {
    for (const std::size_t dim : dims) {
        const auto check = [&](const auto& filled) {
            const auto got = filled.template scores<chebyshev>();
            for (slot_t slot = 0; slot < filled.n; ++slot)
                CHECK(got[slot] == chebyshev{}(filled.query.span(), filled.row(slot)));
        };
        check(filled_store<f32>(dim));
        check(filled_store<f16>(dim));
        check(filled_store<sq8>(dim));
        check(filled_store<sq4>(dim));
        check(filled_store<reversed>(dim));
    }
}

TEST_CASE("scorer: a stored row measured against itself is exactly 0 under l2, under every codec") {
    const auto check = [](const auto& filled) {
        using store_type = std::remove_cvref_t<decltype(filled.store)>;
        using codec_type = std::remove_cvref_t<decltype(std::declval<store_type>().coder())>;
        const l2 metric;
        row_as_query<codec_type> as_query;
        padded_vector buffer;
        for (slot_t slot = 0; slot < filled.n; ++slot) {
            const scorer<l2, codec_type, kernels> score(metric, filled.store, as_query(filled.store, slot), buffer);
            CHECK(score.score(slot) == 0.0F);
        }
    };
    for (const std::size_t dim : dims) {
        check(filled_store<f32>(dim));
        check(filled_store<f16>(dim));
        check(filled_store<vicinal::bf16>(dim));
        check(filled_store<sq8>(dim));
        check(filled_store<sq4>(dim));
        check(filled_store<reversed>(dim));
    }
}

TEST_CASE("scorer: between stored rows d(a, b) and d(b, a) have the same bits, under every codec") {
    const auto check = [](const auto& filled) {
        using store_type = std::remove_cvref_t<decltype(filled.store)>;
        using codec_type = std::remove_cvref_t<decltype(std::declval<store_type>().coder())>;
        const l2 metric;
        row_as_query<codec_type> as_query;
        padded_vector buffer;
        constexpr std::size_t n = std::remove_cvref_t<decltype(filled)>::n;
        float d[n][n];
        for (slot_t a = 0; a < n; ++a) {
            const scorer<l2, codec_type, kernels> score(metric, filled.store, as_query(filled.store, a), buffer);
            score.score_block(0, n, d[a]);
        }
        for (slot_t a = 0; a < n; ++a)
            for (slot_t b = 0; b < n; ++b) CHECK(same_bits(d[a][b], d[b][a]));
    };
    check(filled_store<f32>(33));
    check(filled_store<f16>(33));
    check(filled_store<sq8>(33));
    check(filled_store<sq4>(33));
    check(filled_store<reversed>(33));
}

TEST_CASE("scorer: allocates nothing once its buffers have their size") {
    const auto check = [](const auto& filled, const auto& metric) {
        using store_type = std::remove_cvref_t<decltype(filled.store)>;
        using codec_type = std::remove_cvref_t<decltype(std::declval<store_type>().coder())>;
        using metric_type = std::remove_cvref_t<decltype(metric)>;
        padded_vector buffer;
        row_as_query<codec_type> as_query;
        const slot_t slots[] = {0, 5, 3, 2, 7};
        float out[filled_store<f32>::n];
        std::size_t before = 0;
        for (int round = 0; round < 3; ++round) {
            const scorer<metric_type, codec_type, kernels> score(metric, filled.store, as_query(filled.store, 4),
                                                                 buffer);
            score.score(slots, 5, out);
            score.score_block(0, filled.n, out);
            score.prefetch(slots, 1);
            if (round == 0) before = allocations;
        }
        CHECK(allocations == before);
    };
    check(filled_store<f32>(100), l2{});
    check(filled_store<sq8>(100), cosine{});
    check(filled_store<reversed>(100), l2{});
    check(filled_store<f16>(100), chebyshev{});
}

TEST_CASE("padded_vector: lies on a cache line, zeros behind it, and keeps its memory while the size stays") {
    padded_vector v;
    CHECK(v.span().empty());
    for (const std::size_t dim : sizes{1, 16, 17, 100}) {
        v.resize(dim);
        CHECK(v.span().size() == dim);
        CHECK(reinterpret_cast<std::uintptr_t>(v.data()) % 64 == 0);
        for (std::size_t i = 0; i < dim; ++i) v.data()[i] = 1.0F;
        for (std::size_t i = dim; i < dim + vicinal::simd::over_read / sizeof(float); ++i) REQUIRE(v.data()[i] == 0.0F);
        const float* const at = v.data();
        v.resize(dim);
        CHECK(v.data() == at);
        CHECK(v.data()[0] == 1.0F);
    }
}

TEST_CASE("row_as_query: f32 rows are used in place, others are decoded") {
    const filled_store<f32> floats(20);
    row_as_query<f32> in_place;
    CHECK(in_place(floats.store, 2) == reinterpret_cast<const float*>(floats.store.rows()[2]));
    const filled_store<sq8> bytes(20);
    row_as_query<sq8> decoding;
    const float* const query = decoding(bytes.store, 2);
    CHECK(std::vector<float>(query, query + 20) == bytes.row(2));
}

}  // namespace
