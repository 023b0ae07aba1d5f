// SPDX-License-Identifier: MIT
// The first components of a vector, for embeddings that can be truncated.
#pragma once

#include <algorithm>    // for copy, fill
#include <array>        // for array
#include <cstddef>      // for size_t, byte
#include <span>         // for span
#include <string>       // for to_string
#include <string_view>  // for string_view
#include <utility>      // for pair
#include <vector>       // for vector

#include "vicinal/codec/f32.hpp"
#include "vicinal/codec/ordinary_rows.hpp"
#include "vicinal/concepts.hpp"
#include "vicinal/core/error.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// "prefix256", or "prefix256:sq8" of an inner codec other than f32; padded with zeros, and its length.
template <std::size_t N, class Inner>
[[nodiscard]] consteval auto name_of_prefix() {
    std::pair<std::array<char, 40>, std::size_t> name{};
    const auto put = [&name](std::string_view text) {
        for (const char c : text) name.first[name.second++] = c;
    };
    put("prefix");
    std::size_t place = 1;
    while (N / place >= 10) place *= 10;
    for (; place > 0; place /= 10) name.first[name.second++] = static_cast<char>('0' + N / place % 10);
    if (std::string_view(Inner::name) != f32::name) {
        put(":");
        put(Inner::name);
    }
    return name;
}

/// Rows as a prefix keeps them, copied.
class truncated_rows {
  public:
    /// cut(row, out)  writes what is kept of a row to `out`, of `dim` floats
    template <class Rows, class Cut>
    truncated_rows(const Rows& rows, std::size_t dim, const Cut& cut) : dim_(dim), values_(rows.rows() * dim) {
        for (std::size_t r = 0; r < rows.rows(); ++r) cut(rows[r], std::span(values_).subspan(r * dim, dim));
        if constexpr (selected_rows<Rows>) left_out_ = rows.left_out();
    }
    [[nodiscard]] std::size_t rows() const noexcept { return values_.size() / dim_; }
    [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
    [[nodiscard]] std::span<const float> operator[](std::size_t r) const noexcept {
        return std::span(values_).subspan(r * dim_, dim_);
    }
    [[nodiscard]] bool left_out() const noexcept { return left_out_; }
    [[nodiscard]] matrix_view<const float> matrix() const noexcept { return {values_.data(), rows(), dim_}; }

  private:
    std::size_t dim_;
    std::vector<float> values_;
    bool left_out_ = false;
};

}  // namespace detail

/// The first N components of a vector, by the codec Inner: for embeddings that are trained to be truncated ("Matryoshka
/// representation learning", Kusupati and others, 2022), or whose first components carry most of their variance, as
/// after a rotation onto principal axes. It is the coarse half of a two_level: two_level<prefix<256>, f32> looks for
/// candidates by 256 components of each vector and ranks the best of them by all. Scoring reads N components only.
///
/// What is compared is the metric's distance between truncated vectors. Under cosine rows are divided by their length
/// once more when they are truncated, so that coarse distances order rows as the cosine of truncated vectors does:
/// without that, candidates were those with long first parts (of text embeddings of 256 components, truncated to 64, a
/// rerank of 100 found 0.63 of the 10 closest instead of 0.52).
///
/// N      1 to 8192, and at most the dimension: an index of fewer components throws error{invalid_argument}
/// Inner  f32, f16, bf16, sq8, sq4, pq, i8 and u8 (of whole numbers, not under cosine), or an elementwise codec of your
///        own; what it learns, it learns of N components
template <std::size_t N, class Inner = f32>
class prefix : public Inner {
    static_assert(elementwise_codec<Inner> && !residual_codec<Inner>,
                  "vicinal: prefix<N, Inner> takes a codec of single components: f32, f16, bf16, sq8, sq4 or pq");
    static_assert(N >= 1 && N <= 8192, "vicinal: prefix<N> keeps 1 to 8192 components");
    static constexpr auto name_ = detail::name_of_prefix<N, Inner>();

  public:
    static constexpr std::string_view name{name_.first.data(), name_.second};
    static constexpr std::size_t components = N;

    /// of      the dimension of the vectors
    /// throws  error{invalid_argument} if of < N
    explicit prefix(std::size_t of) : Inner{N} {
        if (of < N)
            detail::fail(errc::invalid_argument, "codec " + std::string(name) + " keeps the first " +
                                                     std::to_string(N) + " components, vectors have " +
                                                     std::to_string(of));
    }

    /// From now on what is kept of a vector is prepared by `metric`, which must outlive this codec and its copies.
    template <preparing_metric Metric>
    void prepare_by(const Metric& metric) noexcept {
        metric_ = &metric;
        prepare_ = [](const void* by, std::span<float> row) { return static_cast<const Metric*>(by)->prepare(row); };
    }

    void encode(std::span<const float> vector, std::span<std::byte> code) const {
        std::array<float, N> kept;  // no memory is taken: encode must not throw
        cut(vector, kept);
        Inner::encode(std::span<const float>(kept), code);
    }
    /// The components that are not kept are decoded as zeros.
    void decode(std::span<const std::byte> code, std::span<float> vector) const {
        Inner::decode(code, vector.first(N));
        std::fill(vector.begin() + N, vector.end(), 0.0F);
    }

    // ---- what Inner learns

    void train(matrix_view<const float> rows) requires trainable_codec<Inner> { Inner::train(cut_all(rows).matrix()); }
    template <class Rows>
    requires learning_codec<Inner, detail::truncated_rows>
    void learn(const Rows& rows) { Inner::learn(cut_all(rows)); }
    template <class Rows>
    requires widening_codec<Inner, detail::truncated_rows>
    void widen(const Rows& rows) { Inner::widen(cut_all(rows)); }
    template <class Rows>
    requires strained_codec<Inner, detail::truncated_rows>
    [[nodiscard]] double strain(const Rows& rows) const { return Inner::strain(cut_all(rows)); }
    [[nodiscard]] std::size_t clipped(std::span<const float> row) const requires clipping_codec<Inner> {
        std::array<float, N> kept;
        cut(row, kept);
        return Inner::clipped(std::span<const float>(kept));
    }

  private:
    void cut(std::span<const float> vector, std::span<float> out) const {
        std::copy(vector.begin(), vector.begin() + N, out.begin());
        if (prepare_ != nullptr) static_cast<void>(prepare_(metric_, out));  // zeros have no direction, and stay
    }
    template <class Rows>
    [[nodiscard]] detail::truncated_rows cut_all(const Rows& rows) const {
        return {rows, N, [this](std::span<const float> row, std::span<float> out) { cut(row, out); }};
    }

    const void* metric_ = nullptr;
    bool (*prepare_)(const void*, std::span<float>) = nullptr;
};
template <std::size_t N, class Inner>
inline constexpr bool simd::loads_wide<prefix<N, Inner>> = simd::loads_wide<Inner>;
template <std::size_t N>
inline constexpr bool stores_floats<prefix<N, f32>> = true;
static_assert(truncating_codec<prefix<4>> && elementwise_codec<prefix<4>> && !trainable_codec<prefix<4>>);

VICINAL_NAMESPACE_END
