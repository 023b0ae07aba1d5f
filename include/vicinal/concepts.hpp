// SPDX-License-Identifier: MIT
// The contract page: all that the library asks of a metric, a codec, a filter and an executor.
//
// A metric or codec must provide a few lines, with which it is correct in every index. Whatever else it provides is
// optional and has a concept of its own below, which says what it promises and what the library does without it. The
// library looks for no member that is not on this page. A type that has a part of a group only, such as `train` without
// `restore`, is refused with a message that names the group.
//
//     metric   whole_metric             float operator()(q, x)               rows are decoded, then measured
//              pointwise_metric         accumulate(acc, q, x), finish(sum)   vectorised and fused with the codec's load
//              + weighted_metric        weights, accumulate(..., w)          a number for each component, in the kernel
//              + stateful_metric        state, restore, check                given to an index, kept in its files
//              + preparing_metric       prepare(row)                         cosine: divides by the norm
//              + formed_metric          form                                 integer arithmetic on 8-bit codes
//              + product_bound_metric   least_sum(t)                         batches by matrix products
//              + clustering_metric      clustering                           another metric for the lists of ivf_index
//              + counting_metric        of_counts, counts_common             popcounts over codes of one bit
//     codec    codec                    code_size, encode, decode            correct with every metric
//              elementwise_codec        load<V>(code, i)                     vectorised, never decoded to memory
//              affine_codec             bits, low, step, ...                 graphs are walked in integer arithmetic
//              + weighted_codec         unit, weight, weights                the same where components have own steps
//              bit_codec                packs_bits                           popcounts, by a counting_metric
//              product_codec            has_tables, codebook, ...            32 rows at once by look-up tables
//              trainable_codec          train, trained, state, restore       learns from a batch, travels in the file
//              + clipping_codec, strained_codec, learning_codec, widening_codec, slowly_learning_codec
//              truncating_codec         components, prepare_by       prefix<N>: the first components only
//              residual_codec           encode_residual, decode_about, ...   ivf_index encodes rows about centroids
//              bounded_codec, resolving_codec                                vectors that it cannot hold are refused
//              norm_bounded_codec, norm_keeping_codec, unbiased_codec        what decoding does to lengths
//              multibyte_codec, checked_codec, total_codec                   what its codes are in a file
//              two_level<C, F>          finds by C, reranks by F             joins two codecs
//
// The scorer (scoring/scorer.hpp) joins any metric to any codec by the fastest means that both provide, so no pair
// needs a class of its own; scoring/algorithm.hpp says by which. The concept of executors is in core/executor.hpp,
// beside the thread pool that models it.
#pragma once

#include <concepts>     // for convertible_to, constructible_from
#include <cstddef>      // for size_t, byte
#include <cstdint>      // for uint8_t
#include <span>         // for span
#include <string_view>  // for string_view
#include <vector>       // for vector

#include "vicinal/core/executor.hpp"
#include "vicinal/core/matrix_view.hpp"
#include "vicinal/core/types.hpp"

VICINAL_NAMESPACE_BEGIN

// ---- metrics --------------------------------------------------------------------------------------------------------

/// A distance between whole vectors: `metric(q, x)` for two spans of equal length. A smaller result is closer. The
/// result must be finite for admitted vectors and equal for equal arguments, and any number of threads may call the
/// metric. `name`, of at most 31 characters, is stored in files: a file written under one name is refused under
/// another.
template <class M>
concept whole_metric = std::copyable<M> && std::default_initializable<M> &&
    requires(const M& m, std::span<const float> q, std::span<const float> x) {
    { M::name } -> std::convertible_to<std::string_view>;
    { m(q, x) } -> std::convertible_to<float>;
};

