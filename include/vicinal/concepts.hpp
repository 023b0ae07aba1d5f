// The contract page: what a metric, a codec, a filter and an executor must provide.
//
// Metrics and codecs are ladders. The lowest rung is a few lines and is correct in every index; each higher rung is
// optional and faster. Nobody writes a class for a pair: the scorer (storage/scorer.hpp) joins any metric to any codec
// on the highest rung that both reach.
//
//     metric   whole_metric        float operator()(q, x)               rows are decoded, then measured
//              pointwise_metric    accumulate(acc, q, x), finish(sum)   vectorised and fused with the codec's load
//              + prepare(row)      a rewrite of every row and query     cosine: divide by the norm
//              + form              what the sum is made of              integer arithmetic on 8-bit codes
//              + least_sum(t)      what a threshold asks of the sum      batches by matrix products
//              + clustering        the metric that assigns rows to IVF lists, if it is not the metric itself
//     codec    codec               code_size, encode, decode            correct with every metric
//              elementwise_codec   + load<V>(code, i)                   vectorised, never decoded to memory
//              affine_codec        + bits, low, step, ...               graphs are walked in integer arithmetic
//              trainable_codec     + train, trained, state, restore     learns from a batch, travels in the file
//              centered_codec      + encode_about, decode_about, ...    ivf_index encodes rows about their centroids
//              two_level<C, F>     traverse by C, rerank by F           joins two codecs
//              packed<F>           links with codes, decide by F        hnsw_index only
//
// Executors are in core/executor.hpp; their concept stands beside the pool that models it.
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

// ---- metrics
// ---------------------------------------------------------------------------------------------------------

/// A distance between whole vectors: `metric(q, x)` for two spans of equal length. Promises: smaller is closer, the
/// result is finite for admitted vectors, equal arguments give equal results, and any number of threads may call it.
/// `name` goes into files: a file written under one name is refused under another. At most 31 characters.
template <class M>
concept whole_metric = std::copyable<M> && std::default_initializable<M> &&
    requires(const M& m, std::span<const float> q, std::span<const float> x) {
    { M::name } -> std::convertible_to<std::string_view>;
    { m(q, x) } -> std::convertible_to<float>;
};

/// A distance that is a function of a sum over components: finish(sum of accumulate's steps). `accumulate(acc, q, x)`
/// returns acc plus the share of one component and is a template over V, which is float or a SIMD vector of floats;
/// partial sums are added in an unspecified but fixed order.
template <class M>
concept pointwise_metric = std::copyable<M> && std::default_initializable<M> && requires(const M& m, float v) {
    { M::name } -> std::convertible_to<std::string_view>;
    { m.template accumulate<float>(v, v, v) } -> std::same_as<float>;
    { m.finish(v) } -> std::convertible_to<float>;
};

/// What a pointwise metric adds up, for codecs that can do so without decoding.
enum class sum_form : std::uint8_t {
    product,             ///< finish(sum of q * x)
    squared_difference,  ///< finish(sum of (q - x)^2), and finish returns its argument
};

/// A pointwise metric that says what it adds up.
template <class M>
concept formed_metric = pointwise_metric<M> && requires {
    { M::form } -> std::convertible_to<sum_form>;
};

/// A metric of form `product` that says how large the sum must be, exact or a little less, for `finish` to come out at
/// no more than a threshold: `finish(s) <= t` implies `s >= least_sum(t)`; -infinity if any sum will do. Batches then
/// pass over most rows by matrix products.
template <class M>
concept product_bound_metric = formed_metric<M> && M::form == sum_form::product&& requires(const M& m, float t) {
    { m.least_sum(t) } -> std::same_as<double>;
};

/// Any metric an index accepts.
template <class M>
concept metric = pointwise_metric<M> || whole_metric<M>;

/// A metric that rewrites each row before it is stored and each query before it is scored, in place. `prepare` returns
/// false if the vector cannot be used (cosine: the zero vector), and must accept what it returned before.
template <class M>
concept preparing_metric = metric<M> && requires(const M& m, std::span<float> row) {
    { m.prepare(row) } -> std::same_as<bool>;
};

