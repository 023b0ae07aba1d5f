// SPDX-License-Identifier: MIT
// Rows of codes, and the pair of stores behind a two-level codec.
#pragma once

#include <algorithm>    // for fill
#include <cstddef>      // for size_t, byte
#include <span>         // for span
#include <string>       // for string
#include <string_view>  // for string_view
#include <utility>      // for move

#include "vicinal/codec/two_level.hpp"
#include "vicinal/concepts.hpp"
#include "vicinal/storage/chunked_rows.hpp"

VICINAL_NAMESPACE_BEGIN

namespace detail {

/// How rows of codes are spaced: `dense` on 4-byte boundaries, best for scans; `lines` on cache lines, best for random
/// access, unless that would waste more than an eighth.
enum class row_spacing : std::uint8_t { dense, lines };

[[nodiscard]] constexpr std::size_t row_alignment(row_spacing spacing, std::size_t code_size) noexcept {
    if (spacing == row_spacing::dense) return 4;
    for (std::size_t alignment = cache_line; alignment > 4; alignment /= 2)
        if (round_up(code_size, alignment) - code_size <= code_size / 8) return alignment;
    return 4;
}

/// A codec and the rows it encoded.
template <codec Codec>
class code_store {
  public:
    code_store(std::size_t dim, row_spacing spacing)
        : dim_(dim), codec_{dim}, rows_(codec_.code_size(), row_alignment(spacing, codec_.code_size())) {}

    [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
    /// How many components distances to its rows are about: the first of dim().
    [[nodiscard]] std::size_t components() const noexcept {
        if constexpr (truncating_codec<Codec>)
            return Codec::components;
        else
            return dim_;
    }
    [[nodiscard]] const Codec& coder() const noexcept { return codec_; }
    [[nodiscard]] Codec& coder() noexcept { return codec_; }
    [[nodiscard]] chunked_rows& rows() noexcept { return rows_; }
    [[nodiscard]] const chunked_rows& rows() const noexcept { return rows_; }

    void reserve(std::size_t rows) { rows_.reserve(rows); }
    /// Encodes `vector`, already prepared by the metric, into row `slot`.
    void write(slot_t slot, std::span<const float> vector) {
        std::byte* const row = rows_[slot];
        codec_.encode(vector, {row, rows_.row_bytes()});
        std::fill(row + rows_.row_bytes(), row + rows_.stride(), std::byte{0});
    }
    void read(slot_t slot, std::span<float> vector) const { codec_.decode({rows_[slot], rows_.row_bytes()}, vector); }

  private:
    std::size_t dim_;
    Codec codec_;
    chunked_rows rows_;
};

/// What an index stores vectors in: one code_store, or for two_level two with the same rows. `coarse` is what searches
/// traverse, `fine` what decides; with a plain codec they are the same.
template <class Codec>
class row_store {
  public:
    using coarse_codec = Codec;
    using fine_codec = Codec;
    static constexpr bool two_levels = false;
    [[nodiscard]] static std::string name() { return std::string(std::string_view(Codec::name)); }

    row_store(std::size_t dim, row_spacing spacing) : codes_(dim, spacing) {}
    [[nodiscard]] code_store<Codec>& coarse() noexcept { return codes_; }
    [[nodiscard]] const code_store<Codec>& coarse() const noexcept { return codes_; }
    [[nodiscard]] code_store<Codec>& fine() noexcept { return codes_; }
    [[nodiscard]] const code_store<Codec>& fine() const noexcept { return codes_; }
    template <class F>
    void for_each_store(F&& f) {
        f(codes_);
    }
    template <class F>
    void for_each_store(F&& f) const {
        f(codes_);
    }

  private:
    code_store<Codec> codes_;
};

template <class Coarse, class Fine>
class row_store<two_level<Coarse, Fine>> {
  public:
    using coarse_codec = Coarse;
    using fine_codec = Fine;
    static constexpr bool two_levels = true;
    [[nodiscard]] static std::string name() {
        return std::string(std::string_view(Coarse::name)) + "+" + std::string(std::string_view(Fine::name));
    }

    row_store(std::size_t dim, row_spacing spacing) : coarse_(dim, spacing), fine_(dim, spacing) {}
    [[nodiscard]] code_store<Coarse>& coarse() noexcept { return coarse_; }
    [[nodiscard]] const code_store<Coarse>& coarse() const noexcept { return coarse_; }
    [[nodiscard]] code_store<Fine>& fine() noexcept { return fine_; }
    [[nodiscard]] const code_store<Fine>& fine() const noexcept { return fine_; }
    template <class F>
    void for_each_store(F&& f) {
        f(coarse_);
        f(fine_);
    }
    template <class F>
    void for_each_store(F&& f) const {
        f(coarse_);
        f(fine_);
    }

  private:
    code_store<Coarse> coarse_;
    code_store<Fine> fine_;
};

/// A pair whose rows the metric does not prepare: they are stored as they come, and measured by products and squares.
template <class Metric, class Codec>
inline constexpr bool keeps_as_given = normalizing_metric<Metric>&& whole_codec<Codec>;

/// Whether rows of Codec can be stored: of two levels neither can take rows as they come, as both take the same.
template <class Metric, class Codec>
[[nodiscard]] constexpr bool takes_prepared_rows() noexcept {
    using store = row_store<Codec>;
    return !store::two_levels || !(keeps_as_given<Metric, typename store::coarse_codec> ||
                                   keeps_as_given<Metric, typename store::fine_codec>);
}

template <class Store>
[[nodiscard]] bool needs_training(const Store& store) {
    bool needed = false;
    store.for_each_store([&](const auto& codes) {
        if constexpr (trainable_codec<std::remove_cvref_t<decltype(codes.coder())>>)
            needed = needed || !codes.coder().trained();
    });
    return needed;
}

}  // namespace detail

/// What may stand in an index's Codec place: a codec, or two_level of two.
template <class C>
concept index_codec = codec<C> || requires {
    typename C::coarse;
    typename C::fine;
    requires codec<typename C::coarse> && codec<typename C::fine>;
};

VICINAL_NAMESPACE_END