/// A distance that is a function of a sum over components: `finish(sum)`. `accumulate(acc, q, x)` returns acc plus the
/// contribution of one component. Partial sums are added in an unspecified but fixed order. As a template over V, which
/// is float or a SIMD vector of floats, it is vectorised. It may as well be a function of three floats, or a template
/// that is constrained to them; rows are then scored one component at a time.
///
/// A weighted_metric has `accumulate(acc, q, x, w)` instead, with a number of its own for each component, as a V like
/// the others: `weights()` points to those of all components, readable to 16 floats past the last. ivf_index learns its
/// lists from components times the roots of their weights.
template <class M>
concept weighted_metric = std::copyable<M> && std::default_initializable<M> && requires(const M& m, float v) {
    { M::name } -> std::convertible_to<std::string_view>;
    { m.weights() } -> std::same_as<const float*>;
    { m.accumulate(v, v, v, v) } -> std::same_as<float>;
    { m.finish(v) } -> std::convertible_to<float>;
};
template <class M>
concept pointwise_metric = weighted_metric<M> ||
    (std::copyable<M>&& std::default_initializable<M>&& requires(const M& m, float v) {
        { M::name } -> std::convertible_to<std::string_view>;
        { m.accumulate(v, v, v) } -> std::same_as<float>;
        { m.finish(v) } -> std::convertible_to<float>;
    });

/// What a pointwise metric sums, for codecs that can do so without decoding.
enum class sum_form : std::uint8_t {
    product,             ///< finish(sum of q * x)
    squared_difference,  ///< finish(sum of (q - x)^2), and finish returns its argument
};

/// A pointwise metric that says what it sums. Without it, codes are decoded component by component.
template <class M>
concept formed_metric = pointwise_metric<M> && requires {
    { M::form } -> std::convertible_to<sum_form>;
};

/// A metric of form `product` that says how large the sum is at least if the distance is at most t: `finish(s) <= t`
/// implies `s >= least_sum(t)`. The result may be a little too small, and is -infinity if every sum will do. With it,
/// batches rule out most rows by matrix products, and scans of sq8, sq4, pq, rabitq and pca8 by their codes. Without
/// it, every row is scored.
template <class M>
concept product_bound_metric = formed_metric<M> && M::form == sum_form::product&& requires(const M& m, float t) {
    { m.least_sum(t) } -> std::same_as<double>;
};

/// Any metric an index accepts.
template <class M>
concept metric = pointwise_metric<M> || whole_metric<M>;

/// A metric that rewrites, in place, each row before it is stored and each query before it is scored. `prepare` returns
/// false if the vector cannot be used (cosine: the zero vector). It must accept a vector that it has prepared before.
/// Without it, vectors are stored and scored as they are given.
template <class M>
concept preparing_metric = metric<M> && requires(const M& m, std::span<float> row) {
    { m.prepare(row) } -> std::same_as<bool>;
};

/// A preparing_metric of form `product` that can as well measure vectors it has not prepared: `of_products(qx, qq, xx)`
/// is the distance of q and x with those products. With it, a whole_codec stores rows as they come. Without it, rows
/// are prepared for any codec.
template <class M>
concept normalizing_metric = preparing_metric<M> && formed_metric<M> &&
                             M::form == sum_form::product&& requires(const M& m, float product) {
    { m.of_products(product, product, product) } -> std::same_as<float>;
};

namespace detail {

/// Stands for all preparing metrics where a concept asks for a function of any.
struct any_preparing_metric {
    static constexpr std::string_view name = "any";
    float operator()(std::span<const float>, std::span<const float>) const;
    bool prepare(std::span<float>) const;
};

}  // namespace detail

/// A metric with numbers of its own that are known when the program runs, as weights are. It is given to an index as it
/// is constructed. `state` returns the numbers as bytes that mean the same on every machine, which files keep: equal
/// bytes are equal states. `restore` takes such bytes, and returns false if they are no state of this metric.
/// `check(dim)` throws, best a vicinal::error with both numbers, unless the metric is one for vectors of `dim`
/// components: no index is made of one that is not. Without these members, an index has its metric as it is
/// default-constructed.
template <class M>
concept stateful_metric = metric<M> && requires(M& m, const M& fixed, std::span<const std::byte> bytes) {
    { fixed.state() } -> std::convertible_to<std::vector<std::byte>>;
    { m.restore(bytes) } -> std::same_as<bool>;
    fixed.check(std::size_t{});
};

