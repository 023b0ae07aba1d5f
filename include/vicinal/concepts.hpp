// The contract page: what a metric, a codec, a filter and an executor must provide.
//
// A metric or codec must provide a few lines, with which it is correct in every index. Whatever else it provides is
// optional and makes searches faster. The scorer (storage/scorer.hpp) joins any metric to any codec by the fastest
// means that both provide, so no pair needs a class of its own.
//
//     metric   whole_metric        float operator()(q, x)               rows are decoded, then measured
//              pointwise_metric    accumulate(acc, q, x), finish(sum)   vectorised and fused with the codec's load
//              + prepare(row)      rewrites every row and query          cosine: divides by the norm
//              + form              what is summed                        integer arithmetic on 8-bit codes
//              + least_sum(t)      the sum that a distance of t needs    batches by matrix products
//              + clustering        the metric that assigns rows to the lists of ivf_index, if it is another one
//     codec    codec               code_size, encode, decode            correct with every metric
//              elementwise_codec   + load<V>(code, i)                   vectorised, never decoded to memory
//              affine_codec        + bits, low, step, ...               graphs are walked in integer arithmetic
//              trainable_codec     + train, trained, state, restore     learns from a batch, travels in the file
//              residual_codec      + encode_residual, decode_about, ...    ivf_index encodes rows about their centroids
//              two_level<C, F>     finds by C, reranks by F              joins two codecs
//
// The concept of executors is in core/executor.hpp, beside the thread pool that models it.
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
/// contribution of one component. It is a template over V, which is float or a SIMD vector of floats. Partial sums are
/// added in an unspecified but fixed order.
template <class M>
concept pointwise_metric = std::copyable<M> && std::default_initializable<M> && requires(const M& m, float v) {
    { M::name } -> std::convertible_to<std::string_view>;
    { m.template accumulate<float>(v, v, v) } -> std::same_as<float>;
    { m.finish(v) } -> std::convertible_to<float>;
};

/// What a pointwise metric sums, for codecs that can do so without decoding.
enum class sum_form : std::uint8_t {
    product,             ///< finish(sum of q * x)
    squared_difference,  ///< finish(sum of (q - x)^2), and finish returns its argument
};

/// A pointwise metric that says what it sums.
template <class M>
concept formed_metric = pointwise_metric<M> && requires {
    { M::form } -> std::convertible_to<sum_form>;
};

/// A metric of form `product` that says how large the sum is at least if the distance is at most t: `finish(s) <= t`
/// implies `s >= least_sum(t)`. The result may be a little too small, and is -infinity if every sum will do. With it,
/// batches rule out most rows by matrix products.
template <class M>
concept product_bound_metric = formed_metric<M> && M::form == sum_form::product&& requires(const M& m, float t) {
    { m.least_sum(t) } -> std::same_as<double>;
};

/// Any metric an index accepts.
template <class M>
concept metric = pointwise_metric<M> || whole_metric<M>;

/// A metric that rewrites, in place, each row before it is stored and each query before it is scored. `prepare` returns
/// false if the vector cannot be used (cosine: the zero vector). It must accept a vector that it has prepared before.
template <class M>
concept preparing_metric = metric<M> && requires(const M& m, std::span<float> row) {
    { m.prepare(row) } -> std::same_as<bool>;
};

// ---- codecs ---------------------------------------------------------------------------------------------------------

/// Turns vectors into bytes and back. A codec is constructed from the dimension. `encode` reads dim floats and writes
/// code_size() bytes, `decode` does the reverse, and neither throws. Equal vectors must have equal codes. `name` is
/// stored in files, as a metric's is.
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
/// use, up to 64 bytes past the code.
template <class C>
concept elementwise_codec = codec<C> && requires(const C& c, const std::byte* code, std::size_t i) {
    { c.template load<float>(code, i) } -> std::same_as<float>;
};

/// An elementwise codec of `bits` bits per component, 8 or 4, whose component i is low(i) + step(i) * n, n being those
/// bits. It is `uniform` if all components have the same low and step. With 4 bits, the lower half of a byte comes
/// first.
template <class C>
concept affine_codec = elementwise_codec<C> &&(C::bits == 8 || C::bits == 4) && requires(const C& c, std::size_t i) {
    { c.low(i) } -> std::same_as<float>;
    { c.step(i) } -> std::same_as<float>;
    { c.lows() } -> std::same_as<const float*>;
    { c.steps() } -> std::same_as<const float*>;
    { c.uniform() } -> std::same_as<bool>;
};

/// A codec that must learn from data before it can encode. `state` returns all it has learned, as bytes that mean the
/// same on every machine. `restore` takes such bytes, and returns false if they are no state of this codec. It may be
/// trained again, and may offer more, for rows of any type that has rows(), dim() and operator[]: `clipped(row)`, how
/// many components it cannot hold; `strain(rows)`, how many times the usual squared error they lose by what it did not
/// learn, above 4 worth learning anew; `learn(rows)`, as train but without a look for wild rows; `widen(rows)`, the same
/// but keeping what it holds now.
template <class C>
concept trainable_codec = codec<C> &&
    requires(C& c, const C& fixed, matrix_view<const float> rows, std::span<const std::byte> bytes) {
    c.train(rows);
    { fixed.trained() } -> std::same_as<bool>;
    { fixed.state() } -> std::convertible_to<std::vector<std::byte>>;
    { c.restore(bytes) } -> std::same_as<bool>;
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

// ---- what indexes take --------------------------------------------------------------------------------------------

/// Decides which ids a search may return: any callable `bool(Id)`. It is called on the searching thread, and never
/// after the call. It may throw; the search then throws the same, and the index is unharmed. It may search other
/// indexes, also on the executor of the search if that is a thread_pool. The index that it filters it may search on its
/// own thread only, because another thread could wait for a change that waits for this search. A call that would change
/// that index throws error{reentrant_call}.
template <class F, class Id>
concept id_predicate = std::predicate<F&, Id>;

VICINAL_NAMESPACE_END
