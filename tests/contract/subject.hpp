// SPDX-License-Identifier: MIT
// How index types enter the contract: what stands behind any_index, and the groups of metrics and codecs.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "contract/any_index.hpp"
#include "support/reduced.hpp"
#include "support/user_types.hpp"
#include "vicinal/codecs.hpp"
#include "vicinal/metrics.hpp"
#include "vicinal/simd/kernels.hpp"

namespace vicinal_test {

template <class Index>
concept ivf_like = requires(const Index& index) {
    index.lists();
};
template <class Index>
concept graph_like = requires(typename Index::search_params params) {
    params.ef;
};

template <class Index>
struct codec_of_index;
template <template <class, class, class, class> class Index, class Metric, class Codec, class Id, class Isa>
struct codec_of_index<Index<Metric, Codec, Id, Isa>> {
    using type = Codec;
};

/// Rows as an index is given them: as they are, but for i8 and u8 the next whole numbers that these hold, and no zero
/// vectors where there were none. Rows that tests have refused, of very small or very large numbers, stay.
template <class Codec>
class given_rows {
  public:
    explicit given_rows(matrix_view<const float> rows) : view_(rows) {
        if constexpr (vicinal::whole_codec<Codec>) {
            for (std::size_t r = 0; r < rows.rows(); ++r) {
                values_.insert(values_.end(), rows[r].begin(), rows[r].end());
                round(std::span(values_).last(rows.dim()));
            }
            if (!values_.empty()) view_ = {values_.data(), rows.rows(), rows.dim()};
        }
    }
    explicit given_rows(std::span<const float> row) : given_rows(matrix_view(row.data(), 1, row.size())) {}
    [[nodiscard]] matrix_view<const float> rows() const { return view_; }
    [[nodiscard]] std::span<const float> row() const { return view_[0]; }

  private:
    static void round(std::span<float> row) {
        const auto of_size = [&](auto holds) { return std::any_of(row.begin(), row.end(), holds); };
        if (!of_size([](float x) { return std::abs(x) > 1e-3F; })) return;
        if (of_size([](float x) { return !(std::abs(x) < 1e6F); })) return;
        for (float& x : row)
            x = std::clamp(std::round(x), static_cast<float>(Codec::least), static_cast<float>(Codec::most));
        if (!of_size([](float x) { return x != 0; })) row[0] = 1;
    }
    std::vector<float> values_;
    matrix_view<const float> view_;
};

template <class Index>
class index_of final : public any_index {
    using given = given_rows<typename codec_of_index<Index>::type>;