/// A metric that names the one by which ivf_index assigns rows to lists, `clustering`. Without it, that is the metric
/// itself. Another one has no state.
template <class M>
concept clustering_metric = metric<M> && requires {
    typename M::clustering;
    requires metric<typename M::clustering>;
};

/// A metric of vectors of zeros and ones, which `prepare` makes of rows and queries: `of_counts(differing, common)` is
/// the distance of two that have so many different components and so many ones in common, whole numbers up to 2^24.
/// `common` is 0 unless `counts_common` is true. With it, rows of a bit_codec are scored by counting bits. Without it,
/// they are decoded.
template <class M>
concept counting_metric = preparing_metric<M> && requires(const M& m, float count) {
    { M::counts_common } -> std::convertible_to<bool>;
    { m.of_counts(count, count) } -> std::same_as<float>;
};

// ---- codecs ---------------------------------------------------------------------------------------------------------

/// Turns vectors into bytes and back. A codec is constructed from the dimension. `encode` reads dim floats and writes
/// code_size() bytes, `decode` does the reverse, and neither throws. Equal vectors must have equal codes, and any
/// number of threads may call const members. `name` is stored in files, as a metric's is.
template <class C>
concept codec = std::copyable<C> && requires(const C& c, std::span<const float> vector, std::span<const std::byte> code,
                                             std::span<std::byte> code_out, std::span<float> vector_out) {
    { C::name } -> std::convertible_to<std::string_view>;
    C{std::size_t{}};
    { c.code_size() } -> std::convertible_to<std::size_t>;
    c.encode(vector, code_out);
    c.decode(code, vector_out);
};

/// A codec whose component i can be decoded alone. `load<V>(code, i)` returns components i, i+1, ... as a V: one if V
/// is float, as many as it has lanes if V is a SIMD vector; i is then a multiple of that number. It may read, but not
/// use, up to 64 bytes past the code. It gives the bits that `decode` gives. A `load` for float only, constrained to
/// it, is enough; rows are then scored one component at a time.
template <class C>
concept elementwise_codec = codec<C> && requires(const C& c, const std::byte* code, std::size_t i) {
    { c.template load<float>(code, i) } -> std::same_as<float>;
};

/// An elementwise codec of `bits` bits per component, 8 or 4, whose component i is low(i) + step(i) * n, n being those
/// bits and the step above 0. `lows` and `steps` point to all of them. It is `uniform` if all components have the same
/// low and step. With 4 bits, the lower half of a byte comes first. Graphs are walked by integer sums over such codes,
/// by squared differences only where it is uniform or a weighted_codec. Scans rule rows out by them if it is a
/// norm_bounded_codec, too.
template <class C>
concept affine_codec = elementwise_codec<C> &&(C::bits == 8 || C::bits == 4) && requires(const C& c, std::size_t i) {
    { c.low(i) } -> std::same_as<float>;
    { c.step(i) } -> std::same_as<float>;
    { c.lows() } -> std::same_as<const float*>;
    { c.steps() } -> std::same_as<const float*>;
    { c.uniform() } -> std::same_as<bool>;
};

/// An affine codec of 8 bits whose steps are whole multiples of one `unit()`: step(i) is unit() * weight(i), weights
/// being from 1 to 64. `weights` points to all of them and, up to 16 past the last, zeros.
template <class C>
concept weighted_codec = affine_codec<C> && C::bits == 8 && requires(const C& c, std::size_t i) {
    { c.unit() } -> std::same_as<float>;
    { c.weight(i) } -> std::same_as<int>;
    { c.weights() } -> std::same_as<const std::int16_t*>;
};

/// An affine codec of 8 bits that stores whole numbers from `least` to `most` as they come: `low` is `least`, and every
/// step is 1. Rows of other numbers are refused with errc::magnitude, queries may be any. What our metrics sum up is
/// exact between such numbers. It may not be a half of two_level under a normalizing_metric.
template <class C>
concept whole_codec = affine_codec<C> && C::bits == 8 && C::most - C::least == 255;