// ---- codecs
// ----------------------------------------------------------------------------------------------------------

/// How a vector becomes bytes and back. Constructed from the dimension. `encode` reads dim floats and writes
/// code_size() bytes, `decode` the reverse; the code of equal vectors is equal, and neither throws. `name` goes into
/// files, as a metric's does.
template <class C>
concept codec = std::copyable<C> && requires(const C& c, std::span<const float> vector, std::span<const std::byte> code,
                                             std::span<std::byte> code_out, std::span<float> vector_out) {
    { C::name } -> std::convertible_to<std::string_view>;
    C{std::size_t{}};
    { c.code_size() } -> std::convertible_to<std::size_t>;
    c.encode(vector, code_out);
    c.decode(code, vector_out);
};

/// A codec whose component i can be decoded alone. `load<V>(code, i)` returns components i, i+1, ... as a V (float:
/// one; a SIMD vector: as many as it has lanes, of which i is a multiple; it may read, but not use, up to 64 bytes past
/// the code).
template <class C>
concept elementwise_codec = codec<C> && requires(const C& c, const std::byte* code, std::size_t i) {
    { c.template load<float>(code, i) } -> std::same_as<float>;
};

/// An elementwise codec of `bits` bits per component, 8 or 4, whose value is low(i) + step(i) * these bits; with one
/// low and step for all components it is `uniform`. Of 4 bits, a byte's lower half comes first.
template <class C>
concept affine_codec = elementwise_codec<C> &&(C::bits == 8 || C::bits == 4) && requires(const C& c, std::size_t i) {
    { c.low(i) } -> std::same_as<float>;
    { c.step(i) } -> std::same_as<float>;
    { c.lows() } -> std::same_as<const float*>;
    { c.steps() } -> std::same_as<const float*>;
    { c.uniform() } -> std::same_as<bool>;
};

/// A codec that learns from data before it can encode. `state` is everything learned, as bytes that mean the same on
/// every machine; `restore` takes them back and returns false if they are not a state of this codec.
template <class C>
concept trainable_codec = codec<C> &&
    requires(C& c, const C& fixed, matrix_view<const float> rows, std::span<const std::byte> bytes) {
    c.train(rows);
    { fixed.trained() } -> std::same_as<bool>;
    { fixed.state() } -> std::convertible_to<std::vector<std::byte>>;
    { c.restore(bytes) } -> std::same_as<bool>;
};

/// A point that a code is relative to: its dim components, and derived_size() numbers that the codec derived from it.
struct code_center {
    const float* point;
    const float* derived;
};

/// A codec whose codes are relative to a point, that of its own or one that is given with the call. `derive` writes
/// what depends on the point alone and is the same on every machine; `largest_squares_about` says what the squares of a
/// decoded vector add up to at most, of an admitted vector and a point of that length.
template <class C>
concept centered_codec = codec<C> &&
    requires(const C& c, const code_center& center, std::span<const float> vector, std::span<const std::byte> code,
             std::span<std::byte> code_out, std::span<float> numbers_out) {
    { c.own_center() } -> std::same_as<code_center>;
    { c.derived_size() } -> std::convertible_to<std::size_t>;
    c.derive(vector, numbers_out);
    c.encode_about(center, vector, code_out);
    c.decode_about(center, code, numbers_out);
    { c.largest_squares_about(double{}) } -> std::same_as<double>;
};

/// A codec that cannot hold components beyond `max_magnitude`; larger ones are refused with errc::magnitude.
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

// ---- what indexes take --------------------------------------------------------------------------------------------

/// Decides which ids a search may return: any `bool(Id)`, called on the searching thread, never after the call. It may
/// throw; the search then throws the same and the index is unharmed. It may search any index, on the executor of the
/// search, too, if that is a thread_pool; the index it filters only on its own thread, as a thread of its own would wait
/// for a change that waits for this search. What would change the index it filters throws error{reentrant_call}.
template <class F, class Id>
concept id_predicate = std::predicate<F&, Id>;

VICINAL_NAMESPACE_END