  public:
    explicit index_of(Index index) : index_(std::move(index)) {}
    std::size_t size() const override { return index_.size(); }
    bool empty() const override { return index_.empty(); }
    std::size_t dim() const override { return index_.dim(); }
    void add(std::uint64_t id, std::span<const float> vector) override { index_.add(id, given(vector).row()); }
    std::size_t add(std::span<const std::uint64_t> ids, matrix_view<const float> rows,
                    const vicinal::add_params& how) override {
        return index_.add(ids, given(rows).rows(), how);
    }
    void train(matrix_view<const float> rows, const vicinal::add_params& how) override {
        index_.train(given(rows).rows(), how);
    }
    void update(std::uint64_t id, std::span<const float> vector) override { index_.update(id, given(vector).row()); }
    bool upsert(std::uint64_t id, std::span<const float> vector) override {
        return index_.upsert(id, given(vector).row());
    }
    std::size_t upsert(std::span<const std::uint64_t> ids, matrix_view<const float> rows,
                       const vicinal::add_params& how) override {
        return index_.upsert(ids, given(rows).rows(), how);
    }
    bool remove(std::uint64_t id) override { return index_.remove(id); }
    std::size_t remove(std::span<const std::uint64_t> ids) override { return index_.remove(ids); }
    void clear() override { index_.clear(); }
    std::size_t merge(const any_index& other, const vicinal::add_params& how) override {
        return index_.merge(dynamic_cast<const index_of&>(other).index_, how);
    }
    std::unique_ptr<any_index> clone() const override { return std::make_unique<index_of>(index_.clone()); }
    void swap_with(any_index& other) override { swap(index_, dynamic_cast<index_of&>(other).index_); }
    void reserve(std::size_t rows) override { index_.reserve(rows); }
    void shrink_to_fit() override { index_.shrink_to_fit(); }
    bool contains(std::uint64_t id) const override { return index_.contains(id); }
    vector_t get(std::uint64_t id) const override { return index_.get(id); }
    void get(std::uint64_t id, std::span<float> out) const override { index_.get(id, out); }
    void get(std::span<const std::uint64_t> ids, std::span<float> out) const override { index_.get(ids, out); }
    std::vector<std::uint64_t> ids() const override { return index_.ids(); }
    std::size_t distances(std::span<const float> query, std::span<const std::uint64_t> ids,
                          std::span<float> out) const override {
        return index_.distances(query, ids, out);
    }
    hits_t search_id(std::uint64_t id, std::size_t k, const asking& how) const override {
        return index_.search_id(id, k, params(how));
    }
    hits_t search(std::span<const float> query, std::size_t k, const asking& how) const override {
        return index_.search(query, k, params(how));
    }
    std::size_t search(std::span<const float> query, std::span<neighbor<>> out, const asking& how) const override {
        return index_.search(query, out, params(how));
    }
    vicinal::search_table<std::uint64_t> search(matrix_view<const float> queries, std::size_t k,
                                                const asking& how) const override {
        return index_.search(queries, k, params(how));
    }
    hits_t search_within(std::span<const float> query, float radius, const asking& how) const override {
        return index_.search_within(query, radius, params(how));
    }
    vicinal::neighbor_stream<std::uint64_t> nearest(std::span<const float> query, const asking& how) const override {
        return index_.nearest(query, params(how));
    }
    vicinal::memory_report memory() const override { return index_.memory(); }
    vicinal::check_report check() const override { return index_.check(); }
    void save(const std::filesystem::path& path) const override { index_.save(path); }
    void save(std::ostream& stream) const override { index_.save(stream); }
    bytes_t save(const vicinal::save_options& how) const override {
        bytes_t bytes;
        index_.save(bytes, how);
        return bytes;
    }
    std::span<const std::byte> note() const override { return index_.note(); }
    void verify() const override { index_.verify(); }

  private:
    [[nodiscard]] typename Index::search_params params(const asking& how) const {
        typename Index::search_params made;
        made.rerank = how.rerank;
        made.filter = how.filter;
        made.stop = how.stop;
        made.deadline = how.deadline;
        made.stats = how.stats;
        made.threads = how.threads;
        if (how.everything) {
            made.rerank = index_.size() + 1;
            if constexpr (ivf_like<Index>) made.nprobe = index_.lists() + 1;
            if constexpr (graph_like<Index>) made.ef = 4 * index_.size() + 64;  // retired rows take places, too
        }
        return made;
    }

    Index index_;
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
            return wrap(index_type(dim, Metric(reference_weights(dim))));
        else
            return wrap(index_type(dim));
    }
    index_ptr load(const std::filesystem::path& path) const override { return wrap(index_type::load(path)); }
    index_ptr load(std::istream& stream) const override { return wrap(index_type::load(stream)); }
    index_ptr load(std::span<const std::byte> bytes) const override { return wrap(index_type::load(bytes)); }
    index_ptr view(const std::filesystem::path& path) const override { return wrap(index_type::view(path)); }
    index_ptr view(std::span<const std::byte> bytes) const override { return wrap(index_type::view(bytes)); }

  private:
    static index_ptr wrap(index_type index) { return std::make_unique<index_of<index_type>>(std::move(index)); }
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