/// A codec that must learn from data before it can encode. `state` returns all it has learned, as bytes that mean the
/// same on every machine. `restore` takes such bytes, and returns false if they are no state of this codec. It may be
/// trained again.
template <class C>
concept trainable_codec = codec<C> &&
    requires(C& c, const C& fixed, matrix_view<const float> rows, std::span<const std::byte> bytes) {
    c.train(rows);
    { fixed.trained() } -> std::same_as<bool>;
    { fixed.state() } -> std::convertible_to<std::vector<std::byte>>;
    { c.restore(bytes) } -> std::same_as<bool>;
};

/// A codec that says how many components of a row it cannot hold and moves to the ends of their ranges: what
/// codec_report counts. Without it, none are counted.
template <class C>
concept clipping_codec = codec<C> && requires(const C& c, std::span<const float> row) {
    { c.clipped(row) } -> std::convertible_to<std::size_t>;
};

/// A trainable codec that says by how much rows have left what it learned: how many times the usual squared error it
/// loses of them because of that. Above 4 it is worth learning anew. Rows is any type with rows(), dim() and
/// operator[]; strain is a template over it. Without it, a codec does not learn again once an index has
/// `learning_rows`.
template <class C, class Rows = matrix_view<const float>>
concept strained_codec = trainable_codec<C> && requires(const C& c, const Rows& rows) {
    { c.strain(rows) } -> std::convertible_to<double>;
};

/// A trainable codec that learns from all rows it is given, where `train` first leaves out wild ones. Without it,
/// `train` is called where wild rows have been left out already.
template <class C, class Rows = matrix_view<const float>>
concept learning_codec = trainable_codec<C> && requires(C& c, const Rows& rows) {
    c.learn(rows);
};

/// A trainable codec that learns from rows so that it still holds what it held before. Without it, `learn` is called.
template <class C, class Rows = matrix_view<const float>>
concept widening_codec = trainable_codec<C> && requires(C& c, const Rows& rows) {
    c.widen(rows);
};

/// A trainable codec that learns so slowly that a growing index has it learn again only when its rows are
/// `learning_growth` times as many. Without it, that is 2.
template <class C>
concept slowly_learning_codec = trainable_codec<C> && requires {
    { C::learning_growth } -> std::convertible_to<std::size_t>;
};

/// A point that codes are relative to: its dim components, and derived_size() numbers that the codec derived from it.
struct code_center {
    const float* point;
    const float* derived;
};

/// A codec whose codes are relative to a point: its own, or one that is given with the call. `derive` writes what
/// depends on the point alone; the numbers must be the same on every machine. `largest_squares_about(norm)` is an upper
/// bound of the squared norm of any decoded vector, for codes of admitted vectors relative to a point of that norm.
template <class C>
concept residual_codec = codec<C> &&
    requires(const C& c, const code_center& center, std::span<const float> vector, std::span<const std::byte> code,
             std::span<std::byte> code_out, std::span<float> numbers_out) {
    { c.own_center() } -> std::same_as<code_center>;
    { c.derived_size() } -> std::convertible_to<std::size_t>;
    c.derive(vector, numbers_out);
    c.encode_residual(center, vector, code_out);
    c.decode_about(center, code, numbers_out);
    { c.largest_squares_about(double{}) } -> std::same_as<double>;
};

/// A codec that cannot hold components of a magnitude above `max_magnitude`; they are refused with errc::magnitude.
template <class C>
concept bounded_codec = codec<C> && requires {
    { C::max_magnitude } -> std::convertible_to<float>;
};

/// A codec whose steps are too wide for vectors with no component of at least `min_magnitude`; those, but for zero, are
/// refused with errc::magnitude.
template <class C>
concept resolving_codec = codec<C> && requires {
    { C::min_magnitude } -> std::convertible_to<float>;
};

/// A codec that knows an upper bound of the squared norm of any vector that `decode` gives, of the codes of admitted
/// vectors. Without it, each row is decoded as it is added, to see that its distances cannot overflow.
template <class C>
concept norm_bounded_codec = codec<C> && requires(const C& c) {
    { c.largest_squares() } -> std::convertible_to<double>;
};

