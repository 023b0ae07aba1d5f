// SPDX-License-Identifier: MIT
// How index types enter the contract: what stands behind any_index, and the groups of metrics and codecs.
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "contract/any_index.hpp"
#include "support/reduced.hpp"
#include "support/user_types.hpp"
#include "vicinal/codecs.hpp"
#include "vicinal/index_types.hpp"
#include "vicinal/metrics.hpp"
#include "vicinal/simd/kernels.hpp"

namespace vicinal_test {

template <class Index>
concept ivf_like = requires(const Index& index) {
    index.lists();
};
template <class Codec>
struct codec_traits {
    using deciding = Codec;
    static constexpr std::string_view coarse{};
    static constexpr bool two_level = false;
    static constexpr bool learns = vicinal::trainable_codec<Codec>;
};
template <class Coarse, class Fine>
struct codec_traits<vicinal::two_level<Coarse, Fine>> {
    using deciding = Fine;
    static constexpr std::string_view coarse = Coarse::name;
    static constexpr bool two_level = true;
    static constexpr bool learns = vicinal::trainable_codec<Coarse> || vicinal::trainable_codec<Fine>;
};

template <template <class, class, class, class> class Index, class Metric, class Codec>
class subject_of final : public subject {
    using index_type = Index<Metric, Codec, std::uint64_t, vicinal::simd::native_kernels>;
    using traits = codec_traits<Codec>;

  public:
    explicit subject_of(std::string_view of_kind) {
        kind = of_kind;
        metric = Metric::name;
        codec = traits::deciding::name;
        coarse = traits::coarse;
        two_level = traits::two_level;
        learns = traits::learns || ivf_like<index_type>;
        decodes = vicinal::trainable_codec<typename traits::deciding>;
        if constexpr (vicinal::bounded_codec<typename traits::deciding>)
            max_magnitude = traits::deciding::max_magnitude;
    }
    index_ptr make(std::size_t dim) const override {
        if constexpr (vicinal::stateful_metric<Metric>)
            return wrap(vicinal::any_index(index_type(dim, Metric(reference_weights(dim)))));
        else
            return wrap(vicinal::any_index(index_type(dim)));
    }
    index_ptr load(const std::filesystem::path& path) const override { return wrap(vicinal::open<types>(path)); }
    index_ptr load(std::istream& stream) const override { return wrap(vicinal::open<types>(stream)); }
    index_ptr load(std::span<const std::byte> bytes) const override { return wrap(vicinal::open<types>(bytes)); }
    index_ptr view(const std::filesystem::path& path) const override { return wrap(vicinal::open_view<types>(path)); }
    index_ptr view(std::span<const std::byte> bytes) const override { return wrap(vicinal::open_view<types>(bytes)); }

  private:
    using types = vicinal::index_types<index_type>;
    static index_ptr wrap(vicinal::any_index index) {
        whole_numbers whole;
        if constexpr (vicinal::whole_codec<Codec>)
            whole = {static_cast<float>(Codec::least), static_cast<float>(Codec::most)};
        return std::make_unique<any_index>(std::move(index), whole);
    }
};

template <class Metric, class Codec>
struct combination {};

/// Enters an index with each of the combinations of metric and codec into subjects().
template <template <class, class, class, class> class Index, class... Combinations>
class registered {
  public:
    explicit registered(std::string_view kind) { (enter(kind, Combinations{}), ...); }

  private:
    template <class Metric, class Codec>
    static void enter(std::string_view kind, combination<Metric, Codec>) {
        static const subject_of<Index, Metric, Codec> one(kind);
        subjects().push_back(&one);
    }
};

// ---- the groups: which combinations each index is tested with
// -------------------------------------------------------- Every index meets every metric and every family of codecs
// (numbers, halves, grids, pairs, signs, axes, two levels, a user's), and every metric meets every family in some
// index: the essential types and a share of the rest. With VICINAL_TEST_ALL_TYPES every product is tested, under a
// sanitizer the essential types alone (support/reduced.hpp).

using vicinal::bf16;
using vicinal::bits;
using vicinal::cosine;
using vicinal::f16;
using vicinal::f32;
using vicinal::hamming;
using vicinal::i8;
using vicinal::inner_product;
using vicinal::jaccard;
using vicinal::l2;
using vicinal::sq4;
using vicinal::sq8;
using vicinal::u8;
using vicinal::weighted_l2;
using sq8_then_f32 = vicinal::two_level<sq8, f32>;
using sq4_then_sq8 = vicinal::two_level<sq4, sq8>;
using prefix_then_f32 = vicinal::two_level<vicinal::prefix<1>, f32>;
using pq_then_f32 = vicinal::two_level<vicinal::pq, f32>;
using rabitq1_then_f32 = vicinal::two_level<vicinal::rabitq<1>, f32>;

/// All codecs' and metrics' code paths in as few types as possible.
template <template <class, class, class, class> class Index>
#if defined(VICINAL_TEST_REDUCED)
using essential = registered<Index, combination<l2, f32>, combination<cosine, sq8>, combination<chebyshev, eighths>,
                             combination<l2, sq4_then_sq8>>;
#else
using essential =
    registered<Index, combination<l2, f32>, combination<inner_product, f16>, combination<cosine, sq8>,
               combination<manhattan, sq8_then_f32>, combination<chebyshev, eighths>, combination<l2, sq4_then_sq8>>;
#endif
/// All 40 pairs of a metric with one of these codecs.
template <template <class, class, class, class> class Index, class Metric>
using with_every_codec =
    registered<Index, combination<Metric, f32>, combination<Metric, f16>, combination<Metric, bf16>,
               combination<Metric, sq8>, combination<Metric, sq8_then_f32>, combination<Metric, eighths>,
               combination<Metric, sq4>, combination<Metric, sq4_then_sq8>>;

}  // namespace vicinal_test