/// A codec with a true `keeps_length` promises that decoding makes no vector longer by more than a tenth. Its rows are
/// not decoded as they are added.
template <class C>
concept norm_keeping_codec = codec<C> && bool{C::keeps_length};

/// A codec with a true `best_as_decoded` promises that sums over decoded vectors estimate those over the vectors
/// without bias, though their lengths differ. Without it, decoded rows are prepared by the metric before they are
/// scored.
template <class C>
concept unbiased_codec = codec<C> && bool{C::best_as_decoded};

/// A codec whose code is a row of integers or floats of `word_size` bytes, 2 or 4, in the machine's order. Files hold
/// them as little-endian words, so that big-endian machines swap their bytes. Without it, a code is single bytes.
template <class C>
concept multibyte_codec = codec<C> && requires {
    { C::word_size } -> std::convertible_to<std::size_t>;
};

/// A codec that can tell whether code_size() bytes are a code that it makes. `load` of a file refuses others. Without
/// it, any bytes are taken for a code.
template <class C>
concept checked_codec = codec<C> && requires(const C& c, std::span<const std::byte> code) {
    { c.well_formed(code) } -> std::same_as<bool>;
};

/// A codec with a true `any_code_decodes` promises that any code, if `well_formed`, is decoded to a vector that indexes
/// admit. Without it, `load` of a file decodes every code to see that.
template <class C>
concept total_codec = codec<C> && bool{C::any_code_decodes};

/// A codec with a true `packs_bits` stores one bit a component, component i as bit i % 8 of byte i / 8: 1 if it is
/// above zero. Bits past the last component are zeros. A counting_metric counts bits instead of decoding rows.
template <class C>
concept bit_codec = codec<C> && bool{C::packs_bits};

/// A codec that keeps the first `components` components of a vector only, and decodes the others as zeros: distances to
/// its rows are then those of truncated vectors, and cost as much. Its place is the coarse one of a two_level: what it
/// keeps cannot decide. `prepare_by(metric)` is called once, with the index's metric, if that is a preparing_metric:
/// `encode` is to have it prepare what is kept.
template <class C>
concept truncating_codec = codec<C> && requires(C& c, const detail::any_preparing_metric& metric) {
    { C::components } -> std::convertible_to<std::size_t>;
    c.prepare_by(metric);
};

/// A product quantiser with a true `has_tables`: half a byte for each pair of components, the lower half first, names
/// one of 16 points in codebook(pair), which is 16 times two floats. A last component without a partner has points
/// whose second number is 0. Scans of flat_index and ivf_index look up what each pair adds to a distance, for 32 rows
/// at once. Without it, each row is scored by `load`.
template <class C>
concept product_codec = elementwise_codec<C> && trainable_codec<C> && norm_bounded_codec<C> && bool{C::has_tables} &&
                        C::centroids == 16 && requires(const C& c, std::size_t pair) {
    { c.dim() } -> std::convertible_to<std::size_t>;
    { c.pairs() } -> std::convertible_to<std::size_t>;
    { c.codebook(pair) } -> std::convertible_to<std::span<const float>>;
};

// ---- what indexes take --------------------------------------------------------------------------------------------

/// Decides which ids a search may return: any callable `bool(Id)`. It is called on the searching thread, and never
/// after the call. It may throw; the search then throws the same, and the index is unharmed. It may search other
/// indexes, also on the executor of the search if that is a thread_pool. The index that it filters it may search on its
/// own thread only, because another thread could wait for a change that waits for this search. A call that would change
/// that index throws error{reentrant_call}.
template <class F, class Id>
concept id_predicate = std::predicate<F&, Id>;

/// A set of ids that a search may filter by: `contains(id)`, which any number of threads may ask at once, and `size()`.
/// Searches plan better where it can be read from begin() to end(), too. id_set is one; so are std::set and
/// std::unordered_set, and Roaring bitmaps.
template <class S, class Id>
concept id_collection = requires(const S& set, Id id) {
    { set.contains(id) } -> std::convertible_to<bool>;
    { set.size() } -> std::convertible_to<std::size_t>;
};

VICINAL_NAMESPACE_END
